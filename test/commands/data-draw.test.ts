import { mkdtemp, readdir, rm } from 'node:fs/promises';
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

test('a mistake in the program is not taken for a disk that refuses, and nothing is left', async () => {
  const mistake = Object.assign(new RangeError('out of range'), { code: 'ERR_OUT_OF_RANGE' });
  vi.mocked(encodePng).mockRejectedValue(mistake);
  const context = {
    progress: () => ({ update: () => {}, stop: () => {} }),
    signal: new AbortController().signal,
  } as Partial<Context> as Context;
  const values = { out: join(folder, 'drawn'), count: 4, seed: 1, size: 8, difficulty: 'easy' as const };
  await expect(command.run(context, values, [])).rejects.toBe(mistake);
  expect(await readdir(values.out)).toEqual([]);
});
