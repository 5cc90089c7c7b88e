import { join } from 'node:path';
import type { Classifier } from '../classifier/classifier.ts';
import { sourceFields } from '../config/load.ts';
import { cachedSource } from '../data/cache/decode-cache.ts';
import { areSplitNames, type Classes, complementName, listNames, refuseMistakable } from '../data/classes.ts';
import { exists } from '../data/disk.ts';
import { classCounts, type ExampleSet } from '../data/examples.ts';
import { defaultMemory, type Failure, openExamples, refuseWithoutImages, streamingBudget } from '../data/load.ts';
import type { Source } from '../data/source.ts';
import { openSource, sourceAtPath } from '../data/sources/sources.ts';
import { type SplitName, splitNames } from '../data/split.ts';
import { openSources } from '../datasets/open.ts';
import { UserError } from '../errors.ts';
import { readRunConfig, runFiles, runOfModel } from '../run/run-folder.ts';
import { readSplitPart, type SplitRow, trainedOf } from '../run/split-file.ts';
import { shellWord } from '../text.ts';
import type { Host } from './host.ts';
import { rootOf, rootsOf } from './image-paths.ts';
import { noteOthers, readProgress, warnOfFailures, withDecoded } from './reading.ts';
import { type PartOptions, type PartSource, readRunPart } from './run-part.ts';
import { type Origin, trainedContents } from './trained-on.ts';

/** Which pictures a model is judged on. */
export interface ExampleChoice {
  /** a path; where it is left out, the data of the model's run */
  data?: string | undefined;
  /** test of the run's own data, all of another source, where it is left out */
  split?: Part | undefined;
  /** whether a picture that can't be read is an error */
  strict?: boolean | undefined;
}

export type Part = SplitName | 'all';
export const parts: readonly Part[] = [...splitNames, 'all'];

/** The pictures to judge: those of another source, or a part of the run's own, found again by content. */
export async function chooseExamples(
  host: Host,
  { data, split, strict = false }: ExampleChoice,
  classifier: Classifier,
  run: string,
): Promise<{ examples: ExampleSet; title: string; roots: string[]; origin: Origin | null; rows: SplitRow[] | null }> {
  const { preprocessing, classes } = classifier;
  const reading = { preprocessing, classes, strict, onProgress: readProgress(host) };
  const part = split ?? (data === undefined ? 'test' : 'all');
  const { sources, memory, roots } =
    data === undefined ? await ownData(run, () => ownSources(host, run, part)) : await otherSource(host, data, classifier);
  const isIndependent = sources.every(({ source }) => source.isIndependent ?? false);
  const read = async () => {
    if (data !== undefined && part === 'all') {
      const found = await withDecoded(host, (places) => readAll(sources[0]!, { ...reading, ...places, memory }));
      warnOfOneClass(host, sources[0]!.source, found.examples, classes);
      const trained = await trainedContents(host, run, classifier);
      return { title: data, origin: { trained, isOwn: false, isIndependent }, rows: null, ...found };
    }
    const { rows, present } = await readSplitPart(run, classes, part);
    if (rows.length === 0)
      throw new UserError('data', `--split ${part}: the run has no such part, it has ${present.join(' and ')}`);
    const what = { part, where: data ?? 'the data of the run' };
    const found = await withDecoded(host, (places) => readRunPart(rows, sources, what, { ...reading, ...places, memory }));
    const title = data === undefined ? `${part} of ${run}` : `${part} of ${run}, from ${data}`;
    return { title, origin: part === 'all' ? { trained: trainedOf(rows), isOwn: true, isIndependent } : null, rows, ...found };
  };
  const { failures, ...chosen } = await read();
  warnOfFailures(host, failures, data === undefined ? ['--config', join(run, runFiles.config)] : [data]);
  return { ...chosen, roots };
}

interface Chosen {
  sources: PartSource[];
  /** of pixels, in MiB */
  memory: number;
  /** where names start that are paths */
  roots: string[];
}

/** What the run's config names, with nothing read of it. */
async function ownSources(host: Host, run: string, part: Part): Promise<Chosen> {
  const loaded = await readRunConfig(run);
  const opened = await openSources(loaded, readProgress(host));
  const likely = part === 'all' ? undefined : (opened[part] ?? opened.source ?? opened.train);
  return {
    sources: sourceFields.flatMap((field) => {
      const source = opened[field];
      return source === undefined ? [] : [{ ...source, isLikely: likely === undefined || likely === source }];
    }),
    memory: loaded.config.data.memory,
    roots: rootsOf(loaded),
  };
}

