import { gemmTN } from './gemm-tn';
import { WINOGRAD_BYTES, WinogradLargeFiltersCall, WinogradLargeTilesCall } from './generated/calls';
import { smaller } from './tiles';
import { largestPixel } from './winograd';
import { PART_GAP, partBytes, realBytes } from './winograd-tiles';

/**
 * Convolutions of 3 × 3 by Winograd's F(4 × 4, 3 × 3), for networks that answer: reference-winograd.ts in the folder above says what is computed, and in which order.
 * Channels, filters and sides are whole multiples of what is worked on at once (convolution.ts), so that nothing has rests. Sums of numbers and of their mirror images
 * are shared, as the points ±A and ±B allow.
 */

/** The points, and what they come to in products. All are exact. */
const A: f64 = 0.75;
const B: f64 = 1.5;
const AA: f64 = 0.5625;
const BB: f64 = 2.25;
const AAA: f64 = 0.421875;
const BBB: f64 = 3.375;
const ABB: f64 = 1.6875;
const BAA: f64 = 0.84375;
const AABB: f64 = 1.265625;
/** A² + B² */
const SQUARES: f64 = 2.8125;

/** Parts of a tile. */
const PARTS: i32 = 36;
/** Columns of a row of tiles that stay in scratch, so that neighbours share them. */
const COLUMNS: i32 = 8;
/** Tiles that are worked on together at most. */
const MOST_TILES: i32 = 16;

/** U = G g Gᵀ of filters `first` … `end` − 1: 36 parts of (channels, filters). Made in float64 and rounded once. */
export function winogradLargeFilters(call: WinogradLargeFiltersCall, first: i32, end: i32, scratch: usize): void {
  const row = realBytes(call.units);
  const part = row * <usize>call.channels;
  const tap = realBytes(call.channels);
  for (let u = first; u < end; u++) {
    for (let c = 0; c < call.channels; c++) {
      const g = call.weights + <usize>u * 9 * tap + realBytes(c);
      // six sums down each of the three columns, which then are three sums across each of six rows
      for (let x: usize = 0; x < 3; x++)
        filterColumn(load<real>(g + x * tap), load<real>(g + (x + 3) * tap), load<real>(g + (x + 6) * tap), scratch + x * 8, 24);
      for (let i: usize = 0; i < 6; i++) {
        const from = scratch + i * 24;
        const sums = scratch + 256;
        filterColumn(load<f64>(from), load<f64>(from + 8), load<f64>(from + 16), sums, 8);
        for (let j: usize = 0; j < 6; j++)
          store<real>(call.out + (6 * i + j) * part + <usize>c * row + realBytes(u), <real>load<f64>(sums + 8 * j));
      }
    }
  }
}

/** Rows of G: what becomes of three numbers. */
function filterColumn(a: f64, b: f64, c: f64, to: usize, step: usize): void {
  const near: f64 = 1 / (2 * AA * (AA - BB));
  const far: f64 = 1 / (2 * BB * (BB - AA));
  const evenNear = a + AA * c;
  const oddNear = A * b;
  const evenFar = a + BB * c;
  const oddFar = B * b;
  store<f64>(to, a * (1 / AABB));
  store<f64>(to + step, (evenNear + oddNear) * near);
  store<f64>(to + 2 * step, (evenNear - oddNear) * near);
  store<f64>(to + 3 * step, (evenFar + oddFar) * far);
  store<f64>(to + 4 * step, (evenFar - oddFar) * far);
  store<f64>(to + 5 * step, c);
}

