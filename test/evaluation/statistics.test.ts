import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deviationsApart, fisherExact, sampleOf, welchTest } from '../../src/evaluation/statistics.ts';
import { twoSamples } from '../golden/golden.ts';

const relative = (actual: number, expected: number) => Math.abs(actual / expected - 1);

describe("Fisher's exact test", () => {
  test.each(twoSamples.fisher)('gives the sum in fractions: $table', ({ table: [a, m, b, n], p }) => {
    expect(relative(fisherExact({ positive: a, total: m }, { positive: b, total: n }), p)).toBeLessThan(1e-10);
  });

  test('does not care which sample or which class is named first', () => {
    const sizes = fc.record({ m: fc.integer({ min: 1, max: 60 }), n: fc.integer({ min: 1, max: 60 }) });
    const cases = sizes.chain(({ m, n }) =>
      fc.tuple(fc.integer({ min: 0, max: m }), fc.integer({ min: 0, max: n }), fc.constant({ m, n })),
    );
    fc.assert(
      fc.property(cases, ([a, b, { m, n }]) => {
        const p = fisherExact({ positive: a, total: m }, { positive: b, total: n });
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(fisherExact({ positive: b, total: n }, { positive: a, total: m })).toBeCloseTo(p, 12);
        expect(fisherExact({ positive: m - a, total: m }, { positive: n - b, total: n })).toBeCloseTo(p, 12);
      }),
    );
  });

  test('of millions takes no time, and of what can not be by chance is 0', () => {
    const p = fisherExact({ positive: 3_000_000, total: 6_000_000 }, { positive: 1_998_000, total: 4_000_000 });
    // z = 0.0005 / √(¼ (1/6e6 + 1/4e6)) = 1.549
    expect(p).toBeGreaterThan(0.119);
    expect(p).toBeLessThan(0.124);
    expect(fisherExact({ positive: 0, total: 1e6 }, { positive: 1e6, total: 1e6 })).toBe(0);
  });
});

describe("Welch's t test", () => {
  test.each(twoSamples.welch)('gives the tails of the integral: p = $p', ({ x, y, p, 'deviations apart': apart }) => {
    const [a, b] = [sampleOf(x), sampleOf(y)];
    expect(relative(welchTest(a, b), p)).toBeLessThan(1e-9);
    expect(welchTest(b, a)).toBe(welchTest(a, b));
    expect(relative(deviationsApart(a, b), apart)).toBeLessThan(1e-12);
  });

  test('of samples that vary alike is that of Student, in closed form for 8 degrees of freedom', () => {
    const [a, b] = [sampleOf([0, 1, 2, 3, 4]), sampleOf([1, 2, 3, 4, 5])];
    const z = 8 / 9; // ν / (ν + t²) with t = −1
    expect(welchTest(a, b)).toBeCloseTo(1 - (1 / 3) * (1 + z / 2 + (3 / 8) * z ** 2 + (5 / 16) * z ** 3), 12);
  });

  test('where nothing varies, equal means are the same for certain and others are not', () => {
    const [five, six] = [sampleOf([5, 5, 5]), sampleOf([6, 6])];
    expect([welchTest(five, five), deviationsApart(five, five)]).toEqual([1, 0]);
    expect([welchTest(five, six), deviationsApart(five, six)]).toEqual([0, Number.POSITIVE_INFINITY]);
  });
});
