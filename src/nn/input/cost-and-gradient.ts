import { kernelConstants } from '../../kernels/bindings.ts';
import type { ByteBatch } from '../../kernels/kernels.ts';
import { opsOf } from '../build.ts';
import { backward, forward, lossGradient, type Parameters, type Pass, type Targets } from '../network.ts';
import { isFusedLogistic, logisticCostAndGradient } from './logistic.ts';

/** Pictures that go forward and back together: what went forward is still in a processor's cache on the way back. */
const microBatchBytes = 4 * 2 ** 20;
/** Sums over examples are made by so many. */
const examples = kernelConstants.EXAMPLES;

/** Forward, cost and gradient of a batch, in one or in micro-batches where it is far larger than a cache; how many, its shape alone says.
 *  @param gradient            laid out like the parameters; overwritten, but for what is not trained
 *  @param options.leavesFirst as in `backward`
 *  @returns the cost; the logits are in the workspace */
export function costAndGradient(
  pass: Pass,
  targets: Targets,
  gradient: Parameters,
  { batches, leavesFirst }: { batches: readonly MicroBatch[]; leavesFirst: boolean },
): number {
  const { count } = pass.input;
  if (isFusedLogistic(pass)) return logisticCostAndGradient(pass, targets, gradient);
  let cost = 0;
  for (const [i, { first, pass: part }] of batches.entries()) {
    forward(part);
    cost += lossGradient(part, { ...targets, labels: targets.labels.subarray(first) }, count);
    backward(part, gradient, { accumulate: i > 0, leavesFirst });
  }
  return cost;
}

export interface MicroBatch {
  /** the first of its examples */
  first: number;
  pass: Pass;
}

/** A batch as one, or as several: an op that mixes examples takes all at once, and only pixels are read faster in parts. */
export function microBatches(pass: Pass): readonly MicroBatch[] {
  const { input, network } = pass;
  const length = Math.max(1, Math.floor(microBatchBytes / (examples * input.features))) * examples;
  const whole = input.kind !== 'bytes' || input.count <= 2 * length || opsOf(network).some(({ mixesExamples }) => mixesExamples);
  if (whole || isFusedLogistic(pass)) return [{ first: 0, pass }];
  return Array.from({ length: Math.ceil(input.count / length) }, (_, i) => {
    const first = i * length;
    return { first, pass: microBatch(pass, input, first, Math.min(length, input.count - first)) };
  });
}

function microBatch(pass: Pass, { bytes, indices, ...input }: ByteBatch, first: number, count: number): Pass {
  const batch: ByteBatch =
    indices === null
      ? { ...input, bytes: bytes.subarray(first * input.features), indices, count }
      : { ...input, bytes, indices: indices.subarray(first), count };
  const { capacity, slots } = pass.workspace;
  const from = <Array extends { length: number; subarray(start: number): Array }>(array: Array) =>
    array.subarray((array.length / capacity) * first);
  const parts = slots.map(({ value, grad, kept }) => ({
    value: from(value),
    grad: from(grad),
    kept: Object.fromEntries(Object.entries(kept).map(([name, array]) => [name, from(array)])),
  }));
  return { ...pass, input: batch, workspace: { capacity: count, slots: parts } };
}
