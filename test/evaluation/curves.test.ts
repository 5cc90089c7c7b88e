import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  averagePrecision,
  calibrationBins,
  countsAbove,
  histogramOf,
  operatingPoints,
  thinned,
} from '../../src/evaluation/curves.ts';
import { computeMetrics } from '../../src/evaluation/metrics.ts';
import { wilsonInterval } from '../../src/evaluation/statistics.ts';

const answers = (...pairs: [p: number, label: 0 | 1][]) => ({
  p: Float64Array.from(pairs, ([p]) => p),
  labels: Uint8Array.from(pairs, ([, label]) => label),
});
/** The example of scikit-learn's roc_curve and average_precision_score: y_true [0, 0, 1, 1], y_score [0.1, 0.4, 0.35, 0.8]. */
const documented = answers([0.1, 0], [0.4, 0], [0.35, 1], [0.8, 1]);
const anyAnswers = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.boolean()), { minLength: 1, maxLength: 60 })
  .map((pairs) => answers(...pairs.map(([p, label]): [number, 0 | 1] => [p / 20, label ? 1 : 0])));

describe('ROC and precision-recall', () => {
  test('are those of the example in scikit-learn’s documentation', () => {
    // roc_curve: fpr [0, 0, 0.5, 0.5, 1], tpr [0, 0.5, 0.5, 1, 1], the first for a threshold above all
    expect(operatingPoints(documented)).toEqual([
      { falsePositiveRate: 0, truePositiveRate: 0.5, precision: 1 },
      { falsePositiveRate: 0.5, truePositiveRate: 0.5, precision: 1 / 2 },
      { falsePositiveRate: 0.5, truePositiveRate: 1, precision: 2 / 3 },
      { falsePositiveRate: 1, truePositiveRate: 1, precision: 2 / 4 },
    ]);
    // average_precision_score: 0.83…, ½ · 1 + ½ · ⅔
    expect(averagePrecision(operatingPoints(documented))).toBeCloseTo(5 / 6, 15);
  });

  test('answers that tie are one point', () => {
    expect(operatingPoints(answers([0.7, 1], [0.7, 0], [0.7, 1], [0.2, 0]))).toEqual([
      { falsePositiveRate: 0.5, truePositiveRate: 1, precision: 2 / 3 },
      { falsePositiveRate: 1, truePositiveRate: 1, precision: 2 / 4 },
    ]);
  });

  test.each([0, 1] as const)('are not defined where all labels are %d', (label) => {
    const points = operatingPoints(answers([0.2, label], [0.9, label]));
    expect(points).toEqual([]);
    expect(averagePrecision(points)).toBeNull();
  });

  test('the area under the trapezoids of ROC is the AUC of the metrics', () => {
    fc.assert(
      fc.property(anyAnswers, (one) => {
        const logits = one.p.map((p) => Math.log(p / (1 - p)));
        const { rocAuc } = computeMetrics(logits, one.labels, { threshold: 0.5, loss: () => 0 });
        const points = [{ falsePositiveRate: 0, truePositiveRate: 0 }, ...operatingPoints(one)];
        if (points.length === 1) {
          expect(rocAuc).toBeNull();
          return;
        }
        const area = points.slice(1).reduce((sum, { falsePositiveRate: x, truePositiveRate: y }, i) => {
          const before = points[i]!;
          return sum + ((x - before.falsePositiveRate) * (y + before.truePositiveRate)) / 2;
        }, 0);
        expect(area).toBeCloseTo(rocAuc!, 12);
      }),
    );
  });

  test('every point is that of a threshold, and the last calls all positive', () => {
    fc.assert(
      fc.property(anyAnswers, ({ p, labels }) => {
        const points = operatingPoints({ p, labels });
        if (points.length === 0) return;
        const total = (label: number) => labels.filter((one) => one === label).length;
        const distinct = [...new Set(p)].sort((a, b) => b - a);
        const expected = distinct.map((least) => {
          const called = (label: number) => p.filter((one, i) => one >= least && labels[i] === label).length;
          const [tp, fp] = [called(1), called(0)];
          return { truePositiveRate: tp / total(1), falsePositiveRate: fp / total(0), precision: tp / (tp + fp) };
        });
        expect(points).toEqual(expected);
        expect(points.at(-1)).toMatchObject({ truePositiveRate: 1, falsePositiveRate: 1 });
      }),
    );
  });
});

