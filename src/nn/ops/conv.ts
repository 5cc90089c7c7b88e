import {
  canPool,
  convolutionRoom,
  isWinograd,
  tileWindows,
  transformedLength,
  turnedWindows,
} from '../../kernels/convolution.ts';
import type { FloatBatch, Floats, Kernels, Windows } from '../../kernels/kernels.ts';
import { type Init, initialize } from '../initializers.ts';
import { channelsFirst } from '../onnx-nodes.ts';
import type { ImageShape, Op } from '../op.ts';
import { type Expected, type Inputs, largestOf, norm, type Rounding, reference } from '../rounding.ts';
import { type Padding, windowsOf } from '../windows.ts';
import { inputGradient, products, sumOver, weightGradient } from './linear.ts';

/** Z = W·P + b at every place of an image, with W (filters, kernel · kernel · channels) and P the window of each place, its rows, columns and channels in this order: a
 *  convolution is the linear op over patches, which the kernels gather a tile at a time. Sums run over the window, so that their bits depend on shapes alone.
 *  @param options.bias  false where an op above has a shift of its own
 *  @see course, part 4, week 1 */
export function conv(options: {
  layer: number;
  input: ImageShape;
  filters: number;
  kernel: number;
  stride: number;
  padding: Padding;
  bias: boolean;
  init: Init;
}): Op {
  const { layer, input, filters, kernel, stride, bias, init } = options;
  const windows = windowsOf(input, { ...options, size: kernel });
  const { outHeight, outWidth } = windows;
  const n = layer + 1;
  const [W, b, Z] = [`W${n}`, `b${n}`, { id: `Z${n}`, name: `Z[${n}]` }];
  const length = kernel * kernel * input.channels;
  const places = outHeight * outWidth;

  /** The patches of some examples as the audit's inputs: each is made of no more than its image, and rounded with the numbers of its tile. */
  const patchInputs = ({ rows: images, norms }: Inputs): Inputs => {
    const count = images.count * places;
    const values = patchesOf(images, windows);
    const sizes = isWinograd({ windows, filters }) ? tileSizes(images, windows) : sizesOf(values, length);
    // where numbers of an image cancel as they are made, its norm knows
    const share = Float64Array.from(norms, (size, i) => {
      const image = images.values.subarray(i * images.features, (i + 1) * images.features);
      return Math.max(1, size / (norm(image) || size || 1));
    });
    const each = (of: Float64Array) => of.map((size, d) => share[Math.floor(d / places)]! * size);
    return { rows: { kind: 'floats', values, count, features: length }, norms: each(sizes.norms), largest: each(sizes.largest) };
  };

  return {
    kind: 'conv',
    layer,
    input,
    output: { height: outHeight, width: outWidth, channels: filters },
    inPlace: false,
    drops: false,
    mixesExamples: false,
    tensors: [
      { name: W, shape: [filters, length], decayed: true, trained: true },
      ...(bias ? [{ name: b, shape: [filters, 1], decayed: false, trained: true } as const] : []),
    ],
    initialize: (tensors, random) => initialize(tensors[W]!, { nIn: length, nOut: kernel * kernel * filters }, init, random),
    allocate: (kernels, capacity) => ({
      value: kernels.allocate(capacity * places * filters),
      grad: kernels.allocate(capacity * places * filters),
      kept: {},
    }),
    numbersPerExample: 2 * places * filters,
    scratchNumbers: convolutionRoom({ windows, filters }),
    patchNumbers: places * length,
    multiplications: places * filters * length,

    forward({ kernels, tensors, slot, input: batch }) {
      const own = { input: imagesOf(batch), windows, filters };
      kernels.convolve({ ...own, weights: tensors[W]!, bias: tensors[b] ?? null, out: slot.value });
    },

    fusedNumbers: filters * (length + 1) + (isWinograd({ windows, filters }) ? transformedLength({ windows, filters }) : 0),
    fused({ above, kernels, tensors }) {
      const scaled = above[0]?.scaling?.(tensors) ?? null;
      let taken = scaled ? 1 : 0;
      const takes = (what: Op['fusedAs']) => above[taken]?.fusedAs === what && ++taken > 0;
      const relu = takes('relu');
      const pools = canPool({ windows, filters }) && takes('pools');
      if (taken === 0) return null;
      const [weights, shift] = [kernels.allocate(filters * length), kernels.allocate(filters)];
      for (let f = 0; f < filters; f++) {
        const factor = scaled?.factor[f] ?? 1;
        shift[f] = factor * (tensors[b]?.[f] ?? 0) + (scaled?.shift[f] ?? 0);
        scaleRow(tensors[W]!, weights, factor, f * length, (f + 1) * length);
      }
      const transformed = isWinograd({ windows, filters }) ? kernels.allocate(transformedLength({ windows, filters })) : null;
      if (transformed) kernels.transformFilters({ windows, filters, weights, out: transformed });
      const own = { windows, filters, weights, bias: shift, relu, pools, transformed };
      return { above: taken, forward: ({ kernels, input, out }) => kernels.convolve({ ...own, input: imagesOf(input), out }) };
    },

    // dW = dZ·Pᵀ, db = Σ dZ, dP = Wᵀ·dZ, and each number of dA is the sum over the windows that it is in
    backward({ kernels, tensors, gradient, slot, input: batch, count, below, wantsWeights, accumulate }) {
      const dZ = slot.grad;
      if (bias) kernels.sumExamples({ values: dZ, count: count * places, units: filters, out: gradient[b]!, adds: accumulate });
      if (wantsWeights)
        kernels.convolveGradWeights({ input: imagesOf(batch), windows, filters, dZ, out: gradient[W]!, adds: accumulate });
      if (below) kernels.convolveGradInput({ windows, filters, count, dZ, weights: tensors[W]!, out: below.grad });
    },

    auditForward({ rounding, tensors, slot, inputs, isHidden, compare }) {
      const expected = products(patchInputs(inputs), tensors[W]!, tensors[b] ?? null, filters, rounding);
      if (!isHidden) compare('Z', slot.value, expected);
      return expected;
    },

    auditBackward({ rounding, tensors, slot, inputs, times, distinct, below }) {
      const dZ = slot.grad;
      const each = Float64Array.from({ length: distinct * places }, (_, i) => times[Math.floor(i / places)]!);
      const shape = { windows, filters, count: distinct };
      return {
        grad: below && imageGradient(dZ, tensors[W]!, shape, rounding),
        gradients: [
          ...(bias ? [{ name: b, pieces: () => [{ start: 0, ...sumOver(dZ, each, filters, rounding) }] }] : []),
          { name: W, pieces: () => weightGradient(patchInputs(inputs), dZ, each, filters, rounding) },
        ],
      };
    },

    onnx({ nodes, tensors, input: below }) {
      const weights = channelsFirst(tensors[W]!, { height: kernel, width: kernel, channels: input.channels });
      const constants = [
        nodes.constant(W, [filters, input.channels, kernel, kernel], weights),
        ...(bias ? [nodes.constant(b, [filters], tensors[b]!)] : []),
      ];
      const { top, left } = windows;
      const beyond = (out: number, side: number, before: number) => Math.max(0, (out - 1) * stride + kernel - side - before);
      const pads = [top, left, beyond(outHeight, input.height, top), beyond(outWidth, input.width, left)];
      const sides = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads };
      return nodes.node('Conv', [below, ...constants], sides);
    },

    letter: 'Z',
    gain: 1,
    description: `conv ${kernel} × ${kernel}${stride > 1 ? `, stride ${stride}` : ''}`,
    drawing: {
      output: Z,
      forward(from, add) {
        add({ id: W, name: `W[${n}]`, kind: 'parameter', shape: [filters, length], of: Z.id });
        if (bias) add({ id: b, name: `b[${n}]`, kind: 'parameter', shape: [filters, 1], of: Z.id });
        const formula = `W[${n}] * ${from.name}${bias ? ` + b[${n}]` : ''}`;
        add({ ...Z, shape: [places * filters, 'm'], formula }, [from.id, W, ...(bias ? [b] : [])]);
      },
      backward(from, add, toInput, decay) {
        const dZ = `dZ[${n}]`;
        const formula = `(1/m) ${dZ} * ${from.name}${decay(`W[${n}]`)}`;
        add({ id: W, name: `W[${n}]`, shape: [filters, length], formula }, `dZ${n}`);
        if (bias) add({ id: b, name: `b[${n}]`, shape: [filters, 1], formula: `(1/m) Σ ${dZ}` }, `dZ${n}`);
        toInput(`W[${n}]ᵀ * ${dZ}`, `dZ${n}`);
      },
      legend: [{ key: '0 conv', value: '', text: () => '*: at every place of the image, with the windows that begin there' }],
    },
  };
}

