import { UserError } from '../errors.ts';
import type { Random } from '../random.ts';

export const partNames = ['train', 'dev', 'test'] as const;
export type PartName = (typeof partNames)[number];

/** How one source is divided: by itself, by shares, or by counts (numbers above 1); what is not named goes to train. */
export type Split = 'auto' | { train?: number | undefined; dev?: number | undefined; test?: number | undefined };

/** Cross-validation: each fold is dev once. A test part may be cut off before. */
export interface Folds {
  folds: number;
  test?: number | undefined;
}

/** Dev and test need not grow with big data: 10,000 pictures tell two classifiers apart (the notes). */
export const autoShare = 0.2;
export const autoMaximum = 10_000;

/** The sizes of the parts of m examples; they add up to m.
 *  @throws UserError (data) where there are not enough examples */
export function partSizes(split: Split, m: number): Record<PartName, number> {
  if (split === 'auto') {
    const size = Math.min(Math.round(autoShare * m), autoMaximum);
    return { train: m - 2 * size, dev: size, test: size };
  }
  const count = (share: number | undefined) => (share === undefined ? 0 : share < 1 ? Math.round(share * m) : share);
  const dev = count(split.dev);
  const test = count(split.test);
  const train = split.train !== undefined && split.train >= 1 ? split.train : m - dev - test;
  if (train < 1 || train + dev + test > m) {
    throw new UserError('data', `data.split: expected at least ${Math.max(train, 1) + dev + test} examples, found ${m}`, {
      hint: 'Add pictures, or make the parts smaller.',
    });
  }
  return { train, dev, test };
}

/**
 * Shuffles and divides examples into parts that hold the same share of each class, exactly and by the seed.
 * @param labels  1 for the positive class, 0 for the other
 * @returns the indices of each part, ascending
 * @throws UserError (data) where a part that is asked for would miss a class
 */
export function stratifiedSplit(labels: Uint8Array, split: Split, random: Random): Record<PartName, Int32Array> {
  const sizes = partSizes(split, labels.length);
  const byClass = [0, 1].map((label) => random.shuffle(indicesWhere(labels, (y) => y === label)));
  const parts: Record<PartName, number[]> = { train: [], dev: [], test: [] };
  const wanted = partNames.filter((part) => sizes[part] > 0);
  for (const [label, members] of byClass.entries()) {
    if (members.length < wanted.length) {
      const missing = wanted.length - members.length;
      throw new UserError(
        'data',
        `data.split: expected at least ${wanted.length} pictures of each class, one for each of ${wanted.join(', ')}; ` +
          `found ${members.length} of the ${label === 1 ? 'positive' : 'negative'} class: ${missing} missing`,
        { hint: 'Add pictures of that class, or ask for fewer parts with data.split.' },
      );
    }
  }
  const shares = classCounts(sizes, wanted, byClass[1]!.length, labels.length);
  for (const [label, members] of byClass.entries()) {
    let from = 0;
    for (const part of wanted) {
      const take = label === 1 ? shares[part] : sizes[part] - shares[part];
      parts[part].push(...members.subarray(from, from + take));
      from += take;
    }
  }
  return { train: ascending(parts.train), dev: ascending(parts.dev), test: ascending(parts.test) };
}

/** Folds of nearly equal size that hold the same share of each class, shuffled by the seed.
 *  @returns the fold of each example, from 0
 *  @throws UserError (data) where a fold would miss a class */
export function stratifiedFolds(labels: Uint8Array, folds: number, random: Random): Int32Array {
  const out = new Int32Array(labels.length);
  let next = 0; // the second class goes on where the first ended, so that sizes differ by one at most
  for (const label of [0, 1]) {
    const members = random.shuffle(indicesWhere(labels, (y) => y === label));
    if (members.length < folds) {
      throw new UserError(
        'data',
        `data.split.folds: expected at least ${folds} pictures of each class, found ${members.length} of the ${label === 1 ? 'positive' : 'negative'} class`,
        { hint: 'Add pictures of that class, or ask for fewer folds.' },
      );
    }
    for (const member of members) out[member] = next++ % folds;
  }
  return out;
}

/** How many positives each part gets: its share, rounded by largest remainder, and at least one of each class. */
function classCounts(
  sizes: Record<PartName, number>,
  wanted: readonly PartName[],
  positives: number,
  total: number,
): Record<PartName, number> {
  const used = wanted.reduce((sum, part) => sum + sizes[part], 0);
  const target = Math.round((positives * used) / total);
  const exact = (part: PartName) => (sizes[part] * positives) / total;
  const counts: Record<PartName, number> = { train: 0, dev: 0, test: 0 };
  for (const part of wanted) counts[part] = Math.max(1, Math.min(sizes[part] - 1, Math.floor(exact(part))));
  const remainder = (part: PartName) => exact(part) - counts[part];
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

function indicesWhere(labels: Uint8Array, wanted: (label: number) => boolean): Int32Array {
  return Int32Array.from(labels.keys()).filter((i) => wanted(labels[i]!));
}

function ascending(indices: number[]): Int32Array {
  return Int32Array.from(indices).sort();
}
