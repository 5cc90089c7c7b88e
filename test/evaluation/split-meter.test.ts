import { expect, test } from 'vitest';
import { splitMeter } from '../../src/evaluation/split-meter.ts';

test('the present division stands among the others', () => {
  const found = splitMeter(0.8, [0.7, 0.8, 0.9, 0.76], 100)!;
  expect(found).toMatchObject({ count: 4, below: 2, equal: 1, quantile: 2.5 / 4, verdict: 'typical' });
  expect(found.mean).toBeCloseTo(0.79, 12);
  expect(found.luck).toBeCloseTo(0.01, 12);
  const spread = Math.sqrt((0.09 ** 2 + 0.01 ** 2 + 0.11 ** 2 + 0.03 ** 2) / 3);
  expect(found.spread).toBeCloseTo(spread, 12);
  expect(found.spreadByChance).toBeCloseTo(Math.sqrt((0.79 * 0.21) / 100), 12);
  expect(found.range[0]).toBeCloseTo(0.79 - 3.182446305 * spread * Math.sqrt(1.25), 8); // t of 3 degrees of freedom
  expect(found.range[1]).toBe(1);
});

test.each([
  { present: 0.99, verdict: 'lucky' },
  { present: 0.5, verdict: 'unlucky' },
  { present: 0.71, verdict: 'typical' },
])('a present figure of $present is $verdict', ({ present, verdict }) => {
  expect(splitMeter(present, [0.7, 0.71, 0.69, 0.72, 0.7], 200)?.verdict).toBe(verdict);
});

test('two others are too few to tell', () => {
  expect(splitMeter(0.8, [0.7, 0.9], 100)).toBeNull();
});
