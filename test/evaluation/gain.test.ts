import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gainOf, gainsOf, raceDecision } from '../../src/evaluation/gain.ts';
import { binomialTail, studentQuantile, studentTails } from '../../src/evaluation/statistics.ts';
import { namedRandom } from '../../src/random.ts';

const rows = (seeds: number, right: (seed: number) => readonly number[]) =>
  Array.from({ length: seeds }, (_, s) => Uint8Array.from(right(s)));
/** 1 for the pictures before `count`, else 0. */
const first = (count: number, pictures: number) => Array.from({ length: pictures }, (_, i) => (i < count ? 1 : 0));

describe("Student's distribution", () => {
  test.each([
    // the printed tables
    { alpha: 0.05, freedom: 1, t: 12.7062047364 },
    { alpha: 0.05, freedom: 2, t: 4.30265272991 },
    { alpha: 0.05, freedom: 10, t: 2.22813885196 },
    { alpha: 0.01, freedom: 5, t: 4.03214298356 },
    { alpha: 0.05, freedom: 1000, t: 1.96233908082 },
    // in closed form: t = (1 − α) √(2 / (α (2 − α))) with two degrees of freedom
    { alpha: 0.999, freedom: 2, t: 0.001 * Math.sqrt(2 / (0.999 * 1.001)) },
    { alpha: 1e-10, freedom: 2, t: (1 - 1e-10) * Math.sqrt(2 / (1e-10 * (2 - 1e-10))) },
  ])('leaves $alpha beyond $t with $freedom degrees of freedom', ({ alpha, freedom, t }) => {
    expect(studentQuantile(alpha, freedom) / t).toBeCloseTo(1, 6);
    expect(studentTails(t * t, freedom) / alpha).toBeCloseTo(1, 5);
  });
});

test('a binomial tail is the sum of its probabilities', () => {
  expect(binomialTail(2, 3, 0.5)).toBeCloseTo(0.5, 12);
  expect(binomialTail(59, 59, 0.95)).toBeCloseTo(0.95 ** 59, 12);
  expect(binomialTail(92, 93, 0.95)).toBeCloseTo(0.95 ** 93 + 93 * 0.95 ** 92 * 0.05, 12);
  expect([binomialTail(0, 5, 0.3), binomialTail(6, 5, 0.3)]).toEqual([1, 0]);
});

