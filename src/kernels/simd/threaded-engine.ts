import { requireAddresses } from '../../machine-memory.ts';
import { kernelConstants } from '../bindings.ts';
import type { Arithmetic, Precision } from '../kernels.ts';
import { type Compiled, compile, importsOf, instantiate } from './compiled.ts';
import { type Crew, type Engine, engineOf } from './engine.ts';
import { type KernelMemory, kernelMemoryOver, maximumPages } from './memory.ts';
import { spareAddresses, startThreads, type ThreadPool } from './thread-pool.ts';

let sharedMemory: KernelMemory | undefined;

/** The one of this process: both precisions work in it. */
export const kernelMemory = (): KernelMemory => (sharedMemory ??= createMemory());

/** A memory that threads share, so that its views survive its growth. @throws UserError (usage) where a limit on addresses leaves no room beside it */
export function createMemory(): KernelMemory {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: maximumPages, shared: true });
  requireAddresses(spareAddresses, 'what the kernels work on');
  return kernelMemoryOver(memory);
}

/** The engine of Node.
 *  @param threads  that may work on a call, the calling one included; the bits of the results do not depend on it
 *  @param wide     whether for registers of 256 bits; nor on this */
export function createEngine(precision: Precision, wanted: Arithmetic, threads: number, wide: boolean): Engine {
  const memory = kernelMemory();
  const fast = wanted === 'fast' ? compile(precision, wanted) : null;
  const module = fast ?? compile(precision, 'strict')!;
  const imports = importsOf(memory.memory, wide);
  const compiled = instantiate(module, imports);
  let pool: ThreadPool | undefined;
  let broken = false;
  const crew: Crew = {
    share(control, room) {
      compiled.share(control, room);
      if (awaitPieces(compiled, control, pool!)) return;
      broken = true; // what is still to be done, the host does alone
      throw new Error('a thread of the kernels died at work, and what it was at is lost', {
        cause: new Error(pool!.deathNote() ?? 'it left no word'),
      });
    },
  };
  return engineOf({
    precision,
    arithmetic: fast === null ? 'strict' : 'fast',
    memory,
    compiled,
    threads,
    crew(control, rooms) {
      if (broken) return null;
      pool ??= startThreads(module, imports, compiled, control, rooms);
      return crew;
    },
  });
}

/** Quarters of a second without a piece done and without processor time after which a thread is taken for dead, where the system does not say
 *  which there are. Nobody who merely waits long for a large piece, or lay stopped for a while, is taken for that. */
const deadAfter = 120;
/** Microseconds of processor time in such a while that mean that somebody works: the host itself, which waits, takes less. */
const working = 2000;

/** Waits for the pieces of a shared call that others have. @returns whether all are done; else a thread has died */
function awaitPieces(compiled: Compiled, control: number, pool: ThreadPool): boolean {
  let before: NodeJS.CpuUsage | null = null; // hardly a call takes so long that it is asked for
  for (let silent = 0; silent < deadAfter; ) {
    const state = compiled.wait(control);
    if (state !== kernelConstants.NO_PROGRESS) return state === kernelConstants.ALL_DONE;
    if (pool.isMissing()) return false;
    if (before !== null) {
      const { user, system } = process.cpuUsage(before);
      silent = user + system < working ? silent + 1 : 0;
    }
    before = process.cpuUsage();
  }
  return false;
}
