import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inOnePass } from '../../../src/data/archive/tar.ts';
import { contentHash } from '../../../src/data/content-hash.ts';
import { loadExamples } from '../../../src/data/load.ts';
import { openSource, sourceAtPath } from '../../../src/data/sources/sources.ts';
import { listing, run, temporaryFolder, writeClasses, writeJson } from '../../cli/pictures.ts';
import { type TarEntry, tarOf, type ZipEntry, zipOf } from '../archives.ts';
import { bmpOf } from '../bmps.ts';
import { heic8 } from '../heic-files.ts';
import { solidPng } from '../pictures.ts';

const preprocessing = { imageSize: 8, fit: 'cover' } as const;

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Writes an archive and reads all of it. */
async function read(name: string, bytes: Uint8Array, options: { folder?: string } = {}) {
  const path = join(folder, name);
  await writeFile(path, bytes);
  const source = await openSource({ type: 'archive', path, ...options });
  const { examples, failures } = await loadExamples(source, { preprocessing, positive: undefined, strict: false });
  return { names: examples.names, labels: [...examples.labels], examples, failures, notes: source.notes, title: source.title };
}

const grey = (shade: number) => solidPng([shade, shade, shade]);
/** A cat and a dog, so that an archive has both classes. */
const pair = async () => [
  { name: 'cat/1.png', data: await grey(10) },
  { name: 'dog/1.png', data: await grey(20) },
];