describe('the gain of a treatment', () => {
  test('that changes nothing is 0, within what half a picture gained and half a one lost leave', () => {
    const right = rows(4, () => first(20, 30));
    const found = gainOf({ baseline: right, treatment: right });
    const half = 2.045229642 / Math.sqrt(30 * 31); // t of 29 degrees of freedom
    expect(found).toMatchObject({ gain: 0, p: 1, interval: [expect.closeTo(-half, 8), expect.closeTo(half, 8)] });
  });

  test('on which all seeds agree has the interval of paired differences over pictures', () => {
    const [pictures, lost, won] = [200, 6, 20];
    const baseline = rows(5, () => first(lost, pictures));
    const treatment = rows(5, () => Array.from({ length: pictures }, (_, i) => (i >= lost && i < lost + won ? 1 : 0)));
    const found = gainOf({ baseline, treatment });
    const mean = (won - lost) / (pictures + 1);
    const error = Math.sqrt((lost + won + 1 - (pictures + 1) * mean ** 2) / pictures / (pictures + 1));
    expect(found.gain).toBeCloseTo(0.07, 12);
    expect(found.standardError).toBeCloseTo(error, 12);
    expect(found.interval![0]).toBeCloseTo(mean - 1.971956544 * error, 8); // t of 199 degrees of freedom
    expect(found.p).toBeCloseTo(studentTails((mean / error) ** 2, 199), 6);
  });

  test('on which all pictures agree has the p of the seeds alone', () => {
    const baseline = rows(3, () => first(0, 5000));
    const treatment = rows(3, (s) => first(s === 1 ? 5000 : 0, 5000));
    const { gain, p, interval } = gainOf({ baseline, treatment });
    expect(gain).toBeCloseTo(1 / 3, 12);
    expect(p).toBeCloseTo(1 - 1 / Math.sqrt(3), 3); // t = 1 with two degrees of freedom
    expect(interval).toEqual([expect.closeTo(1 / 3 - 4.30265 / 3, 3) && -1, 1]);
  });

  test('of nearly all pictures reaches farther down than up: there is room for worse seeds, and none for better ones', () => {
    const counts = [980, 990, 910];
    const baseline = rows(3, () => first(500, 1000));
    const found = gainOf({ baseline, treatment: rows(3, (s) => first(counts[s]!, 1000)) });
    // with half a picture more that is right, of one more; the pictures' part is the same in both directions
    const accuracies = counts.map((count) => (count + 0.5) / 1001);
    const mean = accuracies.reduce((sum, one) => sum + one, 0) / 3;
    const variance = accuracies.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 2;
    const seeds = 4.30265272991 * Math.sqrt(variance / 3);
    const odds = (mean / (1 - mean)) * Math.exp(-seeds / (mean * (1 - mean)));
    const down = mean - odds / (1 + odds);
    const gain = mean - 500.5 / 1001;
    const [low, high] = found.interval!;
    expect(down).toBeGreaterThan(1.5 * seeds);
    expect((gain - low) ** 2 - (high - gain) ** 2).toBeCloseTo(down ** 2 - seeds ** 2, 8);
    // and the other way around where the baseline is that good
    const [lowest, highest] = gainOf({ baseline: rows(3, (s) => first(counts[s]!, 1000)), treatment: baseline }).interval!;
    expect([-highest, -lowest]).toEqual([expect.closeTo(low, 9), expect.closeTo(high, 9)]);
  });

  test('has no interval from two seeds, nor from one picture', () => {
    const known = { gain: 0.5, interval: null, p: null, standardError: null };
    expect(gainOf({ baseline: rows(2, () => [0, 1]), treatment: rows(2, () => [1, 1]) })).toEqual(known);
    expect(gainOf({ baseline: rows(3, () => [0]), treatment: rows(3, () => [1]) })).toEqual({ ...known, gain: 1 });
  });

  test('weighs pictures: of balanced accuracy both classes count alike', () => {
    // 2 of 4 of one class are gained, 3 of 12 of the other are lost: ½ · 2/4 − ½ · 3/12
    const baseline = rows(3, () => [0, 0, 0, 0, ...first(3, 12)]);
    const treatment = rows(3, () => [1, 1, 0, 0, ...first(0, 12)]);
    const weights = Float64Array.from({ length: 16 }, (_, i) => (i < 4 ? 1 / 4 : 1 / 12));
    const found = gainOf({ baseline, treatment, weights });
    expect(found.gain).toBeCloseTo(0.125, 12);
    const plain = gainOf({ baseline, treatment });
    expect(gainOf({ baseline, treatment, weights: new Float64Array(16).fill(7) })).toEqual(plain);
    expect(plain.gain).toBeCloseTo(-1 / 16, 12);
  });

  test('turns around with the two, and its interval leaves out 0 where p says so', () => {
    const one = fc.array(fc.array(fc.nat({ max: 1 }), { minLength: 12, maxLength: 12 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(one, one, (a, b) => {
        const [baseline, treatment] = [a.map((row) => Uint8Array.from(row)), b.map((row) => Uint8Array.from(row))];
        const [there, back] = [gainOf({ baseline, treatment }), gainOf({ baseline: treatment, treatment: baseline })];
        expect(there.gain).toBeCloseTo(-back.gain, 12);
        expect(there.interval![0]).toBeCloseTo(-back.interval![1], 9);
        expect(there.interval![0]).toBeLessThanOrEqual(there.gain);
        expect(there.interval![1]).toBeGreaterThanOrEqual(there.gain);
        expect(there.p! < 0.05).toBe(there.interval![0] > 0 || there.interval![1] < 0);
        const wider = gainOf({ baseline, treatment }, 0.99).interval!;
        expect(wider[0]).toBeLessThanOrEqual(there.interval![0]);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the gains of several treatments', () => {
  const random = namedRandom(1, 'remedies');
  const answers = (share: number) => rows(3, () => Array.from({ length: 200 }, () => (random.uniform() < share ? 1 : 0)));
  const baseline = answers(0.6);
  const judged = [0.8, 0.6, 0.6, 0.6, 0.6, 0.6].map((share) => ({ baseline, treatment: answers(share) }));
  const [apart, together] = [judged.map((one) => gainOf(one)), gainsOf(judged)];

  test('have the intervals that each has alone, and one alone has its p', () => {
    expect(together.map(({ gain, interval }) => ({ gain, interval }))).toEqual(
      apart.map(({ gain, interval }) => ({ gain, interval })),
    );
    expect(gainsOf(judged.slice(0, 1))).toEqual(apart.slice(0, 1));
    expect(gainsOf([])).toEqual([]);
  });

  test('tell each other how much seeds differ: what three seeds alone hardly show is sure', () => {
    expect(apart[0]!.p).toBeGreaterThan(0.002);
    expect(together[0]!.p).toBeLessThan(apart[0]!.p! / 4);
  });

  test('keep their own p where their own interval holds 0', () => {
    const wild = { baseline: rows(3, () => first(60, 200)), treatment: rows(3, (s) => first([150, 60, 70][s]!, 200)) };
    const own = gainOf(wild);
    expect(own.interval![0]).toBeLessThan(0);
    expect(gainsOf([wild, ...judged.slice(1)])[0]!.p).toBe(own.p);
  });

  test('are of as many seeds as each has', () => {
    const short = { baseline: baseline.slice(0, 2), treatment: judged[0]!.treatment.slice(0, 2) };
    expect(gainsOf([short, ...judged])).toEqual([gainOf(short), ...together]);
  });
});

describe('a race', () => {
  test('drops what is behind the leader by more than t standard errors of a difference', () => {
    // what is left once rows and columns are taken out: ±0.01 in each cell of the first two, 0 in the third
    const accuracies = [
      [0.81, 0.79],
      [0.79, 0.81],
      [0.5, 0.5],
    ];
    // σ² = 4 · 0.01² / 2; t(2) for 5% one-sided among two is t for 5% two-sided
    const behind = 4.30265 * Math.sqrt((2 * 2e-4) / 2);
    expect(behind).toBeLessThan(0.3);
    expect(raceDecision({ accuracies })).toEqual([true, true, false]);
    const near = [...accuracies.slice(0, 2), [0.8 - behind + 1e-4, 0.8 - behind + 1e-4]];
    expect(raceDecision({ accuracies: near })).toEqual([true, true, true]);
    const far = [...accuracies.slice(0, 2), [0.8 - behind - 1e-4, 0.8 - behind - 1e-4]];
    expect(raceDecision({ accuracies: far })).toEqual([true, true, false]);
    expect(raceDecision({ accuracies: far, decisions: 3 })).toEqual([true, true, true]);
  });

  test('keeps the leader, and all where one seed says nothing', () => {
    expect(raceDecision({ accuracies: [[0.9], [0.1]] })).toEqual([true, true]);
    expect(raceDecision({ accuracies: [[0.9, 0.9]] })).toEqual([true]);
    const some = fc.array(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }), { minLength: 2 });
    fc.assert(
      fc.property(some, (accuracies) => {
        const means = accuracies.map((row) => row.reduce((sum, one) => sum + one, 0) / row.length);
        expect(raceDecision({ accuracies })[means.indexOf(Math.max(...means))]).toBe(true);
      }),
    );
  });
});
