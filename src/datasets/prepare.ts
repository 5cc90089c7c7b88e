import { tmpdir } from 'node:os';
import { type LoadedConfig, sourceFields } from '../config/load.ts';
import { ascending } from '../data/batches.ts';
import { cachedSource, type DecodeCache } from '../data/cache/decode-cache.ts';
import type { Classes } from '../data/classes.ts';
import { allStrings, type ExampleSet, selectFrom } from '../data/examples.ts';
import type { Preprocessing } from '../data/image.ts';
import { type Failure, type Loaded, openExamples, streamingBudget } from '../data/load.ts';
import { type Scratch, scratchIn } from '../data/scratch.ts';
import type { OpeningProgress } from '../data/sources/sources.ts';
import { type SplitName, splitNames } from '../data/split.ts';
import { type DatasetDuplicates, duplicateNotes, findDatasetDuplicates, noDuplicates } from './dataset-duplicates.ts';
import { compareSplits, driftNotes, sampleSplits } from './drift.ts';
import { classesOf, type OpenedSource, type OpenedSources, openSources, preprocessingOf, sourcesIn } from './open.ts';
import { type DatasetSplit, splitDataset } from './split-dataset.ts';

export type Splits = Partial<Record<SplitName, ExampleSet>> & { train: ExampleSet };

/** The pictures of a training, divided. */
export interface PreparedData {
  splits: Splits;
  /** with `split.folds`: the fold of each training picture, from 0; each fold is dev once */
  folds: { count: number; of: Int32Array } | null;
  /** of the pictures of train and, behind them, of dev */
  groups: Groups;
  classes: Classes;
  /** the names of all classes that are not positive: the negative class is one of them, or all together */
  others: readonly string[];
  preprocessing: Preprocessing;
  failures: Failure[];
  notes: readonly string[];
}

/** What a division goes by beside labels, a number for each picture. */
export interface Groups {
  /** the cluster of duplicates, −1 for a single; null where all are singles */
  clusters: Int32Array | null;
  /** the class in its source, where that has more than two; null also where train and dev are of two sources */
  strata: Uint32Array | null;
}

export interface ReadOptions {
  strict: boolean;
  onProgress?: OpeningProgress;
  /** of decoded pictures */
  cache?: DecodeCache | undefined;
  /** see `cachedSource` */
  compareContents?: boolean;
  /** for pixels that memory should not hold; the system's temporary folder where absent */
  scratch?: Scratch | undefined;
}

/** Reads what a config names and divides it into train, dev and test.
 *  @throws UserError (data, usage) */
export async function prepareData(loaded: LoadedConfig, options: ReadOptions): Promise<PreparedData> {
  const { data, seed } = loaded.config;
  const opened = await openSources(loaded, options.onProgress);
  const classes = classesOf(opened);
  const preprocessing = preprocessingOf(loaded.config, opened);
  const budgetBytes = streamingBudget(sourcesIn(opened), preprocessing, data.memory);
  const read = async (field: keyof OpenedSources): Promise<Read> => ({
    ...(await readSource(opened[field]!, { preprocessing, classes }, budgetBytes, options)),
    isIndependent: opened[field]!.source.isIndependent ?? false,
  });
  const own: GivenSplit[] = [];
  for (const field of sourceFields) {
    if (data[field] !== undefined) own.push({ split: field === 'source' ? 'train' : field, loaded: await read(field) });
  }
  const first = own[0]!.loaded; // the one source, or data.train
  const loadedSets = own.map(({ loaded }) => loaded);
  const copies = data.duplicates === 'keepTogether' ? await findDatasetDuplicates(loadedSets, data.imageSize) : noDuplicates;
  const clusters = copies.of?.subarray(0, first.examples.labels.length) ?? null;
  const cut = await splitDataset({ ...first.examples, strata: first.strata, clusters }, loaded.config);
  const given = Object.fromEntries(own.map(({ split, loaded }) => [split, loaded.examples]));
  const placed = { own, divided: cut?.indices ?? null };
  const splits = { ...given, ...(cut === null ? { train: first.examples } : splitsOf(first.examples, cut.indices)) };
  const seen = await sampleSplits(splits, preprocessing.imageSize, seed);
  return {
    splits,
    folds: cut?.folds ?? null,
    groups: groupsOf(copies, placed),
    classes,
    others: [...new Set(sourcesIn(opened).flatMap((source) => source.classes))].filter((name) => name !== classes.positive),
    preprocessing,
    failures: loadedSets.flatMap(({ failures }) => failures),
    notes: [
      ...loadedSets.flatMap(({ notes }) => notes),
      ...copies.notes,
      ...(await notesOfDuplicates(copies, placed)),
      ...(cut?.notes ?? []),
      ...driftNotes(compareSplits(seen, classes)),
    ],
  };
}

