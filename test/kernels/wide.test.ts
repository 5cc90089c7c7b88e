import { setFlagsFromString } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Floats, inScope, type Kernels, type Precision, precisions } from '../../src/kernels/kernels.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import { type LossName, losses } from '../../src/model/losses.ts';
import { numpyRandom } from '../../src/random.ts';
import { batchOf, draw, drawStep, passOf, products, shapes, stepShapes } from './operands.ts';

/**
 * What works on as much as registers of 256 bits hold has the bits of what works on half as much, whether V8 then makes one instruction
 * of two or not. It does so in its better code alone, which is asked for from the first call on.
 */
setFlagsFromString('--no-liftoff');

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
          const out = scope.floats(length(shape));
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
          const { squares } = kernels.stepWeights(step);
          const norms = squares && Float64Array.of(squares.gradient, squares.direction, squares.weights);
          return [norms, step.weights, step.velocities, step.squares];
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
        const map = { multiply: new Float64Array(n).fill(1), add: new Float64Array(n) };
        expectSame((kernels) => {
          const out = new precisions[precision](l * (same ? l : r));
          kernels.innerProducts({ left, right: same ? left : right, map, out });
          return [out];
        });
      }),
      { numRuns: 40 },
    );
  });

  test('sums of vectors', () => {
    fc.assert(
      fc.property(counts, (length) => {
        const [values, start] = [normals(length), normals(length)];
        expectSame((kernels, scope) => {
          const out = placed(scope, start);
          kernels.addScaled({ values: placed(scope, values), factor: 0.3, out });
          return [out];
        });
      }),
    );
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

  test.each([1, 4, 7])('forward alone, %i pictures', (count) => {
    for (const features of [15, 48, 12_288, 80_033]) {
      const { weights, ...rows } = batchOf(count, features);
      const [found, expected] = both.map((kernels) => {
        const out = new Float32Array(count);
        kernels.forward({ input: { kind: 'bytes', ...rows }, weights, bias: null, units: 1, out });
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
const normals = (length: number) => Float64Array.from({ length }, () => random.normal());

function placed(memory: Kernels, values: Float64Array): Floats {
  const place = memory.floats(values.length);
  place.set(values);
  return place;
}
