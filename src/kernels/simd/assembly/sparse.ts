import { gemmTN } from './gemm-tn';
import { EXAMPLES } from './generated/calls';
import { addProduct, lanes, wide, ZEROS } from './tiles';

/**
 * Sums of scaled rows that leave out what is scaled by 0. Where ReLU is off, or dropout has dropped a unit, dZ is 0, which is about
 * half of it: the numbers of a tile that are not 0 are listed once and serve all columns. A sum has the same terms in the same order, but
 * for zeros, and so the same bits as without the list.
 */

/** Vectors of a row that are summed together: V8 reads all of them before it adds the first, and with more it runs out of registers. */
const ROW: i32 = 6;
const WIDE_ROW: i32 = 12;

/** Units (rows of dW) that are listed together. */
export const UNITS: i32 = 64;

/** A number that is not 0, and how far its row lies from the first one. */
function entryBytes(): usize {
  return 2 * sizeof<real>();
}

function listBytes(): usize {
  return <usize>EXAMPLES * entryBytes();
}

/** Bytes of the lists of UNITS units over EXAMPLES examples, behind how many numbers each holds. */
export function listsBytes(): usize {
  return <usize>UNITS * (4 + listBytes());
}

function listOf(lists: usize, unit: i32): usize {
  return lists + <usize>UNITS * 4 + <usize>unit * listBytes();
}

/** Lists dZ[i, u] ≠ 0 for `rows` examples and `units` units.
 *  @param dZ      number (i, u) lies at dZ + i · term + u · sizeof(real)
 *  @param stride  bytes from one row of the tile to the next */
export function listNumbers(dZ: usize, term: usize, rows: i32, units: i32, stride: usize, lists: usize): void {
  memory.fill(lists, 0, <usize>units * 4);
  let offset: u32 = 0;
  for (let i = 0; i < rows; i++, dZ += term, offset += <u32>stride) {
    let to = lists + <usize>UNITS * 4;
    for (let u: usize = 0; u < <usize>units; u++, to += listBytes()) {
      const value = load<real>(dZ + u * sizeof<real>());
      const count = load<u32>(lists + (u << 2));
      const entry = to + <usize>count * entryBytes();
      store<real>(entry, value);
      store<u32>(entry, offset, sizeof<real>());
      store<u32>(lists + (u << 2), count + <u32>(value !== 0));
    }
  }
}

/** out[u, k] (+)= Σ_i dZ[i, u] · x[i, k] over the rows of a tile.
 *  @param dZ, term   what the lists were made of
 *  @param tile       `rows` rows of `columns` reals, `stride` bytes apart
 *  @param out        `units` rows, outStride bytes apart
 *  @param add        whether to add to what is there, or to overwrite it */
export function addListed(
  lists: usize,
  dZ: usize,
  term: usize,
  tile: usize,
  stride: usize,
  rows: i32,
  out: usize,
  outStride: usize,
  units: i32,
  columns: i32,
  add: bool,
): void {
  const whole = columns % ((wide ? WIDE_ROW : ROW) * lanes()) === 0;
  for (let u = 0; u < units; u += 4) {
    const some = min<i32>(4, units - u);
    let numbers: u32 = 0;
    for (let v = u; v < u + some; v++) numbers += load<u32>(lists + ((<usize>v) << 2));
    // with few zeros it is faster to read a row for four units at once
    if (!whole || 6 * numbers > 5 * <u32>(some * rows)) {
      const from = dZ + <usize>u * sizeof<real>();
      gemmTN(from, sizeof<real>(), term, tile, stride, rows, out + <usize>u * outStride, outStride, some, columns, add);
      continue;
    }
    for (let v = u; v < u + some; v++) {
      const list = listOf(lists, v);
      const end = list + <usize>load<u32>(lists + ((<usize>v) << 2)) * entryBytes();
      const to = out + <usize>v * outStride;
      const bytes = <usize>columns * sizeof<real>();
      let k: usize = 0;
      if (wide) for (; k < bytes; k += <usize>WIDE_ROW * 16) addWideRow(list, end, tile + k, to + k, add);
      else for (; k < bytes; k += <usize>ROW * 16) addRow(list, end, tile + k, to + k, add);
    }
  }
}

/** ROW vectors of one row. */
function addRow(list: usize, end: usize, tile: usize, out: usize, add: bool): void {
  const from = add ? out : ZEROS;
  let a0 = v128.load(from);
  let a1 = v128.load(from, 16);
  let a2 = v128.load(from, 32);
  let a3 = v128.load(from, 48);
  let a4 = v128.load(from, 64);
  let a5 = v128.load(from, 80);
  for (; list < end; list += entryBytes()) {
    const s = v128.load_splat<real>(list);
    const row = tile + <usize>load<u32>(list, sizeof<real>());
    a0 = addProduct(a0, s, v128.load(row));
    a1 = addProduct(a1, s, v128.load(row, 16));
    a2 = addProduct(a2, s, v128.load(row, 32));
    a3 = addProduct(a3, s, v128.load(row, 48));
    a4 = addProduct(a4, s, v128.load(row, 64));
    a5 = addProduct(a5, s, v128.load(row, 80));
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
  v128.store(out, a4, 64);
  v128.store(out, a5, 80);
}

/** WIDE_ROW of them. */
function addWideRow(list: usize, end: usize, tile: usize, out: usize, add: bool): void {
  const from = add ? out : ZEROS;
  let a0 = v128.load(from);
  let a1 = v128.load(from, 16);
  let a2 = v128.load(from, 32);
  let a3 = v128.load(from, 48);
  let a4 = v128.load(from, 64);
  let a5 = v128.load(from, 80);
  let a6 = v128.load(from, 96);
  let a7 = v128.load(from, 112);
  let a8 = v128.load(from, 128);
  let a9 = v128.load(from, 144);
  let a10 = v128.load(from, 160);
  let a11 = v128.load(from, 176);
  for (; list < end; list += entryBytes()) {
    const s = v128.load_splat<real>(list);
    const row = tile + <usize>load<u32>(list, sizeof<real>());
    a0 = addProduct(a0, s, v128.load(row));
    a1 = addProduct(a1, s, v128.load(row, 16));
    a2 = addProduct(a2, s, v128.load(row, 32));
    a3 = addProduct(a3, s, v128.load(row, 48));
    a4 = addProduct(a4, s, v128.load(row, 64));
    a5 = addProduct(a5, s, v128.load(row, 80));
    a6 = addProduct(a6, s, v128.load(row, 96));
    a7 = addProduct(a7, s, v128.load(row, 112));
    a8 = addProduct(a8, s, v128.load(row, 128));
    a9 = addProduct(a9, s, v128.load(row, 144));
    a10 = addProduct(a10, s, v128.load(row, 160));
    a11 = addProduct(a11, s, v128.load(row, 176));
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
  v128.store(out, a4, 64);
  v128.store(out, a5, 80);
  v128.store(out, a6, 96);
  v128.store(out, a7, 112);
  v128.store(out, a8, 128);
  v128.store(out, a9, 144);
  v128.store(out, a10, 160);
  v128.store(out, a11, 176);
}
