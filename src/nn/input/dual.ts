import type { Floats, InputScaling, Kernels } from '../../kernels/kernels.ts';
import { firstUnits, type Network } from '../build.ts';
import { bufferLength, type Parameters, parameterSpecs, parametersOver } from '../network.ts';
import { tensorIn } from '../regularization.ts';
import { type BatchOf, firstWeightsOf, type InputForm } from './input-form.ts';
import type { ProductMemory } from './product-memory.ts';

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
export function dualForm(options: DualOptions, kernels: Kernels): InputForm & { train: BatchOf; dev: BatchOf | null } {
  const { network, parameters } = options;
  const gram = gramOf(options, kernels);
  const { width, images } = gram;
  const own: Network = { ...network, inputs: width };
  const coefficients = parametersOver(own, kernels.allocate(bufferLength(parameterSpecs(own))));
  copyOthers(parameters, coefficients);
  const firstWeights = firstWeightsOf(coefficients);
  const first = coefficients.tensors[firstWeights.name]!;
  for (let u = 0; u < width - images; u++) first[u * width + images + u] = 1;
  const firstSquaredNorm = gramSquaredNorm(gram, kernels);
  const batchOf =
    (products: Floats): BatchOf =>
    (indices, count) => ({ kind: 'gram', gram: products, indices, count, features: width });
  return {
    kernels,
    network: own,
    parameters: coefficients,
    firstWeights,
    canFuse: false,
    squaredNorm: (values, spec) =>
      spec === firstWeights ? firstSquaredNorm(tensorIn(values, spec)) : kernels.squaredNorm(tensorIn(values, spec)),
    train: batchOf(gram.train),
    dev: gram.dev && batchOf(gram.dev),
    write() {
      copyOthers(coefficients, parameters);
      writeFirstWeights(options, first, gram, kernels);
    },
  };
}

/** Images in memory: the products need all of them at once. */
interface Images {
  /** [m, n_x] */
  pixels: Uint8Array;
  labels: Uint8Array;
}

interface DualOptions {
  network: Network;
  parameters: Parameters;
  scaling: InputScaling;
  train: Images;
  dev: Images | null;
  /** of trainings on the same images; absent where there is but one */
  products?: ProductMemory | undefined;
}

/** The inner products of V's rows with images, and with each other. */
interface Gram {
  /** n_1 */
  units: number;
  images: number;
  /** rows of V: the images, and the first weights where they are not all 0 */
  width: number;
  /** V·x of each training picture, [m, width], and after them those of the first weights: (width, width), symmetric */
  train: Floats;
  /** V·x of each dev picture, [m_dev, width] */
  dev: Floats | null;
  /** (n_1, n_x) in the kernels' precision */
  firstWeights: Floats;
}

function gramOf({ network, parameters, scaling, train, dev, products: memory }: DualOptions, kernels: Kernels): Gram {
  const features = network.inputs;
  const units = firstUnits(network);
  const images = train.labels.length;
  const firstWeights = kernels.allocate(units * features);
  firstWeights.set(parameters.tensors[firstWeightsOf(parameters).name]!);
  const starts = firstWeights.some((value) => value !== 0) ? units : 0;
  const width = images + starts;

  function productsOf(part: Images, rows: number): Floats {
    const pixels = part.pixels;
    const out = kernels.allocate(rows * width);
    const count = part.labels.length;
    const make = () => {
      const made = new Float64Array(count * images);
      kernels.gram({ left: pixels, right: train.pixels, scaling, out: made });
      return made;
    };
    const byPicture = memory ? memory.productsOf({ left: pixels, right: train.pixels, scaling }, make) : make();
    copyRows(byPicture, images, out, width, 0);
    if (starts === 0) return out;
    const byStart = kernels.allocate(count * units);
    const input = { kind: 'bytes', bytes: pixels, indices: null, count, features, scaling } as const;
    kernels.linear({ input, weights: firstWeights, bias: null, units, out: byStart });
    copyRows(byStart, units, out, width, images);
    return out;
  }

  const products = productsOf(train, width);
  if (starts > 0) addStarts(products, firstWeights, { images, width, units, features }, kernels);
  return { units, images, width, train: products, dev: dev && productsOf(dev, dev.labels.length), firstWeights };
}

/** The last rows of the products of V with itself: those of the first weights. */
function addStarts(
  products: Floats,
  firstWeights: Floats,
  { images, width, units, features }: { images: number; width: number; units: number; features: number },
  kernels: Kernels,
): void {
  const input = { kind: 'floats', values: firstWeights, count: units, features } as const;
  const among = kernels.allocate(units * units);
  kernels.linear({ input, weights: firstWeights, bias: null, units, out: among });
  const rows = products.subarray(images * width);
  for (let u = 0; u < units; u++) for (let i = 0; i < images; i++) rows[u * width + i] = products[i * width + images + u]!;
  copyRows(among, units, rows, width, images);
}

/** Rows of `columns` numbers into rows of `width`, from column `at` on. */
function copyRows(from: Floats, columns: number, to: Floats, width: number, at: number): void {
  for (let row = 0; row * columns < from.length; row++) {
    to.set(from.subarray(row * columns, (row + 1) * columns), row * width + at);
  }
}

/** ‖C·V‖² = Σ (C·VVᵀ) ∘ C */
function gramSquaredNorm({ units, width, train }: Gram, kernels: Kernels): (coefficients: Floats) => number {
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
  { network, parameters, scaling, train }: DualOptions,
  coefficients: Floats,
  { units, images, width, firstWeights }: Gram,
  kernels: Kernels,
): void {
  const features = network.inputs;
  const byPicture = kernels.allocate(images * units);
  for (let i = 0; i < images; i++) for (let u = 0; u < units; u++) byPicture[i * units + u] = coefficients[u * width + i]!;
  const input = { kind: 'bytes', bytes: train.pixels, indices: null, count: images, features, scaling } as const;
  const sums = kernels.allocate(units * features);
  kernels.linearGradWeights({ input, dZ: byPicture, units, out: sums });
  const weights = parameters.tensors[firstWeightsOf(parameters).name]!;
  for (let u = 0; u < units; u++) {
    // every unit's start stays its own alone: nothing but shrinking touches these coefficients
    const start = width > images ? coefficients[u * width + images + u]! : 0;
    for (let at = u * features; at < (u + 1) * features; at++) weights[at] = sums[at]! + start * firstWeights[at]!;
  }
}

/** All but the first layer's weights, which the two forms hold differently. */
function copyOthers(from: Parameters, to: Parameters): void {
  for (const [i, { offset, length }] of from.specs.entries()) {
    if (i > 0) to.values.set(from.values.subarray(offset, offset + length), to.specs[i]!.offset);
  }
}
