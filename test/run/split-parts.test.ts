import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { contentHash } from '../../src/data/content-hash.ts';
import type { Examples } from '../../src/data/examples.ts';
import { UserError } from '../../src/errors.ts';
import {
  readSplit,
  readSplitPart,
  readTrained,
  splitDigest,
  splitFileName,
  splitRows,
  writeSplit,
  writtenSplitDigest,
} from '../../src/run/split-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-split-'));
});
afterEach(() => rm(folder, { recursive: true }));

const classes = { positive: 'cat', negative: 'dog' };

/** Examples without pixels, by their numbers: only who they are matters here. */
function examples(...numbers: number[]): Examples {
  return {
    features: 0,
    pixels: new Uint8Array(),
    labels: Uint8Array.from(numbers, (n) => n % 2),
    names: numbers.map((n) => `picture ${n}`),
    hashes: numbers.map((n) => `hash ${n}`),
  };
}
const row = (n: number, part: 'train' | 'dev' | 'test') => ({ name: `picture ${n}`, hash: `hash ${n}`, label: n % 2, part });

test('the rows of a split are those of its parts: train, dev, test', async () => {
  const parts = { test: examples(5), train: examples(1, 2), dev: examples(3) };
  const rows = [row(1, 'train'), row(2, 'train'), row(3, 'dev'), row(5, 'test')];
  expect(await splitRows(parts)).toEqual(rows);
  await writeSplit(folder, parts, classes);
  expect(await readSplit(folder, classes)).toEqual(rows);
});

test('more pictures than are in memory at a time are all there, in their order', async () => {
  const count = 3 * 4096 + 1;
  const numbers = Array.from({ length: count }, (_, i) => i);
  const rows = await splitRows({ train: examples(...numbers) });
  expect(rows).toEqual(numbers.map((n) => row(n, 'train')));
});

test('a part is read alone, with which parts there are', async () => {
  await writeSplit(folder, { train: examples(1, 2), test: examples(5, 6) }, classes);
  expect(await readSplitPart(folder, classes, 'test')).toEqual({
    rows: [row(5, 'test'), row(6, 'test')],
    present: ['train', 'test'],
  });
  expect(await readSplitPart(folder, classes, 'dev')).toEqual({ rows: [], present: ['train', 'test'] });
  expect((await readSplitPart(folder, classes, 'all')).rows).toHaveLength(4);
});

test('what a run was trained on is told by content; nobody knows without a split.csv', async () => {
  expect(await readTrained(folder, classes)).toBeNull();
  const hash = (n: number) => contentHash(Buffer.from(`${n}`));
  const hashed = (...numbers: number[]) => ({ ...examples(...numbers), hashes: numbers.map(hash) });
  await writeSplit(folder, { train: hashed(1, 2), dev: hashed(2, 3), test: hashed(4) }, classes);
  const trained = await readTrained(folder, classes);
  expect([1, 2, 3, 4, 5].filter((n) => trained!.has(hash(n)))).toEqual([1, 2]);
  await writeFile(join(folder, splitFileName), 'name,hash\na,b\n');
  await expect(readTrained(folder, classes)).rejects.toMatchObject({ kind: 'model' });
});

test.each([
  ['of no part', 'c,d,thing,nowhere', /picture \d+: expected name, hash, a label .* and a part .*, found c, d, thing, nowhere$/],
  ['of no class', 'c,d,fox,train', /picture \d+: expected name, hash, a label .*, found c, d, fox, train$/],
  ['without a hash', 'c,,thing,train', /picture \d+: expected name, hash, .*, found c, , thing, train$/],
  ['too short', 'c,d', /columns length is 4, got 2 on line \d+$/],
  ['with an open quote', '"c', /Quote Not Closed.* line \d+$/],
])('a row %s is told, wherever it stands', async (_, bad, message) => {
  const good = 'a.png,0123,thing,train\n';
  for (const [before, behind] of [
    [1, 0],
    [1, 1],
    [0, 5000],
    [5000, 5000],
  ] as const) {
    await writeFile(join(folder, 'split.csv'), `name,hash,label,part\n${good.repeat(before)}${bad}\n${good.repeat(behind)}`);
    const error = await readSplit(folder, { positive: 'cat', negative: 'thing' }).catch((found: unknown) => found);
    expect(error).toMatchObject({ kind: 'model', message: expect.stringMatching(message) });
    const place = /(?:picture|line) (\d+)/.exec((error as Error).message)![1];
    if (!bad.startsWith('"')) expect(Number(place)).toBe(before + (bad === 'c,d' ? 2 : 1));
  }
});

test('a mark tells one split from another: by pictures, their order, parts and the names of classes', async () => {
  const parts = { train: examples(1, 2), dev: examples(3) };
  const mark = await splitDigest(parts, classes);
  expect(mark).toMatch(/^[0-9a-f]{32}$/);
  expect(await writeSplit(folder, parts, classes)).toBe(mark);
  expect(await writtenSplitDigest(folder)).toBe(mark);
  const others = [
    splitDigest({ train: examples(2, 1), dev: examples(3) }, classes),
    splitDigest({ train: examples(1, 2), test: examples(3) }, classes),
    splitDigest({ train: examples(1, 4), dev: examples(3) }, classes),
    splitDigest(parts, { ...classes, negative: 'fox' }),
  ];
  for (const other of others) expect(await other).not.toBe(mark);
});

test('a split.csv that is not there, or is another, has no mark, or another', async () => {
  expect(await writtenSplitDigest(folder)).toBeNull();
  const parts = { train: examples(1) };
  const mark = await writeSplit(folder, parts, classes);
  const file = join(folder, splitFileName);
  await writeFile(file, `${await readFile(file, 'utf8')}\n`);
  expect(await writtenSplitDigest(folder)).not.toBe(mark);
});

test('a split.csv of which an editor changed the ends of some lines is read', async () => {
  const file = join(folder, splitFileName);
  await writeFile(file, 'name,hash,label,part\npicture 1,hash 1,cat,train\r\npicture 2,hash 2,dog,dev\n');
  expect(await readSplit(folder, classes)).toEqual([row(1, 'train'), row(2, 'dev')]);
});

test.each([
  ['name,hash,part\na,b,train\n', 'a, b, nothing, train'],
  ['name,hash,label\na,b,cat\n', 'a, b, cat, nothing'],
])('a table without one of the columns is refused: %j', async (text, found) => {
  await writeFile(join(folder, splitFileName), text);
  await expect(readSplit(folder, classes)).rejects.toThrow(`found ${found}`);
});

test('a split.csv that cannot be read is an error with its cause', async () => {
  await expect(readSplit(folder, classes)).rejects.toMatchObject({ exitCode: 4, cause: expect.any(Error) });
});

test('a row that is wrong is named by its number, with what was expected and what was found', async () => {
  await writeFile(join(folder, splitFileName), 'name,hash,label,part\na,b,cat,train\nc,d,cow,dev\n');
  const error = await readSplit(folder, classes).catch((found: unknown) => found);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).toBe(
    `${join(folder, splitFileName)}, picture 2: expected name, hash, a label (dog or cat) and a part (train, dev, test), found c, d, cow, dev`,
  );
});
