import { addDotProducts, layPanels, PANEL_UNITS, panelBytes, ROWS, stretchColumns, stretchStride } from './dot';
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

/** Room that these products need: a tile, and behind it lists of numbers or panels. */
export function layerScratch(): usize {
  return max<usize>(tileBytes() + listsBytes(), <usize>ROWS * stretchStride() + panelBytes());
}

/** out[i, u] = scale · Σ_k x[i, k] · w[u, k] + bias[u], x made of bytes: for examples first … end − 1, or for units, as `rule` says. */
export function forwardBytes(job: Job, first: i32, end: i32, scratch: usize): void {
  if (job.rule === 0) forwardBlock(job, first, end, 0, job.units, true, scratch);
  else forwardBlock(job, 0, job.count, first, end, true, scratch);
}

/** The same with x of reals. */
export function forwardFloats(job: Job, first: i32, end: i32, scratch: usize): void {
  if (job.rule === 0) forwardBlock(job, first, end, 0, job.units, false, scratch);
  else forwardBlock(job, 0, job.count, first, end, false, scratch);
}

/** For examples first … end − 1 and units unit … unitsEnd − 1. */
function forwardBlock(job: Job, first: i32, end: i32, unit: i32, unitsEnd: i32, bytes: bool, scratch: usize): void {
  const outStride = <usize>job.units * sizeof<real>();
  for (; unit < unitsEnd; unit += PANEL_UNITS) {
    const units = smaller(PANEL_UNITS, unitsEnd - unit);
    const out = job.out + <usize>unit * sizeof<real>();
    for (let i = <usize>first; i < <usize>end; i++) memory.fill(out + i * outStride, 0, <usize>units * sizeof<real>());
    for (let column = 0; column < job.features; column += stretchColumns(bytes)) {
      const columns = smaller(stretchColumns(bytes), job.features - column);
      forwardStretch(job, first, end, unit, units, column, columns, bytes, scratch);
    }
    const bias: usize = job.bias === 0 ? 0 : job.bias + <usize>unit * sizeof<real>();
    const scale: real = bytes ? <real>job.scale : 1;
    for (let i = <usize>first; i < <usize>end; i++) finish(out + i * outStride, units, scale, bias);
  }
}

/** What `columns` columns of X and W add to the sums. */
function forwardStretch(
  job: Job,
  first: i32,
  end: i32,
  unit: i32,
  units: i32,
  column: i32,
  columns: i32,
  bytes: bool,
  scratch: usize,
): void {
  const stride = <usize>job.features * sizeof<real>();
  const outStride = <usize>job.units * sizeof<real>();
  const panels = scratch + <usize>ROWS * stretchStride();
  const at = <usize>column * sizeof<real>();
  const w = job.weights + <usize>unit * stride + at;
  layPanels(w, stride, units, columns, panels);
  for (; first < end; first += ROWS) {
    const rows = smaller(ROWS, end - first);
    const out = job.out + <usize>first * outStride + <usize>unit * sizeof<real>();
    if (bytes) widenTile(job, first, rows, column, columns, scratch, stretchStride());
    const x = bytes ? scratch : job.input + <usize>first * stride + at;
    addDotProducts(x, bytes ? stretchStride() : stride, rows, w, stride, units, columns, out, outStride, panels);
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
    listNumbers(dZ, term, rows, units, tileStride(), lists);
    for (let column = first; column < end; column += COLUMNS) {
      const columns = smaller(COLUMNS, end - column);
      const to = out + <usize>(column - first) * sizeof<real>();
      widenTile(job, i, rows, column, columns, scratch, tileStride());
      addListed(lists, dZ, term, scratch, tileStride(), rows, to, outStride, units, columns, adds);
      if (last) for (let u = 0; u < units; u++) multiplyRow(to + <usize>u * outStride, columns, scale);
    }
  }
}

/** `sumBytes` over a tile of all examples, whose columns from `first` on are widened already: all units share it. */
export function sumTile(
  job: Job,
  tile: usize,
  stride: usize,
  columns: i32,
  unit: i32,
  units: i32,
  out: usize,
  outStride: usize,
  lists: usize,
): void {
  const term = <usize>job.units * sizeof<real>();
  const scale = <real>job.scale;
  const dZ = job.gradient + <usize>unit * sizeof<real>();
  listNumbers(dZ, term, job.count, units, stride, lists);
  for (let column = 0; column < columns; column += COLUMNS) {
    const some = smaller(COLUMNS, columns - column);
    const at = <usize>column * sizeof<real>();
    addListed(lists, dZ, term, tile + at, stride, job.count, out + at, outStride, units, some, false);
    if (scale !== 1) for (let u = 0; u < units; u++) multiplyRow(out + at + <usize>u * outStride, some, scale);
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
export function widenTile(job: Job, first: i32, rows: i32, column: i32, columns: i32, tile: usize, stride: usize): void {
  const indices = job.indices;
  const at: usize = job.multiply === 0 ? 0 : <usize>column * sizeof<real>();
  for (let r = 0; r < rows; r++) {
    const row = indices === 0 ? first + r : load<i32>(indices + ((<usize>(first + r)) << 2));
    const from = job.input + <usize>row * <usize>job.features + <usize>column;
    widen(from, columns, tile + <usize>r * stride, job.multiply + at, job.add + at);
  }
}

/** sums ← scale · sums + bias, for one example. */
function finish(sums: usize, units: i32, scale: real, bias: usize): void {
  if (scale !== 1) multiplyRow(sums, units, scale);
  if (bias === 0) return;
  for (let u: usize = 0; u < <usize>units * sizeof<real>(); u += sizeof<real>()) {
    store<real>(sums + u, load<real>(sums + u) + load<real>(bias + u));
  }
}

function multiplyRow(row: usize, count: i32, factor: real): void {
  const end = row + <usize>count * sizeof<real>();
  const factors = v128.splat<real>(factor);
  for (; row + 16 <= end; row += 16) v128.store(row, v128.mul<real>(v128.load(row), factors));
  for (; row < end; row += sizeof<real>()) store<real>(row, load<real>(row) * factor);
}