/** Tiles `first` … `end` − 1 of the result, image after image and row after row. */
export function winogradLargeTiles(call: WinogradLargeTilesCall, first: i32, end: i32, scratch: usize): void {
  const units = call.units;
  const pixel = realBytes(call.channels);
  const out = realBytes(units);
  const zeros = scratch;
  const bias = zeros + pixel;
  const columns = bias + out;
  const sums = columns + <usize>(6 * COLUMNS) * pixel;
  const v = sums + 24 * out;
  const rest = <usize>WINOGRAD_BYTES - (v - scratch) - <usize>(2 * PARTS * PART_GAP);
  const most = smaller(MOST_TILES, <i32>(rest / (<usize>PARTS * (pixel + out)))) & -4;
  const vPart = partBytes(most, pixel);
  const mPart = partBytes(most, out);
  const m = v + <usize>PARTS * vPart;
  const least: real = call.relu === 0 ? -Infinity : 0;
  memory.fill(zeros, 0, pixel + out);
  if (call.bias !== 0) memory.copy(bias, call.bias, out);
  for (; first < end; first += most) {
    const tiles = smaller(most, end - first);
    for (let t = 0; t < tiles; t++) transformTile(call, first + t, t === 0, zeros, columns, v + <usize>t * pixel, vPart);
    for (let e: usize = 0; e < <usize>PARTS; e++) {
      const u = call.filters + e * <usize>call.channels * out;
      gemmTN(v + e * vPart, pixel, sizeof<real>(), u, out, call.channels, m + e * mPart, out, tiles, units, false);
    }
    for (let t = 0; t < tiles; t++) outputTile(call, first + t, m + <usize>t * out, mPart, sums, bias, least);
  }
}

/** V = Bᵀ d B of a tile, into its place in each of 36 parts.
 *  @param isFirst  whether the columns of the tile before are not in scratch
 *  @param columns  room for six sums down each of eight columns */
function transformTile(
  call: WinogradLargeTilesCall,
  tile: i32,
  isFirst: bool,
  zeros: usize,
  columns: usize,
  v: usize,
  part: usize,
): void {
  const across = call.outWidth >> 2;
  const down = call.outHeight >> 2;
  const pixel = realBytes(call.channels);
  const line = <usize>call.width * pixel;
  const column = tile % across;
  const y = 4 * ((tile / across) % down) - call.top;
  const left = 4 * column - call.left;
  const image = call.values + <usize>(tile / across / down) * <usize>call.height * line;
  const row = <usize>COLUMNS * pixel;
  for (let j = isFirst || column === 0 ? 0 : 2; j < 6; j++) {
    const x = left + j;
    const isInside = x >= 0 && x < call.width;
    const at = image + <usize>max<i32>(0, x) * pixel;
    const d0 = pixelOf(at, y, isInside, call.height, line, zeros);
    const d1 = pixelOf(at, y + 1, isInside, call.height, line, zeros);
    const d2 = pixelOf(at, y + 2, isInside, call.height, line, zeros);
    const d3 = pixelOf(at, y + 3, isInside, call.height, line, zeros);
    const d4 = pixelOf(at, y + 4, isInside, call.height, line, zeros);
    const d5 = pixelOf(at, y + 5, isInside, call.height, line, zeros);
    inputSums(d0, d1, d2, d3, d4, d5, columns + slotOf(column, j) * pixel, row, pixel);
  }
  const s0 = slotOf(column, 0) * pixel;
  const s1 = slotOf(column, 1) * pixel;
  const s2 = slotOf(column, 2) * pixel;
  const s3 = slotOf(column, 3) * pixel;
  const s4 = slotOf(column, 4) * pixel;
  const s5 = slotOf(column, 5) * pixel;
  for (let i: usize = 0; i < 6; i++, columns += row) {
    inputSums(columns + s0, columns + s1, columns + s2, columns + s3, columns + s4, columns + s5, v + 6 * i * part, part, pixel);
  }
}

/** Where the sums of column j of a tile stand. */
function slotOf(column: i32, j: i32): usize {
  return <usize>((4 * column + j) & (COLUMNS - 1));
}

/** Where a pixel lies, or zeros outside the image. */
function pixelOf(at: usize, y: i32, isInside: bool, height: i32, line: usize, zeros: usize): usize {
  return isInside && y >= 0 && y < height ? at + <usize>y * line : zeros;
}

