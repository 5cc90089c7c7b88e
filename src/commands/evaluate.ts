import { join } from 'node:path';
import { type Classifier, evaluateClassifier, predictLabel, probability } from '../classifier/classifier.ts';
import { sourceFields } from '../config/load.ts';
import { cachedSource } from '../data/cache/decode-cache.ts';
import { areSplitNames, type Classes, complementName, listNames, refuseMistakable } from '../data/classes.ts';
import { exists } from '../data/disk.ts';
import { allStrings, classCounts, type ExampleSet } from '../data/examples.ts';
import { defaultMemory, type Failure, openExamples, refuseWithoutImages, streamingBudget } from '../data/load.ts';
import { decodesAtOnce, mapInOrder, type Source } from '../data/source.ts';
import { openSource, sourceAtPath } from '../data/sources/sources.ts';
import { type SplitName, splitNames } from '../data/split.ts';
import { csvField } from '../data/text-files.ts';
import { openSources } from '../datasets/open.ts';
import { type ExitKind, UserError } from '../errors.ts';
import { kernelsFor, useThreads } from '../kernels/select.ts';
import { evaluationText, trainedOnText, worstText } from '../report/evaluation.ts';
import { type EvaluationReport, evaluationReportHtml } from '../report/evaluation-report.ts';
import { shownImages } from '../report/shown-images.ts';
import type { Evaluation, PredictionRow } from '../results/evaluation.ts';
import type { Metrics } from '../results/metrics.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import { loadClassifier } from '../run/model-file.ts';
import { defaultModel } from '../run/places.ts';
import { readRunConfig, runFiles, runOfModel } from '../run/run-folder.ts';
import { readSplitPart, type SplitRow, trainedOf, writePredictions } from '../run/split-file.ts';
import { shellWord } from '../text.ts';
import type { Command, Context } from './command.ts';
import { linkOf, pathOf, rootOf, rootsOf } from './image-paths.ts';
import { modelOption, numberFlag, threadsOption, thresholdOption, wordFlag } from './options.ts';
import { noteOthers, readProgress, sourcePaths, warnOfFailures, withDecoded } from './reading.ts';
import { type PartOptions, type PartSource, readRunPart } from './run-part.ts';
import { machineFacts } from './run-report.ts';
import { measureUnseen, type Origin, trainedContents } from './trained-on.ts';

interface Values {
  model?: string;
  data?: string;
  split?: Part;
  threshold?: number;
  strict?: boolean;
  predictions?: boolean;
  csv?: boolean;
  failBelow?: number;
  failBelowLower?: number;
  worst?: number;
  report?: string;
  threads?: number;
}

type Part = SplitName | 'all';
const parts: readonly Part[] = [...splitNames, 'all'];

export const command: Command<Values> = {
  options: [
    modelOption,
    { flags: '-d, --data <source>', summary: `${sourcePaths} (default: the data of the run)` },
    wordFlag('--split <part>', `${parts.join(', ')} (default: test of the run's own data, all of another source)`, parts),
    thresholdOption,
    { flags: '--json', summary: 'print the metrics as JSON' },
    { flags: '--predictions', summary: 'with --json: a row per picture as well' },
    { flags: '--csv', summary: 'print a row per picture as CSV', conflicts: ['json', 'worst'] },
    numberFlag('--worst <n>', 'name the n most confident errors', { low: 0, high: 1e9, whole: true }),
    { flags: '--report <file.html>', summary: 'write a page of it: curves, threshold, errors as pictures' },
    numberFlag('--fail-below <x>', 'exit 6 when the accuracy is below x', { low: 0, high: 1 }),
    numberFlag('--fail-below-lower <x>', "exit 6 when the lower end of the accuracy's interval is below x", { low: 0, high: 1 }),
    { flags: '--strict', summary: 'refuse to judge when a picture cannot be read' },
    threadsOption,
  ],
  examples: [
    'nn evaluate',
    'nn evaluate --data photos/ --worst 10',
    'nn evaluate --report test.html',
    'nn evaluate --fail-below-lower 0.75 && deploy',
  ],
  run: evaluate,
};

