import { dequantizeTile } from './dequantize';
import {
  AveragePoolCall,
  AveragePoolGradientCall,
  MaxPoolCall,
  MaxPoolGradientCall,
  PatchesBytesCall,
  PatchesFloatsCall,
  PatchesGradientCall,
} from './generated/calls';
import { smaller } from './tiles';

/** Windows of images whose channels lie together (kernels.ts says what each kernel computes). A window's row of pixels is one run of numbers in memory. */

/** Rows `first` … `end` − 1 of windows, from floats. */
export function patchesFloats(call: PatchesFloatsCall, first: i32, end: i32): void {
  gather<void, PatchesFloatsCall>(call, first, end);
}

/** The same from bytes, with a scale and a shift for each feature. */
export function patchesBytes(call: PatchesBytesCall, first: i32, end: i32): void {
  gather<u8, PatchesBytesCall>(call, first, end);
}

/** @typeParam Bytes  void where the images are floats */
function gather<Bytes, Call>(call: Call, first: i32, end: i32): void {
  const length = call.size * call.size * call.channels;
  const stride = realBytes(length);
  const to = call.out + <usize>(first * call.outWidth) * stride;
  gatherTile<Bytes, Call>(call, (call.row + first) * call.outWidth, (end - first) * call.outWidth, 0, length, to, stride);
}

/** Numbers `column` … of the windows of places `first` … first + rows − 1, in rows that are `stride` bytes apart. */
export function gatherTile<Bytes, Call>(
  call: Call,
  first: i32,
  rows: i32,
  column: i32,
  columns: i32,
  tile: usize,
  stride: usize,
): void {
  const run = call.size * call.channels; // a window's row of pixels is one run of numbers in memory
  const line = call.width * call.channels;
  const end = column + columns;
  const top = column / run;
  let image = first / (call.outHeight * call.outWidth);
  let i = (first / call.outWidth) % call.outHeight;
  let j = first % call.outWidth;
  for (; rows > 0; rows--, tile += stride) {
    const left = (j * call.stride - call.left) * call.channels;
    let y = i * call.stride - call.top + top;
    let to = tile;
    let from = column - top * run;
    for (let at = column; at < end; y++, from = 0) {
      const count = min<i32>(run - from, end - at);
      const x = left + from;
      const isRow = y >= 0 && y < call.height;
      if (isRow && x >= 0 && x + count <= line) copyPixels<Bytes, Call>(call, image, y * line + x, count, to);
      else {
        const before = isRow ? min<i32>(count, max<i32>(0, -x)) : count;
        const inside = max<i32>(0, min<i32>(count, line - x) - before);
        zero(to, realBytes(before));
        copyPixels<Bytes, Call>(call, image, y * line + x + before, inside, to + realBytes(before));
        zero(to + realBytes(before + inside), realBytes(count - before - inside));
      }
      to += realBytes(count);
      at += count;
    }
    if (++j < call.outWidth) continue;
    j = 0;
    if (++i < call.outHeight) continue;
    i = 0;
    image++;
  }
}

/** Room for what lines of an image have for windows. */
export const LINE_BYTES: usize = 16384;

/** Bytes of what a line of an image has for a row of windows. */
export function lineBytes<Call>(call: Call): usize {
  return realBytes(lineNumbers(call));
}

function lineNumbers<Call>(call: Call): i32 {
  return ((call.outWidth - 1) * call.stride + call.size) * call.channels;
}

/** Line y of an image as reals, from where the first window begins to where the last one ends; zeros where there is none. @param to  room of `lineBytes` */
export function placeLine<Call>(call: Call, image: i32, y: i32, to: usize): void {
  if (y >= 0 && y < call.height) widenLine<Call>(call, image, y, 0, lineNumbers(call), to);
  else zero(to, lineBytes(call));
}

/** `gatherTile` from bytes, a line of the image at a time: what neighbouring windows share becomes reals once.
 *  @param line  room of LINE_BYTES */
