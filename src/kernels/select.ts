import type { Kernels, Precision } from './kernels.ts';
import { referenceKernels } from './reference.ts';

/** The kernels that run a network in a precision: the one place where they are chosen. */
export function kernelsFor(precision: Precision): Kernels {
  return referenceKernels(precision);
}
