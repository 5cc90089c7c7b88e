import { expect, test } from 'vitest';
import { kernelsFor } from '../../src/kernels/select.ts';
import { clearTiny } from '../../src/nn/optimizers.ts';
import { fit } from '../../src/training/fit.ts';
import { dense } from '../nn/networks.ts';
import { named, problem } from './problems.ts';

/** Denormal numbers, by which processors multiply a hundred times as slowly, do not stay in the weights. */

/** The least number of float32 that is not denormal. */
const leastNormal = 2 ** -126;

test('what is almost 0 becomes 0, and nothing else changes', () => {
  const kept = [1, -1, 2 ** -100, -(2 ** -100), Number.NaN, Number.POSITIVE_INFINITY, 0];
  const values = Float32Array.of(...kept, 2 ** -101, -(2 ** -101), 2 ** -149);
  clearTiny(values);
  expect([...values]).toEqual([...kept, 0, 0, 0]);
  const doubles = Float64Array.of(2 ** -101, 2 ** -900, 2 ** -901);
  clearTiny(doubles);
  expect([...doubles]).toEqual([2 ** -101, 2 ** -900, 0]);
});

test('weights that L2 alone moves end at 0 before they are denormal', async () => {
  const black = named({ features: 12, pixels: new Uint8Array(12 * 8), labels: Uint8Array.of(0, 1, 0, 1, 0, 1, 0, 1) });
  // α λ / m = 0.3: each step leaves 0.7 of a weight, and 0.7²⁶⁰ is denormal
  const options = problem({
    kernels: kernelsFor('float32'),
    hidden: [dense(4)],
    train: black,
    epochs: 260,
    l2: 8 * 3,
    learningRates: [0.1, 0.1],
  });
  expect(0.7 ** options.epochs).toBeLessThan(leastNormal);
  for await (const _ of fit(options));
  expect([...options.parameters.tensors['W1']!]).toEqual(new Array(4 * 12).fill(0));
});
