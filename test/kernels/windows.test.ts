import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWinograd } from '../../src/kernels/convolution.ts';
import type { Floats, Windows } from '../../src/kernels/kernels.ts';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import { kernelMemory } from '../../src/kernels/simd/threaded-engine.ts';

/** Windows of images: what the compiled kernels make of random shapes, beside the reference. */

const shapes = fc.record({
  height: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 9 }),
  channels: fc.integer({ min: 1, max: 9 }),
  size: fc.integer({ min: 1, max: 5 }),
  stride: fc.integer({ min: 1, max: 3 }),
  padded: fc.boolean(),
  count: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

type Shape = typeof shapes extends fc.Arbitrary<infer T> ? T : never;

function windowsOf({ height, width, channels, size, stride, padded }: Shape): Windows | null {
  if (!padded) {
    if (size > height || size > width) return null;
    const outOf = (side: number) => Math.floor((side - size) / stride) + 1;
    return { height, width, channels, size, stride, top: 0, left: 0, outHeight: outOf(height), outWidth: outOf(width) };
  }
  const outOf = (side: number) => Math.ceil(side / stride);
  const pad = (side: number) => Math.floor(Math.max(0, (outOf(side) - 1) * stride + size - side) / 2);
  return {
    height,
    width,
    channels,
    size,
    stride,
    top: pad(height),
    left: pad(width),
    outHeight: outOf(height),
    outWidth: outOf(width),
  };
}

/** Numbers with ties, so that a window has several largest ones. */
function noise(length: number, seed: number): Float64Array {
  let x = seed;
  return Float64Array.from({ length }, () => {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
    return ((x >> 16) % 17) / 8 - 1;
  });
}

const cases = (['float32', 'float64'] as const).flatMap((precision) =>
  [1, 2].map((threads) => ({
    precision,
    threads,
    kernels: simdKernels(precision, threads),
    reference: referenceKernels(precision),
  })),
);
const precise = (precision: string) => (precision === 'float32' ? 5 : 12);

function expectClose(found: Floats, expected: Floats, digits: number): void {
  for (let i = 0; i < expected.length; i++) expect(found[i]!).toBeCloseTo(expected[i]!, digits);
}

