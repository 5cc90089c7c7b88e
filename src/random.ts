import { log } from './elementary.ts';

/**
 * The one source of randomness: MT19937 as NumPy's legacy RandomState uses it, so that `seed: 1` draws what a
 * notebook draws after np.random.seed(1).
 */
export interface Random {
  /** An unsigned 32-bit integer. */
  uint32(): number;
  /** Uniform in [0, 1), 53 bits; RandomState.random_sample. */
  uniform(): number;
  /** Standard normal, by the polar method with its second value kept; RandomState.randn. */
  normal(): number;
  /** A whole number in [0, max], both included; RandomState's masked rejection. */
  integer(max: number): number;
  /** Shuffles in place; RandomState.shuffle. */
  shuffle<T extends { length: number; [index: number]: number }>(items: T): T;
  /** 0 … n − 1 in random order; RandomState.permutation. */
  permutation(n: number): Int32Array;
}

/** The stream that NumPy draws after np.random.seed(seed).
 *  @param seed  a whole number in [0, 2^32 − 1] */
export function numpyRandom(seed: number): Random {
  const state = new Uint32Array(STATE_WORDS);
  seedWithNumber(state, seed);
  return randomFrom(state);
}

/** A stream of its own for one purpose. It depends on the seed, the name and the indices alone, so that a new
 *  consumer of randomness never shifts the numbers of another.
 *  @param indices  for example an epoch, or the number of a picture */
export function namedRandom(seed: number, name: string, ...indices: number[]): Random {
  const state = new Uint32Array(STATE_WORDS);
  const key = Uint32Array.from([
    seed >>> 0,
    ...bytesOf(name),
    ...indices.flatMap((i) => [i >>> 0, Math.floor(i / 2 ** 32) >>> 0]),
  ]);
  seedWithKey(state, key);
  return randomFrom(state);
}

const encoder = new TextEncoder();
const namesAsBytes = new Map<string, Uint8Array>();

/** Of the names of streams, of which there are few. */
function bytesOf(name: string): Uint8Array {
  const bytes = namesAsBytes.get(name) ?? encoder.encode(name);
  namesAsBytes.set(name, bytes);
  return bytes;
}

const STATE_WORDS = 624;
const SHIFT_WORDS = 397;

function randomFrom(state: Uint32Array): Random {
  let position = STATE_WORDS;
  let spareNormal: number | undefined;

  function uint32(): number {
    if (position === STATE_WORDS) position = 0;
    twist(state, position);
    let y = state[position++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  function uniform(): number {
    const high = uint32() >>> 5;
    const low = uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  function normal(): number {
    if (spareNormal !== undefined) {
      const value = spareNormal;
      spareNormal = undefined;
      return value;
    }
    let x: number;
    let y: number;
    let squares: number;
    do {
      x = 2 * uniform() - 1;
      y = 2 * uniform() - 1;
      squares = x * x + y * y;
    } while (squares >= 1 || squares === 0);
    const factor = Math.sqrt((-2 * log(squares)) / squares);
    spareNormal = factor * x;
    return factor * y;
  }

  function integer(max: number): number {
    if (max === 0) return 0;
    const mask = 0xffffffff >>> Math.clz32(max);
    let value: number;
    do value = (uint32() & mask) >>> 0;
    while (value > max);
    return value;
  }

  function shuffle<T extends { length: number; [index: number]: number }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = integer(i);
      const kept = items[i]!;
      items[i] = items[j]!;
      items[j] = kept;
    }
    return items;
  }

  return { uint32, uniform, normal, integer, shuffle, permutation: (n) => shuffle(Int32Array.from({ length: n }, (_, i) => i)) };
}

/** Makes the next word i of the state: of words that a round over all would have left as they are until it came to i, so that a stream of which
 *  little is drawn makes little. */
function twist(state: Uint32Array, i: number): void {
  const next = i + 1 === STATE_WORDS ? 0 : i + 1;
  const far = i < STATE_WORDS - SHIFT_WORDS ? i + SHIFT_WORDS : i + SHIFT_WORDS - STATE_WORDS;
  const y = (state[i]! & 0x80000000) | (state[next]! & 0x7fffffff);
  state[i] = state[far]! ^ (y >>> 1) ^ (-(y & 1) & 0x9908b0df);
}

/** @see Matsumoto & Nishimura 1998, init_genrand */
function seedWithNumber(state: Uint32Array, seed: number): void {
  state[0] = seed >>> 0;
  for (let i = 1; i < STATE_WORDS; i++) {
    const previous = state[i - 1]! ^ (state[i - 1]! >>> 30);
    state[i] = Math.imul(1812433253, previous) + i;
  }
}

/** What every key begins from. */
const unkeyed = new Uint32Array(STATE_WORDS);
seedWithNumber(unkeyed, 19650218);

/** @see Matsumoto & Nishimura 2002, init_by_array */
function seedWithKey(state: Uint32Array, key: Uint32Array): void {
  state.set(unkeyed);
  let i = 1;
  let previous = state[0]!;
  for (let step = 0, j = 0; step < Math.max(STATE_WORDS, key.length); step++) {
    previous = ((state[i]! ^ Math.imul(previous ^ (previous >>> 30), 1664525)) + key[j]! + j) | 0;
    state[i] = previous;
    if (++i === STATE_WORDS) i = 1;
    if (++j === key.length) j = 0;
  }
  for (let step = 0; step < STATE_WORDS - 1; step++) {
    previous = ((state[i]! ^ Math.imul(previous ^ (previous >>> 30), 1566083941)) - i) | 0;
    state[i] = previous;
    if (++i === STATE_WORDS) i = 1;
  }
  state[0] = 0x80000000;
}
