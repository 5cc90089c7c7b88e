import { dequantizeTile } from './dequantize';
import { blockColumns, blockStride, gemmNT, layPanels, PANEL_UNITS, panelBytes, patchStride, ROWS } from './gemm-nt';
import { gemmTN } from './gemm-tn';
import {
  ByteGradient,
  ConvolveBytesCall,
  ConvolveFloatsCall,
  ConvolveGradWeightsBytesCall,
  ConvolveGradWeightsFloatsCall,
  EXAMPLES,
  LinearBytesCall,
  LinearFloatsCall,
  LinearGradInputCall,
  LinearGradWeightsBytesCall,
  LinearGradWeightsFloatsCall,
} from './generated/calls';
import { addListed, listNumbers, listsBytes, UNITS } from './sparse';
import { COLUMNS, smaller, tileStride } from './tiles';
import { gatherBytes, gatherTile, LINE_BYTES, lineBytes, placeLine, realBytes } from './windows';

/**
 * The three products of a layer, over a range of their result, so that threads can share one: every number is the same
 * whatever the range.
 */

/** Bytes of a tile of dequantized examples. */
function tileBytes(): usize {
  return <usize>EXAMPLES * tileStride();
}

/** Room that these products need: a tile, behind it lists of numbers or panels, and behind these a line of an image. */
export function layerScratch(): usize {
  return max<usize>(tileBytes() + listsBytes(), <usize>ROWS * patchStride() + panelBytes()) + LINE_BYTES;
}

function lineOf(scratch: usize): usize {
  return scratch + layerScratch() - LINE_BYTES;
}

/** out[i, u] = scale · Σ_k x[i, k] · w[u, k] + bias[u], x made of bytes: for examples first … end − 1, or for units, if `byUnits`. */
export function linearBytes(call: LinearBytesCall, first: i32, end: i32, scratch: usize): void {
  linearPiece(call, first, end, call.count, scratch);
}

/** The same with x of reals. */
export function linearFloats(call: LinearFloatsCall, first: i32, end: i32, scratch: usize): void {
  linearPiece(call, first, end, call.count, scratch);
}

/** The same with x of patches of images of bytes: an example is a place of an image. */
export function convolveBytes(call: ConvolveBytesCall, first: i32, end: i32, scratch: usize): void {
  const isWhole = call.byUnits === 0 && call.length <= blockColumns(false);
  if (isWhole && <usize>call.size * lineBytes(call) <= LINE_BYTES) convolveLines(call, first, end, scratch);
  else linearPiece(call, first, end, call.places, scratch);
}

/** Places first … end − 1. Lines of an image become reals once, and a window's rows are read from them where they lie: the sums are those of patches. */
function convolveLines(call: ConvolveBytesCall, first: i32, end: i32, scratch: usize): void {
  const panels = scratch + <usize>ROWS * patchStride();
  const lines = lineOf(scratch);
  const line = lineBytes(call);
  const step = realBytes(call.stride * call.channels);
  const run = call.size * call.channels;
  const weights = realBytes(call.length);
  const outStride = realBytes(call.units);
  for (let unit = 0; unit < call.units; unit += PANEL_UNITS) {
    const units = smaller(PANEL_UNITS, call.units - unit);
    const turned = realBytes(units);
    const bias: usize = call.bias === 0 ? 0 : call.bias + realBytes(unit);
    layColumns(call.weights + <usize>unit * weights, weights, units, call.length, panels, turned);
    let known = -1; // the image whose lines are there, up to line `below`, counted from the padding on
    let below = 0;
    for (let place = first; place < end; ) {
      const row = place / call.outWidth;
      const image = row / call.outHeight;
      const column = place % call.outWidth;
      const places = smaller(call.outWidth - column, end - place);
      const top = (row % call.outHeight) * call.stride;
      for (let y = image === known ? max<i32>(top, below) : top; y < top + call.size; y++)
        placeLine(call, image, y - call.top, lines + <usize>(y % call.size) * line);
      known = image;
      below = top + call.size;
      const out = call.out + <usize>place * outStride + realBytes(unit);
      for (let dy = 0; dy < call.size; dy++) {
        const from = lines + <usize>((top + dy) % call.size) * line + <usize>column * step;
        const q = panels + <usize>(dy * run) * turned;
        gemmTN(from, step, sizeof<real>(), q, turned, run, out, outStride, places, units, dy > 0);
      }
      for (let i: usize = 0; i < <usize>places; i++) {
        finish(out + i * outStride, units, <real>call.scale, bias);
        if (call.relu !== 0) rectify(out + i * outStride, units);
      }
      place += places;
    }
  }
}

