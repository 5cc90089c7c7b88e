import { largeTile, largeTileParts, tileParts, turnedWindows } from './convolution.ts';
import type { Floats, Precision, Windows } from './kernels.ts';

/**
 * Convolutions of 3 × 3 by Winograd's F(2 × 2, 3 × 3) in plain TypeScript, every operation rounded to the precision: the compiled kernels of strict arithmetic do
 * the same in the same order, to the bit. What they compute, reference.ts says.
 *
 *     Y = Aᵀ [Σ_c (G g_c Gᵀ) ∘ (Bᵀ d_c B)] A      d (4, 4) a tile of an image, Y (2, 2) what it gives, g (3, 3) a filter
 * Networks that answer may take F(4 × 4, 3 × 3) instead, d (6, 6), Y (4, 4), with the points 0, ±A, ±B and ∞, which lose the fewest digits of those whose transforms are exact.
 *
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

/** The points A and B of large tiles, and what they come to in products. */
const [A, B] = [0.75, 1.5];
const [AA, BB, SQUARES] = [A * A, B * B, A * A + B * B];

const largeInput: Transform = ([a, b, c, d, e, f], round) => {
  const even = round(e! - round(BB * c!));
  const odd = round(round(A * d!) - round(A * BB * b!));
  const farEven = round(e! - round(AA * c!));
  const farOdd = round(round(B * d!) - round(B * AA * b!));
  const first = round(round(round(AA * BB * a!) - round(SQUARES * c!)) + e!);
  const last = round(round(round(AA * BB * b!) - round(SQUARES * d!)) + f!);
  return [first, round(even + odd), round(even - odd), round(farEven + farOdd), round(farEven - farOdd), last];
};
const largeFilter: Transform = ([a, b, c]) => {
  const [near, far] = [1 / (2 * AA * (AA - BB)), 1 / (2 * BB * (BB - AA))];
  const [even, odd, farEven, farOdd] = [a! + AA * c!, A * b!, a! + BB * c!, B * b!];
  return [a! * (1 / (AA * BB)), (even + odd) * near, (even - odd) * near, (farEven + farOdd) * far, (farEven - farOdd) * far, c!];
};
const largeOutput: Transform = ([a, b, c, d, e, f], round) => {
  const [sum, difference] = [round(b! + c!), round(b! - c!)];
  const [farSum, farDifference] = [round(d! + e!), round(d! - e!)];
  return [
    round(round(a! + sum) + farSum),
    round(round(A * difference) + round(B * farDifference)),
    round(round(AA * sum) + round(BB * farSum)),
    round(round(round(A * AA * difference) + round(B * BB * farDifference)) + f!),
  ];
};

/** `convolve` of floats by filters that are transformed for large tiles: they are made in float64, and rounded once. */
export function winogradLargeTiles(
  options: Shape & { values: Floats; weights: Floats; bias: Floats | null; relu: boolean; out: Floats },
): void {
  const { values, windows, filters, weights, bias, relu, out, precision } = options;
  const { channels, outHeight, outWidth } = windows;
  const round = rounding[precision];
  const u = Array.from({ length: filters }, (_, f) =>
    Array.from({ length: channels }, (_, c) => {
      const g = matrix(3, (y, x) => weights[(f * 9 + 3 * y + x) * channels + c]!);
      return bothSides(g, largeFilter, round).flat().map(round);
    }),
  );
  eachTile(options, largeTile, (image, i, j) => {
    const tiles = Array.from({ length: channels }, (_, c) =>
      tileOf(values, windows, { image, i, j, channel: c, side: largeTile + 2 }),
    );
    const v = tiles.map((tile) => bothSides(tile, largeInput, round).flat());
    for (let f = 0; f < filters; f++) {
      const m = new Float64Array(largeTileParts);
      for (let c = 0; c < channels; c++) {
        for (let e = 0; e < largeTileParts; e++) m[e] = round(m[e]! + round(v[c]![e]! * u[f]![c]![e]!));
      }
      const y = bothSides(
        matrix(6, (row, column) => m[6 * row + column]!),
        largeOutput,
        round,
      ).flat();
      for (const [k, value] of y.entries()) {
        const [row, column] = [i + Math.floor(k / largeTile), j + (k % largeTile)];
        const z = round(value + (bias?.[f] ?? 0));
        out[((image * outHeight + row) * outWidth + column) * filters + f] = relu && z < 0 ? 0 : z;
      }
    }
  });
}

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
  eachTile(options, 2, (image, i, j) => {
    const dY = (f: number) =>
      matrix(2, (y, x) =>
        i + y < outHeight && j + x < outWidth ? dZ[((image * outHeight + i + y) * outWidth + j + x) * filters + f]! : 0,
      );
    const m = Array.from({ length: filters }, (_, f) => bothSides(dY(f), gradient, round).flat());
    for (let c = 0; c < channels; c++) {
      const v = bothSides(tileOf(values, windows, { image, i, j, channel: c, side: 4 }), input, round).flat();
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
  eachTile(options, 2, (image, i, j) => {
    const v = Array.from({ length: channels }, (_, c) =>
      bothSides(tileOf(values, windows, { image, i, j, channel: c, side: 4 }), input, round).flat(),
    );
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
  side: number,
  visit: (image: number, i: number, j: number) => void,
): void {
  for (let image = 0; image < count; image++) {
    for (let i = 0; i < outHeight; i += side) for (let j = 0; j < outWidth; j += side) visit(image, i, j);
  }
}

/** The numbers of a channel from where the window of place (i, j) begins, 0 outside the image. */
function tileOf(
  values: Floats,
  windows: Windows,
  { image, i, j, channel, side }: Record<'image' | 'i' | 'j' | 'channel' | 'side', number>,
): Matrix {
  const { height, width, channels, top, left } = windows;
  return matrix(side, (dy, dx) => {
    const [y, x] = [i - top + dy, j - left + dx];
    return y >= 0 && y < height && x >= 0 && x < width ? values[((image * height + y) * width + x) * channels + channel]! : 0;
  });
}
