import { namedRandom, type Random } from '../random.ts';

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

/** In which order an epoch takes its examples: all of them shuffled together, or blocks of neighbours shuffled, and then the
 *  examples of as many blocks as a window holds. */
export type Shuffle = 'auto' | 'full' | BlockShuffle;

export interface BlockShuffle {
  /** examples that lie and are read together */
  block: number;
  /** examples that are shuffled together: as many whole blocks as fit into it, one at least */
  window: number;
}

/** Up to so many examples `auto` shuffles all of them together; it depends on their number alone. */
export const fullShuffleUpTo = 65_536;
/** What `auto` is beyond that. */
export const autoShuffle: BlockShuffle = { block: 128, window: 8192 };

export interface EpochOrder {
  /** every example once */
  order: Int32Array;
  /** where the windows end, ascending, as positions in the order; where all are shuffled together any place is as good */
  ends: readonly number[];
}

/**
 * An order of the epoch's own. With blocks, their edges move from epoch to epoch, so that no two neighbours are always of one
 * block. test/data/shuffle.test.ts measures how near it comes to a full shuffle.
 * @param m      examples
 * @param epoch  from 1
 */
export function epochOrder(m: number, shuffle: Shuffle, seed: number, epoch: number): EpochOrder {
  const random = namedRandom(seed, 'shuffle', epoch);
  const blocks = blocksOf(m, shuffle);
  if (blocks === null) return { order: random.shuffle(ascending(m)), ends: everySo(m, autoShuffle.window) };
  return shuffleBlocks(m, blocks, random);
}

/** How far apart two of the ends of `batchOrder` are at most. @param length  of a batch */
export function longestWindow(m: number, length: number, shuffle: Shuffle): number {
  if (length >= m) return m;
  const blocks = blocksOf(m, shuffle);
  return blocks === null ? autoShuffle.window : Math.max(1, Math.floor(blocks.window / blocks.block)) * blocks.block;
}

/** length, 2 · length, … up to m */
export function everySo(m: number, length: number): number[] {
  return Array.from({ length: Math.ceil(m / length) }, (_, i) => Math.min(m, (i + 1) * length));
}

/** 0 … m − 1 */
export function ascending(m: number): Int32Array {
  const order = new Int32Array(m);
  for (let i = 0; i < m; i++) order[i] = i;
  return order;
}

function blocksOf(m: number, shuffle: Shuffle): BlockShuffle | null {
  if (shuffle === 'auto') return m <= fullShuffleUpTo ? null : autoShuffle;
  return shuffle === 'full' ? null : shuffle;
}

function shuffleBlocks(m: number, { block, window }: BlockShuffle, random: Random): EpochOrder {
  const offset = random.integer(block - 1); // examples of a first block that is cut short, if any
  const edge = (b: number) => Math.max(0, Math.min(m, offset + (b - (offset > 0 ? 1 : 0)) * block));
  const blocks = Math.ceil((m - offset) / block) + (offset > 0 ? 1 : 0);
  const blocksEach = Math.max(1, Math.floor(window / block));
  const order = new Int32Array(m);
  const ends: number[] = [];
  let [at, start] = [0, 0];
  for (const [taken, b] of random.permutation(blocks).entries()) {
    for (let i = edge(b); i < edge(b + 1); i++) order[at++] = i;
    if ((taken + 1) % blocksEach > 0 && taken + 1 < blocks) continue;
    random.shuffle(order.subarray(start, at));
    ends.push((start = at));
  }
  return { order, ends };
}
