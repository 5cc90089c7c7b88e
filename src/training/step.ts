import { augmentBatch } from '../data/augment.ts';
import { type Mixing, mixImages, mixLabels, mixShares } from '../data/mixup.ts';
import { log } from '../elementary.ts';
import type { Batch, Floats } from '../kernels/kernels.ts';
import { opsOf } from '../nn/build.ts';
import { costAndGradient, microBatches } from '../nn/input/cost-and-gradient.ts';
import { stepFirstWeights } from '../nn/input/fused.ts';
import { isFusedLogistic } from '../nn/input/logistic.ts';
import type { ParameterSpec, Pass, Targets } from '../nn/network.ts';
import { featuresOf } from '../nn/op.ts';
import { clearTiny, optimizerStep, optimizers, tinyEvery } from '../nn/optimizers.ts';
import { addL2Gradient, clip, l2Cost } from '../nn/regularization.ts';
import { type SchedulePlace, scheduledRate } from '../nn/schedules.ts';
import { addToAverage } from '../nn/weight-average.ts';
import type { LayerNorms } from '../results/journal.ts';
import { refuseBrokenCost, refuseBrokenGradient } from './divergence.ts';
import { stageAt } from './stages.ts';
import type { EpochTotals, Training } from './state.ts';

export interface StepOptions {
  epoch: number;
  /** whether ‖dW‖ and ‖ΔW‖ are wanted */
  norms: boolean;
}

/** Forward, backward, update, for one batch.
 *  @throws DivergedError where cost or gradient are not finite; the last good weights are put back */
export function trainStep(training: Training, indices: Int32Array, { epoch, norms }: StepOptions, totals: EpochTotals): void {
  const { options, trainable, gradient, optimizer, labels, groups, last } = training;
  const { form, train } = trainable;
  const { parameters, kernels, firstWeights } = form;
  const count = indices.length;
  optimizer.t++;
  if (optimizer.t % tinyEvery === 0) for (const values of movingNumbers(training)) clearTiny(values);
  const place = schedulePlace(training, epoch);
  training.rates = options.learningRates.map((rate) => scheduledRate(rate, options.schedule, place));
  for (let i = 0; i < count; i++) labels[i] = train.labels[indices[i]!]!;
  const mixing = training.mixed && training.mixing(optimizer.t, count);
  const images = mixedInput(training, inputOf(training, indices, epoch), mixing);
  const { network, workspace, input } = smallerInput(training, images, epoch);
  const targets = targetsOf(training, mixing);
  const mode = { kind: 'training', masks: training.drops ? training.masks(optimizer.t) : null } as const;
  const pass: Pass = { network, parameters, kernels, workspace, input, mode };
  const batches = microBatches(pass);
  const fused = groups.fused !== null && batches.length === 1 && !isFusedLogistic(pass);
  Object.assign(last, { indices, input, network, workspace, fused });

  const cost = costAndGradient(pass, targets, gradient, { batches, leavesFirst: fused });
  totals.cost += cost * count;
  totals.correct += countCorrect(workspace.slots.at(-1)!.value.subarray(0, count), labels, options.threshold);
  totals.batches++;
  totals.examples += count;
  refuseBrokenCost(training, cost, epoch);
  if (optimizer.t === 1) training.watch.begin(cost);
  if (totals.batches === 1 && !training.watch.isAbove(cost)) training.lastGood.set(parameters.values);

  const decay = options.l2 / train.labels.length;
  const learningRate = training.rates[firstWeights.layer]!;
  const first = fused ? stepFirstWeights(form, pass, optimizer, { learningRate, decay, wantsNorms: norms || decay > 0 }) : null;
  if (decay > 0) {
    const ofFirst = (spec: ParameterSpec) => (spec === firstWeights ? first?.squares?.weights : undefined);
    totals.l2Cost += l2Cost(parameters, decay, (spec) => ofFirst(spec) ?? form.squaredNorm(parameters.values, spec));
    addL2Gradient(parameters, decay, gradient, kernels, fused ? firstWeights : null);
  }
  refuseBrokenGradient(training, first?.finite ?? true, epoch);
  clip(gradient, options.clipNorm, kernels);
  if (norms) measure(training, training.gradientNorms, () => 1, first?.squares?.gradient);
  for (const [k, op] of opsOf(network).entries()) {
    op.afterStep?.({ tensors: parameters.tensors, slot: workspace.slots[k]!, count });
  }
  let movedByFeature: number | null = null;
  for (const group of fused ? groups.fused! : groups.whole) {
    const rate = training.rates[group.layer]!;
    const moved = optimizerStep(kernels, optimizer, parameters, gradient.values, group, rate);
    movedByFeature ??= moved;
  }
  if (training.average) addToAverage(training.average, parameters.values);
  // what the optimizer left in the gradient is the direction of the step
  if (norms) measureUpdates(training, first?.squares?.direction);
  if (movedByFeature !== null) training.updateNorms[firstWeights.layer] = Math.sqrt(movedByFeature);
}

/** All that steps move towards 0, bit by bit. */
function movingNumbers({ trainable, optimizer, average }: Training): Floats[] {
  return [trainable.form.parameters.values, ...optimizer.moments, ...(average ? [average.values] : [])];
}

/** Where the step that `optimizer.t` counts stands among all: every epoch takes its examples in as many batches. */
function schedulePlace({ options: { epochs }, trainable, batchLength, optimizer }: Training, epoch: number): SchedulePlace {
  const steps = epochs * Math.ceil(trainable.train.labels.length / batchLength);
  return { t: epoch - 1, epochs, step: optimizer.t - 1, steps };
}

