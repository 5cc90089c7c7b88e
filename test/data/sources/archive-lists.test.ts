import { cp, open, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Source } from '../../../src/data/source.ts';
import { openArchive } from '../../../src/data/sources/archive.ts';
import { UserError } from '../../../src/errors.ts';
import { temporaryFolder } from '../../cli/pictures.ts';
import { nn } from '../../cli.ts';
import { paxOf, type TarEntry, tarOf, type ZipEntry, zipEnd, zipOf } from '../archives.ts';

/** Whether all of an archive is read, or none of it: a list that is shorter than its archive loses pictures without a word. */

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function opened(name: string, bytes: Uint8Array): Promise<Source> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return openArchive({ path });
}

async function refusal(name: string, bytes: Uint8Array): Promise<UserError> {
  const error = await opened(name, bytes).catch((found: unknown) => found);
  expect(error).toBeInstanceOf(UserError);
  expect(error).toMatchObject({ kind: 'data', message: expect.stringContaining(join(folder, name)) });
  return error as UserError;
}

/** Its files with their contents, or with the reason why one has none. */
async function contents(source: Source): Promise<Record<string, string>> {
  const read = async (i: number): Promise<[string, string]> => {
    const content = await source.original(i).then(
      (original) => ('file' in original ? Buffer.from(original.file).toString() : ''),
      (error: Error) => `(${error.message})`,
    );
    return [source.name(i), content];
  };
  return Object.fromEntries(await Promise.all(Array.from({ length: source.count }, (_, i) => read(i))));
}

const entriesOf = (count: number): ZipEntry[] =>
  Array.from({ length: count }, (_, i) => ({ name: `${i % 2 ? 'cat' : 'dog'}/${i}.png`, data: Buffer.from(`${i}`), method: 0 }));
const expected = (count: number) =>
  Object.fromEntries(entriesOf(count).map(({ name, data }) => [name, Buffer.from(data!).toString()]));