describe.each([
  ['zip', 'a.zip', (entries: readonly TarEntry[]) => zipOf(entries)],
  ['zip, stored', 'a.zip', (entries: readonly TarEntry[]) => zipOf(entries.map((entry) => ({ ...entry, method: 0 })))],
  ['tar', 'a.tar', (entries: readonly TarEntry[]) => tarOf(entries)],
  ['tar.gz', 'a.tgz', (entries: readonly TarEntry[]) => gzipSync(tarOf(entries))],
])('%s', (_, name, pack) => {
  test('pictures of two classes, in the order of the archive, as they are in a folder', async () => {
    const entries = [
      { name: 'dog/2.png', data: await grey(200) },
      { name: 'cat/deep/er/1.png', data: await grey(100) },
      { name: 'dog/1.png', data: await grey(150) },
    ];
    const { names, labels, examples, failures, notes } = await read(name, pack(entries));
    expect({ names, labels, failures, notes }).toEqual({
      names: ['dog/2.png', 'cat/deep/er/1.png', 'dog/1.png'],
      labels: [0, 1, 0],
      failures: [],
      notes: [],
    });
    expect([0, 1, 2].map((i) => examples.pixels[i * 192])).toEqual([200, 100, 150]);
    expect(examples.hashes).toEqual(entries.map(({ data }) => contentHash(data)));
  });

  test('the folder of the classes is found below others, or named', async () => {
    const below = (top: string) => async () => (await pair()).map((entry) => ({ ...entry, name: top + entry.name }));
    expect((await read(name, pack(await below('PetImages/v1/')()))).names).toEqual(['cat/1.png', 'dog/1.png']);
    const both = [...(await below('train/')()), ...(await below('test/')())];
    await expect(read(name, pack(both.map((entry) => ({ ...entry, name: `x/${entry.name}` }))))).rejects.toMatchObject({
      message: expect.stringMatching(/expected one class called cat/),
      hint: expect.stringMatching(/look like parts/),
    });
    expect((await read(name, pack(both), { folder: './test/' })).names).toEqual(['cat/1.png', 'dog/1.png']);
    await expect(read(name, pack(both), { folder: 'dev' })).rejects.toThrow('expected a folder dev in it, found train, test');
  });

  test('broken pictures are listed and skipped; other files are counted, junk is not', async () => {
    const entries = [
      ...(await pair()),
      { name: 'cat/broken.jpg', data: Buffer.from('no picture') },
      { name: 'cat/empty.jpg' },
      { name: 'cat/notes.txt', data: Buffer.from('words') },
      { name: 'readme.md', data: Buffer.from('words') },
      { name: 'alone.png', data: await grey(1) },
      { name: '__MACOSX/cat/._1.png', data: Buffer.from('junk') },
      { name: 'cat/.DS_Store', data: Buffer.from('junk') },
    ];
    const { names, failures, notes, title } = await read(name, pack(entries));
    expect(names).toEqual(['cat/1.png', 'dog/1.png']);
    expect(failures).toEqual([
      { name: 'cat/broken.jpg', reason: 'not a picture in a format that can be read' },
      { name: 'cat/empty.jpg', reason: 'the file is empty' },
    ]);
    expect(notes).toEqual([
      `${title}: passed over 2 files that nn reads no picture from, such as cat/notes.txt (1 .md, 1 .txt)`,
      `${title}: passed over 1 file in no class's folder, such as alone.png (1 .png)`,
      `${title}: passed over 1 folder: __MACOSX (a system's own)`,
    ]);
  });

  test('what its bytes say is a picture is one; what systems keep and folders without a picture are no classes', async () => {
    const entries = [
      ...(await pair()),
      { name: 'cat/download', data: await grey(30) },
      { name: 'dog/IMG.bin', data: heic8 },
      { name: 'dog/scan', data: bmpOf({ width: 16, height: 16, bits: 24 }, () => 0x123456) },
      { name: 'empty/readme.txt', data: Buffer.from('words') },
      { name: './nothing/', type: '5', data: Buffer.alloc(0) },
      { name: 'cat/', type: '5', data: Buffer.alloc(0) },
      { name: 'lost+found/cat/1.png', data: await grey(31) },
      { name: 'cat/@eaDir/1.png/thumb.png', data: await grey(32) },
      { name: 'cat/deep/@eaDir/1.png', data: await grey(33) },
      { name: '__MACOSX/cat/1.png', data: await grey(34) },
    ];
    const { names, failures, notes, title } = await read(name, pack(entries));
    expect(names).toEqual(['cat/1.png', 'dog/1.png', 'cat/download', 'dog/IMG.bin', 'dog/scan']);
    expect(failures).toEqual([]);
    expect(notes).toEqual([
      `${title}: passed over 1 file that nn reads no picture from, such as empty/readme.txt (1 .txt)`,
      `${title}: passed over 6 folders: empty, nothing (without a picture, so no class), lost+found, cat/@eaDir, cat/deep/@eaDir, __MACOSX (a system's own)`,
    ]);
  });

  test('paths that lead out are refused, and are no class', async () => {
    const outside = ['../dog/x.png', '/etc/x.png', 'cat/../../x.png', 'C:/cat/x.png'];
    const entries = [...(await pair()), ...outside.map((one) => ({ name: one, data: Buffer.from('x') }))];
    const { names, failures, notes, title } = await read(name, pack(entries));
    expect({ names, failures }).toEqual({ names: ['cat/1.png', 'dog/1.png'], failures: [] });
    expect(notes).toEqual([`${title}: refused 4 files whose path leads out of the archive, such as ../dog/x.png`]);
  });

  test('the second file of a name is not read', async () => {
    const entries = [...(await pair()), { name: './cat//1.png', data: await grey(99) }];
    const { examples, failures } = await read(name, pack(entries));
    expect(examples.pixels[0]).toBe(10);
    expect(failures).toEqual([{ name: 'cat/1.png', reason: 'the second of its name' }]);
  });

  test.each([0.1, 0.5, 0.9, 0.99])('cut off after %d of its bytes', async (share) => {
    const data = Buffer.alloc(3000, 'not packed well: '.repeat(3));
    const bytes = pack([...(await pair()), { name: 'cat/2.png', data }]);
    await expect(read(name, bytes.subarray(0, Math.floor(bytes.length * share)))).rejects.toThrow(/: a damaged archive: /);
  });

  test('nothing in it, or no archive at all', async () => {
    await expect(read(name, pack([]))).rejects.toThrow('expected two classes, found none');
    await expect(read(name, Buffer.alloc(0))).rejects.toThrow('expected an archive, found an empty file');
    await expect(read(name, Buffer.alloc(5000, 'text'))).rejects.toThrow('damaged archive');
    await expect(openSource({ type: 'archive', path: join(folder, 'none.zip') })).rejects.toThrow('no such file');
    await expect(openSource({ type: 'archive', path: folder })).rejects.toThrow('it is a folder');
  });

  test('any picture may be asked for at any time', async () => {
    const entries = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => ({ name: `${i % 2 ? 'cat' : 'dog'}/${i}.png`, data: await grey(i) })),
    );
    await writeFile(join(folder, name), pack(entries));
    const source = await openSource({ type: 'archive', path: join(folder, name) });
    const order = [7, 3, 29, 0, 0, 15, 28, 1, 29];
    const read = await Promise.all(order.map((i) => source.read(i, preprocessing)));
    expect(read.map(({ pixels }) => pixels[0])).toEqual(order);
    for (const i of [4, 2, 29]) expect((await source.read(i, preprocessing)).pixels[0]).toBe(i);
  });
});

