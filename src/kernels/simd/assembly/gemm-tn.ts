import { addProduct, lanes, wide, ZEROS } from './tiles';

/** Sums of rows scaled by numbers, in registers of four rows of the result by two vectors, or four where they are wide. */

/** out[r, k] (+)= Σ_j p[r, j] · q[j, k]; each sum runs over j in order.
 *  @param p, pRow, pTerm     number (r, j) lies at p + r · pRow + j · pTerm
 *  @param q, qStride         `terms` rows of `columns` reals, qStride bytes apart
 *  @param out, outStride     `rows` rows of `columns` values, outStride bytes apart
 *  @param add                whether to add to what is there, or to overwrite it */
export function gemmTN(
  p: usize,
  pRow: usize,
  pTerm: usize,
  q: usize,
  qStride: usize,
  terms: i32,
  out: usize,
  outStride: usize,
  rows: i32,
  columns: i32,
  add: bool,
): void {
  const whole = <usize>(columns & -lanes()) * sizeof<real>();
  const end = <usize>columns * sizeof<real>();
  let r = 0;
  const neighbours = pRow === sizeof<real>();
  for (; r + 4 <= rows; r += 4) {
    const from = p + <usize>r * pRow;
    const to = out + <usize>r * outStride;
    let k: usize = 0;
    if (wide) {
      for (; k + 64 <= whole; k += 64) {
        if (neighbours) scaled4x4<void>(from, pRow, pTerm, q + k, qStride, terms, to + k, outStride, add);
        else scaled4x4<real>(from, pRow, pTerm, q + k, qStride, terms, to + k, outStride, add);
      }
    }
    for (; k + 32 <= whole; k += 32) {
      if (neighbours) scaled4x2<void>(from, pRow, pTerm, q + k, qStride, terms, to + k, outStride, add);
      else scaled4x2<real>(from, pRow, pTerm, q + k, qStride, terms, to + k, outStride, add);
    }
    if (k === whole) continue;
    for (let i: usize = 0; i < 4; i++) scaled1x1(from + i * pRow, pTerm, q + k, qStride, terms, to + k + i * outStride, add);
  }
  for (; r < rows; r++) {
    const from = p + <usize>r * pRow;
    const to = out + <usize>r * outStride;
    let k: usize = 0;
    for (; k + 64 <= whole; k += 64) scaled1x4(from, pTerm, q + k, qStride, terms, to + k, add);
    for (; k < whole; k += 16) scaled1x1(from, pTerm, q + k, qStride, terms, to + k, add);
  }
  if (whole < end) scaledRest(p, pRow, pTerm, q + whole, qStride, terms, out + whole, outStride, rows, end - whole, add);
}

/** The last columns, fewer than a vector holds. */
function scaledRest(
  p: usize,
  pRow: usize,
  pTerm: usize,
  q: usize,
  qStride: usize,
  terms: i32,
  out: usize,
  outStride: usize,
  rows: i32,
  bytes: usize,
  add: bool,
): void {
  for (let r = 0; r < rows; r++, p += pRow, out += outStride) {
    for (let k: usize = 0; k < bytes; k += sizeof<real>()) {
      let sum: real = add ? load<real>(out + k) : 0;
      let pj = p;
      let qj = q + k;
      for (let j = 0; j < terms; j++, pj += pTerm, qj += qStride) sum += load<real>(pj) * load<real>(qj);
      store<real>(out + k, sum);
    }
  }
}

/** Four rows by two vectors.
 *  @typeParam Apart  void where the four numbers of a term lie side by side: then one address reads them all */
function scaled4x2<Apart>(
  p: usize,
  pRow: usize,
  pTerm: usize,
  q: usize,
  qStride: usize,
  terms: i32,
  out: usize,
  outStride: usize,
  add: bool,
): void {
  const out1 = out + outStride;
  const out2 = out1 + outStride;
  const out3 = out2 + outStride;
  const from = add ? out : ZEROS;
  const from1 = add ? out1 : ZEROS;
  const from2 = add ? out2 : ZEROS;
  const from3 = add ? out3 : ZEROS;
  let a0 = v128.load(from);
  let b0 = v128.load(from, 16);
  let a1 = v128.load(from1);
  let b1 = v128.load(from1, 16);
  let a2 = v128.load(from2);
  let b2 = v128.load(from2, 16);
  let a3 = v128.load(from3);
  let b3 = v128.load(from3, 16);
  let p1 = p + pRow;
  let p2 = p1 + pRow;
  let p3 = p2 + pRow;
  for (const end = q + <usize>terms * qStride; q < end; q += qStride, p += pTerm) {
    const x = v128.load(q);
    const y = v128.load(q, 16);
    let s = v128.load_splat<real>(p);
    a0 = addProduct(a0, s, x);
    b0 = addProduct(b0, s, y);
    s = isVoid<Apart>() ? v128.load_splat<real>(p, sizeof<real>()) : v128.load_splat<real>(p1);
    a1 = addProduct(a1, s, x);
    b1 = addProduct(b1, s, y);
    s = isVoid<Apart>() ? v128.load_splat<real>(p, 2 * sizeof<real>()) : v128.load_splat<real>(p2);
    a2 = addProduct(a2, s, x);
    b2 = addProduct(b2, s, y);
    s = isVoid<Apart>() ? v128.load_splat<real>(p, 3 * sizeof<real>()) : v128.load_splat<real>(p3);
    a3 = addProduct(a3, s, x);
    b3 = addProduct(b3, s, y);
    if (!isVoid<Apart>()) {
      p1 += pTerm;
      p2 += pTerm;
      p3 += pTerm;
    }
  }
  v128.store(out, a0);
  v128.store(out, b0, 16);
  v128.store(out1, a1);
  v128.store(out1, b1, 16);
  v128.store(out2, a2);
  v128.store(out2, b2, 16);
  v128.store(out3, a3);
  v128.store(out3, b3, 16);
}