/** The same with images of reals. */
export function convolveFloats(call: ConvolveFloatsCall, first: i32, end: i32, scratch: usize): void {
  linearPiece(call, first, end, call.places, scratch);
}

/** A piece of the result: of its examples, `count` in all, or of its units. */
function linearPiece<Call>(call: Call, first: i32, end: i32, count: i32, scratch: usize): void {
  if (call.byUnits === 0) linearBlock(call, first, end, 0, call.units, scratch);
  else linearBlock(call, 0, count, first, end, scratch);
}

/** Columns of X, as a call has them: of patches those of a window. */
function columnsOf<Call>(call: Call): i32 {
  if (isDefined(call.length)) return call.length;
  return call.features;
}

/** For examples first … end − 1 and units unit … unitsEnd − 1.
 *  @typeParam Call  of bytes or of reals: each has code of its own */
function linearBlock<Call>(call: Call, first: i32, end: i32, unit: i32, unitsEnd: i32, scratch: usize): void {
  const features = columnsOf(call);
  const block = blockColumns(isDefined(call.bytes) && !isDefined(call.length));
  const outStride = <usize>call.units * sizeof<real>();
  for (; unit < unitsEnd; unit += PANEL_UNITS) {
    const units = smaller(PANEL_UNITS, unitsEnd - unit);
    const out = call.out + <usize>unit * sizeof<real>();
    for (let i = <usize>first; i < <usize>end; i++) memory.fill(out + i * outStride, 0, <usize>units * sizeof<real>());
    for (let column = 0; column < features; column += block) {
      const columns = smaller(block, features - column);
      linearColumns(call, first, end, unit, units, column, columns, scratch);
    }
    const bias: usize = call.bias === 0 ? 0 : call.bias + <usize>unit * sizeof<real>();
    let scale: real = 1;
    if (isDefined(call.scale)) scale = <real>call.scale;
    for (let i = <usize>first; i < <usize>end; i++) finish(out + i * outStride, units, scale, bias);
    if (isDefined(call.relu)) {
      if (call.relu !== 0) for (let i = <usize>first; i < <usize>end; i++) rectify(out + i * outStride, units);
    }
  }
}

/** What `columns` columns of X and W add to the sums. */
function linearColumns<Call>(
  call: Call,
  first: i32,
  end: i32,
  unit: i32,
  units: i32,
  column: i32,
  columns: i32,
  scratch: usize,
): void {
  const stride = <usize>columnsOf(call) * sizeof<real>();
  const outStride = <usize>call.units * sizeof<real>();
  const panels = scratch + <usize>ROWS * patchStride();
  const at = <usize>column * sizeof<real>();
  const w = call.weights + <usize>unit * stride + at;
  // windows of pixels are short rows: sums that each run in a lane of their own end without adding lanes up
  const isPixels = isDefined(call.length) && isDefined(call.bytes);
  const turned = <usize>units * sizeof<real>();
  if (isPixels) layColumns(w, stride, units, columns, panels, turned);
  else layPanels(w, stride, units, columns, panels);
  for (; first < end; first += ROWS) {
    const rows = smaller(ROWS, end - first);
    const out = call.out + <usize>first * outStride + <usize>unit * sizeof<real>();
    if (isPixels) {
      gatherBytes<Call>(call, first, rows, column, columns, scratch, patchStride(), lineOf(scratch));
      gemmTN(scratch, patchStride(), sizeof<real>(), panels, turned, columns, out, outStride, rows, units, true);
    } else if (isDefined(call.length)) {
      gatherTile<void, Call>(call, first, rows, column, columns, scratch, patchStride());
      gemmNT(scratch, patchStride(), rows, w, stride, units, columns, out, outStride, panels);
    } else if (isDefined(call.bytes)) {
      dequantizeTile(call, first, rows, column, columns, scratch, blockStride());
      gemmNT(scratch, blockStride(), rows, w, stride, units, columns, out, outStride, panels);
    } else {
      const x = call.values + <usize>first * stride + at;
      gemmNT(x, stride, rows, w, stride, units, columns, out, outStride, panels);
    }
  }
}

