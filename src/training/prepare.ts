import { tmpdir } from 'node:os';
import { isAbsolute, relative, resolve } from 'node:path';
import { type LoadedConfig, sourceFields } from '../config/load.ts';
import type { Config, InitConfig, SourceConfig } from '../config/schema.ts';
import { ascending } from '../data/batches.ts';
import { cachedSource, type DecodeCache } from '../data/cache/decode-cache.ts';
import { type Classes, orderClasses } from '../data/classes.ts';
import { allStrings, type ExampleSet, selectFrom } from '../data/examples.ts';
import type { Fit, Preprocessing } from '../data/image.ts';
import { type Failure, type Loaded, openExamples, streamingBudget } from '../data/load.ts';
import { type Scratch, scratchIn } from '../data/scratch.ts';
import type { Source } from '../data/source.ts';
import { type OpeningProgress, openSource, type SourceChoice } from '../data/sources/sources.ts';
import { type SplitName, splitNames } from '../data/split.ts';

import { UserError } from '../errors.ts';
import { defaultSlope } from '../nn/activations.ts';
import type { Layer, Network } from '../nn/build.ts';
import { defaultFactor, fittingInit, type Init } from '../nn/initializers.ts';
import { type DatasetDuplicates, duplicateNotes, findDatasetDuplicates, noDuplicates } from './copies.ts';
import { compareSplits, driftNotes, sampleSplits } from './differences.ts';
import { type DatasetSplit, splitDataset } from './divide.ts';

export type Splits = Partial<Record<SplitName, ExampleSet>> & { train: ExampleSet };

/** The pictures of a training, divided. */
export interface PreparedData {
  splits: Splits;
  /** with `split.folds`: the fold of each training picture, from 0; each fold is dev once */
  folds: { count: number; of: Int32Array } | null;
  classes: Classes;
  /** the names of all classes that are not positive: the negative class is one of them, or all together */
  others: readonly string[];
  preprocessing: Preprocessing;
  failures: Failure[];
  notes: readonly string[];
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

/** A source of a config, with its path from the working folder: what is said of it, in a summary too, names no folder above that
 *  the user did not write. */
export function sourceChoice(source: SourceConfig, folder: string): SourceChoice {
  if (!('path' in source)) return source;
  return { ...source, path: isAbsolute(source.path) ? source.path : relative('', resolve(folder, source.path)) || '.' };
}

/** Reads what a config names and divides it into train, dev and test.
 *  @throws UserError (data, usage) */
export async function prepareData({ config, folder }: LoadedConfig, options: ReadOptions): Promise<PreparedData> {
  const { data, seed } = config;
  const opened = await openSources(config, folder, options.onProgress);
  const classes = classesOf(opened);
  const preprocessing = preprocessingOf(config, opened);
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
  const cut = await splitDataset({ ...first.examples, strata: first.strata, clusters }, data, seed);
  const given = Object.fromEntries(own.map(({ split, loaded }) => [split, loaded.examples]));
  const placed = { own, divided: cut?.indices ?? null };
  const splits = { ...given, ...(cut === null ? { train: first.examples } : splitsOf(first.examples, cut.indices)) };
  const seen = await sampleSplits(splits, preprocessing.imageSize, seed);
  return {
    splits,
    folds: cut?.folds ?? null,
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

/** @param divided  how the first of them was divided, if it was */
async function notesOfDuplicates(
  { clusters }: DatasetDuplicates,
  { own, divided }: { own: readonly GivenSplit[]; divided: DatasetSplit['indices'] | null },
): Promise<string[]> {
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

export interface OpenedSource {
  source: Source;
  positive: string | undefined;
  /** absent where its pictures are squares already */
  fit: Fit | undefined;
}

export type OpenedSources = Partial<Record<(typeof sourceFields)[number], OpenedSource>>;

/** The sources of a config, with nothing read of their pictures. @throws UserError (data) */
export async function openSources({ data }: Config, folder: string, onProgress?: OpeningProgress): Promise<OpenedSources> {
  const opened: OpenedSources = {};
  for (const field of sourceFields) {
    const config = data[field];
    if (config === undefined) continue;
    const source = await openSource(sourceChoice(config, folder), onProgress);
    const fit = source.packed?.description.preprocessing.fit ?? ('fit' in config ? config.fit : undefined);
    opened[field] = { source, positive: ('positive' in config ? config.positive : undefined) ?? source.positive, fit };
  }
  return opened;
}

const sourcesIn = (opened: OpenedSources) => Object.values(opened).map(({ source }) => source);

/** The classes of all sources: where one of them has more than two, the negative class of each is all that is not positive.
 *  @param otherwise  what is positive in a source for which nothing is written
 *  @throws UserError (data, usage) where they can't be told, or are not the same */
export function classesOf(
  opened: OpenedSources,
  otherwise: (names: readonly string[]) => string | undefined = () => undefined,
): Classes {
  const many = Object.values(opened).some(({ source }) => source.classes.length > 2);
  let first: Classes | undefined;
  for (const field of sourceFields) {
    if (opened[field] === undefined) continue;
    const { source, positive } = opened[field];
    const found = orderClasses(source.classes, positive ?? otherwise(source.classes), source.title, {
      many,
      notes: source.notes,
    });
    first ??= found;
    if (found.positive === first.positive && found.negative === first.negative) continue;
    const words = ({ positive, negative }: Classes) => `${positive} and ${negative}`;
    throw new UserError('data', `data.${field}: expected the classes of data.train, ${words(first)}, found ${words(found)}`);
  }
  return first!; // a config has a source at least
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

export function preprocessingOf({ data }: Config, opened: OpenedSources): Preprocessing {
  const fit = (opened.source ?? opened.train)?.fit ?? 'cover';
  for (const split of ['dev', 'test'] as const) {
    const other = opened[split]?.fit;
    if (other !== undefined && other !== fit) {
      throw new UserError(
        'usage',
        `data.${split}.fit: expected ${JSON.stringify(fit)}, that of data.train, found ${JSON.stringify(other)}`,
      );
    }
  }
  return { imageSize: data.imageSize, fit };
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

/** The network that a config describes, for pictures of n_x features. */
export function networkOf({ model }: Config, inputs: number): Network {
  const hidden = model.layers.length;
  const pick = (activation: Layer['activation'], own?: InitConfig): Init =>
    resolveInit(own ?? model.init) ?? fittingInit(activation, hidden);
  const layers = model.layers.map(({ type: _, init, ...layer }): Layer => ({ ...layer, init: pick(layer.activation, init) }));
  const output: Layer = {
    units: 1,
    activation: 'sigmoid',
    slope: defaultSlope,
    init: pick('sigmoid'),
    keepProb: 1,
    batchNorm: false,
  };
  return { inputs, layers: [...layers, output] };
}

/** null for "auto". */
function resolveInit(init: InitConfig): Init | null {
  if (init === 'auto') return null;
  return typeof init === 'string' ? { name: init, factor: defaultFactor } : init;
}
