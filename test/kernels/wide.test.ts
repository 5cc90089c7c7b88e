import { execFileSync } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Floats, inScope, type Kernels, type Precision, precisions } from '../../src/kernels/kernels.ts';
import { isWide, wideFlag } from '../../src/kernels/simd/compiled.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import { createMemory } from '../../src/kernels/simd/threaded-engine.ts';
import { type LossName, losses } from '../../src/nn/losses.ts';
import { numpyRandom } from '../../src/random.ts';
import { batchOf, draw, drawStep, passOf, products, shapes, stepShapes } from './operands.ts';

/**
 * What works on as much as registers of 256 bits hold has the bits of what works on half as much, whether V8 then makes one instruction
 * of two or not. It does so in its better code alone, which is asked for from the second call on; to have no other (--no-liftoff) ends V8 of Node 26.
 */
if (isWide) for (const flag of ['--wasm-tiering-budget=1', '--wasm-sync-tier-up']) setFlagsFromString(flag);

describe.each(Object.keys(precisions) as Precision[])('wide kernels in %s have the bits of the others:', (precision) => {
  const both = [true, false].map((wide) => simdKernels(precision, 1, 'strict', wide)) as [Kernels, Kernels];
  /** What both make of the same. */
  const expectSame = (make: (kernels: Kernels, scope: Kernels) => (Floats | null)[]) => {
    const [found, expected] = both.map((kernels) => inScope(kernels, (scope) => bitsOf(make(kernels, scope))));
    expect(found).toEqual(expected);
  };

  test.each(products)('$name', ({ length, run }) => {
    fc.assert(
      fc.property(shapes, (shape) => {
        expectSame((kernels, scope) => {
          const out = scope.allocate(length(shape));
          run(kernels, draw(shape, scope), shape, out);
          return [out];
        });
      }),
      { numRuns: 100 },
    );
  });

  test('a step of weights', () => {
    fc.assert(
      fc.property(stepShapes, (shape) => {
        expectSame((kernels, scope) => {
          const step = drawStep(shape, scope);
          const { squares } = kernels.backwardAndStep(step);
          const norms = squares && Float64Array.of(squares.gradient, squares.direction, squares.weights);
          return [norms, step.weights, step.firstMoment, step.secondMoment];
        });
      }),
      { numRuns: 60 },
    );
  });

  const counts = fc.integer({ min: 1, max: 90 });

  test('inner products', () => {
    fc.assert(
      fc.property(counts, counts, fc.integer({ min: 1, max: 600 }), fc.boolean(), (l, r, n, same) => {
        const [left, right] = [bytes(l * n), bytes(r * n)];
        const scaling = { scale: new Float64Array(n).fill(1), shift: new Float64Array(n) };
        expectSame((kernels) => {
          const out = new precisions[precision](l * (same ? l : r));
          kernels.gram({ left, right: same ? left : right, scaling, out });
          return [out];
        });
      }),
      { numRuns: 40 },
    );
  });

  test('sums that go on, of columns that do not fill a wide row', () => {
    const columns = precision === 'float32' ? [96, 72] : [48, 36];
    const shape = { count: 64, units: 4, seed: 3, input: 'scaled bytes', pinned: true, bias: false, density: 0.5 } as const;
    expectSame((kernels, scope) => {
      const rest = columns.map((features) => {
        const out = scope.allocate(4 * features);
        const { input, dZ } = draw({ ...shape, features }, scope);
        for (const adds of [false, true]) kernels.linearGradWeights({ input, dZ, units: 4, out, adds });
        return out;
      });
      return rest;
    });
  });

  test.each([
    [8, 24],
    [33, 20],
  ])('a convolution of %i channels by Winograd’s transform, %i filters', (channels, filters) => {
    const [height, width, count] = [7, 10, 3];
    const windows = { height, width, channels, size: 3, stride: 1, top: 1, left: 0, outHeight: height, outWidth: width };
    const of = (length: number) => precisions[precision].from(Array.from({ length }, () => random.uniform() - 0.5));
    const [values, weights] = [of(count * height * width * channels), of(filters * 9 * channels)];
    const dZ = of(count * height * width * filters);
    const input = { kind: 'floats', values, count, features: height * width * channels } as const;
    expectSame((kernels, scope) => {
      const [out, dA, dW] = [dZ.length, values.length, weights.length].map((length) => scope.allocate(length));
      kernels.convolve({ input, windows, filters, weights, bias: null, out: out! });
      kernels.convolveGradInput({ windows, filters, count, dZ, weights, out: dA! });
      kernels.convolveGradWeights({ input, windows, filters, dZ, out: dW!, adds: false });
      return [out!, dA!, dW!];
    });
  });

  test('as many examples as a tile holds, and more units than are listed together', () => {
    const shape = { count: 64, units: 65, features: 1537, seed: 8, density: 0.5, firstMoment: true, secondMoment: true } as const;
    expectSame((kernels, scope) => {
      const step = drawStep({ ...shape, decay: 0.01, scaled: true, picked: true, wantsNorms: false }, scope);
      expect(kernels.backwardAndStep(step).finite).toBe(true);
      return [step.weights, step.firstMoment, step.secondMoment];
    });
  });

  test('nobody writes where sums begin from', () => {
    for (const kernels of both) {
      expect(new Uint8Array(kernels.allocate(1).buffer, 0, 256).every((byte) => byte === 0)).toBe(true);
    }
    expect(createMemory().take(1).address).toBeGreaterThanOrEqual(256);
  });
});

