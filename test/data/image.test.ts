import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeImage } from '../../src/data/decode.ts';
import { encodePng, type Fit, fits, resizePixels } from '../../src/data/image.ts';
import { maximumPixels, minimumSide } from '../../src/data/image-errors.ts';
import { UserError } from '../../src/errors.ts';
import { isThorough } from '../thorough.ts';
import { busyJpeg, painted, picture, pngBomb, type Rgb, solidPng } from './pictures.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-image-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Every pixel differs from its neighbours in each direction, smoothly enough for a lossy format. */
const slope = (row: number, column: number): Rgb => [40 + row * 4, 60 + column * 3, 200 - row - column];

const decode = (input: string | Uint8Array, imageSize = 16, fit: Fit = 'cover') => decodeImage(input, { imageSize, fit });

/** The colour at a place of a decoded picture. */
const colourAt = (pixels: Uint8Array, size: number, row: number, column: number): Rgb => {
  const at = (row * size + column) * 3;
  return [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
};

function expectNear(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  expect(found.length).toBe(wanted.length);
  let worst = 0;
  for (let k = 0; k < wanted.length; k++) worst = Math.max(worst, Math.abs(found[k]! - wanted[k]!));
  expect(worst).toBeLessThanOrEqual(tolerance);
}

/** Every pixel of the picture is this colour, to a tolerance. */
const expectSolid = (pixels: Uint8Array, colour: Rgb, tolerance = 0) =>
  expectNear(
    pixels,
    Array.from(pixels, (_, k) => colour[k % 3]!),
    tolerance,
  );

describe('formats', () => {
  const original = painted(32, 32, slope);
  const source = () => picture(32, 32, slope);

  test.each<[string, () => Promise<Buffer>, number]>([
    ['PNG', () => source().png().toBuffer(), 0],
    ['interlaced PNG', () => source().png({ progressive: true }).toBuffer(), 0],
    ['TIFF', () => source().tiff({ compression: 'lzw' }).toBuffer(), 0],
    ['lossless WebP', () => source().webp({ lossless: true }).toBuffer(), 0],
    ['WebP', () => source().webp({ quality: 100 }).toBuffer(), 10],
    ['JPEG', () => source().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(), 4],
    ['progressive JPEG', () => source().jpeg({ quality: 100, chromaSubsampling: '4:4:4', progressive: true }).toBuffer(), 4],
    ['AVIF', () => source().avif({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(), 6],
    ['GIF', () => source().gif({ dither: 0, colours: 256 }).toBuffer(), 40],
    ['palette PNG', () => source().png({ palette: true, dither: 0 }).toBuffer(), 40],
  ])('%s', async (_, encode, tolerance) => {
    expectNear(await decode(await encode(), 32), original, tolerance);
  });

  test('SVG, rendered over white', async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"><rect width="16" height="32" fill="#ff0000"/></svg>';
    const pixels = await decode(Buffer.from(svg), 32);
    for (const row of [0, 15, 31]) {
      expect(colourAt(pixels, 32, row, 0)).toEqual([255, 0, 0]);
      expect(colourAt(pixels, 32, row, 15)).toEqual([255, 0, 0]);
      expect(colourAt(pixels, 32, row, 16)).toEqual([255, 255, 255]);
      expect(colourAt(pixels, 32, row, 31)).toEqual([255, 255, 255]);
    }
  });

  test.each(['gif', 'webp', 'tiff'] as const)('the first frame of two of a %s file', async (format) => {
    const frames = [await solidPng([200, 0, 0]), await solidPng([0, 0, 200])];
    const bytes = await sharp(frames, { join: { animated: true } })
      .toFormat(format, { quality: 100 })
      .toBuffer();
    expect((await sharp(bytes).metadata()).pages).toBe(2);
    expectSolid(await decode(bytes), [200, 0, 0], 3);
  });

  test('the same pixels from a path as from bytes', async () => {
    for (const [name, bytes] of [
      ['busy.jpg', await busyJpeg()],
      ['slope.png', await source().png().toBuffer()],
    ] as const) {
      await writeFile(join(folder, name), bytes);
      expect(await decode(join(folder, name))).toEqual(await decode(bytes));
    }
  });

  test('the same pixels when many are decoded at once', async () => {
    const files = await Promise.all(Array.from({ length: 20 }, (_, i) => solidPng([i, 2 * i, 3 * i])));
    const decoded = await Promise.all(files.map((bytes) => decode(bytes)));
    for (const [i, pixels] of decoded.entries()) expectSolid(pixels, [i, 2 * i, 3 * i]);
  });
});

test('index = (row · size + column) · 3 + channel', async () => {
  const bytes = await picture(16, 16, (row, column) => [row * 10, column * 10, 7])
    .png()
    .toBuffer();
  const pixels = await decode(bytes, 16);
  for (let row = 0; row < 16; row++) {
    for (let column = 0; column < 16; column++) {
      expect(pixels[(row * 16 + column) * 3]).toBe(row * 10);
      expect(pixels[(row * 16 + column) * 3 + 1]).toBe(column * 10);
      expect(pixels[(row * 16 + column) * 3 + 2]).toBe(7);
    }
  }
});

test('size² · 3 bytes, whatever the size, the shape and the fit', async () => {
  for (const [width, height] of [
    [8, 8],
    [300, 8],
    [9, 200],
    [65, 63],
  ] as const) {
    const bytes = await picture(width, height, () => [90, 90, 90])
      .png()
      .toBuffer();
    for (const size of [1, 7, 64]) {
      for (const fit of Object.keys(fits) as Fit[]) expect((await decode(bytes, size, fit)).length).toBe(size * size * 3);
    }
  }
});

describe('EXIF orientation', () => {
  /** Where the pixel at (row, column) of the file belongs in the picture as it is to be seen, W × H (EXIF 2.3, tag 0x0112). */
  const places: Record<number, (row: number, column: number, w: number, h: number) => [row: number, column: number]> = {
    1: (r, c) => [r, c],
    2: (r, c, w) => [r, w - 1 - c],
    3: (r, c, w, h) => [h - 1 - r, w - 1 - c],
    4: (r, c, _, h) => [h - 1 - r, c],
    5: (r, c) => [c, r],
    6: (r, c, w) => [c, w - 1 - r],
    7: (r, c, w, h) => [h - 1 - c, w - 1 - r],
    8: (r, c, _, h) => [h - 1 - c, r],
  };
  const orientations = Object.keys(places).map(Number);

  function stored(orientation: number, w: number, h: number) {
    const turned = orientation >= 5;
    return picture(turned ? h : w, turned ? w : h, (r, c) => slope(...places[orientation]!(r, c, w, h))).withMetadata({
      orientation,
    });
  }

  test.each(orientations)('%i is applied', async (orientation) => {
    const bytes = await stored(orientation, 24, 24).png().toBuffer();
    expect(await decode(bytes, 24)).toEqual(Buffer.from(painted(24, 24, slope)));
  });

  test.each(orientations)('%i is applied to a JPEG before it is cut to a square', async (orientation) => {
    const bytes = await stored(orientation, 40, 16).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer();
    // the middle 16 of 40 columns, or all
    expectNear(
      await decode(bytes, 16, 'cover'),
      painted(16, 16, (r, c) => slope(r, c + 12)),
      4,
    );
    const whole = await decode(await picture(40, 16, slope).png().toBuffer(), 40, 'contain');
    expectNear(await decode(bytes, 40, 'contain'), whole, 4);
  });
});

describe('alpha is flattened on white', () => {
  test.each([0, 0.25, 0.5, 1])('at opacity %f', async (alpha) => {
    const bytes = await sharp({ create: { width: 16, height: 16, channels: 4, background: { r: 200, g: 0, b: 100, alpha } } })
      .png()
      .toBuffer();
    const over = (value: number) => value * alpha + 255 * (1 - alpha);
    expectSolid(await decode(bytes), [over(200), over(0), over(100)], 1.5);
  });

  test('of grey, of 16 bits, of WebP and of a palette', async () => {
    const clear = { r: 0, g: 0, b: 0, alpha: 0 };
    const base = () => sharp({ create: { width: 16, height: 16, channels: 4, background: clear } });
    const grey16 = new Uint16Array(16 * 16 * 2); // black, and nothing of it to be seen
    const files = [
      await sharp(grey16, { raw: { width: 16, height: 16, channels: 2 } })
        .toColourspace('grey16')
        .png()
        .toBuffer(),
      await sharp(new Uint16Array(16 * 16 * 4), { raw: { width: 16, height: 16, channels: 4 } })
        .toColourspace('rgb16')
        .png()
        .toBuffer(),
      await base().toColourspace('b-w').png().toBuffer(),
      await base().webp().toBuffer(),
      await base().gif().toBuffer(),
      await base().png({ palette: true }).toBuffer(),
    ];
    for (const bytes of files) expectSolid(await decode(bytes), [255, 255, 255]);
  });
});

describe('every colour space becomes 8-bit sRGB', () => {
  const grey = () => picture(16, 16, () => [100, 100, 100]).toColourspace('b-w');

  test('grey', async () => {
    for (const bytes of [await grey().png().toBuffer(), await grey().tiff().toBuffer()]) {
      expect((await sharp(bytes).metadata()).channels).toBe(1);
      expectSolid(await decode(bytes), [100, 100, 100]);
    }
    expectSolid(await decode(await grey().jpeg({ quality: 100 }).toBuffer()), [100, 100, 100], 1);
  });

  test('black and white of one bit', async () => {
    const bytes = await picture(16, 16, (_, column) => (column < 8 ? [0, 0, 0] : [255, 255, 255]))
      .toColourspace('b-w')
      .png({ palette: true, colours: 2 })
      .toBuffer();
    const pixels = await decode(bytes);
    expect(colourAt(pixels, 16, 3, 7)).toEqual([0, 0, 0]);
    expect(colourAt(pixels, 16, 3, 8)).toEqual([255, 255, 255]);
  });

  test('16 bits a channel: the upper eight', async () => {
    const values = new Uint16Array(16 * 16 * 3).map((_, k) => [0x1280, 0x8000, 0xffff][k % 3]!);
    const bytes = await sharp(values, { raw: { width: 16, height: 16, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    expect((await sharp(bytes).metadata()).depth).toBe('ushort');
    expectSolid(await decode(bytes), [0x12, 0x80, 0xff], 1);
  });

  test('grey of 16 bits', async () => {
    const bytes = await sharp(new Uint16Array(16 * 16).fill(0x8000), { raw: { width: 16, height: 16, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    expect((await sharp(bytes).metadata()).depth).toBe('ushort');
    expectSolid(await decode(bytes), [128, 128, 128]);
  });

  test.each(['jpeg', 'tiff'] as const)('CMYK, in a %s', async (format) => {
    for (const colour of [
      [255, 255, 255],
      [180, 60, 60],
      [60, 110, 60],
    ] as const) {
      const bytes = await picture(16, 16, () => colour)
        .toColourspace('cmyk')
        .toFormat(format, { quality: 100 })
        .toBuffer();
      expect((await sharp(bytes).metadata()).space).toBe('cmyk');
      expectSolid(await decode(bytes), colour, 30); // print has fewer colours than a screen
    }
  });

  test('a wider gamut, by the profile in the file', async () => {
    const bytes = await picture(16, 16, () => [200, 50, 50])
      .withIccProfile('p3')
      .png()
      .toBuffer();
    const asStored = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer();
    expect(asStored[0]).toBeLessThan(190); // P3's red is stronger: less of it is the same colour
    expectSolid(await decode(bytes), [200, 50, 50], 2);
  });
});

describe('fit', () => {
  const red: Rgb = [220, 20, 20];
  const green: Rgb = [20, 220, 20];
  const blue: Rgb = [20, 20, 220];
  const black: Rgb = [0, 0, 0];
  /** Three stripes: a quarter red, a half green, a quarter blue. */
  const stripe = (at: number): Rgb => (at < 32 ? red : at < 96 ? green : blue);
  const wide = () => picture(128, 64, (_, column) => stripe(column));
  const tall = () => picture(64, 128, (row) => stripe(row));

  test('cover shows the middle square, filled by it alone', async () => {
    for (const image of [wide(), tall()]) {
      const pixels = await decode(await image.png().toBuffer(), 64, 'cover');
      // the kernel overshoots at the edge of the cut; inside, all is green
      for (let row = 4; row < 60; row++) {
        for (let column = 4; column < 60; column++) expect(colourAt(pixels, 64, row, column)).toEqual(green);
      }
    }
  });

  test('contain shows the whole picture between black bars', async () => {
    const pixels = await decode(await wide().png().toBuffer(), 64, 'contain');
    const across = [0, 8, 24, 32, 40, 56, 63].map((column) => colourAt(pixels, 64, 32, column));
    expect(across).toEqual([red, red, green, green, green, blue, blue]);
    for (const row of [0, 1, 14, 15, 48, 49, 62, 63]) {
      for (let column = 0; column < 64; column++) expect(colourAt(pixels, 64, row, column)).toEqual(black);
    }
    for (const row of [16, 47]) expect(colourAt(pixels, 64, row, 32)).toEqual(green);

    const upright = await decode(await tall().png().toBuffer(), 64, 'contain');
    const down = [0, 8, 24, 32, 40, 56, 63].map((row) => colourAt(upright, 64, row, 32));
    expect(down).toEqual([red, red, green, green, green, blue, blue]);
    for (const column of [0, 15, 48, 63]) expect(colourAt(upright, 64, 32, column)).toEqual(black);
    for (const column of [16, 47]) expect(colourAt(upright, 64, 32, column)).toEqual(green);
  });

  test('fill stretches the whole picture', async () => {
    const pixels = await decode(await wide().png().toBuffer(), 64, 'fill');
    for (const row of [0, 31, 63]) {
      const across = [0, 8, 24, 40, 56, 63].map((column) => colourAt(pixels, 64, row, column));
      expect(across).toEqual([red, red, green, green, blue, blue]);
    }
  });

  test('the bars are black for every kind of picture', async () => {
    const raw = (channels: 1 | 2 | 3 | 4) => ({ raw: { width: 32, height: 16, channels } });
    const kinds: Record<string, Promise<Buffer>> = {
      grey: sharp(new Uint8Array(32 * 16).fill(90), raw(1))
        .toColourspace('b-w')
        .png()
        .toBuffer(),
      'grey of 16 bits': sharp(new Uint16Array(32 * 16).fill(0x8000), raw(1))
        .toColourspace('grey16')
        .png()
        .toBuffer(),
      'grey of 16 bits, half clear': sharp(new Uint16Array(32 * 16 * 2).fill(0x8000), raw(2))
        .toColourspace('grey16')
        .png()
        .toBuffer(),
      'half clear': sharp(new Uint8Array(32 * 16 * 4).fill(128), raw(4))
        .png()
        .toBuffer(),
      '16 bits, half clear': sharp(new Uint16Array(32 * 16 * 4).fill(0x8000), raw(4))
        .toColourspace('rgb16')
        .png()
        .toBuffer(),
      CMYK: sharp(new Uint8Array(32 * 16 * 3).fill(128), raw(3))
        .toColourspace('cmyk')
        .jpeg()
        .toBuffer(),
      SVG: Promise.resolve(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="32" height="16"/>')),
    };
    for (const [kind, bytes] of Object.entries(kinds)) {
      const pixels = await decode(await bytes, 16, 'contain');
      for (const row of [0, 3, 12, 15]) expect(colourAt(pixels, 16, row, 5), kind).toEqual(black);
      for (const value of colourAt(pixels, 16, 8, 8)) expect(value, kind).toBeGreaterThan(80);
    }
  });
});

test('a picture much larger than the square is averaged, not sampled', async () => {
  const bytes = await picture(128, 128, (row, column) => ((row + column) % 2 === 0 ? [255, 255, 255] : [0, 0, 0]))
    .png()
    .toBuffer();
  expectSolid(await decode(bytes, 8), [127, 127, 127], 12);
});

test('a picture of so many pixels that it is decoded alone is the same picture, also among others', async () => {
  const large = await sharp({ create: { width: 8200, height: 8200, channels: 3, background: '#0a141e' } })
    .png()
    .toBuffer();
  const small = await solidPng([1, 2, 3]);
  const found = await Promise.all([decode(small), decode(large), decode(small), decode(large)]);
  for (const [i, pixels] of found.entries()) expectSolid(pixels, i % 2 === 0 ? [1, 2, 3] : [10, 20, 30]);
});

test('bytes that are pixels already are resized the way files are', async () => {
  const pixels = painted(40, 24, slope);
  const png = await picture(40, 24, slope).png().toBuffer();
  for (const fit of Object.keys(fits) as Fit[]) {
    const preprocessing = { imageSize: 16, fit };
    expect(await resizePixels({ pixels, width: 40, height: 24 }, preprocessing)).toEqual(await decodeImage(png, preprocessing));
  }
});

test('a picture that nn writes as PNG is read back to the byte', async () => {
  const pixels = painted(16, 16, (row, column) => [row, column * 16, 255 - row * column]);
  expect(await decode(await encodePng(pixels, 16), 16)).toEqual(Buffer.from(pixels));
});

describe('what is refused', () => {
  const reasonFor = async (input: string | Uint8Array): Promise<string> => {
    const error = await decode(input).then(
      () => undefined,
      (found: unknown) => found,
    );
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).kind).toBe('data');
    expect((error as UserError).message).not.toMatch(/\n/);
    return (error as UserError).message;
  };

  test.each<[string, () => Uint8Array | Promise<Uint8Array>, string | RegExp]>([
    ['nothing', () => Buffer.alloc(0), 'the file is empty'],
    ['text', () => Buffer.from('this is not a picture'), 'not a picture in a format that can be read'],
    ['zeros', () => Buffer.alloc(5000), 'not a picture in a format that can be read'],
    ['a PNG signature alone', () => Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), /./],
    ['a PNG bomb', () => pngBomb(), `more than ${maximumPixels.toLocaleString('en')} pixels`],
    [
      'an SVG bomb',
      () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="30000" height="30000"/>'),
      `more than ${maximumPixels.toLocaleString('en')} pixels`,
    ],
    ['a side too long', () => pngBomb(4_000_000, 40), '4000000×40 pixels: a side is above the maximum of 65,535'],
    [
      'a side too short',
      () =>
        picture(200, 7, () => [1, 2, 3])
          .png()
          .toBuffer(),
      /200×7 pixels: a side is below the minimum of 8/,
    ],
  ])('%s', async (_, make, reason) => {
    const found = await reasonFor(await make());
    if (typeof reason === 'string') expect(found).toBe(reason);
    else expect(found).toMatch(reason);
  });

  test('an SVG whose entities multiply without end', async () => {
    const entities = Array.from({ length: 12 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`).join('');
    const svg = `<!DOCTYPE svg [<!ENTITY e0 "x">${entities}]><svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><text>&e12;</text></svg>`;
    expect(await reasonFor(Buffer.from(svg))).not.toBe('');
  });

  test('a file of every format that is cut off half-way', async () => {
    const whole = await busyJpeg();
    const formats = await Promise.all(
      (['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const).map((format) => sharp(whole).toFormat(format).toBuffer()),
    );
    for (const bytes of formats) await reasonFor(bytes.subarray(0, bytes.length / 2));
    expect(await reasonFor(whole.subarray(0, whole.length / 2))).toBe('the file is cut off or damaged');
    expect(await reasonFor(whole.subarray(0, whole.length - 20))).toBe('the file is cut off or damaged');
  });

  test('many at once: each for its own reason, and good ones between them are read', async () => {
    const jpeg = await busyJpeg();
    const gif = await sharp(jpeg).gif().toBuffer();
    const webp = await sharp(jpeg).webp().toBuffer();
    const kinds = [
      jpeg.subarray(0, jpeg.length / 2),
      webp.subarray(0, webp.length / 2),
      Buffer.concat([gif.subarray(0, 12), Buffer.alloc(600, 0x77)]),
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><broken'),
      pngBomb(),
    ];
    const reasons: string[] = [];
    for (const bytes of kinds) reasons.push(await reasonFor(bytes));
    expect(new Set(reasons).size).toBeGreaterThanOrEqual(4);
    const good = await solidPng([7, 8, 9]);
    await Promise.all(
      Array.from({ length: 150 }, async (_, i) => {
        expectSolid(await decode(good), [7, 8, 9]);
        expect(await reasonFor(kinds[i % kinds.length]!)).toBe(reasons[i % kinds.length]);
      }),
    );
  });

  test.skipIf(!isThorough)(
    'an SVG that takes years to draw is given up, also where it begins like AVIF, and the next is drawn',
    {
      timeout: 60_000,
    },
    async () => {
      const rules = Array.from({ length: 3000 }, (_, i) => `g>g>g g g g:nth-child(${i}) rect{fill:red}`).join('');
      const shapes = `${'<g>'.repeat(100)}${'<rect width="3" height="3"/>'.repeat(4000)}${'</g>'.repeat(100)}`;
      const endless = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><style>${rules}</style>${shapes}</svg>`;
      const red =
        '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><rect width="16" height="16" fill="red"/></svg>';
      const [first, second] = await Promise.all([reasonFor(Buffer.from(`<!--ftyp-->${endless}`)), decode(Buffer.from(red))]);
      expect(first).toBe('an SVG that takes more than 10 seconds to draw');
      expectSolid(second, [255, 0, 0]);
    },
  );

  test('a JPEG of few bytes that says to go through all of its pixels hundreds of times', async () => {
    const jpeg = await picture(4096, 4096, () => [9, 9, 9])
      .jpeg({ progressive: true })
      .toBuffer();
    const [scan, end] = [jpeg.lastIndexOf(Buffer.of(0xff, 0xda)), jpeg.length - 2];
    const again = Array<Buffer>(300).fill(jpeg.subarray(scan, end));
    expect(await reasonFor(Buffer.concat([jpeg.subarray(0, end), ...again, jpeg.subarray(end)]))).toMatch(
      /^3\d\d scans of 16,777,216 pixels: more than 4,294,967,296 in all$/,
    );
    expectSolid(await decode(jpeg), [9, 9, 9]);
    // what phones put behind a picture, such as a film, may hold any bytes
    expectSolid(await decode(Buffer.concat([jpeg, ...again])), [9, 9, 9]);
  });

  test('a path where nothing is, and one of a folder', async () => {
    expect(await reasonFor(join(folder, 'nothing.png'))).toBe('no such file or folder');
    expect(await reasonFor(folder)).toBe('it is a folder');
  });

  test('the least side that is stated is taken', async () => {
    expectSolid(await decode(await solidPng([9, 8, 7], minimumSide)), [9, 8, 7]);
  });
});

describe('an SVG reads nothing from outside itself', () => {
  const white: Rgb = [255, 255, 255];

  async function expectWhite(content: string): Promise<void> {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xi="http://www.w3.org/2001/XInclude" width="16" height="16">${content}</svg>`;
    const path = join(folder, 'outside.svg');
    await writeFile(path, svg);
    expectSolid(await decode(Buffer.from(svg)), white);
    expectSolid(await decode(path), white);
  }

  test('no file', async () => {
    const red = join(folder, 'red.png');
    await writeFile(red, await solidPng([255, 0, 0]));
    await writeFile(join(folder, 'red.txt'), '<rect xmlns="http://www.w3.org/2000/svg" width="16" height="16" fill="red"/>');
    for (const href of [pathToFileURL(red).href, red, 'red.png', './red.png']) {
      await expectWhite(`<image href="${href}" width="16" height="16"/>`);
      await expectWhite(`<image xlink:href="${href}" width="16" height="16"/>`);
    }
    await expectWhite('<xi:include href="red.txt" parse="xml"/>');
  });

  test('no address on the network', async () => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked++;
      response.end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    try {
      const { port } = server.address() as AddressInfo;
      await expectWhite(`<image href="http://127.0.0.1:${port}/red.png" width="16" height="16"/>`);
      await expectWhite(`<style>@import url("http://127.0.0.1:${port}/red.css");</style>`);
      expect(asked).toBe(0);
    } finally {
      server.close();
    }
  });

  test('but a picture within it is shown', async () => {
    const inside = (await solidPng([255, 0, 0])).toString('base64');
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><image href="data:image/png;base64,${inside}" width="16" height="16"/></svg>`;
    expectSolid(await decode(Buffer.from(svg)), [255, 0, 0]);
  });
});
