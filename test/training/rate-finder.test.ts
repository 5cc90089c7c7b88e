import { beforeAll, describe, expect, test } from 'vitest';
import type { Examples } from '../../src/data/examples.ts';
import { type NormalizerName, normalizers } from '../../src/data/normalize.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { initialParameters } from '../../src/nn/network.ts';
import { type OptimizerName, optimizers } from '../../src/nn/optimizers.ts';
import { numpyRandom } from '../../src/random.ts';
import { DivergedError } from '../../src/training/divergence.ts';
import type { FitOptions } from '../../src/training/fit.ts';
import { findRate, type RateEvent, type RateFound } from '../../src/training/rate-finder.ts';
import { dense } from '../nn/networks.ts';
import { someOf } from '../thorough.ts';
import { drawnPictures, epochsOf, problem, type Wishes } from './problems.ts';

const relu = (units: number) => dense(units, { activation: 'relu', init: { name: 'he', factor: 0.01 } });
const fast = kernelsFor('float32');

let drawn: Examples;
beforeAll(async () => {
  drawn = await drawnPictures(200, 16);
});

async function eventsOf(options: FitOptions): Promise<RateEvent[]> {
  const events: RateEvent[] = [];
  for await (const event of findRate(options)) events.push(event);
  return events;
}

async function found(options: FitOptions): Promise<RateFound> {
  return (await eventsOf(options)).at(-1) as RateFound;
}

/** The cost of each of 30 epochs at one rate; it ends where training diverges. */
async function costsAt(options: FitOptions, learningRates: readonly number[]): Promise<number[]> {
  try {
    return (await epochsOf({ ...options, learningRates, epochs: 30 })).map(({ cost }) => cost);
  } catch (error) {
    if (error instanceof DivergedError) return [Number.POSITIVE_INFINITY];
    throw error;
  }
}

describe('the proposed rate', () => {
  const networks = {
    'logistic regression': [],
    'a hidden layer': [relu(16)],
    'three hidden layers': [relu(20), relu(7), relu(5)],
  };
  const rows = Object.keys(networks).flatMap((network) =>
    (Object.keys(optimizers) as OptimizerName[]).flatMap((optimizer) =>
      (['scale', 'standardize', 'none'] as NormalizerName[]).map((normalize) => ({ network, optimizer, normalize })),
    ),
  );

  test.each(someOf(rows))('trains $network with $optimizer on pictures normalised by "$normalize"', async (row) => {
    const hidden = networks[row.network as keyof typeof networks];
    const scaling = normalizers[row.normalize].fit(drawn.pixels, drawn.features);
    // fresh weights each time: training moves them
    const options = () => problem({ hidden, train: drawn, scaling, optimizer: { name: row.optimizer }, kernels: fast });
    const { proposed, learningRates, trials } = await found(options());
    expect(trials.filter(({ rate, cost }) => rate < proposed! && cost === null)).toEqual([]);

    const costs = await costsAt(options(), learningRates!);
    expect(costs).toHaveLength(30);
    expect(Math.max(...costs)).toBeLessThan(3.5 * costs[0]!);

    let best = { rate: 0, cost: Number.POSITIVE_INFINITY };
    for (let exponent = -9; exponent <= 1; exponent += 0.5) {
      const rate = 10 ** exponent;
      const tried = await costsAt(
        options(),
        learningRates!.map(() => rate),
      );
      const cost = tried.at(-1)!;
      // a training that has been far above its start has lost its first weights: units that are dead, or saturated
      if (Math.max(...tried) < 3.5 * costs[0]! && cost < best.cost) best = { rate, cost };
    }
    const fall = (costs[0]! - costs.at(-1)!) / (costs[0]! - best.cost);
    expect(fall).toBeGreaterThan(0.4);
    // not needlessly small, unless it comes as far
    if (fall < 0.95) expect(best.rate / proposed!).toBeLessThan(10);
  });

  test('trains small batches with batch norm, dropout, L2, class weights and clipping', async () => {
    const wishes: Wishes = {
      train: drawn,
      hidden: [dense(16, { activation: 'relu', batchNorm: true, keepProb: 0.8 })],
      batchSize: 16,
      l2: 0.5,
      clipNorm: 5,
      classWeights: [1, 2],
      optimizer: { name: 'adam' },
      kernels: fast,
    };
    const { learningRates } = await found(problem(wishes));
    const costs = await costsAt(problem(wishes), learningRates!);
    expect(costs).toHaveLength(30);
    expect(costs.at(-1)!).toBeLessThan(0.5 * costs[0]!);
  });

  test('keeps the proportions of rates by layer', async () => {
    const wishes: Wishes = { train: drawn, hidden: [relu(8)], learningRates: [0.001, 0.01], kernels: fast };
    const { proposed, learningRates } = await found(problem(wishes));
    expect(learningRates![1]).toBe(proposed);
    expect(learningRates![0]! / learningRates![1]!).toBeCloseTo(0.1, 10);
  });

  test('does not depend on the rate that the config has', async () => {
    const at = async (rate: number) => (await found(problem({ train: drawn, learningRates: [rate], kernels: fast }))).proposed;
    expect(await at(1e-5)).toBe(await at(10));
  });

  test('is none where the first hidden layer is dead from the start', async () => {
    const zeros = dense(4, { activation: 'relu', init: { name: 'zeros', factor: 0 } });
    expect(await found(problem({ hidden: [zeros] }))).toMatchObject({ proposed: null, learningRates: null });
  });
});

