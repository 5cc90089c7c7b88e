import { imagesTogether, isWinograd } from '../convolution.ts';
import type {
  ByteBatch,
  ConvolutionKernels,
  ConvolveOptions,
  InputScaling,
  PoolOptions,
  WindowKernels,
  Windows,
} from '../kernels.ts';
import type { Frame } from './call.ts';
import type { Engine } from './engine.ts';
import { placeRows } from './operands.ts';
import { winogradCalls } from './winograd-calls.ts';

/** What it costs to move a number, in multiplications: it is memory that it waits for. */
const weight = 4;

/** Windows of images: the calls of assembly/windows.ts. */
export function windowCalls(engine: Engine): ConvolutionKernels & WindowKernels {
  const { memory, size } = engine;
  const winograd = winogradCalls(engine);
  const scalings = new WeakMap<InputScaling, { scales: Float32Array | Float64Array; shifts: Float32Array | Float64Array }>();
  const numbers = (values: Float64Array) => (size === 4 ? Float32Array.from(values) : Float64Array.from(values));
  /** What is padded is 0 after normalisation: a scale cannot wait for the sums. */
  const scalingOf = (scaling: InputScaling) => {
    const known = scalings.get(scaling) ?? { scales: numbers(scaling.scale), shifts: numbers(scaling.shift) };
    scalings.set(scaling, known);
    return known;
  };
  const pool = (kernel: 'maxPool' | 'averagePool') => (options: PoolOptions) => {
    const { values, windows, count, out } = options;
    const taken = { values: count * featuresOf(windows), out: count * pooledOf(windows) };
    engine.call(kernel, { end: count * windows.outHeight, grain: 1, work: weight * taken.values }, (frame) => ({
      ...windows,
      values: frame.input(values, taken.values),
      out: frame.output(out, taken.out),
    }));
  };
  /** Images where the kernels can read them, with which of a batch is their first. */
  function* placedImages(frame: Frame, input: ConvolveOptions['input']) {
    if (input.kind === 'floats') {
      const values = frame.input(input.values, input.count * input.features);
      yield { first: 0, count: input.count, floats: { values }, bytes: null };
      return;
    }
    const { scales, shifts } = scalingOf(input.scaling);
    const scaling = { scale: 1, scales: frame.input(scales, input.features), shifts: frame.input(shifts, input.features) };
    for (const { first, count, ...rows } of placeRows(memory, frame, input))
      yield { first, count, floats: null, bytes: { ...rows, ...scaling } };
  }

  return {
    convolve(options) {
      const { input, windows, filters, weights, bias, out, relu = false } = options;
      if (input.kind === 'floats' && isWinograd(options)) {
        const { values, count } = input;
        return winograd.convolve({ ...options, values, count });
      }
      if (options.pools) throw new Error('only tiles of Winograd’s transform are pooled as they are made');
      const { places, length } = sizesOf(windows);
      engine.inFrame((frame) => {
        const layer = { weights: frame.input(weights, filters * length), bias: frame.input(bias, filters) };
        const to = frame.output(out, input.count * places * filters);
        for (const { first, count, floats, bytes } of placedImages(frame, input)) {
          const fields = fieldsOf(options, count);
          const byUnits = filters > fields.places;
          const work = fields.places * filters * length;
          const range = byUnits
            ? { end: filters, grain: 4, work }
            : { end: fields.places, grain: 16, ways: [4, 2, 1], work, examples: count };
          const own = { ...fields, ...layer, byUnits, relu, out: to + first * places * filters * size };
          if (floats) engine.run('convolveFloats', { ...own, ...floats }, range);
          else engine.run('convolveBytes', { ...own, ...bytes }, range);
        }
      });
    },
    transformFilters: winograd.transformFilters,
    convolveGradWeights(options) {
      const { input, windows, filters, dZ, out, adds } = options;
      if (input.kind === 'floats' && isWinograd(options)) {
        const { values, count } = input;
        return winograd.convolveGradWeights({ values, count, windows, filters, dZ, out, adds });
      }
      const { places, length } = sizesOf(windows);
      engine.inFrame((frame) => {
        const gradient = frame.input(dZ, input.count * places * filters);
        const to = adds ? frame.inOut(out.subarray(0, filters * length)) : frame.output(out, filters * length);
        for (const { first, count, floats, bytes } of placedImages(frame, input)) {
          const fields = fieldsOf(options, count);
          const range = { end: length, grain: 8, ways: [2, 1], work: fields.places * filters * length };
          const numbers = gradient + first * places * filters * size;
          const own = { ...fields, dZ: numbers, out: to, accumulates: adds || first > 0 };
          if (floats) engine.run('convolveGradWeightsFloats', { ...own, ...floats }, range);
          else engine.run('convolveGradWeightsBytes', { ...own, ...bytes }, range);
        }
      });
    },
    convolveGradInput(options) {
      const { dZ, windows, filters, count, weights, out } = options;
      if (isWinograd(options)) return winograd.convolveGradInput(options);
      const { places, length } = sizesOf(windows);
      const together = imagesTogether(windows);
      const features = featuresOf(windows);
      engine.inFrame((frame) => {
        const from = { dZ: frame.input(dZ, count * places * filters), weights: frame.input(weights, filters * length) };
        const to = frame.output(out, count * features);
        const panel = frame.room(together * places * length * size);
        for (let first = 0; first < count; first += together) {
          const images = Math.min(together, count - first);
          const product = {
            units: filters,
            features: length,
            ...from,
            dZ: from.dZ + first * places * filters * size,
            out: panel,
          };
          engine.run('linearGradInput', product, { end: images * places, grain: 2, work: images * places * filters * length });
          const range = { end: images * windows.height, grain: 1, work: weight * images * places * length };
          engine.run('patchesGradient', { ...windows, values: panel, out: to + first * features * size }, range);
        }
      });
    },
    patches({ input, windows, first, rows, out }) {
      const { outHeight, outWidth, size: side, channels } = windows;
      const length = rows * outWidth * side * side * channels;
      const range = (end: number) => ({ end, grain: 1, work: (weight * length * end) / rows });
      if (input.kind === 'floats') {
        engine.call('patchesFloats', range(rows), (frame) => ({
          ...windows,
          values: frame.input(input.values, input.count * input.features),
          row: first,
          out: frame.output(out, length),
        }));
        return;
      }
      engine.inFrame((frame) => {
        const to = frame.output(out, length);
        const { scales, shifts } = scalingOf(input.scaling);
        const scaling = { scale: 1, scales: frame.input(scales, input.features), shifts: frame.input(shifts, input.features) };
        const end = Math.min(input.count, Math.ceil((first + rows) / outHeight));
        const { from, images } = imagesOf(input, Math.floor(first / outHeight), end);
        for (const { first: at, count, ...placed } of placeRows(memory, frame, images)) {
          const image = from + at;
          // rows of windows that lie in this piece of the images
          const [low, high] = [Math.max(first, image * outHeight), Math.min(first + rows, (image + count) * outHeight)];
          if (low >= high) continue;
          const out = to + (low - first) * outWidth * side * side * channels * size;
          const call = {
            ...windows,
            ...placed,
            ...scaling,
            features: input.features,
            count,
            row: low - image * outHeight,
            out,
          };
          engine.run('patchesBytes', call, range(high - low));
        }
      });
    },
    patchesGradient({ patches, windows, count, out }) {
      const { outHeight, outWidth, size: side, channels } = windows;
      const length = count * outHeight * outWidth * side * side * channels;
      engine.call('patchesGradient', { end: count * windows.height, grain: 1, work: weight * length }, (frame) => ({
        ...windows,
        values: frame.input(patches, length),
        out: frame.output(out, count * featuresOf(windows)),
      }));
    },
    maxPool: pool('maxPool'),
    averagePool: pool('averagePool'),
    maxPoolGradient({ values, windows, count, pooled, dPooled, out }) {
      const features = count * featuresOf(windows);
      engine.call('maxPoolGradient', { end: count, grain: 1, work: 2 * weight * features }, (frame) => ({
        ...windows,
        values: frame.input(values, features),
        pooled: frame.input(pooled, count * pooledOf(windows)),
        dPooled: frame.input(dPooled, count * pooledOf(windows)),
        out: frame.output(out, features),
      }));
    },
    averagePoolGradient({ windows, count, dPooled, out }) {
      const features = count * featuresOf(windows);
      engine.call('averagePoolGradient', { end: count, grain: 1, work: weight * features }, (frame) => ({
        ...windows,
        dPooled: frame.input(dPooled, count * pooledOf(windows)),
        out: frame.output(out, features),
      }));
    },
  };
}

/** Of a convolution: places of an image, and numbers of a window. */
const sizesOf = ({ outHeight, outWidth, size, channels }: Windows) => ({
  places: outHeight * outWidth,
  length: size * size * channels,
});

/** What the calls of a convolution have in common, for so many images. */
function fieldsOf({ input, windows, filters }: ConvolveOptions, count: number) {
  const { places, length } = sizesOf(windows);
  return { ...windows, count, features: input.features, places: count * places, units: filters, length };
}

/** Those images of a batch in which some rows of windows lie: were they all placed, each panel would copy the whole batch where it lies elsewhere. */
function imagesOf(input: ByteBatch, from: number, end: number): { from: number; images: ByteBatch } {
  const { bytes, indices, features } = input;
  const some = { ...input, count: end - from };
  if (indices !== null) return { from, images: { ...some, indices: indices.subarray(from, end) } };
  return { from, images: { ...some, bytes: bytes.subarray(from * features, end * features) } };
}

const featuresOf = ({ height, width, channels }: Windows) => height * width * channels;
const pooledOf = ({ outHeight, outWidth, channels }: Windows) => outHeight * outWidth * channels;
