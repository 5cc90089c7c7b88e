import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import { drawImage } from '../../src/data/drawn/draw.ts';
import type { ExampleSet } from '../../src/data/examples.ts';
import { splitNames } from '../../src/data/split.ts';
import { type PreparedData, prepareData } from '../../src/datasets/prepare.ts';
import { temporaryFolder } from '../cli/pictures.ts';
import { sharedData, withoutShared } from '../shared.ts';

let root: string;
const file = (index: number) =>
  sharp(Buffer.from(drawImage({ seed: 11, index, difficulty: 'hard' }).svg))
    .resize(80, 80)
    .flatten({ background: '#fff' });

/** 30 hard drawn pictures as files, half of them called cats; and copies: 3 of cat 0, one of noncat 15, one of cat 1 among the others. */
beforeAll(async () => {
  root = await temporaryFolder();
  for (const name of ['all/cat', 'all/noncat', 'train/cat', 'train/noncat', 'test/cat', 'test/noncat']) {
    await mkdir(join(root, name), { recursive: true });
  }
  const write = async (name: string, bytes: Promise<Buffer>) => writeFile(join(root, name), await bytes);
  const label = (i: number) => (i < 15 ? 'cat' : 'noncat');
  for (let i = 0; i < 30; i++) {
    await write(`all/${label(i)}/${i}.png`, file(i).png().toBuffer());
    await write(`${i % 3 === 0 ? 'test' : 'train'}/${label(i)}/${i}.png`, file(i).png().toBuffer());
  }
  for (const [k, quality] of [90, 60, 30].entries()) await write(`all/cat/0-copy-${k}.jpg`, file(0).jpeg({ quality }).toBuffer());
  await write('all/noncat/15-mirrored.png', file(15).flop().png().toBuffer());
  await write('test/cat/1-copy.jpg', file(1).jpeg().toBuffer());
  await write('train/noncat/2-copy.webp', file(2).webp().toBuffer());
});
afterAll(() => rm(root, { recursive: true }));

function prepare(data: object, seed = 1): Promise<PreparedData> {
  const config = checkConfig({ seed, data: { imageSize: 32, ...data } }, 'test');
  return prepareData({ config, folder: root, file: 'test' }, { strict: true });
}

const one = { source: { type: 'folder', path: 'all' } };
const given = { train: { type: 'folder', path: 'train' }, test: { type: 'folder', path: 'test' } };

/** Names of pictures in memory. */
const namesOf = (examples: ExampleSet | undefined) => (examples?.names ?? []) as readonly string[];

function partsOfNames({ splits: parts }: PreparedData, pattern: RegExp): string[] {
  return splitNames.filter((part) => namesOf(parts[part]).some((name) => pattern.test(name)));
}

describe('one source', () => {
  test('keeps the copies of a picture in one part, with the sizes that were asked for', async () => {
    const dividedWithout = new Set<number>();
    for (let seed = 0; seed < 12; seed++) {
      const data = await prepare({ ...one, split: { dev: 0.3, test: 0.3 } }, seed);
      expect(partsOfNames(data, /\/0(-copy-\d)?\./).length).toBe(1);
      expect(partsOfNames(data, /\/15(-mirrored)?\./).length).toBe(1);
      expect(splitNames.map((part) => data.splits[part]!.labels.length)).toEqual([14, 10, 10]); // round(0.3 · 34) = 10
      const without = await prepare({ ...one, split: { dev: 0.3, test: 0.3 }, duplicates: 'ignore' }, seed);
      if (partsOfNames(without, /\/0(-copy-\d)?\./).length > 1) dividedWithout.add(seed);
      expect(without.notes).toEqual([]);
    }
    expect(dividedWithout.size).toBeGreaterThan(6);
  });

  test('names them in a note', async () => {
    const { notes } = await prepare(one);
    expect(notes.length).toBe(1);
    expect(notes[0]).toMatch(/^data: 4 pictures are copies of others in the same part: /);
    expect(notes[0]).toMatch(/cat\/0-copy-0\.jpg \((train|dev|test)\) = cat\/0-copy-1\.jpg/);
    expect(notes[0]).toMatch(/noncat\/15-mirrored\.png .*, mirrored/);
  });

  test('keeps them in one fold', async () => {
    for (let seed = 0; seed < 6; seed++) {
      const { splits: parts, folds } = await prepare({ ...one, split: { folds: 4 } }, seed);
      const foldsOf = (pattern: RegExp) => new Set([...folds!.of].filter((_, i) => pattern.test(namesOf(parts.train)[i]!)));
      expect(foldsOf(/\/0(-copy-\d)?\./).size).toBe(1);
      expect(foldsOf(/\/15(-mirrored)?\./).size).toBe(1);
    }
  });

  test('keeps them in one part by hash too, and says whom that moves', async () => {
    const seen: string[] = [];
    for (let seed = 0; seed < 12; seed++) {
      const data = await prepare({ ...one, split: { dev: 0.3, test: 0.3, method: 'hash' } }, seed);
      expect(partsOfNames(data, /\/0(-copy-\d)?\./).length).toBe(1);
      seen.push(...data.notes.filter((note) => note.startsWith('data.split:')));
    }
    expect(seen.length).toBeGreaterThan(6);
    expect(seen[0]).toMatch(
      /not stand where the hash of its content says: .* is in (train|dev|test), as a copy of one there, not in /,
    );
  });

  test('of drawn pictures is not suspected, however alike they are', async () => {
    const data = await prepare({ source: { type: 'drawn', count: 600 } });
    expect(data.notes).toEqual([]);
  });
});

describe('parts that the user gives', () => {
  test('stay as they are; copies across them and across labels are named', async () => {
    const { splits: parts, notes } = await prepare(given);
    expect([parts.train.labels.length, parts.test!.labels.length]).toEqual([21, 11]);
    expect(notes).toEqual([
      'data: 1 picture stands under both labels, so one of them is wrong: cat/2.png (cat) = noncat/2-copy.webp (noncat), nearly the same',
      'data: 1 picture stands in two parts, so what was learnt by heart looks like success: cat/1.png (train) = cat/1-copy.jpg (test), nearly the same',
    ]);
  });

  test('of which dev is cut from train: copies within train are kept together', async () => {
    for (let seed = 0; seed < 8; seed++) {
      const data = await prepare({ train: one.source, test: given.test, split: { dev: 0.3 } }, seed);
      const within = partsOfNames({ ...data, splits: { ...data.splits, test: undefined } as never }, /\/0(-copy-\d)?\./);
      expect(within.length).toBe(1);
    }
  });

  test.skipIf(sharedData === null)(`of the course: picture 146 of train is 17 of test (${withoutShared})`, async () => {
    const at = (part: string) => ({ type: 'hdf5', path: `${sharedData}/course-catvnoncat/${part}_catvnoncat.h5` });
    const { notes } = await prepare({ train: at('train'), test: at('test'), imageSize: 64 });
    expect(notes).toContain(
      'data: 1 picture stands in two parts, so what was learnt by heart looks like success: 146 (train) = 17 (test), the same pixels',
    );
  });
});
