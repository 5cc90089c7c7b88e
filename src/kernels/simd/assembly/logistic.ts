import { rowOf } from './dequantize';
import {
  ByteRows,
  LOGISTIC_COLUMNS,
  LogisticBatch,
  LogisticForwardCall,
  LogisticGradWeightsCall,
  SplitNumbersCall,
} from './generated/calls';
import { smaller, wide } from './tiles';

/**
 * A layer of one unit over bytes, in float32: logistic regression. Nothing is used twice here, so that dequantizing bytes would
 * cost more than the sums. Numbers are split into whole ones instead, value ≈ unit · (32,768 · high + low), with an error
 * of 2^-30 of the largest, and bytes are multiplied with those exactly, two products at a time. Whole sums do not depend on
 * their order.
 */

/** Steps of two products of a byte with 2^14 that fit a sum of 32 bits. */
export const EXACT_STEPS: i32 = 256;
const BASE: f64 = 32_768;
/** Rows that are read side by side: where a row is a multiple of 4,096 bytes long, one column of more of them would not
 *  stay in the first-level cache. */
const ROWS: i32 = 8;

/** Behind the split numbers: their unit, their sum, and their sum with an input scaling's shifts. */
const STATISTICS: usize = 24;

/** Bytes of `count` split numbers: highs, lows, each padded with zeros, and statistics; and room for as many products. */
export function splitBytes(count: i32): usize {
  return 2 * splitStride(count) + STATISTICS + <usize>count * 4;
}

function splitStride(count: i32): usize {
  return ((<usize>count + 31) & ~31) * 2;
}

/** The sums of 16 columns fit; so do the addresses of a block of rows. */
export function logisticScratch(): usize {
  return <usize>LOGISTIC_COLUMNS * 16 + <usize>ROWS * 4;
}

/** Splits `count` float32 numbers, times `scales` where there are any, into out; `wantsSum` asks for their sum. Not shared: first = 0, end = 1. */
export function splitNumbers(call: SplitNumbersCall, _first: i32, _end: i32): void {
  const stride = splitStride(call.count);
  const statistics = splitStatistics(call.out, call.count);
  const products = call.scales === 0 ? call.values : scaled(call, statistics + STATISTICS);
  const largest = largestSize(products, call.count);
  const factor = factorOf(largest);
  const finite = largest < Infinity;
  memory.fill(call.out, 0, 2 * stride);
  if (finite) splitAll(products, call.count, factor, call.out, stride);
  store<f64>(statistics, finite ? 1 / <f64>factor : NaN);
  store<f64>(statistics + 8, call.wantsSum === 0 ? 0 : sumOf(call.values, 0, call.count));
  store<f64>(statistics + 16, call.shifts === 0 ? 0 : sumOf(call.values, call.shifts, call.count));
}

/** Where the statistics of `count` split numbers lie. */
export function splitStatistics(split: usize, count: i32): usize {
  return split + 2 * splitStride(count);
}

/** The power of two that brings the largest of some numbers to 2^28 … 2^29; no more than 2^126, so that numbers below 2^-97 lose digits. */
export function factorOf(largest: f32): f32 {
  const exponent = largest > 0 ? <i32>min<i64>(126, 155 - ((reinterpret<u32>(largest) >>> 23) & 255)) : 0;
  return reinterpret<f32>((<u32>(exponent + 127)) << 23);
}

/** Highs to out, lows `stride` bytes behind them. */
export function splitAll(products: usize, count: i32, factor: f32, out: usize, stride: usize): void {
  const whole = <usize>(count & ~3);
  for (let k: usize = 0; k < whole; k += 4) splitFour(v128.load(products + k * 4), factor, out + k * 2, stride);
  for (let k = whole; k < <usize>count; k++) splitOne(load<f32>(products + k * 4), factor, out + k * 2, stride);
}

function scaled(call: SplitNumbersCall, out: usize): usize {
  for (let k: usize = 0; k < <usize>call.count * 4; k += 4)
    store<f32>(out + k, load<f32>(call.values + k) * load<f32>(call.scales + k));
  return out;
}

/** The largest |x|; not a number where one of them is none. */
export function largestSize(x: usize, count: i32): f32 {
  // without their signs, float32 numbers stand in the order of their bits, and what is not a number above all others
  let sizes = i32x4.splat(0);
  const bits = i32x4.splat(0x7fff_ffff);
  const whole = <usize>(count & ~3) * 4;
  for (let k: usize = 0; k < whole; k += 16) sizes = i32x4.max_u(sizes, v128.and(v128.load(x + k), bits));
  sizes = i32x4.max_u(sizes, i32x4.shuffle(sizes, sizes, 2, 3, 2, 3));
  let largest = max<u32>(i32x4.extract_lane(sizes, 0), i32x4.extract_lane(sizes, 1));
  for (let k = whole; k < <usize>count * 4; k += 4) largest = max<u32>(largest, load<u32>(x + k) & 0x7fff_ffff);
  return reinterpret<f32>(largest);
}

