import * as processes from 'node:child_process';
import { afterEach, expect, type Mock, test, vi } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import { UserError } from '../../src/errors.ts';
import { trialPool } from '../../src/training/trial-pool.ts';
import { unborn } from '../unborn.ts';

vi.mock('node:child_process', { spy: true });
afterEach(() => void vi.mocked(processes.fork).mockReset());

const config = checkConfig({ data: { source: { type: 'drawn', count: 20 } } }, 'c.json');
const search = { loaded: { config, file: 'c.json', folder: '' }, extras: {} };
const job = { trial: 3, rung: 0, epochs: 1 };

test('where no process can be made a search is refused with the reason, and no process is killed', async () => {
  const kills: Mock[] = [];
  vi.mocked(processes.fork).mockImplementation(() => {
    const { child, kill } = unborn();
    kills.push(kill);
    return child;
  });
  const deaths: string[] = [];
  const pool = trialPool(search, { jobs: 1, threads: 1, onDeath: (text) => deaths.push(text) });
  const going = pool.run(job);
  const error = await going.catch((found: unknown) => found);
  expect(error).toBeInstanceOf(UserError);
  expect(error).toMatchObject({ kind: 'usage', message: expect.stringMatching(/too many open files .* during trial 3/) });
  expect(deaths).toEqual([
    expect.stringMatching(/^a worker process ended with too many open files .* during trial 3; another one takes its place$/),
  ]);
  pool.close();
  expect(kills.map((kill) => kill.mock.calls)).toEqual([[], []]);
});

test('a pool that is closed before its worker began kills nothing else', async () => {
  const { child, kill } = unborn();
  vi.mocked(processes.fork).mockReturnValue(child);
  const pool = trialPool(search, { jobs: 1, threads: 1, onDeath: () => {} });
  const going = pool.run(job);
  pool.close();
  await expect(going).rejects.toThrow('the workers were closed');
  expect(kill.mock.calls).toEqual([]);
});
