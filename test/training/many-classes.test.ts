import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import hdf5 from 'h5wasm/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import type { Examples } from '../../src/data/examples.ts';
import { packSource } from '../../src/data/packed/write.ts';
import { scratchIn } from '../../src/data/scratch.ts';
import { openSource } from '../../src/data/sources/sources.ts';
import { splitNames } from '../../src/data/split.ts';
import { openData } from '../../src/datasets/open.ts';
import { prepareData } from '../../src/datasets/prepare.ts';
import { type ExitKind, UserError } from '../../src/errors.ts';
import { namedRandom } from '../../src/random.ts';
import { temporaryFolder } from '../cli/pictures.ts';
import { zipOf } from '../data/archives.ts';
import { painted, picture } from '../data/pictures.ts';

/** One class against the others together, from every source that can have more than two. */

const sizes = { bird: 10, cat: 20, dog: 45 };
const total = 75;
const side = 8;
const classNames = Object.keys(sizes);
const rows = Object.entries(sizes).flatMap(([name, count]) =>
  Array.from({ length: count }, (_, i) => ({ name, file: `${name}/${String(i).padStart(2, '0')}.png` })),
);
/** The pixels of each, so that it is told wherever it stands: pictures in HDF5 have numbers for names. */
const noises = rows.map((_, index) => {
  const random = namedRandom(index, 'noise');
  return painted(side, side, () => [random.integer(255), random.integer(255), random.integer(255)]);
});
const byPixels = new Map(noises.map((pixels, index) => [pixels.join(), index]));

let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
  for (const [index, { file }] of rows.entries()) await put('photos', file, await pngOf(noises[index]!));
  const table = rows.map(({ name, file }) => `photos/${file},${name}\n`);
  await writeFile(join(root, 'table.csv'), `path,label\n${table.join('')}`);
  const entries = rows.map(async ({ file }) => ({ name: file, data: await readFile(join(root, 'photos', file)) }));
  await writeFile(join(root, 'photos.zip'), zipOf(await Promise.all(entries)));
  await hdf5.ready;
  const file = new hdf5.File(join(root, 'photos.h5'), 'w');
  file.create_dataset({ name: 'x', data: Uint8Array.from(noises.flatMap((one) => [...one])), shape: [total, side, side, 3] });
  const labels = rows.map(({ name }) => BigInt(classNames.indexOf(name)));
  file.create_dataset({ name: 'y', data: BigInt64Array.from(labels), shape: [total], dtype: '<q' });
  file.create_dataset({ name: 'list_classes', data: classNames, shape: [3], dtype: 'S4' });
  file.close();
  const options = { preprocessing: { imageSize: side, fit: 'cover' }, positive: 'cat', order: 'source' } as const;
  const source = await openSource({ type: 'folder', path: join(root, 'photos') });
  await packSource(source, { ...options, path: join(root, 'p.safetensors'), description: 'x', force: false, strict: true });
  for (const name of ['cat', 'dog', 'noncat'])
    for (const i of [0, 1, 2])
      await put('others', `${name}/${i}.png`, await pngOf(painted(side, side, () => [i, name.length, 99])));
  for (const [pair, names] of Object.entries({ 'cat-dog': ['cat', 'dog'], 'cat-noncat': ['cat', 'noncat'], one: ['cat'] }))
    for (const name of names)
      for (const i of [0, 1]) await put(pair, `${name}/${i}.png`, await readFile(join(root, 'others', name, `${i}.png`)));
});
afterAll(() => rm(root, { recursive: true }));

async function put(folder: string, file: string, bytes: Uint8Array): Promise<void> {
  await mkdir(join(root, folder, file.split('/')[0]!), { recursive: true });
  await writeFile(join(root, folder, file), bytes);
}