export function gatherBytes<Call>(
  call: Call,
  first: i32,
  rows: i32,
  column: i32,
  columns: i32,
  tile: usize,
  stride: usize,
  line: usize,
): void {
  const run = call.size * call.channels;
  const step = call.stride * call.channels;
  const most = smaller(rows, call.outWidth);
  if (realBytes((most - 1) * step + run) > LINE_BYTES) {
    gatherTile<u8, Call>(call, first, rows, column, columns, tile, stride);
    return;
  }
  const end = column + columns;
  while (rows > 0) {
    const row = first / call.outWidth;
    const j = first % call.outWidth;
    const together = smaller(rows, call.outWidth - j);
    const top = (row % call.outHeight) * call.stride - call.top;
    for (let dy = column / run; dy * run < end; dy++) {
      const from = max<i32>(0, column - dy * run);
      const bytes = realBytes(smaller(run, end - dy * run) - from);
      const to = tile + realBytes(dy * run + from - column);
      const isInside = top + dy >= 0 && top + dy < call.height;
      if (isInside) widenLine<Call>(call, row / call.outHeight, top + dy, j, (together - 1) * step + run, line);
      for (let t = 0; t < together; t++) {
        if (isInside) copy(to + <usize>t * stride, line + realBytes(t * step + from), bytes);
        else zero(to + <usize>t * stride, bytes);
      }
    }
    tile += <usize>together * stride;
    rows -= together;
    first += together;
  }
}

/** `count` numbers of row y of an image from where the windows of column j begin, zeros outside. */
function widenLine<Call>(call: Call, image: i32, y: i32, j: i32, count: i32, line: usize): void {
  const width = call.width * call.channels;
  const x = (j * call.stride - call.left) * call.channels;
  const before = smaller(count, max<i32>(0, -x));
  const inside = max<i32>(0, smaller(count, width - x) - before);
  zero(line, realBytes(before));
  copyPixels<u8, Call>(call, image, y * width + x + before, inside, line + realBytes(before));
  zero(line + realBytes(before + inside), realBytes(count - before - inside));
}

export function realBytes(count: i32): usize {
  return <usize>count * sizeof<real>();
}

/** `count` numbers of an image from number `at` on. */
function copyPixels<Bytes, Call>(call: Call, image: i32, at: i32, count: i32, to: usize): void {
  const offset = <usize>at * sizeof<real>();
  if (isVoid<Bytes>()) {
    const bytes = <usize>(call.height * call.width * call.channels) * sizeof<real>();
    copy(to, call.values + <usize>image * bytes + offset, <usize>count * sizeof<real>());
  } else dequantizeTile(call, image, 1, at, count, to, 0);
}

/** Rows `first` … `end` − 1 of the images' gradients: each gathers what the windows have for it, so that no two threads write the same. */
export function patchesGradient(call: PatchesGradientCall, first: i32, end: i32): void {
  const pixel = <usize>call.channels * sizeof<real>();
  const line = <usize>call.width * pixel;
  const window = <usize>(call.size * call.size) * pixel;
  for (let r = first; r < end; r++) {
    const out = call.out + <usize>r * line;
    zero(out, line);
    const patches = call.values + <usize>((r / call.height) * call.outHeight * call.outWidth) * window;
    const y = (r % call.height) + call.top;
    for (let dy = 0; dy < call.size; dy++) {
      const i = (y - dy) / call.stride;
      if (y < dy || (y - dy) % call.stride !== 0 || i >= call.outHeight) continue;
      let from = patches + <usize>(i * call.outWidth) * window + <usize>(dy * call.size) * pixel;
      for (let j = 0; j < call.outWidth; j++, from += window) {
        const left = j * call.stride - call.left;
        const before = max<i32>(0, -left);
        const after = min<i32>(call.size, call.width - left);
        if (after > before)
          add(out + <usize>(left + before) * pixel, from + <usize>before * pixel, <usize>(after - before) * pixel);
      }
    }
  }
}