describe('what is said of the search', () => {
  test('how each rate broke: its cost rose, a hidden layer died, numbers overflowed', async () => {
    const rose = await found(problem({ train: drawn, kernels: fast }));
    expect(rose.broke).toBe('rose');
    const died = await found(problem({ train: drawn, hidden: [relu(4), relu(2)], kernels: fast }));
    expect([died.broke, ...died.trials.map(({ broke }) => broke)]).toContain('died');
    for (const { cost, broke } of [...rose.trials, ...died.trials]) expect(cost === null).toBe(broke !== null);
    const bytes = { scale: new Float64Array(drawn.features).fill(1e30), shift: new Float64Array(drawn.features) };
    const overflowed = await found(
      problem({ train: drawn, scaling: bytes, hidden: [dense(4, { activation: 'linear' })], kernels: fast }),
    );
    expect(overflowed.broke).toBe('overflowed');
  });

  test('rates are tried from above where the range test broke, whatever the noise of small batches', async () => {
    const scaling = normalizers.standardize.fit(drawn.pixels, drawn.features);
    for (const batchSize of [1, 8, 32, 'full'] as const) {
      const options = () => problem({ train: drawn, scaling, hidden: [relu(8)], batchSize, kernels: fast });
      const { trials, proposed, diverged, learningRates } = await found(options());
      const rates = trials.map(({ rate }) => rate);
      expect(rates[0]!).toBeGreaterThan(diverged!);
      expect(rates.indexOf(proposed!)).toBeGreaterThan(0); // a larger one was tried
      const costs = await costsAt(options(), learningRates!);
      expect(costs.at(-1)!).toBeLessThan(0.7 * costs[0]!);
    }
  });

  test('full batches have no noise, and nothing is smoothed; small ones have, and the line is calmer', async () => {
    const whole = await found(problem({ train: drawn, kernels: fast }));
    expect(whole.smoothed).toEqual(whole.costs);
    const { costs, smoothed } = await found(problem({ train: drawn, hidden: [relu(8)], batchSize: 16, kernels: fast }));
    expect(smoothed).toHaveLength(costs.length);
    const roughness = (values: readonly number[]) =>
      values.slice(1, 60).reduce((sum, value, i) => sum + Math.abs(value - values[i]!), 0);
    expect(roughness(smoothed)).toBeLessThan(roughness(costs) / 2);
    expect(Math.max(...smoothed.slice(-3))).toBeGreaterThan(Math.min(...smoothed)); // the blow-up is still there
  });

  test('a layer is dead where it gives 0 for all examples of a cost, not for one small batch', async () => {
    // batches of one picture: a narrow layer of ReLU is off for many of them
    const { rates } = await found(problem({ train: drawn, hidden: [relu(3), relu(2)], batchSize: 1, kernels: fast }));
    expect(rates.length).toBeGreaterThan(24);
  });
});

describe('the range test', () => {
  test('raises the rate exponentially from tiny, and stops where the cost blows up', async () => {
    const options = problem({ train: drawn, kernels: fast });
    const { rates, costs, diverged } = await found(options);
    expect(rates[0]).toBe(1e-10);
    const steps = rates.slice(1).map((rate, i) => rate / rates[i]!);
    for (const step of steps) expect(step).toBeCloseTo(10 ** (1 / 12), 2);
    expect(costs).toHaveLength(rates.length);
    expect(costs.every(Number.isFinite)).toBe(true);
    expect(costs.at(-1)!).toBeGreaterThan(costs[0]!);
    expect(rates).toContain(diverged);
    expect(diverged).toBeLessThan(100);
  });

  test('starts with the cost of the first weights', async () => {
    const wishes: Wishes = { train: drawn, hidden: [relu(8)], l2: 2 };
    const { costs } = await found(problem(wishes));
    const [first] = await epochsOf(problem({ ...wishes, epochs: 1 }));
    expect(costs[0]).toBeCloseTo(first!.cost + first!.l2Cost, 12);
  });

  test('takes as many small batches to a cost as make 64 examples', async () => {
    const epochsWorth = async (batchSize: number) => {
      const [event] = await eventsOf(problem({ train: drawn, batchSize, kernels: fast }));
      return (event as { cost: number }).cost;
    };
    // at a rate at which nothing moves, 64 examples have the same cost in one batch and in 64
    expect(await epochsWorth(1)).toBeCloseTo(await epochsWorth(64), 6);
  });

  test('counts what it has done, step by step', async () => {
    const events = await eventsOf(problem({ train: drawn, kernels: fast }));
    const sweep = events.filter((event) => event.type === 'sweep');
    expect(sweep.map(({ done }) => done)).toEqual(sweep.map((_, i) => i + 1));
    expect(events.filter(({ type }) => type === 'found')).toHaveLength(1);
  });

  test('is the same for the same seed', async () => {
    const wishes: Wishes = { train: drawn, hidden: [dense(8, { keepProb: 0.5 })], batchSize: 32, kernels: fast };
    expect(await found(problem(wishes))).toEqual(await found(problem(wishes)));
  });

  test('puts the first weights back, also when it is left early', async () => {
    const options = problem({ train: drawn, hidden: [relu(8)], kernels: fast });
    const first = initialParameters(options.network, fast, numpyRandom(1)).values;
    await found(options);
    expect(options.parameters.values).toEqual(first);
    for await (const event of findRate(options)) if (event.type === 'sweep' && event.rate > 1e-3) break;
    expect(options.parameters.values).toEqual(first);
  });
});
