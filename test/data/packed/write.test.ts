import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadExamples } from '../../../src/data/load.ts';
import { packSource } from '../../../src/data/packed/write.ts';
import type { Source } from '../../../src/data/source.ts';
import { openSource } from '../../../src/data/sources/sources.ts';
import { UserError } from '../../../src/errors.ts';
import { openFilesIn } from '../../run/open-files.ts';
import { noiseSource } from './sources.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-pack-'));
});
afterEach(() => rm(folder, { recursive: true }));

const small = { imageSize: 8, fit: 'cover' } as const;
/** so large that a group of 8 MB holds two of them */
const large = { imageSize: 1024, fit: 'cover' } as const;

type Changes = Partial<Parameters<typeof packSource>[1]>;

function pack(source: Source, name: string, changes: Changes = {}) {
  return packSource(source, {
    path: join(folder, name),
    preprocessing: small,
    positive: undefined,
    description: 'noise',
    order: 'source',
    force: false,
    strict: false,
    ...changes,
  });
}

const read = async (name: string, preprocessing: typeof small | typeof large = small) => {
  const source = await openSource({ type: 'packed', path: join(folder, name) });
  return loadExamples(source, { preprocessing, positive: undefined, strict: true });
};

test('a packed file holds what its source gives: pixels, labels, names, hashes, in order', async () => {
  const source = noiseSource(50);
  const packed = await pack(source, 'a.safetensors');
  expect(packed).toMatchObject({ count: 50, positive: 17, failures: [], resumed: 0 });
  const plain = await loadExamples(noiseSource(50), { preprocessing: small, positive: undefined, strict: true });
  expect(await read('a.safetensors')).toEqual(plain);
  expect(await readdir(folder)).toEqual(['a.safetensors']);
});

test('picture by picture it reads the same', async () => {
  await pack(noiseSource(10), 'a.safetensors');
  const source = await openSource({ type: 'packed', path: join(folder, 'a.safetensors') });
  const plain = noiseSource(10);
  for (const i of [9, 0, 4]) {
    expect(await source.read(i, small)).toEqual(await plain.read(i, small));
    expect(source.name(i)).toBe(plain.name(i));
    expect(source.classOf(i)).toBe(plain.classOf(i));
  }
});

test('pictures that cannot be read are listed and left out', async () => {
  const packed = await pack(noiseSource(9, { bad: [0, 5] }), 'a.safetensors');
  expect(packed.count).toBe(7);
  expect(packed.failures).toEqual([
    { name: 'a folder/Bild 0 – ä.png', reason: 'the file is cut off' },
    { name: 'a folder/Bild 5 – ä.png', reason: 'the file is cut off' },
  ]);
  const { examples } = await read('a.safetensors');
  expect(examples.names).toEqual([1, 2, 3, 4, 6, 7, 8].map((i) => `a folder/Bild ${i} – ä.png`));
  await expect(pack(noiseSource(9, { bad: [5] }), 'b.safetensors', { strict: true })).rejects.toThrow(/1 of 9 are not/);
});

test('a shuffled order holds every picture once, the same ones for the same seed', async () => {
  await pack(noiseSource(40), 'a.safetensors', { order: { seed: 3 } });
  await pack(noiseSource(40), 'b.safetensors', { order: { seed: 3 } });
  await pack(noiseSource(40), 'c.safetensors', { order: { seed: 4 } });
  const plain = await loadExamples(noiseSource(40), { preprocessing: small, positive: undefined, strict: true });
  const { examples } = await read('a.safetensors');
  expect([...examples.names].sort()).toEqual([...plain.examples.names].sort());
  for (const [at, name] of examples.names.entries()) {
    const i = plain.examples.names.indexOf(name);
    expect(examples.hashes[at]).toBe(plain.examples.hashes[i]);
    expect(examples.labels[at]).toBe(plain.examples.labels[i]);
  }
  const bytes = (name: string) => readFile(join(folder, name));
  expect((await bytes('a.safetensors')).equals(await bytes('b.safetensors'))).toBe(true);
  expect((await bytes('a.safetensors')).equals(await bytes('c.safetensors'))).toBe(false);
});

