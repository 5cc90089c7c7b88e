import { type Augmentation, augmentBatch, augments } from '../data/augment.ts';
import { type BatchSize, batchLength } from '../data/batches.ts';
import type { Shuffle } from '../data/shuffle.ts';
import { log } from '../elementary.ts';
import type { Floats, Kernels, Rows, StepFacts } from '../kernels/kernels.ts';
import { kernelsFor } from '../kernels/select.ts';
import { moveAverages } from '../model/batch-norm.ts';
import type { Form } from '../model/forms.ts';
import { createWorkspace, type Pass, type Workspace } from '../model/forward.ts';
import { addL2Gradient, l2Cost } from '../model/l2.ts';
import type { LossName } from '../model/losses.ts';
import { type Parameters, parametersOver, type Segment } from '../model/network.ts';
import { costAndGradient, piecesOf } from '../model/pieces.ts';
import {
  averagesOf,
  move,
  moveBy,
  type OptimizerChoice,
  type OptimizerOptions,
  optimizerOptions,
  optimizers,
  type Step,
} from '../optimize/optimizers.ts';
import { type ScheduleChoice, scheduledRate } from '../optimize/schedules.ts';
import { namedRandom } from '../random.ts';
import { brokenLayer, brokenSegment, type CostWatch, costWatch, DivergedError, segmentNorm, smallerRate } from './divergence.ts';
import { dualProblem } from './dual.ts';
import type { EarlyStopping } from './early-stopping.ts';
import { directProblem, type Problem, type ProblemOptions } from './problem.ts';

