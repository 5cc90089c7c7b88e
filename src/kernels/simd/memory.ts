import { requireAddresses } from '../../machine-memory.ts';
import { type Block, createFreeList } from './free-list.ts';

/** The memory that the compiled kernels see: one for the process, shared, so that its views survive its growth. */
export interface KernelMemory {
  memory: WebAssembly.Memory;
  /** Room for some bytes, aligned to cache lines, holding whatever was there. @throws RangeError where memory ends */
  take(bytes: number): Block;
  give(block: Block): void;
  /** A view of the same kind as an array. */
  view<T extends Float32Array | Float64Array | Int32Array | Uint8Array>(like: T, address: number, length: number): T;
  /** The number of 64 bits at an address. */
  numberAt(address: number): number;
  /** Where an array lies in this memory; null for an array that lies elsewhere. */
  addressOf(array: ArrayBufferView): number | null;
  /** Whether some bytes can be had without coming near the end of what a memory can hold. */
  hasRoom(bytes: number): boolean;
}

const page = 65_536;
const maximumPages = 65_536;
const arrayKinds = [Float64Array, Float32Array, Int32Array, Uint8Array] as const;

/** Pixels beyond this stay outside, and leave the last quarter to weights and batches. */
export const pixelLimit = 3 * 2 ** 30;
const line = 64;
/** Bytes at the beginning that stay zeros: sums begin from them (assembly/tiles.ts), and no address is 0. */
const zeros = 256;

/** Addresses that JavaScript's own memory may still want beside this one. */
export const spareAddresses = 0.5e9;

export function createMemory(): KernelMemory {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: maximumPages, shared: true });
  requireAddresses(spareAddresses, 'what the kernels work on');
  // a memory that grows gets a new buffer object over the same bytes; views of the old ones stay good
  const buffers = new WeakSet<object>([memory.buffer]);
  const free = createFreeList({ start: zeros, end: page });
  let used = 0;
  let numbers = new Float64Array(memory.buffer);

  function grow(bytes: number): void {
    const end = memory.buffer.byteLength;
    // at least an eighth more, so that growing is rare
    const pages = Math.min(Math.ceil(Math.max(bytes, end / 8) / page), maximumPages - end / page);
    memory.grow(Math.max(pages, Math.ceil(bytes / page)));
    buffers.add(memory.buffer);
    free.give({ address: end, bytes: memory.buffer.byteLength - end });
  }

  return {
    memory,
    take(wanted) {
      const bytes = Math.max(1, Math.ceil(wanted / line)) * line;
      let block = free.take(bytes);
      if (block === null) {
        grow(bytes);
        block = free.take(bytes)!;
      }
      used += bytes;
      return block;
    },
    give(block) {
      used -= block.bytes;
      free.give(block);
    },
    view<T extends ArrayBufferView>(like: T, address: number, length: number) {
      // not `like.constructor`: that of Node's Buffer, a Uint8Array too, takes no such arguments
      const View = arrayKinds.find((kind) => like instanceof kind) as unknown as new (
        buffer: ArrayBufferLike,
        offset: number,
        length: number,
      ) => T;
      return new View(memory.buffer, address, length);
    },
    numberAt(address) {
      if (numbers.byteLength < memory.buffer.byteLength) numbers = new Float64Array(memory.buffer);
      return numbers[address / numbers.BYTES_PER_ELEMENT]!;
    },
    addressOf: (array) => (buffers.has(array.buffer) ? array.byteOffset : null),
    hasRoom: (bytes) => used + bytes <= pixelLimit,
  };
}
