import * as files from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openExamples } from '../../src/data/load.ts';
import { scratchIn } from '../../src/data/scratch.ts';
import { temporaryFolder } from '../cli/pictures.ts';
import { openFilesIn } from '../run/open-files.ts';
import { noiseSource } from './packed/sources.ts';

/** What file systems do to the file of pixels that this machine's does not do by itself. */

vi.mock('node:fs', { spy: true });
const real = await vi.importActual<typeof files>('node:fs');

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  vi.mocked(files.unlinkSync).mockReset();
  vi.mocked(files.write).mockReset();
  await rm(folder, { recursive: true });
});

test('a folder whose files keep their names is passed over, and nothing stays open in it', async () => {
  const places = ['first', 'second'].map((name) => join(folder, name));
  vi.mocked(files.unlinkSync).mockImplementationOnce(() => {
    throw Object.assign(new Error('EPERM'), { code: 'EPERM', syscall: 'unlink' });
  });
  const scratch = scratchIn(places);
  expect((await scratch.open(0)).path).toBe(places[1]);
  expect(await openFilesIn(places[0]!)).toEqual([]);
  scratch.close();
});

test('where reading pictures fails, what is being written ends before anybody can close the file', async () => {
  await mkdir(join(folder, 'scratch'));
  const scratch = scratchIn([join(folder, 'scratch')]);
  let [begun, ended] = [0, 0];
  vi.mocked(files.write).mockImplementation(((...words: Parameters<typeof real.write>) => {
    begun++;
    setTimeout(() => {
      ended++;
      real.write(...words);
    }, 200);
  }) as typeof real.write);
  const mistake = new Error('a mistake');
  const source = noiseSource(6);
  // two of them fill a group, and the fourth comes when the first group is on its way
  const failing = {
    ...source,
    read: async (i: number, how: Parameters<typeof source.read>[1]) => {
      if (i === 4) throw mistake;
      return source.read(i, how);
    },
  };
  const preprocessing = { imageSize: 1024, fit: 'cover' } as const;
  const options = { preprocessing, positive: undefined, strict: true, budgetBytes: 2 ** 20, scratch };
  await expect(openExamples(failing, options)).rejects.toBe(mistake);
  expect(begun).toBe(1);
  expect(ended).toBe(1);
  scratch.close();
});
