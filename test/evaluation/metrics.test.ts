import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differenceInterval, wilsonInterval } from '../../src/evaluation/intervals.ts';
import { logit, measure, rocAuc } from '../../src/evaluation/metrics.ts';
import { losses } from '../../src/model/losses.ts';
import { steps } from '../golden/golden.ts';

const golden = steps.metrics;
const loss = losses.crossEntropy.value;

describe('the metrics of ten answers are those that NumPy computes', () => {
  const labels = Uint8Array.from(golden.y.data);
  const metrics = measure(golden.p.data.map(logit), labels, { threshold: 0.5, loss });

  test.each([
    ['accuracy', metrics.accuracy, golden.accuracy],
    ['error', metrics.error, 1 - golden.accuracy],
    ['precision', metrics.precision, golden.precision],
    ['recall', metrics.recall, golden.recall],
    ['f1', metrics.f1, golden.f1],
    ['rocAuc', metrics.rocAuc, golden.roc_auc],
    ['logLoss', metrics.logLoss, golden.log_loss],
    ['cost', metrics.cost, golden.log_loss],
    ['brier', metrics.brier, golden.brier],
    ['baseline', metrics.baseline, 0.5],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBeCloseTo(expected, 14);
  });

  test('confusion', () => {
    const { tp, fp, fn, tn } = golden;
    expect(metrics.confusion).toEqual({ tp, fp, fn, tn });
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

test("Newcombe's interval of 56/70 − 48/80 is that of his table", () => {
  // Newcombe 1998, Statistics in Medicine 17, table II, case (a), method 10: 0.0524 to 0.3339
  const share = (k: number, n: number) => ({ share: k / n, interval: wilsonInterval(k, n) });
  const [low, high] = differenceInterval(share(56, 70), share(48, 80));
  expect(low).toBeCloseTo(0.0524, 4);
  expect(high).toBeCloseTo(0.3339, 4);
});

describe('what is not defined is null', () => {
  test('without positives there is no recall and no ROC', () => {
    const metrics = measure([1, -1], Uint8Array.of(0, 0), { threshold: 0.5, loss });
    expect(metrics.recall).toBeNull();
    expect(metrics.rocAuc).toBeNull();
    expect(metrics.precision).toBe(0);
  });

  test('without any picture called positive there is no precision', () => {
    expect(measure([-1, -1], Uint8Array.of(0, 1), { threshold: 0.5, loss }).precision).toBeNull();
  });

  test('of no pictures there are no metrics', () => {
    expect(() => measure([], new Uint8Array(), { threshold: 0.5, loss })).toThrow(RangeError);
  });
});

test('a probability at the threshold is negative', () => {
  expect(measure([0], Uint8Array.of(1), { threshold: 0.5, loss }).confusion).toEqual({ tp: 0, fp: 0, fn: 1, tn: 0 });
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
