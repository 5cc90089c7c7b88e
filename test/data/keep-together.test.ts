import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keepTogether } from '../../src/data/keep-together.ts';
import { UserError } from '../../src/errors.ts';
import { namedRandom } from '../../src/random.ts';

const placeNames = ['train', 'dev', 'test'];
const together = (places: number[], labels: number[], clusters: number[], seed = 1) =>
  keepTogether(Int32Array.from(places), Uint8Array.from(labels), Int32Array.from(clusters), {
    random: namedRandom(seed, 'test'),
    placeNames,
  });

/** Pictures in three parts and left out, some of them in clusters of two to four. */
const pictures = fc
  .record({ m: fc.integer({ min: 60, max: 200 }), seed: fc.nat(), share: fc.integer({ min: 0, max: 30 }) })
  .map(({ m, seed, share }) => {
    const random = namedRandom(seed, 'pictures');
    const labels = Array.from({ length: m }, () => random.integer(1));
    const places = Array.from({ length: m }, () => [-1, 0, 0, 0, 1, 2][random.integer(5)]!);
    const clusters = new Array<number>(m).fill(-1);
    for (let cluster = 0; cluster < (m * share) / 100 / 3; cluster++) {
      const size = 2 + random.integer(2);
      for (let k = 0; k < size; k++) clusters[random.integer(m - 1)] = cluster;
    }
    return { labels, places, clusters };
  });

const countsOf = (places: ArrayLike<number>, labels: readonly number[]) => {
  const counts: Record<string, number> = {};
  for (const [i, label] of labels.entries()) counts[`${places[i]} ${label}`] = (counts[`${places[i]} ${label}`] ?? 0) + 1;
  return counts;
};

test('each cluster stands in one place, but for what is left out', () => {
  fc.assert(
    fc.property(pictures, ({ labels, places, clusters }) => {
      const out = together(places, labels, clusters).places;
      const of = new Map<number, number>();
      for (const [i, cluster] of clusters.entries()) {
        if (cluster < 0 || out[i]! < 0) continue;
        expect(out[i]).toBe(of.get(cluster) ?? out[i]);
        of.set(cluster, out[i]!);
      }
    }),
  );
});

test('sizes and classes of every place stay, to the picture', () => {
  fc.assert(
    fc.property(pictures, ({ labels, places, clusters }) => {
      const { places: out, surplus } = together(places, labels, clusters);
      expect(surplus).toBe(0); // singles are many here
      expect(countsOf(out, labels)).toEqual(countsOf(places, labels));
    }),
  );
});

test('nothing moves but members of divided clusters, and a single for each of them', () => {
  fc.assert(
    fc.property(pictures, ({ labels, places, clusters }) => {
      const out = together(places, labels, clusters).places;
      const moved = places.flatMap((place, i) => (place === out[i] ? [] : [i]));
      const inClusters = moved.filter((i) => clusters[i]! >= 0);
      for (const i of inClusters) {
        const parts = places.filter((place, k) => clusters[k] === clusters[i] && place >= 0);
        expect(new Set(parts).size).toBeGreaterThan(1);
      }
      expect(moved.length - inClusters.length).toBeLessThanOrEqual(inClusters.length);
      for (const [i, place] of places.entries()) if (place < 0) expect(out[i]).toBe(-1);
    }),
  );
});

test('without a divided cluster all stays as it is, whatever the seed', () => {
  const places = [0, 0, 1, 1, 2, 2];
  for (let seed = 0; seed < 10; seed++) {
    expect([...together(places, [0, 1, 0, 1, 0, 1], [3, 3, -1, -1, 5, -1], seed).places]).toEqual(places);
  }
});

test('a cluster goes where most of it is, and singles of its classes come back', () => {
  // cluster: 0 and 1 in train, 4 in dev, all positive; the only positive single of train is 2
  const { places, gathered } = together([0, 0, 0, 0, 1, 1], [1, 1, 1, 0, 1, 0], [7, 7, -1, -1, 7, -1]);
  expect([...places]).toEqual([0, 0, 1, 0, 0, 1]);
  expect(gathered).toBe(1);
});

test('it goes to another place that holds some of it, where the first can give nothing back', () => {
  // train has no other positive, dev has one: 4
  const { places, surplus } = together([0, 0, 1, 1, 1], [1, 0, 1, 0, 1], [7, -1, 7, -1, -1]);
  expect([...places]).toEqual([1, 0, 1, 1, 0]);
  expect(surplus).toBe(0);
});

test('where no place can give enough back the cluster stays together nevertheless, and sizes change', () => {
  const { places, surplus } = together([0, 0, 0, 1, 1, 1, 0, 1], [1, 1, 1, 1, 1, 0, 0, 1], [7, 7, 7, 7, 7, -1, -1, -1]);
  expect([...places]).toEqual([0, 0, 0, 0, 0, 1, 0, 1]);
  expect(surplus).toBe(2);
});

test('a part that would lose its last picture of a class is refused, with what to do', () => {
  const act = () => together([0, 0, 0, 1, 1], [1, 1, 0, 1, 0], [7, 7, -1, 7, -1]);
  expect(act).toThrow(UserError);
  expect(act).toThrow(/expected pictures of each class in dev, found none of the positive class.*copies of each other/);
});

test('which singles are exchanged depends on the seed', () => {
  const labels = new Array<number>(40).fill(1);
  const places = labels.map((_, i) => (i < 30 ? 0 : 1));
  const clusters = labels.map((_, i) => (i === 0 || i === 1 || i === 39 ? 0 : -1));
  const seen = new Set(Array.from({ length: 20 }, (_, seed) => together(places, labels, clusters, seed).places.join('')));
  expect(seen.size).toBeGreaterThan(5);
});
