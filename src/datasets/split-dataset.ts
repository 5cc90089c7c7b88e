import type { Config } from '../config/schema.ts';
import { ascending } from '../data/batches.ts';
import type { StringColumn } from '../data/examples.ts';
import { contentNumbers, type HashException, hashSplit } from '../data/hash-split.ts';
import { keepTogether } from '../data/keep-together.ts';
import {
  type Folds,
  leftOutNotes,
  type Split,
  type SplitName,
  splitNames,
  stratifiedFolds,
  stratifiedSplit,
  unnamedSplitNotes,
} from '../data/split.ts';
import { namedRandom } from '../random.ts';

export interface DatasetSplit {
  /** of each part, ascending */
  indices: Record<SplitName, Int32Array>;
  /** of the pictures of train, in their order */
  folds: { count: number; of: Int32Array } | null;
  /** what the user should know of it */
  notes: string[];
}

/** How the one source, or that of train, is divided; null where it is not. */
function configuredSplit(config: Config): Split | Folds | null {
  const { split, source } = config.data;
  if (source !== undefined) return split ?? 'auto';
  return typeof split === 'object' ? split : null;
}

/** What a division goes by. */
export interface Splittable {
  labels: Uint8Array;
  /** (m)  the class that each has in its source, where they are more than two */
  strata: Uint32Array | null;
  hashes: StringColumn;
  names: StringColumn;
  /** (m)  the cluster of duplicates of each example, −1 for a single; null where all are singles */
  clusters: Int32Array | null;
}

/** Divides the one source, or that of train, into parts or folds, and keeps duplicates together: with `exact` by exchange
 *  (`keepTogether`), with `hash` by one number for a cluster (`hashSplit`). Without duplicates, and exact, this is `stratifiedSplit` alone.
 *  @returns null where the config does not divide it
 *  @throws UserError (data, usage) */
export async function splitDataset(examples: Splittable, config: Config): Promise<DatasetSplit | null> {
  const split = configuredSplit(config);
  if (split === null) return null;
  const divided = await splitBy(examples, split, config.seed);
  // beside data.train, a part that the split does not name may have a source of its own
  const notes = config.data.source === undefined ? [] : unnamedSplitNotes(split);
  return { ...divided, notes: [...notes, ...divided.notes] };
}

async function splitBy(examples: Splittable, split: Split | Folds, seed: number): Promise<DatasetSplit> {
  if (typeof split === 'object' && 'folds' in split) return splitIntoFolds(examples, split, seed);
  if (typeof split === 'object' && split.method === 'hash') return splitByHash(examples, split, seed);
  const { indices, surplus } = splitExactly(examples, split, seed);
  const notes = [...leftOutNotes(split, indices, examples.labels.length), ...surplusNotes('data.split', surplus)];
  return { indices, folds: null, notes };
}

/** Exactly the sizes that are asked for, copies together.
 *  @returns indices  of each part, ascending; surplus  pictures that copies brought to another part than the sizes ask for */
export function splitExactly(
  { labels, strata, clusters }: Pick<Splittable, 'labels' | 'strata' | 'clusters'>,
  split: Split,
  seed: number,
): { indices: DatasetSplit['indices']; surplus: number } {
  const indices = stratifiedSplit(labels, split, namedRandom(seed, 'split'), strata);
  if (clusters === null) return { indices, surplus: 0 };
  const places = placesOf(indices, labels.length);
  const random = namedRandom(seed, 'split duplicates');
  const together = keepTogether(places, labels, clusters, { random, strata, placeNames: splitNames });
  return { indices: indicesOf(together.places), surplus: together.surplus };
}

