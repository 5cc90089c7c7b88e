import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeImage, inspectImage } from '../../src/data/decode.ts';
import { openHeif } from '../../src/data/heif.ts';
import { DamagedFile } from '../../src/data/image-errors.ts';
import { UserError } from '../../src/errors.ts';
import { heic8, heic10, heicAlpha, quarters } from './heic-files.ts';
import {
  auxiliary,
  box,
  codedOf,
  colours,
  gridOf,
  type HeifItem,
  type HeifProperty,
  heifOf,
  mirrored,
  profiled,
  rotated,
  sizeOf,
} from './heifs.ts';
import { picture } from './pictures.ts';

/** HEIC and AVIF: one container, two codecs, decoded by two builds of libheif. Whatever holds for one must for the other. */

const [width, height] = [96, 64];
const decode = (file: Uint8Array) => decodeImage(file, { imageSize: 8, fit: 'fill' });

type Colour = readonly number[];
/** The middles of the four quarters: the upper two, then the lower two. */
async function quartersOf(file: Uint8Array): Promise<Colour[]> {
  const pixels = await decode(file);
  return [1, 6].flatMap((row) =>
    [1, 6].map((column) => [...pixels.subarray((row * 8 + column) * 3, (row * 8 + column) * 3 + 3)]),
  );
}

function expectQuarters(found: readonly Colour[], wanted: readonly Colour[], tolerance = 4): void {
  for (const [i, colour] of wanted.entries()) {
    for (const [c, value] of colour.entries())
      expect(Math.abs(found[i]![c]! - value), `quarter ${i}: ${found[i]} for ${colour}`).toBeLessThanOrEqual(tolerance);
  }
}

/** A coded picture as the item of a file. */
type Coded = (more?: { properties?: readonly HeifProperty[]; size?: HeifProperty }) => HeifItem;
const codecs: Record<'hvc1' | 'av01', Coded> = {} as never;
const brandsOf = { hvc1: ['heic', 'mif1', 'heic'], av01: ['avif', 'mif1', 'avif'] };
const kinds = ['hvc1', 'av01'] as const;

