import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { predictLabel } from '../../src/classifier/classifier.ts';
import { chooseThreshold, type ThresholdCriterion, thresholdCriteria } from '../../src/evaluation/metrics.ts';
import { networkWith, problem } from '../training/problems.ts';

const criteria = Object.keys(thresholdCriteria) as ThresholdCriterion[];

/** A criterion by its definition, from the answers that a threshold gives. */
function valueAt(criterion: ThresholdCriterion, threshold: number, p: readonly number[], labels: readonly number[]): number {
  const share = (label: number, right: (p: number) => boolean) => {
    const members = p.filter((_, i) => labels[i] === label);
    return members.filter(right).length / members.length;
  };
  const positive = (value: number) => value > threshold;
  const sensitivity = share(1, positive);
  const specificity = share(0, (value) => !positive(value));
  const truePositives = p.filter((value, i) => positive(value) && labels[i] === 1).length;
  const [precision, recall] = [truePositives / Math.max(1, p.filter(positive).length), sensitivity];
  return {
    accuracy: p.filter((value, i) => positive(value) === (labels[i] === 1)).length / p.length,
    balancedAccuracy: (sensitivity + specificity) / 2,
    f1: truePositives === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    youden: sensitivity + specificity - 1,
  }[criterion];
}

/** ½, and the middles between neighbours of 0, the probabilities and 1. */
function candidates(p: readonly number[]): number[] {
  const ends = [...new Set([0, ...p, 1])].sort((a, b) => a - b);
  return [0.5, ...ends.slice(1).map((end, i) => (end + ends[i]!) / 2)];
}

/** Answers on a coarse grid, so that many are equal, or anywhere. */
const probability = fc.oneof(
  fc.constantFrom(0, 0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9, 1),
  fc.double({ min: 0, max: 1, noNaN: true }).map((p) => Math.round(p * 1e6) / 1e6),
);
const answers = fc
  .array(fc.tuple(probability, fc.constantFrom(0, 1)), { minLength: 2, maxLength: 25 })
  .filter((rows) => new Set(rows.map(([, label]) => label)).size === 2);

describe.each(criteria)('the threshold of the best %s', (criterion) => {
  test('is the best of all middles, and of equals the one nearest to ½', () => {
    fc.assert(
      fc.property(answers, (rows) => {
        const [p, labels] = [rows.map(([p]) => p), rows.map(([, label]) => label)];
        const chosen = chooseThreshold(Float64Array.from(p), Uint8Array.from(labels), criterion);
        const found = candidates(p).map((threshold) => ({ threshold, value: valueAt(criterion, threshold, p, labels) }));
        const best = Math.max(...found.map(({ value }) => value));
        expect(valueAt(criterion, chosen, p, labels)).toBeCloseTo(best, 12);
        const nearest = Math.min(
          ...found.filter(({ value }) => value > best - 1e-9).map(({ threshold }) => Math.abs(threshold - 0.5)),
        );
        expect(Math.abs(chosen - 0.5)).toBeCloseTo(nearest, 12);
      }),
      { numRuns: 500 },
    );
  });

  test('divides classes that can be divided, however near they come', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 0.99, noNaN: true }), (low) => {
        const high = new Float64Array([low]);
        new BigUint64Array(high.buffer)[0]! += 1n; // the next number there is
        const p = Float64Array.from([low, high[0]!, 0, 1]);
        const threshold = chooseThreshold(p, Uint8Array.from([0, 1, 0, 1]), criterion);
        expect([...p].map((value) => value > threshold)).toEqual([false, true, false, true]);
      }),
    );
  });
});

test('of two that are as near to ½ the larger is chosen', () => {
  // 0.6875 and 0.3125 tell three of four, ½ two
  expect(chooseThreshold(Float64Array.of(0.25, 0.375, 0.625, 0.75), Uint8Array.of(0, 1, 0, 1), 'accuracy')).toBe(0.6875);
});

test('the answers of a classifier are those that the threshold was chosen by: positive is p > threshold', () => {
  const threshold = chooseThreshold(Float64Array.from([0.1, 0.2, 0.3, 0.9]), Uint8Array.from([0, 1, 1, 1]), 'accuracy');
  expect(threshold).toBeCloseTo(0.15, 12);
  const { network, parameters, scaling } = problem({ network: networkWith(48, []) });
  const classifier = {
    ...{ network, parameters, scaling, threshold },
    ...({ precision: 'float64', normalize: 'scale', loss: 'crossEntropy' } as const),
    preprocessing: { imageSize: 4, fit: 'cover' } as const,
    classes: { positive: 'cat', negative: 'dog' },
  };
  const at = (p: number) => predictLabel(classifier, p).label;
  expect([at(0.1), at(threshold), at(threshold + 1e-9), at(0.2)]).toEqual(['dog', 'dog', 'cat', 'cat']);
});