describe('a hostile ZIP', () => {
  const reasons = async (entry: Partial<ZipEntry>) => {
    const { names, failures } = await read('a.zip', zipOf([...(await pair()), { name: 'cat/bad.png', ...entry }]));
    expect(names).toEqual(['cat/1.png', 'dog/1.png']);
    return failures.map(({ reason }) => reason).join();
  };
  const data = Buffer.from('some bytes');

  test.each<[string, Partial<ZipEntry>, RegExp]>([
    ['encrypted', { data, encrypted: true }, /^encrypted$/],
    ['packed by another method', { data, method: 0, claims: { method: 14 } }, /packed by method 14 of ZIP/],
    ['a symbolic link', { data: Buffer.from('/etc/passwd'), mode: 0o120777 }, /^a link, which is not followed$/],
    ['a wrong checksum', { data, claims: { crc: 1 } }, /^damaged in the archive: /],
    ['more bytes than stated', { data: Buffer.alloc(5000), claims: { size: 100 } }, /^damaged in the archive: /],
    ['fewer bytes than stated', { data, claims: { size: 100 } }, /^damaged in the archive: /],
    ['no deflated data', { data, method: 0, claims: { method: 8 } }, /^damaged in the archive: /],
    ['larger than any picture', { data, claims: { size: 600 * 1024 ** 2 } }, /^629,145,600 bytes, more than the 536,870,912/],
    ['a bomb', { data: Buffer.alloc(2 ** 21) }, /^2,097,152 bytes packed into 2,0\d\d, as no picture is$/],
  ])('%s', async (_, entry, reason) => {
    expect(await reasons(entry)).toMatch(reason);
  });

  test('a bomb of many files is refused as a whole, before any is unpacked', async () => {
    const one = { data, method: 0, claims: { method: 8, size: 1024 ** 2 } }; // too small to be asked for its ratio
    const many = Array.from({ length: 1025 }, (_, i) => ({ name: `cat/${i}.png`, ...one }));
    await expect(read('a.zip', zipOf([...(await pair()), ...many]))).rejects.toMatchObject({
      message: expect.stringContaining('expected an archive of at most 1,073,741,824 bytes unpacked, found more'),
      kind: 'data',
    });
  });
});

describe('a hostile tar', () => {
  test.each([
    ['1', 'a link, which is not followed'],
    ['2', 'a link, which is not followed'],
    ['3', 'a device'],
    ['6', 'a pipe'],
  ])('type %s', async (type, reason) => {
    const entries = [...(await pair()), { name: 'cat/x.png', type, link: '/etc/passwd' }];
    const { names, failures } = await read('a.tar', tarOf(entries));
    expect({ names, failures }).toEqual({ names: ['cat/1.png', 'dog/1.png'], failures: [{ name: 'cat/x.png', reason }] });
  });

  test('a wrong checksum, and a size beyond its end', async () => {
    const [cat, dog] = await pair();
    await expect(read('a.tar', tarOf([cat!, { ...dog!, claims: { checksum: 7 } }]))).rejects.toThrow('damaged archive');
    await expect(read('a.tar', tarOf([cat!, { ...dog!, claims: { size: 8 ** 11 - 1 } }]))).rejects.toThrow('damaged archive');
  });

  test('a negative size', async () => {
    const bytes = tarOf(await pair());
    bytes.fill(0xff, 124, 136); // base-256, −1
    const sum = bytes
      .subarray(0, 512)
      .fill(' ', 148, 156)
      .reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    await expect(read('a.tar', bytes)).rejects.toMatchObject({ kind: 'data' });
  });

  test('long names of GNU and of pax', async () => {
    const long = `cat/${'n'.repeat(200)}.png`;
    const record = (text: string) => {
      const length = text.length + 5; // '217 ' in front, a line end behind
      return Buffer.from(`${length} ${text}\n`);
    };
    const entries = [
      ...(await pair()),
      { name: '././@LongLink', type: 'L', data: Buffer.from(`${long}\0`) },
      { name: 'cat/n', data: await grey(5) },
      { name: 'PaxHeaders/x', type: 'x', data: record(`path=${long.replace('cat', 'dog')}`) },
      { name: 'dog/n', data: await grey(6) },
    ];
    expect((await read('a.tar', tarOf(entries))).names).toEqual(['cat/1.png', 'dog/1.png', long, long.replace('cat', 'dog')]);
  });

  test('a gzip bomb is refused while it is unpacked', { timeout: 60_000 }, async () => {
    const zeros = Buffer.alloc(64 * 1024 ** 2);
    const member = gzipSync(tarOf([{ name: 'cat/0.png', data: zeros }], { isEnded: false }));
    await expect(read('a.tar.gz', Buffer.concat(Array(20).fill(member)))).rejects.toThrow(
      'expected an archive of at most 1,073,741,824 bytes unpacked, found more',
    );
  });
});

