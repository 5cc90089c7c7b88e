import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { abstentionBound } from '../../src/evaluation/abstention.ts';

/** Answers from the most confident down; `wrong` are the places of those that are wrong. */
function answers(count: number, wrong: readonly number[] = [], confidence = (i: number) => 0.99 - i / 1000) {
  return [
    Float64Array.from({ length: count }, (_, i) => confidence(i)),
    Uint8Array.from({ length: count }, (_, i) => (wrong.includes(i) ? 0 : 1)),
  ] as const;
}
const none = { confidence: null, unanswered: null, answered: 0, right: 0 };

/** P(X ≥ k), as a sum. */
function tail(k: number, n: number): number {
  let [sum, term] = [0, 0.95 ** n]; // P(X = n)
  for (let i = n; i >= k; i--) {
    sum += term;
    term *= (i / (n - i + 1)) * (0.05 / 0.95);
  }
  return sum;
}

describe('the confidence from which answers are right often enough', () => {
  test('takes 59 faultless answers', () => {
    expect(abstentionBound(...answers(58))).toEqual({ ...none, pictures: 58 });
    expect(abstentionBound(...answers(59))).toMatchObject({ pictures: 59, answered: 59, right: 59, unanswered: 0 });
    expect(abstentionBound(...answers(59, [30]))).toEqual({ ...none, pictures: 59 });
    expect(abstentionBound(...answers(0))).toEqual({ ...none, pictures: 0 });
  });

  test('leaves the rest unanswered once too many are wrong', () => {
    const wrong = Array.from({ length: 40 }, (_, i) => 100 + 2 * i);
    const found = abstentionBound(...answers(200, wrong));
    expect(found.answered).toBeGreaterThanOrEqual(100);
    expect(found.answered).toBeLessThan(115);
    expect(found.unanswered).toBeCloseTo(1 - found.answered / 200, 12);
    expect(found.confidence).toBeLessThanOrEqual(0.99 - (found.answered - 1) / 1000);
    expect(found.confidence).toBeGreaterThan(0.99 - found.answered / 1000);
  });

  test('ends at the first test that fails, however many right answers follow', () => {
    const found = abstentionBound(...answers(400, [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]));
    expect(tail(388, 400)).toBeLessThan(0.05); // of all together it could be said
    expect(found).toEqual({ ...none, pictures: 400 });
  });

  test('takes answers of the same confidence together', () => {
    const [confidence, correct] = answers(120, [60, 61, 62, 63, 64, 65], () => 1);
    expect(abstentionBound(confidence, correct)).toEqual({ ...none, pictures: 120 });
    expect(abstentionBound(confidence, new Uint8Array(120).fill(1))).toMatchObject({ confidence: 1, answered: 120 });
  });

  test('tells confidences apart that differ by 10⁻¹² alone', () => {
    const [confidence, correct] = answers(
      200,
      [150, 151, 152, 153, 154, 155, 156, 157, 158, 159, 160, 161],
      (i) => 1 - (1 + i) * 1e-12,
    );
    const found = abstentionBound(confidence, correct);
    expect(found.answered).toBeGreaterThan(90);
    expect(found.answered).toBeLessThan(160);
    expect(found.confidence).toBeGreaterThan(1 - 1e-9);
  });

  test('does not depend on the order of the pictures, and what it answers passes the exact test', () => {
    const pairs = fc.array(fc.tuple(fc.double({ min: 0.5, max: 1, noNaN: true }), fc.integer({ min: 0, max: 30 })), {
      minLength: 59,
      maxLength: 150,
    });
    fc.assert(
      fc.property(pairs, (some) => {
        const of = (all: typeof some) =>
          abstentionBound(
            Float64Array.from(all, ([c]) => c),
            Uint8Array.from(all, ([, wrong]) => (wrong === 0 ? 0 : 1)),
          );
        const found = of(some);
        expect(of([...some].reverse())).toEqual(found);
        if (found.confidence === null) return;
        const answered = some.filter(([c]) => c >= found.confidence!);
        expect(found).toMatchObject({ answered: answered.length, right: answered.filter(([, wrong]) => wrong !== 0).length });
        expect(tail(found.right, found.answered)).toBeLessThanOrEqual(0.05);
      }),
    );
  });
});