/** `parameters` are the first weights, and hold the result once the loop has ended. */
export interface FitOptions extends ProblemOptions {
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
  /** multiplies the first layer's rate, input by input; null for none */
  rateByFeature: Float64Array | null;
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
export interface Run {
  options: FitOptions;
  problem: Problem;
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
  stretches: { fused: readonly Stretch[]; whole: readonly Stretch[] };
  /** room for a batch of augmented pictures */
  augmented: Uint8Array | null;
  labels: Uint8Array;
  dropout: boolean;
  steps: number;
  /** of each layer, after the schedule */
  rates: number[];
  /** ‖dW‖ and ‖ΔW‖ of each layer at the last step that measured them */
  gradientNorms: number[];
  updateNorms: number[];
  lastIndices: Int32Array;
  lastInput: Rows | null;
  lastCount: number;
  /** the last parameters with which an epoch began well: finite, at a cost not far above the first */
  good: Floats;
  watch: CostWatch;
}

/** Works on a copy of the parameters, where and in the form in which the kernels are fastest; what it made of them is in
 *  `options.parameters` once the work has ended, however it ends. */
export async function* withRun<Event>(options: FitOptions, work: (run: Run) => AsyncGenerator<Event>): AsyncGenerator<Event> {
  const kernels = kernelsOf(options).scope();
  try {
    const problem = problemOf(options, kernels);
    try {
      yield* work(startRun(options, problem));
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

export function problemOf(options: FitOptions, kernels: Kernels): Problem {
  return options.form === 'dual' ? dualProblem(options, kernels) : directProblem(options, kernels);
}

function startRun(options: FitOptions, problem: Problem): Run {
  const { network, kernels, parameters, train } = problem;
  const batch = batchLength(options.batchSize, train.labels.length);
  const size = parameters.values.length;
  return {
    options,
    problem,
    batch,
    workspace: createWorkspace(network, kernels, batch),
    gradient: parametersOver(network, kernels.floats(size)),
    rule: optimizerOptions(options.optimizer),
    state: Array.from({ length: optimizers[options.optimizer.name].slots }, () => kernels.floats(size)),
    // a bound on the norm of the whole gradient must see all of it first; and a rate of each feature's own is no kernel's
    mayFuse: options.form === 'direct' && options.clipNorm === null && options.rateByFeature === null,
    fused: false,
    stretches: { fused: stretchesOf(options, parameters, true), whole: stretchesOf(options, parameters, false) },
    augmented: augments(options.augmentation) ? kernels.resident(new Uint8Array(batch * options.network.inputs)) : null,
    labels: new Uint8Array(batch),
    dropout: network.layers.some(({ keepProb }) => keepProb < 1),
    steps: 0,
    rates: [...options.learningRates],
    gradientNorms: network.layers.map(() => 0),
    updateNorms: network.layers.map(() => 0),
    lastIndices: new Int32Array(),
    lastInput: null,
    lastCount: 0,
    good: parameters.values.slice(),
    watch: costWatch(),
  };
}

/** What the steps of an epoch add up to. */
export interface Sums {
  cost: number;
  l2Cost: number;
  correct: number;
  batches: number;
  examples: number;
}

export interface StepOptions {
  epoch: number;
  /** whether ‖dW‖ and ‖ΔW‖ are wanted */
  norms: boolean;
}

/** Forward, backward, update, for one batch.
 *  @throws DivergedError where cost or gradient are not finite; the last good weights are put back */
export function takeStep(run: Run, indices: Int32Array, { epoch, norms }: StepOptions, sums: Sums): void {
  const { options, problem, workspace, gradient, labels } = run;
  const { network, parameters, kernels, train } = problem;
  const { loss, classWeights, learningRates, schedule } = options;
  const count = indices.length;
  run.steps++;
  run.rates = learningRates.map((rate) => scheduledRate(rate, schedule, epoch - 1, options.epochs));
  run.lastIndices = indices;
  run.lastCount = count;
  for (let i = 0; i < count; i++) labels[i] = train.labels[indices[i]!]!;
  const masks = run.dropout ? namedRandom(options.seed, 'dropout', run.steps) : null;
  const input = batchRows(run, indices, epoch);
  run.lastInput = input;
  const pass: Pass = { network, parameters, kernels, workspace, input, mode: { kind: 'training', masks } };
  const pieces = piecesOf(pass);
  run.fused = run.mayFuse && pieces.length === 1;
  const down = run.fused ? 1 : 0;
  const cost = costAndGradient(pass, { loss, labels, classWeights }, gradient, { pieces, down });
  const logits = workspace.layers[network.layers.length - 1]!.z.subarray(0, count);
  sums.cost += cost * count;
  sums.correct += countCorrect(logits, labels, options.threshold);
  sums.batches++;
  sums.examples += count;
  refuseBrokenCost(run, cost, epoch);
  if (sums.batches === 1 && !run.watch.isAbove(cost)) run.good.set(parameters.values);
  const lambda = options.l2 / train.labels.length;
  const first = run.fused ? stepFirstWeights(run, input, lambda, norms) : null;
  if (lambda > 0) {
    sums.l2Cost += l2Cost(parameters, lambda, kernels, first?.squares?.weights);
    addL2Gradient(parameters, lambda, gradient, kernels, down);
  }
  refuseBrokenGradient(run, first?.finite ?? true, epoch);
  clip(gradient, options.clipNorm, kernels);
  if (norms) {
    run.gradientNorms = network.layers.map((_, layer) =>
      layer === 0 && run.fused ? Math.sqrt(first!.squares!.gradient) : weightsNorm(problem, gradient, layer),
    );
  }
  for (const [l, { norm }] of parameters.layers.entries()) if (norm) moveAverages(norm, workspace.layers[l]!.statistics!, count);
  update(run, norms);
  if (norms && run.fused) run.updateNorms[0] = run.rates[0]! * Math.sqrt(first!.squares!.direction);
}

/** The first layer's W, in one with its gradient. */
function stepFirstWeights(run: Run, input: Rows, lambda: number, norms: boolean): StepFacts {
  const { options, problem, workspace, rule, state, steps: t } = run;
  const { name } = options.optimizer;
  const { length } = problem.parameters.segments[0]!;
  return problem.kernels.stepWeights({
    input,
    dZ: workspace.layers[0]!.dZ,
    units: problem.network.layers[0]!.units,
    weights: problem.parameters.layers[0]!.weights,
    ...averagesOf(name, state, 0, length),
    ...optimizers[name].numbers(rule, t),
    rate: run.rates[0]!,
    decay: lambda,
    wantsNorms: norms || lambda > 0,
  });
}

/** ‖W[l]‖ of parameters, or of a gradient laid out like them. */
export function weightsNorm(problem: Problem, parameters: Parameters, layer: number): number {
  if (layer === 0) return Math.sqrt(problem.firstSquaredNorm(parameters.layers[0]!.weights));
  return segmentNorm(parameters, parameters.segments.find((segment) => segment.decayed && segment.layer === layer)!);
}

/** σ(z) > threshold exactly where z > ln(threshold / (1 − threshold)). */
export function countCorrect(logits: ArrayLike<number>, labels: Uint8Array, threshold: number): number {
  const bound = log(threshold / (1 - threshold));
  let correct = 0;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > bound === (labels[i] === 1)) correct++;
  return correct;
}

/** The last good weights are put back; the bad step is named. Where no tensor is to blame, that of the largest gradient is. */
export function diverged(run: Run, epoch: number, what: string, blamed?: Segment): DivergedError {
  const { options, problem, gradient, good, steps, lastIndices } = run;
  const { values, segments } = problem.parameters;
  if (!blamed) completeGradient(run);
  values.set(good);
  const size = (segment: Segment) => {
    const norm = segmentNorm(gradient, segment);
    return Number.isNaN(norm) ? Number.POSITIVE_INFINITY : norm;
  };
  const { layer, name } = blamed ?? segments.reduce((a, b) => (size(b) > size(a) ? b : a));
  return new DivergedError({
    epoch,
    step: steps,
    layer: layer + 1,
    tensor: name,
    learningRate: options.learningRates[layer]!,
    proposedRate:
      new Set(options.learningRates).size === 1 ? smallerRate(options.learningRates[0]!) : options.learningRates.map(smallerRate),
    what,
    examples: [...lastIndices],
  });
}

/** @throws DivergedError before the weights are touched */
function refuseBrokenCost(run: Run, cost: number, epoch: number): void {
  if (Number.isFinite(cost)) return;
  const { problem, workspace, lastCount } = run;
  const layer = brokenLayer(workspace, problem.network, lastCount);
  const weights = problem.parameters.segments.find((segment) => segment.decayed && segment.layer === layer);
  throw diverged(run, epoch, `the cost is ${cost}`, weights);
}

/** @param firstIsFinite  what a step that was made in one with its gradient says of it
 *  @throws DivergedError */
function refuseBrokenGradient(run: Run, firstIsFinite: boolean, epoch: number): void {
  const { problem, gradient, fused } = run;
  const seen = fused ? gradient.values.subarray(problem.parameters.segments[0]!.length) : gradient.values;
  // one pass says that all is well; only where it is not does it matter where
  if (firstIsFinite && Number.isFinite(problem.kernels.squaredNorm(seen))) return;
  completeGradient(run);
  const broken = brokenSegment(gradient) ?? (firstIsFinite ? undefined : gradient.segments[0]);
  if (broken) throw diverged(run, epoch, 'its gradient is not finite', broken);
}

/** The first layer's gradient of the last step, where nobody has seen it yet (without L2's share). */
function completeGradient({ problem, workspace, gradient, fused, lastInput }: Run): void {
  if (!fused || lastInput === null) return;
  const { units } = problem.network.layers[0]!;
  const { dZ } = workspace.layers[0]!;
  problem.kernels.backwardWeights({ input: lastInput, dZ, units, out: gradient.layers[0]!.weights });
}

/** The batch as the kernels take it: rows of the training part, or freshly augmented ones. */
function batchRows({ options, problem, augmented, batch }: Run, indices: Int32Array, epoch: number): Rows {
  const { map, network, augmentation, imageSize: side, seed } = options;
  const count = indices.length;
  const full = batch === problem.train.labels.length; // in the order of the examples: no need to look up
  const rows = problem.train.rows(full ? null : indices, count);
  if (!augmented || rows.kind !== 'bytes') return rows;
  augmentBatch(rows.bytes, indices, augmented, { augmentation, side, seed, epoch, places: rows.indices ?? indices });
  return { kind: 'bytes', bytes: augmented, indices: null, count, features: network.inputs, map };
}

/** Neighbouring parameters that the optimizer moves at one rate: each piece of its own costs a call of the kernels. */
interface Stretch {
  start: number;
  end: number;
  /** whose rate it is */
  layer: number;
  /** what multiplies the rate for each column of W, or null */
  byColumn: Float64Array | null;
}

/** What `update` is to move: all but moving averages, and but the first W where that moves with its gradient. */
function stretchesOf({ learningRates, rateByFeature }: FitOptions, { segments }: Parameters, fuses: boolean): Stretch[] {
  const stretches: Stretch[] = [];
  for (const { trained, decayed, layer, offset: start, length } of segments) {
    if (!trained || (fuses && start === 0)) continue;
    const byColumn = decayed && layer === 0 ? rateByFeature : null;
    const last = stretches.at(-1);
    const joins = last?.end === start && !last.byColumn && !byColumn && learningRates[last.layer] === learningRates[layer];
    if (joins) last.end += length;
    else stretches.push({ start, end: start + length, layer, byColumn });
  }
  return stretches;
}

/** Turns the gradient into a step and takes it, each layer at its rate. */
function update(run: Run, norms: boolean): void {
  const { options, problem, rule, gradient, state, rates, steps: t } = run;
  const stretches = run.fused ? run.stretches.fused : run.stretches.whole;
  const { kernels, parameters } = problem;
  const { name } = options.optimizer;
  for (const { start, end, layer, byColumn } of stretches) {
    const learningRate = rates[layer]!;
    const step: Step = { gradient: gradient.values, state, start, end, t };
    if (byColumn === null) moveBy(kernels, name, step, { ...rule, values: parameters.values, learningRate });
    else {
      optimizers[name].direct(step, rule);
      run.updateNorms[layer] = Math.sqrt(move(parameters.values, step.gradient, { start, end, learningRate, byColumn }));
    }
  }
  if (norms) measureUpdates(run);
}

/** ‖ΔW‖ of each layer, from the directions that the optimizer left in the gradient. */
function measureUpdates({ options, problem, gradient, rates, gradientNorms, updateNorms, fused }: Run): void {
  const { slots } = optimizers[options.optimizer.name];
  for (const { decayed, layer, offset, length } of gradient.segments) {
    if (!decayed || (layer === 0 && (fused || options.rateByFeature !== null))) continue; // these are known already
    const direction = gradient.values.subarray(offset, offset + length);
    // in dual form the step in W1 is that of its coefficients times V, and no rate differs by feature
    const norm = () => (layer === 0 ? weightsNorm(problem, gradient, 0) : Math.sqrt(problem.kernels.squaredNorm(direction)));
    updateNorms[layer] = rates[layer]! * (slots === 0 ? gradientNorms[layer]! : norm()); // nothing remembered: along dW itself
  }
}

/** Shrinks a gradient that is longer than the bound to the bound. */
function clip({ values, segments }: Parameters, bound: number | null, kernels: Kernels): void {
  if (bound === null) return;
  let squares = 0;
  for (const { trained, offset, length } of segments) {
    if (trained) squares += kernels.squaredNorm(values.subarray(offset, offset + length));
  }
  const factor = bound / Math.sqrt(squares);
  if (factor < 1) for (let i = 0; i < values.length; i++) values[i] = values[i]! * factor;
}
