import { DataError } from '../errors.ts';
import { DamagedFile } from './image-errors.ts';
import type { Raster } from './tiff.ts';

/** Windows bitmaps. sharp reads none, and the libraries that do get some of their kinds wrong without a word
 *  (docs/decisions/0031-bmp.md).
 *  @see Microsoft, BITMAPINFOHEADER and BITMAPV5HEADER; for what is unclear there, how browsers read bmpsuite */

/** How pixels are stored (biCompression). */
const compressions = { none: 0, runs8: 1, runs4: 2, masks: 3, masksWithAlpha: 6 } as const;

interface Header {
  width: number;
  height: number;
  /** the first row is the upper one */
  isTopDown: boolean;
  bits: number;
  compression: number;
  /** where the palette begins, and how many bytes each of its colours has */
  paletteAt: number;
  paletteStep: 3 | 4;
  colours: number;
  pixelsAt: number;
  masks: Masks | undefined;
  icc: Uint8Array | undefined;
}

/** Which bits of a pixel are which channel; 0 where there is none. */
type Masks = readonly [red: number, green: number, blue: number, alpha: number];

/** @param check  refuses a size, before memory is taken for it
 *  @throws DamagedFile; UserError (data) for what is never met outside of test suites */
export function decodeBmp(file: Uint8Array, check: (width: number, height: number) => void): Raster {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  try {
    const header = readHeader(bytes);
    check(header.width, header.height);
    const { width, height, icc } = header;
    return { width, height, ...(header.bits <= 8 ? indexedPixels(bytes, header) : directPixels(bytes, header)), icc };
  } catch (error) {
    if (error instanceof RangeError) throw new DamagedFile('the file is cut off or damaged', error); // read beyond its end
    throw error;
  }
}

const masks555: Masks = [0x7c00, 0x03e0, 0x001f, 0];
const masks888: Masks = [0xff0000, 0x00ff00, 0x0000ff, 0];
const fileHeaderBytes = 14;
const embeddedProfile = 0x4d424544;

function readHeader(bytes: Buffer): Header {
  const at = fileHeaderBytes;
  const size = bytes.readUInt32LE(at);
  const end = at + size;
  const isOld = size === 12; // of OS/2 1: 16 bits for width and height, 3 bytes a colour
  const width = isOld ? bytes.readUInt16LE(at + 4) : bytes.readInt32LE(at + 4);
  const rows = isOld ? bytes.readUInt16LE(at + 6) : bytes.readInt32LE(at + 8);
  const bits = bytes.readUInt16LE(at + (isOld ? 10 : 14));
  const field = (offset: number) => (size >= offset + 4 ? bytes.readUInt32LE(at + offset) : 0);
  const compression = field(16);
  const isOs2 = isOld || size === 16 || size === 64; // the same numbers mean other compressions there
  const pixelsAt = bytes.readUInt32LE(10);
  if (width <= 0 || rows === 0 || pixelsAt < end) throw new DamagedFile('the file is cut off or damaged');
  refuseKind(bits, compression, isOs2);
  const hasMasks = compression === compressions.masks || compression === compressions.masksWithAlpha;
  const alphaMask = size >= 56 || compression === compressions.masksWithAlpha ? bytes.readUInt32LE(at + 52) : 0;
  const [red, green, blue] = [40, 44, 48].map((offset) => (hasMasks ? bytes.readUInt32LE(at + offset) : 0));
  const masksAt = hasMasks && size === 40 ? (compression === compressions.masks ? 12 : 16) : 0; // behind the header there
  const profileAt = at + field(112);
  return {
    width,
    height: Math.abs(rows),
    isTopDown: rows < 0,
    bits,
    compression,
    paletteAt: end + masksAt,
    paletteStep: isOld ? 3 : 4,
    colours: Math.min(field(32) || 2 ** Math.min(bits, 8), 256),
    pixelsAt,
    masks: hasMasks ? [red!, green!, blue!, alphaMask] : bits === 16 ? masks555 : bits >= 24 ? masks888 : undefined,
    icc: size >= 124 && field(56) === embeddedProfile ? bytes.subarray(profileAt, profileAt + field(116)) : undefined,
  };
}

/** @throws UserError (data) */
function refuseKind(bits: number, compression: number, isOs2: boolean): void {
  const { none, runs8, runs4, masks, masksWithAlpha } = compressions;
  const known: Record<number, number[]> = {
    1: [none],
    2: [none],
    4: [none, runs4],
    8: [none, runs8],
    16: [none, masks, masksWithAlpha],
    24: [none],
    32: [none, masks, masksWithAlpha],
  };
  const isKnown = known[bits]?.includes(compression) && !(isOs2 && compression > runs4);
  if (!isKnown)
    throw new DataError(`a BMP of ${bits} bits and compression ${compression}, which nn can't decode: save it as PNG`);
}

