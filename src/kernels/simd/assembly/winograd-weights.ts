import { gemmTN } from './gemm-tn';
import { WinogradGradWeightsCall, WinogradWeightsCall } from './generated/calls';
import { smaller } from './tiles';
import { zero } from './windows';
import { combineRows, padded, partBytes, realBytes, SUM_TILES, tilesTogether, transformInput } from './winograd-tiles';

/** The gradient of weights by Winograd's transform. */

/** Channels `first` … `end` − 1 of four rows of channels: dU = Σ V dMᵀ over all tiles, with dM = A dY Aᵀ; row i of V and of dM make row i of dU. */
export function winogradGradWeights(call: WinogradGradWeightsCall, first: i32, end: i32, scratch: usize): void {
  const channels = call.channels;
  while (first < end) {
    const channel = first % channels;
    const count = smaller(end - first, channels - channel);
    sumTiles(call, first / channels, channel, count, scratch);
    first += count;
  }
}

/** Row i of dU, of some channels. */
function sumTiles(call: WinogradGradWeightsCall, i: i32, channel: i32, count: i32, scratch: usize): void {
  const units = call.units;
  const most = tilesTogether(SUM_TILES, call.channels, units);
  const pixel = realBytes(padded(count));
  const out = realBytes(padded(units));
  const line = scratch;
  const zeros = line + <usize>(2 * most + 2) * pixel;
  const v = zeros + <usize>(2 * most + 2) * realBytes(padded(call.channels));
  const vPart = partBytes(most, pixel);
  const mPart = partBytes(most, out);
  const m = v + 4 * vPart;
  const sums = m + 4 * mPart;
  const rest = sums + <usize>(2 * most) * out;
  memory.fill(line, 0, v - line);
  memory.fill(sums, 0, <usize>(4 * most) * out);
  const part = <usize>call.channels * out;
  const to = call.out + <usize>(4 * i) * part + <usize>channel * out;
  for (let tile = 0; tile < call.tiles; tile += most) {
    const tiles = smaller(most, call.tiles - tile);
    transformInput<WinogradGradWeightsCall>(call, i, tile, tiles, channel, count, line, zeros, v, vPart);
    transformGradient(call, i, tile, tiles, sums, rest, m, mPart);
    for (let j = 0; j < 4; j++) {
      const p = v + <usize>j * vPart;
      const q = m + <usize>j * mPart;
      gemmTN(p, sizeof<real>(), pixel, q, out, tiles, to + <usize>j * part, out, count, padded(units), tile > 0);
    }
  }
}

/** Row i of dM = A dY Aᵀ, four parts of (tiles, units).
 *  @param sums, zeros  room for two pixels a tile, the one for sums of rows, the other zeros */
function transformGradient(
  call: WinogradGradWeightsCall,
  i: i32,
  first: i32,
  tiles: i32,
  sums: usize,
  zeros: usize,
  m: usize,
  part: usize,
): void {
  const across = (call.outWidth + 1) >> 1;
  const down = (call.outHeight + 1) >> 1;
  const bytes = realBytes(call.units);
  const pixel = realBytes(padded(call.units));
  const row = <usize>call.outWidth * bytes;
  while (tiles > 0) {
    const column = first % across;
    const together = smaller(tiles, across - column);
    const y = 2 * ((first / across) % down);
    const values =
      call.dZ + (<usize>(first / across / down) * <usize>call.outHeight + <usize>y) * row + <usize>(2 * column) * bytes;
    const below = y + 1 < call.outHeight ? values + row : zeros;
    const inside = smaller(2 * together, call.outWidth - 2 * column);
    // rows 0, 0 + 1, 0 − 1 and 1
    combineRows(i === 3 ? below : values, i === 0 || i === 3 ? zeros : below, i === 1, sums, inside, bytes, pixel, bytes);
    zero(sums + <usize>inside * pixel, <usize>(2 * together - inside) * pixel);
    for (let t = 0; t < together; t++, m += pixel) gradientColumns(sums + <usize>(2 * t) * pixel, pixel, m, part);
    tiles -= together;
    first += together;
  }
}

/** Columns of a tile's row of sums: 0, 0 + 1, 0 − 1 and 1. */
function gradientColumns(from: usize, pixel: usize, to: usize, part: usize): void {
  for (const end = from + pixel; from < end; from += 32, to += 32) {
    const p = from + pixel;
    const a = v128.load(from);
    const a1 = v128.load(from, 16);
    const b = v128.load(p);
    const b1 = v128.load(p, 16);
    let q = to + part;
    v128.store(to, a);
    v128.store(to, a1, 16);
    v128.store(q, v128.add<real>(a, b));
    v128.store(q, v128.add<real>(a1, b1), 16);
    q += part;
    v128.store(q, v128.sub<real>(a, b));
    v128.store(q, v128.sub<real>(a1, b1), 16);
    q += part;
    v128.store(q, b);
    v128.store(q, b1, 16);
  }
}

/** dW = Gᵀ dU G of filters `first` … `end` − 1. */
export function winogradWeights(call: WinogradWeightsCall, first: i32, end: i32): void {
  const row = realBytes(padded(call.units));
  const tap = realBytes(call.channels);
  const adds = call.accumulates !== 0;
  for (let u = first; u < end; u++) {
    for (let c = 0; c < call.channels; c++) {
      const from = call.sums + <usize>c * row + realBytes(u);
      const to = call.out + <usize>u * 9 * tap + realBytes(c);
      transformWeights(from, <usize>call.channels * row, to, tap, adds);
    }
  }
}

/** One filter's channel. Rows 0 + ½ (1 + 2), ½ (1 − 2) and ½ (1 + 2) + 3, and then columns. */
function transformWeights(from: usize, part: usize, to: usize, tap: usize, adds: bool): void {
  const half: real = 0.5;
  for (let i = 0; i < 3; i++, to += 3 * tap) {
    const x0 = rowOfWeights(from, i, part);
    const x1 = rowOfWeights(from + part, i, part);
    const x2 = rowOfWeights(from + 2 * part, i, part);
    const x3 = rowOfWeights(from + 3 * part, i, part);
    const sum = half * (x1 + x2);
    const first = x0 + sum;
    const second = half * (x1 - x2);
    const third = sum + x3;
    store<real>(to, adds ? load<real>(to) + first : first);
    store<real>(to + tap, adds ? load<real>(to + tap) + second : second);
    store<real>(to + 2 * tap, adds ? load<real>(to + 2 * tap) + third : third);
  }
}

function rowOfWeights(from: usize, i: i32, part: usize): real {
  const half: real = 0.5;
  const a = load<real>(from + 4 * part);
  const b = load<real>(from + 8 * part);
  if (i === 1) return half * (a - b);
  const sum = half * (a + b);
  return i === 0 ? load<real>(from) + sum : sum + load<real>(from + 12 * part);
}
