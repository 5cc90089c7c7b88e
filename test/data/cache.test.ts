import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cachedSource, cachePlace, type DecodeCache, openCache } from '../../src/data/cache/decode-cache.ts';
import { contentHash } from '../../src/data/content-hash.ts';
import type { Source } from '../../src/data/source.ts';
import { openSource } from '../../src/data/sources/sources.ts';
import { listing, preload, readJson, run, temporaryFolder, writeClasses, writeJson } from '../cli/pictures.ts';

const preprocessing = { imageSize: 8, fit: 'cover' } as const;
const rowBytes = 8 * 8 * 3;

let folder: string;
let place: string;
let troubles: string[];
beforeEach(async () => {
  folder = await temporaryFolder();
  place = join(folder, 'cache');
  troubles = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function open(maximumBytes = 1e9): DecodeCache {
  return openCache({ path: place, maximumBytes, onTrouble: (text) => troubles.push(text) });
}

/** Pictures whose every pixel is the first byte of their "file"; what is decoded is counted. */
function source(files: readonly Uint8Array[], stamps: readonly (string | undefined)[] = []) {
  const decoded: number[] = [];
  const originalOf = async (index: number) => ({ file: files[index]! });
  const made: Source = {
    title: 'a test',
    count: files.length,
    classes: ['cat', 'dog'],
    name: String,
    classOf: () => 0,
    read: async () => expect.fail('the cached source decodes by itself'),
    original: originalOf,
    decoding: {
      kind: 'file',
      validator: async (index) => stamps[index],
      decode: async (file, index, { imageSize }) => {
        decoded.push(index);
        return new Uint8Array(imageSize ** 2 * 3).fill(file[0]!);
      },
    },
    notes: [],
  };
  return { made, decoded };
}

const file = (byte: number, length = 10) => new Uint8Array(length).fill(byte);

/** Reads every picture, checks its pixels, and says which were decoded. */
async function readAll(files: readonly Uint8Array[], options: { stamps?: (string | undefined)[]; maximumBytes?: number } = {}) {
  const { made, decoded } = source(files, options.stamps);
  const cache = open(options.maximumBytes);
  const cached = cachedSource(made, cache);
  for (const [i, bytes] of files.entries()) {
    const { pixels, hash } = await cached.read(i, preprocessing);
    expect(Buffer.from(pixels).equals(Buffer.alloc(rowBytes, bytes[0]))).toBe(true);
    expect(hash).toBe(contentHash(bytes));
  }
  await cache.close();
  return decoded;
}

async function segments(): Promise<string[]> {
  return (await readdir(place)).filter((name) => name.endsWith('.rows')).map((name) => join(place, name));
}

describe('what is decoded once', () => {
  test('is not decoded at the second start, nor where the same content stands elsewhere', async () => {
    const files = [1, 2, 3, 4].map((byte) => file(byte));
    expect(await readAll(files)).toEqual([0, 1, 2, 3]);
    expect(await readAll(files)).toEqual([]);
    expect(await readAll([file(9), ...files.toReversed()])).toEqual([0]);
    expect(await readAll([file(1, 11)])).toEqual([0]); // the same pixels, another content
  });

  test('is found by its stamp alone, and by a new stamp after its content was seen', async () => {
    const cache = open();
    const { made } = source([file(7)], ['photo.jpg 10 yesterday']);
    await cachedSource(made, cache).read(0, preprocessing);
    await cache.close();
    await readAll([file(7)], { stamps: ['copy.jpg 10 yesterday'] });
    for (const stamp of ['photo.jpg 10 yesterday', 'copy.jpg 10 yesterday']) {
      const again = open();
      const blind = source([file(7)], [stamp]).made;
      blind.original = async () => expect.fail(`${stamp}: the file is read`);
      const { pixels, hash } = await cachedSource(blind, again).read(0, preprocessing);
      expect([pixels[0], pixels.length, hash]).toEqual([7, rowBytes, contentHash(file(7))]);
      await again.close();
    }
  });

  test('is decoded once within one start too', async () => {
    expect(await readAll([file(5), file(5), file(6), file(5)])).toEqual([0, 2]);
  });

  test('is decoded again for another size, another fit and another kind', async () => {
    await readAll([file(1)]);
    const { made, decoded } = source([file(1)]);
    const cache = open();
    const cached = cachedSource(made, cache);
    expect((await cached.read(0, { imageSize: 9, fit: 'cover' })).pixels.length).toBe(243);
    await cached.read(0, { imageSize: 8, fit: 'fill' });
    await cached.read(0, preprocessing);
    expect(decoded).toEqual([0, 0]);
    await cachedSource({ ...made, decoding: { ...made.decoding!, kind: 'drawn' } }, cache).read(0, preprocessing);
    expect(decoded).toEqual([0, 0, 0]);
    await cache.close();
  });

  test('ten thousand pictures are a few files', async () => {
    const files = Array.from({ length: 10_000 }, (_, i) => Uint8Array.of(i % 251, i >> 8, i & 255));
    expect((await readAll(files)).length).toBe(10_000);
    expect((await segments()).length).toBe(1);
    expect(await readAll(files)).toEqual([]);
  });
});

describe('damage is noticed and made good', () => {
  const files = [1, 2, 3, 4].map((byte) => file(byte));
  const table = files.length * rowBytes;
  test.each([
    ['a byte of a row', 2 * rowBytes + 5],
    ["an entry's stamp", table + 3],
    ["an entry's content hash", table + 40 + 20],
    ["a row's checksum", table + 2 * 40 + 32],
    ["a row's number", table + 3 * 40 + 36],
    ['the magic', table + 4 * 40],
    ['the length of rows', table + 4 * 40 + 8],
    ['the number of rows', table + 4 * 40 + 12],
    ['the number of entries', table + 4 * 40 + 16],
    ['the checksum of the table', table + 4 * 40 + 20],
    ['the time', table + 4 * 40 + 27],
  ])('%s', async (_, at) => {
    await readAll(files);
    const [path] = await segments();
    const bytes = await readFile(path!);
    bytes[at]! ^= 0x10;
    await writeFile(path!, bytes);
    expect((await readAll(files)).length).toBe(at < table ? 1 : 4);
    expect(await readAll(files)).toEqual([]);
    expect(troubles).toEqual([]);
  });

  test.each([0, 31, 100, 700])('a file of which %i bytes are left', async (left) => {
    await readAll(files);
    const [path] = await segments();
    await writeFile(path!, (await readFile(path!)).subarray(0, left));
    expect((await readAll(files)).length).toBe(4);
    expect(await readAll(files)).toEqual([]);
  });
});

describe('the cache may vanish and fill up', () => {
  test('deleted while it is in use: every picture is still right, and the next start keeps them', async () => {
    const files = Array.from({ length: 40 }, (_, i) => file(i));
    await readAll(files.slice(0, 20));
    const { made } = source(files);
    const cache = open();
    const cached = cachedSource(made, cache);
    for (const i of files.keys()) {
      if (i === 10 || i === 30) await rm(place, { recursive: true });
      expect((await cached.read(i, preprocessing)).pixels[0]).toBe(i);
    }
    await cache.close();
    await readAll(files);
    expect(await readAll(files)).toEqual([]);
  });

  test('what was used longest ago goes first, and the bound holds', async () => {
    const maximumBytes = 10_000; // each set below is one segment of 5 · 192 + 5 · 40 + 32 = 1,192 bytes
    const set = (k: number) => Array.from({ length: 5 }, (_, i) => file(k * 10 + i));
    for (let k = 0; k < 8; k++) {
      await readAll(set(k), { maximumBytes });
      for (const path of await segments()) await age(path, 60); // each set is a minute older than the next
    }
    expect(await readAll(set(0), { maximumBytes })).toEqual([]); // the oldest was used just now
    await readAll(set(8), { maximumBytes });
    await readAll(set(9), { maximumBytes });
    expect(await bytesOfSegments()).toBeLessThanOrEqual(maximumBytes);
    expect(await readAll(set(0), { maximumBytes })).toEqual([]);
    expect((await readAll(set(1), { maximumBytes })).length).toBe(5);
    expect(troubles).toEqual([]);
  });

  test('pictures that are more than it may hold: as many as fit stay from start to start, and that is said once', async () => {
    const files = Array.from({ length: 200 }, (_, i) => file(i));
    const maximumBytes = 20_000; // 200 rows are 46,400 bytes with their entries
    expect((await readAll(files, { maximumBytes })).length).toBe(200);
    expect(troubles).toEqual([expect.stringMatching(/takes no more decoded pictures: .*NN_CACHE_SIZE/)]);
    const second = await readAll(files, { maximumBytes });
    expect(second.length).toBeLessThanOrEqual(200 - 60);
    expect(await readAll(files, { maximumBytes })).toEqual(second);
    expect(await bytesOfSegments()).toBeLessThanOrEqual(maximumBytes);
  });

  test('what a killed process left aside is deleted a day later, not before', async () => {
    await readAll([file(1)]);
    for (const [name, seconds] of [
      ['old.partial', 25 * 3600],
      ['young.partial', 3600],
    ] as const) {
      await writeFile(join(place, name), '');
      await age(join(place, name), seconds);
    }
    await readAll([file(2)]);
    expect((await readdir(place)).filter((name) => name.endsWith('.partial'))).toEqual(['young.partial']);
  });

  test('a place that cannot be written is said once, and harms nothing', async () => {
    await writeFile(place, 'a file where the folder should be');
    const files = [1, 2, 3].map((byte) => file(byte));
    expect(await readAll(files)).toEqual([0, 1, 2]);
    expect(troubles.length).toBe(1);
    expect(troubles[0]).toContain(place);
  });

  test('two at once write segments of their own, and the next start has both', async () => {
    const caches = [open(), open()];
    const parts = [
      [1, 2, 3, 4],
      [3, 4, 5, 6],
    ].map((bytes) => bytes.map((byte) => file(byte)));
    const readers = caches.map((cache, k) => cachedSource(source(parts[k]!).made, cache));
    for (let i = 0; i < 4; i++) await Promise.all(readers.map((reader) => reader.read(i, preprocessing)));
    await Promise.all(caches.map((cache) => cache.close()));
    expect((await segments()).length).toBe(2);
    expect(await readAll([1, 2, 3, 4, 5, 6].map((byte) => file(byte)))).toEqual([]);
  });
});

describe('a folder of files', () => {
  const pathOf = (name: string) => join(folder, 'pictures', name);
  /** @param isBlind  that no file may be opened, and none decoded */
  const readFolder = async ({ isBlind = false } = {}) => {
    const cache = open();
    const opened = await openSource({ type: 'folder', path: join(folder, 'pictures') });
    const refuse = () => Promise.reject(new Error('a file is opened'));
    const blind = { ...opened, original: refuse, read: refuse, decoding: { ...opened.decoding!, decode: refuse } };
    const cached = cachedSource(isBlind ? blind : opened, cache);
    const reads = await Promise.allSettled(Array.from({ length: opened.count }, (_, i) => cached.read(i, preprocessing)));
    await cache.close();
    return Promise.all(reads.map((read) => (read.status === 'fulfilled' ? read.value : Promise.reject(read.reason))));
  };
  /** Other bytes of the same length under the same name and time: whoever looks into the file sees that it is no picture. */
  const spoil = async (path: string) => {
    const { size, atime, mtime } = await stat(path);
    await writeFile(path, Buffer.alloc(size, 'x'));
    await utimes(path, atime, mtime);
  };
  afterEach(() => vi.useRealTimers());

  test('is not opened again as long as its files are what they were', async () => {
    await writeClasses(join(folder, 'pictures'), 2);
    const names = ['cat/00.png', 'cat/01.png', 'thing/00.png', 'thing/01.png'];
    for (const name of names) await age(pathOf(name), 10);
    vi.setSystemTime(Date.now() + 60_000);
    const plain = await Promise.all(
      names.map(async (_, i) => (await openSource({ type: 'folder', path: pathOf('') })).read(i, preprocessing)),
    );
    expect(await readFolder()).toEqual(plain);
    expect(await readFolder({ isBlind: true })).toEqual(plain);
    await age(pathOf('cat/01.png'), 10);
    await expect(readFolder({ isBlind: true })).rejects.toThrow('a file is opened');
    expect(await readFolder()).toEqual(plain);
  });

  test('is opened again where a file was changed and has its old name, size and time', async () => {
    await writeClasses(join(folder, 'pictures'), 1);
    await age(pathOf('cat/00.png'), 10);
    vi.setSystemTime(Date.now() + 60_000);
    await readFolder();
    await sleep(15); // a tick of the coarsest clock of a kernel
    await spoil(pathOf('cat/00.png'));
    await expect(readFolder()).rejects.toThrow('not a picture');
  });

  test('is opened again while its files are so new that a change could keep their time', async () => {
    await writeClasses(join(folder, 'pictures'), 1);
    await readFolder();
    await expect(readFolder({ isBlind: true })).rejects.toThrow('a file is opened');
  });

  test('is opened where contents are to be compared, whatever the cache has', async () => {
    const cache = open();
    const stamps = ['as it was'];
    await cachedSource(source([file(1)], stamps).made, cache).read(0, preprocessing);
    const { made } = source([file(2)], stamps); // as on a file system whose times say nothing
    expect((await cachedSource(made, cache).read(0, preprocessing)).hash).toBe(contentHash(file(1)));
    const { pixels, hash } = await cachedSource(made, cache, true).read(0, preprocessing);
    expect([pixels[0], hash]).toEqual([2, contentHash(file(2))]);
    await cache.close();
  });

  /** In a process that runs a minute ahead of the files' times; and in which no picture may be opened. */
  const later = 'const now = Date.now; Date.now = () => now() + 60_000;';
  const blind = `${later}
    const { promises } = require('node:fs');
    const { readFile } = promises;
    promises.readFile = (path, ...rest) =>
      /pictures.*png$/.test(String(path)) ? Promise.reject(new Error('a file is opened')) : readFile(path, ...rest);
    require('node:module').syncBuiltinESMExports();`;

  test('nn train and nn evaluate decode it once, with the same run and verdict', async () => {
    const pictures = join(folder, 'pictures');
    await writeClasses(pictures, 12);
    for (const name of await listing(pictures)) if (name.endsWith('.png')) await age(pathOf(name), 10);
    const config = { data: { source: { type: 'folder', path: 'pictures' }, imageSize: 16 }, training: { epochs: 3 } };
    await writeJson(join(folder, 'config.json'), config);
    const inCache = async (code: string) => ({ NN_CACHE: 'cache', ...(await preload(folder, code)) });
    const train = async (output: string, env: Record<string, string>) => {
      const words = ['train', '--config', 'config.json', '--output', output, '--json'];
      await run(0, words, { cwd: folder, env });
      const names = ['split.csv', 'model.safetensors'];
      return {
        files: await Promise.all(names.map((name) => readFile(join(folder, output, name)))),
        metrics: (await readJson<{ metrics: { test: object } }>(join(folder, output, 'summary.json'))).metrics,
      };
    };
    const plain = await train('off', { NN_CACHE: 'off' });
    expect(await listing(folder)).not.toContain('cache');
    const first = await train('first', await inCache(later));
    const second = await train('second', await inCache(blind));
    expect(first).toEqual(plain);
    expect(second).toEqual(plain);
    const words = ['evaluate', '--model', 'second', '--json'];
    const { stdout } = await run(0, words, { cwd: folder, env: await inCache(blind) });
    expect(JSON.parse(stdout)).toEqual(plain.metrics.test);
    for (const name of await listing(pictures)) if (name.endsWith('.png')) await spoil(pathOf(name));
    const { stderr } = await run(3, words, { cwd: folder, env: await inCache(later) });
    expect(stderr).toContain('not a picture');
  });

  test.each([
    ['on', { NN_CACHE: 'cache' }],
    ['too small', { NN_CACHE: 'small', NN_CACHE_SIZE: '1000' }],
    ['off', { NN_CACHE: 'off', TMPDIR: 'tmp' }],
  ])('pictures that are more than data.memory, with the cache %s: the same run, and nothing is left', async (_, env) => {
    const pictures = join(folder, 'pictures');
    await mkdir(join(folder, 'tmp'));
    await writeClasses(pictures, 12);
    for (const name of await listing(pictures)) if (name.endsWith('.png')) await age(pathOf(name), 10);
    await writeJson(join(folder, 'c.json'), {
      data: { source: { type: 'folder', path: 'pictures' }, imageSize: 16 },
      training: { epochs: 2 },
    });
    const options = { cwd: folder, env: { ...env, ...(await preload(folder, later)) } };
    const train = async (output: string, ...sets: string[]) => {
      await run(0, ['train', '--config', 'c.json', '--output', output, '-q', ...sets], options);
      return Promise.all(['split.csv', 'model.safetensors'].map((name) => readFile(join(folder, output, name), 'latin1')));
    };
    const held = await train('held');
    const streamed = ['--set', 'data.memory=0'];
    expect(await train('first', ...streamed)).toEqual(held);
    if (env.NN_CACHE === 'cache') await preload(folder, blind); // a second start decodes nothing
    expect(await train('second', ...streamed)).toEqual(held);
    const judged = async (model: string) => JSON.parse((await run(0, ['evaluate', '-m', model, '--json'], options)).stdout);
    expect(await judged('second')).toEqual(await judged('held'));
    expect((await listing(folder)).filter((name) => name.includes('nn-'))).toEqual([]);
  });
});

describe('where it is', () => {
  test.each([
    [{ NN_CACHE: 'off' }, undefined],
    [{ NN_CACHE: '/big/disk' }, { path: join('/big/disk', 'decoded'), maximumBytes: 5e9 }],
    [
      { NN_CACHE: 'here', NN_CACHE_SIZE: '1000' },
      { path: join('here', 'decoded'), maximumBytes: 1000 },
    ],
    [
      { NN_CACHE: 'here', NN_CACHE_SIZE: '1.5GB' },
      { path: join('here', 'decoded'), maximumBytes: 1.5e9 },
    ],
    [
      { NN_CACHE: 'here', NN_CACHE_SIZE: '20 mb' },
      { path: join('here', 'decoded'), maximumBytes: 2e7 },
    ],
  ])('%o', (environment, expected) => expect(cachePlace(environment)).toEqual(expected));

  test.runIf(process.platform === 'linux')("without NN_CACHE in the system's folder for caches", () => {
    expect(cachePlace({ XDG_CACHE_HOME: '/x' })?.path).toBe('/x/nn/decoded');
    expect(cachePlace({ XDG_CACHE_HOME: 'relative' })?.path).toBe(join(homedir(), '.cache/nn/decoded'));
    expect(cachePlace({ NN_CACHE: '' })?.path).toBe(join(homedir(), '.cache/nn/decoded'));
  });

  test.each(['big', '-1', '5 XB', '1e9x'])('NN_CACHE_SIZE=%s is refused', async (size) => {
    await mkdir(join(folder, 'pictures'));
    await writeJson(join(folder, 'config.json'), { data: { source: { type: 'drawn', count: 20 } } });
    const { stderr } = await run(2, ['train', '--config', 'config.json', '--dry-run'], {
      cwd: folder,
      env: { NN_CACHE_SIZE: size },
    });
    expect(stderr).toContain(`NN_CACHE_SIZE: expected bytes, or such as 500MB or 20GB, found "${size}"`);
  });
});

/** Sets the time of a file so many seconds before now; what is older already, so many seconds before that. */
async function age(path: string, seconds: number): Promise<void> {
  const { mtimeMs } = await stat(path);
  const time = new Date(mtimeMs - seconds * 1000);
  await utimes(path, time, time);
}

async function bytesOfSegments(): Promise<number> {
  const sizes = (await segments()).map(async (path) => (await stat(path)).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