test('the other class can be the positive one, when packing and when reading', async () => {
  await pack(noiseSource(9), 'a.safetensors', { positive: 'dog' });
  const source = await openSource({ type: 'packed', path: join(folder, 'a.safetensors') });
  const labels = async (positive?: string) =>
    [...(await loadExamples(source, { preprocessing: small, positive, strict: true })).examples.labels].join('');
  expect(await labels('dog')).toBe('011011011');
  expect(await labels('cat')).toBe('100100100');
});

describe('of more than two classes', () => {
  const names = ['bird', 'cat', 'dog'];
  /** Every third picture is a bird, a cat, a dog. */
  const three = (count: number, changes: Partial<Source> = {}): Source => ({
    ...noiseSource(count),
    classes: names,
    classOf: (i) => i % 3,
    ...changes,
  });
  const labels = async (source: Source, positive?: string) =>
    [...(await loadExamples(source, { preprocessing: small, positive, strict: true })).examples.labels].join('');

  test('one must be named, and all are kept', async () => {
    await expect(pack(three(9), 'a.safetensors')).rejects.toThrow('expected two classes, found 3: bird, cat, dog');
    expect(await pack(three(10), 'a.safetensors', { positive: 'cat' })).toMatchObject({ count: 10, positive: 3 });
    const source = await openSource({ type: 'packed', path: join(folder, 'a.safetensors') });
    expect(source.classes).toEqual(names);
    expect(Array.from({ length: 10 }, (_, i) => source.classOf(i))).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
    const options = { preprocessing: small, positive: 'cat', strict: true };
    expect(await loadExamples(source, options)).toEqual(await loadExamples(three(10), options));
  });

  test('another may be positive when reading', async () => {
    await pack(three(9), 'a.safetensors', { positive: 'cat' });
    const source = await openSource({ type: 'packed', path: join(folder, 'a.safetensors') });
    expect(source.positive).toBe('cat');
    expect(await labels(source, 'dog')).toBe('001001001');
    await expect(labels(source, 'cow')).rejects.toThrow('expected one class called "cow", found bird, cat, dog');
  });

  test('the classes of pictures that cannot be read are left out with them', async () => {
    const bad = three(9, { read: noiseSource(9, { bad: [1, 5] }).read });
    expect(await pack(bad, 'a.safetensors', { positive: 'cat' })).toMatchObject({ count: 7, positive: 2 });
    const source = await openSource({ type: 'packed', path: join(folder, 'a.safetensors') });
    expect(Array.from({ length: 7 }, (_, i) => source.classOf(i))).toEqual([0, 2, 0, 1, 0, 1, 2]);
  });

  test('a packing that was broken off goes on, unless a class has changed within the negative ones', async () => {
    const changes = { positive: 'cat', preprocessing: large };
    await pack(three(12), 'whole.safetensors', changes);
    await breakOff(three(12), 'a.safetensors', 8, changes);
    const relabelled = three(12, { classOf: (i) => (i === 0 ? 2 : i % 3) });
    await expect(pack(relabelled, 'a.safetensors', changes)).rejects.toThrow('Bild 0 – ä.png has another label');
    expect((await pack(three(12), 'a.safetensors', changes)).resumed).toBeGreaterThan(0);
    const bytes = (name: string) => readFile(join(folder, name));
    expect((await bytes('a.safetensors')).equals(await bytes('whole.safetensors'))).toBe(true);
  });

  test('and without a picture of the positive one: refused', async () => {
    const none = three(9, { classOf: (i) => (i % 2) * 2 });
    await expect(pack(none, 'a.safetensors', { positive: 'cat' })).rejects.toThrow('expected pictures of class cat');
    expect(await readdir(folder)).toEqual([]);
  });
});

