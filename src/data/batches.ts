import { namedRandom } from '../random.ts';

/** How many examples make a step: a number, all of them, or what the notes advise. */
export type BatchSize = 'auto' | 'full' | number;

/** Below this many examples, `auto` is the whole training part. */
export const fullBatchBelow = 2000;
export const autoBatch = 64;

/** The examples of one step, for m examples in all. */
export function batchLength(size: BatchSize, m: number): number {
  if (size === 'full' || (size === 'auto' && m < fullBatchBelow)) return m;
  return Math.min(size === 'auto' ? autoBatch : size, m);
}

/**
 * The batches of an epoch: every example once, in an order of the epoch's own; the last batch may be smaller.
 * A full batch keeps the order of the examples, since no order changes its step.
 * @param epoch  from 1
 * @returns indices of examples
 */
export function* epochBatches(m: number, length: number, seed: number, epoch: number): Generator<Int32Array> {
  const order = new Int32Array(m);
  for (let i = 0; i < m; i++) order[i] = i;
  if (length < m) namedRandom(seed, 'shuffle', epoch).shuffle(order);
  for (let first = 0; first < m; first += length) yield order.subarray(first, Math.min(m, first + length));
}
