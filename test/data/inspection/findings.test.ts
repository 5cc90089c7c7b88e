import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findDuplicates } from '../../../src/data/duplicates.ts';
import { findAll } from '../../../src/data/inspection/findings.ts';
import { nameOf, summarize } from '../../../src/data/inspection/image-table.ts';
import type { SplitName } from '../../../src/data/split.ts';
import { bmpOf } from '../bmps.ts';
import { heic8 } from '../heic-files.ts';
import { box } from '../heifs.ts';
import { busyJpeg, pngBomb, solidPng } from '../pictures.ts';
import { tiffOf } from '../tiffs.ts';
import { findingsIn, findingsOf, namesOf, put, putScenes, scene, surveyOf, surveySource } from './pictures.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-findings-'));
  await putScenes(folder, 4);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const found = async () => namesOf(await findingsOf(folder));

test('nothing is found among clean pictures', async () => {
  expect(await found()).toEqual({});
});

test('nothing is found among 100 drawn pictures', async () => {
  const drawn = await surveySource({ type: 'drawn', count: 100, seed: 5, difficulty: 'hard' });
  expect(namesOf(findingsIn(drawn))).toEqual({});
});

describe('planted among clean pictures, each is found and nothing else', () => {
  /** A JPEG that says to have other bits a sample. */
  const withPrecision = (file: Buffer, bits: number) => {
    file[file.indexOf(Buffer.of(0xff, 0xc0)) + 4] = bits;
    return file;
  };
  const jpeg = (index: number) => scene(index).jpeg();

  test.each<[string, () => Promise<Record<string, Uint8Array>>, Record<string, string[][]>]>([
    ['a blank picture', async () => ({ 'cat/x.png': await solidPng([255, 255, 255], 40) }), { blank: [['cat/x.png']] }],
    [
      'a blank picture with the noise of a camera',
      async () => ({ 'cat/x.jpg': await scene(50).linear(0.02, 120).jpeg({ quality: 60 }).toBuffer() }),
      { blank: [['cat/x.jpg']] },
    ],
    [
      'a dark picture',
      async () => ({ 'cat/x.png': await scene(51).linear(0.15, 0).png().toBuffer() }),
      { dark: [['cat/x.png']] },
    ],
    ['a blurred picture', async () => ({ 'cat/x.png': await scene(52).blur(4).png().toBuffer() }), { blurred: [['cat/x.png']] }],
    [
      'a picture enlarged from next to nothing',
      async () => {
        const small = await scene(53).resize(10, 10).png().toBuffer();
        const { default: sharp } = await import('sharp');
        return { 'noncat/x.jpg': await sharp(small).resize(400, 400, { kernel: 'cubic' }).jpeg().toBuffer() };
      },
      { blurred: [['noncat/x.jpg']] },
    ],
    [
      'a very long picture, and a very high one',
      async () => ({
        'cat/long.png': await scene(54, { width: 300, height: 60 }).png().toBuffer(),
        'cat/high.png': await scene(55, { width: 50, height: 150 }).png().toBuffer(),
        'cat/panorama.png': await scene(56, { width: 160, height: 70 }).png().toBuffer(),
      }),
      { aspect: [['cat/high.png'], ['cat/long.png']] },
    ],
    [
      'the extension of another format',
      async () => ({ 'cat/x.png': await jpeg(57).toBuffer(), 'cat/y.JPEG': await jpeg(58).toBuffer() }),
      { extension: [['cat/x.png']] },
    ],
    [
      'files that can not be read',
      async () => ({
        'cat/cut.jpg': (await busyJpeg()).subarray(0, 900),
        'cat/empty.png': new Uint8Array(),
        'noncat/text.jpg': Buffer.from('<html>not found</html>'),
        'noncat/tiny.png': await solidPng([1, 2, 3], 4),
        'noncat/bomb.png': pngBomb(),
      }),
      {
        unreadable: [['cat/cut.jpg'], ['cat/empty.png'], ['noncat/text.jpg']],
        unread: [['noncat/bomb.png'], ['noncat/tiny.png']],
      },
    ],
    [
      'files that may be sound, in formats that nn does not decode, under the name of one that it does',
      async () => ({
        'cat/xl.jpg': Buffer.concat([Buffer.of(0xff, 0x0a), Buffer.alloc(40)]),
        'cat/twelve-bits.jpg': withPrecision(await jpeg(60).toBuffer(), 12),
        'noncat/floats.tif': tiffOf({ width: 9, height: 9, bits: 32, format: 'float', photometric: 'rgb', samples: 3 }, () => 1),
        'noncat/film.heic': box('ftyp', Buffer.from('isom\0\0\0\0isom')),
      }),
      { unread: [['cat/twelve-bits.jpg'], ['cat/xl.jpg'], ['noncat/film.heic'], ['noncat/floats.tif']] },
    ],
    [
      'pictures of other formats, under any name or none',
      async () => ({
        'cat/scan.jpg': bmpOf(
          { width: 64, height: 64, bits: 24 },
          (row, column) => ((row * 5) << 16) + ((column * 7) << 8) + (row ^ column),
        ),
        'noncat/IMG_4848.HEIC': heic8,
        'noncat/download': await jpeg(61).toBuffer(),
      }),
      { extension: [['cat/scan.jpg']] },
    ],
    [
      'the same file three times',
      async () => {
        const bytes = await jpeg(59).toBuffer();
        return { 'cat/a.jpg': bytes, 'cat/b/c.jpg': bytes, 'cat/z.jpg': bytes };
      },
      { duplicate: [['cat/a.jpg', 'cat/b/c.jpg', 'cat/z.jpg']] },
    ],
    [
      'a smaller copy, a recompressed one and a mirrored one',
      async () => ({
        'cat/a.png': await scene(70).png().toBuffer(),
        'cat/smaller.png': await scene(70).resize(60, 60).png().toBuffer(),
        'noncat/b.png': await scene(71).png().toBuffer(),
        'noncat/recompressed.jpg': await jpeg(71).toBuffer(),
        'noncat/c.png': await scene(72).png().toBuffer(),
        'noncat/mirrored.png': await scene(72).flop().png().toBuffer(),
      }),
      {
        nearDuplicate: [
          ['cat/a.png', 'cat/smaller.png'],
          ['noncat/b.png', 'noncat/recompressed.jpg'],
          ['noncat/c.png', 'noncat/mirrored.png'],
        ],
      },
    ],
    [
      'copies whose names come before that of the picture to keep: the largest, and of those the one of most bytes',
      async () => ({
        'cat/a-small.png': await scene(75).resize(40, 40).png().toBuffer(),
        'cat/b.png': await scene(75).png().toBuffer(),
        'noncat/a-blurred.jpg': await scene(76).blur(1).jpeg().toBuffer(),
        'noncat/b.jpg': await jpeg(76).toBuffer(),
      }),
      {
        nearDuplicate: [
          ['cat/b.png', 'cat/a-small.png'],
          ['noncat/b.jpg', 'noncat/a-blurred.jpg'],
        ],
      },
    ],
    [
      'a copy twice, and a changed one beside it',
      async () => {
        const bytes = await scene(73).png().toBuffer();
        return { 'cat/a.png': bytes, 'cat/b.png': bytes, 'cat/c.jpg': await jpeg(73).toBuffer() };
      },
      { duplicate: [['cat/a.png', 'cat/b.png']], nearDuplicate: [['cat/a.png', 'cat/c.jpg']] },
    ],
    [
      'a changed copy under another label',
      async () => ({ 'cat/a.png': await scene(74).png().toBuffer(), 'noncat/a.jpg': await jpeg(74).toBuffer() }),
      { twoLabels: [['cat/a.png', 'noncat/a.jpg']] },
    ],
    [
      'the same file under two labels',
      async () => {
        const bytes = await jpeg(60).toBuffer();
        return { 'cat/a.jpg': bytes, 'noncat/a.jpg': bytes };
      },
      { twoLabels: [['cat/a.jpg', 'noncat/a.jpg']] },
    ],
  ])('%s', async (_, plant, expected) => {
    await put(folder, await plant());
    expect(await found()).toEqual(expected);
  });
});

