import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeBmp } from '../../src/data/bmp.ts';
import { decodeImage, inspectImage } from '../../src/data/decode.ts';
import { DamagedFile } from '../../src/data/image-errors.ts';
import { UserError } from '../../src/errors.ts';
import { type BmpShape, bmpOf } from './bmps.ts';
import { picture } from './pictures.ts';

const any = () => {};
const decode = (file: Uint8Array) => decodeBmp(file, any);

/** The RGB, or RGB and alpha, of each pixel. */
function coloursOf({ pixels, channels }: ReturnType<typeof decode>, withAlpha = false): number[][] {
  return Array.from({ length: pixels.length / channels }, (_, i) => [
    ...pixels.subarray(i * channels, i * channels + (withAlpha ? channels : 3)),
  ]);
}

const sides = fc.integer({ min: 1, max: 37 });
const headers = [40, 52, 56, 108, 124];

describe('pixels that are indices', () => {
  const kinds = [
    ...([1, 2, 4, 8] as const).flatMap((bits) =>
      [12, ...headers].map((header) => ({ bits, header, compression: 'none' as const })),
    ),
    ...([4, 8] as const).flatMap((bits) => headers.map((header) => ({ bits, header, compression: 'runs' as const }))),
  ];

  test.each(kinds)('of $bits bits behind a header of $header bytes, compression $compression', (kind) => {
    fc.assert(
      fc.property(sides, sides, fc.boolean(), fc.integer({ min: 0, max: 9 }), fc.integer(), (width, height, up, gap, seed) => {
        const isTopDown = up && kind.header > 12 && kind.compression === 'none';
        const palette = Array.from(
          { length: 2 ** kind.bits },
          (_, i) => [i * 7, i * 11 + 3, 255 - i].map((v) => v & 255) as never,
        );
        // four of index 0, then five of any
        const mixed = (row: number, column: number) => Math.abs(Math.imul(row * 131 + column + 7, seed | 1)) >> 3;
        const at = (row: number, column: number) => (column % 9 < 4 ? 0 : mixed(row, column) % palette.length);
        const shape: BmpShape = { ...kind, width, height, isTopDown, gap, palette };
        const found = decode(bmpOf(shape, at));
        expect([found.width, found.height, found.channels]).toEqual([width, height, 3]);
        const wanted = Array.from({ length: width * height }, (_, i) => palette[at(Math.floor(i / width), i % width)]);
        expect(coloursOf(found)).toEqual(wanted);
      }),
      { numRuns: 15 },
    );
  });

  test('runs may skip rows and columns: what is left out has index 0', () => {
    const palette = [
      [9, 9, 9],
      [4, 5, 6],
    ] as const;
    const shape: BmpShape = { width: 8, height: 8, bits: 8, compression: 'runs', palette };
    const whole = bmpOf(shape, () => 1);
    const runs = Buffer.of(2, 1, 0, 2, 3, 2, 1, 1, 0, 1); // two pixels; 3 to the right and 2 up; one pixel; the end
    const found = coloursOf(decode(Buffer.concat([whole.subarray(0, whole.readUInt32LE(10)), runs])));
    const set = found.flatMap((colour, i) => (colour[0] === 4 ? [i] : []));
    expect(set).toEqual([5 * 8 + 5, 7 * 8, 7 * 8 + 1]);
  });

  test('a palette may have fewer colours than there are indices; one that is not in it is damage', () => {
    const palette = [
      [1, 2, 3],
      [4, 5, 6],
    ] as const;
    const shape: BmpShape = { width: 9, height: 8, bits: 8, palette };
    expect(coloursOf(decode(bmpOf(shape, (row) => row % 2)))[9]).toEqual([4, 5, 6]);
    expect(() => decode(bmpOf(shape, () => 2))).toThrow(DamagedFile);
  });
});

