import { partNames } from '../data/split.ts';
import type { TrainSummary } from '../results/summary.ts';
import { loadClassifier } from '../run/model-file.ts';
import { shownPath } from '../run/places.ts';
import { type RunFolder, writeSummary } from '../run/run-folder.ts';
import { rowsInPieces, writePredictions } from '../run/split-file.ts';
import { type CrossValidation, meanAndSpread } from '../training/cross-validation.ts';
import { judgeTrained } from '../training/divergence.ts';
import { alarmsWithoutOthers, type Course, diagnoseParts, judgeParts } from '../training/judge.ts';
import type { Job } from './train-job.ts';

/** How a training ended. */
export interface Outcome {
  epochs: number;
  bestEpoch: number;
  stopped: TrainSummary['stopped'];
  /** whether the last checkpoint is on the disk */
  saved: boolean;
  course: Omit<Course, 'stopped' | 'epochs'>;
}

interface Finished {
  folds: CrossValidation | null;
  outcome: Outcome;
  seconds: number;
}

/** Judges the model as it was saved, by the path of `nn evaluate`, and writes predictions.csv and summary.json. */
export async function summarize(
  run: RunFolder,
  { loaded, data, plan, warn, warnings }: Job,
  { folds, outcome, seconds }: Finished,
): Promise<TrainSummary> {
  const { config } = loaded;
  const { classifier, file } = await loadClassifier(run.path);
  const logits = new Float64Array(partNames.reduce((sum, part) => sum + plan.examples[part].total, 0));
  let answered = 0;
  const metrics = await judgeTrained(
    plan,
    () =>
      judgeParts(classifier, data.parts, (some) => {
        logits.set(some, answered);
        answered += some.length;
      }),
    (parts) => Object.values(parts).flatMap((part) => part?.cost ?? []),
  );
  const course = { ...outcome.course, stopped: outcome.stopped, epochs: outcome.epochs };
  for (const text of alarmsWithoutOthers(metrics, { config, plan }, course)) warn(text);
  const summary: TrainSummary = {
    run: shownPath(run.path),
    model: shownPath(file),
    seed: config.seed,
    seconds,
    epochs: outcome.epochs,
    bestEpoch: outcome.bestEpoch,
    stopped: outcome.stopped,
    parameters: plan.parameters,
    threshold: classifier.threshold,
    examples: plan.examples,
    metrics,
    ...(folds === null ? {} : { folds: foldSummary(folds) }),
    diagnosis: diagnoseParts(metrics, { config, plan }, course),
    warnings,
  };
  await writePredictions(run.path, rowsInPieces(data.parts), logits);
  await writeSummary(run.path, summary);
  return summary;
}

function foldSummary({ folds }: CrossValidation): NonNullable<TrainSummary['folds']> {
  const accuracy = folds.map(({ metrics }) => metrics.accuracy);
  const cost = folds.map(({ metrics }) => metrics.cost);
  return {
    count: folds.length,
    accuracy: { ...meanAndSpread(accuracy), values: accuracy },
    cost: { ...meanAndSpread(cost), values: cost },
    bestEpochs: folds.map(({ bestEpoch }) => bestEpoch),
  };
}
