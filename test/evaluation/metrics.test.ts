import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { computeMetrics, logit, metricAccumulator, rocAuc } from '../../src/evaluation/metrics.ts';
import { differenceInterval, wilsonInterval } from '../../src/evaluation/statistics.ts';
import { losses } from '../../src/nn/losses.ts';
import type { Metrics } from '../../src/results/metrics.ts';
import { steps } from '../golden/golden.ts';

const golden = steps.metrics;
const loss = losses.crossEntropy.value;

describe('the metrics of ten answers are those that NumPy computes', () => {
  const labels = Uint8Array.from(golden.y.data);
  // asked for in each test: what is computed while tests are collected shows mutation testing nothing
  const metricsOf = () => computeMetrics(golden.p.data.map(logit), labels, { threshold: 0.5, loss });

  test.each<[keyof Metrics, number]>([
    ['accuracy', golden.accuracy],
    ['error', 1 - golden.accuracy],
    ['precision', golden.precision],
    ['recall', golden.recall],
    ['f1', golden.f1],
    ['rocAuc', golden.roc_auc],
    ['logLoss', golden.log_loss],
    ['cost', golden.log_loss],
    ['brier', golden.brier],
    ['baseline', 0.5],
  ])('%s', (name, expected) => {
    expect(metricsOf()[name]).toBeCloseTo(expected, 14);
  });

  test('confusion', () => {
    const { tp, fp, fn, tn } = golden;
    expect(metricsOf().confusion).toEqual({ tp, fp, fn, tn });
  });
});