beforeAll(async () => {
  const at = (row: number, column: number) => quarters[(row < height / 2 ? 0 : 2) + (column < width / 2 ? 0 : 1)]!;
  const avif = await picture(width, height, at).avif({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
  const item =
    (type: string, { data, coding }: ReturnType<typeof codedOf>): Coded =>
    ({ properties = [], size = sizeOf(width, height) } = {}) => ({ type, data, properties: [coding, size, ...properties] });
  codecs.hvc1 = item('hvc1', codedOf(heic8, 'hvcC'));
  codecs.av01 = item('av01', codedOf(avif, 'av1C'));
});

const fileOf = (kind: (typeof kinds)[number], properties: readonly HeifProperty[] = [], others: readonly HeifItem[] = []) =>
  heifOf([codecs[kind]({ properties }), ...others], brandsOf[kind]);

describe('HEIC as an encoder writes it', () => {
  test('of 8 bits and of 10', async () => {
    expectQuarters(await quartersOf(heic8), quarters, 2);
    expectQuarters(await quartersOf(heic10), quarters, 2);
  });

  test('with alpha, which is flattened on white', async () => {
    const half = quarters.map((colour, i) => (i % 2 === 0 ? colour.map((value) => (value * 128 + 255 * 127) / 255) : colour));
    expectQuarters(await quartersOf(heicAlpha), half, 3);
  });

  test('with facts of its own', async () => {
    const { small, ...facts } = await inspectImage({ file: heic8 }, 48);
    expect(facts).toEqual({ width, height, format: 'heif', turned: false, bytes: heic8.length });
    expect([small.width, small.height]).toEqual([48, 32]);
    expect(await inspectImage({ file: fileOf('hvc1', [rotated(1)]) }, 48)).toMatchObject({
      width: height,
      height: width,
      turned: true,
    });
  });
});

describe.each(kinds)('%s', (kind) => {
  /** Where the quarters go, by ISO/IEC 23008-12, 6.5.10 and 6.5.12: against the clock; exchanged over the axis. */
  const turn: Record<string, (q: readonly Colour[]) => Colour[]> = {
    quarter: ([a, b, c, d]) => [b!, d!, a!, c!],
    upsideDown: ([a, b, c, d]) => [c!, d!, a!, b!],
    leftRight: ([a, b, c, d]) => [b!, a!, d!, c!],
  };
  const times = (n: number, q: readonly Colour[]): readonly Colour[] => (n === 0 ? q : times(n - 1, turn['quarter']!(q)));

  test.each([0, 1, 2, 3])('turned by %i quarters, and mirrored, in the order of the file', async (n) => {
    expectQuarters(await quartersOf(fileOf(kind, [rotated(n)])), times(n, quarters));
    for (const [axis, mirror] of [
      [0, turn['upsideDown']!],
      [1, turn['leftRight']!],
    ] as const) {
      expectQuarters(await quartersOf(fileOf(kind, [rotated(n), mirrored(axis)])), mirror(times(n, quarters)));
      expectQuarters(await quartersOf(fileOf(kind, [mirrored(axis), rotated(n)])), times(n, mirror(quarters)));
    }
  });

  test('the orientation in EXIF says nothing more, as phones write it beside the turn', async () => {
    const tiff = Buffer.from('MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0', 'latin1');
    const exif: HeifItem = { type: 'Exif', data: Buffer.concat([Buffer.alloc(4), tiff]), refers: ['cdsc', 1] };
    expectQuarters(await quartersOf(fileOf(kind, [rotated(3)], [exif])), times(3, quarters));
    expectQuarters(await quartersOf(fileOf(kind, [], [exif])), quarters);
  });

  test('tiles in a grid are one picture, cut to its size, as phones store it', async () => {
    const tile = codecs[kind]();
    const size = [2 * width - 8, 2 * height - 4] as const;
    const grid: HeifItem = {
      type: 'grid',
      data: gridOf(2, 2, ...size),
      refers: ['dimg', 2, 3, 4, 5],
      properties: [sizeOf(...size)],
    };
    const file = heifOf([grid, tile, tile, tile, tile], brandsOf[kind]);
    expect(await inspectImage({ file }, 48)).toMatchObject({ width: size[0], height: size[1] });
    const pixels = await decodeImage(file, { imageSize: 16, fit: 'fill' });
    const at = (row: number, column: number) => [...pixels.subarray((row * 16 + column) * 3, (row * 16 + column) * 3 + 3)];
    expectQuarters([at(1, 1), at(1, 6), at(6, 1), at(6, 6)], quarters, 8);
    expectQuarters([at(9, 10), at(9, 14), at(14, 10), at(14, 14)], quarters, 8);
  });

  test('of several pictures the main one is shown: no thumbnail, no gain map', async () => {
    const thumbnail = { ...codecs[kind]({ properties: [mirrored(1)] }), refers: ['thmb', 1] as const };
    const gain = { ...codecs[kind]({ properties: [mirrored(0), auxiliary('urn:com:apple:photo:2020:aux:hdrgainmap')] }) };
    const file = fileOf(kind, [], [thumbnail, { ...gain, refers: ['auxl', 1] }, codecs[kind]({ properties: [rotated(2)] })]);
    expectQuarters(await quartersOf(file), quarters);
  });

  test('Display P3 is brought to sRGB, by profile and by numbers', async () => {
    const p3 = await picture(16, 16, () => [200, 50, 50])
      .withIccProfile('p3')
      .png()
      .toBuffer();
    const { icc } = await sharp(p3).metadata();
    const wanted = p3ToSrgb(quarters);
    expect(wanted[0]![0]! - quarters[0]![0]).toBeGreaterThan(10); // the same number is a stronger red
    expectQuarters(await quartersOf(fileOf(kind, [profiled(icc!)])), wanted, 5);
    expectQuarters(await quartersOf(fileOf(kind, [colours(12, 13, 6)])), wanted, 5);
  });

  test.each([
    ['HDR (PQ)', 9, 16],
    ['HDR (HLG)', 9, 18],
    ['BT.2020', 9, 1],
    ['linear light', 1, 8],
  ])('%s is refused by name', async (name, primaries, transfer) => {
    const error = await decode(fileOf(kind, [colours(primaries, transfer, 6)])).catch((found: unknown) => found);
    expect(error).toMatchObject({ kind: 'data', message: `colours of ${name}, which nn can't show: save it as sRGB` });
    expect(error).not.toBeInstanceOf(DamagedFile);
  });

  test('what says of itself that it is too small, too long or too large is refused before it is decoded', async () => {
    const claiming = (w: number, h: number) => heifOf([codecs[kind]({ size: sizeOf(w, h) })], brandsOf[kind]);
    await expect(decode(claiming(96, 7))).rejects.toThrow('96×7 pixels: a side is below the minimum of 8');
    await expect(decode(claiming(70_000, 64))).rejects.toThrow(/70000×64 pixels: a side is above|more than|exceeds/);
    await expect(decode(claiming(20_000, 20_000))).rejects.toThrow(/more than 268,402,689 pixels/);
    await expect(decode(claiming(8_000, 8_000))).rejects.toThrow(UserError);
  });

  test('what is cut off anywhere is damaged', { timeout: 60_000 }, async () => {
    const encoded =
      kind === 'hvc1'
        ? heic8
        : await picture(16, 16, () => [9, 9, 9])
            .avif()
            .toBuffer(); // what is in it stands first
    for (const whole of [fileOf(kind), encoded]) {
      for (let length = 40; length < whole.length - 1; length += 37) {
        const error = await decode(whole.subarray(0, length)).catch((found: unknown) => found);
        expect(error, `${length} of ${whole.length} bytes`).toBeInstanceOf(DamagedFile);
      }
    }
  });

  test('the brands of a file do not decide how it is decoded', async () => {
    for (const brands of [
      ['mif1', 'mif1'],
      ['avif', 'heic'],
      ['heic', 'avif'],
      ['miaf', 'mif1'],
      ['msf1', 'mif1', 'heic'],
      ['XYZ ', 'mif1'],
    ])
      expectQuarters(await quartersOf(heifOf([codecs[kind]()], brands)), quarters);
  });
});

test('a damaged HEIC has the same pixels whatever was decoded before it: nothing of another picture shows', () => {
  const any = () => {};
  const pixelsOf = (file: Uint8Array) => Buffer.from(openHeif(file, any).raster!.pixels);
  const damaged = Buffer.from(heic8);
  damaged.fill(135, 484, 487); // found by fuzzing: what is missing behind it was what the memory held
  const shown = [heic10, heicAlpha, heic8, heic10].map((before) => {
    pixelsOf(before);
    return pixelsOf(damaged);
  });
  for (const one of shown) expect(one.equals(shown[0]!)).toBe(true);
  expect(shown[0]!.equals(pixelsOf(heic8))).toBe(false); // it is damaged indeed
});

test('a hole in a HEIC is damage, wherever it is: decoders fill it with green and say nothing', () => {
  for (const file of [heic8, heic10, heicAlpha]) {
    const coded = file.indexOf('mdat') + 4;
    for (let at = coded; at + 12 < file.length; at += 29) {
      const holed = Buffer.from(file);
      holed.fill(0, at, at + 12);
      expect(() => openHeif(holed, () => {}), `from byte ${at}`).toThrow(DamagedFile);
    }
  }
});

describe('what no decoder is there for', () => {
  test.each(['vvc1', 'avc1', 'j2k1'])('%s is refused, and not called damaged', async (type) => {
    const coding = { box: box(type === 'vvc1' ? 'vvcC' : type === 'avc1' ? 'avcC' : 'j2kH', Buffer.alloc(24)), essential: true };
    const file = heifOf([{ type, data: Buffer.alloc(64), properties: [coding, sizeOf(64, 64)] }], ['mif1', 'heic']);
    const error = await decode(file).catch((found: unknown) => found);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).not.toMatch(/\n|bad seek/);
  });

  test('a sequence without a still image is named', async () => {
    const brands = box('ftyp', Buffer.from('msf1\0\0\0\0msf1hevc'));
    const file = Buffer.concat([brands, box('moov', box('mvhd', Buffer.alloc(100))), box('mdat', Buffer.alloc(100))]);
    await expect(decode(file)).rejects.toThrow('a HEIF file without a still image');
  });

  test('a film of the same container is named', async () => {
    const film = Buffer.concat([box('ftyp', Buffer.from('isom\0\0\0\0isommp42')), box('mdat', Buffer.alloc(200))]);
    await expect(decode(film)).rejects.toThrow("a film, which nn can't decode: save it as JPEG or PNG");
  });
});

/** By the matrices of SMPTE EG 432-1 and IEC 61966-2-1, whose curve both have. */
function p3ToSrgb(from: readonly Colour[]): Colour[] {
  const linear = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const curved = (value: number) => (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055);
  const matrix = [
    [1.2249, -0.2249, 0],
    [-0.042, 1.042, 0],
    [-0.0196, -0.0786, 1.0983],
  ];
  return from.map((colour) => {
    const light = colour.map((value) => linear(value / 255));
    return matrix.map(
      (row) =>
        255 *
        curved(
          Math.min(
            1,
            Math.max(
              0,
              row.reduce((sum, m, c) => sum + m * light[c]!, 0),
            ),
          ),
        ),
    );
  });
}