type Read = Loaded<ExampleSet> & { notes: readonly string[]; isIndependent: boolean };

/** A part that the user gives, or the one source, which stands for train until it is divided. */
interface GivenSplit {
  split: SplitName;
  loaded: Read;
}

/** Of the pictures that may be trained on, as they stand in train and dev. */
function groupsOf({ of }: DatasetDuplicates, { own, divided }: Placed): Groups {
  const starts = own.map((_, i) => own.slice(0, i).reduce((sum, { loaded }) => sum + loaded.examples.labels.length, 0));
  const rowsOf = (split: SplitName): number[] => {
    if (divided !== null && divided[split].length > 0) return [...divided[split]]; // of the first source
    const given = own.findIndex((one) => one.split === split);
    if (given < 0 || (given === 0 && divided !== null)) return [];
    return Array.from(own[given]!.loaded.examples.labels, (_, i) => starts[given]! + i);
  };
  const rows = [...rowsOf('train'), ...rowsOf('dev')];
  const { strata, examples } = own[0]!.loaded;
  const isOneSource = rows.every((row) => row < examples.labels.length);
  return {
    clusters: of && Int32Array.from(rows, (row) => of[row]!),
    strata: strata !== null && isOneSource ? Uint32Array.from(rows, (row) => strata[row]!) : null,
  };
}

/** The sources, and how the first of them was divided, if it was. */
interface Placed {
  own: readonly GivenSplit[];
  divided: DatasetSplit['indices'] | null;
}

async function notesOfDuplicates({ clusters }: DatasetDuplicates, { own, divided }: Placed): Promise<string[]> {
  if (clusters.length === 0) return [];
  const splits = own.flatMap(({ split, loaded }) => Array.from(loaded.examples.labels, (): SplitName | undefined => split));
  if (divided !== null) {
    splits.fill(undefined, 0, own[0]!.loaded.examples.labels.length);
    for (const split of splitNames) for (const i of divided[split]) splits[i] = split;
  }
  const labels = own.flatMap(({ loaded }) => Array.from(loaded.examples.labels));
  const names = (await Promise.all(own.map(({ loaded }) => allStrings(loaded.examples.names)))).flat();
  return duplicateNotes(clusters, { labels, names, splits, classes: own[0]!.loaded.classes });
}

/** The examples of each part; dev and test where they hold any. */
function splitsOf(examples: ExampleSet, indices: DatasetSplit['indices']): Splits {
  const take = (split: SplitName) => (indices[split].length > 0 ? { [split]: selectFrom(examples, indices[split]) } : {});
  return { train: selectFrom(examples, indices.train), ...take('dev'), ...take('test') };
}

/** @param budgetBytes  of `streamingBudget` */
async function readSource(
  { source, positive }: OpenedSource,
  asked: { preprocessing: Preprocessing; classes: Classes },
  budgetBytes: number | null,
  { strict, onProgress, cache, compareContents, scratch = scratchIn([tmpdir()]) }: ReadOptions,
): Promise<Loaded<ExampleSet> & { notes: readonly string[] }> {
  const opened = cachedSource(source, cache, compareContents);
  const progress = onProgress && { onProgress: (done: number, total: number) => onProgress(opened.title, done, total) };
  const loaded = await openExamples(opened, { ...asked, positive, strict, budgetBytes, scratch, ...progress });
  return { ...loaded, notes: opened.notes };
}

/** The parts of one fold: it is dev, the others are train. */
export function foldSplits(train: ExampleSet, folds: NonNullable<PreparedData['folds']>, fold: number): Splits {
  const where = (wanted: (of: number) => boolean) => ascending(folds.of.length).filter((i) => wanted(folds.of[i]!));
  return {
    train: selectFrom(
      train,
      where((of) => of !== fold),
    ),
    dev: selectFrom(
      train,
      where((of) => of === fold),
    ),
  };
}
