import type { FloatBatch, Floats } from '../kernels/kernels.ts';
import { referenceKernels } from '../kernels/reference.ts';

/** What the operations of a step should come to, by the reference in float64, and how far rounding may carry kernels from it. Rows are examples; all that
 *  an operation takes is what the kernels themselves had (training/check-step.ts). */

export interface Expected {
  values: Float64Array;
  /** of each value: how far off it may be */
  bounds: Float64Array;
}

/** How kernels round. */
export interface Rounding {
  /** of one number: 2⁻²⁴ in float32 */
  unit: number;
  /** of a sum of n products, as a share of the norms of what is multiplied: errors of n roundings add up like √n of them, and some are left over
   *  for sums whose terms are all of one sign */
  sum(n: number): number;
  /** below this a number has no digits left */
  floor: number;
}

export function roundingOf(unit: number, floor: number): Rounding {
  return { unit, sum: (n) => 8 * unit * (Math.sqrt(n) + 4), floor };
}

/** What a layer has below it. */
export interface Inputs {
  rows: FloatBatch;
  /** of each example: the norm of what it is made of, and the largest of it */
  norms: Float64Array;
  largest: Float64Array;
}

export const reference = referenceKernels('float64');

/** @param parts  as long as `values`: what each is the sum of, signs taken away */
export function inputsOf(values: Floats, parts: Floats, count: number, features: number): Inputs {
  const row = (d: number) => parts.subarray(d * features, (d + 1) * features);
  const largest = Float64Array.from({ length: count }, (_, d) => largestOf(row(d)));
  const norms = Float64Array.from({ length: count }, (_, d) => norm(row(d)));
  return { rows: { kind: 'floats', values, count, features }, norms, largest };
}

export function expectedOf(length: number): Expected {
  return { values: new Float64Array(length), bounds: new Float64Array(length) };
}

export function put(expected: Expected, at: number, value: number, bound: number): void {
  expected.values[at] = value;
  expected.bounds[at] = bound;
}

export function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}

export function largestOf(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}

/** ‖a − b‖ */
export function distance(a: Floats, b: Floats): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) * (a[i]! - b[i]!);
  return Math.sqrt(sum);
}
