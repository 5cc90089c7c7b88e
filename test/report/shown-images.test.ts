import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseImages } from '../../src/report/shown-images.ts';

const judged = (threshold: number, ...pairs: [p: number, label: 0 | 1][]) => ({
  threshold,
  answers: { p: Float64Array.from(pairs, ([p]) => p), labels: Uint8Array.from(pairs, ([, label]) => label) },
});

test('errors by how sure they were, then what lies nearest to the threshold, then what is right and sure', () => {
  const found = chooseImages(judged(0.5, [0.9, 0], [0.02, 1], [0.6, 0], [0.5, 1], [0.51, 1], [0.99, 1], [0.01, 0]));
  expect(found).toEqual({
    errors: 4,
    wrong: [1, 0, 2, 3], // 0.98, 0.9, 0.6 and 0.5 sure; p at the threshold is negative
    unsure: [4, 5, 6], // those that are not among the errors: 0.01, 0.49 and 0.49 away
    right: [5, 4, 6], // of the positive class, then of the other
  });
});

test('another threshold has other errors', () => {
  expect(chooseImages(judged(0.95, [0.9, 1], [0.97, 1], [0.96, 0])).wrong).toEqual([2, 0]);
});

test('of any answers: wrong ones are wrong, right ones are right, and they are few', () => {
  const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.boolean()), { maxLength: 200, size: 'max' });
  fc.assert(
    fc.property(pairs, fc.integer({ min: 0, max: 100 }), (all, at) => {
      const threshold = at / 100;
      const isWrong = (i: number) => all[i]![0] / 100 > threshold !== all[i]![1];
      const { errors, wrong, unsure, right } = chooseImages(
        judged(threshold, ...all.map(([p, label]): [number, 0 | 1] => [p / 100, label ? 1 : 0])),
      );
      expect(errors).toBe(all.filter((_, i) => isWrong(i)).length);
      expect(wrong).toHaveLength(Math.min(errors, 12));
      expect(wrong.every(isWrong)).toBe(true);
      expect(right.some(isWrong)).toBe(false);
      expect(right.length).toBeLessThanOrEqual(8);
      expect(unsure.length).toBeLessThanOrEqual(8);
      expect(unsure.filter((i) => wrong.includes(i))).toEqual([]);
      for (const shown of [wrong, unsure, right]) expect(new Set(shown).size).toBe(shown.length);
    }),
  );
});
