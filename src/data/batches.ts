import { ascending, type EpochOrder, epochOrder, type Shuffle } from './shuffle.ts';

/** How many examples make a step: a number, all of them, or what the notes advise. */
export type BatchSize = 'auto' | 'full' | number;

/** Below this many examples, `auto` is the whole training part. */
export const fullBatchBelow = 2000;
const autoBatch = 64;

/** The examples of one step, for m examples in all. */
export function batchLength(size: BatchSize, m: number): number {
  if (size === 'full' || (size === 'auto' && m < fullBatchBelow)) return m;
  return Math.min(size === 'auto' ? autoBatch : size, m);
}

/**
 * The order of an epoch that is taken in batches. A full batch keeps the order of the examples, since no order changes its step.
 * @param length  of a batch
 * @param epoch   from 1
 */
export function batchOrder(m: number, length: number, { shuffle, seed, epoch }: EpochShuffle): EpochOrder {
  return length < m ? epochOrder(m, shuffle, seed, epoch) : { order: ascending(m), ends: [m] };
}

export interface EpochShuffle {
  shuffle: Shuffle;
  seed: number;
  epoch: number;
}