describe('counts above thresholds', () => {
  test('p above the threshold counts, p at it does not', () => {
    const found = countsAbove(answers([0.2, 0], [0.5, 1], [0.5, 0], [0.9, 1], [1, 1]), [0, 0.2, 0.5, 0.8, 1]);
    expect(found).toEqual({ tp: [3, 3, 2, 2, 0], fp: [2, 1, 0, 0, 0] });
  });

  test('are the confusion of the metrics at each threshold', () => {
    const thresholds = Array.from({ length: 21 }, (_, i) => i / 20);
    fc.assert(
      fc.property(anyAnswers, ({ p, labels }) => {
        const { tp, fp } = countsAbove({ p, labels }, thresholds);
        for (const [i, threshold] of thresholds.entries()) {
          const called = (label: number) => p.filter((one, k) => one > threshold && labels[k] === label).length;
          expect([tp[i], fp[i]]).toEqual([called(1), called(0)]);
        }
      }),
    );
  });
});

describe('bins', () => {
  test('of calibration: count, mean p and share of positives of each tenth that has answers', () => {
    const found = calibrationBins(answers([0, 0], [0.05, 1], [0.09, 0], [0.95, 1], [1, 1]));
    expect(found.map(({ count }) => count)).toEqual([3, 2]);
    expect(found[0]!.predicted).toBeCloseTo(0.14 / 3, 15);
    expect(found[0]!.observed).toBe(1 / 3);
    expect(found[0]!.interval).toEqual(wilsonInterval(1, 3));
    expect(found[1]!.predicted).toBe(0.975);
    expect(found[1]!.observed).toBe(1);
    expect(found[1]!.interval).toEqual(wilsonInterval(2, 2));
  });

  test('their lower ends belong to them, and 1 to the last', () => {
    expect(histogramOf(answers([0, 1], [0.25, 0], [0.5, 1], [0.74, 0], [0.75, 0], [1, 1], [1, 0]), 4)).toEqual({
      positive: [1, 0, 1, 0 + 1],
      negative: [0, 1, 1, 2],
    });
  });

  test('of no answers are none', () => {
    expect(calibrationBins(answers())).toEqual([]);
    expect(histogramOf(answers(), 3)).toEqual({ positive: [0, 0, 0], negative: [0, 0, 0] });
  });
});

describe('a curve of fewer points', () => {
  test('is the same where it has few', () => {
    expect(thinned([3, 1, 2], 3)).toEqual([0, 1, 2]);
    expect(thinned([], 3)).toEqual([]);
  });

  const curves = fc.array(fc.oneof(fc.double(), fc.constant(Number.NaN)), { minLength: 1, maxLength: 400, size: 'max' });
  test('keeps both ends, what it is told to, and its extremes, whatever is no number among them', () => {
    fc.assert(
      fc.property(curves, fc.integer({ min: 5, max: 100 }), fc.nat(), (y, most, any) => {
        const keep = any % y.length;
        const kept = thinned(y, most, [keep]);
        expect(kept.length).toBeLessThanOrEqual(most);
        expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
        expect(kept).toEqual(expect.arrayContaining([0, keep, y.length - 1]));
        const numbers = y.filter((one) => !Number.isNaN(one));
        if (numbers.length === 0) return;
        const drawn = kept.map((i) => y[i]!).filter((one) => !Number.isNaN(one));
        expect(Math.max(...drawn)).toBe(Math.max(...numbers));
        expect(Math.min(...drawn)).toBe(Math.min(...numbers));
      }),
    );
  });

  test('a spike of one point among 5,000 stays', () => {
    const y = Array.from({ length: 5000 }, (_, i) => (i === 3217 ? 9 : i === 1234 ? -9 : Math.sin(i / 100)));
    const kept = thinned(y, 1000);
    expect(kept).toContain(3217);
    expect(kept).toContain(1234);
    expect(kept.length).toBeLessThanOrEqual(1000);
    expect(kept.length).toBeGreaterThan(900);
  });
});
