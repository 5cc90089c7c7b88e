import type { Windows } from '../../kernels/kernels.ts';
import { featuresOf, type ImageShape, type Op } from '../op.ts';
import { expectedOf, reference } from '../rounding.ts';
import { windowsOf } from '../windows.ts';

/** What becomes of a window. */
export const pools = {
  max: { word: 'max-pool', formula: 'the largest of each window', kernel: 'maxPool', onnx: 'MaxPool' },
  average: { word: 'average-pool', formula: 'the mean of each window', kernel: 'averagePool', onnx: 'AveragePool' },
} as const;
export type PoolName = keyof typeof pools;

/** One number for each window and channel: its largest, or its mean. It has no parameters.
 *  @param options.place  where it stands in the config, such as 3.1
 *  @see course, part 4, week 1 */
export function pool(options: {
  layer: number;
  place: string;
  input: ImageShape;
  pool: PoolName;
  size: number;
  stride: number;
}): Op {
  const { layer, place, input, size, stride } = options;
  const { word, formula, kernel } = pools[options.pool];
  const isMax = options.pool === 'max';
  const windows = windowsOf(input, { size, stride, padding: 'valid' });
  const output = { height: windows.outHeight, width: windows.outWidth, channels: input.channels };
  const pooled = featuresOf(output);
  const P = { id: `P${place.replaceAll('.', '_')}`, name: `P[${place}]` };
  return {
    kind: `${options.pool}Pool`,
    layer,
    input,
    output,
    inPlace: false,
    drops: false,
    mixesExamples: false,
    tensors: [],
    initialize: () => {},
    allocate: (kernels, capacity) => ({
      value: kernels.allocate(capacity * pooled),
      grad: kernels.allocate(capacity * pooled),
      kept: {},
    }),
    numbersPerExample: 2 * pooled,
    multiplications: 0,

    forward({ kernels, slot, below, count }) {
      kernels[kernel]({ values: below!.value, windows, count, out: slot.value });
    },

    fusedAs: isMax && size === 2 && stride === 2 ? 'pools' : null,

    backward({ kernels, slot, below, count }) {
      const common = { windows, count, dPooled: slot.grad, out: below!.grad };
      if (isMax) kernels.maxPoolGradient({ values: below!.value, pooled: slot.value, ...common });
      else kernels.averagePoolGradient(common);
    },

    ...(isMax && { sides: (below, count) => largestPlaces(below.value, windows, count) }),

    auditForward({ rounding: { unit }, slot, below, distinct, compare }) {
      const expected = expectedOf(distinct * pooled);
      reference[kernel]({ values: below!.value, windows, count: distinct, out: expected.values });
      const sizes = new Float64Array(distinct * pooled);
      reference.averagePool({ values: below!.value.map(Math.abs), windows, count: distinct, out: sizes });
      if (!isMax) expected.bounds.set(sizes.map((value) => 8 * unit * size * value));
      compare('P', slot.value, expected);
      return expected;
    },

    auditBackward({ rounding: { unit, floor }, slot, below, distinct }) {
      const gradientOf = (dPooled: Float64Array) => {
        const out = new Float64Array(distinct * featuresOf(input));
        const common = { windows, count: distinct, dPooled, out };
        if (isMax) reference.maxPoolGradient({ values: below!.value, pooled: slot.value, ...common });
        else reference.averagePoolGradient(common);
        return out;
      };
      const dPooled = Float64Array.from(slot.grad.subarray(0, distinct * pooled));
      const sizes = gradientOf(dPooled.map(Math.abs));
      return {
        grad: { values: gradientOf(dPooled), bounds: sizes.map((value) => 8 * unit * size * value + floor) },
        gradients: [],
      };
    },

    onnx: ({ nodes, input: below }) =>
      nodes.node(pools[options.pool].onnx, [below], { kernel_shape: [size, size], strides: [stride, stride] }),

    letter: 'A',
    gain: 1,
    description: size === input.height && stride === size ? `global ${word}` : `${word} ${size} × ${size}`,
    drawing: {
      output: P,
      forward(from, add) {
        add({ ...P, shape: [pooled, 'm'], formula: `${word}(${from.name})` }, [from.id]);
      },
      backward(_, __, toInput) {
        toInput(isMax ? `d${P.name} where it is the largest` : `d${P.name} / ${size * size}`, `d${P.id}`);
      },
      legend: [{ key: `0 ${word}`, value: '', text: () => `${word}: ${formula}, channel by channel` }],
    },
  };
}

/** Which of each window is the largest: where that changes, there is no derivative. */
function largestPlaces(values: ArrayLike<number>, windows: Windows, count: number): Uint8Array {
  const { height, width, channels, size, stride, outHeight, outWidth } = windows;
  const found = new Uint8Array(count * outHeight * outWidth * channels);
  for (let at = 0; at < found.length; at++) {
    const c = at % channels;
    const j = Math.floor(at / channels) % outWidth;
    const i = Math.floor(at / channels / outWidth) % outHeight;
    const image = Math.floor(at / channels / outWidth / outHeight);
    let most = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < size * size; k++) {
      const [y, x] = [i * stride + Math.floor(k / size), j * stride + (k % size)];
      const value = values[((image * height + y) * width + x) * channels + c]!;
      if (value > most) [most, found[at]] = [value, k % 256];
    }
  }
  return found;
}