type Decoded = Pick<Raster, 'channels' | 'pixels'>;

/** Pixels that are indices into a palette. */
function indexedPixels(bytes: Buffer, header: Header): Decoded {
  const { width, height, compression, paletteAt, paletteStep, colours } = header;
  const indices = compression === compressions.none ? plainIndices(bytes, header) : runIndices(bytes, header);
  const pixels = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = rowOf(row, header) * width;
    for (let column = 0; column < width; column++) {
      const index = indices[from + column]!;
      if (index >= colours) throw new DamagedFile('the file is damaged: a pixel has no colour in the palette');
      const colour = paletteAt + index * paletteStep;
      const to = (row * width + column) * 3;
      pixels[to] = bytes.readUInt8(colour + 2);
      pixels[to + 1] = bytes.readUInt8(colour + 1);
      pixels[to + 2] = bytes.readUInt8(colour);
    }
  }
  return { channels: 3, pixels };
}

/** Where a row of the image stands among the stored ones. */
const rowOf = (row: number, { height, isTopDown }: Header) => (isTopDown ? row : height - 1 - row);

/** Rows begin at multiples of 4 bytes. The last one may lack what is behind its pixels. */
const strideOf = ({ width, bits }: Header) => Math.ceil((width * bits) / 32) * 4;

/** [height, width], in the order of the file */
function plainIndices(bytes: Buffer, header: Header): Uint8Array {
  const { width, height, bits, pixelsAt } = header;
  const out = new Uint8Array(width * height);
  const [stride, mask] = [strideOf(header), 2 ** bits - 1];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const bit = column * bits;
      const byte = bytes.readUInt8(pixelsAt + row * stride + (bit >> 3));
      out[row * width + column] = (byte >> (8 - bits - (bit & 7))) & mask;
    }
  }
  return out;
}

/** Runs: a count and what is repeated, or 0 and 0: the row ends, 1: the image ends, 2: what follows is skipped, n: n pixels one by
 *  one. What is left out has index 0. [height, width], in the order of the file */
function runIndices(bytes: Buffer, { width, height, bits, pixelsAt }: Header): Uint8Array {
  const out = new Uint8Array(width * height);
  let [at, row, column] = [pixelsAt, 0, 0];
  const next = () => bytes.readUInt8(at++);
  const put = (index: number) => {
    if (row >= height || column >= width) throw new DamagedFile('the file is damaged: more pixels than its size');
    out[row * width + column++] = index;
  };
  /** the pixel k of some that stand in bytes */
  const half = (byte: number, k: number) => (bits === 8 ? byte : k % 2 === 0 ? byte >> 4 : byte & 15);
  while (row < height) {
    const count = next();
    const value = next();
    if (count > 0) for (let k = 0; k < count; k++) put(half(value, k));
    else if (value === 0) [row, column] = [row + 1, 0];
    else if (value === 1) return out;
    else if (value === 2) [column, row] = [column + next(), row + next()];
    else {
      const length = Math.ceil((value * bits) / 8);
      for (let k = 0; k < value; k++) put(half(bytes.readUInt8(at + ((k * bits) >> 3)), k));
      at += length + (length % 2);
    }
  }
  return out;
}

/** Pixels that are colours. An alpha that is 0 everywhere is none: programs leave that byte empty. */
function directPixels(bytes: Buffer, header: Header): Decoded {
  const { width, height, bits, pixelsAt, masks } = header;
  const channels = masks!.map(channelOf);
  const [stride, step] = [strideOf(header), bits / 8];
  const read = bits === 16 ? bytes.readUInt16LE : bits === 24 ? readUInt24LE : bytes.readUInt32LE;
  const pixels = new Uint8Array(width * height * 4);
  let isSeen = false;
  for (let row = 0; row < height; row++) {
    const from = pixelsAt + rowOf(row, header) * stride;
    for (let column = 0; column < width; column++) {
      const pixel = read.call(bytes, from + column * step);
      const to = (row * width + column) * 4;
      for (let c = 0; c < 4; c++) pixels[to + c] = channels[c]!(pixel);
      isSeen ||= pixels[to + 3] !== 0;
    }
  }
  if (!isSeen) for (let k = 3; k < pixels.length; k += 4) pixels[k] = 255;
  return { channels: 4, pixels };
}

function readUInt24LE(this: Buffer, at: number): number {
  return this.readUIntLE(at, 3);
}

/** A channel's bits brought to 0 to 255. */
function channelOf(mask: number): (pixel: number) => number {
  if (mask === 0) return () => 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const most = mask >>> shift;
  return (pixel) => Math.round((((pixel & mask) >>> shift) * 255) / most);
}
