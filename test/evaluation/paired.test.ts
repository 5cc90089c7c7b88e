import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holm, mcnemarExact, type PairedCounts, pairedDifferenceInterval } from '../../src/evaluation/paired.ts';

const counts = ([bothRight, onlyFirst, onlySecond, bothWrong]: readonly [number, number, number, number]): PairedCounts => ({
  bothRight,
  onlyFirst,
  onlySecond,
  bothWrong,
});
const natural = fc.nat({ max: 60 });
const tables = fc.tuple(natural, natural, natural, natural).filter((table) => table.some((n) => n > 0));

describe("McNemar's exact test", () => {
  test.each([
    // by hand: twice the sum of the binomial coefficients up to the smaller count, over 2 to the number of both
    { b: 1, c: 7, p: (2 * (1 + 8)) / 2 ** 8 }, // Bentur et al. 2009; Fagerland, Lydersen & Laake 2013 print 0.070
    { b: 6, c: 16, p: (2 * (1 + 22 + 231 + 1540 + 7315 + 26334 + 74613)) / 2 ** 22 }, // Cavo et al. 2012; there 0.053
    { b: 5, c: 12, p: (2 * (1 + 17 + 136 + 680 + 2380 + 6188)) / 2 ** 17 },
    { b: 0, c: 5, p: 2 / 2 ** 5 },
    { b: 0, c: 6, p: 2 / 2 ** 6 },
    { b: 2, c: 4, p: (2 * (1 + 6 + 15)) / 2 ** 6 },
    { b: 0, c: 1, p: 1 },
    { b: 3, c: 3, p: 1 },
    { b: 3, c: 4, p: 1 },
    { b: 0, c: 0, p: 1 },
  ])('of $b against $c pictures gives $p', ({ b, c, p }) => {
    expect(mcnemarExact(b, c)).toBeCloseTo(p, 12);
    expect(mcnemarExact(c, b)).toBe(mcnemarExact(b, c));
  });

  test('of millions takes no time, and of what can not be by chance is 0', () => {
    // z = (|b − c| − 1) / √n = 1999 / 1000: 4.56% of the normal distribution lie beyond
    expect(mcnemarExact(499_000, 501_000)).toBeCloseTo(0.0456, 3);
    expect(mcnemarExact(0, 100_000)).toBe(0);
  });
});

describe("Newcombe's interval of a difference of paired shares", () => {
  test.each([
    // published: Newcombe 1998; Altman et al. 2000, "Statistics with confidence", table 6.2; Fagerland, Lydersen & Laake 2014
    { table: [36, 2, 12, 0], difference: 0.2, interval: [0.0569, 0.3404] },
    { table: [14, 0, 5, 22], difference: 0.122, interval: [0.0115, 0.2265] },
    { table: [1, 7, 1, 12], difference: -0.2857, interval: [-0.5069, -0.0256] },
    { table: [59, 16, 6, 80], difference: -0.0621, interval: [-0.1186, -0.0046] },
  ] as const)('of $table is $interval', ({ table, difference, interval }) => {
    const [low, high] = pairedDifferenceInterval(counts(table));
    expect([low, high]).toEqual(interval.map((end) => expect.closeTo(end, 4)));
    expect(low).toBeLessThan(difference);
    expect(high).toBeGreaterThan(difference);
  });

  test('turns around with the two, lies within ±1, and holds the difference', () => {
    fc.assert(
      fc.property(tables, ([a, b, c, d]) => {
        const [low, high] = pairedDifferenceInterval(counts([a, b, c, d]));
        const turned = pairedDifferenceInterval(counts([a, c, b, d]));
        expect(turned[0]).toBeCloseTo(-high, 12);
        expect(turned[1]).toBeCloseTo(-low, 12);
        const difference = (c - b) / (a + b + c + d);
        expect(low).toBeLessThanOrEqual(difference);
        expect(high).toBeGreaterThanOrEqual(difference);
        expect(low).toBeGreaterThanOrEqual(-1 - 1e-12);
        expect(high).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
  });
});

describe("Holm's correction", () => {
  test('multiplies the smallest by all, the next by one less, and keeps their order', () => {
    // by hand: 0.01·4, 0.02·3, max(0.03·2, 0.06), max(0.5·1, 0.06)
    const found = holm([0.03, 0.5, 0.01, 0.02]);
    for (const [i, p] of [0.06, 0.5, 0.04, 0.06].entries()) expect(found[i]).toBeCloseTo(p, 12);
    expect(holm([0.2])).toEqual([0.2]);
    expect(holm([0.6, 0.7])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });
});
