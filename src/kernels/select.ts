import { availableParallelism } from 'node:os';
import { UserError } from '../errors.ts';
import type { Kernels, Precision } from './kernels.ts';
import { simdKernels } from './simd/simd-kernels.ts';

const made = new Map<Precision, Kernels>();

/** The kernels that run a network in a precision, compiled when they are first asked for: the one place where they are chosen. */
export function kernelsFor(precision: Precision): Kernels {
  const kernels = made.get(precision) ?? simdKernels(precision, threadsOf(process.env));
  made.set(precision, kernels);
  return kernels;
}

const mostThreads = 256;

/** NN_THREADS, or as many as there are processors.
 *  @throws UserError (usage) */
export function threadsOf(environment: NodeJS.ProcessEnv): number {
  const text = environment.NN_THREADS;
  if (text === undefined || text === '') return Math.min(mostThreads, availableParallelism());
  const threads = Number(text);
  if (Number.isInteger(threads) && threads >= 1 && threads <= mostThreads) return threads;
  throw new UserError('usage', `NN_THREADS: expected a whole number from 1 to ${mostThreads}, found ${JSON.stringify(text)}`);
}
