import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { scratchFolders } from '../../src/data/cache/decode-cache.ts';
import { pixelsInFile } from '../../src/data/packed/rows.ts';
import { type Scratch, type ScratchFile, scratchIn, writeRows } from '../../src/data/scratch.ts';
import { temporaryFolder } from '../cli/pictures.ts';

let folder: string;
let scratch: Scratch;
beforeEach(async () => {
  folder = await temporaryFolder();
  scratch = scratchIn([join(folder, 'scratch')]);
});
afterEach(async () => {
  scratch.close();
  await rm(folder, { recursive: true, force: true });
});

const features = 3000;
const rowOf = (i: number) => new Uint8Array(features).fill((i * 7) % 251);

/** Picture i of a file. */
async function read(file: ScratchFile, count: number, rows: number[]): Promise<Uint8Array> {
  const out = new Uint8Array(rows.length * features);
  await pixelsInFile({ ...file, pixelsAt: 0, count, features }, null, 2 ** 20).read(Int32Array.from(rows), out);
  return out;
}

test('what is written in many pieces is read in any order, and has no name meanwhile', async () => {
  const file = await scratch.open(0);
  const rows = writeRows(file);
  const count = 6000; // 18 MB: more than is gathered at a time
  for (let i = 0; i < count; i++) {
    const adding = rows.add(rowOf(i));
    await adding;
  }
  await rows.flush();
  expect(await readdir(join(folder, 'scratch'))).toEqual([]);
  const wanted = [count - 1, 0, 2796, 2795, 4000];
  const expected = Buffer.concat(wanted.map(rowOf));
  expect(Buffer.from(await read(file, count, wanted)).equals(expected)).toBe(true);
});

test('several files at once do not mix', async () => {
  const files = [await scratch.open(0), await scratch.open(0)];
  for (const [i, file] of files.entries()) {
    const rows = writeRows(file);
    await rows.add(rowOf(i));
    await rows.flush();
  }
  for (const [i, file] of files.entries()) expect(await read(file, 1, [0])).toEqual(rowOf(i));
});

test('what a killed process left is removed, what a living one makes is not', async () => {
  const place = join(folder, 'scratch');
  await mkdir(place);
  const dead = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
  const name = (pid: number | string) => `nn-${pid}-00000000-0000-4000-8000-000000000000.scratch`;
  for (const one of [name(dead), name(process.ppid), 'notes.txt']) await writeFile(join(place, one), '');
  await scratch.open(0);
  expect((await readdir(place)).sort()).toEqual([name(process.ppid), 'notes.txt'].sort());
});

describe('where there is no place', () => {
  test('the next folder is taken', async () => {
    await writeFile(join(folder, 'file'), '');
    const { path } = await scratchIn([join(folder, 'file', 'below'), join(folder, 'other')]).open(0);
    expect(path).toBe(join(folder, 'other'));
  });

  test('an error names each folder with its reason', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(scratchIn([join(folder, 'file', 'below')]).open(0)).rejects.toThrow(
      /data\.memory.*below: .*(not a folder|ENOTDIR|directory)/,
    );
  });

  test('a disk without room is refused before anything is decoded', async () => {
    await expect(scratch.open(1e18)).rejects.toMatchObject({
      kind: 'data',
      message: expect.stringMatching(/expected 1000000\.0 TB free .* found \d+\.\d [MGT]B/),
      hint: expect.stringContaining('NN_CACHE'),
    });
  });

  test.runIf(process.platform === 'linux' && process.getuid?.() !== 0)(
    'a folder that may not be written is passed over',
    async () => {
      await mkdir(join(folder, 'locked'));
      await chmod(join(folder, 'locked'), 0o500);
      const { path } = await scratchIn([join(folder, 'locked'), join(folder, 'other')]).open(0);
      expect(path).toBe(join(folder, 'other'));
    },
  );
});

test('it lies beside the cache, else in the temporary folder', () => {
  expect(scratchFolders({ NN_CACHE: '/big/disk' })[0]).toBe(join('/big/disk', 'scratch'));
  expect(scratchFolders({ NN_CACHE: 'off' })).toHaveLength(1);
});