describe('a ZIP', () => {
  test('of 65,600 files whose end says 64, as the Mac makes it, is read whole', async () => {
    const count = 65_600;
    const source = await opened('a.zip', zipOf(entriesOf(count)));
    expect(source.count).toBe(count);
    for (const i of [0, 63, 64, 65_535, 65_536, count - 1]) {
      expect(source.name(i)).toBe(`${i % 2 ? 'cat' : 'dog'}/${i}.png`);
      expect(await source.original(i)).toEqual({ file: Buffer.from(`${i}`) });
    }
  });

  test('whose end says anything else than there is, is read whole or refused: no file of it is passed over', async () => {
    const whole = expected(7);
    const numbers = fc.oneof(fc.nat(20), fc.nat(2 ** 16 - 1), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    const ends = fc.record(
      { count: fc.oneof(fc.nat(20), fc.nat(2 ** 16 - 1)), size: numbers, start: numbers, disk: fc.nat(2), large: fc.boolean() },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(ends, async (end) => {
        const found = await opened('a.zip', zipOf(entriesOf(7), end)).catch((error: unknown) => error);
        if (found instanceof UserError) expect(found.message).toContain(folder);
        else {
          const read = await contents(found as Source);
          expect(Object.keys(read)).toEqual(Object.keys(whole));
          for (const [name, content] of Object.entries(read))
            if (!content.startsWith('(damaged')) expect(content).toBe(whole[name]);
        }
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ['fewer files', { count: 5 }, 'its directory has 7 entries, and its end says 5'],
    ['more files', { count: 9 }, 'its directory has 7 entries, and its end says 9'],
    ['fewer files, in 64 bits', { count: 5, large: true }, 'its directory has 7 entries, and its end says 5'],
    ['no files', { count: 0, size: 0 }, /its end says that it holds no files, and \d+ bytes stand in front of it/],
    ['a directory that ends within an entry', { size: 300 }, 'invalid central directory file header signature'],
    ['another place', { start: 2 ** 31 }, 'its directory is not where its end says'],
  ])('whose end says %s is refused', async (_, end, reason) => {
    const { message } = await refusal('a.zip', zipOf(entriesOf(7), end));
    expect(message).toContain(': a damaged archive: ');
    if (reason instanceof RegExp) expect(message).toMatch(reason);
    else expect(message).toContain(`: a damaged archive: ${reason}`);
  });

  test('in 64 bits, with a comment, or behind a program that unpacks it, is read', async () => {
    const whole = expected(7);
    for (const bytes of [
      zipOf(entriesOf(7), { large: true }),
      zipOf(entriesOf(7), { comment: 'by hand'.repeat(99) }),
      Buffer.concat([Buffer.from('MZ, and a program'.repeat(99)), zipOf(entriesOf(7))]),
    ])
      expect(await contents(await opened('a.zip', bytes))).toEqual(whole);
    expect(await contents(await opened('a.ZIP', Buffer.concat([Buffer.alloc(1), zipOf(entriesOf(7))])))).toEqual(whole);
  });

  // a file with a hole: it takes a few blocks
  test.skipIf(process.platform === 'win32')(
    'beyond 4 GB, of whose places the Mac keeps 32 bits, is read where they are',
    async () => {
      const entries = entriesOf(6);
      const apart = 3 * 2 ** 30; // after each second file
      const path = join(folder, 'a.zip');
      const file = await open(path, 'w');
      const directory: Buffer[] = [];
      let at = 0;
      for (const [i, entry] of entries.entries()) {
        const alone = zipOf([entry]);
        const directoryAt = alone.readUInt32LE(alone.length - 6);
        const listed = Buffer.from(alone.subarray(directoryAt, alone.length - 22));
        listed.writeUInt32LE(at % 2 ** 32, 42);
        directory.push(listed);
        await file.write(alone, 0, directoryAt, at);
        at += directoryAt + (i % 2 ? apart : 0);
      }
      const list = Buffer.concat(directory);
      await file.write(Buffer.concat([list, zipEnd({ count: 6, size: list.length, start: at })]), 0, null, at);
      await file.close();
      expect(at).toBeGreaterThan(2 * 2 ** 32);
      expect(await contents(await openArchive({ path }))).toEqual(expected(6));
    },
  );

  test('with bytes behind its end is refused with their number and what mends it', async () => {
    const { message, hint } = await refusal('a.zip', Buffer.concat([zipOf(entriesOf(2)), Buffer.alloc(12)]));
    expect(message).toMatch(/expected a ZIP archive that ends with its directory, found 12 bytes behind it$/);
    expect(hint).toContain('zip -FF');
  });

  test.each([true, false])(
    'that is the last of several files is refused with what puts them together (64 bits: %s)',
    async (large) => {
      const { message, hint } = await refusal('a.zip', zipOf(entriesOf(2), { disk: 2, large }));
      expect(message).toMatch(/expected a ZIP archive in one file, found the last of 3$/);
      expect(hint).toContain('zip -s 0');
    },
  );
});

const packings = [
  ['tar', (bytes: Buffer): Buffer => bytes],
  ['tar.gz', (bytes: Buffer): Buffer => gzipSync(bytes)],
] as const;

describe.each(packings)('a %s', (name, pack) => {
  const file = `a.${name}`;
  const pair: TarEntry[] = [
    { name: 'cat/1.png', data: Buffer.from('one') },
    { name: 'dog/1.png', data: Buffer.from('two') },
  ];
  const ofPair = { 'cat/1.png': 'one', 'dog/1.png': 'two' };

  test('has every file with its content, whatever their sizes and names', async () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-zä猫]{1,90}$/), { minLength: 2, maxLength: 12 });
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 500, max: 530 }), fc.nat(200_000)), {
      minLength: 12,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(names, sizes, async (chosen, bytes) => {
        const data = chosen.map((_, i) => Buffer.alloc(Math.max(1, bytes[i]!), `${i} `));
        const paths = chosen.map((one, i) => `${i % 2 ? 'cat' : 'dog'}/${i}${one}.png`);
        const entries = paths.flatMap((path, i): TarEntry[] => [
          { name: 'x', type: 'x', data: paxOf({ path, mtime: '1.5' }) },
          { name: 'cut off', data: data[i]! },
        ]);
        const found = await contents(await opened(file, pack(tarOf(entries))));
        expect(found).toEqual(Object.fromEntries(paths.map((path, i) => [path, data[i]!.toString()])));
      }),
      { numRuns: 25 },
    );
  });

  test.each<[string, TarEntry[], string]>([
    [
      'pax 1.0, as the Mac and bsdtar write it',
      [
        {
          name: 'x',
          type: 'x',
          data: paxOf({
            'GNU.sparse.major': '1',
            'GNU.sparse.minor': '0',
            'GNU.sparse.name': 'cat/2.png',
            'GNU.sparse.realsize': '9000',
          }),
        },
        { name: 'cat/GNUSparseFile.17/2.png', data: Buffer.alloc(1024, '1\n0\n3\n') },
      ],
      'cat/2.png',
    ],
    [
      'pax 0.0',
      [
        {
          name: 'x',
          type: 'x',
          data: paxOf({
            'GNU.sparse.size': '9000',
            'GNU.sparse.numblocks': '1',
            'GNU.sparse.offset': '0',
            'GNU.sparse.numbytes': '3',
          }),
        },
        { name: 'dog/2.png', data: Buffer.from('two') },
      ],
      'dog/2.png',
    ],
    ['GNU', [{ name: 'dog/2.png', type: 'S', data: Buffer.from('two') }], 'dog/2.png'],
    [
      'GNU, with a map that goes on',
      [{ name: 'dog/2.png', type: 'S', data: Buffer.from('two'), map: [true, true, false] }],
      'dog/2.png',
    ],
  ])('with a sparse file (%s) has the others, and names it', async (_, sparse, path) => {
    const found = await contents(await opened(file, pack(tarOf([pair[0]!, ...sparse, pair[1]!]))));
    const { [path]: problem, ...rest } = found;
    expect(rest).toEqual(ofPair);
    expect(problem).toMatch(/^\(stored without its zeros \(a sparse file\), .*without --sparse/);
  });

  test.each<[string, TarEntry, object]>([
    ['a label', { name: 'Backup', type: 'V' }, {}],
    ['a list of a folder', { name: 'cat/', type: 'D', data: Buffer.from('Y1.png\0\0') }, {}],
    ['a folder', { name: 'cat', type: '5', claims: { size: 4096 } }, {}],
    ['a global header', { name: 'x', type: 'g', data: paxOf({ comment: 'of git' }) }, {}],
    ['where a link leads', { name: '././@LongLink', type: 'K', data: Buffer.from('far\0') }, {}],
    [
      'the rest of a file',
      { name: 'cat/0.png', type: 'M', data: Buffer.from('rest') },
      { 'cat/0.png': '(the rest of a file that begins in another archive)' },
    ],
    ['a file of the oldest kind', { name: 'cat/0.png', type: '\0', data: Buffer.from('old') }, { 'cat/0.png': 'old' }],
    ['a contiguous file', { name: 'cat/0.png', type: '7', data: Buffer.from('seven') }, { 'cat/0.png': 'seven' }],
  ])('with %s has all that is behind it', async (_, entry, more) => {
    expect(await contents(await opened(file, pack(tarOf([entry, ...pair]))))).toEqual({ ...more, ...ofPair });
  });

  test.each<[string, Buffer]>([
    ['that is no record', Buffer.from('path=cat/1.png\n')],
    ['whose record is longer than itself', Buffer.from('99 path=cat/1.png\n')],
    ['whose record has no end', Buffer.from('12 path=cat/1.png\n')],
    ['with a size that is none', paxOf({ size: '-3' })],
  ])('with an extended header %s is refused', async (_, data) => {
    const { message } = await refusal(file, pack(tarOf([pair[0]!, { name: 'x', type: 'x', data }, pair[1]!])));
    expect(message).toContain('a damaged archive: ');
  });

  test('that goes on behind its end, as where two are put together, is refused with what reads both', async () => {
    const { message, hint } = await refusal(
      file,
      pack(Buffer.concat([tarOf(pair), tarOf([{ name: 'cat/9.png', data: Buffer.from('x') }])])),
    );
    expect(message).toMatch(/expected nothing behind the end of the archive, found more/);
    expect(hint).toContain('--ignore-zeros');
    expect(await contents(await opened(file, pack(Buffer.concat([tarOf(pair), Buffer.alloc(9000)]))))).toEqual(ofPair);
  });

  test('that another takes the place of after it was listed is not read: nothing in it tells the two apart', async () => {
    const source = await opened(file, pack(tarOf(pair)));
    const path = join(folder, file);
    await writeFile(
      join(folder, 'other'),
      pack(
        tarOf([
          { ...pair[1]!, name: 'cat/1.png' },
          { ...pair[0]!, name: 'dog/1.png' },
        ]),
      ),
    );
    await rename(join(folder, 'other'), path);
    await expect(source.original(0)).rejects.toThrow(`${path}: it changed while it was read`);
  });
});

