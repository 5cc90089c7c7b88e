import { isStored } from '../data/pixels.ts';
import type { Floats, Kernels } from '../kernels/kernels.ts';
import { bufferLength, type Network, type Parameters, parameterSpecs, parametersOver } from '../model/network.ts';
import { type FitPart, oneWindow, type Trainable, type TrainableOptions, type TrainableSplit } from './problem.ts';

/**
 * The dual form of the first layer. Gradient descent and momentum, with L2 or without, never leave the span of the first
 * weights and the training pictures: W1 = C·V, with the rows of V the m training pictures and the rows of the first W1.
 * So the coefficients C (n_1, m + n_1) take the place of W1, and V·x that of a picture x:
 *
 *     Z1 = C·(V·x)    dC = dZ1 on the pictures' own coefficients, since dW1 = dZ1·Xᵀ    L2 shrinks C as it would W1
 *
 * No step costs a product with pixels any more. In exact arithmetic it is the same algorithm; in float64 the costs agree
 * to 1e-14. Layers above, dropout, batch norm and mini-batches are what they are.
 * @see docs/decisions/0011-dual-form.md
 */
export function dualTrainable(options: TrainableOptions, kernels: Kernels): Trainable {
  const { network, parameters, train, dev } = options;
  const span = spanOf(options, kernels);
  const own: Network = { ...network, inputs: span.width };
  const coefficients = parametersOver(own, kernels.allocate(bufferLength(parameterSpecs(own))));
  copyOtherSegments(parameters, coefficients);
  const { units } = network.layers[0]!;
  const first = coefficients.layers[0]!.weights;
  for (let u = 0; u < span.width - span.pictures; u++) first[u * span.width + span.pictures + u] = 1;
  const firstSquaredNorm = spanSquaredNorm(span, units, kernels);
  const part = ({ labels }: FitPart, products: Floats): TrainableSplit => {
    const rows: TrainableSplit['batch'] = (indices, count) => ({
      kind: 'gram',
      gram: products,
      indices,
      count,
      features: span.width,
    });
    return { labels, batch: rows, first: (count) => rows(null, count), windows: oneWindow };
  };
  return {
    kernels,
    network: own,
    parameters: { ...coefficients, firstSquaredNorm: () => firstSquaredNorm(first) },
    firstSquaredNorm,
    train: part(train, span.train),
    dev: dev && part(dev, span.dev!),
    write() {
      copyOtherSegments(coefficients, parameters);
      writeFirstWeights(options, first, span, kernels);
    },
  };
}

/** The inner products of V's rows with pictures, and with each other. */
interface Gram {
  pictures: number;
  /** rows of V: the pictures, and the first weights where they are not all 0 */
  width: number;
  /** V·x of each training picture, [m, width], and after them those of the first weights: (width, width), symmetric */
  train: Floats;
  /** V·x of each dev picture, [m_dev, width] */
  dev: Floats | null;
  /** (n_1, n_x) in the kernels' precision */
  firstWeights: Floats;
}

/** The products need all pictures at once: `prepareFit` has brought them into memory. */
function bytesOf({ pixels }: FitPart): Uint8Array {
  if (isStored(pixels)) throw new Error('the dual form of pictures that are not in memory');
  return pixels;
}

function spanOf({ network, parameters, scaling, train, dev }: TrainableOptions, kernels: Kernels): Gram {
  const features = network.inputs;
  const units = network.layers[0]!.units;
  const pictures = train.labels.length;
  const firstWeights = kernels.allocate(units * features);
  firstWeights.set(parameters.layers[0]!.weights);
  const starts = firstWeights.some((value) => value !== 0) ? units : 0;
  const width = pictures + starts;

  function productsOf(part: FitPart, rows: number): Floats {
    const pixels = bytesOf(part);
    const out = kernels.allocate(rows * width);
    const count = part.labels.length;
    const byPicture = new Float64Array(count * pictures);
    kernels.gram({ left: pixels, right: bytesOf(train), scaling, out: byPicture });
    copyRows(byPicture, pictures, out, width, 0);
    if (starts === 0) return out;
    const byStart = kernels.allocate(count * units);
    const input = { kind: 'bytes', bytes: pixels, indices: null, count, features, scaling } as const;
    kernels.linear({ input, weights: firstWeights, bias: null, units, out: byStart });
    copyRows(byStart, units, out, width, pictures);
    return out;
  }

  const products = productsOf(train, width);
  if (starts > 0) addStarts(products, firstWeights, { pictures, width, units, features }, kernels);
  return { pictures, width, train: products, dev: dev && productsOf(dev, dev.labels.length), firstWeights };
}

/** The last rows of the products of V with itself: those of the first weights. */
function addStarts(
  products: Floats,
  firstWeights: Floats,
  { pictures, width, units, features }: { pictures: number; width: number; units: number; features: number },
  kernels: Kernels,
): void {
  const input = { kind: 'floats', values: firstWeights, count: units, features } as const;
  const among = kernels.allocate(units * units);
  kernels.linear({ input, weights: firstWeights, bias: null, units, out: among });
  const rows = products.subarray(pictures * width);
  for (let u = 0; u < units; u++) for (let i = 0; i < pictures; i++) rows[u * width + i] = products[i * width + pictures + u]!;
  copyRows(among, units, rows, width, pictures);
}

/** Rows of `columns` numbers into rows of `width`, from column `at` on. */
function copyRows(from: Floats, columns: number, to: Floats, width: number, at: number): void {
  for (let row = 0; row * columns < from.length; row++) {
    to.set(from.subarray(row * columns, (row + 1) * columns), row * width + at);
  }
}

/** ‖C·V‖² = Σ (C·VVᵀ) ∘ C */
function spanSquaredNorm({ width, train }: Gram, units: number, kernels: Kernels): (coefficients: Floats) => number {
  const products = kernels.allocate(width * units);
  const input = { kind: 'floats', values: train, count: width, features: width } as const;
  return (coefficients) => {
    kernels.linear({ input, weights: coefficients, bias: null, units, out: products });
    let sum = 0;
    for (let i = 0; i < width; i++) {
      for (let u = 0; u < units; u++) sum += products[i * units + u]! * coefficients[u * width + i]!;
    }
    return sum;
  };
}

/** W1 = C·V */
function writeFirstWeights(
  { network, parameters, scaling, train }: TrainableOptions,
  coefficients: Floats,
  { pictures, width, firstWeights }: Gram,
  kernels: Kernels,
): void {
  const features = network.inputs;
  const units = network.layers[0]!.units;
  const byPicture = kernels.allocate(pictures * units);
  for (let i = 0; i < pictures; i++) for (let u = 0; u < units; u++) byPicture[i * units + u] = coefficients[u * width + i]!;
  const input = { kind: 'bytes', bytes: bytesOf(train), indices: null, count: pictures, features, scaling } as const;
  const sums = kernels.allocate(units * features);
  kernels.linearGradWeights({ input, dZ: byPicture, units, out: sums });
  const weights = parameters.layers[0]!.weights;
  for (let u = 0; u < units; u++) {
    // every unit's start stays its own alone: nothing but shrinking touches these coefficients
    const start = width > pictures ? coefficients[u * width + pictures + u]! : 0;
    for (let at = u * features; at < (u + 1) * features; at++) weights[at] = sums[at]! + start * firstWeights[at]!;
  }
}

/** All but the first layer's weights, which the two forms hold differently. */
function copyOtherSegments(from: Parameters, to: Parameters): void {
  for (const [i, { offset, length }] of from.specs.entries()) {
    if (i > 0) to.values.set(from.values.subarray(offset, offset + length), to.specs[i]!.offset);
  }
}
