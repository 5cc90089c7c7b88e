import { abstentionOf, type Classifier, evaluateClassifier, logitsOf, probability, tempered } from '../classifier/classifier.ts';
import type { Config } from '../config/schema.ts';
import { foldSplits, type PreparedData } from '../datasets/prepare.ts';
import { UserError } from '../errors.ts';
import { fitTemperature } from '../evaluation/calibration.ts';
import { chooseThreshold } from '../evaluation/metrics.ts';
import { kernelsFor } from '../kernels/select.ts';
import type { Metrics } from '../results/metrics.ts';
import { refuseWrongStep } from './check-step.ts';
import { evaluateTrained } from './divergence.ts';
import { type EpochEvent, type FitEvent, type FitOptions, fit, type ResumeOptions } from './fit.ts';
import { planTraining, prepareFit, type TrainingExtras } from './plan.ts';
import type { TrainingState } from './state.ts';

/** What a training is made of: what a classifier needs besides its weights. */
export type Setting = Pick<PreparedData, 'classes' | 'preprocessing'>;

/** @throws UserError (usage) where the config asks for choices on a dev part that there is not */
export function requireDev(config: Config, { splits: parts, folds }: Pick<PreparedData, 'splits' | 'folds'>): void {
  if (parts.dev !== undefined || folds !== null) return;
  const { earlyStopping, threshold, calibrate } = config.training;
  const choosing = { earlyStopping: earlyStopping !== false, threshold: typeof threshold === 'string', calibrate };
  const wanting = Object.entries(choosing).find(([, wanted]) => wanted)?.[0];
  if (wanting === undefined) return;
  throw new UserError('usage', `training.${wanting}: expected a dev part to choose by, found none`, {
    hint: 'Name one with data.dev, cut one from train with data.split, such as { "dev": 0.2 }, or cross-validate with { "folds": 5 }.',
  });
}

/** What is chosen on dev after a training. */
export interface ChosenOnDev {
  /** null where none was wanted, or none is best */
  temperature: number | null;
  threshold: number;
}

/** The classifier of trained weights; its threshold is the config's, or chosen on dev, and so is a temperature, first, where one is wanted.
 *  @param temperature  that other pictures were found for, where there is no dev */
export async function classifierOf(
  config: Config,
  setting: Setting,
  options: FitOptions,
  temperature: number | null = null,
): Promise<Classifier> {
  const { network, parameters, scaling } = options;
  const { precision, training, data } = config;
  const { preprocessing, classes } = setting;
  const { threshold } = training;
  const rest = {
    network,
    parameters,
    scaling,
    precision,
    preprocessing,
    classes,
    loss: training.loss,
    normalize: data.normalize,
    ...(training.averageMirrored && { averageMirrored: true }),
  };
  const given = { threshold: options.threshold, ...(temperature !== null && { temperature }) };
  if (options.dev === null || (typeof threshold === 'number' && !training.calibrate)) return { ...rest, ...given };
  const { pixels, labels } = options.dev;
  const values = await evaluateTrained(
    options,
    () => logitsOf(rest, options.kernels, pixels),
    (logits) => [...logits],
  );
  const { temperature: fitted, ...chosen } = chooseOnDev(training, values, labels);
  return { ...rest, ...chosen, ...(fitted !== null && { temperature: fitted }) };
}

/** The same classifier with the confidence from which its answers are right often enough on dev. One that gives no answer for some pictures has none. */
export async function withAbstention(classifier: Classifier, { dev, kernels }: FitOptions): Promise<Classifier> {
  if (dev === null) return { ...classifier, abstention: abstentionOf(classifier, new Float64Array(0), new Uint8Array(0)) };
  try {
    const logits = await logitsOf(classifier, kernels, dev.pixels);
    return { ...classifier, abstention: abstentionOf(classifier, logits, dev.labels) };
  } catch (error) {
    if (error instanceof UserError && error.kind === 'model') return classifier; // its summary says so
    throw error;
  }
}

/** @param values  logits of labelled pictures that were not trained on */
function chooseOnDev(
  { calibrate, threshold }: Pick<Config['training'], 'calibrate' | 'threshold'>,
  values: Float64Array,
  labels: Uint8Array,
): ChosenOnDev {
  const temperature = calibrate ? fitTemperature(values, labels) : null;
  if (typeof threshold === 'number') return { temperature, threshold };
  const p = (temperature === null ? values : tempered(values, temperature)).map(probability);
  return { temperature, threshold: chooseThreshold(p, labels, threshold) };
}