test('a file of that name is not overwritten, unless it is wished', async () => {
  await pack(noiseSource(9), 'a.safetensors');
  await expect(pack(noiseSource(12), 'a.safetensors')).rejects.toMatchObject({ kind: 'usage' });
  await pack(noiseSource(12), 'a.safetensors', { force: true });
  expect((await read('a.safetensors')).examples.labels).toHaveLength(12);
});

test('what has no picture of a class is refused, and leaves nothing behind', async () => {
  await expect(pack(noiseSource(3, { bad: [0] }), 'a.safetensors')).rejects.toMatchObject({
    kind: 'data',
    message:
      'noise: expected pictures of class cat, found none that can be read; the first of 1 that failed: a folder/Bild 0 – ä.png: the file is cut off',
  });
  expect(await readdir(folder)).toEqual([]);
});

/** Packs until so many pictures are done. */
async function breakOff(source: Source, name: string, after: number, changes: Changes = {}) {
  const stop = new Error('stop');
  const onProgress = (done: number) => {
    if (done === after) throw stop;
  };
  await expect(pack(source, name, { preprocessing: large, ...changes, onProgress })).rejects.toBe(stop);
}

test('a packing that was broken off goes on to the same bytes, without what is done', async () => {
  await pack(noiseSource(9, { bad: [2] }), 'whole.safetensors', { preprocessing: large });
  await breakOff(noiseSource(9, { bad: [2] }), 'a.safetensors', 5);
  expect((await readdir(folder)).sort()).toEqual(['a.safetensors.partial', 'a.safetensors.partial.list', 'whole.safetensors']);
  const again = noiseSource(9, { bad: [2] });
  const packed = await pack(again, 'a.safetensors', { preprocessing: large });
  expect(packed).toMatchObject({ count: 8, resumed: 4, failures: [{ reason: 'the file is cut off' }] });
  expect(again.reads).toEqual([2, 5, 6, 7, 8]); // the one that could not be read is tried again
  const bytes = (name: string) => readFile(join(folder, name));
  expect((await bytes('a.safetensors')).equals(await bytes('whole.safetensors'))).toBe(true);
});

test.each<[string, (file: Buffer) => Buffer, number]>([
  ['a damaged pixel', (file) => file.fill(file[4096 + 2 * 3_145_728]! ^ 1, 4096 + 2 * 3_145_728, 4097 + 2 * 3_145_728), 2],
  ['pixels that never reached the disk', (file) => file.subarray(0, 4096 + 3 * 3_145_728), 2],
  ['no pixels at all', () => Buffer.alloc(0), 0],
])('%s is noticed, and packed again from there', async (_, damage, kept) => {
  await pack(noiseSource(8), 'whole.safetensors', { preprocessing: large });
  await breakOff(noiseSource(8), 'a.safetensors', 6);
  const partial = join(folder, 'a.safetensors.partial');
  await writeFile(partial, damage(await readFile(partial)));
  const again = noiseSource(8);
  expect(await pack(again, 'a.safetensors', { preprocessing: large })).toMatchObject({ resumed: kept });
  expect(again.reads[0]).toBe(kept);
  const bytes = (name: string) => readFile(join(folder, name));
  expect((await bytes('a.safetensors')).equals(await bytes('whole.safetensors'))).toBe(true);
});

test.each<[string, (list: string) => string, number]>([
  ['a list that is cut off within a line', (list) => list.slice(0, -20), 4],
  ['a changed line', (list) => list.replace('Bild 2 ', 'Bild 7 '), 2],
  ['an empty list', () => '', 0],
])('%s counts as far as it is sound', async (_, damage, kept) => {
  await breakOff(noiseSource(8), 'a.safetensors', 6);
  const list = join(folder, 'a.safetensors.partial.list');
  await writeFile(list, damage(await readFile(list, 'utf8')));
  expect(await pack(noiseSource(8), 'a.safetensors', { preprocessing: large })).toMatchObject({ count: 8, resumed: kept });
  const { examples } = await read('a.safetensors', large);
  const plain = await loadExamples(noiseSource(8), { preprocessing: large, positive: undefined, strict: true });
  expect(examples.hashes).toEqual(plain.examples.hashes);
  expect(Buffer.from(examples.pixels).equals(Buffer.from(plain.examples.pixels))).toBe(true);
});

