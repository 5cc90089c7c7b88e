import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { autoShuffle, type BlockShuffle, epochOrder, fullShuffleUpTo, type Shuffle } from '../../src/data/batches.ts';

const sizes = fc.record({
  m: fc.integer({ min: 1, max: 400 }),
  block: fc.integer({ min: 1, max: 50 }),
  blocks: fc.integer({ min: 1, max: 9 }),
  epoch: fc.integer({ min: 1, max: 1e6 }),
});

describe('an order within windows of blocks', () => {
  test('holds every example once, in windows that together are the whole', () => {
    fc.assert(
      fc.property(sizes, ({ m, block, blocks, epoch }) => {
        const { order, ends } = epochOrder(m, { block, window: block * blocks }, 1, epoch);
        expect([...order].sort((a, b) => a - b)).toEqual([...Array(m).keys()]);
        expect(ends.at(-1)).toBe(m);
        for (const [i, end] of ends.entries()) {
          const length = end - (ends[i - 1] ?? 0);
          expect(length).toBeGreaterThan(0);
          expect(length).toBeLessThanOrEqual(block * blocks);
        }
      }),
    );
  });

  test('takes whole blocks of neighbours into a window', () => {
    fc.assert(
      fc.property(sizes, ({ m, block, blocks, epoch }) => {
        const { order, ends } = epochOrder(m, { block, window: block * blocks }, 1, epoch);
        const windowOf = new Int32Array(m);
        for (const [w, end] of ends.entries()) for (let i = ends[w - 1] ?? 0; i < end; i++) windowOf[order[i]!] = w;
        // neighbours part only where a block ends: at most so often as there are edges
        const parted = [...windowOf.keys()].filter((i) => i > 0 && windowOf[i] !== windowOf[i - 1]);
        expect(new Set(parted.map((edge) => edge % block)).size).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('is the same for the same seed and epoch, and another else', () => {
    const of = (seed: number, epoch: number) => epochOrder(1000, { block: 10, window: 100 }, seed, epoch);
    expect(of(1, 2)).toEqual(of(1, 2));
    expect(of(1, 2)).not.toEqual(of(1, 3));
    expect(of(1, 2)).not.toEqual(of(2, 2));
  });

  test('takes a window smaller than a block for one block', () => {
    const { ends } = epochOrder(100, { block: 10, window: 3 }, 1, 1);
    expect(ends.every((end, i) => end - (ends[i - 1] ?? 0) <= 10)).toBe(true);
  });
});

test('auto depends on the number of examples alone', () => {
  expect(epochOrder(fullShuffleUpTo, 'auto', 1, 1)).toEqual(epochOrder(fullShuffleUpTo, 'full', 1, 1));
  expect(epochOrder(fullShuffleUpTo + 1, 'auto', 1, 1)).toEqual(epochOrder(fullShuffleUpTo + 1, autoShuffle, 1, 1));
});

/** How near auto comes to a full shuffle, for 100,000 examples in batches of 64. docs/decisions/0016 has these figures. */
describe('beside a full shuffle', () => {
  const m = 100_000;
  const batch = 64;
  const blocks = m / autoShuffle.block;
  const blocksEach = autoShuffle.window / autoShuffle.block;
  const both: [string, Shuffle][] = [
    ['full', 'full'],
    ['blocks', autoShuffle],
  ];

  const positions = (shuffle: Shuffle, epoch: number) => {
    const { order } = epochOrder(m, shuffle, 1, epoch);
    const at = new Float64Array(m);
    for (let i = 0; i < m; i++) at[order[i]!] = i;
    return at;
  };
  /** Of positions, which are ranks: Spearman's. */
  const correlation = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    const middle = (m - 1) / 2;
    let sum = 0;
    for (let i = 0; i < m; i++) sum += (a[i]! - middle) * (b[i]! - middle);
    return sum / ((m * (m * m - 1)) / 12);
  };

  test.each(both)('%s: where an example stands says nothing of where it will stand', (_, shuffle) => {
    // for a full shuffle r has the variance 1 / (m − 1); blocks move as one, so there it is about 1 / (blocks − 1)
    const expected = shuffle === 'full' ? 1 / (m - 1) : 1 / (blocks - 1);
    const epochs = 24;
    const at = Array.from({ length: epochs + 1 }, (_, e) => positions(shuffle, e + 1));
    const natural = Float64Array.from({ length: m }, (_, i) => i);
    for (const others of [at.slice(1), at.slice(1).map(() => natural)]) {
      const squares = others.reduce((sum, other, e) => sum + correlation(at[e]!, other) ** 2, 0) / epochs;
      // a mean of 24 squares of normal numbers: its deviation is √(2/24) of it
      expect(Math.abs(squares / expected - 1)).toBeLessThan(4 * Math.sqrt(2 / epochs));
    }
  });

  test.each(both)('%s: how often two neighbours are in one batch', (_, shuffle) => {
    // with blocks: where they are of one block, and so of one window, and then by chance
    const sameBlock = (autoShuffle.block - 1) / autoShuffle.block;
    const chance = shuffle === 'full' ? (batch - 1) / (m - 1) : (sameBlock * (batch - 1)) / (autoShuffle.window - 1);
    let together = 0;
    const epochs = 20;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const at = positions(shuffle, epoch);
      for (let i = 1; i < m; i++) if (Math.floor(at[i]! / batch) === Math.floor(at[i - 1]! / batch)) together++;
    }
    const pairs = epochs * (m - 1);
    // a pair says something of the next one: three times the deviation of pairs on their own, and 2% for windows that are not full
    expect(Math.abs(together / pairs - chance)).toBeLessThan(3 * 3 * Math.sqrt(chance / pairs) + 0.02 * chance);
    if (shuffle !== 'full') expect(chance).toBeLessThan(0.008);
  });

  test.each(both)('%s: the classes of a batch, where the file holds one class after the other', (_, shuffle) => {
    // half of the examples of each class: a batch of a full shuffle has a share of deviation ½/√64; with blocks that of its
    // window, ½/√(blocks in it), comes on top
    const expected = shuffle === 'full' ? 0.25 / batch : 0.25 / batch + 0.25 / blocksEach;
    let [squares, batches] = [0, 0];
    for (let epoch = 1; epoch <= 10; epoch++) {
      const { order } = epochOrder(m, shuffle, 1, epoch);
      for (let first = 0; first + batch <= m; first += batch, batches++) {
        let positives = 0;
        for (let i = first; i < first + batch; i++) if (order[i]! < m / 2) positives++;
        squares += (positives / batch - 0.5) ** 2;
      }
    }
    const found = squares / batches / expected;
    // the windows are the independent ones: 13 an epoch
    expect(Math.abs(found - 1)).toBeLessThan(shuffle === 'full' ? 0.06 : 4 * Math.sqrt(2 / 130));
  });
});

test.each<[string, BlockShuffle]>([
  ['blocks of one example', { block: 1, window: 1 }],
  ['one window for all', { block: 10, window: 1000 }],
])('%s are an order like any other', (_, shuffle) => {
  const { order } = epochOrder(1000, shuffle, 1, 1);
  expect(new Set(order).size).toBe(1000);
});
