import { describe, expect, test } from 'vitest';
import { diagnose } from '../../src/evaluation/diagnosis.ts';

const thresholds = { targetError: 0, highBias: 0.05, highVariance: 0.05 };
const score = (percentWrong: number, total: number) => ({ errors: Math.round((percentWrong / 100) * total), total });

describe("the notes' cases", () => {
  test.each([
    [15, 16, 'high bias'],
    [1, 14, 'high variance'],
    [15, 30, 'high bias and high variance'],
    [0.5, 1, 'neither'],
  ])('train %f%%, dev %f%%: %s', (train, dev, verdict) => {
    const diagnosis = diagnose(score(train, 10_000), score(dev, 10_000), thresholds);
    expect(diagnosis.verdict).toBe(verdict);
    expect(diagnosis.avoidableBias).toBeCloseTo(train / 100, 12);
    expect(diagnosis.variance).toBeCloseTo((dev - train) / 100, 12);
    expect(diagnosis.certain).toBe(true);
  });
});

test('what people get wrong too is no bias', () => {
  expect(diagnose(score(15, 10_000), score(16, 10_000), { ...thresholds, targetError: 0.14 }).verdict).toBe('neither');
});

test('the same shares of few pictures are too few to tell', () => {
  expect(diagnose(score(0, 200), score(10, 20), thresholds).certain).toBe(false);
  expect(diagnose(score(0, 2000), score(10, 2000), thresholds).certain).toBe(true);
});

describe('how sure it is', () => {
  // Wilson's intervals of 15 in 1,200 and 22 in 400: 0.0076 to 0.0205, and 0.0366 to 0.0819
  const diagnosis = diagnose({ errors: 15, total: 1200 }, { errors: 22, total: 400 }, thresholds);

  test('the intervals of both, and which of them holds its threshold', () => {
    const { avoidableBias, variance } = diagnosis.intervals;
    expect(avoidableBias[0]).toBeCloseTo(0.0076, 4);
    expect(avoidableBias[1]).toBeCloseTo(0.0205, 4);
    // Newcombe: 0.0425 − √(0.0184² + 0.0080²) and 0.0425 + √(0.0269² + 0.0049²)
    expect(variance[0]).toBeCloseTo(0.0225, 3);
    expect(variance[1]).toBeCloseTo(0.0698, 3);
    expect(diagnosis.unsure).toEqual(['variance']);
  });

  test('as many pictures as it says would tell, and fewer would not', () => {
    const times = diagnosis.enough!;
    const withTimes = (k: number) =>
      diagnose({ errors: 15 * k, total: 1200 * k }, { errors: 22 * k, total: 400 * k }, thresholds);
    expect(times).toBeGreaterThan(1);
    expect(withTimes(times)).toMatchObject({ certain: true, enough: 1 });
    expect(withTimes(times - 1).certain).toBe(false);
  });

  test('no number helps where a share is at its threshold', () => {
    expect(diagnose({ errors: 5, total: 100 }, { errors: 5, total: 100 }, thresholds)).toMatchObject({
      unsure: ['avoidableBias', 'variance'],
      enough: null,
    });
  });
});

test('an error at a threshold is not above it', () => {
  expect(diagnose({ errors: 5, total: 100 }, { errors: 5, total: 100 }, thresholds).verdict).toBe('neither');
  expect(diagnose({ errors: 0, total: 100 }, { errors: 5, total: 100 }, thresholds).verdict).toBe('neither');
});

describe('a verdict could be chance', () => {
  const certain = (errors: number, total: number, targetError: number, highBias: number) =>
    diagnose({ errors, total }, { errors, total }, { targetError, highBias, highVariance: 0.9 }).certain;

  test('where the interval holds what is thought possible and the bias that is too much, together', () => {
    // Wilson's interval of 15 in 100 is 0.093 to 0.233
    expect(certain(15, 100, 0.14, 0.05)).toBe(false);
    expect(certain(15, 100, 0.2, 0.05)).toBe(true);
    expect(certain(15, 100, 0.04, 0.05)).toBe(true);
  });

  test('where the interval begins at the threshold, not where it ends there: only above it is too much', () => {
    expect(certain(0, 20, 0, 0)).toBe(false);
    expect(certain(20, 20, 0.5, 0.5)).toBe(true);
  });
});
