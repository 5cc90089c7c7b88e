import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Augmentation, augmentBatch, augments } from '../data/augment.ts';
import { type BatchSize, batchLength, epochBatches } from '../data/batches.ts';
import { log } from '../elementary.ts';
import type { ByteRows, Floats, InputMap, Kernels } from '../kernels/kernels.ts';
import { backward, lossGradient } from '../model/backward.ts';
import { moveAverages } from '../model/batch-norm.ts';
import { createWorkspace, forward, inference, type Pass, type Workspace } from '../model/forward.ts';
import { addL2Gradient, l2Cost } from '../model/l2.ts';
import { type LossName, losses } from '../model/losses.ts';
import { type Network, type Parameters, parametersOver, type Segment } from '../model/network.ts';
import { move, type OptimizerChoice, type OptimizerOptions, optimizerOptions, optimizers } from '../optimize/optimizers.ts';
import { type ScheduleChoice, scheduledRate } from '../optimize/schedules.ts';
import { namedRandom } from '../random.ts';
import { brokenLayer, brokenSegment, type CostWatch, costWatch, DivergedError, segmentNorm, smallerRate } from './divergence.ts';
import { type EarlyStopping, keepBest } from './early-stopping.ts';
import { type LayerNorms, layerNorms, weightNorm } from './layer-norms.ts';

/** The pictures of a part as the kernels take them. */
export interface FitPart {
  /** [m, n_x] */
  pixels: Uint8Array;
  labels: Uint8Array;
}

export interface FitOptions {
  network: Network;
  /** the first weights; they are moved in place, and hold the result at the end */
  parameters: Parameters;
  kernels: Kernels;
  map: InputMap;
  train: FitPart;
  dev: FitPart | null;
  /** the seed of shuffle, dropout and augmentation, each with a stream of its own */
  seed: number;
  epochs: number;
  batchSize: BatchSize;
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

/** A sign of life within an epoch that takes long. */
export interface StepEvent {
  type: 'step';
  /** epochs done, with the share of the present one */
  progress: number;
}

/** What an epoch did: a line of the journal. Epochs count from 1. */
export interface EpochEvent {
  type: 'epoch';
  epoch: number;
  /** the mean over the epoch's batches, each before its own update and as trained, without L2 */
  cost: number;
  /** (λ/2m) Σ‖W‖², the mean over the batches */
  l2Cost: number;
  train: { accuracy: number };
  /** in inference mode after the epoch's updates; null where this epoch was not looked at */
  dev: { cost: number; accuracy: number } | null;
  /** the first layer's, after the schedule */
  learningRate: number;
  /** since the start */
  seconds: number;
  /** of the epoch's last step; null where this epoch was not looked at */
  layers: LayerNorms[] | null;
  /** with early stopping the epoch of the least dev cost so far, else this one */
  bestEpoch: number;
  /** why this is the last epoch, if it is */
  stopped: 'finished' | 'early' | 'time' | null;
}

export type FitEvent = StepEvent | EpochEvent;

/** Between two turns of the event loop, so that Ctrl-C is heard. */
const turnMilliseconds = 100;

/**
 * Trains in place, an event an epoch; whoever listens draws, saves, or stops by leaving the loop. However it ends, the
 * parameters are the best (with early stopping), else the last; after a divergence the last good ones.
 * @throws DivergedError naming step, layer and rate
 */
export function fit(options: FitOptions): AsyncGenerator<FitEvent> {
  return inFitScope(options, fitInScope);
}

/** Runs work on a copy of the parameters where the kernels work fastest; what it made of them comes back at its end. */
export async function* inFitScope<Event>(
  options: FitOptions,
  work: (options: FitOptions) => AsyncGenerator<Event>,
): AsyncGenerator<Event> {
  const kernels = options.kernels.scope();
  const place = (part: FitPart) => ({ ...part, pixels: kernels.resident(part.pixels) });
  const parameters = parametersOver(options.network, kernels.floats(options.parameters.values.length));
  parameters.values.set(options.parameters.values);
  try {
    yield* work({ ...options, kernels, parameters, train: place(options.train), dev: options.dev && place(options.dev) });
  } finally {
    options.parameters.values.set(parameters.values);
    kernels.release();
  }
}

async function* fitInScope(options: FitOptions): AsyncGenerator<FitEvent> {
  const { train, dev, epochs, evaluateEvery, parameters } = options;
  const run = startRun(options);
  const m = train.labels.length;
  const best = options.earlyStopping && keepBest(parameters.values, options.earlyStopping);
  const started = performance.now();
  let turned = started;
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const sums = { cost: 0, l2Cost: 0, correct: 0, batches: 0, examples: 0 };
      for (const indices of epochBatches(m, run.batch, options.seed, epoch)) {
        takeStep(run, indices, epoch, sums);
        if (performance.now() - turned > turnMilliseconds) {
          await nextTurn();
          turned = performance.now();
          if (sums.examples < m) yield { type: 'step', progress: epoch - 1 + sums.examples / m };
        }
      }
      const cost = sums.cost / m;
      if (run.watch.endsWith(cost))
        throw diverged(run, epoch, `the cost is ${cost.toPrecision(3)}, far above its start, for many epochs`);
      const broken = brokenSegment(parameters);
      if (broken) throw diverged(run, epoch, 'it holds a number that is not finite', broken);
      const last = epoch === epochs;
      const passed = () => (performance.now() - started) / 1000;
      const timeEnds = options.maxMinutes !== null && passed() >= options.maxMinutes * 60;
      const looks = epoch % evaluateEvery === 0 || last || timeEnds;
      const devNow = looks && dev ? lookAt(dev, options, run.devWorkspace!) : null;
      const patienceEnds = (best && devNow && best.look(epoch, devNow.cost)) ?? false;
      const seconds = passed();
      const stopped = patienceEnds ? 'early' : last ? 'finished' : timeEnds ? 'time' : null;
      yield {
        type: 'epoch',
        epoch,
        cost,
        l2Cost: sums.l2Cost / sums.batches,
        train: { accuracy: sums.correct / m },
        dev: devNow,
        learningRate: run.rates[0]!,
        seconds,
        layers: looks
          ? layerNorms(options.network, parameters, {
              workspace: run.workspace,
              count: run.lastCount,
              gradientNorms: run.gradientNorms,
              updateNorms: run.updateNorms,
            })
          : null,
        bestEpoch: best ? best.bestEpoch : epoch,
        stopped,
      };
      if (stopped !== null) return;
    }
  } finally {
    if (best && best.bestEpoch > 0) best.restore();
  }
}

