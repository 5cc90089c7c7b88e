import { referenceImages } from './image-transform.ts';
import {
  type BackwardAndStep,
  type ByteBatch,
  type ConvolveOptions,
  type FloatBatch,
  type Floats,
  type GramBatch,
  type Kernels,
  type LogisticPass,
  type Precision,
  precisions,
  type StepStatistics,
} from './kernels.ts';
import { referenceElementwise } from './reference-elementwise.ts';
import { referenceWindows } from './reference-windows.ts';

/**
 * The kernels in plain TypeScript: the definition, and the oracle of every test. Sums run in float64, results are
 * rounded to the precision as they are stored. Four examples at a time share each weight that is read.
 */
export function referenceKernels(precision: Precision): Kernels {
  const kernels: Kernels = {
    precision,
    arithmetic: 'strict',
    threads: 1,
    ...referenceElementwise,
    ...referenceWindows,
    ...referenceImages,
    perExample: (_, calls) => calls(),
    allocate: (length) => new precisions[precision](length),
    pin: (bytes) => bytes,
    scope: () => ({ ...kernels, release: () => {} }), // the garbage collector sees to it
    linear,
    linearGradWeights,
    linearGradInput,
    convolve,
    transformFilters: () => {}, // it convolves by weights as they are
    convolveGradWeights,
    convolveGradInput,
    logisticPass: null,
    gram,
    optimizerStep,
    backwardAndStep: (step) => referenceBackwardAndStep(kernels, step, new precisions[precision](step.weights.length)),
    addScaled: ({ values, factor, out }) => {
      for (let i = 0; i < values.length; i++) out[i] = out[i]! + factor * values[i]!;
    },
    squaredNorm: (values) => {
      let sum = 0;
      for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
      return sum;
    },
  };
  return kernels;
}

/** What a gradient and a step are made by. */
export type GradientKernels = Pick<Kernels, 'linearGradWeights' | 'addScaled' | 'squaredNorm' | 'optimizerStep'>;

/** `backwardAndStep` by one kernel after the other: what it means, and what it is where nothing is faster.
 *  @param gradient  room for as many numbers as there are weights */
export function referenceBackwardAndStep(kernels: GradientKernels, step: BackwardAndStep, gradient: Floats): StepStatistics {
  const { input, dZ, units, weights, decay, wantsNorms, ...coefficients } = step;
  const weightSquares = wantsNorms ? kernels.squaredNorm(weights) : 0;
  kernels.linearGradWeights({ input, dZ, units, out: gradient });
  if (decay !== 0) kernels.addScaled({ values: weights, factor: decay, out: gradient });
  const squares = kernels.squaredNorm(gradient);
  kernels.optimizerStep({ values: weights, gradient, ...coefficients });
  return {
    finite: Number.isFinite(squares),
    squares: wantsNorms ? { gradient: squares, direction: kernels.squaredNorm(gradient), weights: weightSquares } : null,
  };
}

/** `logisticPass` by one kernel after the other: what it means, and what it is for a loss that nothing faster knows. */
export function referenceLogisticPass(
  kernels: Pick<Kernels, 'linear' | 'lossGradient' | 'linearGradWeights' | 'sumExamples'>,
  { input, weights, bias, rule, labels, classWeights, m, z, dZ, dW, db }: LogisticPass,
): number {
  const { count } = input;
  kernels.linear({ input, weights, bias, units: 1, out: z });
  const cost = kernels.lossGradient({ rule, z, labels, weights: classWeights, count, m, dZ });
  kernels.linearGradWeights({ input, dZ, units: 1, out: dW });
  kernels.sumExamples({ values: dZ, count, units: 1, out: db, adds: false });
  return cost;
}

/** A gram batch as ordinary inputs of a layer, whose weights are the coefficients. */
export function gramValues({ gram: products, indices, count, features }: GramBatch): FloatBatch {
  if (indices === null) return { kind: 'floats', values: products, count, features };
  const first = indices[0]!;
  // dev is evaluated piece by piece: no need to copy
  const areNeighbours = indices.subarray(0, count).every((index, i) => index === first + i);
  if (areNeighbours) return { kind: 'floats', values: products.subarray(first * features), count, features };
  const values = products.slice(0, count * features);
  for (let i = 0; i < count; i++) {
    const from = indices[i]! * features;
    values.set(products.subarray(from, from + features), i * features);
  }
  return { kind: 'floats', values, count, features };
}

