import { describe, expect, test } from 'vitest';
import { exp, log, log1p, sigmoid, softplus, tanh } from '../src/elementary.ts';
import { numpyRandom } from '../src/random.ts';

/** The distance in units in the last place of the expected value. The host's Math is itself within 1 ulp. */
function ulps(actual: number, expected: number): number {
  if (Object.is(actual, expected) || actual === expected) return 0;
  const unit = 2 ** Math.max(-1074, Math.floor(Math.log2(Math.abs(expected))) - 52);
  return Math.abs(actual - expected) / unit;
}

function worst(f: (x: number) => number, host: (x: number) => number, low: number, high: number): number {
  const random = numpyRandom(5);
  let most = 0;
  for (let i = 0; i < 100_000; i++) {
    const x = low + (high - low) * random.uniform();
    most = Math.max(most, ulps(f(x), host(x)));
  }
  return most;
}

describe('against the host, whose own error is up to 1 ulp', () => {
  test.each([
    ['exp', exp, Math.exp, -740, 709, 3],
    ['exp near 0', exp, Math.exp, -1, 1, 2],
    ['log', log, Math.log, 1e-300, 10, 3],
    ['log near 1', log, Math.log, 0.5, 2, 3],
    ['log1p', log1p, Math.log1p, -0.9, 5, 4],
    ['log1p near 0', log1p, Math.log1p, -1e-5, 1e-5, 3],
    ['tanh', tanh, Math.tanh, -25, 25, 5],
    ['tanh near 0', tanh, Math.tanh, -0.2, 0.2, 5],
  ])('%s is right to the last places', (_, f, host, low, high, bound) => {
    expect(worst(f, host, low, high)).toBeLessThanOrEqual(bound);
  });
});

describe('at the edges', () => {
  test.each([
    ['exp(710)', exp(710), Number.POSITIVE_INFINITY],
    ['exp(-746)', exp(-746), 0],
    ['exp(0)', exp(0), 1],
    ['exp(NaN)', exp(Number.NaN), Number.NaN],
    ['log(0)', log(0), Number.NEGATIVE_INFINITY],
    ['log(-1)', log(-1), Number.NaN],
    ['log(1)', log(1), 0],
    ['log(∞)', log(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY],
    ['tanh(1000)', tanh(1000), 1],
    ['tanh(-1000)', tanh(-1000), -1],
    ['tanh(0)', tanh(0), 0],
    ['sigmoid(1000)', sigmoid(1000), 1],
    ['sigmoid(-1000)', sigmoid(-1000), 0],
    ['sigmoid(0)', sigmoid(0), 0.5],
    ['softplus(1000)', softplus(1000), 1000],
    ['softplus(-1000)', softplus(-1000), 0],
    ['softplus(0)', softplus(0), Math.LN2],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });

  test('the smallest numbers have logarithms', () => {
    expect(ulps(log(Number.MIN_VALUE), Math.log(Number.MIN_VALUE))).toBeLessThanOrEqual(2);
    expect(ulps(exp(-745), Math.exp(-745))).toBeLessThanOrEqual(2);
  });
});
