import type { ByteBatch, InputScaling, PoolOptions, WindowKernels, Windows } from '../kernels.ts';
import type { Engine } from './engine.ts';
import { placeRows } from './operands.ts';

/** What it costs to move a number, in multiplications: it is memory that it waits for. */
const weight = 4;

/** Windows of images: the calls of assembly/windows.ts. */
export function windowCalls(engine: Engine): WindowKernels {
  const { memory, size } = engine;
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
  return {
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

/** Those images of a batch in which some rows of windows lie: were they all placed, each panel would copy the whole batch where it lies elsewhere. */
function imagesOf(input: ByteBatch, from: number, end: number): { from: number; images: ByteBatch } {
  const { bytes, indices, features } = input;
  const some = { ...input, count: end - from };
  if (indices !== null) return { from, images: { ...some, indices: indices.subarray(from, end) } };
  return { from, images: { ...some, bytes: bytes.subarray(from * features, end * features) } };
}

const featuresOf = ({ height, width, channels }: Windows) => height * width * channels;
const pooledOf = ({ outHeight, outWidth, channels }: Windows) => outHeight * outWidth * channels;
