import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keepTogether } from '../../src/data/keep-together.ts';
import { apportion, type Split, type SplitName, splitNames, stratifiedFolds, stratifiedSplit } from '../../src/data/split.ts';
import { namedRandom } from '../../src/random.ts';

/** Pictures of three to eight classes, each with as many as it happens to get, in random order; one of them is positive. */
const pictures = fc
  .record({
    sizes: fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 2, maxLength: 7 }),
    cats: fc.integer({ min: 30, max: 200 }),
    seed: fc.nat(),
  })
  .filter(({ sizes }) => sizes.reduce((sum, n) => sum + n, 0) >= 30)
  .map(({ sizes, cats, seed }) => {
    const positive = seed % (sizes.length + 1);
    const all = sizes.toSpliced(positive, 0, cats);
    const strata = namedRandom(seed, 'test').shuffle(
      Uint32Array.from(all.flatMap((n, stratum) => Array<number>(n).fill(stratum))),
    );
    return { strata, labels: Uint8Array.from(strata, (stratum) => (stratum === positive ? 1 : 0)), sizes: all, positive };
  });

const splits: Split[] = ['auto', { dev: 0.1, test: 0.3 }, { dev: 5, test: 11 }, { train: 0.5, dev: 0.2 }, {}];
const divide = (labels: Uint8Array, split: Split, strata: Uint32Array | null, seed = 1) =>
  stratifiedSplit(labels, split, namedRandom(seed, 'split'), strata);
const count = (indices: Int32Array, of: ArrayLike<number>, wanted: number) =>
  indices.reduce((sum, i) => sum + (of[i] === wanted ? 1 : 0), 0);

describe.each(splits)('a split of more than two classes by %j', (split) => {
  test('has the sizes and the positives that it would have of two', () => {
    fc.assert(
      fc.property(pictures, ({ labels, strata }) => {
        const [parts, plain] = [divide(labels, split, strata), divide(labels, split, null)];
        const all = splitNames.flatMap((part) => [...parts[part]]);
        expect(new Set(all).size).toBe(all.length);
        for (const part of splitNames) {
          expect(parts[part].length).toBe(plain[part].length);
          expect(count(parts[part], labels, 1)).toBe(count(plain[part], labels, 1));
          expect([...parts[part]]).toEqual([...parts[part]].sort((a, b) => a - b));
        }
      }),
    );
  });

  test('gives each part its share of each class among those that are not positive', () => {
    fc.assert(
      fc.property(pictures, ({ labels, strata, sizes, positive }) => {
        const parts = divide(labels, split, strata);
        const negatives = labels.length - sizes[positive]!;
        for (const [stratum, size] of sizes.entries()) {
          if (stratum === positive) continue;
          const off = (part: SplitName) =>
            Math.abs(count(parts[part], strata, stratum) - (count(parts[part], labels, 0) * size) / negatives);
          expect(off('dev'), 'dev').toBeLessThan(1.5);
          expect(off('test'), 'test').toBeLessThan(1.5);
          expect(off('train'), 'train').toBeLessThan(2.5); // it has what the others leave
        }
      }),
    );
  });

  test('is the same for the same seed, and of two classes what it is without them', () => {
    fc.assert(
      fc.property(pictures, fc.nat(), ({ labels, strata }, seed) => {
        expect(divide(labels, split, strata, seed)).toEqual(divide(labels, split, strata, seed));
        expect(divide(labels, split, Uint32Array.from(labels), seed)).toEqual(divide(labels, split, null, seed));
      }),
      { numRuns: 20 },
    );
  });
});

test('without strata a class comes to a part by chance, with them it does not', () => {
  const strata = Uint32Array.from({ length: 300 }, (_, i) => (i < 100 ? 0 : i < 280 ? 1 : 2)); // 20 of the last
  const labels = Uint8Array.from(strata, (stratum) => (stratum === 0 ? 1 : 0));
  const inDev = (of: Uint32Array | null) =>
    Array.from({ length: 50 }, (_, seed) => count(divide(labels, 'auto', of, seed).dev, strata, 2));
  expect(new Set(inDev(strata))).toEqual(new Set([4]));
  expect(new Set(inDev(null)).size).toBeGreaterThan(3);
});

