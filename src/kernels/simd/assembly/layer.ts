import { addDotProducts } from './dot';
import { Job } from './job';
import { scaledRows } from './outer';
import { COLUMNS, EXAMPLES, smaller, tileStride } from './tiles';
import { widen } from './widen';

/**
 * The three products of a layer, over a range of their result, so that threads can share one: every number is the same
 * whatever the range.
 */

/** Bytes of a tile of widened examples. */
export function layerScratch(): usize {
  return <usize>EXAMPLES * tileStride();
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
  const units = job.units;
  const stride = <usize>job.features * sizeof<real>();
  const term = <usize>units * sizeof<real>();
  const scale = <real>job.scale;
  for (; first < end; first += COLUMNS) {
    const columns = smaller(COLUMNS, end - first);
    const to = job.out + <usize>first * sizeof<real>();
    for (let i = 0; i < job.count; i += EXAMPLES) {
      const rows = smaller(EXAMPLES, job.count - i);
      const adds = job.accumulate !== 0 || i > 0;
      widenTile(job, i, rows, first, columns, scratch);
      scaledRows(
        job.gradient + <usize>i * term,
        sizeof<real>(),
        term,
        scratch,
        tileStride(),
        rows,
        to,
        stride,
        units,
        columns,
        adds,
      );
    }
    if (scale !== 1) for (let u = 0; u < units; u++) multiplyRow(to + <usize>u * stride, columns, scale);
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
      false,
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
  for (const end = row + <usize>count * sizeof<real>(); row < end; row += sizeof<real>())
    store<real>(row, load<real>(row) * factor);
}
