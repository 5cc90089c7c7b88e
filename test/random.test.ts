import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { namedRandom, numpyRandom } from '../src/random.ts';
import { steps } from './golden/golden.ts';

const times = <T>(n: number, draw: () => T): T[] => Array.from({ length: n }, draw);

describe('numpyRandom draws what NumPy draws', () => {
  test('np.random.seed(1); randn(8)', () => {
    expect(times(8, numpyRandom(1).normal)).toEqual(steps.random['randn seed 1, first 8'].data);
  });

  test('np.random.seed(42); randn(2, 3)', () => {
    expect(times(6, numpyRandom(42).normal)).toEqual(steps.random['randn seed 42, (2,3)'].data);
  });

  test('np.random.seed(1); random_sample(5)', () => {
    expect(times(5, numpyRandom(1).uniform)).toEqual(steps.random['random_sample seed 1, first 5'].data);
  });

  test('np.random.seed(0); permutation(10)', () => {
    expect([...numpyRandom(0).permutation(10)]).toEqual(steps.random['permutation seed 0, 10']);
  });
});

test('the 10,000th number of seed 5489 is that of the C++ standard ([rand.predef])', () => {
  expect(times(10_000, numpyRandom(5489).uint32).at(-1)).toBe(4123659995);
});

describe('namedRandom', () => {
  test("draws what Python's generator draws from the same key, round after round", () => {
    // words = [7, *b'augment', 3, 0, 5, 2]; random.seed(sum(w << 32 * i for i, w in enumerate(words))); random.getrandbits(32)
    const drawn = times(2000, namedRandom(7, 'augment', 3, 5 + 2 * 2 ** 32).uint32);
    expect(drawn.slice(0, 3)).toEqual([1770276995, 1984795194, 750161034]);
    expect(drawn.slice(226, 229)).toEqual([3966437294, 2848427199, 524429973]);
    expect(drawn.slice(622, 626)).toEqual([2227858032, 1735253613, 4218967515, 695361267]);
    expect(drawn[1999]).toBe(4200718777);
  });

  test('gives every name and every index a stream of its own', () => {
    const first = ['split', 'shuffle', 'dropout'].flatMap((name) =>
      [0, 1, 2 ** 32, 2 ** 33 + 1].map((i) => namedRandom(1, name, i).uint32()),
    );
    expect(new Set(first).size).toBe(first.length);
  });

  test('repeats itself for the same seed, name and index', () => {
    const draw = () => times(5, namedRandom(7, 'split', 3).uniform);
    expect(draw()).toEqual(draw());
  });
});

test('integer stays within its range and reaches both ends', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 9 }), (seed, max) => {
      const drawn = times(400, () => namedRandom(seed, 'test').integer(max));
      const random = namedRandom(seed, 'integers');
      const values = times(400, () => random.integer(max));
      expect(Math.min(...values)).toBe(0);
      expect(Math.max(...values)).toBe(max);
      expect(new Set(drawn).size).toBe(1);
    }),
    { numRuns: 30 },
  );
});

test('a permutation holds every number once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 1000 }), (n, seed) => {
      expect([...numpyRandom(seed).permutation(n)].sort((a, b) => a - b)).toEqual(times(n, () => 0).map((_, i) => i));
    }),
  );
});