/** Rows of Bᵀ: what becomes of six numbers, `step` bytes apart. */
function inputSums(d0: usize, d1: usize, d2: usize, d3: usize, d4: usize, d5: usize, to: usize, step: usize, bytes: usize): void {
  const a = v128.splat<real>(<real>A);
  const b = v128.splat<real>(<real>B);
  const aa = v128.splat<real>(<real>AA);
  const bb = v128.splat<real>(<real>BB);
  const abb = v128.splat<real>(<real>ABB);
  const baa = v128.splat<real>(<real>BAA);
  const aabb = v128.splat<real>(<real>AABB);
  const squares = v128.splat<real>(<real>SQUARES);
  for (let k: usize = 0; k < bytes; k += 32) {
    const x0 = v128.load(d0 + k);
    const z0 = v128.load(d0 + k, 16);
    const x1 = v128.load(d1 + k);
    const z1 = v128.load(d1 + k, 16);
    const x2 = v128.load(d2 + k);
    const z2 = v128.load(d2 + k, 16);
    const x3 = v128.load(d3 + k);
    const z3 = v128.load(d3 + k, 16);
    const x4 = v128.load(d4 + k);
    const z4 = v128.load(d4 + k, 16);
    const x5 = v128.load(d5 + k);
    const z5 = v128.load(d5 + k, 16);
    const xEven = v128.sub<real>(x4, v128.mul<real>(bb, x2));
    const zEven = v128.sub<real>(z4, v128.mul<real>(bb, z2));
    const xOdd = v128.sub<real>(v128.mul<real>(a, x3), v128.mul<real>(abb, x1));
    const zOdd = v128.sub<real>(v128.mul<real>(a, z3), v128.mul<real>(abb, z1));
    const xFarEven = v128.sub<real>(x4, v128.mul<real>(aa, x2));
    const zFarEven = v128.sub<real>(z4, v128.mul<real>(aa, z2));
    const xFarOdd = v128.sub<real>(v128.mul<real>(b, x3), v128.mul<real>(baa, x1));
    const zFarOdd = v128.sub<real>(v128.mul<real>(b, z3), v128.mul<real>(baa, z1));
    const xFirst = v128.add<real>(v128.sub<real>(v128.mul<real>(aabb, x0), v128.mul<real>(squares, x2)), x4);
    const zFirst = v128.add<real>(v128.sub<real>(v128.mul<real>(aabb, z0), v128.mul<real>(squares, z2)), z4);
    const xLast = v128.add<real>(v128.sub<real>(v128.mul<real>(aabb, x1), v128.mul<real>(squares, x3)), x5);
    const zLast = v128.add<real>(v128.sub<real>(v128.mul<real>(aabb, z1), v128.mul<real>(squares, z3)), z5);
    let p = to + k;
    v128.store(p, xFirst);
    v128.store(p, zFirst, 16);
    p += step;
    v128.store(p, v128.add<real>(xEven, xOdd));
    v128.store(p, v128.add<real>(zEven, zOdd), 16);
    p += step;
    v128.store(p, v128.sub<real>(xEven, xOdd));
    v128.store(p, v128.sub<real>(zEven, zOdd), 16);
    p += step;
    v128.store(p, v128.add<real>(xFarEven, xFarOdd));
    v128.store(p, v128.add<real>(zFarEven, zFarOdd), 16);
    p += step;
    v128.store(p, v128.sub<real>(xFarEven, xFarOdd));
    v128.store(p, v128.sub<real>(zFarEven, zFarOdd), 16);
    p += step;
    v128.store(p, xLast);
    v128.store(p, zLast, 16);
  }
}

/** Aᵀ M A + bias of a tile. @param sums  room for six sums of each of four rows */
function outputTile(call: WinogradLargeTilesCall, tile: i32, m: usize, part: usize, sums: usize, bias: usize, least: real): void {
  const across = call.outWidth >> 2;
  const down = call.outHeight >> 2;
  const pixel = realBytes(call.units);
  const column = tile % across;
  const row = (tile / across) % down;
  const image = tile / across / down;
  const pools = call.pools !== 0;
  for (let j: usize = 0; j < 6; j++) outputSums<void>(m + j * part, 6 * part, sums + j * pixel, 6 * pixel, pixel, 0, 0);
  // M is read: its room takes the pixels of a tile that are pooled
  const line = pools ? 4 * part : <usize>call.outWidth * pixel;
  const step = pools ? part : pixel;
  const to = pools
    ? m
    : call.out + (<usize>(image * call.outHeight + 4 * row) * <usize>call.outWidth + <usize>(4 * column)) * pixel;
  for (let i: usize = 0; i < 4; i++) outputSums<real>(sums + 6 * i * pixel, pixel, to + i * line, step, pixel, bias, least);
  if (!pools) return;
  const pooledLine = <usize>(call.outWidth >> 1) * pixel;
  const pooled = call.out + <usize>(image * (call.outHeight >> 1) + 2 * row) * pooledLine + <usize>(2 * column) * pixel;
  for (let i: usize = 0; i < 2; i++) {
    for (let j: usize = 0; j < 2; j++)
      largestPixel(m + 2 * i * line + 2 * j * step, step, line, pooled + i * pooledLine + j * pixel, pixel);
  }
}