/** Four rows by four vectors, for wide registers: with half as many sums one would wait for the other. @typeParam Apart  as above */
function scaled4x4<Apart>(
  p: usize,
  pRow: usize,
  pTerm: usize,
  q: usize,
  qStride: usize,
  terms: i32,
  out: usize,
  outStride: usize,
  add: bool,
): void {
  const out1 = out + outStride;
  const out2 = out1 + outStride;
  const out3 = out2 + outStride;
  const from = add ? out : ZEROS;
  const from1 = add ? out1 : ZEROS;
  const from2 = add ? out2 : ZEROS;
  const from3 = add ? out3 : ZEROS;
  let a0 = v128.load(from);
  let b0 = v128.load(from, 16);
  let c0 = v128.load(from, 32);
  let d0 = v128.load(from, 48);
  let a1 = v128.load(from1);
  let b1 = v128.load(from1, 16);
  let c1 = v128.load(from1, 32);
  let d1 = v128.load(from1, 48);
  let a2 = v128.load(from2);
  let b2 = v128.load(from2, 16);
  let c2 = v128.load(from2, 32);
  let d2 = v128.load(from2, 48);
  let a3 = v128.load(from3);
  let b3 = v128.load(from3, 16);
  let c3 = v128.load(from3, 32);
  let d3 = v128.load(from3, 48);
  let p1 = p + pRow;
  let p2 = p1 + pRow;
  let p3 = p2 + pRow;
  for (const end = q + <usize>terms * qStride; q < end; q += qStride, p += pTerm) {
    const x = v128.load(q);
    const y = v128.load(q, 16);
    const z = v128.load(q, 32);
    const w = v128.load(q, 48);
    let s = v128.load_splat<real>(p);
    a0 = addProduct(a0, s, x);
    b0 = addProduct(b0, s, y);
    c0 = addProduct(c0, s, z);
    d0 = addProduct(d0, s, w);
    s = isVoid<Apart>() ? v128.load_splat<real>(p, sizeof<real>()) : v128.load_splat<real>(p1);
    a1 = addProduct(a1, s, x);
    b1 = addProduct(b1, s, y);
    c1 = addProduct(c1, s, z);
    d1 = addProduct(d1, s, w);
    s = isVoid<Apart>() ? v128.load_splat<real>(p, 2 * sizeof<real>()) : v128.load_splat<real>(p2);
    a2 = addProduct(a2, s, x);
    b2 = addProduct(b2, s, y);
    c2 = addProduct(c2, s, z);
    d2 = addProduct(d2, s, w);
    s = isVoid<Apart>() ? v128.load_splat<real>(p, 3 * sizeof<real>()) : v128.load_splat<real>(p3);
    a3 = addProduct(a3, s, x);
    b3 = addProduct(b3, s, y);
    c3 = addProduct(c3, s, z);
    d3 = addProduct(d3, s, w);
    if (!isVoid<Apart>()) {
      p1 += pTerm;
      p2 += pTerm;
      p3 += pTerm;
    }
  }
  v128.store(out, a0);
  v128.store(out, b0, 16);
  v128.store(out, c0, 32);
  v128.store(out, d0, 48);
  v128.store(out1, a1);
  v128.store(out1, b1, 16);
  v128.store(out1, c1, 32);
  v128.store(out1, d1, 48);
  v128.store(out2, a2);
  v128.store(out2, b2, 16);
  v128.store(out2, c2, 32);
  v128.store(out2, d2, 48);
  v128.store(out3, a3);
  v128.store(out3, b3, 16);
  v128.store(out3, c3, 32);
  v128.store(out3, d3, 48);
}

function scaled1x4(p: usize, pTerm: usize, q: usize, qStride: usize, terms: i32, out: usize, add: bool): void {
  const from = add ? out : ZEROS;
  let a = v128.load(from);
  let b = v128.load(from, 16);
  let c = v128.load(from, 32);
  let d = v128.load(from, 48);
  for (; terms > 0; terms--, p += pTerm, q += qStride) {
    const s = v128.load_splat<real>(p);
    a = addProduct(a, s, v128.load(q));
    b = addProduct(b, s, v128.load(q, 16));
    c = addProduct(c, s, v128.load(q, 32));
    d = addProduct(d, s, v128.load(q, 48));
  }
  v128.store(out, a);
  v128.store(out, b, 16);
  v128.store(out, c, 32);
  v128.store(out, d, 48);
}

function scaled1x1(p: usize, pTerm: usize, q: usize, qStride: usize, terms: i32, out: usize, add: bool): void {
  const from = add ? out : ZEROS;
  let a = v128.load(from);
  for (; terms > 0; terms--, p += pTerm, q += qStride) {
    a = addProduct(a, v128.load_splat<real>(p), v128.load(q));
  }
  v128.store(out, a);
}
