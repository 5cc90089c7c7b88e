import { kernelConstants } from '../bindings.ts';

/** A memory of WebAssembly, wherever it runs. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  /** @returns the pages that there were. @throws RangeError where it may not grow so far */
  grow(pages: number): number;
}

/** The memory that the compiled kernels see. */
export interface KernelMemory {
  memory: WasmMemory;
  /** Room for some bytes, aligned to cache lines, holding whatever was there. @throws RangeError where memory ends */
  take(bytes: number): Block;
  give(block: Block): void;
  /** A view of the same kind as an array. */
  view<T extends Float32Array | Float64Array | Int32Array | Uint8Array>(like: T, address: number, length: number): T;
  /** Sums over blocks of what each of them has left: `width` numbers of 64 bits, block after block. */
  sumBlocks(address: number, blocks: number, width: number): number[];
  /** Where an array lies in this memory; null for an array that lies elsewhere. */
  addressOf(array: ArrayBufferView): number | null;
  /** Whether some bytes can be had without coming near the end of what a memory can hold. */
  hasRoom(bytes: number): boolean;
  /** Begins to measure, which ends an earlier measurement. @returns what tells the most bytes that were taken at once since, beyond those taken now */
  measure(): () => number;
}

/** Bytes of a page of WebAssembly, and the most pages that there are. */
export const page = 65_536;
export const maximumPages = 65_536;
const arrayKinds = [Float64Array, Float32Array, Int32Array, Uint8Array] as const;

/** Pixels beyond this stay outside, and leave the last quarter to weights and batches. */
export const pixelLimit = 3 * 2 ** 30;
const line = 64;

/** Hands out what is in a memory. It grows where it may: a shared one, whose views survive that, and no other.
 *  @param memory  of one page at least, of which nothing is taken */
export function kernelMemoryOver(memory: WasmMemory): KernelMemory {
  // a shared memory that grows gets a new buffer object over the same bytes; views of the old ones stay good
  const buffers = new WeakSet<object>([memory.buffer]);
  const free = createFreeList({ start: kernelConstants.ZERO_BYTES, end: memory.buffer.byteLength });
  let [used, most] = [0, 0];
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
      if (used > most) most = used;
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
      const { buffer } = memory;
      buffers.add(buffer); // V8 may make yet another object some time after the memory grew: what lies in it lies here
      return new View(buffer, address, length);
    },
    sumBlocks(address, blocks, width) {
      if (numbers.byteLength < memory.buffer.byteLength) numbers = new Float64Array(memory.buffer);
      const sums = new Array<number>(width).fill(0);
      const first = address / numbers.BYTES_PER_ELEMENT;
      for (let i = 0; i < blocks * width; i++) sums[i % width]! += numbers[first + i]!;
      return sums;
    },
    addressOf: (array) => (buffers.has(array.buffer) ? array.byteOffset : null),
    hasRoom: (bytes) => used + bytes <= pixelLimit,
    measure() {
      const before = used;
      most = used;
      return () => most - before;
    },
  };
}

/** Some bytes of memory. */
export interface Block {
  address: number;
  bytes: number;
}

/** What is free of a memory: blocks in order of their addresses, no two of which touch. */
export interface FreeList {
  /** The first block that is large enough, cut to size; null where there is none. */
  take(bytes: number): Block | null;
  /** Takes a block back, or new memory in. */
  give(block: Block): void;
}

export function createFreeList({ start, end }: { start: number; end: number }): FreeList {
  const blocks: Block[] = [{ address: start, bytes: end - start }];
  return {
    take(bytes) {
      const at = blocks.findIndex((block) => block.bytes >= bytes);
      if (at < 0) return null;
      const { address, bytes: size } = blocks[at]!;
      if (size === bytes) blocks.splice(at, 1);
      else blocks[at] = { address: address + bytes, bytes: size - bytes };
      return { address, bytes };
    },
    give({ address, bytes }) {
      const after = blocks.findIndex((block) => block.address > address);
      const at = after < 0 ? blocks.length : after;
      const [before, next] = [blocks[at - 1], blocks[at]];
      const joinsBefore = before !== undefined && before.address + before.bytes === address;
      const joinsNext = next !== undefined && address + bytes === next.address;
      const first = joinsBefore ? before.address : address;
      const last = joinsNext ? next.address + next.bytes : address + bytes;
      const from = joinsBefore ? at - 1 : at;
      blocks.splice(from, Number(joinsBefore) + Number(joinsNext), { address: first, bytes: last - first });
    },
  };
}
