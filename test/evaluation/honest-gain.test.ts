import { describe, expect, test } from 'vitest';
import { gainOf } from '../../src/evaluation/gain.ts';
import { chooseByHalves, halvesOf, honestGain } from '../../src/evaluation/honest-gain.ts';
import { namedRandom } from '../../src/random.ts';

const half = Uint8Array.from([0, 0, 0, 1, 1, 1]);
const three = (...right: number[]) => [0, 1, 2].map(() => Uint8Array.from(right));
const baseline = three(0, 0, 0, 0, 0, 0);
/** Right on the first half alone, on the second alone, and nowhere. */
const [left, rightOnly, none] = [three(1, 1, 1, 0, 0, 0), three(0, 0, 0, 1, 1, 1), three(0, 0, 0, 0, 0, 0)];

describe('halves', () => {
  test('have as many pictures of each label, as nearly as can be, and other ones with another seed', () => {
    const labels = Uint8Array.from({ length: 41 }, (_, i) => (i < 15 ? 1 : 0));
    const found = halvesOf(labels, namedRandom(1, 'halves'));
    const countOf = (which: number, label: number) => found.filter((one, i) => one === which && labels[i] === label).length;
    for (const label of [0, 1]) expect(Math.abs(countOf(0, label) - countOf(1, label))).toBeLessThanOrEqual(1);
    expect(Math.abs(found.reduce((sum, one) => sum + one, 0) - 20.5)).toBe(0.5);
    expect(halvesOf(labels, namedRandom(2, 'halves'))).not.toEqual(found);
  });

  test('choose each by its own pictures, and nothing where nothing is better', () => {
    expect(chooseByHalves(half, { baseline, treatments: [none, left, rightOnly] }).chosen).toEqual([1, 2]);
    expect(chooseByHalves(half, { baseline, treatments: [none, left] }).chosen).toEqual([1, null]);
    expect(chooseByHalves(half, { baseline, treatments: [] }).chosen).toEqual([null, null]);
  });

  test('choose by weights where pictures have them', () => {
    const [some, other] = [three(1, 0, 0, 0, 0, 0), three(0, 1, 1, 0, 0, 0)];
    const weights = Float64Array.from([5, 1, 1, 1, 1, 1]);
    expect(chooseByHalves(half, { baseline, treatments: [some, other] }).chosen[0]).toBe(1);
    expect(chooseByHalves(half, { baseline, treatments: [some, other], weights }).chosen[0]).toBe(0);
  });
});

describe('the honest gain', () => {
  test('of what is right on the pictures that chose it alone is none', () => {
    const treatments = [left, rightOnly];
    const halves = chooseByHalves(half, { baseline, treatments });
    expect(honestGain(halves, { baseline, treatment: (index) => treatments[index]! }).gain).toBe(0);
  });

  test('is that of all pictures where both halves chose the same', () => {
    const treatment = three(1, 1, 0, 1, 0, 0);
    const fresh = [0, 1, 2].map((s) => Uint8Array.from([1, s % 2, 0, 1, 1, 0]));
    const halves = chooseByHalves(half, { baseline, treatments: [treatment] });
    expect(halves.chosen).toEqual([0, 0]);
    expect(honestGain(halves, { baseline, treatment: () => fresh })).toEqual(gainOf({ baseline, treatment: fresh }));
  });

  test('asks for no training of what nobody chose', () => {
    const halves = chooseByHalves(half, { baseline, treatments: [none] });
    const never = () => {
      throw new Error('trained for nothing');
    };
    expect(honestGain(halves, { baseline, treatment: never })).toMatchObject({ gain: 0, p: 1 });
  });
});