/** Rows of Aᵀ: what becomes of six numbers that are `apart` bytes apart, four numbers that are `step` bytes apart.
 *  @typeParam Last  void down the columns; across the rows, where what comes out is the result, the bias is added, and no number is below `least` */
function outputSums<Last>(from: usize, apart: usize, to: usize, step: usize, bytes: usize, bias: usize, least: real): void {
  const floor = v128.splat<real>(least);
  const a = v128.splat<real>(<real>A);
  const b = v128.splat<real>(<real>B);
  const aa = v128.splat<real>(<real>AA);
  const bb = v128.splat<real>(<real>BB);
  const aaa = v128.splat<real>(<real>AAA);
  const bbb = v128.splat<real>(<real>BBB);
  for (const end = from + bytes; from < end; from += 32, to += 32, bias += 32) {
    let p = from;
    const x0 = v128.load(p);
    const z0 = v128.load(p, 16);
    p += apart;
    const x1 = v128.load(p);
    const z1 = v128.load(p, 16);
    p += apart;
    const x2 = v128.load(p);
    const z2 = v128.load(p, 16);
    p += apart;
    const x3 = v128.load(p);
    const z3 = v128.load(p, 16);
    p += apart;
    const x4 = v128.load(p);
    const z4 = v128.load(p, 16);
    p += apart;
    const x5 = v128.load(p);
    const z5 = v128.load(p, 16);
    const xSum = v128.add<real>(x1, x2);
    const zSum = v128.add<real>(z1, z2);
    const xDifference = v128.sub<real>(x1, x2);
    const zDifference = v128.sub<real>(z1, z2);
    const xFarSum = v128.add<real>(x3, x4);
    const zFarSum = v128.add<real>(z3, z4);
    const xFarDifference = v128.sub<real>(x3, x4);
    const zFarDifference = v128.sub<real>(z3, z4);
    let xFirst = v128.add<real>(v128.add<real>(x0, xSum), xFarSum);
    let zFirst = v128.add<real>(v128.add<real>(z0, zSum), zFarSum);
    let xSecond = v128.add<real>(v128.mul<real>(a, xDifference), v128.mul<real>(b, xFarDifference));
    let zSecond = v128.add<real>(v128.mul<real>(a, zDifference), v128.mul<real>(b, zFarDifference));
    let xThird = v128.add<real>(v128.mul<real>(aa, xSum), v128.mul<real>(bb, xFarSum));
    let zThird = v128.add<real>(v128.mul<real>(aa, zSum), v128.mul<real>(bb, zFarSum));
    let xFourth = v128.add<real>(v128.add<real>(v128.mul<real>(aaa, xDifference), v128.mul<real>(bbb, xFarDifference)), x5);
    let zFourth = v128.add<real>(v128.add<real>(v128.mul<real>(aaa, zDifference), v128.mul<real>(bbb, zFarDifference)), z5);
    if (!isVoid<Last>()) {
      const x = v128.load(bias);
      const z = v128.load(bias, 16);
      xFirst = v128.pmax<real>(v128.add<real>(xFirst, x), floor);
      zFirst = v128.pmax<real>(v128.add<real>(zFirst, z), floor);
      xSecond = v128.pmax<real>(v128.add<real>(xSecond, x), floor);
      zSecond = v128.pmax<real>(v128.add<real>(zSecond, z), floor);
      xThird = v128.pmax<real>(v128.add<real>(xThird, x), floor);
      zThird = v128.pmax<real>(v128.add<real>(zThird, z), floor);
      xFourth = v128.pmax<real>(v128.add<real>(xFourth, x), floor);
      zFourth = v128.pmax<real>(v128.add<real>(zFourth, z), floor);
    }
    p = to;
    v128.store(p, xFirst);
    v128.store(p, zFirst, 16);
    p += step;
    v128.store(p, xSecond);
    v128.store(p, zSecond, 16);
    p += step;
    v128.store(p, xThird);
    v128.store(p, zThird, 16);
    p += step;
    v128.store(p, xFourth);
    v128.store(p, zFourth, 16);
  }
}
