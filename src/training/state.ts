import { type Augmentation, augments } from '../data/augment.ts';
import { type BatchSize, batchLength, type Shuffle } from '../data/batches.ts';
import { drawMixing, type Mixing } from '../data/mixup.ts';
import { UserError } from '../errors.ts';
import type { Batch, Floats, InputScaling, Kernels } from '../kernels/kernels.ts';
import { kernelsFor } from '../kernels/select.ts';
import { type Network, opsOf, weightedLayers } from '../nn/build.ts';
import { fusesStep } from '../nn/input/fused.ts';
import type { Form } from '../nn/input/input-form.ts';
import type { LossName } from '../nn/losses.ts';
import { createWorkspace, type Parameters, parametersOver, type Workspace } from '../nn/network.ts';
import {
  type OptimizerChoice,
  type OptimizerState,
  optimizerOptions,
  optimizers,
  type ParameterGroup,
  parameterGroups,
} from '../nn/optimizers.ts';
import type { ScheduleChoice } from '../nn/schedules.ts';
import type { WeightAverage } from '../nn/weight-average.ts';
import { namedRandom, type Random } from '../random.ts';
import type { EpochLine } from '../results/journal.ts';
import type { Stopped } from '../results/summary.ts';
import { type Stage, scalingOf } from './stages.ts';
import { type Trainable, type TrainableOptions, trainableOf } from './trainable.ts';
import { type BestKeeper, type BestState, type CostWatch, type CostWatchState, costWatch, type EarlyStopping } from './watch.ts';

/** `parameters` are the first weights, and hold the result once the loop has ended. */
export interface FitOptions extends TrainableOptions {
  kernels: Kernels;
  /** of the first op; the same results in float64 (nn/input/choose.ts) */
  form: Form;
  /** the seed of shuffle, dropout and augmentation, each with a stream of its own */
  seed: number;
  epochs: number;
  batchSize: BatchSize;
  shuffle: Shuffle;
  loss: LossName;
  /** what an example of the negative and of the positive class counts */
  classWeights: readonly [number, number];
  /** what training takes for the labels 0 and 1; null where they stand for themselves. Metrics and dev keep the labels */
  softTargets: readonly [number, number] | null;
  optimizer: OptimizerChoice;
  /** one a layer */
  learningRates: readonly number[];
  /** what "auto" would have been: proposed where the rates turn out far too large */
  autoRate: number;
  /** multiplies the first layer's rate, input by input; null for none */
  featureLearningRates: Float64Array | null;
  schedule: ScheduleChoice;
  /** λ */
  l2: number;
  /** a bound on the norm of the whole gradient, or null */
  clipNorm: number | null;
  /** the decay of a moving average of the weights, which is then what is evaluated and kept; null for none */
  averageWeights: number | null;
  /** whether dev is answered with the mean of p of an image and of its mirror image */
  averageMirrored: boolean;
  /** α of Beta(α, α), from which the share of the other image is drawn for every batch; 0 where images are not mixed */
  mixup: number;
  augmentation: Augmentation;
  /** side of the pictures, for augmentation */
  imageSize: number;
  /** which epochs see smaller images, the first of them first */
  stages: readonly Stage[];
  earlyStopping: EarlyStopping | null;
  /** epochs between looks at dev and at the layers */
  evaluateEvery: number;
  /** whether events tell the norms of layers; absent for yes. In dual form they cost more than the steps */
  measuresNorms?: boolean;
  maxMinutes: number | null;
  /** p > threshold counts as positive in the accuracies */
  threshold: number;
}

/** All that a training carries from step to step. */
export interface Training {
  options: FitOptions;
  trainable: Trainable;
  /** examples a step */
  batchLength: number;
  workspace: Workspace;
  gradient: Parameters;
  optimizer: OptimizerState;
  /** of the parameters after each step; null where none is wanted */
  average: WeightAverage | null;
  /** what dev is evaluated with, and what the training gives in the end: the parameters themselves, or the mean that `average` comes to, as it was last
   *  read */
  evaluated: Parameters;
  /** what the optimizer moves where the first weights move with their gradient, and where they do not; the first is null where they never do */
  groups: { fused: readonly ParameterGroup[] | null; whole: readonly ParameterGroup[] };
  /** room for a batch of augmented pictures */
  augmented: Uint8Array | null;
  labels: Uint8Array;
  /** room for the steps with smaller images, one for each of `options.stages` */
  stages: readonly StageRoom[];
  /** room for a batch of mixed images and of their labels; null where none are mixed */
  mixed: { images: Uint8Array; labels: Uint8Array } | null;
  /** how a step's images are mixed */
  mixing(step: number, count: number): Mixing;
  /** whether there is dropout, and what draws a step's masks */
  drops: boolean;
  masks(step: number): Random;
  /** of each layer, after the schedule */
  rates: number[];
  /** ‖dW‖ and ‖ΔW‖ of each layer at the last step that measured them */
  gradientNorms: number[];
  updateNorms: number[];
  /** the last step: its examples, what the network was given, the room it took, and whether the first weights moved with their gradient */
  last: { indices: Int32Array; input: Batch | null; workspace: Workspace; network: Network; fused: boolean };
  /** the last parameters with which an epoch began well: finite, at a cost not far above the first */
  lastGood: Floats;
  watch: CostWatch;
}

