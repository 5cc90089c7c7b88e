import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Block, createFreeList } from '../../src/kernels/simd/memory.ts';

test('blocks never overlap, and all given back are one again', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 40 }), free: fc.nat() }), { maxLength: 60 }), (steps) => {
      const list = createFreeList({ start: 10, end: 510 });
      const taken: Block[] = [];
      for (const { bytes, free } of steps) {
        const block = list.take(bytes);
        if (block !== null) {
          expect(
            taken.some((other) => block.address < other.address + other.bytes && other.address < block.address + block.bytes),
          ).toBe(false);
          expect(block.bytes).toBe(bytes);
          taken.push(block);
        }
        if (taken.length > 0 && free % 3 === 0) list.give(taken.splice(free % taken.length, 1)[0]!);
      }
      for (const block of taken) list.give(block);
      expect(list.take(500)).toEqual({ address: 10, bytes: 500 });
    }),
  );
});

test('what is too large is refused and nothing is lost', () => {
  const list = createFreeList({ start: 0, end: 100 });
  expect(list.take(101)).toBeNull();
  expect(list.take(100)).toEqual({ address: 0, bytes: 100 });
});
