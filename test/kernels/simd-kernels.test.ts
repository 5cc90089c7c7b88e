import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inScope, type Kernels, type Precision, precisions } from '../../src/kernels/kernels.ts';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import { draw, products, rowsOf, type Shape, shapes } from './operands.ts';

/** The error of a sum, as a share of the sum of its terms' sizes. */
const tolerances: Record<Precision, number> = { float32: 2e-6, float64: 1e-14 };

describe.each(Object.keys(precisions) as Precision[])('the %s kernels in WebAssembly', (precision) => {
  const kernels = simdKernels(precision);
  const reference = referenceKernels(precision);

  test('compute what the reference does, whatever the shapes', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        inScope(kernels, (scope) => {
          const operands = draw(shape, shape.pinned ? scope : reference);
          const sizes = draw(shape, reference, Math.abs);
          for (const product of products) {
            const out = (shape.pinned ? scope : reference).allocate(product.length(shape));
            product.run(kernels, operands, shape, out);
            const expected = reference.allocate(out.length);
            product.run(reference, operands, shape, expected);
            const size = reference.allocate(out.length);
            product.run(reference, sizes, shape, size);
            for (let i = 0; i < out.length; i++) {
              const error = Math.abs(out[i]! - expected[i]!);
              if (!(error <= tolerances[precision] * size[i]!)) {
                throw new Error(`${product.name} at ${i}: expected ${expected[i]}, found ${out[i]}`);
              }
            }
          }
        });
      }),
      { numRuns: 150 },
    );
  });

  test.each(['floats', 'picked bytes', 'mapped bytes'])('give one example the same bits in every company (%s)', (input) => {
    const shape: Shape = {
      count: 1000,
      units: 6,
      features: 203,
      seed: 3,
      input,
      pinned: true,
      bias: true,
      density: 1,
    } as Shape;
    inScope(kernels, (scope) => {
      const operands = draw(shape, scope);
      const forward = (first: number, count: number) => {
        const out = scope.allocate(count * shape.units);
        kernels.linear({ ...operands, input: rowsOf(operands.input, first, count), units: shape.units, out });
        return Array.from(out);
      };
      const whole = forward(0, 1000);
      for (const size of [1, 7, 64]) {
        const pieces: number[] = [];
        for (let first = 0; first < 1000; first += size) pieces.push(...forward(first, Math.min(size, 1000 - first)));
        expect(pieces, `batches of ${size}`).toEqual(whole);
      }
    });
  });

  test('sum a batch that is copied in pieces to the same bits', () => {
    const features = 160_000; // 32 MB hold 192 such examples
    const pixels = Uint8Array.from({ length: 200 * features }, (_, i) => (i * 7919) % 256);
    const scaling = { scale: new Float64Array(features).fill(1 / 255), shift: new Float64Array(features) };
    const rows = (bytes: Uint8Array) => ({ kind: 'bytes', bytes, indices: null, count: 200, features, scaling }) as const;
    inScope(kernels, (scope) => {
      const dZ = scope.allocate(200).map((_, i) => Math.sin(i));
      const [inside, outside] = [scope.pin(pixels), pixels].map((bytes) => {
        const out = scope.allocate(features);
        kernels.linearGradWeights({ input: rows(bytes), dZ, units: 1, out });
        return out;
      });
      expect(outside).toEqual(inside);
    });
  });

  test('give memory back with its scope', () => {
    const address = (scope: Kernels) => scope.allocate(1000).byteOffset;
    const first = inScope(kernels, address);
    for (let i = 0; i < 100; i++) expect(inScope(kernels, address)).toBe(first);
  });

  test('hand out zeroed memory, also where it was used before', () => {
    inScope(kernels, (scope) => void scope.allocate(5000).fill(7));
    inScope(kernels, (scope) => expect(scope.allocate(5000).every((value) => value === 0)).toBe(true));
  });

  test('keep views over the growth of the memory', () => {
    inScope(kernels, (scope) => {
      const [weights, out] = [scope.allocate(1).fill(3), scope.allocate(1)];
      scope.allocate(4_000_000);
      const input = { kind: 'floats', values: scope.allocate(1).fill(5), count: 1, features: 1 } as const;
      kernels.linear({ input, weights, bias: null, units: 1, out });
      expect(out[0]).toBe(15);
    });
  });

  test('refuse arrays that are shorter than the counts', () => {
    const input = { kind: 'floats', values: new precisions[precision](3), count: 2, features: 2 } as const;
    const call = () => kernels.linear({ input, weights: kernels.allocate(2), bias: null, units: 1, out: kernels.allocate(2) });
    expect(call).toThrow('expected an array of at least 4 numbers, found 3');
  });
});
