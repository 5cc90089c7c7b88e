import { describe, expect, test } from 'vitest';
import { fitLearningCurve } from '../../src/evaluation/learning-curve-fit.ts';

/** Three trainings of each share that differ by so much. */
const points = (error: (n: number) => number, differ = 0.002, sizes = [100, 200, 400, 800]) =>
  sizes.map((pictures) => ({ pictures, errors: [-differ, 0, differ].map((by) => error(pictures) + by) }));
const law = (n: number) => 0.1 + 2 * n ** -0.5;

function curveOf(error: (n: number) => number, differ?: number) {
  const fit = fitLearningCurve(points(error, differ));
  expect(fit.says).toBe(true);
  return fit.curve!;
}

describe('a learning curve', () => {
  test('that is a power law is foretold, and its future lies within the interval', () => {
    const curve = curveOf(law);
    expect(curve.exponent).toBeCloseTo(0.5, 1);
    for (const n of [800, 1600, 3200, 8000]) {
      const { accuracy, interval } = curve.accuracyAt(n);
      expect(accuracy).toBeCloseTo(1 - law(n), 2);
      expect(interval[0]).toBeLessThan(1 - law(n));
      expect(interval[1]).toBeGreaterThan(1 - law(n));
    }
    expect(curve.asymptote.interval[1]).toBeGreaterThan(0.9);
    expect(curve.asymptote.interval[0]).toBeLessThan(0.9);
    expect(curve.heldOut).toMatchObject({ within: true, observed: expect.closeTo(1 - law(800), 9) });
  });

  test('has wider intervals the further it looks, the more seeds differ, and where few pictures judged', () => {
    const width = ([low, high]: readonly [number, number]) => high - low;
    const at = (n: number, differ?: number) => width(curveOf(law, differ).accuracyAt(n).interval);
    expect(at(8000)).toBeGreaterThan(at(1600));
    expect(at(1600, 0.008)).toBeGreaterThan(1.5 * at(1600));
    const judged = fitLearningCurve(points(law), { judgedOn: 100 }).curve!.accuracyAt(1600);
    // ± 1.96 √(p (1 − p) / 100) is nearly all that is left
    expect(width(judged.interval)).toBeGreaterThan(2 * 1.96 * Math.sqrt((0.85 * 0.15) / 100));
    expect(width(fitLearningCurve(points(law), { level: 0.5 }).curve!.accuracyAt(1600).interval)).toBeLessThan(at(1600));
  });

  test('says how many pictures an accuracy needs, and what is out of reach', () => {
    const curve = curveOf(law, 0.0005);
    const needed = curve.picturesFor(0.86);
    const truth = (2 / 0.04) ** 2; // 0.1 + 2 / √n = 0.14
    if (typeof needed === 'string') throw new Error(needed);
    expect(Math.abs(needed.pictures / truth - 1)).toBeLessThan(0.1);
    expect(needed.interval[0]).toBeLessThan(truth);
    expect(needed.interval[1] ?? Number.POSITIVE_INFINITY).toBeGreaterThan(truth);
    expect(curve.accuracyAt(needed.pictures).accuracy).toBeGreaterThanOrEqual(0.86);
    expect(curve.accuracyAt(needed.pictures - 1).accuracy).toBeLessThan(0.86);
    expect(curve.picturesFor(0.99)).toBe('out of reach');
    expect(curveOf(law, 0.008).picturesFor(0.97)).toBe('unknown');
  });

  test('that is flat says that more pictures change nothing', () => {
    const curve = curveOf(() => 0.3, 0.003);
    expect(curve.accuracyAt(8000).accuracy).toBeCloseTo(0.7, 3);
    expect(curve.picturesFor(0.8)).toBe('out of reach');
  });

  test('does not depend on the order of the shares', () => {
    const [one, other] = [fitLearningCurve(points(law)), fitLearningCurve(points(law).reverse())];
    expect(one.curve!.accuracyAt(5000)).toEqual(other.curve!.accuracyAt(5000));
  });

  test.each([
    { reason: 'too few', shares: points(law, 0.01, [100, 200]) },
    { reason: 'too few', shares: points(law).map(({ pictures, errors }) => ({ pictures, errors: errors.slice(0, 1) })) },
    { reason: 'no power law', shares: points((n) => 0.1 + n / 4000) },
    { reason: 'foretold wrong', shares: points((n) => (n < 1600 ? 0.3 : 0.276), 0.01, [100, 200, 400, 800, 1600]) },
    { reason: 'too wide', shares: points(law, 0.15) },
  ])('says nothing where there is $reason', ({ reason, shares }) => {
    expect(fitLearningCurve(shares)).toMatchObject({ says: false, reason });
  });

  test('of three shares has nothing to hold against the whole', () => {
    const fit = fitLearningCurve(points(law, 0.002, [200, 400, 800]));
    expect(fit).toMatchObject({ says: true, curve: { heldOut: null } });
  });
});
