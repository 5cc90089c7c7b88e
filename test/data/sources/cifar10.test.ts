import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { contentHash } from '../../../src/data/content-hash.ts';
import type { Cifar10Options } from '../../../src/data/sources/cifar10.ts';
import { openSource } from '../../../src/data/sources/sources.ts';
import { readJson, run, temporaryFolder, writeJson } from '../../cli/pictures.ts';
import { tarOf } from '../archives.ts';

const preprocessing = { imageSize: 32, fit: 'cover' } as const;
const names = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');
const meta = Buffer.from(`${names.join('\n')}\n\n`);

/** A record: red rises with the place in its plane, green falls, blue is `blue`. */
function record(label: number, blue: number): Buffer {
  const bytes = Buffer.alloc(3073, blue);
  bytes[0] = label;
  for (let k = 0; k < 1024; k++) {
    bytes[1 + k] = k % 256;
    bytes[1 + 1024 + k] = 255 - (k % 256);
  }
  return bytes;
}

const labels = { data_batch_1: [3, 5, 0], data_batch_2: [9, 3], data_batch_10: [3], test_batch: [5, 3] };

/** The files of the official layout, with fewer pictures. */
function files(): { name: string; data: Buffer }[] {
  const batches = Object.entries(labels).map(([name, list], k) => ({
    name: `${name}.bin`,
    data: Buffer.concat(list.map((label, i) => record(label, k * 10 + i))),
  }));
  return [...batches.toReversed(), { name: 'batches.meta.txt', data: meta }, { name: 'readme.html', data: Buffer.from('<p>') }];
}

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder, 'cifar-10-batches-bin');
  await mkdir(path);
  for (const { name, data } of files()) await writeFile(join(path, name), data);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function writeTar(): Promise<string> {
  const tar = join(folder, 'cifar-10-binary.tar.gz');
  const entries = files().map(({ name, data }) => ({ name: `cifar-10-batches-bin/${name}`, data }));
  await writeFile(tar, gzipSync(tarOf([{ name: 'cifar-10-batches-bin/', type: '5' }, ...entries])));
  return tar;
}

async function open(options: Partial<Cifar10Options> = {}) {
  const source = await openSource({ type: 'cifar10', path, ...options });
  const indices = Array.from({ length: source.count }, (_, i) => i);
  return { source, names: indices.map(source.name), classes: indices.map((i) => source.classes[source.classOf(i)]) };
}

test('planes become pixels, and the hash is that of the pixels', async () => {
  const { source } = await open();
  const { pixels, hash } = await source.read(4, preprocessing); // the second of batch 2: blue 11
  const at = (row: number, column: number) => [...pixels.subarray((row * 32 + column) * 3, (row * 32 + column + 1) * 3)];
  expect([at(0, 0), at(0, 31), at(1, 0), at(31, 31)]).toEqual([
    [0, 255, 11],
    [31, 224, 11],
    [32, 223, 11],
    [255, 0, 11], // 31 · 32 + 31 = 1023 = 3 · 256 + 255
  ]);
  expect(pixels.length).toBe(3072);
  expect(hash).toBe(contentHash(pixels));
  expect(await source.original(4)).toEqual({ pixels, width: 32, height: 32 });
});

test('other sizes go the way of every picture', async () => {
  const { source } = await open();
  const { pixels } = await source.read(0, { imageSize: 8, fit: 'cover' });
  expect(pixels.length).toBe(192);
  for (let k = 2; k < 192; k += 3) expect(pixels[k]).toBe(0); // blue is 0 throughout
});

test.each([
  ['train', 'batch 1, 2, 10', ['1/0', '1/1', '1/2', '2/0', '2/1', '10/0'].map((name) => `data_batch_${name}`), 'c-- -c c'],
  ['test', 'the test batch', ['test_batch/0', 'test_batch/1'], '-c'],
] as const)('part %s is %s', async (part, _, expected, cats) => {
  const { names, classes, source } = await open({ part });
  expect(names).toEqual(expected);
  expect(classes).toEqual([...cats.replaceAll(' ', '')].map((mark) => (mark === 'c' ? 'cat' : 'noncat')));
  expect(source.classes).toEqual(['cat', 'noncat']);
});

