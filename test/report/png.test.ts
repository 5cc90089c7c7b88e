import sharp from 'sharp';
import { expect, test } from 'vitest';
import { pngUrl } from '../../src/report/png.ts';

test.each([1, 2, 7, 64])('a square of side %d is a PNG of the same bytes', async (side) => {
  const pixels = Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * 97 + (i >> 3) * 31) % 256);
  const [kind, base64] = pngUrl(pixels, side).split(',');
  expect(kind).toBe('data:image/png;base64');
  const { data, info } = await sharp(Buffer.from(base64!, 'base64')).raw().toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: side, height: side, channels: 3 });
  expect(new Uint8Array(data)).toEqual(pixels);
});