function splitFour(x: v128, factor: f32, out: usize, stride: usize): void {
  const whole = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(x, f32x4.splat(factor))));
  const high = i32x4.shr_s(i32x4.add(whole, i32x4.splat(16_384)), 15);
  const low = i32x4.sub(whole, i32x4.shl(high, 15));
  v128.store64_lane(out, i16x8.narrow_i32x4_s(high, high), 0);
  v128.store64_lane(out + stride, i16x8.narrow_i32x4_s(low, low), 0);
}

function splitOne(x: f32, factor: f32, out: usize, stride: usize): void {
  const whole = <i32>nearest<f32>(x * factor);
  const high = (whole + 16_384) >> 15;
  store<i16>(out, <i16>high);
  store<i16>(out + stride, <i16>(whole - (high << 15)));
}

/** Σ x · y, or Σ x where y is 0. */
function sumOf(x: usize, y: usize, count: i32): f64 {
  let sum: f64 = 0;
  for (let k: usize = 0; k < <usize>count * 4; k += 4) sum += <f64>load<f32>(x + k) * (y === 0 ? 1 : <f64>load<f32>(y + k));
  return sum;
}

/** out[i] = scale · Σ_k w[k] · x[i, k] + the shifts + bias for examples first … end − 1, with split w. */
export function logisticForward(call: LogisticForwardCall, first: i32, end: i32, scratch: usize): void {
  const statistics = splitStatistics(call.weights, call.features);
  const unit = load<f64>(statistics) * call.scale;
  const shift = load<f64>(statistics + 16) + (call.bias === 0 ? 0 : <f64>load<f32>(call.bias));
  for (let i = first; i < end; i += 4) sumFour(call, i, smaller(4, end - i), unit, shift, call.out, scratch);
}

/** Σ_k of the last columns of a row, from column k on. */
function sumOfRest(call: LogisticBatch, row: usize, stride: usize, k: i32): f64 {
  let high: i32 = 0;
  let low: i32 = 0;
  for (const end = call.features; k < end; k++) {
    const x = <i32>load<u8>(row + <usize>k);
    high += x * <i32>load<i16>(call.weights + <usize>k * 2);
    low += x * <i32>load<i16>(call.weights + stride + <usize>k * 2);
  }
  return BASE * <f64>high + <f64>low;
}

/** `count` examples from i on, four at most: where there are fewer, the last one is summed several times.
 *  @param out   what example 0 is written to
 *  @param room  for WIDE_SUMS bytes */
export function sumFour(call: LogisticBatch, i: i32, count: i32, unit: f64, shift: f64, out: usize, room: usize): void {
  const stride = splitStride(call.features);
  const whole = call.features & ~15;
  let r0 = rowOf(call, i);
  let r1 = rowOf(call, i + smaller(1, count - 1));
  let r2 = rowOf(call, i + smaller(2, count - 1));
  let r3 = rowOf(call, i + count - 1);
  let highs = call.weights;
  let lows = highs + stride;
  let t0 = sumOfRest(call, r0, stride, whole);
  let t1 = sumOfRest(call, r1, stride, whole);
  let t2 = sumOfRest(call, r2, stride, whole);
  let t3 = sumOfRest(call, r3, stride, whole);
  for (let k = 0; k < whole; k += 8 * EXACT_STEPS) {
    const columns = smaller(whole - k, 8 * EXACT_STEPS);
    if (wide) sumWideColumns(r0, r1, r2, r3, highs, lows, columns, room);
    else sumColumns(r0, r1, r2, r3, highs, lows, columns, room);
    t0 += sumOfColumns(room, 0);
    t1 += sumOfColumns(room, 1);
    t2 += sumOfColumns(room, 2);
    t3 += sumOfColumns(room, 3);
    r0 += columns;
    r1 += columns;
    r2 += columns;
    r3 += columns;
    highs += 2 * columns;
    lows += 2 * columns;
  }
  const to = out + <usize>i * 4;
  store<f32>(to, <f32>(unit * t0 + shift));
  if (count > 1) store<f32>(to + 4, <f32>(unit * t1 + shift));
  if (count > 2) store<f32>(to + 8, <f32>(unit * t2 + shift));
  if (count > 3) store<f32>(to + 12, <f32>(unit * t3 + shift));
}

