import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Folds,
  leftOutNotes,
  type Split,
  type SplitName,
  splitNames,
  splitSizes,
  stratifiedSplit,
  unnamedSplitNotes,
} from '../../src/data/split.ts';
import { UserError } from '../../src/errors.ts';
import { namedRandom } from '../../src/random.ts';

/** Splits that any 60 pictures or more can be divided by, and the rule for each part's size; null: not asked for. */
const splits: { name: string; split: Split; sizes: (m: number) => Record<SplitName, number | null> }[] = [
  {
    name: 'auto',
    split: 'auto',
    sizes: (m) => ({ train: m - 2 * Math.round(0.2 * m), dev: Math.round(0.2 * m), test: Math.round(0.2 * m) }),
  },
  { name: 'nothing', split: {}, sizes: (m) => ({ train: m, dev: null, test: null }) },
  { name: 'a share for dev', split: { dev: 0.2 }, sizes: (m) => part(m, { dev: Math.round(0.2 * m) }) },
  { name: 'a share for test', split: { test: 0.3 }, sizes: (m) => part(m, { test: Math.round(0.3 * m) }) },
  {
    name: 'shares that make 1',
    split: { train: 0.6, dev: 0.2, test: 0.2 },
    sizes: (m) => part(m, { dev: Math.round(0.2 * m), test: Math.round(0.2 * m) }),
  },
  {
    name: 'shares that make 1, with rounding errors',
    split: { train: 0.7, dev: 0.1, test: 0.2 },
    sizes: (m) => part(m, { dev: Math.round(0.1 * m), test: Math.round(0.2 * m) }),
  },
  {
    name: 'shares that make less than 1',
    split: { train: 0.5, test: 0.25 },
    sizes: (m) => ({ train: Math.round(0.5 * m), dev: null, test: Math.round(0.25 * m) }),
  },
  { name: 'counts', split: { dev: 5, test: 7 }, sizes: (m) => part(m, { dev: 5, test: 7 }) },
  { name: 'counts that leave some out', split: { train: 20, dev: 5 }, sizes: () => ({ train: 20, dev: 5, test: null }) },
  {
    name: 'a share and a count',
    split: { dev: 0.1, test: 10 },
    sizes: (m) => part(m, { dev: Math.round(0.1 * m), test: 10 }),
  },
];

/** Dev and test as given, the rest to train. */
function part(m: number, { dev = null, test = null }: { dev?: number; test?: number } | { dev: null; test: null }) {
  return { train: m - (dev ?? 0) - (test ?? 0), dev, test };
}

/** Labels of 60 to 400 pictures in random order, with at least three of each class.
 *  @param percent  how many of them are positive, about */
const labelled = (percent = { min: 0, max: 100 }) =>
  fc
    .record({ m: fc.integer({ min: 60, max: 400 }), percent: fc.integer(percent), seed: fc.nat() })
    .map(({ m, percent, seed }) => {
      const positives = 3 + Math.floor((percent / 100) * (m - 6));
      const labels = new Int32Array(m).map((_, i) => (i < positives ? 1 : 0));
      return Uint8Array.from(namedRandom(seed, 'test').shuffle(labels));
    });

const positivesOf = (labels: Uint8Array, indices: Int32Array) => indices.reduce((sum, i) => sum + labels[i]!, 0);
const total = (labels: Uint8Array) => labels.reduce((sum, y) => sum + y, 0);
const divide = (labels: Uint8Array, split: Split, seed = 1) => stratifiedSplit(labels, split, namedRandom(seed, 'split'));

/** m labels of which the first ones are positive. */
const labelsOf = (m: number, positives: number) => new Uint8Array(m).fill(1, 0, positives);

