import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import { checkpointsOf } from '../../src/training/checkpoint.ts';
import { fit } from '../../src/training/fit.ts';
import type { TrainingState } from '../../src/training/state.ts';
import { problem } from './problems.ts';

let folder: string;
let state: TrainingState;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-checkpoints-'));
  for await (const event of fit(problem(), { shouldCheckpoint: () => true })) if (event.type === 'state') state = event.state;
});
afterAll(() => rm(folder, { recursive: true }));

function checkpoints(training: object, { path = folder, signal = new AbortController().signal } = {}) {
  const said: string[] = [];
  const config = checkConfig({ data: { source: { type: 'drawn' } }, training }, 'test');
  const run = { path, journal: { append: async () => {}, flush: async () => {}, close: async () => {}, sync: async () => 7 } };
  const listener = { warn: (text: string) => void said.push(text), signal };
  const marks = { split: '', pixels: '', startFrom: '', rateByFeature: '' };
  const made = checkpointsOf(
    { ...run, close: async () => {} },
    { listener, loaded: { config, folder: path, file: 'test' } },
    { from: null, inputs: marks },
  );
  const told = { costs: [], gradients: { looks: {}, told: [] }, warnings: [] };
  return { ...made, said, save: () => made.save({ told, folds: null, state }) };
}

/** The places, a step or an epoch at a time, at which a checkpoint is due. */
function due(wants: ReturnType<typeof checkpoints>['wants']): number[] {
  const places = Array.from({ length: 24 }, (_, step) => ({ step, epochsDone: Math.floor(step / 3) }));
  return places.filter((place) => wants(place)).map(({ step }) => step);
}

describe('checkpoints are due', () => {
  test('whenever they can be, for 0 minutes', () => {
    expect(due(checkpoints({ checkpointMinutes: 0 }).wants)).toHaveLength(24);
  });

  test('after two seconds, and then after the minutes', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const path = await mkdtemp(join(folder, 'run-'));
      const { wants, save } = checkpoints({ checkpointMinutes: 1 }, { path });
      const place = { epochsDone: 0 };
      vi.advanceTimersByTime(1999);
      expect(wants(place)).toBe(false);
      vi.advanceTimersByTime(1);
      expect(wants(place)).toBe(true);
      expect(await save()).toBe(true);
      vi.advanceTimersByTime(59_999);
      expect(wants(place)).toBe(false);
      vi.advanceTimersByTime(1);
      expect(wants(place)).toBe(true);
    } finally {
      vi.useRealTimers();
      for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
    }
  });

  test('not before the minutes are over', () => {
    expect(due(checkpoints({ checkpointMinutes: 1 }).wants)).toEqual([]);
  });

  test('after every so many epochs, once', () => {
    expect(due(checkpoints({ checkpointEpochs: 3 }).wants)).toEqual([9, 18]);
  });

  test('when the user wishes to stop', () => {
    const controller = new AbortController();
    const { wants } = checkpoints({}, { signal: controller.signal });
    expect(wants({ epochsDone: 1 })).toBe(false);
    controller.abort();
    expect(wants({ epochsDone: 1 })).toBe(true);
  });
});

test('one that cannot be written is a warning, once, and no reason to stop', async () => {
  const { save, said } = checkpoints({}, { path: join(folder, 'not there') });
  expect(await save()).toBe(false);
  expect(await save()).toBe(false);
  expect(said).toEqual([
    expect.stringMatching(/checkpoint\.safetensors: can't be written: no such file or folder\. Training goes on/),
  ]);
});

test('one that can be is there', async () => {
  const { save, said } = checkpoints({});
  expect(await save()).toBe(true);
  expect(said).toEqual([]);
  expect(await readdir(folder)).toEqual(['checkpoint.safetensors']);
});
