import { addDotProducts } from './dot';
import { scaledRows } from './outer';
import { COLUMNS, EXAMPLES, smaller, tileStride } from './tiles';
import { widen } from './widen';

/**
 * The three products of a layer, over a range of their result, so that threads can share one: every number is the
 * same whatever the range. Arrays are addresses. Input maps are `multiply` and `add`
 * (`features` numbers each), or both 0 where the map is x = scale · byte, which is then applied to the sums.
 */

/** Bytes of a tile of widened examples. */
export function scratchBytes(): usize {
  return EXAMPLES * tileStride();
}

/** out[i, u] = scale · Σ_k x[i, k] · w[u, k] + bias[u] for examples first … end − 1, x made of bytes.
 *  @param indices  `end` whole numbers: example i is row indices[i] of `bytes`; or 0, and it is row i
 *  @param bias     `units` numbers, or 0 for none
 *  @param scratch  scratchBytes of room */
export function forwardBytes(
  bytes: usize,
  indices: usize,
  features: i32,
  multiply: usize,
  add: usize,
  scale: real,
  w: usize,
  bias: usize,
  units: i32,
  out: usize,
  first: i32,
  end: i32,
  scratch: usize,
): void {
  const wStride = <usize>features * sizeof<real>();
  for (; first < end; first += EXAMPLES) {
    const rows = smaller(EXAMPLES, end - first);
    const to = out + <usize>(first * units) * sizeof<real>();
    memory.fill(to, 0, <usize>(rows * units) * sizeof<real>());
    for (let column = 0; column < features; column += COLUMNS) {
      const columns = smaller(COLUMNS, features - column);
      widenTile(bytes, indices, first, rows, features, column, columns, multiply, add, scratch);
      addDotProducts(scratch, tileStride(), rows, w + <usize>column * sizeof<real>(), wStride, units, columns, to);
    }
    finish(to, rows, units, scale, bias);
  }
}

/** The same with x (`end` rows of `features` numbers). */
export function forwardFloats(
  x: usize,
  features: i32,
  w: usize,
  bias: usize,
  units: i32,
  out: usize,
  first: i32,
  end: i32,
): void {
  const stride = <usize>features * sizeof<real>();
  for (; first < end; first += EXAMPLES) {
    const rows = smaller(EXAMPLES, end - first);
    const to = out + <usize>(first * units) * sizeof<real>();
    memory.fill(to, 0, <usize>(rows * units) * sizeof<real>());
    for (let column = 0; column < features; column += COLUMNS) {
      const columns = smaller(COLUMNS, features - column);
      const at = <usize>column * sizeof<real>();
      addDotProducts(x + <usize>first * stride + at, stride, rows, w + at, stride, units, columns, to);
    }
    finish(to, rows, units, 1, bias);
  }
}

/** out[u, k] = scale · Σ_i dZ[i, u] · x[i, k] for columns first … end − 1, x made of bytes.
 *  @param accumulate  whether the sums go on from what `out` holds: the sums of many examples may be made by several
 *                     calls of a multiple of EXAMPLES each, the last of which brings the scale
 *  @param scratch     scratchBytes of room */
export function weightsBytes(
  bytes: usize,
  indices: usize,
  features: i32,
  multiply: usize,
  add: usize,
  scale: real,
  count: i32,
  accumulate: bool,
  dZ: usize,
  units: i32,
  out: usize,
  first: i32,
  end: i32,
  scratch: usize,
): void {
  const stride = <usize>features * sizeof<real>();
  const term = <usize>units * sizeof<real>();
  for (; first < end; first += COLUMNS) {
    const columns = smaller(COLUMNS, end - first);
    const to = out + <usize>first * sizeof<real>();
    for (let i = 0; i < count; i += EXAMPLES) {
      const rows = smaller(EXAMPLES, count - i);
      widenTile(bytes, indices, i, rows, features, first, columns, multiply, add, scratch);
      const from = dZ + <usize>i * term;
      scaledRows(from, sizeof<real>(), term, scratch, tileStride(), rows, to, stride, units, columns, accumulate || i > 0);
    }
    if (scale !== 1) for (let u = 0; u < units; u++) multiplyRow(to + <usize>u * stride, columns, scale);
  }
}

/** The same with x (`count` rows of `features` numbers). */
export function weightsFloats(
  x: usize,
  features: i32,
  count: i32,
  dZ: usize,
  units: i32,
  out: usize,
  first: i32,
  end: i32,
): void {
  const stride = <usize>features * sizeof<real>();
  const term = <usize>units * sizeof<real>();
  for (; first < end; first += COLUMNS) {
    const at = <usize>first * sizeof<real>();
    scaledRows(dZ, sizeof<real>(), term, x + at, stride, count, out + at, stride, units, smaller(COLUMNS, end - first), false);
  }
}

/** out[i, k] = Σ_u dZ[i, u] · w[u, k] for examples first … end − 1. */
export function inputGradient(dZ: usize, w: usize, units: i32, features: i32, out: usize, first: i32, end: i32): void {
  const stride = <usize>features * sizeof<real>();
  const row = <usize>units * sizeof<real>();
  for (let column = 0; column < features; column += COLUMNS) {
    const at = <usize>column * sizeof<real>();
    const columns = smaller(COLUMNS, features - column);
    const from = dZ + <usize>first * row;
    scaledRows(
      from,
      row,
      sizeof<real>(),
      w + at,
      stride,
      units,
      out + <usize>first * stride + at,
      stride,
      end - first,
      columns,
      false,
    );
  }
}

/** `columns` features of examples first … first + rows − 1, as reals. */
function widenTile(
  bytes: usize,
  indices: usize,
  first: i32,
  rows: i32,
  features: i32,
  column: i32,
  columns: i32,
  multiply: usize,
  add: usize,
  scratch: usize,
): void {
  const at: usize = multiply === 0 ? 0 : <usize>column * sizeof<real>();
  for (let r = 0; r < rows; r++) {
    const row = indices === 0 ? first + r : load<i32>(indices + ((<usize>(first + r)) << 2));
    const from = bytes + <usize>row * <usize>features + <usize>column;
    widen(from, columns, scratch + <usize>r * tileStride(), multiply + at, add + at);
  }
}

/** sums ← scale · sums + bias. */
function finish(sums: usize, rows: i32, units: i32, scale: real, bias: usize): void {
  if (scale !== 1) multiplyRow(sums, rows * units, scale);
  if (bias === 0) return;
  for (let i = 0; i < rows; i++) {
    for (let u: usize = 0; u < <usize>units * sizeof<real>(); u += sizeof<real>(), sums += sizeof<real>()) {
      store<real>(sums, load<real>(sums) + load<real>(bias + u));
    }
  }
}

function multiplyRow(row: usize, count: i32, factor: real): void {
  for (const end = row + <usize>count * sizeof<real>(); row < end; row += sizeof<real>())
    store<real>(row, load<real>(row) * factor);
}
