import { callBytes, type KernelName, kernelConstants } from '../bindings.ts';
import { type Arithmetic, type Precision, precisions } from '../kernels.ts';
import { type FieldsOf, type Frame, framesOf, writeCall } from './call.ts';
import { type Compiled, compile, importsOf, instantiate } from './compiled.ts';
import { createMemory, type KernelMemory } from './memory.ts';
import { type ScalingPreparer, scalingPreparer } from './operands.ts';
import { startThreads, type ThreadPool } from './thread-pool.ts';

/** The compiled kernels of a precision, with the threads that work on a call. */
export interface Engine extends ScalingPreparer {
  precision: Precision;
  arithmetic: Arithmetic;
  memory: KernelMemory;
  /** makes a call of a compiled kernel */
  inFrame: (call: (frame: Frame) => void) => void;
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
}

let sharedMemory: KernelMemory | undefined;

/** The one of this process: both precisions work in it. */
export const kernelMemory = (): KernelMemory => (sharedMemory ??= createMemory());

/** Below this many multiplications it takes longer to call a thread than to do its work. */
const sharedWork = 500_000;
/** Pieces a thread, so that one that comes late or is held up leaves work to the others. */
const piecesEach = [4, 3, 2];

/** How much of a range a thread takes at once: of the ways to cut it, that which leaves the busiest thread the least. */
function stepOf({ end, grain, ways = piecesEach }: CallRange, threads: number): number {
  const steps = ways.map((pieces) => Math.ceil(end / (threads * pieces) / grain) * grain);
  const most = (step: number) => Math.ceil(Math.ceil(end / step) / threads) * step;
  return steps.reduce((best, step) => (most(step) <= most(best) ? step : best));
}

/** @param threads  that may work on a call, the calling one included; the bits of the results do not depend on it
 *  @param wide     whether for registers of 256 bits; nor on this */
export function createEngine(precision: Precision, wanted: Arithmetic, threads: number, wide: boolean): Engine {
  const memory = kernelMemory();
  const inFrame = framesOf(memory);
  const fast = wanted === 'fast' ? compile(precision, wanted) : null;
  const module = fast ?? compile(precision, 'strict')!;
  const imports = importsOf(memory.memory, wide);
  const compiled = instantiate(module, imports);
  const control = memory.take(compiled.controlBytes()).address;
  memory.view(new Uint8Array(), control, compiled.controlBytes()).fill(0);
  const [room, ...others] = Array.from({ length: threads }, () => {
    const { address } = memory.take(compiled.roomBytes());
    memory.view(new Uint8Array(), address, compiled.roomBytes()).fill(0);
    return address;
  });
  const at = control + compiled.callOffset();
  const record = {
    doubles: memory.view(new Float64Array(), at, callBytes / Float64Array.BYTES_PER_ELEMENT),
    words: memory.view(new Int32Array(), at, callBytes / Int32Array.BYTES_PER_ELEMENT),
  };
  let pool: ThreadPool | undefined;
  let broken = false;

  const run: Engine['run'] = (kernel, fields, range) => {
    const { end, apart = false } = range;
    const shared = apart ? range.grain : stepOf(range, threads);
    const alone = threads === 1 || range.work < sharedWork || shared >= end;
    writeCall(kernel, fields, { end, step: alone && !apart ? end : shared }, record);
    if (alone || broken) return compiled.run(control, room!);
    pool ??= startThreads(module, imports, compiled, control, others);
    compiled.share(control, room!);
    if (awaitPieces(compiled, control, pool)) return;
    broken = true; // what is still to be done, the host does alone
    throw new Error('a thread of the kernels died at work, and what it was at is lost', {
      cause: new Error(pool.deathNote() ?? 'it left no word'),
    });
  };

  return {
    precision,
    arithmetic: fast === null ? 'strict' : 'fast',
    memory,
    inFrame,
    size: precisions[precision].BYTES_PER_ELEMENT,
    prepare: scalingPreparer(precision),
    splitBytes: compiled.splitBytes,
    run,
    call: (kernel, range, fields) => inFrame((frame) => run(kernel, fields(frame), range)),
  };
}

/** Quarters of a second without a piece done and without processor time after which a thread is taken for dead, where the system does not say
 *  which there are. Nobody who merely waits long for a large piece, or lay stopped for a while, is taken for that. */
const deadAfter = 120;
/** Microseconds of processor time in such a while that mean that somebody works: the host itself, which waits, takes less. */
const working = 2000;

/** Waits for the pieces of a shared call that others have. @returns whether all are done; else a thread has died */
function awaitPieces(compiled: Compiled, control: number, pool: ThreadPool): boolean {
  for (let silent = 0; silent < deadAfter; ) {
    const before = process.cpuUsage();
    const state = compiled.wait(control);
    if (state !== kernelConstants.NO_PROGRESS) return state === kernelConstants.ALL_DONE;
    if (pool.isMissing()) return false;
    const { user, system } = process.cpuUsage(before);
    silent = user + system < working ? silent + 1 : 0;
  }
  return false;
}
