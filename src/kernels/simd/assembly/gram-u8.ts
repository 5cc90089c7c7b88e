import { GramU8Call } from './generated/calls';
import { smaller, WIDE_SUMS, wide } from './tiles';

/**
 * Inner products of rows of bytes, in whole numbers and so exact: pairs of bytes, extended to 16 bits, are multiplied and
 * added into 32 bits. Rows are extended to tiles of 16-bit numbers, with zeros where examples or columns end.
 */

const ROWS: i32 = 64;
const COLUMNS: i32 = 256;
/** As many columns of 255 · 255 fit a sum of 32 bits, and they are a multiple of COLUMNS. */
const EXACT_COLUMNS: i32 = 32_768;
const STRIDE: usize = <usize>COLUMNS * 2 + 64;
const TILE: usize = <usize>ROWS * STRIDE;
const SUMS: usize = <usize>ROWS * <usize>ROWS * 4;

/** Bytes of the two tiles and their sums, and room for those of a wide shape. */
export function gramScratch(): usize {
  return 2 * TILE + SUMS + WIDE_SUMS;
}

/** out[i, j] = Σ_k x[i, k] · y[j, k] for rows first … end − 1 of the left and all `columns` rows of the right, both bytes;
 *  `out` holds numbers of 64 bits whatever `real` is. Where both are the same rows, only j from i's tile on are computed. */
export function gramU8(call: GramU8Call, first: i32, end: i32, scratch: usize): void {
  const a = call.left;
  const b = call.right;
  const features = call.features;
  const stride = <usize>call.columns * 8;
  for (let i = first; i < end; i += ROWS) {
    const rows = smaller(ROWS, end - i);
    for (let j = a === b ? i : 0; j < call.columns; j += ROWS) {
      const columns = smaller(ROWS, call.columns - j);
      const to = call.out + <usize>i * stride + <usize>j * 8;
      for (let r = 0; r < rows; r++) memory.fill(to + <usize>r * stride, 0, <usize>columns * 8);
      for (let k = 0; k < features; k += EXACT_COLUMNS) {
        const last = smaller(features, k + EXACT_COLUMNS);
        sumTiles(row(a, i, features), rows, row(b, j, features), columns, features, k, last, scratch);
        addSums(scratch + 2 * TILE, to, rows, columns, stride);
      }
    }
  }
}

function row(rows: usize, i: i32, features: i32): usize {
  return rows + <usize>i * <usize>features;
}

/** The products of up to ROWS rows with as many, over columns k … end − 1, into the sums behind the tiles. */
function sumTiles(a: usize, aRows: i32, b: usize, bRows: i32, features: i32, k: i32, end: i32, scratch: usize): void {
  const sums = scratch + 2 * TILE;
  memory.fill(sums, 0, SUMS);
  for (; k < end; k += COLUMNS) {
    const columns = smaller(COLUMNS, end - k);
    extendTile(a + <usize>k, aRows, features, columns, scratch);
    extendTile(b + <usize>k, bRows, features, columns, scratch + TILE);
    for (let i = 0; i < aRows; i += 2) {
      for (let j = 0; j < bRows; j += 4) {
        addProducts2x4(
          scratch + <usize>i * STRIDE,
          scratch + TILE + <usize>j * STRIDE,
          sums + <usize>(i * ROWS + j) * 4,
          sums + SUMS,
        );
      }
    }
  }
}

/** Rows past the last are left as they are: their sums are never read. */
function extendTile(from: usize, rows: i32, features: i32, columns: i32, to: usize): void {
  const whole = columns & ~15;
  for (let r = 0; r < rows; r++, from += <usize>features, to += STRIDE) {
    for (let k: usize = 0; k < <usize>whole; k += 16) {
      const bytes = v128.load(from + k);
      const low = i16x8.extend_low_i8x16_u(bytes);
      const high = i16x8.extend_high_i8x16_u(bytes);
      v128.store(to + 2 * k, low);
      v128.store(to + 2 * k, high, 16);
    }
    for (let k = whole; k < columns; k++) store<u16>(to + 2 * <usize>k, <u16>load<u8>(from + <usize>k));
    memory.fill(to + 2 * <usize>columns, 0, 2 * <usize>(COLUMNS - columns));
  }
}

function addProducts2x4(a: usize, b: usize, sums: usize, room: usize): void {
  if (wide) {
    products2x4wide(a, b, room);
    addLanes(sums, room);
    addLanes(sums + <usize>ROWS * 4, room + 128);
    return;
  }
  let p0 = i32x4.splat(0);
  let p1 = p0;
  let p2 = p0;
  let p3 = p0;
  let q0 = p0;
  let q1 = p0;
  let q2 = p0;
  let q3 = p0;
  for (const end = a + <usize>COLUMNS * 2; a < end; a += 16, b += 16) {
    const x = v128.load(a);
    const y = v128.load(a, STRIDE);
    let v = v128.load(b);
    p0 = i32x4.add(p0, i32x4.dot_i16x8_s(v, x));
    q0 = i32x4.add(q0, i32x4.dot_i16x8_s(v, y));
    v = v128.load(b, STRIDE);
    p1 = i32x4.add(p1, i32x4.dot_i16x8_s(v, x));
    q1 = i32x4.add(q1, i32x4.dot_i16x8_s(v, y));
    v = v128.load(b, 2 * STRIDE);
    p2 = i32x4.add(p2, i32x4.dot_i16x8_s(v, x));
    q2 = i32x4.add(q2, i32x4.dot_i16x8_s(v, y));
    v = v128.load(b, 3 * STRIDE);
    p3 = i32x4.add(p3, i32x4.dot_i16x8_s(v, x));
    q3 = i32x4.add(q3, i32x4.dot_i16x8_s(v, y));
  }
  v128.store(sums, i32x4.add(v128.load(sums), lanesSummed(p0, p1, p2, p3)));
  const next = sums + <usize>ROWS * 4;
  v128.store(next, i32x4.add(v128.load(next), lanesSummed(q0, q1, q2, q3)));
}