describe('one pass', () => {
  /** Items 0, 1, … whose values are their squares; the starts and the reads are noted. */
  function squares(count: number) {
    const log: string[] = [];
    const ask = inOnePass(async function* () {
      log.push('start');
      for (let index = 0; index < count; index++) {
        yield {
          index,
          read: async () => {
            log.push(`read ${index}`);
            return index ** 2;
          },
          skip: async () => void log.push(`skip ${index}`),
        };
      }
    });
    return { ask, log };
  }

  test('rising requests, several at a time, take one', async () => {
    const { ask, log } = squares(6);
    expect(await Promise.all([ask(1), ask(2)])).toEqual([1, 4]);
    expect(await ask(5)).toBe(25);
    expect(log).toEqual(['start', 'skip 0', 'read 1', 'read 2', 'skip 3', 'skip 4', 'read 5']);
  });

  test('a step back takes another; what lies ahead is served first', async () => {
    const { ask, log } = squares(4);
    await ask(2);
    expect(await Promise.all([ask(0), ask(3), ask(0)])).toEqual([0, 9, 0]);
    expect(log).toEqual(['start', 'skip 0', 'skip 1', 'read 2', 'read 3', 'start', 'read 0']);
  });

  test('a failure reaches all who wait, and the next may try again', async () => {
    const { ask } = squares(2);
    const asked = await Promise.allSettled([ask(7), ask(8)]);
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await ask(1)).toBe(1);
  });
});

test('the ending of a path on the command line says what it is', async () => {
  for (const name of ['p.zip', 'P.ZIP', 'p.tar', 'p.tar.gz', 'p.tgz'])
    expect(await sourceAtPath(name)).toEqual({ type: 'archive', path: name });
  expect(await sourceAtPath('cifar-10-binary.tar.gz', 'dog')).toMatchObject({ type: 'cifar10', positive: 'dog' });
  await mkdir(join(folder, 'p.zip'));
  expect((await sourceAtPath(join(folder, 'p.zip'))).type).toBe('folder');
});

test('nn trains on an archive and evaluates another as it does on their folders; nothing is unpacked', async () => {
  const pictures = join(folder, 'pictures');
  await writeClasses(pictures, 10);
  const names = (await listing(pictures)).filter((name) => name.endsWith('.png')).map((name) => name.replaceAll('\\', '/'));
  const entries = await Promise.all(names.map(async (name) => ({ name, data: await readFile(join(pictures, name)) })));
  await writeFile(join(folder, 'pets.zip'), zipOf(entries));
  await writeFile(join(folder, 'pets.tar.gz'), gzipSync(tarOf(entries)));
  const train = async (source: object, output: string) => {
    await writeJson(join(folder, 'config.json'), { data: { source, imageSize: 16 }, training: { epochs: 2 } });
    await run(0, ['train', '--config', 'config.json', '--output', output], { cwd: folder });
    return [await readFile(join(folder, output, 'model.safetensors')), await readFile(join(folder, output, 'split.csv'))];
  };
  const asFolder = await train({ type: 'folder', path: 'pictures' }, 'a');
  expect(await train({ type: 'archive', path: 'pets.zip' }, 'b')).toEqual(asFolder);
  expect(await train({ type: 'archive', path: 'pets.tar.gz' }, 'c')).toEqual(asFolder);
  const verdict = async (data: string) =>
    (await run(0, ['evaluate', '--model', 'a', '--data', data, '--json'], { cwd: folder })).stdout;
  const expected = await verdict('pictures');
  expect(await verdict('pets.zip')).toBe(expected);
  expect(await verdict('pets.tar.gz')).toBe(expected);
  expect((await listing(folder)).filter((name) => /\.png$/.test(name)).length).toBe(names.length);
});