async function otherSource(host: Host, data: string, { classes }: Classifier): Promise<Chosen> {
  const choice = await sourceAtPath(data, classes.positive);
  const source = await openSource(choice, readProgress(host));
  for (const note of source.notes) host.warn(note);
  requireClasses(data, source.classes, classes);
  const others = source.classes.filter((name) => name !== classes.positive);
  noteOthers(host, data, classes.positive, others);
  const opened = { source, positive: classes.positive, fit: undefined, isLikely: true };
  return { sources: [opened], memory: defaultMemory, roots: rootOf(choice) };
}

/** All of a source, whatever the run was trained on, of both classes or of one. @throws UserError (data) where nothing can be read */
async function readAll(
  { source, positive }: PartSource,
  { cache, memory, onProgress, ...rest }: PartOptions,
): Promise<{ examples: ExampleSet; failures: Failure[] }> {
  const budgetBytes = streamingBudget([source], rest.preprocessing, memory);
  const progress = (done: number, total: number) => onProgress(source.title, done, total);
  const options = { ...rest, positive, budgetBytes, oneClass: true, onProgress: progress };
  const found = await openExamples(cachedSource(source, cache), options);
  refuseWithoutImages(found.examples.labels.length, source.title, found.failures);
  return found;
}

/** Other classes than the positive one may go by other names (a model of cat and noncat judges cats and dogs, or cats, dogs and
 *  birds), but where it is missing, the one class that is there must be the model's other one.
 *  @throws UserError (data) */
function requireClasses(data: string, found: readonly string[], { positive, negative }: Classes): void {
  if (found.length > 2 && found.includes(positive))
    refuseMistakable(found, { positive, negative: complementName(positive) }, data);
  if (found.includes(positive) || found.length === 0 || (found.length === 1 && found[0] === negative)) return;
  const hint = areSplitNames(found)
    ? 'These look like parts, not classes: give the folder of one of them to --data.'
    : `Call the class that the model answers ${positive} for, a folder or a label, ${positive} here too` +
      (found.length === 1 ? `; or the one that it answers ${negative} for ${negative}.` : '.');
  const names = listNames(found, found.length > 2 ? ', ' : ' and ');
  throw new UserError('data', `${data}: expected the model's classes, ${positive} and ${negative}, found ${names}`, { hint });
}

/** Pictures of one class alone may be meant, or a folder may be empty by mistake. */
function warnOfOneClass(host: Host, { title, classes }: Source, { labels }: ExampleSet, model: Classes): void {
  const [negatives, positives] = classCounts(labels);
  if (negatives > 0 && positives > 0) return;
  const [there, figure] = negatives > 0 ? [model.negative, 'specificity'] : [model.positive, 'recall'];
  const missing = classes.filter((name) => (name === model.positive) === negatives > 0);
  const [absent] = missing.length > 0 ? missing : [negatives > 0 ? model.positive : model.negative];
  host.warn(`${title}: all pictures are of ${there}, none of ${absent}: unless some are missing, ${figure} is what they tell`);
}

/** @throws UserError (data) where a model lies alone, and so names no pictures, nor their parts */
export async function requireRun(model: string, { data, split = 'all' }: ExampleChoice): Promise<void> {
  const needed = data === undefined ? runFiles.config : split === 'all' ? undefined : runFiles.split;
  if (needed === undefined || (await exists(join(runOfModel(model), needed)))) return;
  const what = data === undefined ? 'which names its pictures' : `which says what is ${split}`;
  throw new UserError('data', `${model}: expected a model in the folder of its run, ${what}, found no ${needed} beside it`, {
    hint:
      data === undefined
        ? `Say on which pictures to judge it: nn evaluate --model ${shellWord(model)} --data photos`
        : `Without --split it is judged on all of ${data}.`,
  });
}

/** A moved run does not know where its pictures are: say how to. */
async function ownData<T>(run: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof UserError) || !['data', 'usage'].includes(error.kind)) throw error;
    const [first, ...more] = error.lines;
    throw new UserError('data', [`the data of the run ${run} can't be read: ${first}`, more], {
      hint: 'Say where the pictures are with --data; with --split test the same pictures are taken as in the run.',
      cause: error,
    });
  }
}
