/** sum + a · b: rounded twice, as plain SIMD defines it to the bit; in the fast kernels in one instruction where the machine has one, and
 *  then rounded once. */
export function addProduct(sum: v128, a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<real>(a, b, sum);
  return v128.add<real>(sum, v128.mul<real>(a, b));
}