test.each([
  ['a.zip', (entries: readonly TarEntry[]) => zipOf(entries)],
  ['a.tar', (entries: readonly TarEntry[]) => tarOf(entries)],
])('%s: another archive of its name, size and date has another stamp for its pictures', async (name, pack) => {
  const [one, two] = [
    pack([{ name: 'cat/1.png', data: Buffer.from('one') }]),
    pack([{ name: 'cat/1.png', data: Buffer.from('two') }]),
  ];
  expect(one.length).toBe(two.length);
  const long = new Date('2020-01-01');
  const path = join(folder, name);
  const stampNow = async () => {
    await utimes(path, long, long);
    const now = Date.now;
    Date.now = () => now() + 60_000; // it has settled
    try {
      return await (await openArchive({ path })).decoding!.validator(0);
    } finally {
      Date.now = now;
    }
  };
  await writeFile(path, one);
  const before = await stampNow();
  expect(before).toContain('1.png');
  await writeFile(join(folder, 'other'), two);
  await cp(join(folder, 'other'), path);
  expect(await stampNow()).not.toBe(before);
});

describe('what is no archive is called by its name, with what to do:', () => {
  test.each([
    ['a web page', '<!DOCTYPE html>\n<html><title>Sign in</title></html>', /found a web page/, /open it in a browser/],
    ['a web page with spaces in front', '\ufeff \n<html>', /found a web page/, /browser/],
    ['the answer of a store', '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', /found a web page/, /browser/],
    [
      'what Git LFS leaves',
      'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n',
      /Git LFS/,
      /git lfs pull/,
    ],
    ['7z', '7z\xbc\xaf\x27\x1c\0\x04', /found a 7z archive/, /unpack it/],
    ['RAR', 'Rar!\x1a\x07\x01\0', /found a RAR archive/, /unpack it/],
    ['tar.xz', '\xfd7zXZ\0\0\x04', /packed with xz/, /unpack it/],
    ['tar.bz2', 'BZh91AY&SY', /packed with bzip2/, /unpack it/],
    ['tar.zst', '\x28\xb5\x2f\xfd\x04\x58', /packed with Zstandard/, /unpack it/],
    ['nothing', '', /found an empty file/, /again/],
  ])('%s', async (_, text, found, cure) => {
    for (const name of ['a.zip', 'a.tar', 'a.tar.gz']) {
      const { message, hint } = await refusal(name, Buffer.from(text, text.startsWith('\ufeff') ? 'utf8' : 'latin1'));
      expect(message).toMatch(found);
      expect(message).not.toContain('damaged');
      expect(hint).toMatch(cure);
    }
  });
});

