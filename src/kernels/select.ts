import { availableParallelism } from 'node:os';
import { UserError } from '../errors.ts';
import type { Arithmetic, Kernels, Precision } from './kernels.ts';
import { simdKernels } from './simd/simd-kernels.ts';

const made = new Map<string, Kernels>();
let threads: number | undefined;

/** The kernels that run a network in a precision, compiled when they are first asked for: the one place where they are chosen. */
export function kernelsFor(precision: Precision, arithmetic: Arithmetic = 'strict'): Kernels {
  threads ??= threadsOf(undefined, process.env);
  const name = `${precision} ${arithmetic}`;
  const kernels = made.get(name) ?? simdKernels(precision, threads, arithmetic);
  made.set(name, kernels);
  return kernels;
}

/** Fixes how many threads the kernels of this process have; called before the first of them are made. No result depends on it.
 *  @param flag  --threads, which goes before NN_THREADS
 *  @returns how many
 *  @throws UserError (usage) */
export function useThreads(flag: number | undefined, environment: NodeJS.ProcessEnv): number {
  threads = threadsOf(flag, environment);
  return threads;
}

export const mostThreads = 256;

/** A flag, else NN_THREADS, else as many as there are processors.
 *  @throws UserError (usage) */
export function threadsOf(flag: number | undefined, { NN_THREADS: text }: NodeJS.ProcessEnv): number {
  if (flag !== undefined) return flag;
  if (text === undefined || text === '') return Math.min(mostThreads, availableParallelism());
  const threads = Number(text);
  if (Number.isInteger(threads) && threads >= 1 && threads <= mostThreads) return threads;
  throw new UserError('usage', `NN_THREADS: expected a whole number from 1 to ${mostThreads}, found ${JSON.stringify(text)}`);
}
