import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import { prepareData } from '../../src/datasets/prepare.ts';
import { productMemory } from '../../src/nn/input/product-memory.ts';
import type { Experiment } from '../../src/results/experiments.ts';
import { runExperiment } from '../../src/training/experiment.ts';
import type { TrainingExtras } from '../../src/training/plan.ts';

const config = checkConfig(
  {
    data: { source: { type: 'drawn', count: 60 }, imageSize: 8, split: { dev: 0.3, test: 0.2 } },
    model: { layers: [{ units: 4 }] },
    training: { epochs: 300, batchSize: 'full', learningRate: 0.01, form: 'dual' },
  },
  'experiment',
);
const loaded = { config, folder: '/', file: 'experiment' };
const data = prepareData(loaded, { strict: false });
const job: Experiment = { set: [], seed: 1, share: 1, division: 0, readsTest: false };

const run = (one: Experiment, extras: TrainingExtras) =>
  runExperiment(loaded, one, { source: { data: () => data, test: async () => null }, extras });
const untimed = async (one: Experiment, extras: TrainingExtras) => {
  const { seconds: _, sharedSeconds: __, ...rest } = await run(one, extras);
  return rest;
};

describe('trainings of one worker in dual form', () => {
  const jobs = [
    job,
    { ...job, seed: 2 },
    { ...job, set: ['training.l2=1'] },
    { ...job, share: 0.5 },
    { ...job, division: 1 },
    job,
  ];

  test('come to the same bits whatever was trained before', async () => {
    const extras = { products: productMemory(1e8), measuresNorms: false };
    for (const one of jobs) expect(await untimed(one, extras)).toEqual(await untimed(one, {}));
  });

  test('say what one of them takes alone, and how much of it others made', async () => {
    const extras = { products: productMemory(1e8) };
    const [first, second] = [await run(job, extras), await run({ ...job, seed: 2 }, extras)];
    expect(first.sharedSeconds).toBeGreaterThan(0);
    expect(second.sharedSeconds).toBe(first.sharedSeconds);
    for (const { seconds, sharedSeconds } of [first, second]) expect(seconds).toBeGreaterThan(sharedSeconds);
    expect((await run(job, {})).sharedSeconds).toBe(0);
  });
});
