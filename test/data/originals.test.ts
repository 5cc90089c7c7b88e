import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as hdf5 from 'h5wasm/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contentHash } from '../../src/data/content-hash.ts';
import { inspectImage } from '../../src/data/decode.ts';
import type { EncodedImage } from '../../src/data/image.ts';
import type { Source } from '../../src/data/source.ts';
import { openSource, type SourceChoice, type SourceType } from '../../src/data/sources/sources.ts';
import { UserError } from '../../src/errors.ts';
import { busyJpeg, painted, picture, type Rgb, solidPng } from './pictures.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-originals-'));
  for (const [label, colour] of Object.entries({ cat: [200, 10, 10], noncat: [10, 10, 200] } as Record<string, Rgb>)) {
    await mkdir(join(folder, 'pictures', label), { recursive: true });
    await writeFile(join(folder, 'pictures', label, 'a.png'), await solidPng(colour));
  }
  await writeFile(join(folder, 'table.csv'), 'path,label\npictures/cat/a.png,cat\npictures/noncat/a.png,noncat\n');
  await hdf5.ready;
  const file = new hdf5.File(join(folder, 'file.h5'), 'w');
  file.create_dataset({ name: 'x', data: painted(8, 16, (row, column) => [row, column, 9]), shape: [2, 8, 8, 3] });
  file.create_dataset({ name: 'y', data: Int32Array.from([0, 1]), shape: [2] });
  file.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the original of a picture', () => {
  const choices: { [T in SourceType]?: SourceChoice } = {
    folder: { type: 'folder', path: 'pictures' },
    csv: { type: 'csv', path: 'table.csv' },
    hdf5: { type: 'hdf5', path: 'file.h5' },
    drawn: { type: 'drawn', count: 2, seed: 1, difficulty: 'easy' },
  };
  const open = (choice: SourceChoice): Promise<Source> =>
    openSource('path' in choice ? { ...choice, path: join(folder, choice.path) } : choice);

  test.each(Object.entries(choices))('of a %s source has the hash that training notes', async (_, choice) => {
    const source = await open(choice);
    expect(source.count).toBe(2);
    for (let i = 0; i < source.count; i++) {
      const original: EncodedImage = await source.original(i);
      const { hash } = await source.read(i, { imageSize: 8, fit: 'cover' });
      expect(contentHash('file' in original ? original.file : original.pixels)).toBe(hash);
    }
  });
});

describe('a look at a picture', () => {
  const slope = (row: number, column: number): Rgb => [row * 3, column * 2, 100];
  const encode = () => picture(60, 40, slope);

  test.each(['jpeg', 'png', 'webp', 'gif', 'tiff'] as const)(
    'says that it is %s, how large, and in how many bytes',
    async (format) => {
      const file = await encode().toFormat(format).toBuffer();
      const { small, ...facts } = await inspectImage({ file }, 128);
      expect(facts).toEqual({ width: 60, height: 40, format, turned: false, bytes: file.length });
      expect([small.width, small.height, small.pixels.length]).toEqual([60, 40, 60 * 40 * 3]);
    },
  );

  test('leaves the pixels of a small one as they are', async () => {
    const { small } = await inspectImage({ file: await encode().png().toBuffer() }, 60);
    expect(Buffer.from(small.pixels).equals(painted(60, 40, slope))).toBe(true);
  });

  test('shrinks the whole of a larger one, cutting nothing off', async () => {
    const halves = picture(200, 100, (_, column) => (column < 100 ? [255, 0, 0] : [0, 0, 255]));
    const { small, width, height } = await inspectImage({ file: await halves.png().toBuffer() }, 20);
    expect([width, height, small.width, small.height]).toEqual([200, 100, 20, 10]);
    const at = (column: number) => Array.from(small.pixels.subarray(column * 3, column * 3 + 3));
    expect([at(0), at(19)]).toEqual([
      [255, 0, 0],
      [0, 0, 255],
    ]);
  });

  test('sees it upright, and says that it was turned', async () => {
    const file = await encode().jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const { width, height, turned, small } = await inspectImage({ file }, 30);
    expect({ width, height, turned }).toEqual({ width: 40, height: 60, turned: true });
    expect([small.width, small.height]).toEqual([20, 30]);
  });

  test('takes pixels as well as files', async () => {
    const { small, ...facts } = await inspectImage({ pixels: painted(60, 40, slope), width: 60, height: 40 }, 30);
    expect(facts).toEqual({ width: 60, height: 40, format: 'pixels', turned: false, bytes: 60 * 40 * 3 });
    expect([small.width, small.height]).toEqual([30, 20]);
  });

  test('refuses what decoding refuses, with the reason', async () => {
    const reasonFor = (file: Uint8Array) =>
      inspectImage({ file }, 64).then(
        () => 'none',
        (error: unknown) => (error instanceof UserError && error.kind === 'data' ? error.message : 'another error'),
      );
    const jpeg = await busyJpeg();
    expect(await reasonFor(jpeg.subarray(0, jpeg.length / 2))).toBe('the file is cut off or damaged');
    expect(await reasonFor(Buffer.from('text'))).toBe('not a picture in a format that can be read');
    expect(await reasonFor(await solidPng([1, 2, 3], 7))).toBe('7×7 pixels: a side is below the minimum of 8');
  });
});
