import { addDotProducts } from './dot';
import { Job } from './job';
import { scaledRows } from './outer';
import { addListed, listNumbers, listsBytes, UNITS } from './sparse';
import { COLUMNS, EXAMPLES, smaller, tileStride } from './tiles';
import { widen } from './widen';

/**
 * The three products of a layer, over a range of their result, so that threads can share one: every number is the same
 * whatever the range.
 */

/** Bytes of a tile of widened examples. */
function tileBytes(): usize {
  return <usize>EXAMPLES * tileStride();
}

/** Room that these products need: a tile, and lists of numbers behind it. */
export function layerScratch(): usize {
  return tileBytes() + listsBytes();
}

/** out[i, u] = scale · Σ_k x[i, k] · w[u, k] + bias[u] for examples first … end − 1, x made of bytes. */
export function forwardBytes(job: Job, first: i32, end: i32, scratch: usize): void {
  const features = job.features;
  const units = job.units;
  const wStride = <usize>features * sizeof<real>();
  for (; first < end; first += EXAMPLES) {
    const rows = smaller(EXAMPLES, end - first);
    const to = job.out + <usize>(first * units) * sizeof<real>();
    memory.fill(to, 0, <usize>(rows * units) * sizeof<real>());
    for (let column = 0; column < features; column += COLUMNS) {
      const columns = smaller(COLUMNS, features - column);
      widenTile(job, first, rows, column, columns, scratch);
      addDotProducts(scratch, tileStride(), rows, job.weights + <usize>column * sizeof<real>(), wStride, units, columns, to);
    }
    finish(to, rows, units, <real>job.scale, job.bias);
  }
}

/** The same with x of reals. */
export function forwardFloats(job: Job, first: i32, end: i32): void {
  const features = job.features;
  const units = job.units;
  const stride = <usize>features * sizeof<real>();
  for (; first < end; first += EXAMPLES) {
    const rows = smaller(EXAMPLES, end - first);
    const to = job.out + <usize>(first * units) * sizeof<real>();
    memory.fill(to, 0, <usize>(rows * units) * sizeof<real>());
    for (let column = 0; column < features; column += COLUMNS) {
      const columns = smaller(COLUMNS, features - column);
      const at = <usize>column * sizeof<real>();
      addDotProducts(job.input + <usize>first * stride + at, stride, rows, job.weights + at, stride, units, columns, to);
    }
    finish(to, rows, units, 1, job.bias);
  }
}

/** out[u, k] = scale · Σ_i dZ[i, u] · x[i, k] for columns first … end − 1, x made of bytes. The sums of many examples may be
 *  made by several jobs of a multiple of EXAMPLES each that accumulate, the last of which brings the scale. */
export function weightsBytes(job: Job, first: i32, end: i32, scratch: usize): void {
  const stride = <usize>job.features * sizeof<real>();
  for (let unit = 0; unit < job.units; unit += UNITS) {
    const units = smaller(UNITS, job.units - unit);
    sumBytes(
      job,
      first,
      end,
      unit,
      units,
      job.out + <usize>unit * stride + <usize>first * sizeof<real>(),
      stride,
      scratch,
      job.accumulate !== 0,
    );
  }
}

/** `weightsBytes` for some units, into `out`: the numbers of column `first` of rows that are outStride bytes apart. */
export function sumBytes(
  job: Job,
  first: i32,
  end: i32,
  unit: i32,
  units: i32,
  out: usize,
  outStride: usize,
  scratch: usize,
  accumulate: bool,
): void {
  const term = <usize>job.units * sizeof<real>();
  const scale = <real>job.scale;
  const lists = scratch + tileBytes();
  for (let i = 0; i < job.count; i += EXAMPLES) {
    const rows = smaller(EXAMPLES, job.count - i);
    const adds = accumulate || i > 0;
    const last = i + rows === job.count && scale !== 1;
    const dZ = job.gradient + <usize>i * term + <usize>unit * sizeof<real>();
    listNumbers(dZ, term, rows, units, lists);
    for (let column = first; column < end; column += COLUMNS) {
      const columns = smaller(COLUMNS, end - column);
      const to = out + <usize>(column - first) * sizeof<real>();
      widenTile(job, i, rows, column, columns, scratch);
      addListed(lists, dZ, term, scratch, rows, to, outStride, units, columns, adds);
      if (last) for (let u = 0; u < units; u++) multiplyRow(to + <usize>u * outStride, columns, scale);
    }
  }
}

/** The same with x of reals. */
export function weightsFloats(job: Job, first: i32, end: i32): void {
  const units = job.units;
  const stride = <usize>job.features * sizeof<real>();
  const term = <usize>units * sizeof<real>();
  for (; first < end; first += COLUMNS) {
    const at = <usize>first * sizeof<real>();
    const columns = smaller(COLUMNS, end - first);
    scaledRows(
      job.gradient,
      sizeof<real>(),
      term,
      job.input + at,
      stride,
      job.count,
      job.out + at,
      stride,
      units,
      columns,
      job.accumulate !== 0,
    );
  }
}

/** out[i, k] = Σ_u dZ[i, u] · w[u, k] for examples first … end − 1. */
export function inputGradient(job: Job, first: i32, end: i32): void {
  const features = job.features;
  const stride = <usize>features * sizeof<real>();
  const row = <usize>job.units * sizeof<real>();
  const from = job.gradient + <usize>first * row;
  const to = job.out + <usize>first * stride;
  for (let column = 0; column < features; column += COLUMNS) {
    const at = <usize>column * sizeof<real>();
    const columns = smaller(COLUMNS, features - column);
    scaledRows(from, row, sizeof<real>(), job.weights + at, stride, job.units, to + at, stride, end - first, columns, false);
  }
}

/** `columns` features of examples first … first + rows − 1, as reals. */
function widenTile(job: Job, first: i32, rows: i32, column: i32, columns: i32, scratch: usize): void {
  const indices = job.indices;
  const at: usize = job.multiply === 0 ? 0 : <usize>column * sizeof<real>();
  for (let r = 0; r < rows; r++) {
    const row = indices === 0 ? first + r : load<i32>(indices + ((<usize>(first + r)) << 2));
    const from = job.input + <usize>row * <usize>job.features + <usize>column;
    widen(from, columns, scratch + <usize>r * tileStride(), job.multiply + at, job.add + at);
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
  const end = row + <usize>count * sizeof<real>();
  const factors = v128.splat<real>(factor);
  for (; row + 16 <= end; row += 16) v128.store(row, v128.mul<real>(v128.load(row), factors));
  for (; row < end; row += sizeof<real>()) store<real>(row, load<real>(row) * factor);
}
