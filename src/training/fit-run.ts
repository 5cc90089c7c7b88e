import { type Augmentation, augments } from '../data/augment.ts';
import { type BatchSize, batchLength, type Shuffle } from '../data/batches.ts';

import type { Batch, Floats, Kernels } from '../kernels/kernels.ts';
import { kernelsFor } from '../kernels/select.ts';
import type { Form } from '../model/forms.ts';
import { createWorkspace, type Workspace } from '../model/forward.ts';
import type { LossName } from '../model/losses.ts';
import { type Parameters, parametersOver } from '../model/network.ts';
import { type OptimizerChoice, type OptimizerOptions, optimizerOptions, optimizers } from '../optimize/optimizers.ts';
import type { ScheduleChoice } from '../optimize/schedules.ts';
import { namedRandom, type Random } from '../random.ts';
import { type CostWatch, costWatch } from './divergence.ts';
import { dualTrainable } from './dual.ts';
import type { EarlyStopping } from './early-stopping.ts';
import { directTrainable, type Trainable, type TrainableOptions } from './problem.ts';
import { type ParameterGroup, parameterGroups } from './stretches.ts';

/** `parameters` are the first weights, and hold the result once the loop has ended. */
export interface FitOptions extends TrainableOptions {
  kernels: Kernels;
  /** of the first layer; the same results in float64 (form.ts) */
  form: Form;
  /** the seed of shuffle, dropout and augmentation, each with a stream of its own */
  seed: number;
  epochs: number;
  batchSize: BatchSize;
  shuffle: Shuffle;
  loss: LossName;
  /** what an example of the negative and of the positive class counts */
  classWeights: readonly [number, number];
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
  augmentation: Augmentation;
  /** side of the pictures, for augmentation */
  imageSize: number;
  earlyStopping: EarlyStopping | null;
  /** epochs between looks at dev and at the layers */
  evaluateEvery: number;
  maxMinutes: number | null;
  /** p > threshold counts as positive in the accuracies */
  threshold: number;
}

/** All that a training carries from step to step. */
export interface Training {
  options: FitOptions;
  trainable: Trainable;
  /** examples a step */
  batch: number;
  workspace: Workspace;
  gradient: Parameters;
  rule: OptimizerOptions;
  state: Floats[];
  /** whether the first layer's gradient may be applied as it is made, and never be seen as a whole; and whether the last step did so */
  mayFuse: boolean;
  fused: boolean;
  /** what the optimizer then moves, by whether it did */
  parameterGroups: { fused: readonly ParameterGroup[]; whole: readonly ParameterGroup[] };
  /** room for a batch of augmented pictures */
  augmented: Uint8Array | null;
  labels: Uint8Array;
  dropout: boolean;
  /** what draws a step's dropout masks */
  masks(step: number): Random;
  steps: number;
  /** of each layer, after the schedule */
  rates: number[];
  /** ‖dW‖ and ‖ΔW‖ of each layer at the last step that measured them */
  gradientNorms: number[];
  updateNorms: number[];
  lastIndices: Int32Array;
  lastInput: Batch | null;
  lastCount: number;
  /** the last parameters with which an epoch began well: finite, at a cost not far above the first */
  lastGood: Floats;
  watch: CostWatch;
}

/** Works on a copy of the parameters, where and in the form in which the kernels are fastest; what it made of them is in
 *  `options.parameters` once the work has ended, however it ends. */
export async function* withTraining<Event>(
  options: FitOptions,
  work: (run: Training) => AsyncGenerator<Event>,
): AsyncGenerator<Event> {
  const kernels = kernelsOf(options).scope();
  try {
    const problem = trainableOf(options, kernels);
    try {
      yield* work(startTraining(options, problem));
    } finally {
      problem.write();
    }
  } finally {
    kernels.release();
  }
}

/** The dual form computes in float64 whatever the precision, and rounds once, at the end. */
export function kernelsOf({ form, kernels }: FitOptions): Kernels {
  return form === 'dual' && kernels.precision !== 'float64' ? kernelsFor('float64', kernels.arithmetic) : kernels;
}

export function trainableOf(options: FitOptions, kernels: Kernels): Trainable {
  return options.form === 'dual' ? dualTrainable(options, kernels) : directTrainable(options, kernels);
}

export function startTraining(options: FitOptions, problem: Trainable): Training {
  const { network, kernels, parameters, train } = problem;
  const batch = batchLength(options.batchSize, train.labels.length);
  const size = parameters.values.length;
  return {
    options,
    trainable: problem,
    batch,
    workspace: createWorkspace(network, kernels, batch),
    gradient: parametersOver(network, kernels.allocate(size)),
    rule: optimizerOptions(options.optimizer),
    state: Array.from({ length: optimizers[options.optimizer.name].slots }, () => kernels.allocate(size)),
    // a bound on the norm of the whole gradient must see all of it first; and a rate of each feature's own is no kernel's
    mayFuse: options.form === 'direct' && options.clipNorm === null && options.featureLearningRates === null,
    fused: false,
    parameterGroups: { fused: parameterGroups(options, parameters, true), whole: parameterGroups(options, parameters, false) },
    augmented: augments(options.augmentation) ? kernels.pin(new Uint8Array(batch * options.network.inputs)) : null,
    labels: new Uint8Array(batch),
    dropout: network.layers.some(({ keepProb }) => keepProb < 1),
    masks: (step) => namedRandom(options.seed, 'dropout', step),
    steps: 0,
    rates: [...options.learningRates],
    gradientNorms: network.layers.map(() => 0),
    updateNorms: network.layers.map(() => 0),
    lastIndices: new Int32Array(),
    lastInput: null,
    lastCount: 0,
    lastGood: parameters.values.slice(),
    watch: costWatch(),
  };
}
