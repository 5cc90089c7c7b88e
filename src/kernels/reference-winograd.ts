import { tileParts, turnedWindows } from './convolution.ts';
import type { Floats, Precision, Windows } from './kernels.ts';

/**
 * Convolutions of 3 × 3 by Winograd's F(2 × 2, 3 × 3) in plain TypeScript, every operation rounded to the precision: the compiled kernels of strict arithmetic do
 * the same in the same order, to the bit. What they compute, reference.ts says.
 *
 *     Y = Aᵀ [Σ_c (G g_c Gᵀ) ∘ (Bᵀ d_c B)] A      d (4, 4) a tile of an image, Y (2, 2) what it gives, g (3, 3) a filter
 *     dW = Gᵀ [Σ_tiles (Bᵀ d B) ∘ (A dY Aᵀ)] G
 *
 *     Bᵀ = 1  0 −1  0     G = 1  0  0     Aᵀ = 1  1  1  0
 *          0  1  1  0         ½  ½  ½          0  1 −1  1
 *          0 −1  1  0         ½ −½  ½
 *          0 −1  0  1         0  0  1
 */

interface Shape {
  /** of images */
  count: number;
  windows: Windows;
  filters: number;
  precision: Precision;
}

type Matrix = readonly (readonly number[])[];
/** One side of a transform: what becomes of a column of numbers. */
type Transform = (column: readonly number[], round: (value: number) => number) => number[];

const input: Transform = ([a, b, c, d], round) => [round(a! - c!), round(b! + c!), round(c! - b!), round(d! - b!)];
const filter: Transform = ([a, b, c], round) => {
  const sum = round(a! + c!);
  return [a!, round(round(sum + b!) / 2), round(round(sum - b!) / 2), c!];
};
const output: Transform = ([a, b, c, d], round) => [round(round(a! + b!) + c!), round(round(b! - c!) + d!)];
const gradient: Transform = ([a, b], round) => [a!, round(a! + b!), round(a! - b!), b!];
const weight: Transform = ([a, b, c, d], round) => {
  const sum = round(round(b! + c!) / 2);
  return [round(a! + sum), round(round(b! - c!) / 2), round(sum + d!)];
};

/** `convolve` of floats. */
export function winogradConvolve(options: Shape & { values: Floats; weights: Floats; bias: Floats | null; out: Floats }): void {
  const { windows, filters, weights } = options;
  const { channels } = windows;
  products({ ...options, filterAt: (f, c) => matrix(3, (y, x) => weights[(f * 9 + 3 * y + x) * channels + c]!), filters });
}

/** `convolveGradInput`: the convolution of dZ with the filters turned by half a turn, from filters to channels. */
export function winogradGradInput(options: Shape & { dZ: Floats; weights: Floats; out: Floats }): void {
  const { dZ, windows, filters, weights, ...own } = options;
  const { channels } = windows;
  const filterAt = (c: number, f: number) => matrix(3, (y, x) => weights[(f * 9 + 8 - 3 * y - x) * channels + c]!);
  products({ ...own, values: dZ, windows: turnedWindows(windows, filters), filters: channels, filterAt, bias: null });
}