/** The sums of some columns of four rows, as vectors: for each row its highs, then its lows. Each address is stepped by itself: what V8 could
 *  compute from what does not change, it would compute anew in each turn. */
function sumColumns(r0: usize, r1: usize, r2: usize, r3: usize, highs: usize, lows: usize, columns: i32, room: usize): void {
  let h0 = i32x4.splat(0);
  let l0 = h0;
  let h1 = h0;
  let l1 = h0;
  let h2 = h0;
  let l2 = h0;
  let h3 = h0;
  let l3 = h0;
  for (const end = r0 + <usize>columns; r0 < end; r0 += 8, r1 += 8, r2 += 8, r3 += 8, highs += 16, lows += 16) {
    const high = v128.load(highs);
    const low = v128.load(lows);
    let x = v128.load8x8_u(r0);
    h0 = i32x4.add(h0, i32x4.dot_i16x8_s(x, high));
    l0 = i32x4.add(l0, i32x4.dot_i16x8_s(x, low));
    x = v128.load8x8_u(r1);
    h1 = i32x4.add(h1, i32x4.dot_i16x8_s(x, high));
    l1 = i32x4.add(l1, i32x4.dot_i16x8_s(x, low));
    x = v128.load8x8_u(r2);
    h2 = i32x4.add(h2, i32x4.dot_i16x8_s(x, high));
    l2 = i32x4.add(l2, i32x4.dot_i16x8_s(x, low));
    x = v128.load8x8_u(r3);
    h3 = i32x4.add(h3, i32x4.dot_i16x8_s(x, high));
    l3 = i32x4.add(l3, i32x4.dot_i16x8_s(x, low));
  }
  v128.store(room, h0);
  v128.store(room, l0, 16);
  v128.store(room, h1, 32);
  v128.store(room, l1, 48);
  v128.store(room, h2, 64);
  v128.store(room, l2, 80);
  v128.store(room, h3, 96);
  v128.store(room, l3, 112);
}

/** The same, two vectors for each sum. */
function sumWideColumns(r0: usize, r1: usize, r2: usize, r3: usize, highs: usize, lows: usize, columns: i32, room: usize): void {
  let h0a = i32x4.splat(0);
  let h0b = h0a;
  let l0a = h0a;
  let l0b = h0a;
  let h1a = h0a;
  let h1b = h0a;
  let l1a = h0a;
  let l1b = h0a;
  let h2a = h0a;
  let h2b = h0a;
  let l2a = h0a;
  let l2b = h0a;
  let h3a = h0a;
  let h3b = h0a;
  let l3a = h0a;
  let l3b = h0a;
  for (const end = r0 + <usize>columns; r0 < end; r0 += 16, r1 += 16, r2 += 16, r3 += 16, highs += 32, lows += 32) {
    const highA = v128.load(highs);
    const highB = v128.load(highs, 16);
    const lowA = v128.load(lows);
    const lowB = v128.load(lows, 16);
    let xa = v128.load8x8_u(r0);
    let xb = v128.load8x8_u(r0, 8);
    h0a = i32x4.add(h0a, i32x4.dot_i16x8_s(xa, highA));
    h0b = i32x4.add(h0b, i32x4.dot_i16x8_s(xb, highB));
    l0a = i32x4.add(l0a, i32x4.dot_i16x8_s(xa, lowA));
    l0b = i32x4.add(l0b, i32x4.dot_i16x8_s(xb, lowB));
    xa = v128.load8x8_u(r1);
    xb = v128.load8x8_u(r1, 8);
    h1a = i32x4.add(h1a, i32x4.dot_i16x8_s(xa, highA));
    h1b = i32x4.add(h1b, i32x4.dot_i16x8_s(xb, highB));
    l1a = i32x4.add(l1a, i32x4.dot_i16x8_s(xa, lowA));
    l1b = i32x4.add(l1b, i32x4.dot_i16x8_s(xb, lowB));
    xa = v128.load8x8_u(r2);
    xb = v128.load8x8_u(r2, 8);
    h2a = i32x4.add(h2a, i32x4.dot_i16x8_s(xa, highA));
    h2b = i32x4.add(h2b, i32x4.dot_i16x8_s(xb, highB));
    l2a = i32x4.add(l2a, i32x4.dot_i16x8_s(xa, lowA));
    l2b = i32x4.add(l2b, i32x4.dot_i16x8_s(xb, lowB));
    xa = v128.load8x8_u(r3);
    xb = v128.load8x8_u(r3, 8);
    h3a = i32x4.add(h3a, i32x4.dot_i16x8_s(xa, highA));
    h3b = i32x4.add(h3b, i32x4.dot_i16x8_s(xb, highB));
    l3a = i32x4.add(l3a, i32x4.dot_i16x8_s(xa, lowA));
    l3b = i32x4.add(l3b, i32x4.dot_i16x8_s(xb, lowB));
  }
  v128.store(room, h0a);
  v128.store(room, h0b, 16);
  v128.store(room, l0a, 32);
  v128.store(room, l0b, 48);
  v128.store(room, h1a, 64);
  v128.store(room, h1b, 80);
  v128.store(room, l1a, 96);
  v128.store(room, l1b, 112);
  v128.store(room, h2a, 128);
  v128.store(room, h2b, 144);
  v128.store(room, l2a, 160);
  v128.store(room, l2b, 176);
  v128.store(room, h3a, 192);
  v128.store(room, h3b, 208);
  v128.store(room, l3a, 224);
  v128.store(room, l3b, 240);
}