/** to = factor · from, for some numbers. */
function scaleRow(from: Floats, to: Floats, factor: number, first: number, end: number): void {
  for (let i = first; i < end; i++) to[i] = factor * from[i]!;
}

/** Pixels or what an op below gives. */
function imagesOf(batch: Parameters<Op['forward']>[0]['input']): Parameters<Kernels['patches']>[0]['input'] {
  if (batch.kind === 'gram') throw new Error('a convolution takes images');
  return batch;
}

interface Shape {
  windows: Windows;
  filters: number;
  /** of images */
  count: number;
}

/** The gradient of images: that of their patches, summed. */
function imageGradient(dZ: Floats, weights: Floats, shape: Shape, rounding: Rounding): Expected {
  const { windows, filters, count } = shape;
  const { height, width, size, channels, outHeight, outWidth } = windows;
  const patches = { units: filters, features: size * size * channels, count: count * outHeight * outWidth };
  const { values, bounds } = inputGradient(dZ, weights, patches, rounding);
  const sum = (patches: Floats) => {
    const out = new Float64Array(count * height * width * channels);
    reference.patchesGradient({ patches, windows, count, out });
    return out;
  };
  if (isWinograd(shape)) return { values: sum(values), bounds: turnedBounds(dZ, weights, shape, rounding) };
  // each number is a sum of at most size² of them, rounded as it is added to
  const terms = values.map(Math.abs);
  const [bound, most] = [sum(bounds), sum(terms)];
  const unit = rounding.unit * windows.size ** 2;
  return { values: sum(values), bounds: bound.map((own, i) => own + unit * most[i]!) };
}

