import { ByteBatch, ByteRows } from './generated/calls';

/** `columns` features of examples first … first + rows − 1, as reals, in rows that are `stride` bytes apart: scales[k] · byte[k] + shifts[k], or the byte itself where
 *  scales is 0. The loop over the rows has the sixteens within, since a function that is called for each row cost a first layer 4% of its step. */
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
  const scales = batch.scales + at;
  const shifts = batch.shifts + at;
  const vectors = columns & ~15;
  for (let r = 0; r < rows; r++) {
    const from = rowOf(batch, first + r) + <usize>column;
    const to = tile + <usize>r * stride;
    if (scales === 0) for (let k = 0; k < vectors; k += 16) dequantizeVector(from + k, to + <usize>k * sizeof<real>());
    else {
      for (let k = 0; k < vectors; k += 16) {
        const at = <usize>k * sizeof<real>();
        scaleVector(from + k, to + at, scales + at, shifts + at);
      }
    }
    if (vectors < columns) dequantizeFew(from, vectors, columns, to, scales, shifts);
  }
}

/** Where the bytes of example i lie. */
export function rowOf(batch: ByteRows, i: i32): usize {
  const row = batch.indices === 0 ? i : load<i32>(batch.indices + ((<usize>i) << 2));
  return batch.bytes + <usize>row * <usize>batch.features;
}

/** Those after the last sixteen. */
function dequantizeFew(from: usize, first: i32, count: i32, to: usize, scales: usize, shifts: usize): void {
  const fours = count & ~3;
  for (let k = first; k < fours; k += 4) {
    const at = <usize>k * sizeof<real>();
    const four = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(from + k)));
    if (scales === 0) store4(to + at, four);
    else scale4(to + at, four, scales + at, shifts + at);
  }
  for (let k = fours; k < count; k++) {
    const at = <usize>k * sizeof<real>();
    const value = <real>load<u8>(from + k);
    store<real>(to + at, scales === 0 ? value : value * load<real>(scales + at) + load<real>(shifts + at));
  }
}

const FOUR: usize = 4 * sizeof<real>();

/** Sixteen bytes. */
function dequantizeVector(from: usize, to: usize): void {
  const bytes = v128.load(from);
  const low = i16x8.extend_low_i8x16_u(bytes);
  const high = i16x8.extend_high_i8x16_u(bytes);
  store4(to, i32x4.extend_low_i16x8_u(low));
  store4(to + FOUR, i32x4.extend_high_i16x8_u(low));
  store4(to + 2 * FOUR, i32x4.extend_low_i16x8_u(high));
  store4(to + 3 * FOUR, i32x4.extend_high_i16x8_u(high));
}

/** The same, scaled. */
function scaleVector(from: usize, to: usize, scales: usize, shifts: usize): void {
  const bytes = v128.load(from);
  const low = i16x8.extend_low_i8x16_u(bytes);
  const high = i16x8.extend_high_i8x16_u(bytes);
  scale4(to, i32x4.extend_low_i16x8_u(low), scales, shifts);
  scale4(to + FOUR, i32x4.extend_high_i16x8_u(low), scales + FOUR, shifts + FOUR);
  scale4(to + 2 * FOUR, i32x4.extend_low_i16x8_u(high), scales + 2 * FOUR, shifts + 2 * FOUR);
  scale4(to + 3 * FOUR, i32x4.extend_high_i16x8_u(high), scales + 3 * FOUR, shifts + 3 * FOUR);
}

function store4(to: usize, integers: v128): void {
  if (sizeof<real>() === 4) v128.store(to, f32x4.convert_i32x4_s(integers));
  else {
    v128.store(to, f64x2.convert_low_i32x4_s(integers));
    v128.store(to, f64x2.convert_low_i32x4_s(i32x4.shuffle(integers, integers, 2, 3, 2, 3)), 16);
  }
}

/** What is scaled goes to memory once: to load it again from there would cost more than the arithmetic. */
function scale4(to: usize, integers: v128, scales: usize, shifts: usize): void {
  if (sizeof<real>() === 4) scaleReals(to, f32x4.convert_i32x4_s(integers), scales, shifts);
  else {
    scaleReals(to, f64x2.convert_low_i32x4_s(integers), scales, shifts);
    const high = f64x2.convert_low_i32x4_s(i32x4.shuffle(integers, integers, 2, 3, 2, 3));
    scaleReals(to + 16, high, scales + 16, shifts + 16);
  }
}

function scaleReals(to: usize, reals: v128, scales: usize, shifts: usize): void {
  v128.store(to, v128.add<real>(v128.mul<real>(reals, v128.load(scales)), v128.load(shifts)));
}