describe('of classes that are not alike', () => {
  /** 3 of 4 positives and 6 of 9 negatives are told. */
  const labels = Uint8Array.from([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  const logits = [2, 2, 2, -1, 1, 1, 1, -2, -2, -2, -2, -2, -2];
  const judging = { threshold: 0.5, loss: (z: number, y: number) => 10 * y + z };

  test('each metric is what its definition says, worked out by hand', () => {
    const metrics = computeMetrics(logits, labels, judging);
    const wanted = {
      ...{ accuracy: 9 / 13, error: 4 / 13, baseline: 9 / 13, balancedAccuracy: (3 / 4 + 6 / 9) / 2 },
      ...{ precision: 3 / 6, recall: 3 / 4, specificity: 6 / 9, f1: (2 * 0.5 * 0.75) / (0.5 + 0.75) },
      rocAuc: (3 * 9 + 6) / 36,
      cost: (4 * 10 + 3 * 2 - 1 + 3 - 6 * 2) / 13,
    };
    for (const [name, value] of Object.entries(wanted)) expect(metrics[name as keyof Metrics], name).toBeCloseTo(value, 14);
    expect(metrics.accuracyInterval).toEqual(wilsonInterval(9, 13));
    expect(metrics.recallInterval).toEqual(wilsonInterval(3, 4));
    expect(metrics.specificityInterval).toEqual(wilsonInterval(6, 9));
    expect(metrics.confusion).toEqual({ tp: 3, fp: 3, fn: 1, tn: 6 });
  });

  test('half of each class told is a balanced accuracy of a half', () => {
    expect(computeMetrics([2, -2, 2, -2], Uint8Array.of(1, 1, 0, 0), judging).balancedAccuracy).toBe(0.5);
  });

  test('the larger class may be the positive one', () => {
    const other = labels.map((label) => 1 - label);
    expect(computeMetrics(logits, other, judging).baseline).toBeCloseTo(9 / 13, 14);
  });

  test('piece by piece they are the same as at once', () => {
    const tally = metricAccumulator([9, 4], judging);
    for (const [from, to] of [
      [0, 5],
      [5, 5],
      [5, 13],
    ] as const)
      tally.add(logits.slice(from, to), labels.subarray(from, to));
    expect(tally.metrics()).toEqual(computeMetrics(logits, labels, judging));
  });
});

test.each([
  [40, 50],
  [50, 50],
  [0, 7],
])("Wilson's interval of %i in %i is NumPy's", (k, n) => {
  const expected = golden[`wilson 95%: ${k} of ${n}`];
  const [low, high] = wilsonInterval(k, n);
  expect(low).toBeCloseTo(expected[0], 14);
  expect(high).toBeCloseTo(expected[1], 14);
});

test("Wilson's interval begins at 0 where there are none, and ends at 1 where there are all, to the bit", () => {
  for (let n = 1; n < 400; n++) {
    expect(wilsonInterval(0, n)[0]).toBe(0);
    expect(wilsonInterval(n, n)[1]).toBe(1);
  }
});

test("Newcombe's interval of 56/70 − 48/80 is that of his table", () => {
  // Newcombe 1998, Statistics in Medicine 17, table II, case (a), method 10: 0.0524 to 0.3339
  const share = (k: number, n: number) => ({ share: k / n, interval: wilsonInterval(k, n) });
  const [low, high] = differenceInterval(share(56, 70), share(48, 80));
  expect(low).toBeCloseTo(0.0524, 4);
  expect(high).toBeCloseTo(0.3339, 4);
});

describe('what is not defined is null', () => {
  test('without positives there is no recall and no ROC', () => {
    const metrics = computeMetrics([1, -1], Uint8Array.of(0, 0), { threshold: 0.5, loss });
    expect(metrics.recall).toBeNull();
    expect(metrics.recallInterval).toBeNull();
    expect(metrics.rocAuc).toBeNull();
    expect(metrics.balancedAccuracy).toBeNull();
    expect(metrics.precision).toBe(0);
    expect(metrics.specificity).toBe(0.5);
    expect(metrics.specificityInterval).toEqual(wilsonInterval(1, 2));
  });

  test('without negatives there is no ROC and no balanced accuracy', () => {
    const metrics = computeMetrics([1, -1], Uint8Array.of(1, 1), { threshold: 0.5, loss });
    expect(metrics.recall).toBe(0.5);
    expect(metrics.recallInterval).toEqual(wilsonInterval(1, 2));
    expect(metrics.specificity).toBeNull();
    expect(metrics.specificityInterval).toBeNull();
    expect(metrics.rocAuc).toBeNull();
    expect(metrics.balancedAccuracy).toBeNull();
  });

  test('without any picture called positive there is no precision', () => {
    expect(computeMetrics([-1, -1], Uint8Array.of(0, 1), { threshold: 0.5, loss }).precision).toBeNull();
  });

  test('of no pictures there are no metrics', () => {
    expect(() => computeMetrics([], new Uint8Array(), { threshold: 0.5, loss })).toThrow(
      new RangeError('metrics of no pictures'),
    );
  });
});

test('a probability at the threshold is negative', () => {
  expect(computeMetrics([0], Uint8Array.of(1), { threshold: 0.5, loss }).confusion).toEqual({ tp: 0, fp: 0, fn: 1, tn: 0 });
});

test('the area under the ROC by ranks is the share of pairs in the right order, ties counting half', () => {
  const answers = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 1 })), {
    minLength: 2,
    maxLength: 40,
  });
  fc.assert(
    fc.property(answers, (drawn) => {
      const p = Float64Array.from(drawn, ([value]) => value / 5);
      const labels = Uint8Array.from(drawn, ([, label]) => label);
      const pairs = drawn.flatMap(([a, ya]) =>
        ya === 1 ? drawn.flatMap(([b, yb]) => (yb === 0 ? [a > b ? 1 : a === b ? 0.5 : 0] : [])) : [],
      );
      const expected = pairs.length === 0 ? null : pairs.reduce<number>((sum, value) => sum + value, 0) / pairs.length;
      const actual = rocAuc(p, labels);
      if (expected === null) expect(actual).toBeNull();
      else expect(actual).toBeCloseTo(expected, 12);
    }),
  );
});