describe('listing an archive', () => {
  const many: TarEntry[] = Array.from({ length: 3000 }, (_, i) => ({ name: `cat/${i}.png`, data: Buffer.from('x') }));

  test.each([
    ['a.zip', () => zipOf(many)],
    ['a.tar', () => tarOf(many)],
    ['a.tar.gz', () => gzipSync(tarOf(many))],
  ])('tells how far it is, and ends where it is told to: %s', async (name, pack) => {
    const path = join(folder, name);
    await writeFile(path, pack());
    const seen: number[] = [];
    await openArchive({ path }, (done, total) => seen.push(done / total));
    expect(seen.length).toBeGreaterThan(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(Math.max(...seen)).toBeLessThanOrEqual(1);
    const left = new UserError('terminated', 'interrupted');
    const leave = () => {
      throw left;
    };
    await expect(openArchive({ path }, leave)).rejects.toBe(left);
  });

  test.skipIf(process.platform === 'win32')('SIGTERM ends it, and progress is shown', async () => {
    // 10 GB when unpacked: many seconds on any machine, of which the first two are waited for
    const zeros = Buffer.alloc(64 * 1024 ** 2);
    const member = gzipSync(tarOf([{ name: 'cat/0.raw', data: zeros }], { isEnded: false }), { level: 1 });
    await writeFile(join(folder, 'a.tar.gz'), Buffer.concat([...Array(150).fill(member), gzipSync(tarOf([]))]));
    const kill = { signal: 'SIGTERM', after: /reading \d+\/100 · the list of a\.tar\.gz/ } as const;
    const { code, stderr } = await nn(['data', 'inspect', 'a.tar.gz'], { cwd: folder, kill });
    expect(stderr).toMatch(kill.after);
    expect(code).toBe(143);
  });
});