/** Lays `units` rows of W out as columns: row k has column k of all of them. */
function layColumns(w: usize, wStride: usize, units: i32, columns: i32, to: usize, stride: usize): void {
  for (let u = 0; u < units; u++, w += wStride, to += sizeof<real>()) {
    for (let k = 0; k < columns; k++) store<real>(to + <usize>k * stride, load<real>(w + realBytes(k)));
  }
}

/** out[u, k] = scale · Σ_i dZ[i, u] · x[i, k] for columns first … end − 1, x made of bytes. The sums of many examples may be
 *  made by several calls of a multiple of EXAMPLES each that accumulate, the last of which brings the scale. */
export function linearGradWeightsBytes(call: LinearGradWeightsBytesCall, first: i32, end: i32, scratch: usize): void {
  const stride = <usize>call.features * sizeof<real>();
  for (let unit = 0; unit < call.units; unit += UNITS) {
    const units = smaller(UNITS, call.units - unit);
    const out = call.out + <usize>unit * stride + <usize>first * sizeof<real>();
    sumBytes(call, first, end, unit, units, out, stride, scratch, call.accumulates !== 0);
  }
}

/** `linearGradWeightsBytes` for some units, into `out`: the numbers of column `first` of rows that are outStride bytes apart. */
export function sumBytes(
  call: ByteGradient,
  first: i32,
  end: i32,
  unit: i32,
  units: i32,
  out: usize,
  outStride: usize,
  scratch: usize,
  accumulate: bool,
): void {
  const term = <usize>call.units * sizeof<real>();
  const scale = <real>call.scale;
  const lists = scratch + tileBytes();
  for (let i = 0; i < call.count; i += EXAMPLES) {
    const rows = smaller(EXAMPLES, call.count - i);
    const adds = accumulate || i > 0;
    const last = i + rows === call.count && scale !== 1;
    const dZ = call.dZ + <usize>i * term + <usize>unit * sizeof<real>();
    listNumbers(dZ, term, rows, units, tileStride(), lists);
    for (let column = first; column < end; column += COLUMNS) {
      const columns = smaller(COLUMNS, end - column);
      const to = out + <usize>(column - first) * sizeof<real>();
      dequantizeTile(call, i, rows, column, columns, scratch, tileStride());
      addListed(lists, dZ, term, scratch, tileStride(), rows, to, outStride, units, columns, adds);
      if (last) for (let u = 0; u < units; u++) multiplyRow(to + <usize>u * outStride, columns, scale);
    }
  }
}

/** `sumBytes` over a tile of all examples, whose columns from `first` on are dequantized already: all units share it. */
export function sumTile(
  call: ByteGradient,
  tile: usize,
  stride: usize,
  columns: i32,
  unit: i32,
  units: i32,
  out: usize,
  outStride: usize,
  lists: usize,
): void {
  const term = <usize>call.units * sizeof<real>();
  const scale = <real>call.scale;
  const dZ = call.dZ + <usize>unit * sizeof<real>();
  listNumbers(dZ, term, call.count, units, stride, lists);
  for (let column = 0; column < columns; column += COLUMNS) {
    const some = smaller(COLUMNS, columns - column);
    const at = <usize>column * sizeof<real>();
    addListed(lists, dZ, term, tile + at, stride, call.count, out + at, outStride, units, some, false);
    if (scale !== 1) for (let u = 0; u < units; u++) multiplyRow(out + at + <usize>u * outStride, some, scale);
  }
}