test.each<[string, (SplitName | null)[], string]>([
  ['in two parts', ['train', 'test'], 'leak'],
  ['in one part', ['dev', 'dev'], 'nearDuplicate'],
  ['of which one is in no part', ['train', null], 'nearDuplicate'],
])('a picture and its copy %s', async (_, parts, expected) => {
  await put(folder, { 'cat/copy.jpg': await scene(0).jpeg().toBuffer() });
  const survey = await surveyOf(folder);
  const copy = (i: number) => ['cat/copy.jpg', 'cat/scene-0.png'].indexOf(nameOf(survey, i));
  const found = findAll(survey, findDuplicates(survey.perceptualHashes), (i) => (copy(i) < 0 ? 'train' : parts[copy(i)]!));
  expect(found.map(({ kind, groups }) => [kind, groups.map(({ pictures }) => pictures.length)])).toEqual([[expected, [2]]]);
});

test('a blank picture is not called dark and blurred as well', async () => {
  await put(folder, { 'cat/x.png': await solidPng([0, 0, 0], 40) });
  expect(await found()).toEqual({ blank: [['cat/x.png']] });
});

test('each finding says why', async () => {
  await put(folder, {
    'cat/a.jpg': Buffer.from('text'),
    'cat/b.png': await scene(61, { width: 200, height: 50 }).png().toBuffer(),
  });
  const whys = (await findingsOf(folder)).map(({ groups }) => groups[0]!.why);
  expect(whys).toEqual(['not a picture in a format that can be read', '200×50 pixels']);
});

test('counts, sizes and formats are those of the originals', async () => {
  await put(folder, {
    'cat/a.jpg': await scene(62, { width: 300, height: 200 }).jpeg().withMetadata({ orientation: 6 }).toBuffer(),
    'cat/broken.jpg': Buffer.from('text'),
    'noncat/b.webp': await scene(63, { width: 20, height: 30 }).webp().toBuffer(),
  });
  const { bytes, ...summary } = summarize(await surveyOf(folder), () => null);
  expect(summary).toEqual({
    total: 11,
    readable: 10,
    classes: { cat: 5, noncat: 5 },
    parts: null,
    width: { min: 20, median: 80, max: 200 }, // the first is turned by its orientation
    height: { min: 30, median: 80, max: 300 },
    sizes: 3,
    formats: { jpeg: 1, png: 8, webp: 1 },
    turned: 1,
  });
  expect(bytes.min).toBeGreaterThan(0);
  expect(bytes.min).toBeLessThan(bytes.max);
});
