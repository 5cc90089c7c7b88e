import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeImage } from '../../src/data/decode.ts';
import { refuseSamples } from '../../src/data/tiff.ts';
import { UserError } from '../../src/errors.ts';
import { alphaOf, greyPng, picture, type Rgb, withPngChunk } from './pictures.ts';
import { photometrics, type sampleFormats, type TiffShape, tiffOf } from './tiffs.ts';

/** Every type of sample that TIFF knows, and those of other formats: decoded as it is meant, or refused with its type. */

const side = 16;
const decode = (file: Uint8Array) => decodeImage(file, { imageSize: side, fit: 'cover' });

/** Parts of the whole range: the first sample grows down, the second to the right, the third stays. */
const share = (row: number, column: number, sample: number) => [row / (side - 1), column / (side - 1), 0.4, 0.8][sample]!;
const sampleBits = [1, 2, 4, 6, 8, 10, 12, 14, 16, 24, 32, 64];
const bitsOf: Record<keyof typeof sampleFormats, number[]> = {
  unsigned: sampleBits,
  signed: [8, 16, 32, 64],
  float: [16, 32, 64],
  complexInteger: [16, 32, 64],
  complexFloat: [64, 128],
};
const colourSamples: Record<keyof typeof photometrics, number> = {
  whiteIsZero: 1,
  blackIsZero: 1,
  rgb: 3,
  palette: 1,
  mask: 1,
  cmyk: 4,
  ycbcr: 3,
  lab: 3,
  iccLab: 3,
};
/** Each more sample: none, alpha (multiplied in or not), something else. */
const extras = [[], [2], [1], [0]];

type Shape = Required<Pick<TiffShape, 'bits' | 'format' | 'photometric' | 'extra' | 'planar' | 'bigEndian'>>;
const shapes: Shape[] = Object.keys(photometrics).flatMap((photometric) =>
  Object.entries(bitsOf).flatMap(([format, allBits]) =>
    allBits.flatMap((bits) =>
      extras.flatMap((extra) =>
        [false, true].flatMap((planar) =>
          [false, true].map((bigEndian) => ({ bits, format, photometric, extra, planar, bigEndian }) as Shape),
        ),
      ),
    ),
  ),
);

const most = ({ bits, format }: Shape) =>
  ({
    unsigned: 2 ** bits - 1,
    signed: 2 ** (bits - 1) - 1,
    float: 1,
    complexInteger: 2 ** (bits / 2 - 1) - 1,
    complexFloat: 1,
  })[format];

const paletteOf = (bits: number) => Array.from({ length: 2 ** bits }, (_, i) => paletteColour(i, 2 ** bits - 1));
const paletteColour = (index: number, last: number) =>
  [0x0100 + Math.round((index / last) * 0xfe00), 0xffff - Math.round((index / last) * 0xff00), 0x4000] as const;

function fileOf(shape: Shape): Buffer {
  const { photometric, extra, bits, format } = shape;
  const samples = colourSamples[photometric] + extra.length;
  const whole = most(shape);
  const rounded = format.includes('loat') ? (value: number) => value : Math.round;
  const palette = photometric === 'palette' && isRead(shape) ? { palette: paletteOf(bits) } : {};
  const plain = photometric === 'ycbcr' ? { tags: { 530: [1, 1] } } : {};
  return tiffOf({ ...shape, width: side, height: side, samples, ...palette, ...plain }, (row, column, sample) =>
    rounded(share(row, column, isAlpha(shape, sample) ? 1 : Math.min(sample, 3)) * whole),
  );
}

const isAlpha = ({ photometric }: Shape, sample: number) => sample >= colourSamples[photometric];

/** What a pixel is on white, by what TIFF says of its samples: [0, 255] each. */
function meant(shape: Shape, row: number, column: number): Rgb {
  const { photometric, extra, bits } = shape;
  const whole = 2 ** bits - 1;
  const stored = (sample: number) => Math.round(share(row, column, sample) * whole) / whole;
  const alpha = extra.length > 0 ? stored(1) : 1;
  const colour = (value: number) => 255 * (extra[0] === 1 ? Math.min(1, value + 1 - alpha) : alphaOf(value, alpha));
  if (photometric === 'rgb') return [colour(stored(0)), colour(stored(1)), colour(stored(2))];
  if (photometric === 'palette') {
    const [red, green, blue] = paletteColour(Math.round(share(row, column, 0) * whole), whole);
    return [red / 257, green / 257, blue / 257];
  }
  const grey = colour(photometric === 'whiteIsZero' ? 1 - stored(0) : stored(0));
  return [grey, grey, grey];
}

