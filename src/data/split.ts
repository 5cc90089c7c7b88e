import { DataError, UserError } from '../errors.ts';
import type { Random } from '../random.ts';

export const splitNames = ['train', 'dev', 'test'] as const;
export type SplitName = (typeof splitNames)[number];

/** How pictures are drawn for the parts. */
export const splitMethods = {
  exact: 'exactly the sizes that are asked for, and the same share of each class in every part',
  hash: 'each picture by its content alone: it stays in its part when others are added; shares are met roughly',
} as const;
export type SplitMethod = keyof typeof splitMethods;

/** Shares (below 1), or counts. Without `train`, it takes what dev and test leave; with it, what no part asks for is left out. */
export type SplitSizes = { [part in SplitName]?: number | undefined };

/** How one source is divided: by itself, or by sizes. */
export type Split = 'auto' | (SplitSizes & { method?: SplitMethod | undefined });

/** Cross-validation: each fold is dev once. A test part may be cut off before. */
export interface Folds {
  folds: number;
  test?: number | undefined;
}

/** Dev and test need not grow with big data: 10,000 pictures tell two classifiers apart (the notes). */
export const autoShare = 0.2;
export const autoMaximum = 10_000;

/** A part holds one picture of each class at least. */
const minimumSplit = 2;

/** The sizes of the parts of m examples.
 *  @throws UserError (data) where there are not enough examples; (usage) where no number of them would do */
export function splitSizes(split: Split, m: number): Record<SplitName, number> {
  const sizes = sizesOf(split, m);
  refuseImpossible(split);
  const wanted = wantedSplits(split);
  if (fits(sizes, wanted, m)) return sizes;
  const small = wanted
    .filter((part) => sizes[part] < minimumSplit)
    .map((part) => `${part} would hold ${Math.max(0, sizes[part])}`);
  const why = small.length > 0 ? ` (${small.join(', ')})` : '';
  throw new DataError(
    `data.split: expected enough pictures for ${wanted.join(', ')}, ${minimumSplit} or more in each, found ${m}${why}: ` +
      `${missingExamples(split, m)} missing`,
    { hint: `Add pictures, or ask for other parts with data.split.${percentHint(split)}` },
  );
}

/** Where more pictures are asked for than there are, they may be percent. */
function percentHint(split: Split): string {
  const meant = split === 'auto' ? null : meantShares(split, Number.POSITIVE_INFINITY);
  return meant === null ? '' : ` Numbers from 1 on count pictures; for percent write ${meant}.`;
}

/**
 * Shuffles and divides examples into parts that hold the same share of each class, exactly and by the seed.
 * @param labels  1 for the positive class, 0 for the other
 * @param strata  (m)  the classes that the source has, where they are more than two; null where they are the labels
 * @returns the indices of each part, ascending
 * @throws UserError (data) where a part that is asked for would miss a label
 */
export function stratifiedSplit(
  labels: Uint8Array,
  split: Split,
  random: Random,
  strata: Uint32Array | null = null,
): Record<SplitName, Int32Array> {
  const wanted = wantedSplits(split);
  const byLabel = [0, 1].map((label) => groupsOf(labels, strata, label).map((members) => random.shuffle(members)));
  const totals = byLabel.map((groups) => groups.reduce((sum, { length }) => sum + length, 0));
  for (const [label, found] of totals.entries()) {
    if (found < wanted.length) {
      throw new DataError(
        `data.split: expected at least ${wanted.length} pictures of each class, one for each of ${wanted.join(', ')}; ` +
          `found ${found} of the ${label === 1 ? 'positive' : 'negative'} class: ${wanted.length - found} missing`,
        { hint: 'Add pictures of that class, or ask for fewer parts with data.split.' },
      );
    }
  }
  const sizes = splitSizes(split, labels.length);
  const shares = classCounts(sizes, wanted, totals[1]!, labels.length);
  const parts = { train: new Int32Array(sizes.train), dev: new Int32Array(sizes.dev), test: new Int32Array(sizes.test) };
  const filled: Record<SplitName, number> = { train: 0, dev: 0, test: 0 };
  for (const [label, groups] of byLabel.entries()) {
    const counts = wanted.map((part) => (label === 1 ? shares[part] : sizes[part] - shares[part]));
    const taken = apportion(
      counts,
      groups.map(({ length }) => length),
      random,
    );
    for (const [group, members] of groups.entries()) {
      let from = 0;
      for (const [p, part] of wanted.entries()) {
        const some = members.subarray(from, (from += taken[p]![group]!));
        parts[part].set(some, filled[part]);
        filled[part] += some.length;
      }
    }
  }
  for (const part of wanted) parts[part].sort();
  return parts;
}

/** The parts that a split asks for, in their order. */
export function wantedSplits(split: Split): SplitName[] {
  return splitNames.filter((part) => split === 'auto' || part === 'train' || split[part] !== undefined);
}

