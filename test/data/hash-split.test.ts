import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentHash } from '../../src/data/content-hash.ts';
import { contentNumber, hashSplit as splitByNumbers } from '../../src/data/hash-split.ts';
import { type SplitSizes, splitNames } from '../../src/data/split.ts';
import { UserError } from '../../src/errors.ts';
import { namedRandom } from '../../src/random.ts';

const shares = { dev: 0.2, test: 0.2 };

interface HashSplitInput {
  labels: Uint8Array;
  hashes: string[];
  clusters: Int32Array;
}

const hashSplit = ({ labels, hashes, clusters }: HashSplitInput, split: SplitSizes, seed: number) =>
  splitByNumbers({ labels, clusters, numbers: Float64Array.from(hashes, (hash) => contentNumber(hash, seed)) }, split);

/** The 26 bits after the first 26 of the digest. */
const lastBits = (hash: string, seed: number) =>
  Number(BigInt(`0x${contentHash(Buffer.from(`${seed} ${hash}`)).slice(0, 13)}`) % 2n ** 26n);

/** Pictures first, first + 1, … of an endless list, each with a hash and a label of its own; a few are in clusters of two. */
function picturesFrom(first: number, m: number, clusterEvery = 0): HashSplitInput {
  const numbers = Array.from({ length: m }, (_, i) => first + i);
  return {
    labels: Uint8Array.from(numbers, (n) => namedRandom(n, 'label').integer(1)),
    hashes: numbers.map((n) => contentHash(Buffer.from(`picture ${n}`))),
    clusters: Int32Array.from(numbers, (n) => (clusterEvery > 0 && n % clusterEvery < 2 ? Math.floor(n / clusterEvery) : -1)),
  };
}

const placesByHash = (input: HashSplitInput, split: SplitSizes = shares, seed = 1) => {
  const { places } = hashSplit(input, split, seed);
  return new Map(Array.from(places, (place, i) => [input.hashes[i]!, place]));
};

describe('a split by hash', () => {
  test('leaves every picture where it is when others are added or taken away', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 600 }), fc.integer({ min: 1, max: 400 }), fc.nat(1000), (m, more, seed) => {
        const before = placesByHash(picturesFrom(0, m), shares, seed);
        const after = placesByHash(picturesFrom(0, m + more), shares, seed);
        for (const [hash, place] of before) expect(after.get(hash)).toBe(place);
      }),
      { numRuns: 20 },
    );
  });

  test('does not depend on the order of the pictures', () => {
    const input = picturesFrom(0, 500, 10);
    const order = namedRandom(1, 'order').permutation(500);
    const moved = {
      labels: Uint8Array.from(order, (i) => input.labels[i]!),
      hashes: Array.from(order, (i) => input.hashes[i]!),
      clusters: Int32Array.from(order, (i) => input.clusters[i]!),
    };
    expect(new Map([...placesByHash(moved)].sort())).toEqual(new Map([...placesByHash(input)].sort()));
  });

  test('meets the shares as closely as dice: within 4.5 standard deviations for each of 40 seeds', () => {
    const m = 4000;
    const input = picturesFrom(0, m);
    const split = { train: 0.5, dev: 0.1, test: 0.25 }; // the rest is left out
    for (let seed = 0; seed < 40; seed++) {
      const { places } = hashSplit(input, split, seed);
      for (const [place, part] of splitNames.entries()) {
        const found = places.filter((p) => p === place).length;
        expect(Math.abs(found - m * split[part])).toBeLessThan(4.5 * Math.sqrt(m * split[part] * (1 - split[part])));
      }
    }
  });

  test('puts a picture elsewhere with another seed', () => {
    const input = picturesFrom(0, 100);
    const seen = new Set(Array.from({ length: 20 }, (_, seed) => hashSplit(input, shares, seed).places.join('')));
    expect(seen.size).toBe(20);
  });

  test('with another share for dev moves nothing into or out of test', () => {
    const input = picturesFrom(0, 1000);
    const testOf = (dev: number) => [...hashSplit(input, { dev, test: 0.2 }, 1).places].map((place) => place === 2);
    expect(testOf(0.4)).toEqual(testOf(0.1));
  });

  test('keeps clusters in one part, where the one with the least last bits belongs, and lists whom that moves', () => {
    const input = picturesFrom(0, 1000, 10);
    const { places, exceptions } = hashSplit(input, shares, 1);
    const own = hashSplit({ ...input, clusters: new Int32Array(1000).fill(-1) }, shares, 1).places;
    for (let i = 0; i < 1000; i += 10) {
      const least = lastBits(input.hashes[i]!, 1) < lastBits(input.hashes[i + 1]!, 1) ? i : i + 1;
      expect([places[i], places[i + 1]]).toEqual([own[least], own[least]]);
    }
    const moved = [...places.keys()].filter((i) => places[i] !== own[i]);
    expect(moved.length).toBeGreaterThan(10);
    expect(exceptions.map(({ index }) => index)).toEqual(moved);
    for (const { index, from, to, why } of exceptions) {
      expect([from, to, why]).toEqual([splitNames[own[index]!], splitNames[places[index]!], 'copy']);
    }
  });

  test('of a picture that came as a copy moves the cluster at most, nothing else', () => {
    const before = picturesFrom(0, 300);
    const after = picturesFrom(0, 301);
    after.clusters[12] = 0;
    after.clusters[300] = 0; // the new one is a copy of picture 12
    const [old, now] = [placesByHash(before), placesByHash(after)];
    const moved = [...old].filter(([hash, place]) => now.get(hash) !== place).map(([hash]) => hash);
    expect(moved.filter((hash) => hash !== before.hashes[12])).toEqual([]);
  });
});

describe('a part that would have none of a class', () => {
  const rare = (m: number, positives: number): HashSplitInput => ({
    ...picturesFrom(0, m),
    labels: new Uint8Array(m).fill(1, 0, positives),
  });

  test('gets one, which is listed, and no other picture moves', () => {
    for (let seed = 0; seed < 50; seed++) {
      const input = rare(60, 3);
      const { places, exceptions } = hashSplit(input, shares, seed);
      for (const place of [0, 1, 2]) {
        const labels = input.labels.filter((_, i) => places[i] === place);
        expect(new Set(labels).size).toBe(2);
      }
      const plain = hashSplit(picturesFrom(0, 600), shares, seed).places; // so many that no class is missing
      const moved = [...places.keys()].filter((i) => places[i] !== plain[i]);
      expect(exceptions.map(({ index, why }) => [index, why])).toEqual(moved.map((i) => [i, 'class']));
    }
  });

  test('is refused where no other part can spare one', () => {
    expect(() => hashSplit(rare(60, 2), shares, 1)).toThrow(UserError);
    expect(() => hashSplit(rare(60, 2), shares, 1)).toThrow(
      /found none of the positive class that another part can spare \(2 in all\)/,
    );
  });
});

test.each([[{ dev: 10 }], [{ train: 100, test: 0.2 }]])('numbers of pictures are refused: %j', (split) => {
  expect(() => hashSplit(picturesFrom(0, 200), split, 1)).toThrow(/expected a share below 1 beside "method": "hash", found 10/);
});

test('shares above 1 together are refused', () => {
  expect(() => hashSplit(picturesFrom(0, 200), { dev: 0.6, test: 0.6 }, 1)).toThrow(/make 1 together at most/);
});
