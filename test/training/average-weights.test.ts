import { describe, expect, test } from 'vitest';
import { kernelsFor } from '../../src/kernels/select.ts';
import { addToAverage, readAverage } from '../../src/nn/weight-average.ts';
import { DivergedError } from '../../src/training/divergence.ts';
import { fit } from '../../src/training/fit.ts';
import { dense } from '../nn/networks.ts';
import { epochsOf, noisePictures, problem, type Wishes } from './problems.ts';

const dev = noisePictures(20, { seed: 2 });
const base = { batchSize: 8, epochs: 3, hidden: [dense(3, { batchNorm: true })], learningRates: [0.3, 0.3] } satisfies Wishes;

async function weightsAfter(wishes: Wishes): Promise<number[]> {
  const options = problem(wishes);
  await epochsOf(options);
  return [...options.parameters.values];
}

/** The weights after each step: what a training without an average has when it is left there. */
async function stepsOf(wishes: Wishes): Promise<number[][]> {
  const steps: number[][] = [];
  for await (const event of fit(problem({ ...wishes, averageWeights: null }), { shouldCheckpoint: () => true })) {
    if (event.type === 'state') steps.push([...event.state.buffers['parameters']!]);
  }
  return steps;
}

/** Σ (1 − d) dᵗ⁻ᵏ W_k / (1 − dᵗ), written out as a sum. */
function meanOf(steps: readonly number[][], d: number): number[] {
  const t = steps.length;
  return steps[0]!.map((_, i) => steps.reduce((sum, W, k) => sum + (1 - d) * d ** (t - 1 - k) * W[i]!, 0) / (1 - d ** t));
}

const largest = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

test('three numbers by hand: after 1, 3 and 5 with d = ½ it is (1·¼ + 3·½ + 5) / (1 + ½ + ¼)', () => {
  const average = { decay: 0.5, values: new Float64Array(1), steps: 0 };
  const out = Float64Array.of(9);
  expect(readAverage(average, out)).toBe(false);
  expect(out[0]).toBe(9);
  for (const value of [1, 3, 5]) addToAverage(average, Float64Array.of(value));
  expect(readAverage(average, out)).toBe(true);
  expect(out[0]).toBeCloseTo(6.75 / 1.75, 14);
});

describe('what a training gives', () => {
  test.each([0.2, 0.9, 0.9999])(
    'is the mean of the weights after each step, with d = %d, batch norm and its averages too',
    async (d) => {
      const steps = await stepsOf(base);
      expect(steps).toHaveLength(12); // 4 batches of up to 8 from 30, three times; the end is a state of its own in place of the last
      const mean = meanOf(steps, d);
      expect(largest(await weightsAfter({ ...base, averageWeights: d }), mean)).toBeLessThan(1e-12);
      expect(largest(mean, steps.at(-1)!)).toBeGreaterThan(1e-3);
    },
  );

  test('is so in float32 to its rounding', async () => {
    const wishes = { ...base, averageWeights: 0.9, kernels: kernelsFor('float32') };
    expect(largest(await weightsAfter(wishes), meanOf(await stepsOf(wishes), 0.9))).toBeLessThan(1e-6);
  });

  test('is what dev is evaluated with, at every look', async () => {
    const wishes = { ...base, dev, averageWeights: 0.9 };
    const events = await epochsOf(problem(wishes));
    for (const { epoch, dev: found } of events) {
      const parameters = problem(wishes).parameters;
      parameters.values.set(await weightsAfter({ ...base, averageWeights: 0.9, epochs: epoch }));
      const [still] = await epochsOf(
        problem({ ...wishes, parameters, epochs: 1, averageWeights: null, learningRates: [0, 0], batchSize: 1 }),
      );
      expect(found!.cost).toBeCloseTo(still!.dev!.cost, 12);
    }
  });

  test('steps and costs are those of a training without an average', async () => {
    const [plain, averaged] = [await epochsOf(problem(base)), await epochsOf(problem({ ...base, averageWeights: 0.9 }))];
    expect(averaged.map(({ cost }) => cost)).toEqual(plain.map(({ cost }) => cost));
  });

  test('with early stopping is the average of the epoch that was best by it', async () => {
    const adverse = { ...dev, labels: dev.labels.map((y) => 1 - y) };
    const wishes: Wishes = {
      ...base,
      dev: adverse,
      epochs: 20,
      averageWeights: 0.8,
      earlyStopping: { patience: 3, minDelta: 0 },
    };
    const options = problem(wishes);
    const events = await epochsOf(options);
    const costs = events.map((event) => event.dev!.cost);
    const best = costs.indexOf(Math.min(...costs)) + 1;
    expect(events.at(-1)).toMatchObject({ bestEpoch: best, stopped: 'early' });
    expect(best).toBeLessThan(events.length);
    expect([...options.parameters.values]).toEqual(await weightsAfter({ ...wishes, epochs: best, earlyStopping: null }));
  });

  test('where it is broken off is the average so far', async () => {
    const options = problem({ ...base, averageWeights: 0.9 });
    for await (const event of fit(options)) if (event.type === 'epoch' && event.epoch === 2) break;
    expect([...options.parameters.values]).toEqual(await weightsAfter({ ...base, averageWeights: 0.9, epochs: 2 }));
  });

  test('after a divergence are the last good weights: what broke is in the average', async () => {
    const wishes: Wishes = {
      hidden: [dense(4, { activation: 'linear' }), dense(3, { activation: 'linear' })],
      learningRates: [1e120, 1e120, 1e120],
      batchSize: 8,
    };
    const [plain, averaged] = [problem(wishes), problem({ ...wishes, averageWeights: 0.9 })];
    for (const options of [plain, averaged]) await expect(epochsOf(options)).rejects.toThrow(DivergedError);
    expect(averaged.parameters.values).toEqual(plain.parameters.values);
  });
});
