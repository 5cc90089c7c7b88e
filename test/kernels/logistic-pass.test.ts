import { describe, expect, test } from 'vitest';
import type { LossRule } from '../../src/kernels/kernels.ts';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import type { LossName } from '../../src/nn/losses.ts';
import { type Batch, batchOf, classWeights, passOf, ruleOf } from './operands.ts';

/** Logistic regression in float32 goes forward and back in one. */
const reference = referenceKernels('float64');
/** One kernel of the definition after the other. */
function stepsOf({ labels, weights, ...rows }: Batch, loss: LossName | LossRule, bias = 0.1) {
  const { count, features } = rows;
  const of = (length: number) => new Float64Array(length);
  const [z, dZ, dW, db] = [of(count), of(count), of(features), of(1)];
  const input = { kind: 'bytes', ...rows } as const;
  reference.linear({ input, weights, bias: of(1).fill(Math.fround(bias)), units: 1, out: z });
  const rule = ruleOf(loss);
  const cost = reference.lossGradient({ rule, z, labels, weights: classWeights, count, m: count, dZ });
  reference.linearGradWeights({ input, dZ, units: 1, out: dW });
  reference.sumExamples({ values: dZ, count, units: 1, out: db, adds: false });
  return { cost, z, dZ, dW, db };
}

/** The largest difference, as a share of the largest number. */
function distance(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(found[i]! - expected[i]!));
    size = Math.max(size, Math.abs(expected[i]!));
  }
  return difference / size;
}

const shapes: [string, Batch][] = [
  ['one picture', batchOf(1, 48)],
  ['an odd number of odd pictures', batchOf(7, 33)],
  ['a number for each feature', batchOf(130, 100, { uniform: false })],
  ['examples by their places', batchOf(300, 75, { shuffled: true })],
  ['more pictures than sums of 32 bits take', batchOf(9000, 48)],
  ['the longest rows', batchOf(70, 16_384)],
];

describe.each(['crossEntropy', 'squaredError'] as const)('logistic regression forward and back in one (%s)', (loss) => {
  test.each(shapes)('is what its steps are, to rounding: %s', (_, batch) => {
    const [found, expected] = [passOf(simdKernels('float32'), batch, loss), stepsOf(batch, loss)];
    expect(Math.abs(found.cost / expected.cost - 1)).toBeLessThan(1e-7);
    // half a unit in the last place of float32 is 6e-8; dW sums what was rounded so
    for (const name of ['z', 'dZ', 'dW'] as const) expect(distance(found[name], expected[name])).toBeLessThan(2e-7);
    expect(Math.abs(found.db[0]! - expected.db[0]!)).toBeLessThan(1e-7);
  });

  test.each(shapes)('has the same bits with any number of threads: %s', (_, batch) => {
    const [one, two, four] = [1, 2, 4].map((threads) => passOf(simdKernels('float32', threads), batch, loss));
    expect(two).toEqual(one);
    expect(four).toEqual(one);
  });
});

test('numbers of very different sizes keep their digits: pictures that are learnt beside some that are not', () => {
  // with such weights most pictures are far on one side of the border, and their dZ far smaller than that of the others
  const batch = batchOf(640, 300, { size: 2 });
  const [found, expected] = [passOf(simdKernels('float32'), batch, 'crossEntropy'), stepsOf(batch, 'crossEntropy')];
  expect(Math.min(...expected.dZ.map(Math.abs)) * 1e6).toBeLessThan(Math.max(...expected.dZ.map(Math.abs)));
  expect(distance(found.dW, expected.dW)).toBeLessThan(1e-6);
});

test('a loss that the assembly does not know is computed by its own functions', () => {
  const cubed: LossRule = { name: 'cubed', value: (z, y) => (z - y) ** 3, derivative: (z, y) => 3 * (z - y) ** 2 };
  const batch = batchOf(130, 100);
  const [found, expected] = [passOf(simdKernels('float32'), batch, cubed), stepsOf(batch, cubed)];
  expect(found.cost / expected.cost).toBeCloseTo(1, 5);
  for (const name of ['z', 'dZ', 'dW', 'db'] as const) expect(distance(found[name], expected[name])).toBeLessThan(1e-5);
});

test('pictures whose dZ are 0 leave the gradient alone', () => {
  const batch = batchOf(96, 64);
  batch.labels.fill(1);
  const found = passOf(simdKernels('float32'), batch, 'crossEntropy', 200);
  expect(found.dZ.every((value) => value === 0)).toBe(true);
  expect(found.dW.every((value) => value === 0)).toBe(true);
});

test('what is not finite is told', () => {
  const batch = batchOf(96, 64);
  batch.weights[5] = Number.NaN;
  const found = passOf(simdKernels('float32'), batch, 'crossEntropy');
  expect(found.cost).toBeNaN();
  expect(found.dW.every(Number.isNaN)).toBe(true);
});

test('float64 and long rows go one step after the other', () => {
  expect(simdKernels('float64').logisticPass).toBeNull();
  expect(reference.logisticPass).toBeNull();
  const { takes } = simdKernels('float32').logisticPass!;
  const { labels: _, weights: _w, ...rows } = batchOf(1, 16_385);
  expect(takes({ kind: 'bytes', ...rows })).toBe(false);
  expect(takes({ kind: 'bytes', ...rows, features: 16_384 })).toBe(true);
});
