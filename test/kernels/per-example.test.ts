import { describe, expect, test } from 'vitest';
import type { Floats, Kernels, Windows } from '../../src/kernels/kernels.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import { numpyRandom } from '../../src/random.ts';

/** Calls that threads share example by example, instead of one by one: the same bits, whatever lies between them. */

const [count, side, channels, filters] = [21, 16, 3, 16];
const first: Windows = {
  ...{ height: side, width: side, channels, size: 4, stride: 2 },
  top: 1,
  left: 1,
  outHeight: 8,
  outWidth: 8,
};
const second: Windows = {
  ...{ height: 8, width: 8, channels: filters, size: 3, stride: 1 },
  top: 1,
  left: 1,
  outHeight: 8,
  outWidth: 8,
};
const features = side * side * channels;
const random = numpyRandom(5);
const bytes = Uint8Array.from({ length: count * features }, () => random.integer(255));
const scaling = { scale: new Float64Array(features).fill(1 / 255), shift: new Float64Array(features).fill(-0.5) };
const images = { kind: 'bytes', bytes, indices: null, count, features, scaling } as const;
const weightsOf = (windows: Windows) =>
  Float64Array.from({ length: filters * windows.size ** 2 * windows.channels }, () => random.normal());
const weights = [weightsOf(first), weightsOf(second)] as const;
const bias = Float64Array.from({ length: filters }, () => random.normal());
const length = count * 64 * filters;

const placed = (kernels: Kernels, values: Float64Array): Floats => {
  const own = kernels.allocate(values.length);
  own.set(values);
  return own;
};

/** Two convolutions, the second of what the first gives. @param room  for what lies between */
function twice(kernels: Kernels, between: Floats, out: Floats, examples: number, also: () => void = () => {}): number[] {
  const [w1, w2, b] = [placed(kernels, weights[0]), placed(kernels, weights[1]), placed(kernels, bias)];
  kernels.perExample(examples, () => {
    kernels.convolve({ input: images, windows: first, filters, weights: w1, bias: b, relu: true, out: between });
    also();
    const input = { kind: 'floats', values: between, count, features: 64 * filters } as const;
    kernels.convolve({ input, windows: second, filters, weights: w2, bias: b, relu: true, out });
  });
  return Array.from(out.subarray(0, length));
}

const rooms = (kernels: Kernels) => [kernels.allocate(length), kernels.allocate(length)] as const;

describe.each(['float32', 'float64'] as const)('%s', (precision) => {
  const one = simdKernels(precision, 1);
  const expected = twice(one, ...rooms(one), count);

  test('some of it is not 0, and not all is alike', () => {
    expect(new Set(expected).size).toBeGreaterThan(count * 64);
  });

  test.each([2, 3, 4])('%i threads', (threads) => {
    const kernels = simdKernels(precision, threads);
    for (let i = 0; i < 3; i++) expect(twice(kernels, ...rooms(kernels), count)).toEqual(expected);
  });

  test('a call that does not run over these examples is made in its turn', () => {
    const kernels = simdKernels(precision, 2);
    const [between, out] = rooms(kernels);
    // 2 · z, made by a call of another kind from what the first convolution has just given
    const doubled = twice(kernels, between, out, count, () => kernels.addScaled({ values: between, factor: 1, out: between }));
    const again = () => one.addScaled({ values: ones[0], factor: 1, out: ones[0] });
    const ones = rooms(one);
    expect(doubled).toEqual(twice(one, ones[0], ones[1], count, again));
    expect(doubled).not.toEqual(expected);
    expect(twice(kernels, between, out, count - 1)).toEqual(expected); // nor are calls of more examples than were said
  });

  test('numbers that lie elsewhere are there for the next call', () => {
    const kernels = simdKernels(precision, 2);
    const elsewhere = () => (precision === 'float32' ? new Float32Array(length) : new Float64Array(length));
    expect(twice(kernels, elsewhere(), elsewhere(), count)).toEqual(expected);
  });

  test('after calls that fail others go on', () => {
    const kernels = simdKernels(precision, 2);
    const [between, out] = rooms(kernels);
    const fails = () => {
      throw new Error('on the way');
    };
    expect(() => twice(kernels, between, out, count, fails)).toThrow('on the way');
    expect(twice(kernels, between, out, count)).toEqual(expected);
  });
});