function refusal(act: () => unknown): UserError {
  try {
    act();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

describe.each(splits)('the split by $name', ({ split, sizes }) => {
  test('gives each part exactly its size', () => {
    fc.assert(
      fc.property(labelled(), (labels) => {
        const parts = divide(labels, split);
        for (const [name, size] of Object.entries(sizes(labels.length))) {
          expect(parts[name as SplitName].length, name).toBe(size ?? 0);
          expect(splitSizes(split, labels.length)[name as SplitName], name).toBe(size ?? 0);
        }
      }),
    );
  });

  test('puts no picture into two parts, and leaves none out that a part asks for', () => {
    fc.assert(
      fc.property(labelled(), (labels) => {
        const parts = divide(labels, split);
        const all = splitNames.flatMap((name) => [...parts[name]]);
        expect(new Set(all).size).toBe(all.length);
        expect(all.every((i) => i >= 0 && i < labels.length)).toBe(true);
        expect(all.length).toBe(Object.values(sizes(labels.length)).reduce<number>((sum, size) => sum + (size ?? 0), 0));
      }),
    );
  });

  test('lists the pictures of a part in their order', () => {
    const parts = divide(labelsOf(200, 80), split);
    for (const name of splitNames) expect([...parts[name]]).toEqual([...parts[name]].sort((a, b) => a - b));
  });

  test('keeps the share of each class in each part to within one picture', () => {
    fc.assert(
      // where a class is so rare that a part would get none of it by its share, it is given one, and others give it
      fc.property(labelled({ min: 25, max: 75 }), (labels) => {
        const parts = divide(labels, split);
        const share = total(labels) / labels.length;
        const asked = splitNames.filter((name) => sizes(labels.length)[name] !== null);
        for (const name of asked) {
          expect(Math.abs(positivesOf(labels, parts[name]) - parts[name].length * share), name).toBeLessThan(1);
        }
      }),
    );
  });

  test('puts one of each class at least into each part, however rare it is', () => {
    fc.assert(
      fc.property(labelled(), (labels) => {
        const parts = divide(labels, split);
        for (const name of splitNames) {
          if (sizes(labels.length)[name] === null) continue;
          const positives = positivesOf(labels, parts[name]);
          expect(positives, name).toBeGreaterThanOrEqual(1);
          expect(parts[name].length - positives, name).toBeGreaterThanOrEqual(1);
        }
      }),
    );
  });

  test('is the same for the same seed', () => {
    fc.assert(
      fc.property(labelled(), fc.nat(), (labels, seed) => {
        expect(divide(labels, split, seed)).toEqual(divide(labels, split, seed));
      }),
      { numRuns: 20 },
    );
  });
});

test('another seed divides otherwise', () => {
  const labels = labelsOf(100, 40);
  const tests = Array.from({ length: 10 }, (_, seed) => divide(labels, 'auto', seed).test.join());
  expect(new Set(tests).size).toBe(10);
});

test('every picture comes into dev for some seed', () => {
  const labels = labelsOf(20, 8);
  const seen = new Set(Array.from({ length: 100 }, (_, seed) => [...divide(labels, { dev: 0.2 }, seed).dev]).flat());
  expect(seen.size).toBe(20);
});

describe('the split by itself', () => {
  test.each([
    [10, 6, 2],
    [100, 60, 20],
    [1800, 1080, 360],
    [49_990, 29_994, 9998],
    [50_000, 30_000, 10_000],
    [50_010, 30_010, 10_000],
    [10_000_000, 9_980_000, 10_000],
  ])('of %i pictures keeps %i for training and %i for dev and test each', (m, train, held) => {
    expect(splitSizes('auto', m)).toEqual({ train, dev: held, test: held });
  });

  test('divides a million pictures', () => {
    const parts = divide(labelsOf(1_000_000, 300_000), 'auto');
    expect(splitNames.map((name) => parts[name].length)).toEqual([980_000, 10_000, 10_000]);
    expect(positivesOf(labelsOf(1_000_000, 300_000), parts.dev)).toBe(3000);
  });
});

test('shares that make a whole only by rounding use every picture', () => {
  fc.assert(
    fc.property(fc.integer({ min: 30, max: 5000 }), fc.integer({ min: 20, max: 40 }), (m, percent) => {
      const dev = percent / 100;
      const { train, dev: size, test: other } = splitSizes({ train: 1 - 2 * dev, dev, test: dev }, m);
      expect(train + size + other).toBe(m);
    }),
  );
});

test('thirds written with few digits need not more pictures than there are', () => {
  const sizes = splitSizes({ train: 0.3333, dev: 0.3333, test: 0.3333 }, 302);
  expect(sizes).toEqual({ train: 100, dev: 101, test: 101 });
});

describe('too few pictures', () => {
  test.each<[string, Uint8Array, Split, RegExp]>([
    ['no cat for two of three parts', labelsOf(100, 1), 'auto', /found 1 of the positive class: 2 missing/],
    ['no cats at all', labelsOf(100, 0), { dev: 0.2 }, /found 0 of the positive class: 2 missing/],
    ['no non-cat for one of three parts', labelsOf(100, 98), 'auto', /found 2 of the negative class: 1 missing/],
    // round(0.2 · 7) = 1 holds one class alone; round(0.2 · 8) = 2 is the first that does not
    ['dev and test of one picture', labelsOf(7, 3), 'auto', /found 7 \(dev would hold 1, test would hold 1\): 1 missing/],
    ['a share of nothing', labelsOf(4, 2), { dev: 0.1 }, /found 4 \(dev would hold 0\): 11 missing/],
    ['more asked for than there are', labelsOf(100, 50), { dev: 50, test: 60 }, /found 100 .*: 12 missing/],
    ['counts beyond what there is', labelsOf(100, 50), { train: 80, dev: 15, test: 10 }, /found 100: 5 missing/],
  ])('%s: refused, with the number that is missing', (_, labels, split, message) => {
    const error = refusal(() => divide(labels, split));
    expect(error.kind).toBe('data');
    expect(error.message).toMatch(message);
    expect(error.hint).toBeTruthy();
  });

  test.each<Split>(['auto', { dev: 0.2 }, { train: 0.3, dev: 0.1, test: 0.15 }, { dev: 5, test: 0.25 }])(
    'the missing number is the least that is enough: %j',
    (split) => {
      for (let m = 0; m < 20; m++) {
        let missing: number;
        try {
          splitSizes(split, m);
          continue;
        } catch (error) {
          missing = Number(/: (\d+) missing$/.exec((error as Error).message)?.[1]);
        }
        expect(() => splitSizes(split, m + missing)).not.toThrow();
        for (let less = 1; less < missing; less++) expect(() => splitSizes(split, m + less)).toThrow();
      }
    },
  );

  test('eight pictures, four of each class, are the fewest that divide themselves', () => {
    const labels = labelsOf(8, 4);
    const parts = divide(labels, 'auto');
    expect(splitNames.map((name) => [parts[name].length, positivesOf(labels, parts[name])])).toEqual([
      [4, 2],
      [2, 1],
      [2, 1],
    ]);
  });
});

describe('what the user should know of a split', () => {
  const notes = (split: Split, m: number) => leftOutNotes(split, divide(labelsOf(m, Math.round(m / 3)), split), m);

  test('pictures that stand in no part are told, with the shares that were probably meant', () => {
    expect(notes({ train: 80, dev: 10, test: 10 }, 300)).toEqual([
      'data.split: 200 of 300 pictures stand in no part (train 80, dev 10, test 10). Numbers from 1 on count pictures; ' +
        'for percent write { "train": 0.8, "dev": 0.1, "test": 0.1 }',
    ]);
    expect(notes({ train: 70, dev: 30 }, 300)[0]).toMatch(/200 of 300 .*\{ "train": 0.7, "dev": 0.3 \}$/);
    expect(notes({ train: 80, dev: 0.1, test: 0.1 }, 300)[0]).toMatch(
      /160 of 300 .*\{ "train": 0.8, "dev": 0.1, "test": 0.1 \}$/,
    );
  });

  test.each<[string, Split, number, RegExp]>([
    [
      'shares that do not make a whole',
      { train: 0.5, dev: 0.2 },
      300,
      /^data.split: 90 of 300 pictures .*\(train 150, dev 60\)$/,
    ],
    ['more than a hundred', { train: 200, dev: 50 }, 300, /^data.split: 50 of 300 pictures .*\(train 200, dev 50\)$/],
    ['few pictures to train on', { train: 20, dev: 5 }, 300, /\(train 20, dev 5\)$/],
    ['a hundred pictures and some', { train: 80, dev: 10, test: 10 }, 110, /^data.split: 10 of 110 pictures .*test 10\)$/],
  ])('%s: no percent', (_, split, m, told) => {
    const [note, ...others] = notes(split, m);
    expect(note).toMatch(told);
    expect(others).toEqual([]);
  });

  test('round numbers for dev and test may be percent as well, though all pictures are placed', () => {
    expect(notes({ dev: 20, test: 20 }, 300)).toEqual([
      'data.split: of 300 pictures the parts take train 260, dev 20, test 20. Numbers from 1 on count pictures; ' +
        'for percent write { "dev": 0.2, "test": 0.2 }',
    ]);
    expect(notes({ dev: 23, test: 20 }, 300)).toEqual([]);
    expect(notes({ dev: 200, test: 60 }, 1000)).toEqual([]);
  });

  test('nothing of a split that says what it does', () => {
    for (const split of [
      'auto',
      { dev: 0.2, test: 0.2 },
      { train: 0.6, dev: 0.2, test: 0.2 },
      { train: 260, dev: 20, test: 20 },
    ] as const) {
      expect(notes(split, 300)).toEqual([]);
    }
  });

  test('percent of too few pictures: the refusal says what was probably meant', () => {
    const hint = refusal(() => divide(labelsOf(60, 20), { train: 80, dev: 10, test: 10 })).hint;
    expect(hint).toContain('for percent write { "train": 0.8, "dev": 0.1, "test": 0.1 }');
    expect(refusal(() => divide(labelsOf(60, 20), { train: 800, dev: 10 })).hint).not.toContain('percent');
  });

  test.each<[Split | Folds, RegExp | null]>([
    [{ dev: 0.2 }, /it names dev alone, so there is no test part; \{ "dev": 0.2, "test": 0.2 \} makes both/],
    [{ test: 0.2 }, /it names test alone, so there is no dev part/],
    [{ train: 0.8, test: 0.2 }, /it names train and test alone, so there is no dev part/],
    [{ train: 0.8 }, /it names train alone, so there is no dev and no test part/],
    [{}, /it names no part, so there is no dev and no test part/],
    [{ dev: 0.2, test: 0.2 }, null],
    ['auto', null],
    [{ folds: 5 }, null],
    [{ folds: 5, test: 0.2 }, null],
  ])('parts that %j drops', (split, told) => {
    const found = unnamedSplitNotes(split);
    if (told === null) expect(found).toEqual([]);
    else expect(found).toEqual([expect.stringMatching(told)]);
  });
});

describe('a split that no number of pictures would satisfy is a mistake in the config', () => {
  test.each<[string, Split, RegExp]>([
    [
      'shares above 1 together',
      { train: 0.6, dev: 0.3, test: 0.2 },
      /make 1 together at most, found train 0.6, dev 0.3, test 0.2/,
    ],
    ['nothing left for train', { dev: 0.5, test: 0.5 }, /leave pictures for train, found dev 0.5, test 0.5/],
    ['a count for train beside shares of everything', { train: 20, dev: 0.5, test: 0.5 }, /leave pictures for train/],
    ['a part of one picture', { test: 1 }, /data\.split\.test: expected 2 pictures or more.*found 1/],
  ])('%s', (_, split, message) => {
    const error = refusal(() => divide(labelsOf(1000, 500), split));
    expect(error.kind).toBe('usage');
    expect(error.message).toMatch(message);
  });
});