const title = ({ photometric, bits, format, extra, planar, bigEndian }: Shape) =>
  `${photometric} ${format} ${bits}${extra.length > 0 ? ` with a sample of kind ${extra}` : ''}${planar ? ' in planes' : ''}${bigEndian ? ', Motorola' : ''}`;

/** Which are decoded, of those whose meaning is a formula here. */
const isRead = ({ photometric, bits, format, extra, planar }: Shape) => {
  if (format !== 'unsigned' || extra[0] === 0) return false;
  const hasAlpha = extra.length > 0;
  if (photometric === 'rgb') return bits === 8 || bits === 16;
  if (photometric === 'palette') return [1, 2, 4, 8, 16].includes(bits) && !hasAlpha && (!planar || bits >= 8);
  if (photometric !== 'whiteIsZero' && photometric !== 'blackIsZero') return false;
  return bits === 8 || bits === 16 ? !(hasAlpha && planar) : [1, 2, 4].includes(bits) && !hasAlpha && !planar;
};

describe('TIFF', () => {
  const read = shapes.filter(isRead);
  const refused = shapes.filter(
    (shape) =>
      !shape.bigEndian && !isRead(shape) && !(['cmyk', 'lab'].includes(shape.photometric) && [8, 16].includes(shape.bits)),
  );

  test(`${read.length} types of samples are decoded as they are meant`, async () => {
    expect(read.length).toBeGreaterThan(50);
    for (const shape of read) {
      const pixels = await decode(fileOf(shape));
      let worst = 0;
      for (let row = 0; row < side; row++) {
        for (let column = 0; column < side; column++) {
          const wanted = meant(shape, row, column);
          for (let c = 0; c < 3; c++) worst = Math.max(worst, Math.abs(pixels[(row * side + column) * 3 + c]! - wanted[c]!));
        }
      }
      // what is all but clear keeps little of a colour that alpha was multiplied into
      expect(worst, title(shape)).toBeLessThanOrEqual(shape.extra.length > 0 ? 3 : 1);
    }
  });

  test(`${refused.length} others are refused, each with its type and what to do`, async () => {
    expect(refused.length).toBeGreaterThan(1000);
    for (const [i, shape] of refused.entries()) {
      const file = fileOf(shape);
      // their tags alone decide; that decoding asks for them is seen by some
      const refuse = i % 10 === 0 ? () => decode(file) : async () => refuseSamples(file);
      const error = await refuse().catch((found: unknown) => found);
      expect(error, title(shape)).toBeInstanceOf(UserError);
      expect((error as UserError).message, title(shape)).toMatch(
        /^TIFF samples of \d+ bits, .*: save it as grey or RGB of 8 or 16 bits/,
      );
    }
  });

  test('a refusal says what the samples are', async () => {
    const told = async (shape: Partial<Shape>) =>
      decode(
        fileOf({ bits: 8, format: 'unsigned', photometric: 'rgb', extra: [], planar: false, bigEndian: false, ...shape }),
      ).catch(({ message }: Error) => message);
    expect(await told({ bits: 32, format: 'float' })).toMatch(
      /^TIFF samples of 32 bits, floating point, RGB, which nn can't show/,
    );
    expect(await told({ bits: 16, format: 'signed', photometric: 'blackIsZero' })).toMatch(/of 16 bits, signed, grey, which/);
    expect(await told({ extra: [0] })).toMatch(/of 8 bits, unsigned, RGB, and one more of no stated meaning, which/);
    expect(await told({ bits: 12 })).toMatch(/of 12 bits, unsigned, RGB, which/);
  });

  test.each([8, 16])('CMYK of %i bits, chunky and in planes: white, black and the inks', async (bits) => {
    const whole = 2 ** bits - 1;
    const ink = (at: number) => (_: number, __: number, sample: number) => (sample === at ? whole : 0);
    for (const planar of [false, true]) {
      const shape = { width: side, height: side, bits, photometric: 'cmyk', samples: 4, planar } as const;
      const colours = [];
      for (const at of [-1, 0, 1, 2, 3]) colours.push([...(await decode(tiffOf(shape, ink(at)))).subarray(0, 3)]);
      const [white, cyan, magenta, yellow, black] = colours as number[][];
      expect(Math.min(...white!)).toBeGreaterThan(250);
      expect(Math.max(...black!)).toBeLessThan(60);
      expect(cyan![0]).toBeLessThan(Math.min(cyan![1]!, cyan![2]!) - 60);
      expect(magenta![1]).toBeLessThan(Math.min(magenta![0]!, magenta![2]!) - 60);
      expect(yellow![2]).toBeLessThan(Math.min(yellow![0]!, yellow![1]!) - 60);
    }
    const alpha = { width: side, height: side, bits, photometric: 'cmyk', samples: 5, extra: [2] } as const;
    await expect(decode(tiffOf(alpha, () => 0))).rejects.toThrow(/CMYK, 5 a pixel/);
  });

  test('CIELab of 16 bits is brought to sRGB; of 8 bits, in planes or with alpha it is refused', async () => {
    const [lightness, a, b] = [60, 40, -30];
    const values = [Math.round((lightness / 100) * 0xffff), a * 256, 0x10000 + b * 256, 0xffff];
    const shape = { width: side, height: side, bits: 16, photometric: 'lab', samples: 3 } as const;
    const pixels = await decode(tiffOf(shape, (_, __, sample) => values[sample]!));
    for (const [c, value] of labToRgb(lightness, a, b).entries()) expect(Math.abs(pixels[c]! - value)).toBeLessThanOrEqual(2);
    for (const changed of [{ bits: 8 }, { planar: true }, { samples: 4, extra: [2] }])
      await expect(decode(tiffOf({ ...shape, ...changed }, () => 90)), JSON.stringify(changed)).rejects.toThrow(/CIELab/);
  });

  test('four samples of which the file says nothing are RGB and alpha, as programs mean it that leave the tag out', async () => {
    const shape = { width: side, height: side, bits: 8, photometric: 'rgb', samples: 4 } as const;
    const pixels = await decode(tiffOf(shape, (_, __, sample) => [200, 100, 0, 128][sample]!));
    for (const [c, value] of [227, 177, 127].entries()) expect(Math.abs(pixels[c]! - value)).toBeLessThanOrEqual(1);
  });

  test.each(['jpeg', 'lzw', 'deflate', 'packbits', 'ccittfax4'] as const)(
    'what sharp writes, packed by %s',
    async (compression) => {
      const isFax = compression === 'ccittfax4';
      const [red, green, blue] = isFax ? ([0, 0, 0] as const) : ([200, 100, 50] as const);
      const image = picture(24, 24, () => [red, green, blue]);
      const file = await (isFax ? image.toColourspace('b-w') : image)
        .tiff({ compression, quality: 100, ...(isFax && { bitdepth: 1 }) })
        .toBuffer();
      const pixels = await decode(file);
      for (const [c, value] of [red, green, blue].entries()) expect(Math.abs(pixels[c]! - value)).toBeLessThanOrEqual(3);
    },
  );

  test('a file of a hundred thousand images is refused before they are counted; one that leads round in a circle is read or refused', async () => {
    const one = tiffOf({ width: side, height: side, bits: 8, photometric: 'rgb', samples: 3 }, () => 99);
    const at = one.readUInt32LE(4);
    const length = 2 + 12 * one.readUInt16LE(at) + 4;
    const many = (count: number, last: number) => {
      const directories = Buffer.concat(Array<Buffer>(count).fill(one.subarray(at, at + length)));
      const end = (i: number) => (i + 1) * length - 4;
      for (let i = 0; i < count; i++) directories.writeUInt32LE(i < count - 1 ? one.length + (i + 1) * length : last, end(i));
      const file = Buffer.concat([one, directories]);
      file.writeUInt32LE(one.length, at + length - 4);
      return file;
    };
    expect((await decode(many(50, 0)))[0]).toBe(99);
    await expect(decode(many(100_000, 0))).rejects.toThrow('a TIFF of more than 10,000 images');
    await expect(decode(many(3, at))).rejects.toThrow(UserError);
  });

  test('samples are told where a second image is beyond the end of the file', async () => {
    const floats = tiffOf({ width: side, height: side, bits: 32, format: 'float', photometric: 'rgb', samples: 3 }, () => 1);
    const at = floats.readUInt32LE(4);
    floats.writeUInt32LE(floats.length + 1000, at + 2 + 12 * floats.readUInt16LE(at));
    await expect(decode(floats)).rejects.toThrow(/floating point/);
  });

  test('a BigTIFF is told by the same tags', async () => {
    const pixels = { raw: { width: 16, height: 16, channels: 3 } } as const;
    const big = (data: Uint8Array | Float32Array) => sharp(data, pixels).tiff({ bigtiff: true, compression: 'none' }).toBuffer();
    const sound = await big(new Uint8Array(768).fill(77));
    expect(sound.readUInt16LE(2)).toBe(43);
    expect(new Set(await decode(sound))).toEqual(new Set([77]));
    const floats = Buffer.from(sound);
    const at = floats.indexOf(Buffer.from([0x53, 0x01, 3, 0])); // SampleFormat
    floats.writeUInt16LE(3, at + 12);
    await expect(decode(floats)).rejects.toThrow(/floating point/);
  });
});

