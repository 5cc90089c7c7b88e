import type { Fit, Preprocessing } from '../data/image.ts';

/**
 * Makes a square of a picture as nn does, whose pictures sharp and libvips resize: by the same steps, each of which rounds to bytes. What is left
 * between both is what their decoders differ by; docs/exports.md says how much that is.
 */

/** A decoded picture, upright and on white, whose rows are asked for from the first on. */
export interface RowSource {
  width: number;
  height: number;
  /** bytes of a pixel: red, green, blue, and others that do not count */
  step: number;
  /** @returns (count, width, step) bytes */
  rows(first: number, count: number): Bytes;
}

type Bytes = Uint8Array | Uint8ClampedArray;

/** Each number of a line of the result is a weighted sum of those of a line from `start` on. What would lie beyond an end of it is the number there. */
type Taps = readonly Tap[];
interface Tap {
  start: number;
  weights: Float64Array;
  /** added to the sum before it is rounded, where it is not rounded to the nearest */
  bias: number;
}

/** Rows that are asked for at a time have so many bytes at most, or are as many as one row of the result takes. */
const bytesTogether = 2 ** 23;

/** @param format  of the file: some are made smaller as they are decoded
 *  @returns (imageSize, imageSize, 3) bytes */
export function squareOf(source: RowSource, format: string | undefined, { imageSize, fit }: Preprocessing): Uint8Array {
  const decoded = shrunkOnLoad(source, format, Math.min(...shrinksOf(source, imageSize, fit)));
  const [horizontal, vertical] = shrinksOf(decoded, imageSize, fit);
  const grows = Math.min(horizontal, vertical) < 1;
  const low = tapsOf(decoded.height, vertical, grows).reduce<RowSource>(down, decoded);
  const small = tapsOf(decoded.width, horizontal, grows).reduce<RowSource>(across, low);
  return framed(small, imageSize);
}

/** By how much either side is divided. */
function shrinksOf({ width, height }: RowSource, side: number, fit: Fit): [horizontal: number, vertical: number] {
  const [horizontal, vertical] = [width / side, height / side];
  const either = { cover: Math.min(horizontal, vertical), contain: Math.max(horizontal, vertical), fill: null }[fit];
  return [Math.min(either ?? horizontal, width), Math.min(either ?? vertical, height)];
}

/** What the decoders of some formats are asked for, since it is quick: a smaller picture. JPEG gives a half, a quarter or an eighth, each number the mean
 *  of its block, and of whole blocks alone; WebP any size, by the means of areas. @param shrink  the lesser of both sides' */
function shrunkOnLoad(source: RowSource, format: string | undefined, shrink: number): RowSource {
  if (format === 'webp' && shrink > 1) {
    const to = (n: number) => areaTaps(n, Math.round(n / shrink));
    return across(down(source, to(source.height)), to(source.width));
  }
  const factor = format === 'jpeg' ? ([8, 4, 2].find((one) => shrink >= one) ?? 1) : 1;
  const taken = factor > 1 && Math.floor(shrink) === factor ? factor / 2 : factor;
  if (taken === 1) return source;
  const whole = (length: number) => blockTaps(length - (length % taken), taken);
  return across(down(source, whole(source.height)), whole(source.width));
}

/** The steps that resize a side: means of whole blocks down to twice the size, then the kernel; then cubic interpolation, where it or the other side grows. */
function tapsOf(length: number, shrink: number, grows: boolean): Taps[] {
  if (shrink < 1) return [cubicTaps(length, shrink)];
  const smaller = shrink === 1 ? [] : reductionOf(length, shrink);
  return [...smaller, ...(grows ? [cubicTaps(smaller.at(-1)?.length ?? length, 1)] : [])];
}

function reductionOf(length: number, shrink: number): Taps[] {
  const wanted = Math.floor(length / shrink + 0.5);
  const extra = wanted * shrink - length; // numbers beyond the end, half of them at either
  const block = Math.max(1, Math.floor(length / wanted / gap));
  const rest = shrink / block;
  const kernel = rest === 1 ? [] : [lanczosTaps(wanted, rest, extra / block)];
  return [...(block > 1 ? [blockTaps(length, block, biasOf(block))] : []), ...kernel];
}

/** So many times the size is left to the kernel, by default of libvips. */
const gap = 2;
/** Places between two numbers that a kernel is computed for, and the whole numbers by which libvips weighs. */
const [places, unit] = [64, 4096];

/** Means of blocks, the last of which may reach beyond the end.
 *  @param bias  of the rounding */
function blockTaps(length: number, block: number, bias = 0): Taps {
  const weights = new Float64Array(block).fill(1 / block);
  return Array.from({ length: Math.ceil(length / block) }, (_, i) => ({ start: i * block, weights, bias }));
}

/** libvips adds half a block, rounded down, and multiplies by one over the block, rounded down as well: what comes to a whole number then is below it, unless the
 *  block is a power of two. */
function biasOf(block: number): number {
  const isExact = Number.isInteger(Math.log2(block));
  return Math.floor(block / 2) / block - 0.5 + (isExact ? least : -least);
}

/** Less than any difference of means, more than their rounding. */
const least = 1e-6;