/** The same with x of reals. */
export function linearGradWeightsFloats(call: LinearGradWeightsFloatsCall, first: i32, end: i32): void {
  const count = call.count;
  const units = call.units;
  const adds = call.accumulates !== 0;
  const stride = <usize>call.features * sizeof<real>();
  const term = <usize>units * sizeof<real>();
  for (; first < end; first += COLUMNS) {
    const at = <usize>first * sizeof<real>();
    const columns = smaller(COLUMNS, end - first);
    gemmTN(call.dZ, sizeof<real>(), term, call.values + at, stride, count, call.out + at, stride, units, columns, adds);
  }
}

/** The same with x of patches, from images of bytes. */
export function convolveGradWeightsBytes(call: ConvolveGradWeightsBytesCall, first: i32, end: i32, scratch: usize): void {
  sumPatches<u8, ConvolveGradWeightsBytesCall>(call, first, end, scratch);
}

/** The same from images of reals. */
export function convolveGradWeightsFloats(call: ConvolveGradWeightsFloatsCall, first: i32, end: i32, scratch: usize): void {
  sumPatches<void, ConvolveGradWeightsFloatsCall>(call, first, end, scratch);
}

/** @typeParam Bytes  void where the images are reals */
function sumPatches<Bytes, Call>(call: Call, first: i32, end: i32, scratch: usize): void {
  const stride = <usize>call.length * sizeof<real>();
  const term = <usize>call.units * sizeof<real>();
  for (let place = 0; place < call.places; place += EXAMPLES) {
    const rows = smaller(EXAMPLES, call.places - place);
    const dZ = call.dZ + <usize>place * term;
    const adds = call.accumulates !== 0 || place > 0;
    for (let column = first; column < end; column += COLUMNS) {
      const columns = smaller(COLUMNS, end - column);
      const to = call.out + <usize>column * sizeof<real>();
      if (isVoid<Bytes>()) gatherTile<void, Call>(call, place, rows, column, columns, scratch, tileStride());
      else gatherBytes<Call>(call, place, rows, column, columns, scratch, tileStride(), lineOf(scratch));
      gemmTN(dZ, sizeof<real>(), term, scratch, tileStride(), rows, to, stride, call.units, columns, adds);
    }
  }
}

/** out[i, k] = Σ_u dZ[i, u] · w[u, k] for examples first … end − 1. */
export function linearGradInput(call: LinearGradInputCall, first: i32, end: i32): void {
  const features = call.features;
  const stride = <usize>features * sizeof<real>();
  const row = <usize>call.units * sizeof<real>();
  const from = call.dZ + <usize>first * row;
  const to = call.out + <usize>first * stride;
  for (let column = 0; column < features; column += COLUMNS) {
    const at = <usize>column * sizeof<real>();
    const columns = smaller(COLUMNS, features - column);
    gemmTN(from, row, sizeof<real>(), call.weights + at, stride, call.units, to + at, stride, end - first, columns, false);
  }
}

/** sums ← scale · sums + bias, for one example. */
function finish(sums: usize, units: i32, scale: real, bias: usize): void {
  if (scale !== 1) multiplyRow(sums, units, scale);
  if (bias === 0) return;
  const bytes = <usize>units * sizeof<real>();
  let u: usize = 0;
  for (; u + 16 <= bytes; u += 16) v128.store(sums + u, v128.add<real>(v128.load(sums + u), v128.load(bias + u)));
  for (; u < bytes; u += sizeof<real>()) {
    store<real>(sums + u, load<real>(sums + u) + load<real>(bias + u));
  }
}

/** ReLU: what is below 0 becomes 0, and what is no number stays so. */
function rectify(row: usize, units: i32): void {
  const end = row + <usize>units * sizeof<real>();
  const zero = v128.splat<real>(0);
  for (; row + 16 <= end; row += 16) v128.store(row, v128.pmax<real>(v128.load(row), zero));
  for (; row < end; row += sizeof<real>()) if (load<real>(row) < 0) store<real>(row, 0);
}

function multiplyRow(row: usize, count: i32, factor: real): void {
  const end = row + <usize>count * sizeof<real>();
  const factors = v128.splat<real>(factor);
  for (; row + 16 <= end; row += 16) v128.store(row, v128.mul<real>(v128.load(row), factors));
  for (; row < end; row += sizeof<real>()) store<real>(row, load<real>(row) * factor);
}
