import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Context } from '../../src/commands/command.ts';
import { command } from '../../src/commands/data-draw.ts';
import { encodePng } from '../../src/data/image.ts';

vi.mock('../../src/data/image.ts', { spy: true });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-draw-'));
});
afterEach(() => rm(folder, { recursive: true }));

afterEach(() => void vi.mocked(encodePng).mockReset());

const rows: string[][] = [];
const context = {
  progress: () => ({ update: () => {}, stop: () => {} }),
  printRow: (cells: readonly string[]) => void rows.push([...cells]),
  signal: new AbortController().signal,
} as Partial<Context> as Context;
const values = () => ({ out: join(folder, 'drawn'), count: 4, seed: 1, size: 8, difficulty: 'easy' as const });

test('a mistake in the program is not taken for a disk that refuses, and nothing is left', async () => {
  const mistake = Object.assign(new RangeError('out of range'), { code: 'ERR_OUT_OF_RANGE' });
  vi.mocked(encodePng).mockRejectedValue(mistake);
  await expect(command.run(context, values(), [])).rejects.toBe(mistake);
  expect(await readdir(values().out)).toEqual([]);
});

test('of two that draw into one folder at once one is refused, and the other is whole', async () => {
  const both = [1, 2].map((seed) => command.run(context, { ...values(), seed }, []));
  const outcomes = await Promise.allSettled(both);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const { reason } = outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
  expect(reason.message).toMatch(/^--out .*drawn: expected a folder that nobody else draws into, found process \d+/);
  expect((await readdir(values().out)).sort()).toEqual(['cat', 'labels.csv', 'noncat']);
});

test('what a killed drawing left is no hindrance', async () => {
  await mkdir(join(values().out, '.drawing.partial', 'cat'), { recursive: true });
  await command.run(context, values(), []);
  expect((await readdir(values().out)).sort()).toEqual(['cat', 'labels.csv', 'noncat']);
});

test('--force takes no pictures away that nn did not draw', async () => {
  await command.run(context, values(), []);
  await command.run(context, { ...values(), force: true }, []);
  await writeFile(join(values().out, 'noncat', 'IMG_1.jpg'), 'mine');
  const forced = command.run(context, { ...values(), force: true }, []) as Promise<unknown>;
  await expect(forced).rejects.toThrow(/expected the pictures of an earlier drawing, found noncat.IMG_1\.jpg/);
  expect(await readFile(join(values().out, 'noncat', 'IMG_1.jpg'), 'utf8')).toBe('mine');
});