describe('pixels that are colours', () => {
  /** What channels of some bits come to. */
  const scaled = (value: number, bits: number) => Math.round((value * 255) / (2 ** bits - 1));
  const masks: [name: string, bits: 16 | 24 | 32, masks: BmpShape['masks'], channelBits: number[]][] = [
    ['5-5-5', 16, undefined, [5, 5, 5]],
    ['5-6-5', 16, [0xf800, 0x07e0, 0x001f, 0], [5, 6, 5]],
    ['4-4-4-4', 16, [0x0f00, 0x00f0, 0x000f, 0xf000], [4, 4, 4, 4]],
    ['8-8-8', 24, undefined, [8, 8, 8]],
    ['8-8-8 in 32', 32, undefined, [8, 8, 8]],
    ['8-8-8-8, red first', 32, [0x000000ff, 0x0000ff00, 0x00ff0000, 0xff000000], [8, 8, 8, 8]],
    ['10-10-10', 32, [0x3ff00000, 0x000ffc00, 0x000003ff, 0], [10, 10, 10]],
    ['11-11-10', 32, [0xffe00000, 0x001ffc00, 0x000003ff, 0], [11, 11, 10]],
  ];
  const usual: Record<number, BmpShape['masks']> = {
    16: [0x7c00, 0x3e0, 0x1f, 0],
    24: [0xff0000, 0xff00, 0xff, 0],
    32: [0xff0000, 0xff00, 0xff, 0],
  };

  test.each(masks)('%s', (_, bits, given, channelBits) => {
    const used = given ?? usual[bits]!;
    const hasAlpha = used[3] !== 0;
    const compression = given === undefined ? 'none' : 'masks';
    for (const header of given === undefined
      ? [12, ...headers].filter((h) => h > 12 || bits === 24)
      : hasAlpha
        ? [56, 108, 124]
        : headers) {
      fc.assert(
        fc.property(sides, sides, fc.boolean(), fc.integer(), (width, height, up, seed) => {
          const isTopDown = up && header > 12;
          const valuesAt = (row: number, column: number) =>
            channelBits.map((channel, c) => Math.abs(Math.imul(seed + c, 2654435) + row * 977 + column * 331) % 2 ** channel);
          const pixelAt = (row: number, column: number) =>
            valuesAt(row, column).reduce((sum, value, c) => sum + value * (used[c]! & -used[c]!) * (used[c]! > 0 ? 1 : 0), 0);
          const stored = (row: number, column: number) =>
            pixelAt(row, column) + (bits === 32 && !hasAlpha && given === undefined ? 0x5a * 2 ** 24 : 0);
          const shape: BmpShape = { width, height, bits, header, isTopDown, compression, ...(given && { masks: given }) };
          const found = coloursOf(decode(bmpOf(shape, (row, column) => Math.abs(stored(row, column)))), true);
          for (let i = 0; i < width * height; i++) {
            const wanted = valuesAt(Math.floor(i / width), i % width).map((value, c) => scaled(value, channelBits[c]!));
            expect(found[i]).toEqual(hasAlpha ? wanted : [...wanted, 255]);
          }
        }),
        { numRuns: 8 },
      );
    }
  });

  test('an alpha that is 0 everywhere is none', () => {
    const shape: BmpShape = {
      width: 8,
      height: 8,
      bits: 32,
      header: 124,
      compression: 'masks',
      masks: [0xff0000, 0xff00, 0xff, 0xff000000],
    };
    expect(coloursOf(decode(bmpOf(shape, () => 0x00102030)), true)[5]).toEqual([0x10, 0x20, 0x30, 255]);
    const one = bmpOf(shape, (row, column) => 0x00102030 + (row + column === 0 ? 0x80000000 : 0));
    expect(coloursOf(decode(one), true).slice(0, 2)).toEqual([
      [0x10, 0x20, 0x30, 128],
      [0x10, 0x20, 0x30, 0],
    ]);
  });

  test('masks behind a header of 40 bytes, alpha among them', () => {
    const shape: BmpShape = {
      width: 8,
      height: 8,
      bits: 32,
      compression: 'masksWithAlpha',
      masks: [0xff, 0xff00, 0xff0000, 0xff000000],
    };
    expect(coloursOf(decode(bmpOf(shape, () => 0x80302010)), true)[0]).toEqual([0x10, 0x20, 0x30, 128]);
  });
});