async function evaluate(context: Context, values: Values): Promise<ExitKind | undefined> {
  useThreads(values.threads, context.environment);
  const { classifier, file } = await loadClassifier(values.model ?? (await defaultModel(context.environment)));
  if (values.predictions && !context.json)
    context.warn('--predictions adds rows to what --json prints; without it, --csv has them');
  await requireRun(file, values);
  const { examples, title, roots, origin, rows: own } = await chooseExamples(context, values, classifier, runOfModel(file));
  const threshold = values.threshold ?? classifier.threshold;
  const { metrics, logits } = await evaluateClassifier(classifier, kernelsFor(classifier.precision), examples, threshold);
  if (own !== null) await keepPredictions(context, runOfModel(file), { rows: own, logits, part: values.split });
  const familiar = origin === null ? null : await measureUnseen(classifier, { examples, logits, threshold, ...origin });
  const wantsPaths = values.csv || values.predictions;
  const wantsRows = wantsPaths || values.worst !== undefined;
  const answers = wantsRows ? await predictionRows(examples, classifier, logits, threshold) : [];
  const rows = wantsPaths ? await addPaths(answers, roots) : answers;
  const errors = rows.filter((row) => !row.correct).sort((a, b) => b.confidence - a.confidence);
  const worst = values.worst === undefined ? undefined : await worstRows(errors.slice(0, values.worst), roots);
  if (values.csv) printCsv(context, rows);
  else if (context.json) {
    const result: Evaluation = { ...metrics, ...familiar, ...(values.predictions && { rows }), ...(worst && { worst }) };
    context.print(JSON.stringify(result));
  } else {
    context.print(evaluationText(metrics, familiar, { title, classes: classifier.classes, threshold, style: context.style }));
    if (worst) context.print(worstText(worst, errors.length));
  }
  const sentence = trainedOnText(examples.labels.length, familiar);
  if (sentence !== null && (values.csv || context.json)) context.warn(sentence);
  // last: a page that can't be written costs none of what is printed
  if (values.report !== undefined) {
    const judged = { name: title, metrics, threshold, answers: { p: logits.map(probability), labels: examples.labels } };
    await writeReport(context, values.report, {
      title,
      model: file,
      classes: classifier.classes,
      judged,
      familiar,
      examples,
      roots,
    });
  }
  return missesGate(context, metrics, values) ? 'gate' : undefined;
}

/** The pictures to judge: those of another source, or a part of the run's own, found again by content. */
async function chooseExamples(
  context: Context,
  { data, split, strict = false }: Values,
  classifier: Classifier,
  run: string,
): Promise<{ examples: ExampleSet; title: string; roots: string[]; origin: Origin | null; rows: SplitRow[] | null }> {
  const { preprocessing, classes } = classifier;
  const reading = { preprocessing, classes, strict, onProgress: readProgress(context) };
  const part = split ?? (data === undefined ? 'test' : 'all');
  const { sources, memory, roots } =
    data === undefined ? await ownData(run, () => ownSources(context, run, part)) : await otherSource(context, data, classifier);
  const isIndependent = sources.every(({ source }) => source.isIndependent ?? false);
  const read = async () => {
    if (data !== undefined && part === 'all') {
      const found = await withDecoded(context, (places) => readAll(sources[0]!, { ...reading, ...places, memory }));
      warnOfOneClass(context, sources[0]!.source, found.examples, classes);
      const trained = await trainedContents(context, run, classifier);
      return { title: data, origin: { trained, isOwn: false, isIndependent }, rows: null, ...found };
    }
    const { rows, present } = await readSplitPart(run, classes, part);
    if (rows.length === 0)
      throw new UserError('data', `--split ${part}: the run has no such part, it has ${present.join(' and ')}`);
    const what = { part, where: data ?? 'the data of the run' };
    const found = await withDecoded(context, (places) => readRunPart(rows, sources, what, { ...reading, ...places, memory }));
    const title = data === undefined ? `${part} of ${run}` : `${part} of ${run}, from ${data}`;
    return { title, origin: part === 'all' ? { trained: trainedOf(rows), isOwn: true, isIndependent } : null, rows, ...found };
  };
  const { failures, ...chosen } = await read();
  warnOfFailures(context, failures, data === undefined ? ['--config', join(run, runFiles.config)] : [data]);
  return { ...chosen, roots };
}

/** Writes the page of --report. */
async function writeReport(
  context: Context,
  file: string,
  { examples, roots, ...report }: Omit<EvaluationReport, 'images' | 'facts'> & { examples: ExampleSet; roots: readonly string[] },
): Promise<void> {
  const hrefOf = (name: string) => linkOf(name, roots, file);
  const images = await shownImages(examples, report.judged, { classes: report.classes, hrefOf });
  await writeFileAtomically(file, evaluationReportHtml({ ...report, images, facts: machineFacts() }));
  context.note(`report: ${file}`);
}