/** Rows `first` … `end` − 1 of what pooling gives. */
export function maxPool(call: MaxPoolCall, first: i32, end: i32): void {
  for (let r = first; r < end; r++) {
    for (let j = 0; j < call.outWidth; j++) pooled<void, MaxPoolCall>(call, r, j);
  }
}

export function averagePool(call: AveragePoolCall, first: i32, end: i32): void {
  for (let r = first; r < end; r++) {
    for (let j = 0; j < call.outWidth; j++) pooled<real, AveragePoolCall>(call, r, j);
  }
}

/** One window. @typeParam Mean  void for the largest */
function pooled<Mean, Call>(call: Call, r: i32, j: i32): void {
  const pixel = <usize>call.channels * sizeof<real>();
  const line = <usize>call.width * pixel;
  const window = windowOf(call.values, call, r, j);
  const out = call.out + <usize>(r * call.outWidth + j) * pixel;
  const share = <real>1 / <real>(call.size * call.size);
  const vectors = pixel & ~15;
  for (let c: usize = 0; c < vectors; c += 16) {
    let found = v128.load(window + c);
    for (let dy = 0; dy < call.size; dy++) {
      for (let dx = dy === 0 ? 1 : 0; dx < call.size; dx++) {
        const value = v128.load(window + <usize>dy * line + <usize>dx * pixel + c);
        found = isVoid<Mean>() ? v128.pmax<real>(found, value) : v128.add<real>(found, value);
      }
    }
    v128.store(out + c, isVoid<Mean>() ? found : v128.mul<real>(found, v128.splat<real>(share)));
  }
  for (let c = vectors; c < pixel; c += sizeof<real>()) {
    let found = load<real>(window + c);
    for (let dy = 0; dy < call.size; dy++) {
      for (let dx = dy === 0 ? 1 : 0; dx < call.size; dx++) {
        const value = load<real>(window + <usize>dy * line + <usize>dx * pixel + c);
        if (!isVoid<Mean>()) found += value;
        else if (found < value) found = value;
      }
    }
    store<real>(out + c, isVoid<Mean>() ? found : found * share);
  }
}

/** Where window (r, j) begins, of all rows of windows of all images. */
function windowOf<Call>(values: usize, call: Call, r: i32, j: i32): usize {
  const image = r / call.outHeight;
  const i = r % call.outHeight;
  const row = image * call.height + i * call.stride;
  return values + <usize>((row * call.width + j * call.stride) * call.channels) * sizeof<real>();
}

/** Images `first` … `end` − 1. */
export function maxPoolGradient(call: MaxPoolGradientCall, first: i32, end: i32): void {
  // windows side by side that leave nothing out write each number once
  const isWhole =
    call.size === call.stride && call.height === call.outHeight * call.size && call.width === call.outWidth * call.size;
  if (!isWhole) clearImages(call, first, end);
  const pixel = <usize>call.channels * sizeof<real>();
  for (let r = first * call.outHeight; r < end * call.outHeight; r++) {
    for (let j = 0; j < call.outWidth; j++) {
      const at = <usize>(r * call.outWidth + j) * pixel;
      const window = windowOf(call.values, call, r, j);
      const out = windowOf(call.out, call, r, j);
      if (isWhole) maxGradient<void>(call, window, out, call.pooled + at, call.dPooled + at);
      else maxGradient<real>(call, window, out, call.pooled + at, call.dPooled + at);
    }
  }
}