/** How far rounding may carry the gradient of images that is a convolution of dZ by Winograd's transform. */
function turnedBounds(dZ: Floats, weights: Floats, { windows, filters, count }: Shape, { sum, floor }: Rounding): Float64Array {
  const { channels, outHeight, outWidth, size } = windows;
  const images: FloatBatch = { kind: 'floats', values: dZ, count, features: outHeight * outWidth * filters };
  const { norms } = tileSizes(images, turnedWindows(windows, filters));
  const columns = Array.from({ length: channels }, (_, c) => norm(weights.filter((_, i) => i % channels === c)));
  const share = sum(size * size * filters);
  return Float64Array.from(
    { length: norms.length * channels },
    (_, i) => share * norms[Math.floor(i / channels)]! * columns[i % channels]! + floor,
  );
}

/** Of what is multiplied at each place: its norm, and its largest number. */
interface Sizes {
  norms: Float64Array;
  largest: Float64Array;
}

function patchesOf(images: FloatBatch, windows: Windows): Float64Array {
  const { size, channels, outHeight, outWidth } = windows;
  const out = new Float64Array(images.count * outHeight * outWidth * size * size * channels);
  reference.patches({ input: images, windows, first: 0, rows: images.count * outHeight, out });
  return out;
}

function sizesOf(patches: Float64Array, length: number): Sizes {
  const each = (of: (values: Float64Array) => number) =>
    Float64Array.from({ length: patches.length / length }, (_, d) => of(patches.subarray(d * length, (d + 1) * length)));
  return { norms: each(norm), largest: each(largestOf) };
}

/** Numbers of a tile are sums of four of the image's: twice as large, where those are without order. */
const tileGrowth = 2;

/** The same of the tile that each place is in. */
function tileSizes(images: FloatBatch, windows: Windows): Sizes {
  const { outHeight, outWidth, channels } = windows;
  const tiles = tileWindows(windows);
  const sizes = sizesOf(patchesOf(images, tiles), tiles.size ** 2 * channels);
  const across = (of: Float64Array) =>
    Float64Array.from({ length: images.count * outHeight * outWidth }, (_, d) => {
      const [j, row] = [d % outWidth, Math.floor(d / outWidth)];
      const [i, image] = [row % outHeight, Math.floor(row / outHeight)];
      return tileGrowth * of[(image * tiles.outHeight + (i >> 1)) * tiles.outWidth + (j >> 1)]!;
    });
  return { norms: across(sizes.norms), largest: across(sizes.largest) };
}