/** What some columns add to the sum of a row: BASE · highs + lows. */
function sumOfColumns(room: usize, row: usize): f64 {
  if (!wide) return BASE * sumOfLanes(v128.load(room + row * 32)) + sumOfLanes(v128.load(room + row * 32, 16));
  const at = room + row * 64;
  const high = sumOfLanes(v128.load(at)) + sumOfLanes(v128.load(at, 16));
  return BASE * high + (sumOfLanes(v128.load(at, 32)) + sumOfLanes(v128.load(at, 48)));
}

function sumOfLanes(a: v128): f64 {
  const pairs = f64x2.add(f64x2.convert_low_i32x4_s(a), f64x2.convert_low_i32x4_s(i32x4.shuffle(a, a, 2, 3, 2, 3)));
  return f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1);
}

/** out[k] = scale · Σ_i d[i] · x[i, k] for columns first … end − 1, with split d (`dZ`); where there are scales,
 *  scales[k] · Σ_i d[i] · byte[i, k] + shifts[k] · Σ_i d[i]. The range begins at a multiple of 16. */
export function logisticGradWeights(call: LogisticGradWeightsCall, first: i32, end: i32, scratch: usize): void {
  const totals = scratch + <usize>LOGISTIC_COLUMNS * 8;
  const rows = totals + <usize>LOGISTIC_COLUMNS * 8;
  for (; first < end; first += LOGISTIC_COLUMNS) {
    const columns = smaller(LOGISTIC_COLUMNS, end - first);
    memory.fill(totals, 0, <usize>LOGISTIC_COLUMNS * 8);
    for (let i = 0; i < call.count; ) {
      const last = smaller(call.count, i + 2 * EXACT_STEPS);
      memory.fill(scratch, 0, <usize>LOGISTIC_COLUMNS * 8);
      const numbers = call.dZ + <usize>i * 2;
      addRows(call, i, last - i, first, columns, scratch, rows, numbers, splitStride(call.count));
      addTotals(scratch, totals, columns, 1, true);
      i = last;
    }
    storeWeights(call, first, columns, totals);
  }
}

/** Adds `count` rows from i on to the sums of `columns` columns: for each 16 of them 16 highs, then 16 lows.
 *  @param rows     room for the addresses of ROWS rows
 *  @param numbers  their highs; the lows are `lows` bytes behind */
export function addRows(
  batch: ByteRows,
  i: i32,
  count: i32,
  first: i32,
  columns: i32,
  sums: usize,
  rows: usize,
  numbers: usize,
  lows: usize,
): void {
  for (; count > 0; count -= ROWS, i += ROWS, numbers += ROWS * 2) {
    addSome(batch, i, smaller(ROWS, count), first, columns, sums, rows, numbers, lows);
  }
}

/** Up to ROWS rows. They go in pairs; a last one without a fellow is paired with itself, whose number is 0. */
function addSome(
  batch: ByteRows,
  i: i32,
  count: i32,
  first: i32,
  columns: i32,
  sums: usize,
  rows: usize,
  numbers: usize,
  lows: usize,
): void {
  for (let r = 0; r < count; r++) store<usize>(rows + ((<usize>r) << 2), rowOf(batch, i + r) + <usize>first);
  if (count & 1) store<usize>(rows + ((<usize>count) << 2), rowOf(batch, i + count - 1) + <usize>first);
  const whole = <usize>(columns & ~15);
  const pairsEnd = rows + ((<usize>((count + 1) & ~1)) << 2);
  for (let k: usize = 0; k < whole; k += 16) addColumns(rows, pairsEnd, numbers, lows, k, sums + k * 8);
  for (let k = whole; k < <usize>columns; k++) {
    const at = sums + (k & ~15) * 8 + (k & 15) * 4;
    for (let r: usize = 0; r < <usize>count; r++) {
      const x = <i32>load<u8>(load<usize>(rows + (r << 2)) + k);
      store<i32>(at, load<i32>(at) + x * <i32>load<i16>(numbers + r * 2));
      store<i32>(at + 64, load<i32>(at + 64) + x * <i32>load<i16>(numbers + lows + r * 2));
    }
  }
}