test('what another packing began is not gone on with', async () => {
  await breakOff(noiseSource(8), 'a.safetensors', 4);
  await expect(pack(noiseSource(8), 'a.safetensors')).rejects.toMatchObject({ kind: 'usage' }); // of another size
  const renamed = { ...noiseSource(8), name: (i: number) => `other ${i}` };
  await expect(pack(renamed, 'a.safetensors', { preprocessing: large })).rejects.toThrow(/found others: a folder\/Bild 0/);
  expect(await pack(renamed, 'a.safetensors', { preprocessing: large, force: true })).toMatchObject({ resumed: 0 });
});

const noise = noiseSource(8);
test.each<[string, Partial<Source>, string]>([
  ['a corrected label', { classOf: (i) => (i === 1 ? 0 : noise.classOf(i)) }, 'Bild 1 – ä.png has another label'],
  ['a replaced picture', { original: (i) => noise.original(i === 3 ? 4 : i) }, 'Bild 3 – ä.png has another content'],
  [
    'a picture that is gone',
    { original: (i) => (i === 3 ? Promise.reject(new UserError('data', 'no such file')) : noise.original(i)) },
    "Bild 3 – ä.png can't be read: no such file",
  ],
  ['a mended picture', { read: (i, how) => noise.read(i, how) }, 'Bild 2 – ä.png can be read now'],
])('%s since a packing was broken off is noticed, and nothing lost', async (_, change, reason) => {
  await breakOff(noiseSource(8, { bad: [2] }), 'a.safetensors', 6);
  const before = await readdir(folder);
  const source = { ...noiseSource(8, { bad: [2] }), ...change };
  const error = await pack(source, 'a.safetensors', { preprocessing: large }).catch((found: unknown) => found);
  expect(error).toMatchObject({ kind: 'data', hint: 'Begin anew with --force.' });
  expect((error as UserError).message).toBe(
    `noise: expected the pictures of the packing that was broken off, found others: a folder/${reason}`,
  );
  expect(await readdir(folder)).toEqual(before);
  expect(await pack(noiseSource(8, { bad: [2] }), 'a.safetensors', { preprocessing: large })).toMatchObject({ resumed: 5 });
});

test('a packing of packed pictures goes on as well', async () => {
  await pack(noiseSource(9), 'first.safetensors', { preprocessing: large });
  const source = await openSource({ type: 'packed', path: join(folder, 'first.safetensors') });
  await breakOff(source, 'a.safetensors', 5);
  expect(await pack(source, 'a.safetensors', { preprocessing: large })).toMatchObject({ count: 9, resumed: 5 });
  expect((await read('a.safetensors', large)).examples.hashes).toEqual((await read('first.safetensors', large)).examples.hashes);
});

test('a mistake in the program is not taken for a disk that refuses', async () => {
  const mistake = Object.assign(new RangeError('out of range'), { code: 'ERR_OUT_OF_RANGE' });
  const source: Source = { ...noiseSource(4), read: () => Promise.reject(mistake) };
  await expect(pack(source, 'a.safetensors')).rejects.toBe(mistake);
  await expect(pack(noiseSource(4), 'none/a.safetensors')).rejects.toMatchObject({
    kind: 'data',
    message: expect.stringContaining("can't be written: no such file or folder"),
  });
});

test('a list that cannot be opened is an error, and leaves nothing open', async () => {
  await mkdir(join(folder, 'a.safetensors.partial.list'));
  await expect(pack(noiseSource(4), 'a.safetensors')).rejects.toThrow("can't be written: it is a folder");
  expect(await openFilesIn(folder)).toEqual([]);
});