describe.each(cases)('$precision, $threads threads', ({ precision, kernels, reference }) => {
  const digits = precise(precision);
  const numbers = (values: Float64Array) => {
    const out = reference.allocate(values.length);
    out.set(values);
    return out;
  };

  test('patches, of floats and of bytes, from any row on', () => {
    fc.assert(
      fc.property(shapes, fc.nat(30), fc.nat(30), (shape, skip, some) => {
        const windows = windowsOf(shape);
        if (windows === null) return;
        const features = windows.height * windows.width * windows.channels;
        const all = shape.count * windows.outHeight;
        const first = skip % all;
        const rows = 1 + (some % (all - first));
        const length = rows * windows.outWidth * windows.size ** 2 * windows.channels;
        const bytes = Uint8Array.from({ length: features * shape.count }, (_, i) => (i * 37 + shape.seed) % 256);
        const scale = noise(features, shape.seed);
        const scaling = { scale, shift: noise(features, shape.seed + 1) };
        const indices = Int32Array.from({ length: shape.count }, (_, i) => shape.count - 1 - i);
        const values = numbers(noise(features * shape.count, shape.seed + 2));
        for (const input of [
          { kind: 'floats', values, count: shape.count, features } as const,
          { kind: 'bytes', bytes, indices, count: shape.count, features, scaling } as const,
          { kind: 'bytes', bytes, indices: null, count: shape.count, features, scaling } as const,
        ]) {
          const [found, expected] = [reference.allocate(length), reference.allocate(length)];
          kernels.patches({ input, windows, first, rows, out: found });
          reference.patches({ input, windows, first, rows, out: expected });
          expectClose(found, expected, precision === 'float32' ? 3 : 10);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('a convolution and the gradient of its weights have the bits of the linear layer over all patches, but by Winograd’s transform', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 70 }), (shape, filters) => {
        const windows = windowsOf(shape);
        if (windows === null || isWinograd({ windows, filters })) return;
        const { count, seed } = shape;
        const features = windows.height * windows.width * windows.channels;
        const length = windows.size ** 2 * windows.channels;
        const places = count * windows.outHeight * windows.outWidth;
        const bytes = Uint8Array.from({ length: features * count }, (_, i) => (i * 37 + seed) % 256);
        const scaling = { scale: noise(features, seed), shift: noise(features, seed + 1) };
        const indices = Int32Array.from({ length: count }, (_, i) => count - 1 - i);
        const weights = numbers(noise(filters * length, seed + 3));
        const bias = seed % 2 ? numbers(noise(filters, seed + 4)) : null;
        const dZ = numbers(noise(places * filters, seed + 5));
        for (const input of [
          { kind: 'floats', values: numbers(noise(features * count, seed + 2)), count, features } as const,
          { kind: 'bytes', bytes, indices, count, features, scaling } as const,
        ]) {
          const values = reference.allocate(places * length);
          kernels.patches({ input, windows, first: 0, rows: count * windows.outHeight, out: values });
          const patches = { kind: 'floats', values, count: places, features: length } as const;
          const pair = (size: number) => [reference.allocate(size).fill(0.5), reference.allocate(size).fill(0.5)] as const;
          const z = pair(places * filters);
          kernels.convolve({ input, windows, filters, weights, bias, out: z[0] });
          kernels.linear({ input: patches, weights, bias, units: filters, out: z[1] });
          expect(z[0]).toEqual(z[1]);
          for (const adds of [false, true]) {
            const dW = pair(filters * length);
            kernels.convolveGradWeights({ input, windows, filters, dZ, out: dW[0], adds });
            kernels.linearGradWeights({ input: patches, dZ, units: filters, out: dW[1], adds });
            expect(dW[0]).toEqual(dW[1]);
          }
          const expected = reference.allocate(places * filters);
          reference.convolve({ input, windows, filters, weights, bias, out: expected });
          expectClose(z[0], expected, precision === 'float32' ? 2 : 10);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('of images whose windows are longer than a block, and of more than a tile of places', () => {
    const side = 12;
    const shape: Shape = { height: side, width: side, channels: 70, size: 3, stride: 2, padded: true, count: 2, seed: 3 };
    const windows = windowsOf(shape)!;
    const [features, length, places] = [side * side * 70, 630, (2 * side * side) / 4];
    const input = { kind: 'floats', values: numbers(noise(2 * features, 4)), count: 2, features } as const;
    const values = reference.allocate(places * length);
    kernels.patches({ input, windows, first: 0, rows: side, out: values });
    const patches = { kind: 'floats', values, count: places, features: length } as const;
    const filters = 67;
    const [weights, dZ] = [numbers(noise(filters * length, 5)), numbers(noise(places * filters, 6))];
    const [z, dW] = [places * filters, filters * length].map((size) => [0, 1].map(() => reference.allocate(size))) as Floats[][];
    kernels.convolve({ input, windows, filters, weights, bias: null, out: z![0]! });
    kernels.linear({ input: patches, weights, bias: null, units: filters, out: z![1]! });
    expect(z![0]).toEqual(z![1]);
    kernels.convolveGradWeights({ input, windows, filters, dZ, out: dW![0]!, adds: false });
    kernels.linearGradWeights({ input: patches, dZ, units: filters, out: dW![1]! });
    expect(dW![0]).toEqual(dW![1]);
  });

  test('patches of bytes that lie elsewhere take room for the images that they are of, not for all of the batch', () => {
    const [side, count, rows] = [64, 50, 3];
    const [length, features] = [rows * side * 9 * 3, side * side * 3];
    const windows = {
      height: side,
      width: side,
      channels: 3,
      size: 3,
      stride: 1,
      top: 1,
      left: 1,
      outHeight: side,
      outWidth: side,
    };
    const scaling = { scale: new Float64Array(features).fill(1), shift: new Float64Array(features) };
    const input = { kind: 'bytes', bytes: new Uint8Array(count * features), indices: null, count, features, scaling } as const;
    const [out, most] = [reference.allocate(length), kernelMemory().measure()];
    kernels.patches({ input, windows, first: 2 * side - 1, rows, out }); // the end of an image, and the beginning of the next
    const scalings = 2 * features * out.BYTES_PER_ELEMENT;
    expect(most()).toBeLessThan(1.1 * (2 * features + scalings + length * out.BYTES_PER_ELEMENT));
  });

  test('the gradient of images is that of their patches, summed: <patches(x), g> = <x, patchesGradient(g)>', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const windows = windowsOf(shape);
        if (windows === null) return;
        const { count, seed } = shape;
        const features = windows.height * windows.width * windows.channels;
        const rows = count * windows.outHeight;
        const length = rows * windows.outWidth * windows.size ** 2 * windows.channels;
        const values = numbers(noise(features * count, seed));
        const patches = numbers(noise(length, seed + 1));
        const out = reference.allocate(features * count);
        kernels.patchesGradient({ patches, windows, count, out });
        const expected = reference.allocate(features * count);
        reference.patchesGradient({ patches, windows, count, out: expected });
        expectClose(out, expected, digits);
        const made = reference.allocate(length);
        const input = { kind: 'floats', values, count, features } as const;
        reference.patches({ input, windows, first: 0, rows, out: made });
        const inner = (a: Floats, b: Floats) => Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);
        expect(inner(made, patches)).toBeCloseTo(inner(values, out), precision === 'float32' ? 2 : 9);
      }),
      { numRuns: 60 },
    );
  });

  test('pooling, and its gradients', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const windows = windowsOf({ ...shape, padded: false });
        if (windows === null) return;
        const { count, seed } = shape;
        const features = count * windows.height * windows.width * windows.channels;
        const pooled = count * windows.outHeight * windows.outWidth * windows.channels;
        const values = numbers(noise(features, seed));
        const dPooled = numbers(noise(pooled, seed + 1));
        const each = (own: typeof kernels) => {
          const most = reference.allocate(pooled);
          own.maxPool({ values, windows, count, out: most });
          const mean = reference.allocate(pooled);
          own.averagePool({ values, windows, count, out: mean });
          const dMost = reference.allocate(features).fill(7);
          own.maxPoolGradient({ values, windows, count, pooled: most, dPooled, out: dMost });
          const dMean = reference.allocate(features).fill(7);
          own.averagePoolGradient({ windows, count, dPooled, out: dMean });
          return { most, mean, dMost, dMean };
        };
        const [found, expected] = [each(kernels), each(reference)];
        expect(found.most).toEqual(expected.most);
        for (const name of ['mean', 'dMost', 'dMean'] as const) expectClose(found[name], expected[name], digits);
      }),
      { numRuns: 60 },
    );
  });
});

test('a window of 2 × 2 by hand: the mean, the first of the largest, and who gets the gradient', () => {
  const kernels = referenceKernels('float64');
  const windows = { height: 2, width: 2, channels: 1, size: 2, stride: 2, top: 0, left: 0, outHeight: 1, outWidth: 1 };
  const values = Float64Array.of(1, 4, 4, -1);
  const out = new Float64Array(1);
  kernels.averagePool({ values, windows, count: 1, out });
  expect(out[0]).toBe(2);
  kernels.maxPool({ values, windows, count: 1, out });
  expect(out[0]).toBe(4);
  const gradient = new Float64Array(4);
  kernels.maxPoolGradient({ values, windows, count: 1, pooled: out, dPooled: Float64Array.of(3), out: gradient });
  expect([...gradient]).toEqual([0, 3, 0, 0]);
});
