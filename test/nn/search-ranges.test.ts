import { describe, expect, test } from 'vitest';
import { type RangeName, ranges } from '../../src/nn/search-ranges.ts';
import { namedRandom } from '../../src/random.ts';

const draws = (name: RangeName, bounds: unknown[], n = 4000) =>
  Array.from({ length: n }, (_, i) => ranges[name].draw(namedRandom(i, 'ranges'), bounds));
/** The share of the numbers below a bound. */
const below = (values: unknown[], bound: number) => values.filter((value) => (value as number) < bound).length / values.length;

describe('what is drawn', () => {
  test('uniform: half below the middle', () => {
    const values = draws('uniform', [2, 4]);
    expect(below(values, 3)).toBeCloseTo(0.5, 1);
    expect(below(values, 2)).toBe(0);
    expect(below(values, 4)).toBe(1);
  });

  test('logUniform: half below the geometric mean', () => {
    const values = draws('logUniform', [0.0001, 1]);
    expect(below(values, 0.01)).toBeCloseTo(0.5, 1);
    expect(below(values, 0.0001)).toBe(0);
    expect(below(values, 1.000001)).toBe(1);
  });

  test("oneMinusLog: β = 1 − 10^r with r uniform in [−3, −1], the notes' own range", () => {
    const values = draws('oneMinusLog', [0.9, 0.999]);
    expect(below(values, 0.99)).toBeCloseTo(0.5, 1);
    expect(below(values, 0.8999999)).toBe(0);
    expect(below(values, 0.9990001)).toBe(1);
  });

  test('integer: both ends, and all between, alike', () => {
    const values = draws('integer', [3, 6]);
    expect([...new Set(values)].sort()).toEqual([3, 4, 5, 6]);
    for (const value of [3, 4, 5, 6]) expect(values.filter((one) => one === value).length / values.length).toBeCloseTo(0.25, 1);
  });

  test('choice: values of any kind, alike', () => {
    const choices = ['relu', null, [{ units: 3 }]];
    const values = draws('choice', choices);
    for (const choice of choices) expect(values.filter((one) => one === choice).length / values.length).toBeCloseTo(1 / 3, 1);
  });
});

describe('bounds that make no sense are refused', () => {
  test.each<[RangeName, unknown[]]>([
    ['uniform', [2, 1]],
    ['logUniform', [0, 1]],
    ['logUniform', [-1, 1]],
    ['oneMinusLog', [0.9, 1]],
    ['oneMinusLog', [-0.1, 0.5]],
    ['integer', [1, 2.5]],
    ['integer', [5, 4]],
    ['integer', [-(2 ** 31) - 1, 0]],
    ['integer', [0, 2 ** 31 + 1]],
  ])('%s %j', (name, bounds) => {
    expect(ranges[name].refuse(bounds)).toMatch(/^expected two/);
  });

  test('others are not', () => {
    for (const [name, bounds] of [
      ['uniform', [1, 1]],
      ['logUniform', [1e-9, 1]],
      ['oneMinusLog', [0, 0.999]],
      ['oneMinusLog', [0.5, 1 - Number.EPSILON]],
      ['integer', [-(2 ** 31), 2 ** 31]],
      ['choice', ['a']],
    ] as const) {
      expect(ranges[name].refuse(bounds)).toBeNull();
    }
  });
});
