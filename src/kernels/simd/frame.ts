import type { Floats } from '../kernels.ts';
import type { Block } from './free-list.ts';
import type { KernelMemory } from './memory.ts';

type Numbers = Floats | Uint8Array | Int32Array;

/** The arguments of one call of a compiled kernel, as addresses: arrays that lie elsewhere are copied in, and results out. */
export interface Frame {
  /** Where the first `length` entries of an array are to be read. */
  input(array: Numbers, length: number): number;
  /** Where the first `length` entries of an array are to be written; what they held is not there. */
  output(array: Floats, length: number): number;
  /** Where all entries of an array are to be read and overwritten. */
  update(array: Floats): number;
  /** Room that ends with the call. */
  room(bytes: number): number;
}

/** Makes a call: once it is done results go where they belong, and room is given back. */
export function inFrame(memory: KernelMemory, call: (frame: Frame) => void): void {
  const blocks: Block[] = [];
  const results: { array: Floats; length: number; address: number }[] = [];

  function room(bytes: number): number {
    const block = memory.take(bytes);
    blocks.push(block);
    return block.address;
  }

  /** Its address where it lies in the kernels' memory, else room for it. */
  function place(array: Numbers, length: number, otherwise: (address: number) => void): number {
    requireLength(array, length);
    const own = memory.addressOf(array);
    if (own !== null) return own;
    const address = room(length * array.BYTES_PER_ELEMENT);
    otherwise(address);
    return address;
  }

  try {
    call({
      room,
      input: (array, length) =>
        place(array, length, (address) => memory.view(array, address, length).set(array.subarray(0, length))),
      update: (array) =>
        place(array, array.length, (address) => {
          memory.view(array, address, array.length).set(array);
          results.push({ array, length: array.length, address });
        }),
      output: (array, length) => place(array, length, (address) => void results.push({ array, length, address })),
    });
    for (const { array, length, address } of results) array.set(memory.view(array, address, length));
  } finally {
    for (const block of blocks) memory.give(block);
  }
}

/** A kernel trusts its counts: what does not fit is a defect of the caller, and would overwrite something else. */
function requireLength(array: Numbers, length: number): void {
  if (array.length < length)
    throw new RangeError(`kernels: expected an array of at least ${length} numbers, found ${array.length}`);
}
