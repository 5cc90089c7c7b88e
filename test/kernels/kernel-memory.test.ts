import { expect, test } from 'vitest';
import { kernelMemoryOver } from '../../src/kernels/simd/memory.ts';

test('what lies in the memory is known there, also where its buffer became another object by itself', () => {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 8, shared: true });
  let shown = memory.buffer;
  const kernels = kernelMemoryOver({
    get buffer() {
      return shown;
    },
    grow: (pages) => memory.grow(pages),
  });
  const { address } = kernels.take(64);
  const before = kernels.view(new Float32Array(0), address, 16);
  memory.grow(0);
  expect(memory.buffer).not.toBe(shown); // another object over the same bytes, as V8 makes one some time after it grew
  shown = memory.buffer;
  const after = kernels.view(new Float32Array(0), address, 16);
  after[3] = 7;
  expect(before[3]).toBe(7);
  expect([before, after].map(kernels.addressOf)).toEqual([address, address]);
});