/** @typeParam Adds  void where nothing is there to be added to */
function maxGradient<Adds>(call: MaxPoolGradientCall, window: usize, out: usize, pooled: usize, gradient: usize): void {
  const pixel = <usize>call.channels * sizeof<real>();
  const line = <usize>call.width * pixel;
  const vectors = pixel & ~15;
  for (let c: usize = 0; c < vectors; c += 16) {
    const most = v128.load(pooled + c);
    const share = v128.load(gradient + c);
    let open = i32x4.splat(-1); // where the largest is still to come
    for (let dy = 0; dy < call.size; dy++) {
      for (let dx = 0; dx < call.size; dx++) {
        const at = <usize>dy * line + <usize>dx * pixel + c;
        const is = v128.and(v128.eq<real>(v128.load(window + at), most), open);
        open = v128.andnot(open, is);
        const before = isVoid<Adds>() ? v128.splat<real>(0) : v128.load(out + at);
        v128.store(out + at, v128.add<real>(before, v128.and(share, is)));
      }
    }
  }
  for (let c = vectors; c < pixel; c += sizeof<real>()) {
    const most = load<real>(pooled + c);
    let isOpen = true;
    for (let dy = 0; dy < call.size; dy++) {
      for (let dx = 0; dx < call.size; dx++) {
        const at = <usize>dy * line + <usize>dx * pixel + c;
        const isMost = isOpen && load<real>(window + at) === most;
        const before: real = isVoid<Adds>() ? 0 : load<real>(out + at);
        store<real>(out + at, before + (isMost ? load<real>(gradient + c) : 0));
        if (isMost) isOpen = false;
      }
    }
  }
}

/** Images `first` … `end` − 1. */
export function averagePoolGradient(call: AveragePoolGradientCall, first: i32, end: i32): void {
  clearImages(call, first, end);
  const pixel = <usize>call.channels * sizeof<real>();
  const line = <usize>call.width * pixel;
  const share = <real>1 / <real>(call.size * call.size);
  for (let r = first * call.outHeight; r < end * call.outHeight; r++) {
    for (let j = 0; j < call.outWidth; j++) {
      const from = call.dPooled + <usize>(r * call.outWidth + j) * pixel;
      const window = windowOf(call.out, call, r, j);
      for (let dy = 0; dy < call.size; dy++) {
        for (let dx = 0; dx < call.size; dx++) addShare(window + <usize>dy * line + <usize>dx * pixel, from, share, pixel);
      }
    }
  }
}

/** Zeroes images `first` … `end` − 1 of `out`: of a window that reaches less far than the image, the rest has no gradient. */
function clearImages<Call>(call: Call, first: i32, end: i32): void {
  const bytes = <usize>(call.height * call.width * call.channels) * sizeof<real>();
  zero(call.out + <usize>first * bytes, <usize>(end - first) * bytes);
}

export function zero(to: usize, bytes: usize): void {
  const end = to + bytes;
  for (; to + 16 <= end; to += 16) v128.store(to, i32x4.splat(0));
  for (; to < end; to += sizeof<real>()) store<real>(to, 0);
}

export function copy(to: usize, from: usize, bytes: usize): void {
  const end = to + bytes;
  for (; to + 64 <= end; to += 64, from += 64) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    const c = v128.load(from, 32);
    const d = v128.load(from, 48);
    v128.store(to, a);
    v128.store(to, b, 16);
    v128.store(to, c, 32);
    v128.store(to, d, 48);
  }
  for (; to + 16 <= end; to += 16, from += 16) v128.store(to, v128.load(from));
  for (; to < end; to += sizeof<real>(), from += sizeof<real>()) store<real>(to, load<real>(from));
}

/** to += from */
function add(to: usize, from: usize, bytes: usize): void {
  const end = to + bytes;
  for (; to + 16 <= end; to += 16, from += 16) v128.store(to, v128.add<real>(v128.load(to), v128.load(from)));
  for (; to < end; to += sizeof<real>(), from += sizeof<real>()) store<real>(to, load<real>(to) + load<real>(from));
}

/** to += share · from */
function addShare(to: usize, from: usize, share: real, bytes: usize): void {
  const end = to + bytes;
  for (; to + 16 <= end; to += 16, from += 16)
    v128.store(to, v128.add<real>(v128.load(to), v128.mul<real>(v128.load(from), v128.splat<real>(share))));
  for (; to < end; to += sizeof<real>(), from += sizeof<real>()) store<real>(to, load<real>(to) + load<real>(from) * share);
}
