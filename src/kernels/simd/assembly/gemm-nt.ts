import { addProduct, lanes, WIDE_SUMS, wide } from './tiles';

/**
 * Dot products of rows with rows, in registers of four rows of W by two of X, or four where they are wide. A sum depends on its own two rows and
 * their length alone: whichever of the register shapes below makes it, it runs over the same lanes in the same order.
 */

/** Bytes of a row that are worked on together, of bytes that are dequantized and of reals that are not: the longer, the less the ends of
 *  sums weigh. */
const DEQUANTIZED_BYTES: i32 = 1536;
const BLOCK_BYTES: i32 = 2048;
/** Rows of X that stay in the first-level cache while all panels of W pass by. */
export const ROWS: i32 = 16;
/** Rows of W that are laid into panels together: they stay in the second-level cache while all of X passes by. */
export const PANEL_UNITS: i32 = 64;

export function blockColumns(dequantized: bool): i32 {
  return (dequantized ? DEQUANTIZED_BYTES : BLOCK_BYTES) / <i32>sizeof<real>();
}

/** Bytes from one row of a dequantized tile to the next. */
export function blockStride(): usize {
  return DEQUANTIZED_BYTES + 64;
}

/** The same of a tile of patches. */
export function patchStride(): usize {
  return BLOCK_BYTES + 64;
}

/** Room for the panels of PANEL_UNITS rows of W, and behind them for sums. */
export function panelBytes(): usize {
  return PANEL_UNITS * BLOCK_BYTES + WIDE_SUMS;
}

/** Lays `units` rows of W into panels of four rows side by side, vector by vector: a panel is read with one address, a cache line at a
 *  time. Rows beyond a multiple of four, and columns beyond one of a vector, are left out. */
export function layPanels(w: usize, wStride: usize, units: i32, columns: i32, panels: usize): void {
  const bytes = <usize>(columns & -lanes()) * sizeof<real>();
  for (let u = 0; u + 4 <= units; u += 4, w += 4 * wStride) {
    const w1 = w + wStride;
    const w2 = w1 + wStride;
    const w3 = w2 + wStride;
    for (let k: usize = 0; k < bytes; k += 16, panels += 64) {
      v128.store(panels, v128.load(w + k));
      v128.store(panels, v128.load(w1 + k), 16);
      v128.store(panels, v128.load(w2 + k), 32);
      v128.store(panels, v128.load(w3 + k), 48);
    }
  }
}

/** out[i, u] += Σ_k x[i, k] · w[u, k]
 *  @param x, xStride      `rows` rows of `columns` reals, xStride bytes apart
 *  @param w, wStride      `units` rows of `columns` values, wStride bytes apart
 *  @param out, outStride  `rows` rows of `units` values, outStride bytes apart
 *  @param panels          of layPanels */
export function gemmNT(
  x: usize,
  xStride: usize,
  rows: i32,
  w: usize,
  wStride: usize,
  units: i32,
  columns: i32,
  out: usize,
  outStride: usize,
  panels: usize,
): void {
  const whole = columns & -lanes();
  const bytes = <usize>whole * sizeof<real>();
  const sums = panels + PANEL_UNITS * BLOCK_BYTES;
  let u = 0;
  for (; u + 4 <= units; u += 4, panels += 4 * bytes) {
    let to = out + <usize>u * sizeof<real>();
    let i = 0;
    if (wide) {
      for (; i + 4 <= rows; i += 4, to += 4 * outStride)
        dot4x4(x + <usize>i * xStride, xStride, panels, bytes, to, outStride, sums);
    }
    for (; i + 2 <= rows; i += 2, to += 2 * outStride) {
      const from = x + <usize>i * xStride;
      dot4x2(from, from + xStride, panels, bytes, to, outStride);
    }
    if (i < rows) dot4x1(x + <usize>i * xStride, panels, bytes, to);
  }
  for (; u < units; u++) {
    const from = w + <usize>u * wStride;
    let to = out + <usize>u * sizeof<real>();
    let i = 0;
    for (; i + 4 <= rows; i += 4, to += 4 * outStride) dot1x4(x + <usize>i * xStride, xStride, from, bytes, to, outStride);
    for (; i < rows; i++, to += outStride) dot1x1(x + <usize>i * xStride, from, bytes, to);
  }
  if (whole < columns) addRest(x + bytes, xStride, rows, w + bytes, wStride, units, columns - whole, out, outStride);
}

