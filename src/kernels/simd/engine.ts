import { callBytes, type KernelName } from '../bindings.ts';
import { type Arithmetic, type Precision, precisions } from '../kernels.ts';
import { type CallRecord, type FieldsOf, type Frame, framesOf, nextWord, stepWord, writeCall } from './call.ts';
import type { KernelMemory } from './memory.ts';
import { type ScalingPreparer, scalingPreparer } from './operands.ts';

/** The compiled kernels of a precision, with the threads that work on a call. */
export interface Engine extends ScalingPreparer {
  precision: Precision;
  arithmetic: Arithmetic;
  threads: number;
  memory: KernelMemory;
  /** makes a call of a compiled kernel */
  inFrame: (call: (frame: Frame) => void) => void;
  /** Makes calls of which those that run over examples (`CallRange.examples`) wait, until one comes that does not: a thread then makes all of them for its examples, which stay
   *  in its cache, and waits for the others once. What lies between them must be made by such calls alone. */
  perExample(examples: number, calls: () => void): void;
  /** bytes of a number */
  size: number;
  /** Calls a kernel with its own fields, no others, over a range of its result. Fields that begin with a spread cost V8 3 µs, named ones before
   *  it almost nothing. */
  run<K extends KernelName, Given extends FieldsOf<K>>(kernel: K, fields: Exactly<FieldsOf<K>, Given>, range: CallRange): void;
  /** The same with a frame of its own. */
  call<K extends KernelName, Given extends FieldsOf<K>>(
    kernel: K,
    range: CallRange,
    fields: (frame: Frame) => Exactly<FieldsOf<K>, Given>,
  ): void;
  /** room for `count` split numbers */
  splitBytes(count: number): number;
}

/** A spread may bring no name that is not wanted either. */
type Exactly<Wanted, Given extends Wanted> = Given & Record<Exclude<keyof Given, keyof Wanted>, never>;

/** The result of a call, from 0 to `end`: examples, columns, numbers … as its kernel says; and how threads may share it. */
export interface CallRange {
  end: number;
  /** pieces begin at multiples of this */
  grain: number;
  /** whether each of these is a piece by itself: where they are few and long */
  apart?: boolean;
  /** how many pieces a thread may have, where it matters: each piece begins with work of its own */
  ways?: readonly number[];
  /** multiplications, which say whether sharing pays */
  work: number;
  /** the examples that it runs over, with the same part of it each, where what comes out for an example depends on that example alone */
  examples?: number;
}

/** What one thread alone asks of the compiled kernels: what assembly/alone.ts exports. */
export interface CompiledAlone {
  controlBytes(): number;
  callOffset(): number;
  /** of a thread's own room, zeros at first; its first word is 1 while it may hold a piece */
  roomBytes(): number;
  /** room for `count` split numbers */
  splitBytes(count: number): number;
  run(control: number, room: number): void;
}

/** Other threads: each has a room. */
export interface Crew {
  /** Makes the call that the host has written, together with them. */
  share(control: number, room: number): void;
}

/** What an engine is made of. */
export interface EngineParts {
  precision: Precision;
  arithmetic: Arithmetic;
  memory: KernelMemory;
  compiled: CompiledAlone;
  /** that may work on a call, the calling one included; the bits of the results do not depend on it */
  threads: number;
  /** starts the others, when the first call is shared. @returns null where no call can be shared any more */
  crew(control: number, rooms: readonly number[]): Crew | null;
}

/** Below this many multiplications it takes longer to call a thread than to do its work. */
const sharedWork = 500_000;
/** Pieces a thread, so that one that comes late or is held up leaves work to the others. */
const piecesEach = [4, 3, 2];

/** Examples a thread that are shared instead of each call: with fewer some threads would wait long for others, or have none. */
const leastEach = 4;

/** How much of a range a thread takes at once: of the ways to cut it, that which leaves the busiest thread the least. */
function stepOf({ end, grain, ways = piecesEach }: CallRange, threads: number): number {
  const steps = ways.map((pieces) => Math.ceil(end / (threads * pieces) / grain) * grain);
  const most = (step: number) => Math.ceil(Math.ceil(end / step) / threads) * step;
  return steps.reduce((best, step) => (most(step) <= most(best) ? step : best));
}

/** An engine wherever it runs: what differs from place to place is in its parts. */
export function engineOf({ precision, arithmetic, memory, compiled, threads, crew }: EngineParts): Engine {
  const { inFrame, inOneFrame } = framesOf(memory, runChain);
  const control = memory.take(compiled.controlBytes()).address;
  memory.view(new Uint8Array(), control, compiled.controlBytes()).fill(0);
  const [room, ...others] = Array.from({ length: threads }, () => {
    const { address } = memory.take(compiled.roomBytes());
    memory.view(new Uint8Array(), address, compiled.roomBytes()).fill(0);
    return address;
  });
  const recordAt = (address: number): CallRecord => ({
    doubles: memory.view(new Float64Array(), address, callBytes / Float64Array.BYTES_PER_ELEMENT),
    words: memory.view(new Int32Array(), address, callBytes / Int32Array.BYTES_PER_ELEMENT),
  });
  const record = recordAt(control + compiled.callOffset());
  const chain = { examples: 0, length: 0, work: 0 };
  const links: { address: number; record: CallRecord }[] = [];
  const linkAt = (i: number) => {
    if (i === links.length) {
      const { address } = memory.take(callBytes);
      links.push({ address, record: recordAt(address) });
    }
    return links[i]!;
  };

  function runRecord(range: CallRange): void {
    const { end, apart = false } = range;
    const shared = apart ? range.grain : stepOf(range, threads);
    const alone = threads === 1 || range.work < sharedWork || shared >= end;
    record.words[stepWord] = alone && !apart ? end : shared;
    const together = alone ? null : crew(control, others);
    if (together === null) compiled.run(control, room!);
    else together.share(control, room!);
  }

  /** Makes the calls that wait. */
  function runChain(): void {
    const { examples, length, work } = chain;
    if (length === 0) return;
    Object.assign(chain, { length: 0, work: 0 });
    record.words.set(links[0]!.record.words);
    runRecord({ end: examples, grain: 1, ways: [2, 1], work });
  }

  const run: Engine['run'] = (kernel, fields, range) => {
    const { examples = 0, end, work } = range;
    if (examples > 0 && examples === chain.examples) {
      const link = linkAt(chain.length);
      writeCall(kernel, fields, { end: examples, step: 0, each: end / examples, next: 0 }, link.record);
      if (chain.length > 0) links[chain.length - 1]!.record.words[nextWord] = link.address;
      chain.length++;
      chain.work += work;
      return;
    }
    runChain();
    writeCall(kernel, fields, { end, step: 0, each: 1, next: 0 }, record);
    runRecord(range);
  };

  return {
    precision,
    arithmetic,
    threads,
    memory,
    inFrame,
    perExample(examples, calls) {
      if (threads === 1 || examples < leastEach * threads || chain.examples > 0) return calls();
      chain.examples = examples;
      try {
        inOneFrame(calls);
      } finally {
        Object.assign(chain, { examples: 0, length: 0, work: 0 });
      }
    },
    size: precisions[precision].BYTES_PER_ELEMENT,
    prepare: scalingPreparer(precision),
    splitBytes: compiled.splitBytes,
    run,
    call: (kernel, range, fields) => inFrame((frame) => run(kernel, fields(frame), range)),
  };
}
