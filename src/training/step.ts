import { augmentBatch } from '../data/augment.ts';
import { log } from '../elementary.ts';
import type { Batch, StepStatistics } from '../kernels/kernels.ts';
import { moveAverages } from '../model/batch-norm.ts';
import type { Pass } from '../model/forward.ts';
import { addL2Gradient, l2Cost } from '../model/l2.ts';
import { costAndGradient, isFusedLogistic, microBatches } from '../model/pieces.ts';
import { momentsOf, optimizers } from '../optimize/optimizers.ts';
import { scheduledRate } from '../optimize/schedules.ts';
import { refuseBrokenCost, refuseBrokenGradient } from './broken-step.ts';
import type { Training } from './fit-run.ts';
import { weightsNorm } from './problem.ts';
import { clip, update } from './update.ts';

/** What the steps of an epoch add up to. */
export interface EpochTotals {
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
export function trainStep(run: Training, indices: Int32Array, { epoch, norms }: StepOptions, sums: EpochTotals): void {
  const { options, trainable: problem, workspace, gradient, labels } = run;
  const { network, parameters, kernels, train } = problem;
  const { loss, classWeights, learningRates, schedule } = options;
  const count = indices.length;
  run.steps++;
  run.rates = learningRates.map((rate) => scheduledRate(rate, schedule, epoch - 1, options.epochs));
  run.lastIndices = indices;
  run.lastCount = count;
  for (let i = 0; i < count; i++) labels[i] = train.labels[indices[i]!]!;
  const masks = run.dropout ? run.masks(run.steps) : null;
  const input = batchRows(run, indices, epoch);
  run.lastInput = input;
  const pass: Pass = { network, parameters, kernels, workspace, input, mode: { kind: 'training', masks } };
  const pieces = microBatches(pass);
  run.fused = run.mayFuse && pieces.length === 1 && !isFusedLogistic(pass);
  const down = run.fused ? 1 : 0;
  const cost = costAndGradient(pass, { loss, labels, classWeights }, gradient, { pieces, down });
  const logits = workspace.layers[network.layers.length - 1]!.z.subarray(0, count);
  sums.cost += cost * count;
  sums.correct += countCorrect(logits, labels, options.threshold);
  sums.batches++;
  sums.examples += count;
  refuseBrokenCost(run, cost, epoch);
  if (run.steps === 1) run.watch.begin(cost);
  if (sums.batches === 1 && !run.watch.isAbove(cost)) run.lastGood.set(parameters.values);
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
function stepFirstWeights(run: Training, input: Batch, lambda: number, norms: boolean): StepStatistics {
  const { options, trainable: problem, workspace, rule, state, steps: t } = run;
  const { name } = options.optimizer;
  const { length } = problem.parameters.specs[0]!;
  return problem.kernels.backwardAndStep({
    input,
    dZ: workspace.layers[0]!.dZ,
    units: problem.network.layers[0]!.units,
    weights: problem.parameters.layers[0]!.weights,
    ...momentsOf(name, state, 0, length),
    ...optimizers[name].coefficients(rule, t),
    learningRate: run.rates[0]!,
    decay: lambda,
    wantsNorms: norms || lambda > 0,
  });
}

/** σ(z) > threshold exactly where z > ln(threshold / (1 − threshold)). */
export function countCorrect(logits: ArrayLike<number>, labels: Uint8Array, threshold: number): number {
  const bound = log(threshold / (1 - threshold));
  let correct = 0;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > bound === (labels[i] === 1)) correct++;
  return correct;
}

/** The batch as the kernels take it: rows of the training part, or freshly augmented ones. */
function batchRows({ options, trainable: problem, augmented, batch }: Training, indices: Int32Array, epoch: number): Batch {
  const { scaling, network, augmentation, imageSize: side, seed } = options;
  const count = indices.length;
  const full = batch === problem.train.labels.length; // in the order of the examples: no need to look up
  const rows = problem.train.batch(full ? null : indices, count);
  if (!augmented || rows.kind !== 'bytes') return rows;
  augmentBatch(rows.bytes, indices, augmented, { augmentation, side, seed, epoch, places: rows.indices ?? indices });
  return { kind: 'bytes', bytes: augmented, indices: null, count, features: network.inputs, scaling: scaling };
}
