/** Examples that are widened and worked on together. */
export const EXAMPLES: i32 = 64;
/** Columns (features) that are widened and worked on together where sums run over examples: 64 examples of them stay in the
 *  first-level cache. */
export const COLUMNS: i32 = sizeof<real>() === 4 ? 96 : 48;

/** Reals in a vector. */
export function lanes(): i32 {
  return 16 / sizeof<real>();
}

/** Bytes from one widened row to the next. The odd cache line keeps rows out of each other's cache sets. */
export function tileStride(): usize {
  return COLUMNS * sizeof<real>() + 64;
}

export function smaller(a: i32, b: i32): i32 {
  return a < b ? a : b;
}

/** Where there are zeros for sums to begin from: 256 bytes that nobody is given (memory.ts beside this folder). A sum that begins anew differs
 *  from one that goes on in its address alone. */
export const ZEROS: usize = 0;
