import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { MainModule } from 'libheif-js/libheif-wasm/libheif.js';
import { DataError, isOutOfMemory, UserError } from '../errors.ts';
import { DamagedFile } from './image-errors.ts';
import { colourSpaceOf } from './image-formats.ts';
import type { Raster } from './tiff.ts';

/** HEIF files: what each of them says of its main image, and the pixels of those coded by HEVC, which sharp's libheif leaves out. It is
 *  libheif too, as WebAssembly, called as C calls it: its functions for JavaScript tell neither errors nor colours.
 *  @see libheif/heif.h of version 1.23 */

export interface HeifImage {
  /** turned or mirrored on its way to the screen */
  turned: boolean;
  /** what its RGB means, where no profile in the file says it */
  colourSpace: 'srgb' | 'p3';
  /** undefined where sharp has to decode it, as it does AVIF */
  raster: Raster | undefined;
}

/** @param check  refuses a size, before memory is taken for it
 *  @throws DamagedFile; UserError (data) for what can't be decoded */
export function openHeif(file: Uint8Array, check: (width: number, height: number) => void): HeifImage {
  const heif = unused ?? instantiate();
  unused = undefined;
  try {
    const image = withCalls(heif, (calls) => mainImage(calls, file, check));
    if (image.raster === undefined && heif.HEAPU8.length <= keptBytes) unused = heif;
    return image;
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (isOutOfMemory(error)) throw new DataError(outOfMemory, { cause: error });
    throw new DamagedFile(damaged, error); // it trapped
  }
}

const damaged = 'the file is cut off or damaged';
const outOfMemory = 'it takes more memory than there is';

type Heif = MainModule & { HEAPU8: Uint8Array };
/** An instance that has decoded nothing. Decoders leave pixels behind in memory, and show them again where a damaged file has none of its
 *  own: the same file has to give the same pixels, whatever came before. */
let unused: Heif | undefined;
/** WebAssembly never gives memory back: an instance that has taken more is left to the collector. */
const keptBytes = 2 ** 28;

let library: { make: (options: object) => Heif; module: WebAssembly.Module } | undefined;

function loadLibrary(): NonNullable<typeof library> {
  const require = createRequire(import.meta.url);
  const make = require('libheif-js/libheif-wasm/libheif.js');
  const bytes = readFileSync(require.resolve('libheif-js/libheif-wasm/libheif.wasm'));
  return { make, module: new WebAssembly.Module(bytes) };
}

function instantiate(): Heif {
  const { make, module } = (library ??= loadLibrary());
  const instantiateWasm = (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance, of: WebAssembly.Module) => void,
  ) => {
    const instance = new WebAssembly.Instance(module, imports);
    done(instance, module);
    return instance.exports;
  };
  return make({ instantiateWasm, print: () => {}, printErr: () => {} });
}

/** What calling C takes. */
interface Calls {
  heif: Heif;
  /** where a call writes its error: code, detail, text */
  error: number;
  /** where a call writes what it found */
  found: number;
  word(pointer: number): number;
  /** @throws UserError where the last call failed */
  checked(): void;
  /** notes what is given back in the end. @returns the pointer */
  owned(pointer: number, free: (pointer: number) => void): number;
}

function withCalls<T>(heif: Heif, work: (calls: Calls) => T): T {
  const frees: (() => void)[] = [];
  const owned: Calls['owned'] = (pointer, free) => {
    frees.push(() => free(pointer));
    return pointer;
  };
  const word = (pointer: number) => new DataView(heif.HEAPU8.buffer).getUint32(pointer, true);
  const error = owned(heif._malloc(16), heif._free);
  const found = owned(heif._malloc(8), heif._free);
  const checked = () => {
    const [code, detail] = [word(error), word(error + 4)];
    if (code !== 0) throw refusalOf(code, detail, textAt(heif, word(error + 8)));
  };
  const result = work({ heif, error, found, word, checked, owned });
  for (const free of frees.reverse()) free();
  return result;
}

/** Numbers of enumerations in heif.h. */
const rgb = 1;
const interleaved = { channel: 10, rgb: 10, rgba: 11 } as const;
const errors = { unsupportedFile: 3, unsupportedFeature: 4, noMemory: 6, pluginMissing: 11 } as const;
const details = { noMainImage: 124, tooMuch: 1000 } as const;
/** In heif_decoding_options: whether what is patched up in a damaged file is an error. */
const strictAt = 21;

function mainImage(calls: Calls, file: Uint8Array, check: (width: number, height: number) => void): HeifImage {
  const { heif, error, found, word, checked, owned } = calls;
  const bytes = owned(heif._malloc(file.length), heif._free);
  heif.HEAPU8.set(file, bytes);
  const context = owned(heif._heif_context_alloc(), heif._heif_context_free);
  heif._heif_context_read_from_memory_without_copy(error, context, bytes, file.length, 0);
  checked();
  heif._heif_context_get_primary_image_handle(error, context, found);
  checked();
  const handle = owned(word(found), heif._heif_image_handle_release);
  check(heif._heif_image_handle_get_width(handle), heif._heif_image_handle_get_height(handle));
  refuseHoles(calls, context);
  const icc = profileOf(calls, handle);
  return {
    turned: isTurned(calls, context, handle),
    colourSpace: icc ? 'srgb' : codedColours(calls, handle),
    raster: decoded(calls, handle, icc),
  };
}

const hvc1 = 0x68766331;