/** `convolveGradWeights` of floats. Sums run over tiles, image after image and row after row. */
export function winogradGradWeights(options: Shape & { values: Floats; dZ: Floats; out: Floats; adds: boolean }): void {
  const { values, windows, filters, dZ, out, adds, precision } = options;
  const { channels, outHeight, outWidth } = windows;
  const round = rounding[precision];
  const sums = new Float64Array(channels * filters * tileParts);
  eachTile(options, (image, i, j) => {
    const dY = (f: number) =>
      matrix(2, (y, x) =>
        i + y < outHeight && j + x < outWidth ? dZ[((image * outHeight + i + y) * outWidth + j + x) * filters + f]! : 0,
      );
    const m = Array.from({ length: filters }, (_, f) => bothSides(dY(f), gradient, round).flat());
    for (let c = 0; c < channels; c++) {
      const v = bothSides(tileOf(values, windows, image, i, j, c), input, round).flat();
      for (let f = 0; f < filters; f++) {
        const at = (c * filters + f) * tileParts;
        for (let e = 0; e < tileParts; e++) sums[at + e] = round(sums[at + e]! + round(v[e]! * m[f]![e]!));
      }
    }
  });
  for (let f = 0; f < filters; f++) {
    for (let c = 0; c < channels; c++) {
      const from = (c * filters + f) * tileParts;
      const dW = bothSides(
        matrix(4, (y, x) => sums[from + 4 * y + x]!),
        weight,
        round,
      ).flat();
      for (const [tap, value] of dW.entries()) {
        const at = (f * 9 + tap) * channels + c;
        out[at] = adds ? out[at]! + value : value;
      }
    }
  }
}

/** Z of all tiles; sums run over channels. @param options.filterAt  the weights of a filter's channel, (3, 3) */
function products(
  options: Shape & { values: Floats; filterAt: (filter: number, channel: number) => Matrix; bias: Floats | null; out: Floats },
): void {
  const { values, windows, filters, filterAt, bias, out, precision } = options;
  const { channels, outHeight, outWidth } = windows;
  const round = rounding[precision];
  const u = Array.from({ length: filters }, (_, f) =>
    Array.from({ length: channels }, (_, c) => bothSides(filterAt(f, c), filter, round).flat()),
  );
  eachTile(options, (image, i, j) => {
    const v = Array.from({ length: channels }, (_, c) => bothSides(tileOf(values, windows, image, i, j, c), input, round).flat());
    for (let f = 0; f < filters; f++) {
      const m = new Float64Array(tileParts);
      for (let c = 0; c < channels; c++) {
        for (let e = 0; e < tileParts; e++) m[e] = round(m[e]! + round(v[c]![e]! * u[f]![c]![e]!));
      }
      // columns first
      const y = transposed(
        bothSides(
          matrix(4, (row, column) => m[4 * column + row]!),
          output,
          round,
        ),
      );
      for (let k = 0; k < 4; k++) {
        const [row, column] = [i + (k >> 1), j + (k & 1)];
        if (row >= outHeight || column >= outWidth) continue;
        out[((image * outHeight + row) * outWidth + column) * filters + f] = y[k >> 1]![k & 1]! + (bias?.[f] ?? 0);
      }
    }
  });
}

const rounding = { float32: Math.fround, float64: (value: number) => value };

const matrix = (side: number, at: (row: number, column: number) => number): Matrix =>
  Array.from({ length: side }, (_, row) => Array.from({ length: side }, (_, column) => at(row, column)));

const transposed = (of: Matrix): Matrix => of[0]!.map((_, column) => of.map((row) => row[column]!));

/** T x Tᵀ: the columns of x first. */
function bothSides(x: Matrix, transform: Transform, round: (value: number) => number): Matrix {
  const columns = transposed(x).map((column) => transform(column, round));
  return transposed(columns).map((row) => transform(row, round));
}

/** @param visit  is given an image, and the row and column of a tile's first place */
function eachTile(
  { count, windows: { outHeight, outWidth } }: Shape,
  visit: (image: number, i: number, j: number) => void,
): void {
  for (let image = 0; image < count; image++) {
    for (let i = 0; i < outHeight; i += 2) for (let j = 0; j < outWidth; j += 2) visit(image, i, j);
  }
}

/** The numbers of a channel from where the window of place (i, j) begins, 0 outside the image. */
function tileOf(values: Floats, windows: Windows, image: number, i: number, j: number, channel: number): Matrix {
  const { height, width, channels, top, left } = windows;
  return matrix(4, (dy, dx) => {
    const [y, x] = [i - top + dy, j - left + dx];
    return y >= 0 && y < height && x >= 0 && x < width ? values[((image * height + y) * width + x) * channels + channel]! : 0;
  });
}