/** Norms of each layer's weights in the gradient buffer.
 *  @param factor  of each layer
 *  @param first   ‖·‖² of the first weights, where they are known already */
function measure(
  { trainable: { form }, gradient }: Training,
  norms: number[],
  factor: (layer: number) => number,
  first: number | undefined,
): void {
  for (const spec of form.parameters.specs) {
    if (!spec.decayed) continue;
    const known = spec === form.firstWeights ? first : undefined;
    norms[spec.layer] = factor(spec.layer) * Math.sqrt(known ?? form.squaredNorm(gradient.values, spec));
  }
}

/** Without moments the direction is the gradient, whose norms are known. */
function measureUpdates(training: Training, first: number | undefined): void {
  const { options, rates, gradientNorms, updateNorms } = training;
  const hasMoments = optimizers[options.optimizer.name].moments.length > 0;
  if (hasMoments) measure(training, updateNorms, (layer) => rates[layer]!, first);
  else for (const [layer, norm] of gradientNorms.entries()) updateNorms[layer] = rates[layer]! * norm;
}

/** σ(z) > threshold exactly where z > ln(threshold / (1 − threshold)). */
export function countCorrect(logits: ArrayLike<number>, labels: Uint8Array, threshold: number): number {
  const bound = log(threshold / (1 - threshold));
  let correct = 0;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > bound === (labels[i] === 1)) correct++;
  return correct;
}

/** The batch as the first op takes it: images of the training part, or freshly augmented ones. */
function inputOf({ options, trainable, augmented, batchLength }: Training, indices: Int32Array, epoch: number): Batch {
  const { train, form } = trainable;
  const { network, augmentation, imageSize: side, seed, scaling } = options;
  const count = indices.length;
  const isFull = batchLength === train.labels.length; // in the order of the examples: no need to look up
  const batch = train.batch(isFull ? null : indices, count);
  if (!augmented || batch.kind !== 'bytes') return batch;
  const { transformImages: transform } = form.kernels;
  augmentBatch(batch.bytes, indices, augmented, { augmentation, side, seed, epoch, places: batch.indices ?? indices, transform });
  return { kind: 'bytes', bytes: augmented, indices: null, count, features: network.inputs, scaling };
}

/** The batch with its images mixed, where they are. */
function mixedInput({ mixed }: Training, batch: Batch, mixing: Mixing | null): Batch {
  if (mixed === null || mixing === null || batch.kind !== 'bytes') return batch;
  mixImages({ ...batch, places: batch.indices }, mixing, mixed.images);
  return { ...batch, bytes: mixed.images, indices: null };
}

/** The batch as the epoch's stage sees it, with the room that it takes. */
function smallerInput({ options, stages, trainable, workspace }: Training, batch: Batch, epoch: number) {
  const { network, kernels } = trainable.form;
  const stage = stageAt(options.stages, epoch);
  if (stage === null || batch.kind !== 'bytes') return { network, workspace, input: batch };
  const room = stages[options.stages.indexOf(stage)]!;
  kernels.shrinkImages({ ...batch, side: options.imageSize, smaller: stage.side, out: room.images });
  const input = { ...batch, bytes: room.images, indices: null, features: stage.network.inputs, scaling: room.scaling };
  return { network: stage.network, workspace: room.workspace, input };
}

/** What the network is to answer for the batch whose labels stand in `labels`. */
function targetsOf({ options, labels, mixed }: Training, mixing: Mixing | null): Targets {
  const { loss, classWeights, softTargets } = options;
  if (mixed === null || mixing === null) return { loss, labels, classWeights, softTargets };
  mixLabels(labels, mixing, mixed.labels);
  const shares = (of: readonly [number, number]) => mixShares(of, mixing.lambda);
  return { loss, labels: mixed.labels, classWeights: shares(classWeights), softTargets: shares(softTargets ?? [0, 1]) };
}

/** The norms of every layer after a step that measured them, and what its last op gave. */
export function layerNorms({ trainable, gradientNorms, updateNorms, last }: Training): LayerNorms[] {
  const { parameters, squaredNorm } = trainable.form;
  const { network, workspace } = last;
  const count = last.indices.length;
  return parameters.specs
    .filter(({ decayed }) => decayed)
    .map((weights) => {
      const { layer } = weights;
      const k = opsOf(network).findLastIndex((op) => op.layer === layer);
      return {
        examples: count,
        gradientNorm: gradientNorms[layer]!,
        updateNorm: updateNorms[layer]!,
        weightNorm: Math.sqrt(squaredNorm(parameters.values, weights)),
        ...outputFacts(workspace.slots[k]!.value, count * featuresOf(opsOf(network)[k]!.output)),
      };
    });
}

/** Whether a hidden layer gave 0 for every example of the last step's batch: nothing below it learns from those. */
export function isSilent({ last: { indices, network, workspace } }: Training, layer: number): boolean {
  const ops = opsOf(network);
  const k = ops.findLastIndex((op) => op.layer === layer);
  const numbers = indices.length * featuresOf(ops[k]!.output);
  return workspace.slots[k]!.value.subarray(0, numbers).every((value) => value === 0);
}

/** What the first n numbers are like; a function of its own, since it is compiled sooner than one that has more to do. */
function outputFacts(out: Floats, n: number): Pick<LayerNorms, 'activationMean' | 'activationSize' | 'zeros'> {
  let [sum, squares, zeros] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const value = out[i]!;
    sum += value;
    squares += value * value;
    if (value === 0) zeros++;
  }
  return { activationMean: sum / n, activationSize: Math.sqrt(squares / n), zeros: zeros / n };
}