describe('logistic regression in wide kernels has the bits of the others:', () => {
  const both = [true, false].map((wide) => simdKernels('float32', 1, 'strict', wide)) as [Kernels, Kernels];

  test.each(Object.keys(losses) as LossName[])('forward and back in one, %s', (loss) => {
    for (const [count, features] of [
      [1, 48],
      [7, 33],
      [130, 4111],
      [9000, 48],
      [3, 16_384],
    ] as const) {
      const batch = batchOf(count, features, { uniform: features !== 4111, shuffled: count === 130 });
      const [found, expected] = both.map((kernels) => {
        const { cost, ...arrays } = passOf(kernels, batch, loss);
        return bitsOf([Float64Array.of(cost), ...Object.values(arrays)]);
      });
      expect(found).toEqual(expected);
    }
  });

  test.each([8192, 16_384])('the largest sums of %i numbers fit', (features) => {
    const batch = batchOf(40, features);
    batch.bytes.fill(255);
    const weight = 2 ** -11 - 2 ** -23; // whose whole number is the largest that there is
    batch.weights.fill(weight);
    for (const kernels of both) {
      const { z } = passOf(kernels, batch, 'crossEntropy', 0);
      for (const value of z) expect(value).toBeCloseTo(features * weight, 5);
    }
  });

  test.each([1, 4, 7])('forward alone, %i pictures', (count) => {
    for (const features of [15, 48, 12_288, 80_033]) {
      const { weights, ...rows } = batchOf(count, features);
      const [found, expected] = both.map((kernels) => {
        const out = new Float32Array(count);
        kernels.linear({ input: { kind: 'bytes', ...rows }, weights, bias: null, units: 1, out });
        return bitsOf([out]);
      });
      expect(found).toEqual(expected);
    }
  });
});

/** As text: an array of thousands takes long to compare number by number. */
const bitsOf = (arrays: (Floats | null)[]) =>
  arrays.map((array) => array && Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64'));

const random = numpyRandom(11);
const bytes = (length: number) => Uint8Array.from({ length }, () => Math.floor(random.uniform() * 256));

/** `.ci/run` names the version of Node, so that its tests are not those of another. */
const named = process.env['NN_NODE'];
test('V8 is asked for wide instructions, and knows the flag', { skip: named === undefined || process.arch !== 'x64' }, () => {
  expect(process.version).toMatch(`v${named}.`);
  expect(isWide).toBe(true);
  expect(execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })).toContain(wideFlag);
});