/** What a step with smaller images takes. */
export interface StageRoom {
  stage: Stage;
  workspace: Workspace;
  scaling: InputScaling;
  /** a batch of images */
  images: Uint8Array;
}

/** Works on a copy of the parameters, where and in the form in which the kernels are fastest; what it made of them is in
 *  `options.parameters` once the work has ended, however it ends. */
export async function* withTraining<Event>(
  options: FitOptions,
  work: (training: Training) => AsyncGenerator<Event>,
): AsyncGenerator<Event> {
  const kernels = kernelsOf(options).scope();
  try {
    const trainable = trainableOf(options, kernels);
    try {
      yield* work(startTraining(options, trainable));
    } finally {
      trainable.form.write();
    }
  } finally {
    kernels.release();
  }
}

/** The dual form computes in float64 whatever the precision, and rounds once, at the end. */
export function kernelsOf({ form, kernels }: Pick<FitOptions, 'form' | 'kernels'>): Kernels {
  return form === 'dual' && kernels.precision !== 'float64' ? kernelsFor('float64', kernels.arithmetic) : kernels;
}

export function startTraining(options: FitOptions, trainable: Trainable): Training {
  const { form, train } = trainable;
  const { kernels, network, parameters, firstWeights: first } = form;
  const length = batchLength(options.batchSize, train.labels.length);
  const size = parameters.values.length;
  const { name } = options.optimizer;
  const moments = optimizers[name].moments.map(() => kernels.allocate(size));
  const optimizer = { name, options: optimizerOptions(options.optimizer), moments, t: 0 };
  const { averageWeights: decay } = options;
  const room = (inputs = options.network.inputs) => kernels.pin(new Uint8Array(length * inputs));
  const workspace = createWorkspace(network, kernels, length);
  const rates = { learningRates: options.learningRates, featureRates: options.featureLearningRates };
  // a bound on the norm of the whole gradient must see all of it first; and a rate of each feature's own is no kernel's
  const mayFuse = form.canFuse && options.clipNorm === null && options.featureLearningRates === null && fusesStep(optimizer);
  return {
    options,
    trainable,
    batchLength: length,
    workspace,
    gradient: parametersOver(network, kernels.allocate(size)),
    optimizer,
    average: decay === null ? null : { decay, values: kernels.allocate(size), steps: 0 },
    evaluated: decay === null ? parameters : parametersOver(network, kernels.allocate(size)),
    groups: {
      fused: mayFuse ? parameterGroups(rates, parameters, { first, except: first }) : null,
      whole: parameterGroups(rates, parameters, { first }),
    },
    augmented: augments(options.augmentation) ? room() : null,
    labels: new Uint8Array(length),
    stages: options.stages.map((stage) => ({
      stage,
      workspace: createWorkspace(stage.network, kernels, length),
      scaling: scalingOf(stage, options.scaling),
      images: room(stage.network.inputs),
    })),
    mixed: options.mixup > 0 ? { images: room(), labels: new Uint8Array(length) } : null,
    mixing: (step, count) => drawMixing(namedRandom(options.seed, 'mixup', step), options.mixup, count),
    drops: opsOf(network).some(({ drops }) => drops),
    masks: (step) => namedRandom(options.seed, 'dropout', step),
    rates: [...options.learningRates],
    gradientNorms: weightedLayers(network).map(() => 0),
    updateNorms: weightedLayers(network).map(() => 0),
    last: { indices: new Int32Array(), input: null, workspace, network, fused: false },
    lastGood: parameters.values.slice(),
    watch: costWatch(),
  };
}

/** What the steps of an epoch add up to. */
export interface EpochTotals {
  cost: number;
  l2Cost: number;
  correct: number;
  batches: number;
  examples: number;
}

