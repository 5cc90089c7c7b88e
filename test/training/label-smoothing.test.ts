import { describe, expect, test } from 'vitest';
import { sigmoid } from '../../src/elementary.ts';
import type { Precision } from '../../src/kernels/kernels.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { smoothedTargets } from '../../src/nn/losses.ts';
import { checkModel, isRight } from '../../src/training/check-gradients.ts';
import { dense } from '../nn/networks.ts';
import { epochsOf, noisePictures, problem, type Wishes } from './problems.ts';

const s = 0.1;
const smoothed = { softTargets: smoothedTargets(s) } satisfies Wishes;
const dev = noisePictures(20, { seed: 2 });

/** The weights that a training ends with, and its events. */
async function trained(wishes: Wishes) {
  const options = problem({ dev, ...wishes });
  const events = await epochsOf(options);
  return { events, weights: [...options.parameters.values] };
}

const largest = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

test('logistic regression learns from y(1 − s) + (1 − y)s, by hand', async () => {
  const train = noisePictures(6);
  const wishes = { train, learningRates: [0.5], epochs: 2, ...smoothed };
  const { events, weights } = await trained(wishes);
  // two steps written out: z = wᵀx + b, dw = (1/m) Σ (p − y) x with the smoothed y
  const targets = Array.from(train.labels, (y) => y * (1 - s) + (1 - y) * s);
  const x = Array.from(targets, (_, i) => Array.from(train.pixels.subarray(48 * i, 48 * (i + 1)), (byte) => byte / 255));
  const start = problem(wishes).parameters.tensors;
  const [w, b] = [[...start['W1']!], [...start['b1']!] as [number]];
  for (const { cost } of events) {
    const p = x.map((values) => sigmoid(values.reduce((sum, value, k) => sum + w[k]! * value, b[0])));
    const losses = p.map((q, i) => -targets[i]! * Math.log(q) - (1 - targets[i]!) * Math.log(1 - q));
    expect(cost).toBeCloseTo(losses.reduce((sum, loss) => sum + loss, 0) / 6, 13);
    for (const k of w.keys()) w[k]! -= (0.5 / 6) * p.reduce((sum, q, i) => sum + (q - targets[i]!) * x[i]![k]!, 0);
    b[0] -= (0.5 / 6) * p.reduce((sum, q, i) => sum + (q - targets[i]!), 0);
  }
  expect(largest(weights, [...w, ...b])).toBeLessThan(1e-13);
});

test('the metrics and the cost on dev keep the labels', async () => {
  const wishes = { learningRates: [0], epochs: 1 };
  const [[hard], [soft]] = [(await trained(wishes)).events, (await trained({ ...wishes, ...smoothed })).events];
  expect(soft!.dev).toEqual(hard!.dev);
  expect(soft!.train).toEqual(hard!.train);
  expect(soft!.cost).not.toBe(hard!.cost);
});

describe('every way of a step takes the same targets', () => {
  const wishes: Wishes = { train: noisePictures(40), learningRates: [0.1], epochs: 6, ...smoothed };
  const inPrecision = (precision: Precision) => trained({ ...wishes, kernels: kernelsFor(precision) });

  test('logistic regression in one pass over the bytes', async () => {
    expect(kernelsFor('float32').logisticPass).not.toBeNull(); // float64 has none
    const [one, plain] = [await inPrecision('float32'), await inPrecision('float64')];
    expect(largest(one.weights, plain.weights)).toBeLessThan(1e-6);
  });

  test.each([
    ['logistic regression', []],
    ['two layers', [dense(3)]],
  ])('%s in dual form', async (_, hidden) => {
    const both = { ...wishes, hidden, learningRates: [...hidden, 0].map(() => 0.1) };
    const [dual, direct] = [await trained({ ...both, form: 'dual' }), await trained(both)];
    expect(largest(dual.weights, direct.weights)).toBeLessThan(1e-11);
  });
});

test.each(['crossEntropy', 'squaredError'] as const)('the gradient check takes them: %s', (loss) => {
  const options = problem({ hidden: [dense(4)], loss, l2: 0.3, classWeights: [0.7, 1.6], ...smoothed });
  for (const layer of checkModel(options, { perLayer: 50, examples: 8 })) expect(isRight(layer)).toBe(true);
});
