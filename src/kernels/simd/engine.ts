import { type Arithmetic, type InputScaling, type Precision, precisions } from '../kernels.ts';
import { type Compiled, compile, importsOf, instantiate, waits } from './compiled.ts';
import { type Frame, framesOf } from './frame.ts';
import { mapPreparer, type PreparedMap } from './input-map.ts';
import { type Job, jobNumbers, jobWords, writeJob } from './job.ts';
import { createMemory, type KernelMemory } from './memory.ts';
import { startThreads, type Threads } from './threads.ts';

/** The compiled kernels of a precision, with the threads that work on a job. */
export interface Engine {
  precision: Precision;
  arithmetic: Arithmetic;
  memory: KernelMemory;
  /** makes a call of a compiled kernel */
  inFrame: (call: (frame: Frame) => void) => void;
  /** bytes of a number */
  size: number;
  prepare: (scaling: InputScaling) => PreparedMap;
  run(job: Job): void;
  /** room for `count` split numbers */
  splitBytes(count: number): number;
}

/** Both precisions work in one memory. */
let sharedMemory: KernelMemory | undefined;

/** Below this many multiplications it takes longer to call a thread than to do its work. */
const sharedWork = 500_000;
/** Pieces a thread, so that one that comes late or is held up leaves work to the others. */
const piecesEach = [4, 3, 2];

/** How much of a job's range a thread takes at once: of the ways to cut it, that which leaves the busiest thread the least.
 *  @param way  how many pieces a thread may have */
export function stepOf({ first = 0, end, grain }: Job, threads: number, ways: readonly number[] = piecesEach): number {
  const steps = ways.map((pieces) => Math.ceil((end - first) / (threads * pieces) / grain) * grain);
  const most = (step: number) => Math.ceil(Math.ceil((end - first) / step) / threads) * step;
  return steps.reduce((best, step) => (most(step) <= most(best) ? step : best));
}

/** @param threads  that may work on a job, the calling one included; the bits of the results do not depend on it
 *  @param wide     whether for registers of 256 bits; nor on this */
export function createEngine(precision: Precision, wanted: Arithmetic, threads: number, wide: boolean): Engine {
  const memory = (sharedMemory ??= createMemory());
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
  const at = control + compiled.jobOffset();
  const numbers = memory.view(new Float64Array(), at, jobNumbers);
  const words = memory.view(new Int32Array(), at + numbers.byteLength, jobWords);
  let team: Threads | undefined;
  let broken = false;

  return {
    precision,
    arithmetic: fast === null ? 'strict' : 'fast',
    memory,
    inFrame,
    size: precisions[precision].BYTES_PER_ELEMENT,
    prepare: mapPreparer(precision),
    splitBytes: compiled.splitBytes,
    run(job) {
      const length = job.end - (job.first ?? 0);
      const shared = job.apart ? job.grain : stepOf(job, threads, job.ways);
      const alone = threads === 1 || job.work < sharedWork || shared >= length;
      writeJob(job, numbers, words, alone && !job.apart ? length : shared);
      if (alone || broken) return compiled.run(control, room!);
      team ??= startThreads(module, imports, compiled, control, others);
      compiled.share(control, room!);
      if (awaitPieces(compiled, control, team)) return;
      broken = true; // what is still to be done, the host does alone
      throw new Error('a thread of the kernels died at work, and what it was at is lost', {
        cause: new Error(team.deathNote() ?? 'it left no word'),
      });
    },
  };
}

/** Quarters of a second without a piece done and without processor time after which a thread is taken for dead, where the system does not say
 *  which there are. Nobody who merely waits long for a large piece, or lay stopped for a while, is taken for that. */
const deadAfter = 120;
/** Microseconds of processor time in such a while that mean that somebody works: the host itself, which waits, takes less. */
const working = 2000;

/** Waits for the pieces of a shared job that others have. @returns whether all are done; else a thread has died */
function awaitPieces(compiled: Compiled, control: number, team: Threads): boolean {
  for (let silent = 0; silent < deadAfter; ) {
    const before = process.cpuUsage();
    const state = compiled.wait(control);
    if (state !== waits.noProgress) return state === waits.allDone;
    if (team.isMissing()) return false;
    const { user, system } = process.cpuUsage(before);
    silent = user + system < working ? silent + 1 : 0;
  }
  return false;
}