/** @see CIE 15 for L*a*b* with the white point D65 that TIFF readers take; IEC 61966-2-1 for sRGB */
function labToRgb(lightness: number, a: number, b: number): number[] {
  const cube = (t: number) => (t > 6 / 29 ? t ** 3 : 3 * (6 / 29) ** 2 * (t - 4 / 29));
  const fy = (lightness + 16) / 116;
  const [x, y, z] = [0.95047 * cube(fy + a / 500), cube(fy), 1.08883 * cube(fy - b / 200)];
  const linear = [
    3.2406 * x - 1.5372 * y - 0.4986 * z,
    -0.9689 * x + 1.8758 * y + 0.0415 * z,
    0.0557 * x - 0.204 * y + 1.057 * z,
  ];
  return linear.map((value) => 255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055));
}

describe('PNG', () => {
  test.each([1, 2, 4, 8, 16])('grey of %i bits, over its whole range', async (bits) => {
    const most = 2 ** bits - 1;
    const valueAt = (row: number) => Math.round((row / (side - 1)) * most);
    const pixels = await decode(greyPng(side, bits, valueAt));
    for (let row = 0; row < side; row++) {
      const wanted = bits === 16 ? valueAt(row) >> 8 : (valueAt(row) * 255) / most;
      expect(Math.abs(pixels[row * side * 3]! - wanted), `row ${row}`).toBeLessThanOrEqual(1);
    }
  });

  test.each([255, 1023, 4095])('samples of 16 bits of which none is above %i are refused: they would be black', async (most) => {
    const message = `samples of 16 bits, all of them at most ${most.toLocaleString('en')}, which is all but black: scale them to 65,535`;
    const files = [
      greyPng(side, 16, (row) => Math.round((row / (side - 1)) * most)),
      tiffOf({ width: side, height: side, bits: 16, photometric: 'rgb', samples: 4, extra: [2] }, (row, _, sample) =>
        sample === 3 ? 0xffff : Math.round((row / (side - 1)) * most),
      ),
    ];
    for (const file of files) await expect(decode(file)).rejects.toThrow(message);
  });

  test('those that reach further, or are black indeed, are taken as they are', async () => {
    const last = async (most: number) => (await decode(greyPng(side, 16, (row) => Math.round((row / (side - 1)) * most)))).at(-1);
    expect(await last(4096)).toBe(16);
    expect(await last(0)).toBe(0);
  });

  test.each([
    ['HDR (PQ)', 9, 16],
    ['HDR (HLG)', 9, 18],
    ['linear light', 1, 8],
    ['BT.2020', 9, 1],
  ])('colours that say they are of %s are refused', async (name, primaries, transfer) => {
    const png = await sharp({ create: { width: 16, height: 16, channels: 3, background: '#c86432' } })
      .png()
      .toBuffer();
    const told = withPngChunk(png, 'cICP', Buffer.of(primaries, transfer, 0, 1));
    await expect(decode(told)).rejects.toThrow(`colours of ${name}, which nn can't show: save it as sRGB`);
  });

  test('those of Display P3 are brought to sRGB, as with its profile', async () => {
    const p3 = sharp({ create: { width: 16, height: 16, channels: 3, background: '#c86432' } }).withIccProfile('p3');
    const profiled = await p3.png().toBuffer();
    const numbers = await sharp(profiled, { ignoreIcc: true }).png().toBuffer(); // P3's, without the profile
    expect([...(await decode(numbers)).subarray(0, 3)]).not.toEqual([200, 100, 50]);
    const told = withPngChunk(numbers, 'cICP', Buffer.of(12, 13, 0, 1));
    const both = withPngChunk(profiled, 'cICP', Buffer.of(12, 13, 0, 1));
    expect(await decode(both)).toEqual(await decode(profiled));
    for (const [c, value] of [200, 100, 50].entries()) expect(Math.abs((await decode(told))[c]! - value)).toBeLessThanOrEqual(2);
  });
});

test('a JPEG of 12 bits is refused as what it is', async () => {
  const jpeg = await sharp({ create: { width: 16, height: 16, channels: 3, background: '#c86432' } })
    .jpeg()
    .toBuffer();
  jpeg[jpeg.indexOf(Buffer.of(0xff, 0xc0)) + 4] = 12;
  await expect(decode(jpeg)).rejects.toThrow(/of a kind that can't be decoded \(.*12\): save it as JPEG or PNG/);
});
