import { gemmTN } from './gemm-tn';
import { WinogradCall, WinogradFiltersCall } from './generated/calls';
import { smaller } from './tiles';
import { copy } from './windows';
import { PRODUCT_TILES, padded, partBytes, realBytes, tilesTogether, transformInput } from './winograd-tiles';

/**
 * Convolutions of 3 × 3 by Winograd's F(2 × 2, 3 × 3): reference-winograd.ts in the folder above says what is computed, and in which order. Some tiles at a time are
 * transformed, multiplied and transformed back, so that they stay in the second-level cache. In scratch a pixel has room for a whole number of two vectors, zeros
 * beyond its channels: only what reads and writes images has rests.
 */

/** U of filters `first` … `end` − 1, sixteen parts of (channels, filters), or of (filters, channels) for the way back. Their rows are padded with zeros. */
export function winogradFilters(call: WinogradFiltersCall, first: i32, end: i32): void {
  const turned = call.turned !== 0;
  const units = turned || end < call.units ? end : padded(call.units);
  const channels = turned ? padded(call.channels) : call.channels;
  const row = realBytes(turned ? channels : padded(call.units));
  const part = row * <usize>(turned ? call.units : call.channels);
  const tap = realBytes(call.channels);
  for (let u = first; u < units; u++) {
    for (let c = 0; c < channels; c++) {
      const to = call.out + (turned ? <usize>u * row + realBytes(c) : <usize>c * row + realBytes(u));
      if (u >= call.units || c >= call.channels) for (let e = 0; e < 16; e++) store<real>(to + <usize>e * part, 0);
      else transformFilter(call.weights + <usize>u * 9 * tap + realBytes(c), tap, turned, to, part);
    }
  }
}

/** G g Gᵀ of one filter's channel. */
function transformFilter(g: usize, tap: usize, turned: bool, to: usize, part: usize): void {
  const from = turned ? g + 8 * tap : g;
  const step = turned ? 0 - tap : tap;
  const a0 = load<real>(from);
  const a1 = load<real>(from + step);
  const a2 = load<real>(from + 2 * step);
  const b0 = load<real>(from + 3 * step);
  const b1 = load<real>(from + 4 * step);
  const b2 = load<real>(from + 5 * step);
  const c0 = load<real>(from + 6 * step);
  const c1 = load<real>(from + 7 * step);
  const c2 = load<real>(from + 8 * step);
  const s0 = a0 + c0;
  const s1 = a1 + c1;
  const s2 = a2 + c2;
  const half: real = 0.5;
  storeRow(a0, a1, a2, to, part);
  storeRow(half * (s0 + b0), half * (s1 + b1), half * (s2 + b2), to + 4 * part, part);
  storeRow(half * (s0 - b0), half * (s1 - b1), half * (s2 - b2), to + 8 * part, part);
  storeRow(c0, c1, c2, to + 12 * part, part);
}

function storeRow(x: real, y: real, z: real, to: usize, part: usize): void {
  const half: real = 0.5;
  const sum = x + z;
  store<real>(to, x);
  store<real>(to + part, half * (sum + y));
  store<real>(to + 2 * part, half * (sum - y));
  store<real>(to + 3 * part, z);
}

/** Tiles `first` … `end` − 1 of the result, image after image and row after row. */
export function winograd(call: WinogradCall, first: i32, end: i32, scratch: usize): void {
  const channels = call.channels;
  const units = call.units;
  const most = tilesTogether(PRODUCT_TILES, channels, units);
  const pixel = realBytes(padded(channels));
  const out = realBytes(padded(units));
  const line = scratch;
  const zeros = line + <usize>(2 * most + 2) * pixel;
  const v = zeros + <usize>(2 * most + 2) * pixel;
  const vPart = partBytes(most, pixel);
  const mPart = partBytes(most, out);
  const m = v + 4 * vPart;
  const aside = m + 16 * mPart;
  memory.fill(line, 0, v - line);
  memory.fill(aside, 0, out);
  const least: real = call.relu === 0 ? -Infinity : 0;
  if (call.bias !== 0) memory.copy(aside, call.bias, realBytes(units));
  for (; first < end; first += most) {
    const tiles = smaller(most, end - first);
    for (let i = 0; i < 4; i++) {
      transformInput<WinogradCall>(call, i, first, tiles, 0, channels, line, zeros, v, vPart);
      for (let j = 0; j < 4; j++) {
        const e = 4 * i + j;
        const u = call.filters + <usize>(e * channels) * out;
        const to = m + <usize>e * mPart;
        gemmTN(v + <usize>j * vPart, pixel, sizeof<real>(), u, out, channels, to, out, tiles, padded(units), false);
      }
    }
    transformOutput(call, first, tiles, m, mPart, aside, least);
  }
}

/** Aᵀ M A + bias of some tiles.
 *  @param part   bytes of a part of M
 *  @param aside  the bias, and room for the four pixels of a tile
 *  @param least  what is below it becomes it */
