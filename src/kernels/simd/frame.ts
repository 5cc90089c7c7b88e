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

/** Makes calls: once one is done results go where they belong, and room is given back. A call may make others. */
export function framesOf(memory: KernelMemory): (call: (frame: Frame) => void) => void {
  // a step makes some twenty calls, so frames are kept: one for each call that is under way
  const frames: Keeper[] = [];
  let depth = 0;
  return (call) => {
    const frame = (frames[depth] ??= createFrame(memory));
    depth++;
    try {
      call(frame.frame);
      frame.deliver();
    } finally {
      depth--;
      frame.clear();
    }
  };
}

interface Keeper {
  frame: Frame;
  deliver(): void;
  clear(): void;
}

function createFrame(memory: KernelMemory): Keeper {
  const blocks: Block[] = [];
  const results: { array: Floats; length: number; address: number }[] = [];

  function room(bytes: number): number {
    const block = memory.take(bytes);
    blocks.push(block);
    return block.address;
  }

  /** Room for an array that lies elsewhere. */
  const roomFor = (array: Numbers, length: number) => room(length * array.BYTES_PER_ELEMENT);

  return {
    frame: {
      room,
      input(array, length) {
        requireLength(array, length);
        const own = memory.addressOf(array);
        if (own !== null) return own;
        const address = roomFor(array, length);
        memory.view(array, address, length).set(array.subarray(0, length));
        return address;
      },
      output(array, length) {
        requireLength(array, length);
        const own = memory.addressOf(array);
        if (own !== null) return own;
        const address = roomFor(array, length);
        results.push({ array, length, address });
        return address;
      },
      update(array) {
        const own = memory.addressOf(array);
        if (own !== null) return own;
        const address = roomFor(array, array.length);
        memory.view(array, address, array.length).set(array);
        results.push({ array, length: array.length, address });
        return address;
      },
    },
    deliver() {
      for (const { array, length, address } of results) array.set(memory.view(array, address, length));
    },
    clear() {
      for (const block of blocks) memory.give(block);
      blocks.length = 0;
      results.length = 0;
    },
  };
}

/** A kernel trusts its counts: what does not fit is a defect of the caller, and would overwrite something else. */
function requireLength(array: Numbers, length: number): void {
  if (array.length < length)
    throw new RangeError(`kernels: expected an array of at least ${length} numbers, found ${array.length}`);
}
