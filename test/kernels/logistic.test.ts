import { describe, expect, test } from 'vitest';
import { inScope } from '../../src/kernels/kernels.ts';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import { numpyRandom } from '../../src/random.ts';

/** Logistic regression in float32 has kernels of its own, with sums of whole numbers. */
const kernels = simdKernels('float32');
const reference = referenceKernels('float64');

const uniform = (features: number) => ({ scale: new Float64Array(features).fill(1 / 255), shift: new Float64Array(features) });

function inputOf(bytes: Uint8Array, count: number, features: number) {
  return { kind: 'bytes', bytes, indices: null, count, features, scaling: uniform(features) } as const;
}

describe('a layer of one unit', () => {
  test.each([1, -1])('does not overflow on white pictures and equal weights (%d)', (sign) => {
    const [count, features] = [1030, 5001];
    const input = inputOf(new Uint8Array(count * features).fill(255), count, features);
    const weights = new Float32Array(features).fill(sign * 1.999);
    const z = new Float32Array(count);
    kernels.linear({ input, weights, bias: new Float32Array([0.5]), units: 1, out: z });
    const expected = Math.fround(sign * 1.999) * features + 0.5;
    for (const value of z) expect(Math.abs(value / expected - 1)).toBeLessThan(1e-6);
    const dW = new Float32Array(features);
    kernels.linearGradWeights({ input, dZ: new Float32Array(count).fill(sign * 0.3), units: 1, out: dW });
    for (const value of dW) expect(Math.abs(value / (sign * Math.fround(0.3) * count) - 1)).toBeLessThan(1e-6);
  });

  test.each([
    [700, 4100],
    [9, 40_003],
  ])('is nearer to float64 than float32 sums are (%i pictures of %i numbers)', (count, features) => {
    const random = numpyRandom(4);
    const input = inputOf(
      Uint8Array.from({ length: count * features }, () => Math.floor(random.uniform() * 256)),
      count,
      features,
    );
    const weights = Float32Array.from({ length: features }, () => random.normal());
    const dZ = Float32Array.from({ length: count }, () => random.normal());
    const [z, dW] = [new Float32Array(count), new Float32Array(features)];
    kernels.linear({ input, weights, bias: null, units: 1, out: z });
    kernels.linearGradWeights({ input, dZ, units: 1, out: dW });
    const [exactZ, exactDW] = [new Float64Array(count), new Float64Array(features)];
    reference.linear({ input, weights, bias: null, units: 1, out: exactZ });
    reference.linearGradWeights({ input, dZ, units: 1, out: exactDW });
    // half a unit in the last place of the result, and the 2^-30 of splitting
    for (const [i, value] of exactZ.entries()) expect(Math.abs(z[i]! - value)).toBeLessThan(6e-8 * Math.abs(value) + 1e-6);
    for (const [k, value] of exactDW.entries()) expect(Math.abs(dW[k]! - value)).toBeLessThan(6e-8 * Math.abs(value) + 1e-6);
  });

  test.each([0, 1e-25, 1e30])('takes weights of any size (%d)', (size) => {
    const input = inputOf(
      Uint8Array.from({ length: 5 * 40 }, (_, i) => i),
      5,
      40,
    );
    const weights = new Float32Array(40).fill(size);
    const z = new Float32Array(5);
    kernels.linear({ input, weights, bias: null, units: 1, out: z });
    const expected = new Float64Array(5);
    reference.linear({ input, weights, bias: null, units: 1, out: expected });
    for (const [i, value] of expected.entries()) expect(Math.abs(z[i]! - value)).toBeLessThanOrEqual(1e-6 * value);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('passes %d on', (value) => {
    const input = inputOf(new Uint8Array(3 * 50).fill(9), 3, 50);
    const weights = new Float32Array(50);
    weights[49] = value;
    const z = new Float32Array(3);
    kernels.linear({ input, weights, bias: null, units: 1, out: z });
    expect(z.some(Number.isFinite)).toBe(false);
  });

  test('gives one example the same bits in every company', () => {
    const [count, features] = [131, 4099];
    const random = numpyRandom(6);
    const bytes = Uint8Array.from({ length: count * features }, () => Math.floor(random.uniform() * 256));
    const weights = Float32Array.from({ length: features }, () => random.normal());
    inScope(kernels, (scope) => {
      const forward = (first: number, some: number) => {
        const out = scope.allocate(some);
        const input = inputOf(bytes.subarray(first * features), some, features);
        kernels.linear({ input, weights, bias: null, units: 1, out });
        return Array.from(out);
      };
      const whole = forward(0, count);
      for (const size of [1, 3, 64]) {
        const pieces: number[] = [];
        for (let first = 0; first < count; first += size) pieces.push(...forward(first, Math.min(size, count - first)));
        expect(pieces).toEqual(whole);
      }
    });
  });
});
