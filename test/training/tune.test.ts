import { describe, expect, test } from 'vitest';
import type { SearchConfig } from '../../src/config/schema.ts';
import type { TrialJob, TrialResult } from '../../src/results/tuning.ts';
import { trialSets } from '../../src/training/trial.ts';
import { rankTrials, rungEpochs, type TuneOptions, tune } from '../../src/training/tune.ts';

const search: SearchConfig = {
  trials: 9,
  strategy: 'random',
  metric: 'cost',
  parameters: {
    'training.learningRate': { logUniform: [0.001, 1] },
    'training.l2': { uniform: [0, 1] },
  },
};

/** A made-up training: trial 4 is the best, and more so the longer it trains. */
function resultOf({ trial, rung, epochs }: TrialJob): TrialResult {
  const cost = Math.abs(trial - 4) + 1 / epochs;
  const score = { cost, accuracy: 1 / (1 + cost), accuracyInterval: [0, 1] as const, bestEpoch: epochs };
  return {
    trial,
    rung,
    epochs,
    set: [`trial=${trial}`],
    score: trial === 7 ? null : score,
    error: trial === 7 ? 'diverged' : null,
    seconds: 1,
  };
}

async function run(options: Partial<TuneOptions> = {}): Promise<TrialResult[]> {
  const results: TrialResult[] = [];
  const runner = {
    jobs: 1,
    // later jobs end earlier: the order of the results is not that of the jobs
    run: async (job: TrialJob) => {
      await new Promise((done) => setTimeout(done, 10 - job.trial));
      return resultOf(job);
    },
  };
  const all = { search, epochs: 9, runner, trials: 9, shard: { index: 0, count: 1 }, known: [], stop: () => false, ...options };
  for await (const result of tune({ ...all, runner: { ...runner, jobs: options.runner?.jobs ?? 1 } })) results.push(result);
  return results;
}

const names = (results: TrialResult[]) => results.map(({ trial, rung }) => `${trial}@${rung}`).sort();

describe('random search', () => {
  test.each([1, 2, 5])('runs every trial once with %i at a time', async (jobs) => {
    const results = await run({ runner: { jobs, run: async (job) => resultOf(job) } });
    expect(names(results)).toEqual(Array.from({ length: 9 }, (_, i) => `${i}@0`));
    expect(rankTrials(results, 'cost').map(({ trial }) => trial)).toEqual([4, 3, 5, 2, 6, 1, 0, 8, 7]);
  });

  test('shards share the trials out', async () => {
    const parts = await Promise.all([0, 1, 2].map((index) => run({ shard: { index, count: 3 } })));
    expect(parts.map((part) => part.length)).toEqual([3, 3, 3]);
    expect(names(parts.flat())).toEqual(names(await run()));
  });

  test('goes on after an interruption without running anything twice', async () => {
    const ran: number[] = [];
    const known = [resultOf({ trial: 2, rung: 0, epochs: 9 }), resultOf({ trial: 5, rung: 0, epochs: 9 })];
    const results: TrialResult[] = [];
    const runner = {
      jobs: 2,
      run: async (job: TrialJob) => {
        ran.push(job.trial);
        return resultOf(job);
      },
    };
    const options = { search, epochs: 9, runner, trials: 9, shard: { index: 0, count: 1 }, known, stop: () => false };
    for await (const result of tune(options)) results.push(result);
    expect(ran.sort()).toEqual([0, 1, 3, 4, 6, 7, 8]);
    expect(names(results)).toEqual(names(await run()));
  });

  test('begins no further trial once it is told to stop', async () => {
    let begun = 0;
    const runner = {
      jobs: 1,
      run: async (job: TrialJob) => {
        begun++;
        return resultOf(job);
      },
    };
    const options = { search, epochs: 9, runner, trials: null, shard: { index: 0, count: 1 }, known: [], stop: () => begun >= 3 };
    for await (const _ of tune(options));
    expect(begun).toBe(3);
  });
});

describe('successive halving', () => {
  const halving = { ...search, strategy: 'halving' } as const;

  test('trains all a little, a third three times as long, and one to the end', async () => {
    const results = await run({ search: halving });
    expect(names(results)).toEqual(['0@0', '1@0', '2@0', '3@0', '3@1', '4@0', '4@1', '4@2', '5@0', '5@1', '6@0', '7@0', '8@0']);
    expect(results.filter(({ rung }) => rung === 1).every(({ epochs }) => epochs === 3)).toBe(true);
    expect(rankTrials(results, 'cost')[0]).toMatchObject({ trial: 4, rung: 2, epochs: 9 });
  });

  test.each([1, 3])('is the same with %i at a time, and when it goes on after an interruption', async (jobs) => {
    const whole = await run({ search: halving });
    const known = whole.slice(0, 10);
    const resumed = await run({ search: halving, known, runner: { jobs, run: async (job) => resultOf(job) } });
    expect(names(resumed)).toEqual(names(whole));
  });

  test.each([
    [27, 27, [1, 3, 9, 27]],
    [9, 100, [12, 34, 100]],
    [1, 50, [50]],
    [1000, 2, [1, 2]],
  ])('%i trials of %i epochs have rungs of %j', (trials, epochs, rungs) => {
    expect(rungEpochs(epochs, trials)).toEqual(rungs);
  });
});

describe('the ranking', () => {
  test('by accuracy, of equals by cost, then by number; failures last', () => {
    const make = (trial: number, accuracy: number | null, cost: number): TrialResult => ({
      ...resultOf({ trial, rung: 0, epochs: 1 }),
      score: accuracy === null ? null : { accuracy, cost, accuracyInterval: [0, 1], bestEpoch: 1 },
    });
    const results = [make(0, null, 0), make(1, 0.8, 2), make(2, 0.9, 3), make(3, 0.8, 1), make(4, 0.8, 1)];
    expect(rankTrials(results, 'accuracy').map(({ trial }) => trial)).toEqual([2, 3, 4, 1, 0]);
    expect(rankTrials(results, 'cost').map(({ trial }) => trial)).toEqual([3, 4, 1, 2, 0]);
  });
});

describe('what a trial tries', () => {
  test('depends on the seed and its number alone', () => {
    expect(trialSets(search, 1, 5)).toEqual(trialSets(search, 1, 5));
    expect(trialSets(search, 1, 5)).not.toEqual(trialSets(search, 1, 6));
    expect(trialSets(search, 1, 5)).not.toEqual(trialSets(search, 2, 5));
  });

  test('a further field leaves the others as they were', () => {
    const more = {
      ...search,
      parameters: { 'training.epochs': { integer: [1, 9] }, ...search.parameters },
    };
    expect(trialSets(more, 1, 5).slice(1)).toEqual(trialSets(search, 1, 5));
  });
});