const pngOf = (pixels: Uint8Array) =>
  picture(side, side, (row, column) => {
    const at = (row * side + column) * 3;
    return [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
  })
    .png()
    .toBuffer();

const sources = {
  folder: { type: 'folder', path: 'photos' },
  csv: { type: 'csv', path: 'table.csv' },
  archive: { type: 'archive', path: 'photos.zip' },
  hdf5: { type: 'hdf5', path: 'photos.h5' },
  packed: { type: 'packed', path: 'p.safetensors' },
};

const load = (data: object) => ({
  config: checkConfig({ data: { imageSize: side, ...data } }, 'test'),
  folder: root,
  file: 'test',
});
const prepare = (data: object, options = {}) => prepareData(load(data), { strict: true, ...options });

/** How many pictures of each class a part has; their labels must be those of that positive class. */
function classesIn(part: Examples, positive: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < part.labels.length; i++) {
    const { name } = rows[byPixels.get(part.pixels.subarray(i * part.features, (i + 1) * part.features).join())!]!;
    expect(part.labels[i]).toBe(name === positive ? 1 : 0);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe.each(Object.entries(sources))('%s', (type, source) => {
  test.each(['cat', 'dog'])('%s against the others, and each class in its share in each part', async (positive) => {
    const { splits: parts, classes, others } = await prepare({ source: { ...source, positive }, split: { dev: 0.2, test: 0.2 } });
    expect(classes).toEqual({ positive, negative: `non${positive}` });
    expect(others).toEqual(classNames.filter((name) => name !== positive));
    expect(classesIn(parts.train as Examples, positive)).toEqual({ bird: 6, cat: 12, dog: 27 });
    expect(classesIn(parts.dev as Examples, positive)).toEqual({ bird: 2, cat: 4, dog: 9 });
    expect(classesIn(parts.test as Examples, positive)).toEqual({ bird: 2, cat: 4, dog: 9 });
  });

  test('on the disk the parts are those of memory', async () => {
    const data = { source: { ...source, positive: 'cat' } };
    const scratch = scratchIn([join(root, 'scratch')]);
    const [stored, held] = [await prepare({ ...data, memory: 0 }, { scratch }), await prepare(data)];
    for (const part of splitNames) {
      const names = await stored.splits[part]!.names.slice(0, stored.splits[part]!.labels.length);
      expect(names).toEqual((held.splits[part] as Examples).names);
      expect(stored.splits[part]!.labels).toEqual(held.splits[part]!.labels);
    }
    scratch.close();
  });

  test('folds hold each class in its share', async () => {
    const { splits: parts, folds } = await prepare({ source: { ...source, positive: 'cat' }, split: { folds: 5 } });
    const { labels, pixels, features } = parts.train as Examples;
    for (let fold = 0; fold < 5; fold++) {
      const members = [...labels.keys()].filter((i) => folds!.of[i] === fold);
      const taken = Uint8Array.from(members.flatMap((i) => [...pixels.subarray(i * features, (i + 1) * features)]));
      const own = { features, pixels: taken, labels: Uint8Array.from(members, (i) => labels[i]!), names: [], hashes: [] };
      expect(classesIn(own, 'cat')).toEqual({ bird: 2, cat: 4, dog: 9 });
    }
  });

  test.skipIf(type === 'packed')('none is chosen by itself, though one is called cat', async () => {
    for (const onlyLooks of [false, true]) {
      const error = await openData(load({ source }), onlyLooks).catch((found: unknown) => found);
      expect(error).toMatchObject({
        kind: 'data',
        message: expect.stringContaining('expected two classes, found 3: bird, cat, dog'),
      });
      expect((error as UserError).hint).toContain('"positive": "cat"');
    }
  });
});

test('a packed file has the class that was named when it was packed, unless the config names another', async () => {
  expect((await prepare({ source: sources.packed })).classes).toEqual({ positive: 'cat', negative: 'noncat' });
  expect((await prepare({ source: { ...sources.packed, positive: 'bird' } })).classes.positive).toBe('bird');
});

describe('where a part has a source of its own', () => {
  const folder = (path: string) => ({ type: 'folder', path, positive: 'cat' });

  test.each(['cat-dog', 'cat-noncat', 'photos'])('whatever is not positive is negative in all of them: %s', async (path) => {
    const { classes, splits: parts } = await prepare({ train: folder('photos'), dev: folder(path), test: folder('cat-noncat') });
    expect(classes).toEqual({ positive: 'cat', negative: 'noncat' });
    const names = await parts.dev!.names.slice(0, parts.dev!.labels.length);
    expect([...parts.dev!.labels]).toEqual(names.map((name) => (name.startsWith('cat/') ? 1 : 0)));
  });

  test.each<[string, object, ExitKind, RegExp]>([
    [
      'another positive',
      { dev: { ...folder('cat-dog'), positive: 'dog' } },
      'data',
      /data\.dev: expected the classes of data\.train, cat and noncat, found dog and nondog/,
    ],
    ['no positive', { dev: { type: 'folder', path: 'photos' } }, 'data', /photos: expected two classes, found 3/],
    ['one class', { dev: folder('one') }, 'data', /one: expected two classes, found 1: cat/],
    ['a class that is called like all of them', { dev: folder('others') }, 'data', /others: expected no class called noncat/],
  ])('%s in one: refused before a picture is read', async (_, parts, kind, message) => {
    const reads: string[] = [];
    const onProgress = (source: string) => void reads.push(source);
    const error = await prepare({ train: folder('photos'), ...parts }, { onProgress }).catch((found: unknown) => found);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).kind).toBe(kind);
    expect((error as UserError).message).toMatch(message);
    expect(reads).toEqual([]);
  });

  test('of two classes each, they must be the same, as ever', async () => {
    const data = { train: folder('cat-noncat'), dev: folder('cat-dog') };
    await expect(prepare(data)).rejects.toThrow('expected the classes of data.train, cat and noncat, found cat and dog');
  });
});

test('training on one class stays refused, and says why, with what was passed over: another class may be among that', async () => {
  await put('one', 'cat/readme.md', Buffer.from('text'));
  const error = await prepare({ source: { type: 'folder', path: 'one' } }).catch((found: unknown) => found);
  expect(error).toMatchObject({ kind: 'data', message: expect.stringContaining('one: expected two classes, found 1: cat') });
  expect((error as UserError).hint).toMatch(
    /one folder for each class, such as noncat beside cat: what is learnt is what tells them apart\. \(.*passed over .*\)$/,
  );
});
