import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inScope, type Precision, precisions } from '../../src/kernels/kernels.ts';
import { referenceBackwardAndStep, referenceKernels } from '../../src/kernels/reference.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import { drawStep, type StepShape, stepShapes } from './operands.ts';

describe.each(Object.keys(precisions) as Precision[])('a step of weights with its gradient in %s', (precision) => {
  const kernels = simdKernels(precision);

  test('has the bits of the gradient first and the step after it', () => {
    fc.assert(
      fc.property(stepShapes, (shape) => {
        inScope(kernels, (scope) => {
          const [fused, plain] = [drawStep(shape, scope), drawStep(shape, scope)];
          const statistics = kernels.backwardAndStep(fused);
          const expected = referenceBackwardAndStep(kernels, plain, scope.allocate(plain.weights.length));
          expect(fused.weights).toEqual(plain.weights);
          expect(fused.firstMoment).toEqual(plain.firstMoment);
          expect(fused.secondMoment).toEqual(plain.secondMoment);
          expect(statistics.finite).toBe(true);
          expect(statistics.squares === null).toBe(!shape.wantsNorms);
          for (const name of ['gradient', 'direction', 'weights'] as const) {
            const [found, wanted] = [statistics.squares?.[name] ?? 0, expected.squares?.[name] ?? 0];
            expect(Math.abs(found - wanted)).toBeLessThanOrEqual(1e-12 * wanted);
          }
        });
      }),
      { numRuns: Number(process.env['NN_RANDOM_STEPS'] ?? 20) },
    );
  });

  test("is the reference's, to rounding", () => {
    const shape: StepShape = {
      ...{ count: 70, units: 130, features: 401, seed: 5, density: 0.5, firstMoment: true, secondMoment: true, decay: 0.01 },
      ...{ scaled: false, picked: true, wantsNorms: true },
    };
    inScope(kernels, (scope) => {
      const [found, expected] = [drawStep(shape, scope), drawStep(shape, referenceKernels(precision))];
      const statistics = kernels.backwardAndStep(found).squares!;
      const reference = referenceKernels(precision).backwardAndStep(expected).squares!;
      const relative = precision === 'float32' ? 1e-4 : 1e-12;
      for (const name of ['gradient', 'direction', 'weights'] as const) {
        expect(Math.abs(statistics[name] / reference[name] - 1)).toBeLessThan(relative);
      }
      for (const [i, value] of expected.weights.entries()) expect(Math.abs(found.weights[i]! - value)).toBeLessThan(relative);
    });
  });

  test.each([
    [0, 0, Number.NaN],
    [5, 2, Number.POSITIVE_INFINITY],
    [69, 129, Number.NEGATIVE_INFINITY],
  ])('says where dZ[%i, %i] = %d spoils it, with norms or without', (i, u, value) => {
    for (const wantsNorms of [false, true]) {
      const shape: StepShape = {
        ...{ count: 70, units: 130, features: 900, seed: 5, density: 0.5, firstMoment: false, secondMoment: false, decay: 0 },
        ...{ scaled: true, picked: false, wantsNorms },
      };
      inScope(kernels, (scope) => {
        const step = drawStep(shape, scope);
        step.dZ[i * shape.units + u] = value;
        expect(kernels.backwardAndStep(step).finite).toBe(false);
      });
    }
  });
});