/**
 * All that a training carries from one step to the next, but for what its options say again: those of the run that it came
 * from. Random streams need none of it: each is named by the seed and an epoch, step or example (random.ts).
 */
export interface TrainingState {
  /** JSON keeps every number of it */
  progress: Progress;
  /** copies in the kernels' precision, laid out like the parameters of the form: `parameters`, `good`, with early stopping
   *  `best`, with averaged weights `average`, and the optimizer's `optimizer.0`, `optimizer.1` */
  buffers: Record<string, Floats>;
}

export interface Progress {
  /** of the first layer: parameters of the one form mean nothing in the other */
  form: Form;
  /** the epoch of the next step, from 1; of a training that has ended, the one after its last */
  epoch: number;
  /** steps taken: the optimizer's t */
  steps: number;
  /** of the epoch so far */
  sums: EpochTotals;
  /** of training */
  seconds: number;
  watch: CostWatchState;
  /** with early stopping */
  best: BestState | null;
  /** steps in the moving average of the weights, which is the buffer `average`; null where there is none, absent in a checkpoint of version 1 */
  average?: { steps: number } | null;
  /** of a training that has ended: its last event. What the end alone caused to be looked at is in no other field, so that
   *  the training may go on for more epochs as if it had never ended. */
  ended: EpochEvent | null;
}

/** A sign of life within an epoch that takes long. */
export interface StepEvent {
  type: 'step';
  /** epochs done, with the share of the present one */
  progress: number;
}

/** What an epoch did: a line of the journal, and how the training goes on. Epochs count from 1. */
export interface EpochEvent extends EpochLine {
  type: 'epoch';
  /** with early stopping the epoch of the least dev cost so far, else this one */
  bestEpoch: number;
  /** why this is the last epoch, if it is */
  stopped: Exclude<Stopped, 'interrupted'> | null;
}

/** What a later process needs to go on from here to the same bits: after a step or epoch for which `shouldCheckpoint` asks, and
 *  once before the last epoch's event, for whoever asks at all. */
export interface StateEvent {
  type: 'state';
  state: TrainingState;
}

export type FitEvent = StepEvent | EpochEvent | StateEvent;

/** Of an epoch that has not begun. Made anew each time: spreading a constant would take as long as a step of the dual form. */
export const newTotals = (): EpochTotals => ({ cost: 0, l2Cost: 0, correct: 0, batches: 0, examples: 0 });

/** @param best  what the keeper of the best weights was before a look that the end alone caused; else what it is */
export function takeState(
  training: Training,
  at: Pick<Progress, 'epoch' | 'sums' | 'seconds' | 'ended'>,
  best: ReturnType<BestKeeper['take']> | null,
): TrainingState {
  const buffers: Record<string, Floats> = {
    parameters: training.trainable.form.parameters.values.slice(),
    good: training.lastGood.slice(),
  };
  for (const [i, slot] of training.optimizer.moments.entries()) buffers[`optimizer.${i}`] = slot.slice();
  if (best) buffers['best'] = best.weights;
  if (training.average) buffers['average'] = training.average.values.slice();
  const progress: Progress = {
    form: training.options.form,
    epoch: at.epoch,
    steps: training.optimizer.t,
    sums: { ...at.sums },
    seconds: at.seconds,
    watch: training.watch.state(),
    best: best?.state ?? null,
    average: training.average && { steps: training.average.steps },
    ended: at.ended,
  };
  return { progress, buffers };
}

/** Puts a state into a run that has just been made from the same options.
 *  @throws UserError (model) where it is a state of something else */
export function putState(training: Training, best: BestKeeper | null, { progress, buffers }: TrainingState): void {
  const of = (name: string) => {
    const [found, expected] = [buffers[name], training.lastGood];
    if (found?.length === expected.length && found.constructor === expected.constructor) return found;
    const kind = found === undefined ? 'none' : `${found.length} of the kind ${found.constructor.name}`;
    throw new UserError(
      'model',
      `${name}: expected ${expected.length} numbers of the kind ${expected.constructor.name}, found ${kind}`,
    );
  };
  training.trainable.form.parameters.values.set(of('parameters'));
  training.lastGood.set(of('good'));
  for (const [i, slot] of training.optimizer.moments.entries()) slot.set(of(`optimizer.${i}`));
  training.optimizer.t = progress.steps;
  if (training.average) {
    training.average.values.set(of('average'));
    training.average.steps = progress.average?.steps ?? progress.steps;
  }
  training.watch.put(progress.watch);
  if (best && progress.best) best.put({ state: progress.best, weights: of('best') });
}
