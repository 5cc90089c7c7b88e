import { callFields, type callHeader, type KernelName, kernelNames, layoutOf, sizeOf } from '../bindings.ts';
import type { Floats } from '../kernels.ts';
import type { Block, KernelMemory } from './memory.ts';

type FieldsInTable<K extends KernelName> = (typeof callFields)[K];

/** What a kernel is called with: its own fields, by name. Addresses are numbers. */
export type FieldsOf<K extends KernelName> = {
  [F in keyof FieldsInTable<K>]: FieldsInTable<K>[F] extends 'flag' ? boolean : number;
};

/** Where the host writes a call, as numbers of 64 and of 32 bits: the same bytes. */
export interface CallRecord {
  doubles: Float64Array;
  words: Int32Array;
}

interface Layout {
  number: number;
  /** fields, each with where it is written */
  doubles: readonly { name: string; at: number }[];
  words: readonly { name: string; at: number }[];
}

const layouts = {} as Record<KernelName, Layout>;
for (const [number, kernel] of kernelNames.entries()) {
  const placed = layoutOf(callFields[kernel]);
  const ofSize = (bytes: number) =>
    placed.filter(({ type }) => sizeOf(type) === bytes).map(({ name, offset }) => ({ name, at: offset / bytes }));
  layouts[kernel] = { number, doubles: ofSize(8), words: ofSize(4) };
}

/** Words of the header that are written later. */
export const [stepWord, nextWord] = [2, 4];

/** Writes a call where the threads read it. */
export function writeCall<K extends KernelName>(
  kernel: K,
  fields: FieldsOf<K>,
  header: Record<Exclude<keyof typeof callHeader, 'kernel'>, number>,
  { doubles, words }: CallRecord,
): void {
  const values = fields as Record<string, number>; // a flag becomes 0 or 1 as it is stored
  const layout = layouts[kernel];
  words[0] = layout.number;
  words[1] = header.end;
  words[stepWord] = header.step;
  words[3] = header.each;
  words[nextWord] = header.next;
  for (const { name, at } of layout.doubles) doubles[at] = values[name]!;
  for (const { name, at } of layout.words) words[at] = values[name]!;
}

type Numbers = Floats | Uint8Array | Int32Array;

/** The arguments of one call of a compiled kernel, as addresses: arrays that lie elsewhere are copied in, and results out; 0 for none. */
export interface Frame {
  /** Where the first `length` entries of an array are to be read. */
  input(array: Numbers | null, length: number): number;
  /** Where the first `length` entries of an array are to be written; what they held is not there. */
  output(array: Floats | Uint8Array, length: number): number;
  /** Where all entries of an array are to be read and overwritten. */
  inOut(array: Floats | null): number;
  /** Room that ends with the call. */
  room(bytes: number): number;
}

export interface Frames {
  /** Makes calls: once one is done results go where they belong, and room is given back. A call may make others. */
  inFrame(call: (frame: Frame) => void): void;
  /** Makes calls that wait for each other: what they take is given back after the last. */
  inOneFrame(calls: () => void): void;
}

/** @param finish  makes the calls that wait */
export function framesOf(memory: KernelMemory, finish: () => void): Frames {
  // a step makes some twenty calls, so frames are kept: one for each call that is under way
  const frames: Keeper[] = [];
  let depth = 0;
  let common: Keeper | null = null;
  function withFrame(work: (keeper: Keeper) => void): void {
    const keeper = (frames[depth] ??= createFrame(memory));
    depth++;
    try {
      work(keeper);
      keeper.deliver();
    } finally {
      depth--;
      keeper.clear();
    }
  }
  return {
    inFrame(call) {
      if (common === null) return withFrame(({ frame }) => call(frame));
      call(common.frame);
      // what lies elsewhere is read there by the next call
      if (!common.hasResults()) return;
      finish();
      common.deliver();
    },
    inOneFrame(calls) {
      withFrame((keeper) => {
        common = keeper;
        try {
          calls();
          finish();
        } finally {
          common = null;
        }
      });
    },
  };
}

interface Keeper {
  frame: Frame;
  hasResults(): boolean;
  /** Puts results where they belong, once. */
  deliver(): void;
  clear(): void;
}

function createFrame(memory: KernelMemory): Keeper {
  const blocks: Block[] = [];
  const results: { array: Floats | Uint8Array; length: number; address: number }[] = [];

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
        if (array === null) return 0;
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
      inOut(array) {
        if (array === null) return 0;
        const own = memory.addressOf(array);
        if (own !== null) return own;
        const address = roomFor(array, array.length);
        memory.view(array, address, array.length).set(array);
        results.push({ array, length: array.length, address });
        return address;
      },
    },
    hasResults: () => results.length > 0,
    deliver() {
      for (const { array, length, address } of results) array.set(memory.view(array, address, length));
      results.length = 0;
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
