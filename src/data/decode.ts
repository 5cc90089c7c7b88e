import { readFile } from 'node:fs/promises';
import { scheduleDecoding } from './decode-turns.ts';
import {
  type EncodedImage,
  type ImageInfo,
  type OpenedImage,
  type Operations,
  openImage,
  operations,
  type Preprocessing,
  rawImage,
} from './image.ts';
import { imageError } from './image-errors.ts';
import { formatOf, isDecodedHere } from './image-formats.ts';

/**
 * Decodes an image to RGB bytes: index = (row · size + column) · 3 + channel.
 * Oriented as it is meant to be seen, first frame only, alpha flattened on white, every colour space brought to 8-bit sRGB.
 * @param input  a path, or the bytes of a file in any format of `imageFormats`
 * @returns imageSize · imageSize · 3 bytes
 * @throws UserError (data) with the reason alone; the caller knows the image's name. A DamagedFile where the file is damaged
 */
export async function decodeImage(input: string | Uint8Array, preprocessing: Preprocessing): Promise<Uint8Array> {
  // bytes alone: by its path, an SVG could make the renderer read other files beside it
  const bytes = typeof input === 'string' ? await readBytes(input) : input;
  return decodeUntrusted('decode', bytes, preprocessing);
}

async function readBytes(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error) => {
    throw imageError(error, new Uint8Array(0));
  });
}

/** The same in this process, for what is known to be no trap. */
export function decodeHere(bytes: Uint8Array, preprocessing: Preprocessing): Promise<Uint8Array> {
  return scheduleDecoding(async (isAlone) => operations.decode(await openImage(bytes, isAlone), preprocessing));
}

/** Decodes here what takes no longer than its bytes and pixels, by its first bytes and by what sharp says it is; all else in a
 *  process that can be ended. @throws UserError (data) */
async function decodeUntrusted<Use extends keyof Operations>(
  use: Use,
  bytes: Uint8Array,
  how: Parameters<Operations[Use]>[1],
): Promise<Awaited<ReturnType<Operations[Use]>>> {
  try {
    return await scheduleDecoding(async (isAlone) => {
      const opened = formatOf(bytes)?.here ? await openImage(bytes, isAlone) : undefined;
      if (isDecodedHere(opened?.format))
        return await (operations[use] as (opened: OpenedImage, how: unknown) => never)(opened!, how);
      return (await import('./decoding-process.ts')).decodeApart(use, bytes, how, isAlone);
    });
  } catch (error) {
    throw imageError(error, bytes);
  }
}

/** Looks at a whole original: nothing is cut off or enlarged.
 *  @param side  the longer side of the small picture is this at most
 *  @throws UserError (data) with the reason, where decodeImage throws it too */
export async function inspectImage(encoded: EncodedImage, side: number): Promise<ImageInfo> {
  if ('file' in encoded) return decodeUntrusted('inspect', encoded.file, side);
  const { pixels, width, height } = encoded;
  const facts = { width, height, format: 'pixels', turned: false, bytes: pixels.length };
  return operations.inspect({ image: rawImage(encoded), ...facts }, side);
}