/** Keeps the answers for a run's own pictures in its predictions.csv: a run of an older version has none, and one part alone does not
 *  replace what is there. */
async function keepPredictions(
  context: Context,
  run: string,
  { rows, logits, part }: { rows: readonly SplitRow[]; logits: Float64Array; part: Part | undefined },
): Promise<void> {
  if (part !== 'all' && (await exists(join(run, runFiles.predictions)))) return;
  try {
    await writePredictions(run, [rows], logits);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    context.note(error.message); // what it was asked for is said all the same
  }
}

interface Chosen {
  sources: PartSource[];
  /** of pixels, in MiB */
  memory: number;
  /** where names start that are paths */
  roots: string[];
}

/** What the run's config names, with nothing read of it. */
async function ownSources(context: Context, run: string, part: Part): Promise<Chosen> {
  const loaded = await readRunConfig(run);
  const opened = await openSources(loaded, readProgress(context));
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

async function otherSource(context: Context, data: string, { classes }: Classifier): Promise<Chosen> {
  const choice = await sourceAtPath(data, classes.positive);
  const source = await openSource(choice, readProgress(context));
  for (const note of source.notes) context.warn(note);
  requireClasses(data, source.classes, classes);
  const others = source.classes.filter((name) => name !== classes.positive);
  noteOthers(context, data, classes.positive, others);
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

/** The same rows with the paths of their pictures. @param roots  as the user named them, or from the working folder */
async function addPaths(rows: readonly PredictionRow[], roots: readonly string[]): Promise<PredictionRow[]> {
  const out: PredictionRow[] = [];
  const found = mapInOrder(rows, decodesAtOnce(), async (row) => ({ ...row, path: await pathOf(row.file, roots) }));
  for await (const row of found) out.push(row);
  return out;
}

/** Rows that call a picture by its path, where it has one. */
async function worstRows(rows: readonly PredictionRow[], roots: readonly string[]): Promise<PredictionRow[]> {
  return (await addPaths(rows, roots)).map((row) => ({ ...row, file: row.path ?? row.file }));
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
function warnOfOneClass(context: Context, { title, classes }: Source, { labels }: ExampleSet, model: Classes): void {
  const [negatives, positives] = classCounts(labels);
  if (negatives > 0 && positives > 0) return;
  const [there, figure] = negatives > 0 ? [model.negative, 'specificity'] : [model.positive, 'recall'];
  const missing = classes.filter((name) => (name === model.positive) === negatives > 0);
  const [absent] = missing.length > 0 ? missing : [negatives > 0 ? model.positive : model.negative];
  context.warn(`${title}: all pictures are of ${there}, none of ${absent}: unless some are missing, ${figure} is what they tell`);
}

/** @throws UserError (data) where a model lies alone, and so names no pictures, nor their parts */
async function requireRun(model: string, { data, split = 'all' }: Values): Promise<void> {
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

async function predictionRows(
  examples: ExampleSet,
  classifier: Classifier,
  logits: Float64Array,
  threshold: number,
): Promise<PredictionRow[]> {
  const { positive, negative } = classifier.classes;
  return (await allStrings(examples.names)).map((file, i) => {
    const p = probability(logits[i]!);
    const truth = examples.labels[i] === 1 ? positive : negative;
    const { label, confidence } = predictLabel(classifier, p, threshold);
    return { file, truth, label, p, confidence, correct: label === truth, path: null };
  });
}

const columns = ['file', 'truth', 'label', 'p', 'confidence', 'correct', 'path'] as const satisfies (keyof PredictionRow)[];

function printCsv(context: Context, rows: readonly PredictionRow[]): void {
  context.printExact(columns.join(','));
  for (const row of rows)
    context.printExact(columns.map((column) => csvField(row[column] === null ? null : String(row[column]))).join(','));
}

/** Says which gate was missed, and by how much. */
function missesGate(context: Context, { accuracy, accuracyInterval }: Metrics, { failBelow, failBelowLower }: Values): boolean {
  const gates = [
    { flag: '--fail-below', bound: failBelow, value: accuracy, what: 'accuracy' },
    {
      flag: '--fail-below-lower',
      bound: failBelowLower,
      value: accuracyInterval[0],
      what: "the lower end of the accuracy's interval",
    },
  ];
  const missed = gates.filter(({ bound, value }) => bound !== undefined && value < bound);
  for (const { flag, bound, value, what } of missed) context.complain(`nn: ${flag} ${bound}: ${what} is ${value.toFixed(4)}`);
  return missed.length > 0;
}