test('folds hold each class to within one picture, and are alike in size', () => {
  fc.assert(
    fc.property(pictures, fc.integer({ min: 2, max: 10 }), ({ labels, strata, sizes }, folds) => {
      const of = stratifiedFolds(labels, folds, namedRandom(1, 'folds'), strata);
      const all = Array.from({ length: folds }, (_, fold) => Int32Array.from(of.keys()).filter((i) => of[i] === fold));
      const lengths = all.map(({ length }) => length);
      expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
      for (const [stratum, size] of sizes.entries())
        for (const fold of all) expect(Math.abs(count(fold, strata, stratum) - size / folds)).toBeLessThan(1);
    }),
  );
});

describe('what each part takes of each group', () => {
  const lot = (seed = 1) => namedRandom(seed, 'test');

  test('makes what it takes, and never more than there is', () => {
    const groups = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(groups, fc.array(fc.nat(100), { minLength: 1, maxLength: 4 }), fc.nat(), (sizes, shares, seed) => {
        const total = sizes.reduce((sum, n) => sum + n, 0);
        const all = Math.max(
          1,
          shares.reduce((sum, n) => sum + n, 0),
        );
        const counts = shares.map((share) => Math.floor((share * total) / all));
        const taken = apportion(counts, sizes, lot(seed));
        for (const [part, row] of taken.entries()) {
          expect(row.reduce((sum, n) => sum + n, 0)).toBe(counts[part]);
          expect(row.every((n) => n >= 0)).toBe(true);
        }
        for (const [group, size] of sizes.entries())
          expect(taken.reduce((sum, row) => sum + row[group]!, 0)).toBeLessThanOrEqual(size);
      }),
    );
  });

  test('is all of them where a part takes all', () => {
    expect(apportion([0, 12], [5, 0, 7], lot())).toEqual([
      [0, 0, 0],
      [5, 0, 7],
    ]);
  });

  test('is by hand: 3 and 5 of groups of 10, 20 and 10', () => {
    // 3 · (10, 20, 10) / 40 = (0.75, 1.5, 0.75): 1, 1, 1; then 5 of (9, 19, 9) / 37 = (1.22, 2.57, 1.22): 1, 3, 1
    expect(apportion([5, 3], [10, 20, 10], lot())).toEqual([
      [1, 3, 1],
      [1, 1, 1],
    ]);
  });

  test('goes by lot where groups are alike, not by their order', () => {
    const firsts = Array.from({ length: 40 }, (_, seed) => apportion([5], Array<number>(20).fill(1), lot(seed))[0]!);
    const chosen = Array.from({ length: 20 }, (_, group) => firsts.filter((row) => row[group] === 1).length);
    expect(Math.min(...chosen)).toBeGreaterThan(0);
    expect(Math.max(...chosen)).toBeLessThan(25);
  });
});

describe('for a copy that comes, a picture goes back', () => {
  // two places; one cluster in both, the rest singles of class 0 (positive), 1 and 2
  const together = (places: number[], strata: number[], cluster: number[]) =>
    keepTogether(
      Int32Array.from(places),
      Uint8Array.from(strata, (stratum) => (stratum === 0 ? 1 : 0)),
      Int32Array.from(strata, (_, i) => (cluster.includes(i) ? 0 : -1)),
      { random: namedRandom(3, 'test'), placeNames: ['train', 'dev'], strata: Uint32Array.from(strata) },
    );

  test('of the same class, however many others there are', () => {
    const places = [0, 0, 1, ...Array<number>(20).fill(0), 1, 1, 0, 0, 1];
    const strata = [2, 2, 2, ...Array<number>(20).fill(1), 1, 0, 0, 2, 2];
    const { places: out, surplus } = together(places, strata, [0, 1, 2]);
    expect(surplus).toBe(0);
    expect(out[2]).toBe(0);
    const moved = [...out.keys()].filter((i) => out[i] !== places[i] && i !== 2);
    expect(moved.map((i) => strata[i])).toEqual([2]);
  });

  test('of another one that is not positive either, where there is none: sizes stay', () => {
    const places = [0, 0, 1, 0, 0, 1, 1, 0];
    const strata = [2, 2, 2, 1, 1, 1, 0, 0];
    const { places: out, surplus } = together(places, strata, [0, 1, 2]);
    expect(surplus).toBe(0);
    const moved = [...out.keys()].filter((i) => out[i] !== places[i] && i !== 2);
    expect(moved.map((i) => strata[i])).toEqual([1]);
  });
});
