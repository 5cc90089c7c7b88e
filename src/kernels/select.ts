import type { Kernels, Precision } from './kernels.ts';
import { simdKernels } from './simd/simd-kernels.ts';

const made = new Map<Precision, Kernels>();

/** The kernels that run a network in a precision, compiled when they are first asked for: the one place where they are chosen. */
export function kernelsFor(precision: Precision): Kernels {
  const kernels = made.get(precision) ?? simdKernels(precision);
  made.set(precision, kernels);
  return kernels;
}
