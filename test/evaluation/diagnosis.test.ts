import { describe, expect, test } from 'vitest';
import { diagnose, imbalanceOf, onlyAnswerOf } from '../../src/evaluation/diagnosis.ts';

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

describe('one answer for all pictures', () => {
  test.each([
    [{ tp: 0, fp: 0, fn: 4, tn: 90 }, 'larger class'],
    [{ tp: 4, fp: 90, fn: 0, tn: 0 }, 'smaller class'],
    [{ tp: 90, fp: 4, fn: 0, tn: 0 }, 'larger class'],
    [{ tp: 0, fp: 0, fn: 90, tn: 4 }, 'smaller class'],
    [{ tp: 0, fp: 0, fn: 10, tn: 10 }, 'larger class'],
    [{ tp: 10, fp: 10, fn: 0, tn: 0 }, 'larger class'],
    [{ tp: 1, fp: 0, fn: 4, tn: 90 }, null],
    [{ tp: 0, fp: 1, fn: 4, tn: 90 }, null],
  ])('%j: %s', (confusion, answers) => {
    expect(onlyAnswerOf(confusion)).toBe(answers);
  });
});

describe('classes so unequal that accuracy hides how the smaller one fares', () => {
  const few = { tp: 2, fp: 0, fn: 8, tn: 190 };
  const flip = ({ tp, fp, fn, tn }: typeof few) => ({ tp: tn, fp: fn, fn: fp, tn: tp });

  test('its share and its error on train are told, whichever class it is', () => {
    expect(imbalanceOf(few, few, thresholds)).toEqual({ positive: true, share: 0.05, error: 0.8 });
    expect(imbalanceOf(flip(few), flip(few), thresholds)).toEqual({ positive: false, share: 0.05, error: 0.8 });
  });

  test('not where the smaller class fares well, nor where classes are nearer to equal', () => {
    const well = { tp: 10, fp: 0, fn: 0, tn: 190 };
    expect(imbalanceOf(well, well, thresholds)).toBeNull();
    const equal = { tp: 20, fp: 0, fn: 80, tn: 100 };
    expect(imbalanceOf(equal, equal, thresholds)).toBeNull();
    const third = { tp: 0, fp: 0, fn: 30, tn: 60 };
    expect(imbalanceOf(third, third, thresholds)).toBeNull();
  });

  test('also where it is known by heart and fails elsewhere, unless that may be chance', () => {
    const byHeart = { tp: 20, fp: 0, fn: 0, tn: 380 };
    expect(imbalanceOf(byHeart, { tp: 5, fp: 0, fn: 15, tn: 380 }, thresholds)).toMatchObject({ error: 0 });
    expect(imbalanceOf(byHeart, { tp: 0, fp: 0, fn: 1, tn: 19 }, thresholds)).not.toBeNull(); // 20 of 20 there, 0 of 1 here
    const three = { tp: 3, fp: 0, fn: 0, tn: 57 };
    expect(imbalanceOf(three, { tp: 1, fp: 0, fn: 1, tn: 19 }, thresholds)).toBeNull(); // 3 of 3 there, 1 of 2 here
    expect(imbalanceOf(byHeart, { tp: 0, fp: 0, fn: 0, tn: 19 }, thresholds)).toBeNull(); // none there
  });
});
