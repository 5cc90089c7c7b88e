import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeImage } from '../../src/data/decode.ts';
import { drawImage, renderImage } from '../../src/data/drawn/draw.ts';
import { type Fit, fits } from '../../src/data/image.ts';
import { type RowSource, squareOf } from '../../src/page/resize.ts';
import { someOf } from '../thorough.ts';

/** Squares that the page makes are those that nn makes of the same file, but for what decoders of JPEG and WebP round on the way. */

const large = 640;
const drawn = await renderImage(drawImage({ seed: 3, index: 1, difficulty: 'hard' }), { imageSize: large, fit: 'fill' });
const picture = (width: number, height: number) =>
  sharp(drawn, { raw: { width: large, height: large, channels: 3 } }).resize(width, height, { fit: 'fill' });
/** Lossless, so that what a test holds against each other is the resizing. */
const files = {
  png: (width: number, height: number) => picture(width, height).png().toBuffer(),
  jpeg: (width: number, height: number) => picture(width, height).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer(),
  webp: (width: number, height: number) => picture(width, height).webp({ lossless: true }).toBuffer(),
};

/** All rows of a file, as a browser has them. */
async function decoded(file: Buffer): Promise<RowSource> {
  const { data, info } = await sharp(file).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const line = info.width * 4;
  const rows = (first: number, count: number) => new Uint8Array(data.subarray(first * line, (first + count) * line));
  return { width: info.width, height: info.height, step: 4, rows };
}

/** Mean and largest |difference| of bytes from those of nn. */
async function differences(format: keyof typeof files, size: readonly [number, number], imageSize: number, fit: Fit) {
  const file = await files[format](...size);
  const expected = await decodeImage(new Uint8Array(file), { imageSize, fit });
  const found = squareOf(await decoded(file), format, { imageSize, fit });
  expect(found).toHaveLength(expected.length);
  const each = Array.from(found, (byte, i) => Math.abs(byte - expected[i]!));
  return { mean: each.reduce((sum, one) => sum + one, 0) / each.length, largest: each.reduce((a, b) => Math.max(a, b), 0) };
}

/** Halves and eighths, blocks of odd and even length, sides that no block divides, hardly smaller, the same. */
const smaller = [
  [64, 64],
  [65, 80],
  [128, 96],
  [203, 150],
  [401, 655],
  [640, 333],
  [1201, 901],
  [1504, 70],
] as const;

describe.each(Object.keys(fits) as Fit[])('%s', (fit) => {
  test.each(someOf(smaller))('a PNG of %d × %d becomes the same bytes, of which a few are rounded otherwise', async (...size) => {
    const { mean, largest } = await differences('png', size, 64, fit);
    expect(mean).toBeLessThan(0.02);
    expect(largest).toBeLessThanOrEqual(1);
  });

  test.each(someOf(smaller))('a JPEG of %d × %d becomes nearly the same', async (...size) => {
    expect((await differences('jpeg', size, 64, fit)).mean).toBeLessThan(0.6);
  });

  test.each(someOf(smaller))('a WebP of %d × %d too', async (...size) => {
    expect((await differences('webp', size, 64, fit)).mean).toBeLessThan(0.6);
  });
});

test.each([
  ['cover', 40, 30],
  ['contain', 40, 30],
  ['fill', 40, 90],
] as const)('%s: of %d × %d pixels, it is made larger as nn does', async (fit, width, height) => {
  expect((await differences('png', [width, height], 64, fit)).mean).toBeLessThan(0.6);
});

test('rows are asked for in order and few at a time, whatever the picture', () => {
  const [width, height] = [4000, 3000];
  let [before, most] = [0, 0];
  const rows = (first: number, count: number) => {
    if (count > 0) {
      expect(first).toBeGreaterThanOrEqual(before);
      [before, most] = [first, Math.max(most, count)];
    }
    return new Uint8ClampedArray(count * width * 4).fill(100);
  };
  const square = squareOf({ width, height, step: 4, rows }, 'jpeg', { imageSize: 16, fit: 'cover' });
  expect(new Set(square)).toEqual(new Set([100]));
  expect(most * width * 4).toBeLessThanOrEqual(2 ** 23);
});