/** The same, sixteen columns at a time. @param room  for the sums, a pair of vectors each */
function products2x4wide(a: usize, b: usize, room: usize): void {
  let p0l = i32x4.splat(0);
  let p0h = p0l;
  let p1l = p0l;
  let p1h = p0l;
  let p2l = p0l;
  let p2h = p0l;
  let p3l = p0l;
  let p3h = p0l;
  let q0l = p0l;
  let q0h = p0l;
  let q1l = p0l;
  let q1h = p0l;
  let q2l = p0l;
  let q2h = p0l;
  let q3l = p0l;
  let q3h = p0l;
  for (const end = a + <usize>COLUMNS * 2; a < end; a += 32, b += 32) {
    const xl = v128.load(a);
    const xh = v128.load(a, 16);
    const yl = v128.load(a, STRIDE);
    const yh = v128.load(a, STRIDE + 16);
    let vl = v128.load(b);
    let vh = v128.load(b, 16);
    p0l = i32x4.add(p0l, i32x4.dot_i16x8_s(vl, xl));
    p0h = i32x4.add(p0h, i32x4.dot_i16x8_s(vh, xh));
    q0l = i32x4.add(q0l, i32x4.dot_i16x8_s(vl, yl));
    q0h = i32x4.add(q0h, i32x4.dot_i16x8_s(vh, yh));
    vl = v128.load(b, STRIDE);
    vh = v128.load(b, STRIDE + 16);
    p1l = i32x4.add(p1l, i32x4.dot_i16x8_s(vl, xl));
    p1h = i32x4.add(p1h, i32x4.dot_i16x8_s(vh, xh));
    q1l = i32x4.add(q1l, i32x4.dot_i16x8_s(vl, yl));
    q1h = i32x4.add(q1h, i32x4.dot_i16x8_s(vh, yh));
    vl = v128.load(b, 2 * STRIDE);
    vh = v128.load(b, 2 * STRIDE + 16);
    p2l = i32x4.add(p2l, i32x4.dot_i16x8_s(vl, xl));
    p2h = i32x4.add(p2h, i32x4.dot_i16x8_s(vh, xh));
    q2l = i32x4.add(q2l, i32x4.dot_i16x8_s(vl, yl));
    q2h = i32x4.add(q2h, i32x4.dot_i16x8_s(vh, yh));
    vl = v128.load(b, 3 * STRIDE);
    vh = v128.load(b, 3 * STRIDE + 16);
    p3l = i32x4.add(p3l, i32x4.dot_i16x8_s(vl, xl));
    p3h = i32x4.add(p3h, i32x4.dot_i16x8_s(vh, xh));
    q3l = i32x4.add(q3l, i32x4.dot_i16x8_s(vl, yl));
    q3h = i32x4.add(q3h, i32x4.dot_i16x8_s(vh, yh));
  }
  v128.store(room, p0l);
  v128.store(room, p0h, 16);
  v128.store(room, p1l, 32);
  v128.store(room, p1h, 48);
  v128.store(room, p2l, 64);
  v128.store(room, p2h, 80);
  v128.store(room, p3l, 96);
  v128.store(room, p3h, 112);
  v128.store(room, q0l, 128);
  v128.store(room, q0h, 144);
  v128.store(room, q1l, 160);
  v128.store(room, q1h, 176);
  v128.store(room, q2l, 192);
  v128.store(room, q2h, 208);
  v128.store(room, q3l, 224);
  v128.store(room, q3h, 240);
}

/** sums[u] += the lanes of pair u, for u = 0 … 3. */
function addLanes(sums: usize, pairs: usize): void {
  const a = sumOfPair(pairs);
  const b = sumOfPair(pairs + 32);
  const c = sumOfPair(pairs + 64);
  const d = sumOfPair(pairs + 96);
  v128.store(sums, i32x4.add(v128.load(sums), lanesSummed(a, b, c, d)));
}

function sumOfPair(pair: usize): v128 {
  return i32x4.add(v128.load(pair), v128.load(pair, 16));
}

function lanesSummed(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(i32x4.shuffle(a, b, 0, 4, 1, 5), i32x4.shuffle(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(i32x4.shuffle(c, d, 0, 4, 1, 5), i32x4.shuffle(c, d, 2, 6, 3, 7));
  return i32x4.add(i32x4.shuffle(ab, cd, 0, 1, 4, 5), i32x4.shuffle(ab, cd, 2, 3, 6, 7));
}

/** out += sums, exactly: numbers of 64 bits hold whole numbers up to 2^53. */
function addSums(sums: usize, out: usize, rows: i32, columns: i32, outStride: usize): void {
  for (let r = 0; r < rows; r++, sums += <usize>ROWS * 4, out += outStride) {
    for (let c: usize = 0; c < <usize>columns; c++) {
      store<f64>(out + c * 8, load<f64>(out + c * 8) + <f64>load<i32>(sums + c * 4));
    }
  }
}
