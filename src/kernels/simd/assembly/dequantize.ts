import { ByteBatch, ByteRows } from './generated/calls';

/** `columns` features of examples first … first + rows − 1, as reals, in rows that are `stride` bytes apart. */
export function dequantizeTile(
  batch: ByteBatch,
  first: i32,
  rows: i32,
  column: i32,
  columns: i32,
  tile: usize,
  stride: usize,
): void {
  const at: usize = batch.scales === 0 ? 0 : <usize>column * sizeof<real>();
  for (let r = 0; r < rows; r++) {
    const from = rowOf(batch, first + r) + <usize>column;
    dequantize(from, columns, tile + <usize>r * stride, batch.scales + at, batch.shifts + at);
  }
}

/** Where the bytes of example i lie. */
export function rowOf(batch: ByteRows, i: i32): usize {
  const row = batch.indices === 0 ? i : load<i32>(batch.indices + ((<usize>i) << 2));
  return batch.bytes + <usize>row * <usize>batch.features;
}

/** to[k] = scales[k] · from[k] + shifts[k], or from[k] itself where scales is 0: bytes become reals.
 *  @param from      `count` bytes
 *  @param to        room for `count` reals
 *  @param scales  addresses of `count` reals each, or both 0 */
export function dequantize(from: usize, count: i32, to: usize, scales: usize, shifts: usize): void {
  const vectors = count & ~15;
  if (scales === 0) for (let k = 0; k < vectors; k += 16) dequantizeVector(from + k, to + <usize>k * sizeof<real>());
  else {
    for (let k = 0; k < vectors; k += 16) {
      const at = <usize>k * sizeof<real>();
      dequantizeVector(from + k, to + at);
      scaleVector(to + at, scales + at, shifts + at);
    }
  }
  const fours = count & ~3;
  for (let k = vectors; k < fours; k += 4) {
    const at = <usize>k * sizeof<real>();
    store4(to + at, i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(from + k))));
    if (scales !== 0) scaleFour(to + at, scales + at, shifts + at);
  }
  for (let k = fours; k < count; k++) {
    const at = <usize>k * sizeof<real>();
    const value = <real>load<u8>(from + k);
    store<real>(to + at, scales === 0 ? value : value * load<real>(scales + at) + load<real>(shifts + at));
  }
}

/** Sixteen bytes. */
function dequantizeVector(from: usize, to: usize): void {
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

/** Four reals, in place. */
function scaleFour(at: usize, scales: usize, shifts: usize): void {
  for (const end = at + 4 * sizeof<real>(); at < end; at += 16, scales += 16, shifts += 16)
    v128.store(at, v128.add<real>(v128.mul<real>(v128.load(at), v128.load(scales)), v128.load(shifts)));
}

/** Sixteen reals, in place. */
function scaleVector(at: usize, scales: usize, shifts: usize): void {
  for (const end = at + 16 * sizeof<real>(); at < end; at += 32, scales += 32, shifts += 32) {
    const low = v128.add<real>(v128.mul<real>(v128.load(at), v128.load(scales)), v128.load(shifts));
    const high = v128.add<real>(v128.mul<real>(v128.load(at, 16), v128.load(scales, 16)), v128.load(shifts, 16));
    v128.store(at, low);
    v128.store(at, high, 16);
  }
}