/** What the rule gives, whether or not there are enough examples. */
function sizesOf(split: Split, m: number): Record<SplitName, number> {
  if (split === 'auto') {
    const size = Math.min(Math.round(autoShare * m), autoMaximum);
    return { train: m - 2 * size, dev: size, test: size };
  }
  const count = (size: number | undefined) => (size === undefined ? 0 : size < 1 ? Math.round(size * m) : size);
  const dev = count(split.dev);
  const test = count(split.test);
  const rest = m - dev - test;
  if (takesTheRest(split)) return { train: rest, dev, test };
  const train = count(split.train);
  const rounding = train - rest;
  return { train: split.train! < 1 && rounding > 0 && rounding < splitNames.length ? rest : train, dev, test };
}

const roundingError = 1e-9;

/** Shares that make a whole leave nothing out, however they are rounded. */
export function takesTheRest(split: SplitSizes): boolean {
  return split.train === undefined || (split.train < 1 && Math.abs(shareSum(split) - 1) < roundingError);
}

function shareSum(split: SplitSizes): number {
  return splitNames.reduce((sum, part) => sum + ((split[part] ?? 1) < 1 ? split[part]! : 0), 0);
}

function fits(sizes: Record<SplitName, number>, wanted: readonly SplitName[], m: number): boolean {
  return wanted.every((part) => sizes[part] >= minimumSplit) && sizes.train + sizes.dev + sizes.test <= m;
}

/** Refuses what no number of pictures would mend. */
export function refuseImpossible(split: Split): void {
  if (split === 'auto') return;
  const sum = shareSum(split);
  const found = splitNames.filter((part) => split[part] !== undefined).map((part) => `${part} ${split[part]}`);
  if (sum > 1 + roundingError) {
    throw new UserError('usage', `data.split: expected shares that make 1 together at most, found ${found.join(', ')}`);
  }
  if ((split.train === undefined || split.train >= 1) && sum > 1 - roundingError) {
    throw new UserError('usage', `data.split: expected shares that leave pictures for train, found ${found.join(', ')}`);
  }
  for (const part of splitNames) {
    if (split[part] === 1) {
      throw new UserError('usage', `data.split.${part}: expected ${minimumSplit} pictures or more, one of each class, found 1`, {
        hint: 'Numbers below 1 are shares: 0.2 is a fifth of the pictures.',
      });
    }
  }
}

/** What the user should know of pictures that stand in no part, and of counts that look like percent. */
export function leftOutNotes(split: Split, indices: Record<SplitName, ArrayLike<number>>, m: number): string[] {
  if (split === 'auto') return [];
  const wanted = wantedSplits(split);
  const placed = wanted.reduce((sum, part) => sum + indices[part].length, 0);
  const takes = wanted.map((part) => `${part} ${indices[part].length}`).join(', ');
  const meant = meantShares(split, m);
  const cure = meant === null ? '' : `. Numbers from 1 on count pictures; for percent write ${meant}`;
  if (placed < m) return [`data.split: ${m - placed} of ${m} pictures stand in no part (${takes})${cure}`];
  return meant === null ? [] : [`data.split: of ${m} pictures the parts take ${takes}${cure}`];
}

/** The shares that numbers from 1 on are probably the percent of, as in { "train": 80, "dev": 10, "test": 10 } of 300 pictures; null
 *  where they are not: they make more than 100, or give train less than half. Without `train`, round numbers alone are. */
function meantShares(split: SplitSizes, m: number): string | null {
  const sizes = splitNames.flatMap((part) => (split[part] === undefined ? [] : [[part, split[part]] as const]));
  const counts = sizes.map(([, size]) => size).filter((size) => size >= 1);
  const shares = sizes.map(([part, size]) => [part, Number((size < 1 ? size : size / 100).toPrecision(12))] as const);
  const sum = shares.reduce((all, [, share]) => all + share, 0);
  const train = shares.find(([part]) => part === 'train')?.[1] ?? 1 - sum;
  const isPercent = sum < 1 + roundingError && train >= 0.5 && (split.train !== undefined || counts.every((n) => n % 5 === 0));
  if (counts.length === 0 || m <= mostPercent || !isPercent) return null;
  return `{ ${shares.map(([part, share]) => `"${part}": ${share}`).join(', ')} }`;
}

/** Of so many pictures, or not many more, a number and its percentage are as good as the same. */
const mostPercent = 150;

/** What the user should know of parts that a split of one source does not name, though it names others. */
export function unnamedSplitNotes(split: Split | Folds): string[] {
  if (split === 'auto' || 'folds' in split) return [];
  const missing = (['dev', 'test'] as const).filter((part) => split[part] === undefined);
  if (missing.length === 0) return [];
  const named = wantedSplits(split).filter((part) => split[part] !== undefined);
  const found = named.length === 0 ? 'names no part' : `names ${named.join(' and ')} alone`;
  const without = `there is no ${missing.join(' and no ')} part`;
  return [`data.split: it ${found}, so ${without}; { "dev": ${autoShare}, "test": ${autoShare} } makes both`];
}