/** All that a training carries from step to step. */
export interface Run {
  options: FitOptions;
  batch: number;
  workspace: Workspace;
  devWorkspace: Workspace | null;
  gradient: Parameters;
  rule: OptimizerOptions;
  state: Floats[];
  /** room for a batch of augmented pictures */
  augmented: Uint8Array | null;
  labels: Uint8Array;
  dropout: boolean;
  steps: number;
  rates: number[];
  gradientNorms: number[];
  updateNorms: number[];
  lastIndices: Int32Array;
  lastCount: number;
  /** the last parameters with which an epoch began well: finite, at a cost not far above the first */
  good: Floats;
  watch: CostWatch;
}

export function startRun(options: FitOptions): Run {
  const { network, parameters, kernels, train, dev, optimizer } = options;
  const batch = batchLength(options.batchSize, train.labels.length);
  const size = parameters.values.length;
  return {
    options,
    batch,
    workspace: createWorkspace(network, kernels, batch),
    devWorkspace: dev && createWorkspace(network, kernels, Math.min(lookChunk, dev.labels.length)),
    gradient: parametersOver(network, kernels.floats(size)),
    rule: optimizerOptions(optimizer),
    state: Array.from({ length: optimizers[optimizer.name].slots }, () => kernels.floats(size)),
    augmented: augments(options.augmentation) ? new Uint8Array(batch * network.inputs) : null,
    labels: new Uint8Array(batch),
    dropout: network.layers.some(({ keepProb }) => keepProb < 1),
    steps: 0,
    rates: [...options.learningRates],
    gradientNorms: network.layers.map(() => 0),
    updateNorms: network.layers.map(() => 0),
    lastIndices: new Int32Array(),
    lastCount: 0,
    good: parameters.values.slice(),
    watch: costWatch(),
  };
}

export interface Sums {
  cost: number;
  l2Cost: number;
  correct: number;
  batches: number;
  examples: number;
}

/** Forward, backward, update, for one batch. @throws DivergedError before the weights are touched */
export function takeStep(run: Run, indices: Int32Array, epoch: number, sums: Sums): void {
  const { options, workspace, gradient, labels } = run;
  const { network, parameters, kernels, loss, classWeights, train } = options;
  const count = indices.length;
  run.steps++;
  run.lastIndices = indices;
  run.lastCount = count;
  for (let i = 0; i < count; i++) labels[i] = train.labels[indices[i]!]!;
  const masks = run.dropout ? namedRandom(options.seed, 'dropout', run.steps) : null;
  const pass: Pass = {
    network,
    parameters,
    kernels,
    workspace,
    input: batchRows(run, indices, epoch),
    mode: { kind: 'training', masks },
  };
  const logits = forward(pass);
  const cost = lossGradient(pass, { loss, labels, classWeights });
  sums.cost += cost * count;
  sums.correct += countCorrect(logits, labels, options.threshold);
  sums.batches++;
  sums.examples += count;
  backward(pass, gradient);
  const lambda = options.l2 / train.labels.length;
  if (lambda > 0) {
    sums.l2Cost += l2Cost(parameters, lambda);
    addL2Gradient(parameters, lambda, gradient);
  }
  if (!Number.isFinite(cost)) {
    const layer = brokenLayer(workspace, network, count);
    const weights = parameters.segments.find((segment) => segment.decayed && segment.layer === layer);
    throw diverged(run, epoch, `the cost is ${cost}`, weights);
  }
  const broken = brokenSegment(gradient);
  if (broken) throw diverged(run, epoch, 'its gradient is not finite', broken);
  if (sums.batches === 1 && !run.watch.isAbove(cost)) run.good.set(parameters.values);
  clip(gradient, options.clipNorm);
  for (const l of network.layers.keys()) run.gradientNorms[l] = weightNorm(gradient, l);
  for (const [l, { norm }] of parameters.layers.entries()) if (norm) moveAverages(norm, workspace.layers[l]!.statistics!, count);
  update(run, epoch);
}

