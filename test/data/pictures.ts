import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import type { Augmentation } from '../../src/data/augment.ts';

/** Picture files made for the tests. */

export type Rgb = readonly [red: number, green: number, blue: number];

/** RGB bytes, row after row, from a colour for each place. */
export function painted(width: number, height: number, colour: (row: number, column: number) => Rgb): Uint8Array {
  const bytes = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) bytes.set(colour(row, column), (row * width + column) * 3);
  }
  return bytes;
}

/** sharp, over RGB bytes. */
export function picture(width: number, height: number, colour: (row: number, column: number) => Rgb) {
  return sharp(painted(width, height, colour), { raw: { width, height, channels: 3 } });
}

/** A PNG file of one colour. */
export function solidPng(colour: Rgb, side = 16): Promise<Buffer> {
  return picture(side, side, () => colour)
    .png()
    .toBuffer();
}

/** A JPEG with enough detail that half of its bytes are not the whole picture. */
export function busyJpeg(side = 64): Promise<Buffer> {
  return picture(side, side, (row, column) => [(row * 37 + column * 91) % 256, (row * column) % 256, (row * 5) % 256])
    .jpeg()
    .toBuffer();
}

/** A sound PNG header for any size, and next to no pixels: whoever believes the header allocates width · height · 3. */
export function pngBomb(width = 30_000, height = 30_000): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8); // bits a channel, RGB
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.alloc(100))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Grey of any depth, a value for each row. */
export function greyPng(side: number, bits: number, valueAt: (row: number) => number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([bits, 0], 8);
  const rows = Array.from({ length: side }, (_, row) => {
    const bytes = Math.ceil((side * bits) / 8);
    const value = valueAt(row);
    const repeated = bits === 16 ? [value >> 8, value & 255] : [(255 / (2 ** bits - 1)) * value];
    return Buffer.concat([Buffer.of(0), Buffer.alloc(bytes, Buffer.from(repeated))]);
  });
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.concat(rows))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A PNG with one more chunk, right behind its header. */
export function withPngChunk(png: Buffer, type: string, data: Buffer): Buffer {
  const at = 33;
  return Buffer.concat([png.subarray(0, at), pngChunk(type, data), png.subarray(at)]);
}

/** A value over white. */
export const alphaOf = (value: number, alpha: number): number => value * alpha + 1 - alpha;

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(data.length, 0);
  numbers.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([numbers.subarray(0, 4), body, numbers.subarray(4)]);
}

export const noAugmentation: Augmentation = {
  flipHorizontal: false,
  flipVertical: false,
  noise: 0,
  shift: 0,
  zoom: 0,
  rotate: 0,
  brightness: 0,
  contrast: 0,
  aspect: 0,
  saturation: 0,
  tint: 0,
};