/** Decoders fill what is missing in a picture with green or grey, and say nothing. A hole, such as copying that was interrupted leaves, shows
 *  in what HEVC never contains. @throws DamagedFile */
function refuseHoles({ heif, error, found, word, checked, owned }: Calls, context: number): void {
  const count = heif._heif_context_get_number_of_items(context);
  const list = owned(heif._malloc(4 * count), heif._free);
  heif._heif_context_get_list_of_item_IDs(context, list, count);
  for (let i = 0; i < count; i++) {
    const item = word(list + 4 * i);
    if (heif._heif_item_get_item_type(context, item) !== hvc1) continue;
    heif._heif_item_get_item_data(error, context, item, 0, found, found + 4);
    checked();
    const [data, length] = [word(found), word(found + 4)];
    const bytes = Buffer.from(heif.HEAPU8.buffer, data, length);
    if (hasHole(bytes)) throw new DamagedFile(damaged);
    heif._heif_release_item_data(context, found);
  }
}

/** Whether there is anything but whole units, each behind its length, or a unit with two zeros and then less than 3 in it.
 *  @see ITU-T H.265, 7.4.2.1. Lengths have 4 bytes: libheif reads no others */
function hasHole(bytes: Buffer): boolean {
  const [zeros, lengthBytes] = [Buffer.of(0, 0), 4];
  for (let at = 0; at < bytes.length; ) {
    const start = at + lengthBytes;
    const end = start + (start < bytes.length ? bytes.readUInt32BE(at) : 0);
    if (end === start || end > bytes.length) return true;
    const unit = bytes.subarray(start, end);
    for (let zero = unit.indexOf(zeros); zero >= 0; zero = unit.indexOf(zeros, zero + 1))
      if ((unit[zero + 2] ?? 0) < 3) return true;
    at = end;
  }
  return false;
}

/** A colour profile of the ICC. */
function profileOf({ heif, error, checked, owned }: Calls, handle: number): Uint8Array | undefined {
  const length = heif._heif_image_handle_get_raw_color_profile_size(handle);
  if (length === 0) return undefined;
  const profile = owned(heif._malloc(length), heif._free);
  heif._heif_image_handle_get_raw_color_profile(error, handle, profile);
  checked();
  return heif.HEAPU8.slice(profile, profile + length);
}

/** What the file says of its colours by numbers. */
function codedColours({ heif, error, found, word, owned }: Calls, handle: number): 'srgb' | 'p3' {
  heif._heif_image_handle_get_nclx_color_profile(error, handle, found);
  if (word(error) !== 0) return 'srgb'; // it says nothing
  const colours = owned(word(found), heif._heif_nclx_color_profile_free);
  return colourSpaceOf({ primaries: word(colours + 4), transfer: word(colours + 8) });
}

function isTurned({ heif, owned }: Calls, context: number, handle: number): boolean {
  const item = heif._heif_image_handle_get_item_id(handle);
  const most = 16;
  const list = owned(heif._malloc(4 * most), heif._free);
  const count = heif._heif_item_get_transformation_properties(context, item, list, most);
  const properties = new Uint32Array(heif.HEAPU8.slice(list, list + 4 * count).buffer);
  return properties.some(
    (property) =>
      heif._heif_item_get_property_transform_rotation_ccw(context, item, property) > 0 ||
      heif._heif_item_get_property_transform_mirror(context, item, property) >= 0,
  );
}

/** @returns undefined where this library has no decoder for it */
function decoded({ heif, error, found, word, checked, owned }: Calls, handle: number, icc?: Uint8Array): Raster | undefined {
  const channels = heif._heif_image_handle_has_alpha_channel(handle) ? 4 : 3;
  const options = owned(heif._heif_decoding_options_alloc(), heif._heif_decoding_options_free);
  heif.HEAPU8[options + strictAt] = 1;
  heif._heif_decode_image(error, handle, found, rgb, channels === 4 ? interleaved.rgba : interleaved.rgb, options);
  if (word(error) === errors.pluginMissing) return undefined;
  checked();
  const image = owned(word(found), heif._heif_image_release);
  if (heif._heif_image_get_decoding_warnings(image, 0, 0, 0) > 0) throw new DamagedFile(damaged);
  const width = heif._heif_image_get_width(image, interleaved.channel);
  const height = heif._heif_image_get_height(image, interleaved.channel);
  const plane = heif._heif_image_get_plane_readonly(image, interleaved.channel, found);
  const stride = word(found);
  const pixels = new Uint8Array(width * height * channels);
  for (let row = 0; row < height; row++) {
    const from = plane + row * stride;
    pixels.set(heif.HEAPU8.subarray(from, from + width * channels), row * width * channels);
  }
  return { width, height, channels, pixels, isPremultiplied: heif._heif_image_handle_is_premultiplied_alpha(handle) > 0, icc };
}

function textAt({ HEAPU8 }: Heif, pointer: number): string {
  return Buffer.from(HEAPU8.subarray(pointer, HEAPU8.indexOf(0, pointer)))
    .toString()
    .replace(/\s+/g, ' ')
    .trim();
}

function refusalOf(code: number, detail: number, text: string): UserError {
  if (code === errors.noMemory) return new DataError(outOfMemory);
  if (detail === details.noMainImage) return new DataError('a HEIF file without a still image');
  if (detail === details.tooMuch || code === errors.unsupportedFile || code === errors.unsupportedFeature)
    return new DataError(`a HEIF file that can't be decoded (${text}): save it as JPEG`);
  return new DamagedFile(damaged);
}
