import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attempt, type Source } from '../../../src/data/source.ts';
import { openSource } from '../../../src/data/sources/sources.ts';
import { tarOf, zipOf } from '../archives.ts';
import { bmpOf } from '../bmps.ts';
import { heic8 } from '../heic-files.ts';
import { solidPng } from '../pictures.ts';

/** One rule for folders and archives: a tree of files is the same source in each of them. */

let root: string;
let contents: Record<string, Uint8Array>;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'nn-trees-'));
  contents = {
    png: await solidPng([10, 20, 30]),
    bmp: bmpOf({ width: 8, height: 8, bits: 24 }, () => 0x123456),
    heic: heic8,
    text: Buffer.from('words'),
    empty: Buffer.alloc(0),
  };
});
afterAll(() => rm(root, { recursive: true }));

const folderNames = [
  'cat',
  'noncat',
  'deep',
  'empty',
  '__MACOSX',
  '@eaDir',
  'lost+found',
  '$RECYCLE.BIN',
  '.ipynb_checkpoints',
  'x.png',
];
const fileNames = ['a.png', 'b.PNG', 'c.bmp', 'd.heic', 'photo', 'data.bin', 'notes.txt', '._a.png', 'Thumbs.db', 'raw.nef'];
const folders = fc.array(fc.constantFrom(...folderNames), { minLength: 1, maxLength: 3 });
const path = fc
  .tuple(fc.oneof(folders, fc.constant([])), fc.constantFrom(...fileNames))
  .map(([folders, file]) => [...folders, file].join('/'));
const file = fc.record({ path, content: fc.constantFrom('png', 'bmp', 'heic', 'text', 'empty') });

/** What a source is, whatever the order of its pictures, and how many folders are none of its classes. */
async function factsOf(source: Source) {
  const pictures: string[] = [];
  for (let i = 0; i < source.count; i++) {
    const read = await attempt(source.original(i));
    pictures.push(`${source.name(i)} of ${source.classes[source.classOf(i)]}${'reason' in read ? `: ${read.reason}` : ''}`);
  }
  const [, folders = '0'] = /passed over (\d+) folder/.exec(source.notes.join('\n')) ?? [];
  return { classes: source.classes, pictures: pictures.sort(), folders };
}

test('a folder, its ZIP and its tar have the same classes and the same pictures', { timeout: 60_000 }, async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(file, { maxLength: 25 }), fc.array(folders, { maxLength: 4 }), async (more, bare) => {
      const files = new Map([
        ['cat/z.png', 'png'], // so that there are two classes, which no other folder holds
        ['noncat/z.png', 'png'],
        ...more.map((one) => [one.path, one.content] as const),
      ]);
      // no file where another path has a folder
      for (const name of files.keys()) if ([...files.keys()].some((other) => other.startsWith(`${name}/`))) files.delete(name);
      const folder = join(root, `${run++}`);
      for (const [name, content] of files) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), contents[content]!);
      }
      const made = bare
        .map((parts) => parts.join('/'))
        .filter((name) => ![...files.keys()].some((other) => `${name}/`.startsWith(`${other}/`)));
      for (const name of made) await mkdir(join(folder, name), { recursive: true });
      const entries = [
        ...[...files].map(([name, content]) => ({ name, data: contents[content]! })),
        ...[...new Set(made)].map((name) => ({ name: `${name}/`, type: '5', data: Buffer.alloc(0) })),
      ];
      await writeFile(`${folder}.zip`, zipOf(entries));
      await writeFile(`${folder}.tar`, tarOf(entries));
      const [whole, zip, tar] = await Promise.all([
        openSource({ type: 'folder', path: folder }).then(factsOf),
        openSource({ type: 'archive', path: `${folder}.zip` }).then(factsOf),
        openSource({ type: 'archive', path: `${folder}.tar` }).then(factsOf),
      ]);
      expect(zip).toEqual(whole);
      expect(tar).toEqual(whole);
    }),
    { numRuns: 40 },
  );
});