/** The gradient of the coefficients: example i is a training picture, and so a vector; its dZ falls on that vector's.
 *  @param dZ  (n_1, m) example after example
 *  @param out (n_1, w), overwritten (0 for every vector that is not in the batch), or with `adds` added to */
export function gramGradient(
  { indices, count, features }: GramBatch,
  dZ: Floats,
  units: number,
  out: Floats,
  adds: boolean,
): void {
  if (!adds) out.fill(0, 0, units * features);
  for (let i = 0; i < count; i++) {
    const vector = indices === null ? i : indices[i]!;
    for (let u = 0; u < units; u++) {
      const at = u * features + vector;
      out[at] = out[at]! + dZ[i * units + u]!;
    }
  }
}

/** Examples that are worked on together. */
const TILE = 4;

const linear: Kernels['linear'] = ({ input: rows, weights, bias, units, out }) => {
  const input = rows.kind === 'gram' ? gramValues(rows) : rows;
  const { count, features } = input;
  const tile = new Float64Array(TILE * features);
  const sums = new Float64Array(2 * TILE);
  for (let first = 0; first < count; first += TILE) {
    dequantizeTile(input, first, tile);
    const examples = Math.min(TILE, count - first);
    for (let unit = 0; unit < units; unit += 2) {
      const pair = Math.min(2, units - unit);
      dotProducts({ weights, row: unit * features, next: (unit + pair - 1) * features, tile, features, sums });
      for (let u = 0; u < pair; u++) {
        const shift = bias === null ? 0 : bias[unit + u]!;
        for (let i = 0; i < examples; i++) out[(first + i) * units + unit + u] = sums[u * TILE + i]! + shift;
      }
    }
  }
};

const linearGradWeights: Kernels['linearGradWeights'] = ({ input, dZ, units, out, adds = false }) => {
  if (input.kind === 'gram') return gramGradient(input, dZ, units, out, adds);
  const { count, features } = input;
  const tile = new Float64Array(TILE * features);
  if (!adds) out.fill(0, 0, units * features);
  for (let first = 0; first < count; first += TILE) {
    dequantizeTile(input, first, tile);
    for (let unit = 0; unit < units; unit++) {
      const at = (i: number) => (first + i < count ? dZ[(first + i) * units + unit]! : 0);
      addScaledRows({ out, row: unit * features, tile, features, d0: at(0), d1: at(1), d2: at(2), d3: at(3) });
    }
  }
};

const linearGradInput: Kernels['linearGradInput'] = ({ dZ, weights, units, features, count, out }) => {
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < features; k++) {
      let sum = 0;
      for (let u = 0; u < units; u++) sum += dZ[i * units + u]! * weights[u * features + k]!;
      out[i * features + k] = sum;
    }
  }
};

const convolve: Kernels['convolve'] = ({ weights, bias, filters, out, relu = false, pools = false, ...options }) => {
  const { outHeight: height, outWidth: width } = options.windows;
  const count = options.input.count * height * width;
  const z = pools ? new Float64Array(count * filters) : out.subarray(0, count * filters);
  eachImage(options, (patches, place) =>
    linear({ input: patches, weights, bias, units: filters, out: z.subarray(place * filters) }),
  );
  if (relu) for (const [i, value] of z.entries()) if (value < 0) z[i] = 0;
  const halves = {
    height,
    width,
    channels: filters,
    size: 2,
    stride: 2,
    top: 0,
    left: 0,
    outHeight: height / 2,
    outWidth: width / 2,
  };
  if (pools) referenceWindows.maxPool({ values: z, windows: halves, count: options.input.count, out });
};

const convolveGradWeights: Kernels['convolveGradWeights'] = ({ filters, dZ, out, adds, ...options }) =>
  eachImage(options, (patches, place) => {
    const own = { input: patches, dZ: dZ.subarray(place * filters), units: filters, out };
    linearGradWeights({ ...own, adds: adds || place > 0 });
  });

const convolveGradInput: Kernels['convolveGradInput'] = ({ windows, filters, count, dZ, weights, out }) => {
  const { outHeight, outWidth, size, channels } = windows;
  const shape = { units: filters, features: size * size * channels, count: count * outHeight * outWidth };
  const patches = new Float64Array(shape.count * shape.features);
  linearGradInput({ dZ, weights, ...shape, out: patches });
  referenceWindows.patchesGradient({ patches, windows, count, out });
};