/** The batch as the kernels take it: rows of the training part, or freshly augmented ones. */
function batchRows({ options, augmented, batch }: Run, indices: Int32Array, epoch: number): ByteRows {
  const { train, map, network, augmentation, imageSize, seed } = options;
  const count = indices.length;
  if (augmented) {
    augmentBatch(train.pixels, indices, augmented, { augmentation, side: imageSize, seed, epoch });
    return { kind: 'bytes', bytes: augmented, indices: null, count, features: network.inputs, map };
  }
  const full = batch === train.labels.length; // in the order of the examples: no need to look up
  return { kind: 'bytes', bytes: train.pixels, indices: full ? null : indices, count, features: network.inputs, map };
}

/** Turns the gradient into a step and takes it, layer by layer at that layer's rate. */
function update(run: Run, epoch: number): void {
  const { options, gradient, state, rule, steps: t } = run;
  const { parameters, optimizer, learningRates, schedule, epochs, rateByFeature } = options;
  run.rates = learningRates.map((rate) => scheduledRate(rate, schedule, epoch - 1, epochs));
  for (const { trained, decayed, layer, offset: start, length } of parameters.segments) {
    if (!trained) continue;
    const end = start + length;
    optimizers[optimizer.name].direct({ gradient: gradient.values, state, start, end, t }, rule);
    const byColumn = decayed && layer === 0 ? rateByFeature : null;
    const squares = move(parameters.values, gradient.values, { start, end, learningRate: run.rates[layer]!, byColumn });
    if (decayed) run.updateNorms[layer] = Math.sqrt(squares);
  }
}

/** Shrinks a gradient that is longer than the bound to the bound. */
function clip({ values, segments }: Parameters, bound: number | null): void {
  if (bound === null) return;
  let squares = 0;
  for (const { trained, offset, length } of segments) {
    if (trained) for (let i = offset; i < offset + length; i++) squares += values[i]! * values[i]!;
  }
  const factor = bound / Math.sqrt(squares);
  if (factor < 1) for (let i = 0; i < values.length; i++) values[i] = values[i]! * factor;
}

/** Examples that are looked at together. */
const lookChunk = 256;

/** Cost and accuracy in inference mode, unweighted. */
function lookAt(part: FitPart, options: FitOptions, workspace: Workspace): { cost: number; accuracy: number } {
  const { network, parameters, kernels, map, loss, threshold } = options;
  const m = part.labels.length;
  let [sum, correct] = [0, 0];
  for (let first = 0; first < m; first += workspace.capacity) {
    const count = Math.min(workspace.capacity, m - first);
    const bytes = part.pixels.subarray(first * network.inputs, (first + count) * network.inputs);
    const input = { kind: 'bytes', bytes, indices: null, count, features: network.inputs, map } as const;
    const logits = forward({ network, parameters, kernels, input, workspace, mode: inference });
    const labels = part.labels.subarray(first, first + count);
    for (let i = 0; i < count; i++) sum += losses[loss].value(logits[i]!, labels[i]!);
    correct += countCorrect(logits, labels, threshold);
  }
  return { cost: sum / m, accuracy: correct / m };
}

/** σ(z) > threshold exactly where z > ln(threshold / (1 − threshold)). */
function countCorrect(logits: ArrayLike<number>, labels: Uint8Array, threshold: number): number {
  const bound = log(threshold / (1 - threshold));
  let correct = 0;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > bound === (labels[i] === 1)) correct++;
  return correct;
}

/** The last good weights are put back; the bad step is named. Where no tensor is to blame, that of the largest gradient is. */
function diverged(run: Run, epoch: number, what: string, blamed?: Segment): DivergedError {
  const { options, gradient } = run;
  const { parameters, learningRates } = options;
  options.parameters.values.set(run.good);
  const finite = (value: number) => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value);
  const largest = parameters.segments.reduce((a, b) =>
    finite(segmentNorm(gradient, b)) > finite(segmentNorm(gradient, a)) ? b : a,
  );
  const { layer, name } = blamed ?? largest;
  return new DivergedError({
    epoch,
    step: run.steps,
    layer: layer + 1,
    tensor: name,
    learningRate: learningRates[layer]!,
    proposedRate: smallerRate(learningRates[layer]!),
    what,
    examples: [...run.lastIndices],
  });
}
