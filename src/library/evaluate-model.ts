import { join } from 'node:path';
import { type Classifier, evaluateClassifier, predictLabel, probability } from '../classifier/classifier.ts';
import { exists } from '../data/disk.ts';
import { allStrings, type ExampleSet } from '../data/examples.ts';
import { decodesAtOnce, mapInOrder } from '../data/source.ts';
import { UserError } from '../errors.ts';
import { wilsonInterval } from '../evaluation/statistics.ts';
import { kernelsFor } from '../kernels/select.ts';
import type { Evaluation, PredictionRow, Unseen } from '../results/evaluation.ts';
import type { Metrics } from '../results/metrics.ts';
import { runFiles, runOfModel } from '../run/run-folder.ts';
import { type SplitRow, writePredictions } from '../run/split-file.ts';
import { chooseExamples, type ExampleChoice, type Part, requireRun } from './choose-examples.ts';
import type { Host } from './host.ts';
import { pathOf } from './image-paths.ts';
import { measureUnseen } from './trained-on.ts';

/** What judging a model found. */
export interface ModelEvaluation {
  examples: ExampleSet;
  /** of the pictures, for people */
  title: string;
  /** where names start that are paths */
  roots: string[];
  threshold: number;
  metrics: Metrics;
  /** one a picture */
  logits: Float64Array;
  /** which of the pictures the model was trained on; null for a single part of its run */
  familiar: Unseen | null;
  /** what `nn predict --abstain` would do with them; null without a bound, and where the threshold is not the one that it was made for */
  abstaining: NonNullable<Evaluation['abstaining']> | null;
}

/** Judges a model on the data of its run, or on another source.
 *  @param model              and the file that it was read from
 *  @param options.threshold  the model's, where it is left out
 *  @throws UserError (data, usage, model) */
export async function evaluateModel(
  host: Host,
  { classifier, file }: { classifier: Classifier; file: string },
  options: ExampleChoice & { threshold?: number | undefined },
): Promise<ModelEvaluation> {
  await requireRun(file, options);
  const run = runOfModel(file);
  const { examples, title, roots, origin, rows } = await chooseExamples(host, options, classifier, run);
  const threshold = options.threshold ?? classifier.threshold;
  const { metrics, logits } = await evaluateClassifier(classifier, kernelsFor(classifier.precision), examples, threshold);
  if (rows !== null) await keepPredictions(host, run, { rows, logits, part: options.split });
  const familiar = origin === null ? null : await measureUnseen(classifier, { examples, logits, threshold, ...origin });
  const abstaining = threshold === classifier.threshold ? abstainingOf(classifier, logits, examples.labels) : null;
  return { examples, title, roots, threshold, metrics, logits, familiar, abstaining };
}

function abstainingOf(classifier: Classifier, logits: Float64Array, labels: Uint8Array): ModelEvaluation['abstaining'] {
  const confidence = classifier.abstention?.confidence ?? null;
  if (confidence === null) return null;
  let [answered, right] = [0, 0];
  for (const [i, z] of logits.entries()) {
    const given = predictLabel(classifier, probability(z));
    if (given.confidence < confidence) continue;
    answered++;
    if ((given.label === classifier.classes.positive) === (labels[i] === 1)) right++;
  }
  const isSome = answered > 0;
  return {
    confidence,
    answered,
    accuracy: isSome ? right / answered : null,
    accuracyInterval: isSome ? wilsonInterval(right, answered) : null,
  };
}

/** Keeps the answers for a run's own pictures in its predictions.csv: a run of an older version has none, and one part alone does not
 *  replace what is there. */
async function keepPredictions(
  host: Host,
  run: string,
  { rows, logits, part }: { rows: readonly SplitRow[]; logits: Float64Array; part: Part | undefined },
): Promise<void> {
  if (part !== 'all' && (await exists(join(run, runFiles.predictions)))) return;
  try {
    await writePredictions(run, [rows], logits);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    host.note(error.message); // what it was asked for is said all the same
  }
}

/** The same rows with the paths of their pictures. @param roots  as the user named them, or from the working folder */
export async function addPaths(rows: readonly PredictionRow[], roots: readonly string[]): Promise<PredictionRow[]> {
  const out: PredictionRow[] = [];
  const found = mapInOrder(rows, decodesAtOnce(), async (row) => ({ ...row, path: await pathOf(row.file, roots) }));
  for await (const row of found) out.push(row);
  return out;
}

/** What a model answers for each picture that it was judged on. */
export async function predictionRows(
  classifier: Classifier,
  { examples, logits, threshold }: Pick<ModelEvaluation, 'examples' | 'logits' | 'threshold'>,
): Promise<PredictionRow[]> {
  const { positive, negative } = classifier.classes;
  return (await allStrings(examples.names)).map((file, i) => {
    const p = probability(logits[i]!);
    const truth = examples.labels[i] === 1 ? positive : negative;
    const { label, confidence } = predictLabel(classifier, p, threshold);
    return { file, truth, label, p, confidence, correct: label === truth, path: null };
  });
}
