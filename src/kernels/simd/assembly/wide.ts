/** Whether V8 makes one instruction of 256 bits of two alike of 128 that work on neighbours in memory. Then registers hold twice as much, and
 *  larger shapes pay. What is summed for a number, and in which order, is the same: so are the bits.
 *
 *  V8 begins at two stores side by side and goes back from there: both must come of the same operations, in the same block, and all
 *  loads of a pair must come before its stores. So sums are stored before their lanes are added, loops ask nothing, and a sum that begins
 *  anew loads zeros. */
export declare const wide: bool;

/** Room for the sums of a wide shape, sixteen vectors. */
export const WIDE_SUMS: usize = 16 * 16;