function transformOutput(call: WinogradCall, first: i32, tiles: i32, m: usize, part: usize, aside: usize, least: real): void {
  const across = (call.outWidth + 1) >> 1;
  const down = (call.outHeight + 1) >> 1;
  const bytes = realBytes(call.units);
  const pixel = realBytes(padded(call.units));
  const row = <usize>call.outWidth * bytes;
  const own = aside + pixel;
  if (call.pools !== 0) {
    for (; tiles > 0; tiles--, first++, m += pixel) {
      outputPixels(m, part, aside, own, own + pixel, own + 2 * pixel, own + 3 * pixel, pixel, least);
      largestPixel(own, pixel, 2 * pixel, call.out + <usize>first * bytes, bytes);
    }
    return;
  }
  for (; tiles > 0; tiles--, first++, m += pixel) {
    const x = 2 * (first % across);
    const y = 2 * ((first / across) % down);
    const to = call.out + <usize>(first / across / down) * <usize>call.outHeight * row + <usize>y * row + <usize>x * bytes;
    if (bytes === pixel && x + 1 < call.outWidth && y + 1 < call.outHeight) {
      outputPixels(m, part, aside, to, to + bytes, to + row, to + row + bytes, pixel, least);
      continue;
    }
    outputPixels(m, part, aside, own, own + pixel, own + 2 * pixel, own + 3 * pixel, pixel, least);
    for (let k = 0; k < 4; k++) {
      const isInside = x + (k & 1) < call.outWidth && y + (k >> 1) < call.outHeight;
      if (isInside) copy(to + <usize>(k & 1) * bytes + <usize>(k >> 1) * row, own + <usize>k * pixel, bytes);
    }
  }
}

/** The four pixels of a tile. */
function outputPixels(
  m: usize,
  part: usize,
  bias: usize,
  to: usize,
  right: usize,
  below: usize,
  last: usize,
  pixel: usize,
  least: real,
): void {
  const floor = v128.splat<real>(least);
  for (const end = m + pixel; m < end; m += 32, bias += 32, to += 32, right += 32, below += 32, last += 32) {
    const m1 = m + 4 * part;
    const m2 = m + 8 * part;
    const m3 = m + 12 * part;
    const b = v128.load(bias);
    let one = leftSum(m1, part);
    let two = leftSum(m2, part);
    const a = v128.add<real>(v128.add<real>(v128.add<real>(leftSum(m, part), one), two), b);
    const c = v128.add<real>(v128.add<real>(v128.sub<real>(one, two), leftSum(m3, part)), b);
    one = rightSum(m1, part);
    two = rightSum(m2, part);
    const d = v128.add<real>(v128.add<real>(v128.add<real>(rightSum(m, part), one), two), b);
    const e = v128.add<real>(v128.add<real>(v128.sub<real>(one, two), rightSum(m3, part)), b);
    const b1 = v128.load(bias, 16);
    one = leftSum1(m1, part);
    two = leftSum1(m2, part);
    const a1 = v128.add<real>(v128.add<real>(v128.add<real>(leftSum1(m, part), one), two), b1);
    const c1 = v128.add<real>(v128.add<real>(v128.sub<real>(one, two), leftSum1(m3, part)), b1);
    one = rightSum1(m1, part);
    two = rightSum1(m2, part);
    const d1 = v128.add<real>(v128.add<real>(v128.add<real>(rightSum1(m, part), one), two), b1);
    const e1 = v128.add<real>(v128.add<real>(v128.sub<real>(one, two), rightSum1(m3, part)), b1);
    v128.store(to, v128.pmax<real>(a, floor));
    v128.store(to, v128.pmax<real>(a1, floor), 16);
    v128.store(right, v128.pmax<real>(d, floor));
    v128.store(right, v128.pmax<real>(d1, floor), 16);
    v128.store(below, v128.pmax<real>(c, floor));
    v128.store(below, v128.pmax<real>(c1, floor), 16);
    v128.store(last, v128.pmax<real>(e, floor));
    v128.store(last, v128.pmax<real>(e1, floor), 16);
  }
}

/** The largest of two by two pixels. @param step, line  bytes from one to that beside it, and to that below it */
export function largestPixel(from: usize, step: usize, line: usize, to: usize, bytes: usize): void {
  const end = to + bytes;
  for (; to + 16 <= end; to += 16, from += 16) {
    const first = v128.pmax<real>(v128.load(from), v128.load(from + step));
    v128.store(to, v128.pmax<real>(v128.pmax<real>(first, v128.load(from + line)), v128.load(from + line + step)));
  }
  for (; to < end; to += sizeof<real>(), from += sizeof<real>()) {
    let largest = load<real>(from);
    for (let k: usize = 1; k < 4; k++) {
      const other = load<real>(from + (k >> 1) * line + (k & 1) * step);
      if (largest < other) largest = other;
    }
    store<real>(to, largest);
  }
}

/** Columns 0 + 1 + 2 of a row of M, and 1 − 2 + 3; and the same of the vectors beside them. */
function leftSum(m: usize, part: usize): v128 {
  return v128.add<real>(v128.add<real>(v128.load(m), v128.load(m + part)), v128.load(m + 2 * part));
}
function rightSum(m: usize, part: usize): v128 {
  return v128.add<real>(v128.sub<real>(v128.load(m + part), v128.load(m + 2 * part)), v128.load(m + 3 * part));
}
function leftSum1(m: usize, part: usize): v128 {
  return v128.add<real>(v128.add<real>(v128.load(m, 16), v128.load(m + part, 16)), v128.load(m + 2 * part, 16));
}
function rightSum1(m: usize, part: usize): v128 {
  return v128.add<real>(v128.sub<real>(v128.load(m + part, 16), v128.load(m + 2 * part, 16)), v128.load(m + 3 * part, 16));
}
