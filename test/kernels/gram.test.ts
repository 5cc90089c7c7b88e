import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inScope } from '../../src/kernels/kernels.ts';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import { numpyRandom } from '../../src/random.ts';

const kernels = simdKernels('float64');
const random = numpyRandom(7);
const bytes = (length: number) => Uint8Array.from({ length }, () => Math.floor(random.uniform() * 256));
const count = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 60, max: 140 }));

describe('inner products of pictures', () => {
  test('are whole numbers, and exact, where the scaling is the same for all features', () => {
    const features = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 200, max: 600 }));
    fc.assert(
      fc.property(count, count, features, fc.boolean(), fc.boolean(), (l, r, n, same, pinned) => {
        inScope(kernels, (scope) => {
          const place = (pixels: Uint8Array) => (pinned ? scope.pin(pixels) : pixels);
          const left = place(bytes(l * n));
          const right = same ? left : place(bytes(r * n));
          const scaling = { scale: new Float64Array(n).fill(1), shift: new Float64Array(n) };
          const [found, expected] = [kernels, referenceKernels('float64')].map((by) => {
            const out = new Float64Array((left.length / n) * (right.length / n));
            by.gram({ left, right, scaling, out });
            return out;
          });
          expect(found).toEqual(expected);
        });
      }),
      { numRuns: 40 },
    );
  });

  test('stay exact beyond what 32 bits hold', () => {
    const features = 100_001;
    const out = new Float64Array(1);
    const white = new Uint8Array(features).fill(255);
    const scaling = { scale: new Float64Array(features).fill(1), shift: new Float64Array(features) };
    kernels.gram({ left: white, right: white, scaling, out });
    expect(out[0]).toBe(255 * 255 * features);
  });

  test('follow any map', () => {
    const n = 203;
    const scaling = { scale: Float64Array.from({ length: n }, () => random.normal()), shift: new Float64Array(n).fill(-0.5) };
    const [left, right] = [bytes(70 * n), bytes(90 * n)];
    const [found, expected] = [kernels, referenceKernels('float64')].map((by) => {
      const out = new Float64Array(70 * 90);
      by.gram({ left, right, scaling, out });
      return out;
    });
    for (const [i, value] of expected!.entries()) expect(Math.abs(found![i]! - value)).toBeLessThan(1e-8);
  });
});