test('all of it has the training batches first, and an archive has the same', async () => {
  const all = await open({ part: 'all' });
  expect(all.names).toEqual([...(await open({ part: 'train' })).names, ...(await open({ part: 'test' })).names]);
  const packed = await open({ path: await writeTar() });
  expect(packed.names).toEqual(all.names);
  expect(packed.classes).toEqual(all.classes);
  for (const i of all.names.keys()) {
    expect(await packed.source.read(i, preprocessing)).toEqual(await all.source.read(i, preprocessing));
  }
});

test('any of the ten classes may be the positive one', async () => {
  const { classes, source } = await open({ positive: 'Dog', part: 'test' });
  expect(classes).toEqual(['Dog', 'nonDog']);
  expect(source.classes).toEqual(['Dog', 'nonDog']);
  await expect(open({ positive: 'wolf' })).rejects.toMatchObject({
    kind: 'usage',
    message: `${path}: positive: expected one of ${names.join(', ')}, found "wolf"`,
  });
});

test.each<[string, string, Buffer | null, RegExp]>([
  [
    'a batch that is cut off',
    'data_batch_1.bin',
    record(3, 0).subarray(0, 3000),
    /data_batch_1.bin: expected a whole number of pictures of 3,073 bytes, found 3,000/,
  ],
  ['an empty batch', 'test_batch.bin', Buffer.alloc(0), /test_batch.bin: expected a whole number/],
  [
    'a label that is none',
    'data_batch_2.bin',
    Buffer.concat([record(1, 0), record(10, 0)]),
    /data_batch_2.bin: picture 1: expected a label from 0 to 9, found 10/,
  ],
  [
    'no names of classes',
    'batches.meta.txt',
    null,
    /expected CIFAR-10 in its binary version, with batches.meta.txt; found data_batch_1.bin/,
  ],
])('%s is refused', async (_, name, data, message) => {
  if (data === null) await rm(join(path, name));
  else await writeFile(join(path, name), data);
  await expect(open()).rejects.toThrow(message);
});

test('what is no CIFAR-10 is refused with the names of what is', async () => {
  await expect(open({ path: folder })).rejects.toMatchObject({ hint: expect.stringContaining('cifar-10-binary.tar.gz') });
  await expect(open({ path: join(folder, 'none') })).rejects.toThrow('no such file');
  await rm(join(path, 'test_batch.bin'));
  await expect(open({ part: 'test' })).rejects.toThrow('with test_batch.bin');
});

test('nn trains with its own parts and judges the archive', async () => {
  const many = (count: number, shift: number) =>
    Buffer.concat(Array.from({ length: count }, (_, i) => record(i % 2 ? 3 : 7, ((i % 2) * 120 + i + shift) % 256)));
  await writeFile(join(path, 'data_batch_1.bin'), many(40, 0));
  for (const name of ['data_batch_2.bin', 'data_batch_10.bin']) await rm(join(path, name));
  await writeFile(join(path, 'test_batch.bin'), many(20, 60));
  const source = (part: string) => ({ type: 'cifar10', path: 'cifar-10-batches-bin', part });
  await writeJson(join(folder, 'config.json'), {
    data: { train: source('train'), test: source('test'), imageSize: 16 },
    training: { epochs: 5 },
  });
  const { stdout } = await run(0, ['train', '--config', 'config.json', '--output', 'run', '--json'], { cwd: folder });
  const { examples, metrics } = JSON.parse(stdout) as { examples: object; metrics: { test: object } };
  expect(examples).toMatchObject({ train: { total: 40, positive: 20 }, test: { total: 20, positive: 10 } });
  expect(await readJson<object>(join(folder, 'run/config.json'))).toMatchObject({
    data: { test: { type: 'cifar10', path: '../cifar-10-batches-bin', part: 'test', positive: 'cat' } },
  });
  const tests = [{ name: 'cifar-10-batches-bin/test_batch.bin', data: many(20, 60) }];
  const tar = tarOf([...tests, { name: 'cifar-10-batches-bin/batches.meta.txt', data: meta }]);
  await writeFile(join(folder, 'cifar-10-binary.tar.gz'), gzipSync(tar));
  const words = ['evaluate', '--model', 'run', '--json', '--data'];
  const judged = JSON.parse((await run(0, [...words, 'cifar-10-binary.tar.gz'], { cwd: folder })).stdout) as object;
  expect(judged).toEqual({ ...metrics.test, trainedOn: 0, nearCopies: 0, unseen: metrics.test });
});