function addColumns(row: usize, end: usize, numbers: usize, lows: usize, k: usize, sums: usize): void {
  let h0 = v128.load(sums);
  let h1 = v128.load(sums, 16);
  let h2 = v128.load(sums, 32);
  let h3 = v128.load(sums, 48);
  let l0 = v128.load(sums, 64);
  let l1 = v128.load(sums, 80);
  let l2 = v128.load(sums, 96);
  let l3 = v128.load(sums, 112);
  for (; row < end; row += 8, numbers += 4) {
    const x = v128.load(load<usize>(row) + k);
    const y = v128.load(load<usize>(row, 4) + k);
    const high = v128.load32_splat(numbers);
    const low = v128.load32_splat(numbers + lows);
    const p = i8x16.shuffle(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const q = i8x16.shuffle(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    let pairs = i16x8.extend_low_i8x16_u(p);
    h0 = i32x4.add(h0, i32x4.dot_i16x8_s(pairs, high));
    l0 = i32x4.add(l0, i32x4.dot_i16x8_s(pairs, low));
    pairs = i16x8.extend_high_i8x16_u(p);
    h1 = i32x4.add(h1, i32x4.dot_i16x8_s(pairs, high));
    l1 = i32x4.add(l1, i32x4.dot_i16x8_s(pairs, low));
    pairs = i16x8.extend_low_i8x16_u(q);
    h2 = i32x4.add(h2, i32x4.dot_i16x8_s(pairs, high));
    l2 = i32x4.add(l2, i32x4.dot_i16x8_s(pairs, low));
    pairs = i16x8.extend_high_i8x16_u(q);
    h3 = i32x4.add(h3, i32x4.dot_i16x8_s(pairs, high));
    l3 = i32x4.add(l3, i32x4.dot_i16x8_s(pairs, low));
  }
  v128.store(sums, h0);
  v128.store(sums, h1, 16);
  v128.store(sums, h2, 32);
  v128.store(sums, h3, 48);
  v128.store(sums, l0, 64);
  v128.store(sums, l1, 80);
  v128.store(sums, l2, 96);
  v128.store(sums, l3, 112);
}

/** totals (+)= unit · sums */
export function addTotals(sums: usize, totals: usize, columns: i32, unit: f64, adds: bool): void {
  const units = f64x2.splat(unit);
  const bases = f64x2.splat(BASE);
  const whole = <usize>(columns & ~15);
  for (let k: usize = 0; k < whole; k += 16, sums += 128, totals += 128) {
    for (let j: usize = 0; j < 64; j += 8) {
      const highs = f64x2.convert_low_i32x4_s(v128.load64_zero(sums + j));
      const lows = f64x2.convert_low_i32x4_s(v128.load64_zero(sums + j, 64));
      const sum = f64x2.add(f64x2.mul(bases, highs), lows);
      const added = f64x2.mul(units, sum);
      v128.store(totals + 2 * j, adds ? f64x2.add(v128.load(totals + 2 * j), added) : added);
    }
  }
  for (let j: usize = 0; j < <usize>(columns & 15); j++) {
    const sum = BASE * <f64>load<i32>(sums + j * 4) + <f64>load<i32>(sums + j * 4, 64);
    store<f64>(totals + j * 8, (adds ? load<f64>(totals + j * 8) : 0) + unit * sum);
  }
}

function storeWeights(call: LogisticGradWeightsCall, first: i32, columns: i32, totals: usize): void {
  const statistics = call.dZ + 2 * splitStride(call.count);
  const unit = load<f64>(statistics) * call.scale;
  const sum = load<f64>(statistics + 8);
  for (let k: usize = 0; k < <usize>columns; k++) {
    const at = (<usize>first + k) * 4;
    let value = unit * load<f64>(totals + k * 8);
    if (call.scales !== 0) value = value * <f64>load<f32>(call.scales + at) + sum * <f64>load<f32>(call.shifts + at);
    if (call.accumulates !== 0) value += <f64>load<f32>(call.out + at);
    store<f32>(call.out + at, <f32>value);
  }
}