/** How many more examples the split needs, in words. */
function missingExamples(split: Split, m: number): string {
  const wanted = wantedSplits(split);
  const counted = split === 'auto' ? 0 : wanted.reduce((sum, part) => sum + ((split[part] ?? 0) >= 1 ? split[part]! : 0), 0);
  const first = Math.max(1, counted - m);
  const most = 10_000; // beyond it the shares are so small that the number tells nobody anything
  for (let more = first; more < first + most; more++) if (fits(sizesOf(split, m + more), wanted, m + more)) return `${more}`;
  return `more than ${first + most - 1}`;
}

/** Folds of nearly equal size that hold the same share of each class, shuffled by the seed.
 *  @param strata  as in `stratifiedSplit`
 *  @returns the fold of each example, from 0
 *  @throws UserError (data) where a fold would miss a label */
export function stratifiedFolds(
  labels: Uint8Array,
  folds: number,
  random: Random,
  strata: Uint32Array | null = null,
): Int32Array {
  const out = new Int32Array(labels.length);
  let next = 0; // each class goes on where the one before ended, so that sizes differ by one at most
  for (const label of [0, 1]) {
    const first = next;
    for (const group of groupsOf(labels, strata, label)) {
      for (const member of random.shuffle(group)) out[member] = next++ % folds;
    }
    if (next - first < folds) {
      throw new DataError(
        `data.split.folds: expected at least ${folds} pictures of each class, found ${next - first} of the ${label === 1 ? 'positive' : 'negative'} class`,
        { hint: 'Add pictures of that class, or ask for fewer folds.' },
      );
    }
  }
  return out;
}

/** How many positives each part gets: its share, rounded by largest remainder, and at least one of each class. */
function classCounts(
  sizes: Record<SplitName, number>,
  wanted: readonly SplitName[],
  positives: number,
  total: number,
): Record<SplitName, number> {
  const used = wanted.reduce((sum, part) => sum + sizes[part], 0);
  const target = Math.round((positives * used) / total);
  const exact = (part: SplitName) => (sizes[part] * positives) / total;
  const counts: Record<SplitName, number> = { train: 0, dev: 0, test: 0 };
  for (const part of wanted) counts[part] = Math.max(1, Math.min(sizes[part] - 1, Math.floor(exact(part))));
  const remainder = (part: SplitName) => exact(part) - counts[part];
  let left = target - wanted.reduce((sum, part) => sum + counts[part], 0);
  while (left !== 0) {
    const way = Math.sign(left);
    const able = wanted.filter((part) => counts[part] + way >= 1 && counts[part] + way <= sizes[part] - 1);
    if (able.length === 0) break;
    const best = able.reduce((a, b) => (way * remainder(b) > way * remainder(a) ? b : a));
    counts[best] += way;
    left -= way;
  }
  return counts;
}

/** The pictures of one label, in one group for each class that they have in their source.
 *  @param strata  (m)  those classes; null where they are what the labels say
 *  @returns ascending indices, the groups in the order of their classes */
export function groupsOf(labels: Uint8Array, strata: Uint32Array | null, label: number): Int32Array[] {
  const groups = groupBy(labels.keys(), (i) => (labels[i] === label ? (strata?.[i] ?? label) : undefined));
  return [...groups].sort(([a], [b]) => a - b).map(([, members]) => Int32Array.from(members));
}

/** Indices by what they have in common, in their order; those of which `keyOf` says nothing are left out. */
export function groupBy<Key>(indices: Iterable<number>, keyOf: (i: number) => Key | undefined): Map<Key, number[]> {
  const groups = new Map<Key, number[]>();
  for (const i of indices) {
    const key = keyOf(i);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group) group.push(i);
    else groups.set(key, [i]);
  }
  return groups;
}

/**
 * How many of each group every part takes, so that each part holds the groups in the shares that they have in all: of the smallest
 * part first, rounded by largest remainder, equal ones by lot.
 * @param counts  that each part takes of all groups together; no more than there are
 * @param sizes   of the groups
 * @returns [part][group]
 */
export function apportion(counts: readonly number[], sizes: readonly number[], random: Random): number[][] {
  if (sizes.length === 1) return counts.map((count) => [count]);
  const left = [...sizes];
  const out: number[][] = counts.map(() => []);
  for (const part of [...counts.keys()].sort((a, b) => counts[a]! - counts[b]!)) {
    const total = left.reduce((sum, n) => sum + n, 0);
    const exact = left.map((n) => (n === 0 ? 0 : (counts[part]! * n) / total));
    const taken = exact.map(Math.floor);
    const missing = counts[part]! - taken.reduce((sum, n) => sum + n, 0);
    const byRemainder = Array.from(random.permutation(sizes.length))
      .filter((group) => taken[group]! < left[group]!)
      .sort((a, b) => exact[b]! - taken[b]! - (exact[a]! - taken[a]!));
    for (const group of byRemainder.slice(0, missing)) taken[group]!++;
    for (const [group, n] of taken.entries()) left[group]! -= n;
    out[part] = taken;
  }
  return out;
}
