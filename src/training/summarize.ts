import { type Classifier, metricsOf } from '../classifier/classifier.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { type SplitName, splitNames } from '../data/split.ts';
import type { PreparedData, Splits } from '../datasets/prepare.ts';
import { diagnose, imbalanceOf, onlyAnswerOf } from '../evaluation/diagnosis.ts';
import { kernelsFor } from '../kernels/select.ts';
import type { Metrics } from '../results/metrics.ts';
import type { Diagnosis, TrainSummary } from '../results/summary.ts';
import { loadClassifier } from '../run/model-file.ts';
import { shownPath } from '../run/places.ts';
import { type RunFolder, writeSummary } from '../run/run-folder.ts';
import { rowsInPieces, writePredictions } from '../run/split-file.ts';
import { blindCost, type DevCourse, guessingCost, leaptUp, risesOf, trendOf } from './cost-curve.ts';
import { type CrossValidation, meanAndSpread } from './cross-validation.ts';
import { evaluateTrained } from './divergence.ts';
import type { Plan } from './plan.ts';
import { type Finding, remediesFor } from './remedies.ts';
import { durationOf } from './work.ts';

/** How a training ended. */
export interface Outcome {
  epochs: number;
  bestEpoch: number;
  stopped: TrainSummary['stopped'];
  /** whether the last checkpoint is on the disk */
  saved: boolean;
  course: Omit<Course, 'stopped' | 'epochs'>;
}

/** Of a trainer's job, what a summary is made of. */
interface Summarized {
  loaded: LoadedConfig;
  data: PreparedData;
  plan: Plan;
  warnings: string[];
  reporter: { ended(summary: TrainSummary, classifier: Classifier, logits: Float64Array): Promise<string | null> } | null;
}

interface Finished {
  folds: CrossValidation | null;
  outcome: Outcome;
  seconds: number;
  warn(text: string): void;
}

/** Evaluates the model as it was saved, by the path of `nn evaluate`, and writes predictions.csv and summary.json. */
export async function summarize(
  run: RunFolder,
  job: Summarized,
  { folds, outcome, seconds, warn }: Finished,
): Promise<TrainSummary> {
  const { data, plan, warnings } = job;
  const { config } = job.loaded;
  const { classifier, file } = await loadClassifier(run.path);
  const logits = new Float64Array(splitNames.reduce((sum, part) => sum + plan.examples[part].total, 0));
  let answered = 0;
  const metrics = await evaluateTrained(
    plan,
    () =>
      evaluateSplits(classifier, data.splits, (some) => {
        logits.set(some, answered);
        answered += some.length;
      }),
    (parts) => Object.values(parts).flatMap((part) => part?.cost ?? []),
  );
  const course = { ...outcome.course, stopped: outcome.stopped, epochs: outcome.epochs };
  if (config.training.calibrate && classifier.temperature === undefined) warn(uncalibrated);
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
    ...(classifier.temperature === undefined ? {} : { temperature: classifier.temperature }),
    abstention: classifier.abstention ?? null,
    examples: plan.examples,
    metrics,
    ...(folds === null ? {} : { folds: foldSummary(folds) }),
    diagnosis: diagnoseParts(metrics, { config, plan }, course),
    warnings,
  };
  await writePredictions(run.path, rowsInPieces(data.splits), logits);
  const reported = { ...summary, report: (await job.reporter?.ended(summary, classifier, logits)) ?? null };
  await writeSummary(run.path, reported);
  return reported;
}

/** What is told where `fitTemperature` found none. */
const uncalibrated =
  'training.calibrate: no temperature is best for the pictures that it is fitted to, so p stays as it is: either p is on the right side of ½ for all of them, ' +
  'or it is no better than guessing. More pictures for dev may have one';

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

/** The metrics of each part that there is.
 *  @param answered  is given the logits of the next pictures, part after part */
export async function evaluateSplits(
  classifier: Classifier,
  parts: Splits,
  answered?: (logits: Float64Array) => void,
): Promise<Record<SplitName, Metrics | null>> {
  const kernels = kernelsFor(classifier.precision);
  const measured: Record<SplitName, Metrics | null> = { train: null, dev: null, test: null };
  for (const part of splitNames) if (parts[part]) measured[part] = await metricsOf(classifier, kernels, parts[part], answered);
  return measured;
}

/** What a training leaves behind for its diagnosis: how it went. */
export interface Course {
  /** of every epoch, as trained */
  costs: readonly number[];
  /** null without dev, and after a checkpoint of 0.1.0, which remembered none */
  dev: DevCourse | null;
  /** whether a hidden layer gave 0 for every picture in the end */
  dead: boolean;
  stopped: Finding['stopped'];
  /** trained */
  epochs: number;
}

/** A cost is above that of guessing from this many times it on. */
const aboveGuessing = 1.05;

type Measured = Record<SplitName, Metrics | null>;
type Trained = { config: Config; plan: Plan };

/** Bias and variance, from train and dev; from test where there is no dev; null where there is neither. And what the course of the
 *  training says of them. */
