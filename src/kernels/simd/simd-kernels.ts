import type { Arithmetic, Kernels, Precision } from '../kernels.ts';
import { isWide } from './compiled.ts';
import { kernelsOn } from './engine-kernels.ts';
import { createEngine } from './threaded-engine.ts';

/** The kernels in WebAssembly, four float32 or two float64 at a time, or twice as many where V8 has registers for them. Every machine computes the same bits, with any
 *  number of threads; the fast ones may round otherwise on another machine, and are the strict ones where Node lacks relaxed SIMD. */
export function simdKernels(precision: Precision, threads = 1, arithmetic: Arithmetic = 'strict', wide = isWide): Kernels {
  return kernelsOn(createEngine(precision, arithmetic, threads, wide));
}
