import { ascending } from '../data/batches.ts';
import { concatenateExamples, type ExampleSet, inMemory, selectFrom } from '../data/examples.ts';
import { isStored } from '../data/pixels.ts';
import { namedRandom } from '../random.ts';
import type { PreparedData, Splits } from './prepare.ts';
import { foldsOf, splitExactly } from './split-dataset.ts';

/** What experiments train on besides the parts that a config gives: other divisions of train and dev together, folds, and shares of the training
 *  part. Test is in none of them. Rows count the pictures of train and, behind them, those of dev. */

/** Some pictures to train on, and others to judge by: ascending rows. */
export interface Division {
  train: Int32Array;
  judged: Int32Array;
}

/** Folds of a config without dev. */
export const foldsWithoutDev = 5;

type Divisible = Pick<PreparedData, 'splits' | 'folds' | 'groups'>;

/** The labels of all that may be trained on. */
export function pooledLabels({ splits: { train, dev } }: Divisible): Uint8Array {
  return Uint8Array.from([...train.labels, ...(dev?.labels ?? [])]);
}

/** Whether each picture is judged by a network that did not train on it, fold after fold: where there is no dev. */
export const isFolded = ({ splits: { dev } }: Pick<Divisible, 'splits'>) => dev === undefined;

/**
 * One division, which is one training, or several, one a fold.
 * @param number  0 for the config's own; any other one shuffles train and dev together anew, into parts as large, copies together
 * @throws UserError (data) where a part would miss a class
 */
export function divisionsOf(data: Divisible, seed: number, number: number): Division[] {
  const labels = pooledLabels(data);
  const all = ascending(labels.length);
  if (isFolded(data)) {
    const of = foldsOfNumber(data, labels, seed, number);
    const count = data.folds?.count ?? foldsWithoutDev;
    return Array.from({ length: count }, (_, fold) => ({
      train: all.filter((i) => of[i] !== fold),
      judged: all.filter((i) => of[i] === fold),
    }));
  }
  const trained = data.splits.train.labels.length;
  if (number === 0) return [{ train: all.subarray(0, trained), judged: all.subarray(trained) }];
  const { clusters, strata } = data.groups;
  const split = { train: trained, dev: labels.length - trained };
  const { indices } = splitExactly({ labels, clusters, strata }, split, namedRandom(seed, 'other division', number).uint32());
  return [{ train: indices.train, judged: indices.dev }];
}

function foldsOfNumber({ folds, groups }: Divisible, labels: Uint8Array, seed: number, number: number): Int32Array {
  if (number > 0) return foldsOf({ labels, ...groups }, folds?.count ?? foldsWithoutDev, seed, number).of;
  return folds?.of ?? foldsOf({ labels, ...groups }, foldsWithoutDev, seed).of;
}

/** The pictures of a division, ready to be trained on. Those of another than the config's own must be in memory. */
export async function splitsOfDivision(
  { splits: { train, dev } }: Pick<Divisible, 'splits'>,
  { train: trained, judged }: Division,
): Promise<Splits & { dev: ExampleSet }> {
  const inTrain = train.labels.length;
  const take = async (rows: Int32Array): Promise<ExampleSet> => {
    const first = rows.filter((row) => row < inTrain);
    const second = rows.filter((row) => row >= inTrain).map((row) => row - inTrain);
    if (first.length === inTrain && second.length === 0) return train;
    if (second.length === dev?.labels.length && first.length === 0) return dev;
    if (second.length === 0) return selectFrom(train, first);
    if (first.length === 0) return selectFrom(dev!, second);
    return concatenateExamples([await inMemory(selectFrom(train, first)), await inMemory(selectFrom(dev!, second))]);
  };
  return { train: await take(trained), dev: await take(judged) };
}

/** Whether train and dev can be divided anew. */
export function isDivisible({ splits: { train, dev } }: Pick<Divisible, 'splits'>): boolean {
  return !isStored(train.pixels) && (dev === undefined || !isStored(dev.pixels));
}

/**
 * A share of some pictures that holds the same share of each class: those of a smaller share are all in a larger one of the same draw.
 * @param rows   ascending
 * @param share  above 0, up to 1; of each class one picture at least is taken
 * @param draw   which of many nested rows of shares
 * @returns ascending
 */
export function nestedShare(
  rows: Int32Array,
  labels: Uint8Array,
  share: number,
  { seed, draw }: { seed: number; draw: number },
): Int32Array {
  if (share === 1) return rows;
  const random = namedRandom(seed, 'learning curve', draw);
  const taken = [0, 1].flatMap((label) => {
    const members = random.shuffle(rows.filter((row) => labels[row] === label));
    return [...members.subarray(0, Math.max(1, Math.round(share * members.length)))];
  });
  return Int32Array.from(taken).sort();
}
