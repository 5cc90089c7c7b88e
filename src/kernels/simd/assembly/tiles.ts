import { COLUMN_BYTES } from './generated/calls';

/** Sizes that the products have in common, and how a product is added. */

/** Columns (features) of COLUMN_BYTES. */
export const COLUMNS: i32 = COLUMN_BYTES / <i32>sizeof<real>();

/** Reals in a vector. */
export function lanes(): i32 {
  return 16 / sizeof<real>();
}

/** Bytes from one dequantized row to the next. The odd cache line keeps rows out of each other's cache sets. */
export function tileStride(): usize {
  return COLUMNS * sizeof<real>() + 64;
}

export function smaller(a: i32, b: i32): i32 {
  return a < b ? a : b;
}

/** Where there are zeros for sums to begin from: ZERO_BYTES that nobody is given (memory.ts beside this folder). A sum that begins anew differs
 *  from one that goes on in its address alone. */
export const ZEROS: usize = 0;

/** Whether V8 makes one instruction of 256 bits of two alike of 128 that work on neighbours in memory. Then registers hold twice as much, and
 *  larger shapes pay. What is summed for a number, and in which order, is the same: so are the bits.
 *
 *  V8 begins at two stores side by side and goes back from there: both must come of the same operations, in the same block, and all
 *  loads of a pair must come before its stores. So sums are stored before their lanes are added, loops ask nothing, and a sum that begins
 *  anew loads zeros. */
export declare const wide: bool;

/** Room for the sums of a wide shape, sixteen vectors. */
export const WIDE_SUMS: usize = 16 * 16;

/** sum + a · b: rounded twice, as plain SIMD defines it to the bit; in the fast kernels in one instruction where the machine has one, and
 *  then rounded once. */
export function addProduct(sum: v128, a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<real>(a, b, sum);
  return v128.add<real>(sum, v128.mul<real>(a, b));
}