/** One fold's result on the pictures that it did not train on. */
export interface FoldResult {
  fold: number;
  metrics: Metrics;
  epochs: number;
  bestEpoch: number;
}

/** What the folds that have been trained gave. */
export interface FoldsDone {
  folds: FoldResult[];
  /** the logit of each picture of the training part, from the fold that did not train on it; 0 where that is still to come */
  logits: Float64Array;
}

export interface FoldEvent {
  fold: number;
  event: FitEvent;
  done: FoldsDone;
}

/** What cross-validation found. */
export interface CrossValidation extends FoldsDone, ChosenOnDev {
  /** what the final training on all pictures takes instead: the epochs that were best; threshold and temperature are those of all folds together */
  epochs: number;
}

/** Where a cross-validation begins: after some folds, and in the midst of the next. */
export interface FoldsGoing {
  done?: FoldsDone | undefined;
  state?: TrainingState | null | undefined;
  wants?: ResumeOptions['shouldCheckpoint'];
}

/** Trains once for each fold, with that fold as dev, and judges it on that fold.
 *  @returns through `found`, when the generator has ended */
export async function* crossValidate(
  config: Config,
  data: Omit<PreparedData, 'groups'> & { folds: NonNullable<PreparedData['folds']> },
  extras: TrainingExtras,
  found: (result: CrossValidation) => void,
  going: FoldsGoing = {},
): AsyncGenerator<FoldEvent> {
  const { folds, splits: parts } = data;
  const kernels = kernelsFor(config.precision, config.arithmetic);
  const done: FoldsDone = {
    folds: [...(going.done?.folds ?? [])],
    logits: going.done?.logits.slice() ?? new Float64Array(parts.train.labels.length),
  };
  // the temperature is fitted to the logits of all folds, as they are
  const uncalibrated = { ...config, training: { ...config.training, calibrate: false } };
  let from = going.state;
  for (let fold = done.folds.length; fold < folds.count; fold++) {
    const foldData = foldSplits(parts.train, folds, fold);
    const options = await prepareFit(config, foldData, planTraining(config, foldData, kernels), kernels, extras);
    refuseWrongStep(options);
    let last: EpochEvent | undefined;
    for await (const event of fit(options, { resumeFrom: from, shouldCheckpoint: going.wants })) {
      yield { fold, event, done };
      if (event.type === 'epoch') last = event;
    }
    from = null;
    const judged = async () => evaluateClassifier(await classifierOf(uncalibrated, data, options), kernels, foldData.dev!);
    const { metrics, logits } = await evaluateTrained(options, judged, ({ metrics: { cost } }) => [cost]);
    placeFold(done.logits, logits, folds.of, fold);
    done.folds.push({ fold, metrics, epochs: last!.epoch, bestEpoch: last!.bestEpoch });
  }
  found(concludeFolds(config, done, parts.train.labels));
}

/** What all folds together say. @param labels  of the training part */
function concludeFolds(config: Config, done: FoldsDone, labels: Uint8Array): CrossValidation {
  const { folds, logits } = done;
  const { earlyStopping, epochs } = config.training;
  const best = Math.round(folds.reduce((sum, { bestEpoch }) => sum + bestEpoch, 0) / folds.length);
  return {
    ...done,
    epochs: earlyStopping ? Math.max(1, best) : epochs,
    ...chooseOnDev(config.training, logits, labels),
  };
}

/** Puts a fold's answers back where its pictures stand in the training part. */
function placeFold(all: Float64Array, values: Float64Array, of: Int32Array, fold: number): void {
  let next = 0;
  for (let i = 0; i < of.length; i++) if (of[i] === fold) all[i] = values[next++]!;
}

/** The config of the final training on all pictures, after cross-validation: nothing is left to choose by. */
export function afterFolds(config: Config, { epochs, threshold }: CrossValidation): Config {
  return { ...config, training: { ...config.training, epochs, threshold, earlyStopping: false } };
}

/** Mean and standard deviation (n − 1) of some numbers. */
export function meanAndSpread(values: readonly number[]): { mean: number; spread: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  return { mean, spread: Math.sqrt(squares / Math.max(1, values.length - 1)) };
}
