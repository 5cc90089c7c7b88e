import { WINOGRAD_BYTES } from './generated/calls';
import { lanes, smaller } from './tiles';
import { zero } from './windows';

/** Tiles of images in scratch: what the products of winograd.ts and the sums of winograd-weights.ts have in common. */

export function winogradScratch(): usize {
  return WINOGRAD_BYTES;
}

/** Numbers of a pixel in scratch. */
export function padded(channels: i32): i32 {
  const pair = 2 * lanes();
  return (channels + pair - 1) & -pair;
}

export function realBytes(count: i32): usize {
  return <usize>count * sizeof<real>();
}

/** Tiles that are worked on together at most: few, which stay in the cache from transform to transform, and more where sums run over them, which are fetched as
 *  often as there are such blocks. */
export const PRODUCT_TILES: i32 = 16;
export const SUM_TILES: i32 = 64;

/** Between parts of V and M: parts a power of two apart would fall to the same few lines of the first-level cache, where a tile's sixteen put each other out. */
export const PART_GAP: i32 = 64;

/** Bytes from a part to the next. @param pixel  bytes of a tile in a part */
export function partBytes(tiles: i32, pixel: usize): usize {
  return <usize>tiles * pixel + PART_GAP;
}

/** As many, where scratch holds for each a line's two pixels, of zeros too, four parts of V and sixteen of M. */
export function tilesTogether(most: i32, channels: i32, units: i32): i32 {
  const each = 8 * padded(channels) + 16 * padded(units);
  const rest = 4 * padded(channels) + 5 * padded(units) + (20 * PART_GAP) / <i32>sizeof<real>();
  return smaller(most, (WINOGRAD_BYTES / <i32>sizeof<real>() - rest) / each) & -4;
}

/** Row i of V = Bᵀ d B, four parts of (tiles, channels), of `count` channels from `channel` on.
 *  @param line, zeros  room for two pixels a tile and two more, the one for sums of rows, the other zeros
 *  @param part         bytes of a part */
export function transformInput<Call>(
  call: Call,
  i: i32,
  first: i32,
  tiles: i32,
  channel: i32,
  count: i32,
  line: usize,
  zeros: usize,
  v: usize,
  part: usize,
): void {
  const across = (call.outWidth + 1) >> 1;
  const down = (call.outHeight + 1) >> 1;
  const from = realBytes(call.channels);
  const row = <usize>call.width * from;
  const pixel = realBytes(padded(count));
  const bytes = realBytes(count);
  while (tiles > 0) {
    const column = first % across;
    const together = smaller(tiles, across - column);
    const image = first / across / down;
    const y = 2 * ((first / across) % down) - call.top;
    const x = 2 * column - call.left;
    const before = smaller(2 * together + 2, max<i32>(0, -x));
    const inside = max<i32>(0, smaller(2 * together + 2, call.width - x) - before);
    const after = 2 * together + 2 - before - inside;
    // rows 0 − 2, 1 + 2, 2 − 1 and 3 − 1 of a tile
    const a = y + (i === 0 ? 0 : i === 1 ? 1 : i);
    const b = y + (i === 0 || i === 1 ? 2 : 1);
    const values = call.values + <usize>image * <usize>call.height * row + <usize>(x + before) * from + realBytes(channel);
    const left = a >= 0 && a < call.height ? values + <usize>a * row : zeros;
    const right = b >= 0 && b < call.height ? values + <usize>b * row : zeros;
    zero(line, <usize>before * pixel);
    combineRows(left, right, i === 1, line + <usize>before * pixel, inside, from, pixel, bytes);
    zero(line + <usize>(before + inside) * pixel, <usize>after * pixel);
    for (let t = 0; t < together; t++, v += pixel) inputColumns(line + <usize>(2 * t) * pixel, pixel, v, part);
    tiles -= together;
    first += together;
  }
}

/** to = a + b, or a − b, for some pixels. */
export function combineRows(
  a: usize,
  b: usize,
  adds: bool,
  to: usize,
  pixels: i32,
  from: usize,
  stride: usize,
  bytes: usize,
): void {
  if (from === stride && bytes === stride) {
    bytes *= <usize>pixels;
    pixels = smaller(pixels, 1);
  }
  for (; pixels > 0; pixels--, a += from, b += from, to += stride) {
    if (adds) addRun(a, b, to, bytes);
    else subtractRun(a, b, to, bytes);
  }
}

function addRun(a: usize, b: usize, to: usize, bytes: usize): void {
  const end = to + bytes;
  for (; to + 32 <= end; to += 32, a += 32, b += 32) {
    const low = v128.add<real>(v128.load(a), v128.load(b));
    const high = v128.add<real>(v128.load(a, 16), v128.load(b, 16));
    v128.store(to, low);
    v128.store(to, high, 16);
  }
  for (; to + 16 <= end; to += 16, a += 16, b += 16) v128.store(to, v128.add<real>(v128.load(a), v128.load(b)));
  for (; to < end; to += sizeof<real>(), a += sizeof<real>(), b += sizeof<real>()) store<real>(to, load<real>(a) + load<real>(b));
}

function subtractRun(a: usize, b: usize, to: usize, bytes: usize): void {
  const end = to + bytes;
  for (; to + 32 <= end; to += 32, a += 32, b += 32) {
    const low = v128.sub<real>(v128.load(a), v128.load(b));
    const high = v128.sub<real>(v128.load(a, 16), v128.load(b, 16));
    v128.store(to, low);
    v128.store(to, high, 16);
  }
  for (; to + 16 <= end; to += 16, a += 16, b += 16) v128.store(to, v128.sub<real>(v128.load(a), v128.load(b)));
  for (; to < end; to += sizeof<real>(), a += sizeof<real>(), b += sizeof<real>()) store<real>(to, load<real>(a) - load<real>(b));
}

/** Columns of a tile's row of sums: 0 − 2, 1 + 2, 2 − 1 and 3 − 1. */
function inputColumns(from: usize, pixel: usize, to: usize, part: usize): void {
  for (const end = from + pixel; from < end; from += 32, to += 32) {
    let p = from + pixel;
    const a = v128.load(from);
    const a1 = v128.load(from, 16);
    const b = v128.load(p);
    const b1 = v128.load(p, 16);
    p += pixel;
    const c = v128.load(p);
    const c1 = v128.load(p, 16);
    p += pixel;
    const d = v128.load(p);
    const d1 = v128.load(p, 16);
    let q = to + part;
    v128.store(to, v128.sub<real>(a, c));
    v128.store(to, v128.sub<real>(a1, c1), 16);
    v128.store(q, v128.add<real>(b, c));
    v128.store(q, v128.add<real>(b1, c1), 16);
    q += part;
    v128.store(q, v128.sub<real>(c, b));
    v128.store(q, v128.sub<real>(c1, b1), 16);
    q += part;
    v128.store(q, v128.sub<real>(d, b));
    v128.store(q, v128.sub<real>(d1, b1), 16);
  }
}