async function splitIntoFolds(examples: Splittable, { folds, test }: Folds, seed: number): Promise<DatasetSplit> {
  const { labels, strata, clusters } = examples;
  const none = new Int32Array();
  const whole: DatasetSplit = { indices: { train: ascending(labels.length), dev: none, test: none }, folds: null, notes: [] };
  const { indices, notes } = test === undefined ? whole : await splitBy(examples, { test }, seed);
  const own = Uint8Array.from(indices.train, (i) => labels[i]!);
  const ownStrata = strata && Uint32Array.from(indices.train, (i) => strata[i]!);
  const ownClusters = clusters && indices.train.map((i) => clusters[i]!);
  const { of, surplus } = foldsOf({ labels: own, strata: ownStrata, clusters: ownClusters }, folds, seed);
  return { indices, folds: { count: folds, of }, notes: [...notes, ...surplusNotes('data.split.folds', surplus)] };
}

/** Folds of some pictures, copies together.
 *  @param number  of the division: each has folds of its own; none for those that training has
 *  @returns of  the fold of each picture, from 0; surplus  pictures that copies brought to another fold than the sizes ask for */
export function foldsOf(
  { labels, strata, clusters }: Pick<Splittable, 'labels' | 'strata' | 'clusters'>,
  folds: number,
  seed: number,
  ...number: [] | [number]
): { of: Int32Array; surplus: number } {
  const of = stratifiedFolds(labels, folds, namedRandom(seed, 'folds', ...number), strata);
  if (clusters === null) return { of, surplus: 0 };
  const random = namedRandom(seed, 'folds duplicates', ...number);
  const placeNames = Array.from({ length: folds }, (_, fold) => `fold ${fold + 1}`);
  const together = keepTogether(of, labels, clusters, { random, strata, placeNames });
  return { of: together.places, surplus: together.surplus };
}

/** @returns (m)  index into `splitNames`, −1 for what no part asks for */
export function placesOf(indices: DatasetSplit['indices'], m: number): Int32Array {
  const places = new Int32Array(m).fill(-1);
  for (const [place, split] of splitNames.entries()) for (const i of indices[split]) places[i] = place;
  return places;
}

/** @param places  (m)  index into `splitNames`, −1 for what no part asks for */
function indicesOf(places: Int32Array): Record<SplitName, Int32Array> {
  const all = ascending(places.length);
  const [train, dev, test] = splitNames.map((_, place) => all.filter((i) => places[i] === place));
  return { train: train!, dev: dev!, test: test! };
}

function surplusNotes(field: string, surplus: number): string[] {
  if (surplus === 0) return [];
  const pictures = surplus === 1 ? '1 picture' : `${surplus} pictures`;
  return [`${field}: copies stay together, and there are so many that ${pictures} came to another part than the sizes ask for`];
}

async function splitByHash(examples: Splittable, split: Exclude<Split, 'auto'>, seed: number): Promise<DatasetSplit> {
  const { labels, hashes, names, clusters } = examples;
  const { places, exceptions } = hashSplit({ labels, clusters, numbers: await contentNumbers(hashes, seed) }, split);
  const indices = indicesOf(places);
  const notes = [...leftOutNotes(split, indices, labels.length), ...(await exceptionNotes(exceptions, names))];
  return { indices, folds: null, notes };
}

const mostListed = 10;
const reasons: Record<HashException['why'], string> = {
  copy: 'as a copy of one there',
  class: 'which would have none of its class',
};

async function exceptionNotes(exceptions: readonly HashException[], names: StringColumn): Promise<string[]> {
  if (exceptions.length === 0) return [];
  const where = (part: SplitName | null) => (part === null ? 'left out' : `in ${part}`);
  const tell = async ({ index, from, to, why }: HashException) =>
    `${(await names.slice(index, index + 1))[0]} is ${where(to)}, ${reasons[why]}, not ${where(from)}`;
  const listed = await Promise.all(exceptions.slice(0, mostListed).map(tell));
  const count = exceptions.length === 1 ? '1 picture does' : `${exceptions.length} pictures do`;
  const more = exceptions.length > mostListed ? '; …' : '';
  return [`data.split: ${count} not stand where the hash of its content says: ${listed.join('; ')}${more}`];
}
