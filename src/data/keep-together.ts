import { DataError } from '../errors.ts';
import type { Random } from '../random.ts';
import { groupBy } from './split.ts';

export interface Together {
  /** (m)  the place of each example; −1 for one that is left out */
  places: Int32Array;
  /** clusters that were divided before */
  gathered: number;
  /** examples that came to a place without another of their class going back: by so many the sizes are not what was asked */
  surplus: number;
}

/**
 * Brings each cluster of duplicates into one place: the one that holds most of it (of equals the first) among those that
 * have singles enough to give back. For each picture that comes, a picture of the same class that is no duplicate goes the
 * other way, drawn by the seed: sizes and classes stay exact. Where no place has singles enough, the cluster comes nevertheless,
 * and the sizes change. Nothing else moves: without a divided cluster all stays where it is.
 * @param places   (m)  a part or a fold of each example, from 0; −1 is left out, and such copies stay there
 * @param labels   (m)  0 or 1
 * @param clusters (m)  the cluster of each example, −1 for a single
 * @param strata   (m)  the classes that the source has, where they are more than two: what goes back is of the same one, if it can be
 * @throws UserError (data) where a place would lose its last picture of a class
 */
export function keepTogether(
  places: Int32Array,
  labels: Uint8Array,
  clusters: Int32Array,
  { random, placeNames, strata = null }: { random: Random; placeNames: readonly string[]; strata?: Uint32Array | null },
): Together {
  const divided = dividedClusters(places, clusters);
  if (divided.length === 0) return { places, gathered: 0, surplus: 0 };
  const out = places.slice();
  const singles = queuesOfSingles(places, labels, clusters, { random, count: placeNames.length });
  let surplus = 0;
  for (const members of divided) {
    const home = homeOf(members, out, labels, singles);
    for (const member of members) {
      const from = out[member]!;
      if (from === home) continue;
      const able = singles[home]![labels[member]!]!;
      const alike = strata === null ? 0 : able.findIndex((i) => strata[i] === strata[member]);
      const [single] = able.splice(Math.max(0, alike), 1);
      if (single !== undefined) {
        out[single] = from;
        singles[from]![labels[member]!]!.push(single);
      } else surplus++;
      out[member] = home;
    }
  }
  refuseEmptied(places, out, labels, placeNames);
  return { places: out, gathered: divided.length, surplus };
}

/** The members of each cluster that stands in several places, without those that are left out; the largest first. */
function dividedClusters(places: Int32Array, clusters: Int32Array): number[][] {
  const members = groupBy(clusters.keys(), (i) => (clusters[i]! < 0 || places[i]! < 0 ? undefined : clusters[i]));
  return [...members.values()]
    .filter((list) => list.some((i) => places[i] !== places[list[0]!]))
    .sort((a, b) => b.length - a.length || a[0]! - b[0]!);
}

type Queues = { [label: number]: number[] }[];

/** The examples of each place and class that are no duplicates, in random order. */
function queuesOfSingles(
  places: Int32Array,
  labels: Uint8Array,
  clusters: Int32Array,
  { random, count }: { random: Random; count: number },
): Queues {
  const queues: Queues = Array.from({ length: count }, () => [[], []]);
  for (const i of random.permutation(places.length))
    if (clusters[i]! < 0 && places[i]! >= 0) queues[places[i]!]![labels[i]!]!.push(i);
  return queues;
}

function homeOf(members: readonly number[], places: Int32Array, labels: Uint8Array, singles: Queues): number {
  const held = singles.map((_, place) => members.filter((i) => places[i] === place).length);
  const byPreference = [...held.keys()].filter((place) => held[place]! > 0).sort((a, b) => held[b]! - held[a]! || a - b);
  const hasRoom = (place: number) =>
    [0, 1].every((label) => {
      const coming = members.filter((i) => labels[i] === label && places[i] !== place).length;
      return singles[place]![label]!.length >= coming;
    });
  return byPreference.find(hasRoom) ?? byPreference[0]!;
}

function refuseEmptied(before: Int32Array, after: Int32Array, labels: Uint8Array, placeNames: readonly string[]): void {
  const key = (places: Int32Array) => new Set(Array.from(places.keys()).map((i) => 2 * places[i]! + labels[i]!));
  const left = key(after);
  for (const found of key(before)) {
    if (found < 0 || left.has(found)) continue;
    const kind = found % 2 === 1 ? 'positive' : 'negative';
    throw new DataError(
      `data.split: expected pictures of each class in ${placeNames[Math.floor(found / 2)]}, found none of the ${kind} class: ` +
        'too many pictures are copies of each other, and copies stay in one part',
      { hint: 'Add pictures that differ, ask for fewer parts, or divide copies too with data.duplicates=ignore.' },
    );
  }
}