/** @param work  is given the patches of an image, and which place is their first */
function eachImage(
  { input, windows }: Pick<ConvolveOptions, 'input' | 'windows'>,
  work: (patches: FloatBatch, place: number) => void,
): void {
  const { outHeight, outWidth, size, channels } = windows;
  const [count, features] = [outHeight * outWidth, size * size * channels];
  const values = new Float64Array(count * features);
  for (let image = 0; image < input.count; image++) {
    referenceWindows.patches({ input, windows, first: image * outHeight, rows: outHeight, out: values });
    work({ kind: 'floats', values, count, features }, image * count);
  }
}

const gram: Kernels['gram'] = ({ left, right, scaling: { scale, shift }, out }) => {
  const features = scale.length;
  const [x, y] = [new Float64Array(features), new Float64Array(features)];
  const columns = right.length / features;
  for (let i = 0; i < left.length / features; i++) {
    dequantizeRow(left, i * features, scale, shift, x);
    for (let j = 0; j < columns; j++) {
      dequantizeRow(right, j * features, scale, shift, y);
      out[i * columns + j] = x.reduce((sum, value, k) => sum + value * y[k]!, 0);
    }
  }
};

const optimizerStep: Kernels['optimizerStep'] = ({
  values,
  gradient,
  firstMoment,
  secondMoment,
  learningRate,
  ...coefficients
}) => {
  const { beta1, beta2, biasCorrection1, biasCorrection2, epsilonInsideRoot, epsilon } = coefficients;
  for (let i = 0; i < values.length; i++) {
    const g = gradient[i]!;
    let direction = g / biasCorrection1;
    if (firstMoment !== null) {
      firstMoment[i] = beta1 * firstMoment[i]! + (1 - beta1) * g;
      direction = firstMoment[i]! / biasCorrection1;
    }
    if (secondMoment !== null) {
      secondMoment[i] = beta2 * secondMoment[i]! + (1 - beta2) * g * g;
      direction /= Math.sqrt(secondMoment[i]! / biasCorrection2 + epsilonInsideRoot) + epsilon;
    }
    gradient[i] = direction;
    values[i] = values[i]! - learningRate * direction;
  }
};

/** Writes examples first … first + 3 as float64 rows into the tile, zeros past the last. */
function dequantizeTile(input: ByteBatch | FloatBatch, first: number, tile: Float64Array): void {
  const { count, features } = input;
  for (let i = 0; i < TILE; i++) {
    const row = tile.subarray(i * features, (i + 1) * features);
    if (first + i >= count) row.fill(0);
    else if (input.kind === 'floats') row.set(input.values.subarray((first + i) * features, (first + i + 1) * features));
    else {
      const start = (input.indices === null ? first + i : input.indices[first + i]!) * features;
      dequantizeRow(input.bytes, start, input.scaling.scale, input.scaling.shift, row);
    }
  }
}

function dequantizeRow(bytes: Uint8Array, start: number, scale: Float64Array, shift: Float64Array, row: Float64Array): void {
  for (let k = 0; k < row.length; k++) row[k] = bytes[start + k]! * scale[k]! + shift[k]!;
}

/** The dot products of two rows of weights with the four rows of a tile; each sum runs over k in order. */
function dotProducts(options: {
  weights: Floats;
  row: number;
  next: number;
  tile: Float64Array;
  features: number;
  sums: Float64Array;
}): void {
  const { weights, row, next, tile, features: n, sums } = options;
  let [a0, a1, a2, a3, b0, b1, b2, b3] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let k = 0; k < n; k++) {
    const a = weights[row + k]!;
    const b = weights[next + k]!;
    const x0 = tile[k]!;
    const x1 = tile[n + k]!;
    const x2 = tile[2 * n + k]!;
    const x3 = tile[3 * n + k]!;
    a0 += a * x0;
    a1 += a * x1;
    a2 += a * x2;
    a3 += a * x3;
    b0 += b * x0;
    b1 += b * x1;
    b2 += b * x2;
    b3 += b * x3;
  }
  sums.set([a0, a1, a2, a3, b0, b1, b2, b3]);
}

/** row += d0 · x0 + d1 · x1 + d2 · x2 + d3 · x3, for the four rows of a tile. */
function addScaledRows(options: {
  out: Floats;
  row: number;
  tile: Float64Array;
  features: number;
  d0: number;
  d1: number;
  d2: number;
  d3: number;
}): void {
  const { out, row, tile, features: n, d0, d1, d2, d3 } = options;
  for (let k = 0; k < n; k++) {
    out[row + k] = out[row + k]! + (d0 * tile[k]! + d1 * tile[n + k]! + (d2 * tile[2 * n + k]! + d3 * tile[3 * n + k]!));
  }
}
