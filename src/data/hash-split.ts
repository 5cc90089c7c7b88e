import { DataError, UserError } from '../errors.ts';
import { contentHash } from './content-hash.ts';
import { type StringColumn, stringBlocks } from './examples.ts';
import { groupBy, refuseImpossible, type SplitName, type SplitSizes, splitNames, takesTheRest, wantedSplits } from './split.ts';

/** A picture that does not stand where its content says. */
export interface HashException {
  index: number;
  /** where its own content would have put it, and where it stands; null is left out */
  from: SplitName | null;
  to: SplitName | null;
  why: 'copy' | 'class';
}

export interface HashSplit {
  /** (m)  index into `splitNames`, −1 for what no part asks for */
  places: Int32Array;
  exceptions: HashException[];
}

export interface HashSplitInput {
  /** (m)  0 or 1 */
  labels: Uint8Array;
  /** (m)  u of each content, of `contentNumbers` */
  numbers: Float64Array;
  /** (m)  the cluster of duplicates of each example, −1 for a single; null where all are singles */
  clusters: Int32Array | null;
}

/** u of a content for a seed: SHA-256(seed, hash) / 2^256, uniform in [0, 1), to 52 bits. */
export function contentNumber(hash: string, seed: number): number {
  return Number.parseInt(contentHash(Buffer.from(`${seed} ${hash}`)).slice(0, 13), 16) / 2 ** 52;
}

/** @param hashes  of the contents, m */
export async function contentNumbers(hashes: StringColumn, seed: number): Promise<Float64Array> {
  const numbers = new Float64Array(hashes.length);
  let at = 0;
  for await (const some of stringBlocks(hashes)) for (const hash of some) numbers[at++] = contentNumber(hash, seed);
  return numbers;
}

/**
 * Divides pictures by their content and the seed alone: those with u below test's share are test, from 1 − dev's share on dev, else
 * train. So a picture stays where it is when others come or go, or stand in another order; the shares are met as by throwing
 * dice, and classes are not balanced. A cluster of duplicates goes with the one whose last 26 bits of u are least: which part
 * that is they do not tell, so no part is favoured.
 *
 * What stands elsewhere than its own content says is listed: copies of a picture that would be in another part, and, where a part
 * would have none of a class, the picture of that class whose u is nearest to the part, from where there are two or more.
 * @throws UserError (usage) on counts instead of shares; (data) where a part would miss a class nevertheless
 */
export function hashSplit({ labels, numbers, clusters }: HashSplitInput, split: SplitSizes): HashSplit {
  refuseCounts(split);
  refuseImpossible(split);
  const ranges = rangesOf(split);
  const own = Int32Array.from(numbers, (u) => ranges.findIndex(([low, high]) => u >= low && u < high));
  const places = own.slice();
  const together = clusters === null ? [] : membersOf(clusters, numbers);
  for (const members of together) for (const i of members) places[i] = own[members[0]!]!;
  const moved = fillMissing(split, places, { labels, clusters, together, numbers, ranges });
  const exceptions: HashException[] = [];
  for (const [index, place] of places.entries()) {
    if (place === own[index]) continue;
    const [from, to] = [splitNames[own[index]!] ?? null, splitNames[place] ?? null];
    exceptions.push({ index, from, to, why: moved.has(index) ? 'class' : 'copy' });
  }
  return { places, exceptions };
}

function refuseCounts(split: SplitSizes): void {
  for (const part of splitNames) {
    if ((split[part] ?? 0) < 1) continue;
    throw new UserError('usage', `data.split.${part}: expected a share below 1 beside "method": "hash", found ${split[part]}`, {
      hint: 'By their hashes pictures are divided one by one: how many come to a part is known afterwards. "exact" takes numbers.',
    });
  }
}

type Range = readonly [low: number, high: number];

/** Of train, dev, test: each at an end of its own, so that another share for one leaves the other where it is. */
function rangesOf(split: SplitSizes): Range[] {
  const [dev, test] = [split.dev ?? 0, split.test ?? 0];
  return [
    [test, takesTheRest(split) ? 1 - dev : test + split.train!],
    [1 - dev, 1],
    [0, test],
  ];
}

/** The members of each cluster, the one that it goes with first. */
function membersOf(clusters: Int32Array, numbers: Float64Array): number[][] {
  const byCluster = groupBy(clusters.keys(), (i) => (clusters[i]! < 0 ? undefined : clusters[i]));
  const rank = (i: number) => (numbers[i]! * 2 ** 26) % 1;
  for (const members of byCluster.values()) members.sort((a, b) => rank(a) - rank(b) || numbers[a]! - numbers[b]!);
  return [...byCluster.values()];
}

interface Filling {
  labels: Uint8Array;
  clusters: Int32Array | null;
  together: readonly number[][];
  numbers: Float64Array;
  ranges: readonly Range[];
}

/** Gives each part that would miss a class one single or cluster that has it. @returns what was moved */
function fillMissing(
  split: SplitSizes,
  places: Int32Array,
  { labels, clusters, together, numbers, ranges }: Filling,
): Set<number> {
  const moved = new Set<number>();
  const counts = splitNames.map(() => [0, 0]);
  for (const [i, place] of places.entries()) if (place >= 0) counts[place]![labels[i]!]!++;
  for (const part of wantedSplits(split)) {
    const to = splitNames.indexOf(part);
    const [low, high] = ranges[to]!;
    const distance = ([first]: readonly number[]) => Math.max(low - numbers[first!]!, numbers[first!]! - high);
    for (const label of [0, 1]) {
      if (counts[to]![label]! > 0) continue;
      const singles = Array.from(labels.keys()).filter((i) => labels[i] === label && (clusters === null || clusters[i]! < 0));
      const able = [...together, ...singles.map((i) => [i])].filter((members) => {
        const place = places[members[0]!]!;
        const spared = [0, 1].map((y) => ofLabel(members, labels, y));
        if (place === to || spared[label] === 0) return false;
        return place < 0 || spared.every((n, y) => n === 0 || counts[place]![y]! > n);
      });
      if (able.length === 0) throw missingClass(part, label, labels);
      const nearest = able.reduce((a, b) => (distance(b) < distance(a) ? b : a));
      for (const i of nearest) {
        if (places[i]! >= 0) counts[places[i]!]![labels[i]!]!--;
        counts[to]![labels[i]!]!++;
        places[i] = to;
        moved.add(i);
      }
    }
  }
  return moved;
}

function ofLabel(members: readonly number[], labels: Uint8Array, label: number): number {
  return members.filter((i) => labels[i] === label).length;
}

function missingClass(part: SplitName, label: number, labels: Uint8Array): UserError {
  const found = labels.reduce((sum, y) => sum + (y === label ? 1 : 0), 0);
  const kind = label === 1 ? 'positive' : 'negative';
  return new DataError(
    `data.split: expected pictures of each class for ${part}, found none of the ${kind} class that another part can spare (${found} in all)`,
    { hint: 'Add pictures of that class that are no copies of others, or ask for fewer parts with data.split.' },
  );
}