export function diagnoseParts(metrics: Measured, trained: Trained, course: Course): Diagnosis | null {
  const comparedWith = metrics.dev ? 'dev' : 'test';
  const [train, other] = [metrics.train, metrics[comparedWith]];
  return train && other ? { ...diagnosisOf(train, other, metrics, trained, course), comparedWith } : null;
}

/** What is to be told of a training that has no diagnosis, since nothing but train is there. */
export function alarmsWithoutOthers(metrics: Measured, trained: Trained, course: Course): string[] {
  const { train } = metrics;
  if (!train || metrics.dev || metrics.test) return [];
  const { collapsed, worseThanGuessing, guessing, remedies } = diagnosisOf(train, train, metrics, trained, course);
  const [first] = remedies.filter(({ set }) => set.length > 0);
  const try_ = first ? `. Try ${first.title}: ${first.set.map((change) => `--set ${change}`).join(' ')}` : '';
  if (worseThanGuessing) {
    return [
      `the cost ends at ${train.cost.toPrecision(4)} on train, above the ${guessing.toPrecision(4)} of a network that sees nothing${try_}`,
    ];
  }
  return collapsed ? [`every training picture gets the same answer: nothing was learnt${try_}`] : [];
}

function diagnosisOf(
  train: Metrics,
  other: Metrics,
  { dev }: Measured,
  { config, plan }: Trained,
  course: Course,
): Omit<Diagnosis, 'comparedWith'> {
  const score = ({ confusion: { tp, fp, fn, tn } }: Metrics) => ({ errors: fp + fn, total: tp + fp + fn + tn });
  const bias = diagnose(score(train), score(other), config.diagnosis);
  const answers = onlyAnswerOf(train.confusion);
  const guessing = blindCost(plan.balance);
  const found = {
    collapsed: answers !== null,
    answers,
    imbalance: imbalanceOf(train.confusion, other.confusion, config.diagnosis),
    guessing,
    worseThanGuessing: train.cost > aboveGuessing * guessing,
  };
  const smallerInDev = dev === null ? null : smallerClass(dev);
  const signs = signsOf(course, plan, {
    worseThanGuessing: found.worseThanGuessing,
    startedNear: startsNear(config),
    last: train.cost,
  });
  const advised = remediesFor(config, {
    verdict: bias.verdict,
    collapsed: found.collapsed,
    imbalance: found.imbalance !== null,
    worseThanGuessing: found.worseThanGuessing,
    ...signs,
    trainError: train.error,
    smallerInDev,
    learningRates: plan.learningRates,
    autoRate: plan.autoRate,
    inputs: plan.network.inputs,
  });
  const pictures = { features: plan.network.inputs, train: plan.examples.train.total, dev: plan.examples.dev.total };
  const remedies = advised.map((remedy) => ({ ...remedy, ...durationOf(config, remedy.set, pictures, course.epochs) }));
  return { ...bias, ...found, learntLater: signs.learntLater, targetError: config.diagnosis.targetError, remedies };
}

const smallerClass = ({ confusion: { tp, fp, fn, tn } }: Metrics) => Math.min(tp + fn, fp + tn);

/** Epochs' costs that rise by this share of the cost of guessing, time and again, are no noise of batches. */
const wild = 0.25;
/** A rate that is so many times smaller than the automatic one is a small one. */
const small = 10;

type Signs = Pick<Finding, 'tooFast' | 'tooSlow' | 'trend' | 'dead' | 'devTurned' | 'learntLater' | 'stopped'>;

/** By so much the cost on train must have fallen after the epoch that is kept. */
const farBelow = 0.5;

/** What the course of a training shows of its learning rate, and of more epochs.
 *  @param options.last  the cost on train in the end */
function signsOf(
  { costs, dev, dead, stopped }: Course,
  { balance, learningRates, autoRate }: Plan,
  { worseThanGuessing, startedNear, last }: { worseThanGuessing: boolean; startedNear: boolean; last: number },
): Signs {
  const guessing = guessingCost(balance);
  const trend = trendOf(costs);
  const leapt = leaptUp([...costs, last], balance, { startedNear });
  const isWild = startedNear && risesOf(costs) > wild * guessing;
  const tooFast = isWild || (worseThanGuessing && (leapt || trend === 'rising'));
  const tooSlow = !tooFast && Math.max(...learningRates) < autoRate / small && trend !== 'rising';
  const devTurned = dev === null ? null : dev.lastCost > dev.leastCost * (1 + leastTurn);
  const kept = dev === null ? undefined : costs[dev.leastEpoch - 1];
  const learntLater = stopped === 'early' && devTurned === true && kept !== undefined && costs.at(-1)! < farBelow * kept;
  return { tooFast, tooSlow, trend, dead, devTurned, learntLater, stopped };
}

/** Dev's cost has turned up where it ends above its least by this share. */
const leastTurn = 0.01;

/** Whether the first weights answer about ½: then a cost that is far above was brought there by steps. */
function startsNear(config: Config): boolean {
  const { model, data, training } = config;
  const inits = [model.init, ...model.layers.map((layer) => ('init' in layer && layer.init) || 'auto')];
  const isCautious = inits.every((init) => typeof init === 'string' || init.name !== 'random' || init.factor <= 0.1);
  return isCautious && data.normalize !== 'none' && training.startFrom === null;
}
