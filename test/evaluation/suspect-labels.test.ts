import { describe, expect, test } from 'vitest';
import { areNoisy, suspectLabels } from '../../src/evaluation/suspect-labels.ts';
import { namedRandom } from '../../src/random.ts';

/** Answers of five networks, and labels of which some are flipped. */
function judged(pictures: number, flipped: readonly number[]) {
  const random = namedRandom(3, 'suspects');
  const truth = Uint8Array.from({ length: pictures }, (_, i) => i % 2);
  const common = Float64Array.from(truth, (label) => (label === 1 ? 2 : -2) + 1.2 * random.normal());
  const p = [0, 1, 2, 3, 4].map(() => common.map((z) => 1 / (1 + Math.exp(-1.5 * (z + 0.5 * random.normal())))));
  return { p, labels: truth.map((label, i) => (flipped.includes(i) ? 1 - label : label)) };
}

describe('suspect labels', () => {
  const flipped = Array.from({ length: 20 }, (_, i) => 7 * i + 3);

  test('that were flipped are shown first, and their share is named', () => {
    const { suspects, expected, share, p } = suspectLabels(judged(200, flipped));
    expect(p).toBeLessThan(0.001);
    expect(share).toBeGreaterThan(0.06);
    expect(share).toBeLessThan(0.14);
    expect(suspects.length).toBeGreaterThan(3 * expected);
    expect(suspects.slice(0, 12).filter(({ picture }) => flipped.includes(picture)).length).toBeGreaterThanOrEqual(11);
    const confidences = suspects.map(({ confidence }) => confidence);
    expect(confidences).toEqual([...confidences].sort((a, b) => b - a));
    expect(suspects[0]!.chance).toBeGreaterThan(0.9);
  });

  test('are none beyond what networks get wrong where all labels are right', () => {
    const { suspects, expected, p, share } = suspectLabels(judged(200, []));
    expect(p).toBeGreaterThan(0.05);
    expect(share).toBeLessThan(0.02);
    expect(Math.abs(suspects.length - expected)).toBeLessThan(4);
  });

  test('are told beside all labels that the networks contradict together', () => {
    const noisy = judged(200, flipped);
    const found = suspectLabels(noisy);
    const contradicted = noisy.labels.filter((label, i) => {
      const sum = noisy.p.reduce((total, row) => total + Math.log(row[i]! / (1 - row[i]!)), 0);
      return sum > 0 !== (label === 1);
    });
    expect(found.error).toBe(contradicted.length / 200);
    expect(areNoisy({ ...found, count: found.suspects.length })).toBe(true);
  });

  const wrong = { share: 0.1, p: 0.001, error: 0.2, expected: 4, count: 20 };
  test.each([
    { what: 'many, and clearly so', found: wrong, are: true },
    { what: 'hardly more than chance explains', found: { ...wrong, p: 0.02 }, are: false },
    { what: 'hardly any', found: { ...wrong, share: 0.02, error: 0.04 }, are: false },
    { what: 'not many beyond what networks get wrong', found: { ...wrong, count: 11 }, are: false },
    { what: 'nowhere to be seen', found: { ...wrong, expected: 0, count: 0 }, are: false },
    { what: 'few of what networks contradict', found: { ...wrong, error: 0.4 }, are: false },
  ])('that are $what: whether they are wrong is said', ({ found, are }) => {
    expect(areNoisy(found)).toBe(are);
  });

  test('are told by networks alone that were not trained on the picture, two at least', () => {
    const { p, labels } = judged(200, flipped);
    const [seen, other] = suspectLabels({ p, labels }).suspects.map(({ picture }) => picture);
    for (const row of p.slice(1)) row[seen!] = Number.NaN;
    const pictures = suspectLabels({ p, labels }).suspects.map(({ picture }) => picture);
    expect(pictures).not.toContain(seen);
    expect(pictures).toContain(other);
  });

  test('have every network against them', () => {
    const { p, labels } = judged(200, flipped);
    const { suspects } = suspectLabels({ p, labels });
    const { picture } = suspects[0]!;
    p[2]![picture] = labels[picture]!; // one is sure of the label
    expect(suspectLabels({ p, labels }).suspects.some((one) => one.picture === picture)).toBe(false);
  });

  test('are none where nobody judged', () => {
    expect(suspectLabels({ p: [], labels: new Uint8Array(10) })).toMatchObject({ suspects: [], expected: 0, share: 0, p: 1 });
  });
});