describe('what is wrong', () => {
  const shape: BmpShape = { width: 16, height: 16, bits: 24 };
  const sound = bmpOf(shape, () => 0x123456);
  const runs: BmpShape = {
    width: 16,
    height: 16,
    bits: 8,
    compression: 'runs',
    palette: [
      [1, 2, 3],
      [4, 5, 6],
    ],
  };

  test('a file that is cut off anywhere', () => {
    for (const whole of [sound, bmpOf(runs, (row) => row % 2), bmpOf({ ...runs, compression: 'none' }, (row) => row % 2)]) {
      for (let length = 14; length < whole.length - 4; length++)
        expect(() => decode(whole.subarray(0, length)), `${length} of ${whole.length}`).toThrow(DamagedFile);
    }
  });

  test('a file that lacks what fills up its last row is whole', () => {
    const file = bmpOf({ width: 9, height: 8, bits: 24, isTopDown: true }, () => 0x123456); // a byte more in each row
    expect(coloursOf(decode(file.subarray(0, file.length - 1)))[71]).toEqual([0x12, 0x34, 0x56]);
  });

  test.each<[string, BmpShape['claims'], RegExp]>([
    ['no width', { width: 0 }, /damaged/],
    ['no height', { height: 0 }, /damaged/],
    ['a width below 0', { width: -5 }, /damaged/],
    ['more rows than there are', { height: 17 }, /cut off/],
    ['pixels within its header', { pixelsAt: 20 }, /damaged/],
    ['pixels behind its end', { pixelsAt: 4_000_000_000 }, /cut off/],
    ['JPEG within', { compression: 4 }, /a BMP of 24 bits and compression 4, which nn can't decode: save it as PNG/],
    ['64 bits', { bits: 64 }, /a BMP of 64 bits/],
    ['3 bits', { bits: 3 }, /a BMP of 3 bits/],
  ])('%s', (_, claims, reason) => {
    expect(() => decode(bmpOf({ ...shape, ...(claims && { claims }) }, () => 1))).toThrow(reason);
  });

  test('runs beyond the end of a row', () => {
    const file = bmpOf(runs, () => 1);
    const at = file.length - (16 * 4 + 2); // 16 rows of a run and an end
    file[at] = 17;
    expect(() => decode(file)).toThrow(/more pixels than its size/);
  });

  test('what it claims is checked before memory is taken', async () => {
    const huge = bmpOf({ ...shape, claims: { width: 30_000, height: 30_000 } }, () => 1);
    await expect(decodeImage(huge, { imageSize: 8, fit: 'cover' })).rejects.toThrow('more than 268,402,689 pixels');
    const small = bmpOf({ width: 16, height: 7, bits: 24 }, () => 1);
    await expect(decodeImage(small, { imageSize: 8, fit: 'cover' })).rejects.toThrow(
      '16×7 pixels: a side is below the minimum of 8',
    );
  });

  test('any bytes are read or refused', () => {
    const files = [sound, bmpOf(runs, (row) => row % 2), bmpOf({ ...runs, bits: 4 }, (row) => row % 2)];
    fc.assert(
      fc.property(fc.nat(2), fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 6 }), (which, changes) => {
        const file = Buffer.from(files[which]!);
        for (const [at, value] of changes) file[at] = value;
        const check = (width: number, height: number) => {
          if (width * height > 1e5) throw new UserError('data', 'too large for a test');
        };
        try {
          decodeBmp(file, check);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

test('a BMP of so many pixels that it is decoded alone is the same picture, also among others', async () => {
  const palette = [
    [10, 20, 30],
    [200, 100, 50],
  ] as const;
  const row = bmpOf({ width: 6000, height: 1, bits: 1, palette }, () => 1);
  const large = Buffer.concat([row, ...Array(5999).fill(row.subarray(row.readUInt32LE(10)))]);
  large.writeInt32LE(6000, 22);
  const small = bmpOf({ width: 8, height: 8, bits: 1, palette }, () => 0);
  const files = [small, large, small, large];
  const found = await Promise.all(files.map((file) => decodeImage(file, { imageSize: 8, fit: 'cover' })));
  for (const [i, pixels] of found.entries()) expect([...pixels.subarray(0, 3)]).toEqual([...palette[i % 2]!]);
});

test('a BMP is decoded like the same picture as PNG, and its profile counts', async () => {
  const colourAt = (row: number, column: number) => [row * 10, column * 10, 77] as const;
  const file = bmpOf({ width: 16, height: 16, bits: 24 }, (row, column) => row * 10 * 65536 + column * 10 * 256 + 77);
  const png = await picture(16, 16, colourAt).png().toBuffer();
  const preprocessing = { imageSize: 16, fit: 'cover' } as const;
  expect(Buffer.from(await decodeImage(file, preprocessing))).toEqual(Buffer.from(await decodeImage(png, preprocessing)));
  const { small: _, ...facts } = await inspectImage({ file }, 8);
  expect(facts).toEqual({ width: 16, height: 16, format: 'bmp', turned: false, bytes: file.length });
  const p3 = await picture(16, 16, () => [200, 50, 50])
    .withIccProfile('p3')
    .png()
    .toBuffer();
  const stored = [...(await sharp(p3, { ignoreIcc: true }).raw().toBuffer()).subarray(0, 3)];
  const { icc } = await sharp(p3).metadata();
  const [red, green, blue] = stored as [number, number, number];
  const tagged = bmpOf({ width: 16, height: 16, bits: 24, header: 124, icc: icc! }, () => red * 65536 + green * 256 + blue);
  for (const [c, value] of [200, 50, 50].entries())
    expect(Math.abs((await decodeImage(tagged, preprocessing))[c]! - value)).toBeLessThanOrEqual(2);
});