/** The last columns, fewer than a vector holds. */
function addRest(
  x: usize,
  xStride: usize,
  rows: i32,
  w: usize,
  wStride: usize,
  units: i32,
  columns: i32,
  out: usize,
  outStride: usize,
): void {
  for (let i = 0; i < rows; i++, x += xStride, out += outStride) {
    let from = w;
    let to = out;
    for (let u = 0; u < units; u++, from += wStride, to += sizeof<real>()) {
      let sum = load<real>(to);
      for (let k: usize = 0; k < <usize>columns * sizeof<real>(); k += sizeof<real>())
        sum += load<real>(x + k) * load<real>(from + k);
      store<real>(to, sum);
    }
  }
}

/** A panel of W by four rows of X: two neighbouring rows of W share a wide register.
 *  @param sums  room of WIDE_SUMS */
function dot4x4(x: usize, xStride: usize, panel: usize, bytes: usize, out: usize, outStride: usize, sums: usize): void {
  let a0 = v128.splat<real>(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  let c0 = a0;
  let c1 = a0;
  let c2 = a0;
  let c3 = a0;
  let d0 = a0;
  let d1 = a0;
  let d2 = a0;
  let d3 = a0;
  let x1 = x + xStride;
  let x2 = x1 + xStride;
  let x3 = x2 + xStride;
  for (const end = x + bytes; x < end; x += 16, x1 += 16, x2 += 16, x3 += 16, panel += 64) {
    const v0 = v128.load(panel);
    const v1 = v128.load(panel, 16);
    const v2 = v128.load(panel, 32);
    const v3 = v128.load(panel, 48);
    let p = v128.load(x);
    a0 = addProduct(a0, v0, p);
    a1 = addProduct(a1, v1, p);
    a2 = addProduct(a2, v2, p);
    a3 = addProduct(a3, v3, p);
    p = v128.load(x1);
    b0 = addProduct(b0, v0, p);
    b1 = addProduct(b1, v1, p);
    b2 = addProduct(b2, v2, p);
    b3 = addProduct(b3, v3, p);
    p = v128.load(x2);
    c0 = addProduct(c0, v0, p);
    c1 = addProduct(c1, v1, p);
    c2 = addProduct(c2, v2, p);
    c3 = addProduct(c3, v3, p);
    p = v128.load(x3);
    d0 = addProduct(d0, v0, p);
    d1 = addProduct(d1, v1, p);
    d2 = addProduct(d2, v2, p);
    d3 = addProduct(d3, v3, p);
  }
  v128.store(sums, a0);
  v128.store(sums, a1, 16);
  v128.store(sums, a2, 32);
  v128.store(sums, a3, 48);
  v128.store(sums, b0, 64);
  v128.store(sums, b1, 80);
  v128.store(sums, b2, 96);
  v128.store(sums, b3, 112);
  v128.store(sums, c0, 128);
  v128.store(sums, c1, 144);
  v128.store(sums, c2, 160);
  v128.store(sums, c3, 176);
  v128.store(sums, d0, 192);
  v128.store(sums, d1, 208);
  v128.store(sums, d2, 224);
  v128.store(sums, d3, 240);
  for (let i = 0; i < 4; i++, out += outStride, sums += 64)
    addSums(out, v128.load(sums), v128.load(sums, 16), v128.load(sums, 32), v128.load(sums, 48));
}

/** A panel of W by two rows of X. */
function dot4x2(x: usize, y: usize, panel: usize, bytes: usize, out: usize, outStride: usize): void {
  let a0 = v128.splat<real>(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  for (const end = x + bytes; x < end; x += 16, y += 16, panel += 64) {
    const p = v128.load(x);
    const q = v128.load(y);
    let v = v128.load(panel);
    a0 = addProduct(a0, v, p);
    b0 = addProduct(b0, v, q);
    v = v128.load(panel, 16);
    a1 = addProduct(a1, v, p);
    b1 = addProduct(b1, v, q);
    v = v128.load(panel, 32);
    a2 = addProduct(a2, v, p);
    b2 = addProduct(b2, v, q);
    v = v128.load(panel, 48);
    a3 = addProduct(a3, v, p);
    b3 = addProduct(b3, v, q);
  }
  addSums(out, a0, a1, a2, a3);
  addSums(out + outStride, b0, b1, b2, b3);
}

/** A panel of W by one row of X. */
function dot4x1(x: usize, panel: usize, bytes: usize, out: usize): void {
  let a0 = v128.splat<real>(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  for (const end = x + bytes; x < end; x += 16, panel += 64) {
    const p = v128.load(x);
    a0 = addProduct(a0, v128.load(panel), p);
    a1 = addProduct(a1, v128.load(panel, 16), p);
    a2 = addProduct(a2, v128.load(panel, 32), p);
    a3 = addProduct(a3, v128.load(panel, 48), p);
  }
  addSums(out, a0, a1, a2, a3);
}

/** One row of W by four of X. */
function dot1x4(x: usize, xStride: usize, w: usize, bytes: usize, out: usize, outStride: usize): void {
  let a0 = v128.splat<real>(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  const x1 = x + xStride;
  const x2 = x1 + xStride;
  const x3 = x2 + xStride;
  for (let k: usize = 0; k < bytes; k += 16) {
    const v = v128.load(w + k);
    a0 = addProduct(a0, v, v128.load(x + k));
    a1 = addProduct(a1, v, v128.load(x1 + k));
    a2 = addProduct(a2, v, v128.load(x2 + k));
    a3 = addProduct(a3, v, v128.load(x3 + k));
  }
  addTo(out, sumOfLanes(a0));
  addTo(out + outStride, sumOfLanes(a1));
  addTo(out + 2 * outStride, sumOfLanes(a2));
  addTo(out + 3 * outStride, sumOfLanes(a3));
}

function dot1x1(x: usize, w: usize, bytes: usize, out: usize): void {
  let sum = v128.splat<real>(0);
  for (let k: usize = 0; k < bytes; k += 16) sum = addProduct(sum, v128.load(w + k), v128.load(x + k));
  addTo(out, sumOfLanes(sum));
}

function addTo(out: usize, value: real): void {
  store<real>(out, load<real>(out) + value);
}

/** (a0 + a2) + (a1 + a3), or a0 + a1 where there are two lanes. */
function sumOfLanes(a: v128): real {
  if (sizeof<real>() === 4) {
    const pairs = f32x4.add(a, i32x4.shuffle(a, a, 2, 3, 2, 3));
    return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
  }
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
}

/** out[u] += the sum of the lanes of a, b, c, d, for u = 0 … 3, each in the order of sumOfLanes. */
function addSums(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  if (sizeof<real>() === 4) {
    const ab = f32x4.add(i32x4.shuffle(a, b, 0, 4, 1, 5), i32x4.shuffle(a, b, 2, 6, 3, 7));
    const cd = f32x4.add(i32x4.shuffle(c, d, 0, 4, 1, 5), i32x4.shuffle(c, d, 2, 6, 3, 7));
    const sums = f32x4.add(i32x4.shuffle(ab, cd, 0, 1, 4, 5), i32x4.shuffle(ab, cd, 2, 3, 6, 7));
    v128.store(out, f32x4.add(v128.load(out), sums));
  } else {
    v128.store(out, f64x2.add(v128.load(out), sumsOfPairs(a, b)));
    v128.store(out, f64x2.add(v128.load(out, 16), sumsOfPairs(c, d)), 16);
  }
}

function sumsOfPairs(a: v128, b: v128): v128 {
  return f64x2.add(i64x2.shuffle(a, b, 0, 2), i64x2.shuffle(a, b, 1, 3));
}