/** Means of what each number of the result covers. */
function areaTaps(length: number, wanted: number): Taps {
  const share = length / wanted;
  return Array.from({ length: wanted }, (_, i) => {
    const [from, to] = [i * share, (i + 1) * share];
    const start = Math.floor(from);
    const covered = (at: number) => Math.max(0, Math.min(to, at + 1) - Math.max(from, at)) / share;
    return { start, weights: Float64Array.from({ length: Math.ceil(to - 1e-9) - start }, (_, j) => covered(start + j)), bias: 0 };
  });
}

/** Lanczos with three lobes. @param extra  numbers that are missing at both ends together */
function lanczosTaps(wanted: number, shrink: number, extra: number): Taps {
  const reach = Math.round(3 * shrink);
  return Array.from({ length: wanted }, (_, i) => {
    const centre = Math.round(((i + 0.5) * shrink - extra / 2) * places) / places - 0.5;
    const start = Math.floor(centre + 0.5) - reach;
    const raw = Float64Array.from({ length: 2 * reach + 1 }, (_, j) => lanczos((start + j - centre) / shrink));
    const sum = raw.reduce((a, b) => a + b, 0);
    return { start, weights: raw.map((weight) => Math.trunc((weight / sum) * unit) / unit), bias: 0 };
  });
}

/** sinc(x) sinc(x/3) within three lobes. @see Turkowski 1990, "Filters for common resampling tasks" */
function lanczos(x: number): number {
  if (x === 0) return 1;
  return Math.abs(x) > 3 ? 0 : (3 * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / 3)) / (Math.PI * x) ** 2;
}

/** Catmull-Rom's cubic through four neighbours. @see Catmull & Rom 1974 */
function cubicTaps(length: number, shrink: number): Taps {
  return Array.from({ length: Math.round(length / shrink) }, (_, i) => {
    const at = Math.round((i * shrink - 0.5) * places) / places; // libvips begins half a number before the first, wherever that of the result lies
    const x = at - Math.floor(at);
    const weights = [-x * (1 - x) ** 2, 2 - 5 * x ** 2 + 3 * x ** 3, x + 4 * x ** 2 - 3 * x ** 3, -(x ** 2) * (1 - x)].map(
      (weight) => weight / 2,
    );
    return { start: Math.floor(at) - 1, weights: Float64Array.from(weights), bias: 0 };
  });
}

/** Column by column. */
function down({ width, height, step, rows }: RowSource, taps: Taps): RowSource {
  const [line, sums] = [width * step, new Float64Array(width * 3)];
  const pixels = new Uint8ClampedArray(taps.length * sums.length); // which rounds
  const within = (row: number) => Math.min(height - 1, Math.max(0, row));
  const together = Math.max(1, Math.floor(bytesTogether / line));
  let [first, end, bytes] = [0, 0, rows(0, 0)];
  for (const [i, { start, weights, bias }] of taps.entries()) {
    const [low, high] = [within(start), within(start + weights.length - 1)];
    if (high >= end || low < first) {
      [first, end] = [low, Math.min(height, Math.max(high + 1, low + together))];
      bytes = rows(first, end - first);
    }
    sums.fill(bias);
    for (const [j, weight] of weights.entries()) {
      const from = (within(start + j) - first) * line;
      for (let at = from, k = 0; k < sums.length; at += step, k += 3) {
        sums[k]! += weight * bytes[at]!;
        sums[k + 1]! += weight * bytes[at + 1]!;
        sums[k + 2]! += weight * bytes[at + 2]!;
      }
    }
    pixels.set(sums, i * sums.length);
  }
  return sourceOf({ width, height: taps.length, pixels });
}

/** Row by row. */
function across({ width, height, step, rows }: RowSource, taps: Taps): RowSource {
  const pixels = new Uint8ClampedArray(height * taps.length * 3);
  const bytes = rows(0, height);
  const within = (column: number) => Math.min(width - 1, Math.max(0, column));
  for (const [i, { start, weights, bias }] of taps.entries()) {
    const columns = Array.from(weights, (_, j) => within(start + j) * step);
    for (let row = 0; row < height; row++) {
      let [red, green, blue] = [bias, bias, bias];
      for (let j = 0; j < weights.length; j++) {
        const [at, weight] = [row * width * step + columns[j]!, weights[j]!];
        red += weight * bytes[at]!;
        green += weight * bytes[at + 1]!;
        blue += weight * bytes[at + 2]!;
      }
      const to = (row * taps.length + i) * 3;
      pixels[to] = red;
      pixels[to + 1] = green;
      pixels[to + 2] = blue;
    }
  }
  return sourceOf({ width: taps.length, height, pixels });
}

/** A picture that is in memory, as a source. */
export function sourceOf({ width, height, pixels }: { width: number; height: number; pixels: Bytes }): RowSource {
  return { width, height, step: 3, rows: (first, count) => pixels.subarray(first * width * 3, (first + count) * width * 3) };
}

/** The middle of what is too large, black around what is too small. */
function framed({ width, height, step, rows }: RowSource, side: number): Uint8Array {
  const out = new Uint8Array(side * side * 3);
  const bytes = rows(0, height);
  const offset = (length: number) => (length > side ? -Math.floor((length - side + 1) / 2) : Math.floor((side - length) / 2));
  const [left, top] = [offset(width), offset(height)];
  for (let y = Math.max(0, top); y < Math.min(side, top + height); y++) {
    for (let x = Math.max(0, left); x < Math.min(side, left + width); x++) {
      const from = ((y - top) * width + x - left) * step;
      for (let c = 0; c < 3; c++) out[(y * side + x) * 3 + c] = bytes[from + c]!;
    }
  }
  return out;
}
