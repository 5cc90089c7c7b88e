import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BatchSize, batchLength } from '../../src/data/batches.ts';
import { epochBatches } from './epoch-batches.ts';

const batchesOf = (m: number, length: number, seed: number, epoch: number) =>
  [...epochBatches(m, length, { shuffle: 'auto', seed: seed, epoch: epoch })].map((batch) => [...batch]);
const upTo = (m: number) => Array.from({ length: m }, (_, i) => i);
const ascending = (indices: readonly number[]) => [...indices].sort((a, b) => a - b);

const sizes = fc
  .integer({ min: 1, max: 300 })
  .chain((m) => fc.record({ m: fc.constant(m), length: fc.integer({ min: 1, max: m }) }));
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const epochs = fc.integer({ min: 1, max: 1e6 });

describe('the batches of an epoch', () => {
  test('hold every example once; all are full but the last, which may be smaller', () => {
    fc.assert(
      fc.property(sizes, seeds, epochs, ({ m, length }, seed, epoch) => {
        const batches = batchesOf(m, length, seed, epoch);
        expect(ascending(batches.flat())).toEqual(upTo(m));
        expect(batches.map((batch) => batch.length)).toEqual(
          upTo(Math.ceil(m / length)).map((b) => Math.min(length, m - b * length)),
        );
      }),
    );
  });

  test('are the same for the same seed and epoch, and others for another', () => {
    fc.assert(
      fc.property(fc.integer({ min: 30, max: 300 }), seeds, epochs, (m, seed, epoch) => {
        const batches = batchesOf(m, 8, seed, epoch);
        expect(batchesOf(m, 8, seed, epoch)).toEqual(batches);
        // 30! orders: that two are equal does not happen
        expect(batchesOf(m, 8, seed, epoch + 1)).not.toEqual(batches);
        expect(batchesOf(m, 8, (seed + 1) % 2 ** 32, epoch)).not.toEqual(batches);
      }),
      { numRuns: 50 },
    );
  });

  test('begin with each example about equally often', () => {
    const first = upTo(2000).map((epoch) => batchesOf(5, 2, 1, epoch + 1)[0]![0]!);
    for (const example of upTo(5)) {
      const share = first.filter((one) => one === example).length / first.length;
      expect(Math.abs(share - 1 / 5)).toBeLessThan(5 * Math.sqrt((0.2 * 0.8) / first.length));
    }
  });

  test('of one example each are a step an example, in random order', () => {
    const batches = batchesOf(20, 1, 1, 1);
    expect(batches).toHaveLength(20);
    expect(batches.flat()).not.toEqual(upTo(20));
  });

  test('are one, in the order of the examples, where it holds them all', () => {
    for (const epoch of [1, 2]) expect(batchesOf(20, 20, 1, epoch)).toEqual([upTo(20)]);
  });
});

describe('the length of a batch', () => {
  const cases: [BatchSize, number, number][] = [
    ['auto', 1, 1],
    ['auto', 209, 209],
    ['auto', 1999, 1999],
    ['auto', 2000, 64],
    ['auto', 10_000_000, 64],
    ['full', 10, 10],
    ['full', 5000, 5000],
    [1, 209, 1],
    [32, 209, 32],
    [209, 209, 209],
    [512, 209, 209],
  ];

  test.each(cases)('%s of %i examples is %i', (size, m, expected) => {
    expect(batchLength(size, m)).toBe(expected);
  });
});
