/** to[k] = multiply[k] · from[k] + add[k], or from[k] itself where multiply is 0: bytes become reals.
 *  @param from      `count` bytes
 *  @param to        room for `count` reals
 *  @param multiply  addresses of `count` reals each, or both 0 */
export function widen(from: usize, count: i32, to: usize, multiply: usize, add: usize): void {
  const vectors = count & ~15;
  if (multiply === 0) for (let k = 0; k < vectors; k += 16) widenVector(from + k, to + <usize>k * sizeof<real>());
  else {
    for (let k = 0; k < vectors; k += 16) {
      const at = <usize>k * sizeof<real>();
      widenVector(from + k, to + at);
      mapVector(to + at, multiply + at, add + at);
    }
  }
  for (let k = vectors; k < count; k++) {
    const at = <usize>k * sizeof<real>();
    const value = <real>load<u8>(from + k);
    store<real>(to + at, multiply === 0 ? value : value * load<real>(multiply + at) + load<real>(add + at));
  }
}

/** Sixteen bytes. */
function widenVector(from: usize, to: usize): void {
  const bytes = v128.load(from);
  const low = i16x8.extend_low_i8x16_u(bytes);
  const high = i16x8.extend_high_i8x16_u(bytes);
  store4(to, i32x4.extend_low_i16x8_u(low));
  store4(to + 4 * sizeof<real>(), i32x4.extend_high_i16x8_u(low));
  store4(to + 8 * sizeof<real>(), i32x4.extend_low_i16x8_u(high));
  store4(to + 12 * sizeof<real>(), i32x4.extend_high_i16x8_u(high));
}

function store4(to: usize, integers: v128): void {
  if (sizeof<real>() === 4) v128.store(to, f32x4.convert_i32x4_s(integers));
  else {
    v128.store(to, f64x2.convert_low_i32x4_s(integers));
    v128.store(to, f64x2.convert_low_i32x4_s(i32x4.shuffle(integers, integers, 2, 3, 2, 3)), 16);
  }
}

/** Sixteen reals, in place. */
function mapVector(at: usize, multiply: usize, add: usize): void {
  for (const end = at + 16 * sizeof<real>(); at < end; at += 32, multiply += 32, add += 32) {
    const low = v128.add<real>(v128.mul<real>(v128.load(at), v128.load(multiply)), v128.load(add));
    const high = v128.add<real>(v128.mul<real>(v128.load(at, 16), v128.load(multiply, 16)), v128.load(add, 16));
    v128.store(at, low);
    v128.store(at, high, 16);
  }
}
