import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Floats, inScope, type Kernels, type Precision, precisions } from '../../src/kernels/kernels.ts';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import { numpyRandom } from '../../src/random.ts';

/** Relative errors of one step: roundings of the precision, a few of them. */
const tolerances: Record<Precision, number> = { float32: 1e-6, float64: 1e-14 };

const length = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 4090, max: 9000 }));

describe.each(Object.keys(precisions) as Precision[])('work on long vectors in %s', (precision) => {
  const kernels = simdKernels(precision);
  const reference = referenceKernels(precision);
  const tolerance = tolerances[precision];

  const near = (found: Floats, expected: Floats) => {
    expect(found.length).toBe(expected.length);
    for (const [i, value] of expected.entries()) {
      if (!(Math.abs(found[i]! - value) <= tolerance * Math.max(1, Math.abs(value)))) {
        throw new Error(`at ${i}: expected ${value}, found ${found[i]}`);
      }
    }
  };

  test.each([
    ['gradient descent', false, false],
    ['momentum', true, false],
    ['rmsprop', false, true],
    ['adam', true, true],
  ])("an optimizer's step is the formula's: %s", (_, hasFirst, hasSecond) => {
    fc.assert(
      fc.property(length, fc.nat(), fc.boolean(), (n, seed, pinned) => {
        inScope(kernels, (scope) => {
          const coefficients = {
            learningRate: 0.01,
            beta1: 0.9,
            beta2: 0.999,
            biasCorrection1: 1.2,
            biasCorrection2: 1.7,
            epsilonInsideRoot: 1e-4,
            epsilon: 1e-8,
          };
          const [found, expected] = [pinned ? scope : reference, reference].map((memory) => {
            const random = numpyRandom(seed);
            const [values, gradient, first, second] = [0, 1, 2, 3].map(() => normals(n, random, memory));
            const secondMoment = hasSecond ? second!.map((value) => value * value + 0.01) : null;
            return { values: values!, gradient: gradient!, firstMoment: hasFirst ? first! : null, secondMoment, ...coefficients };
          });
          kernels.optimizerStep(found!);
          reference.optimizerStep(expected!);
          near(found!.values, expected!.values);
          near(found!.gradient, expected!.gradient);
          if (hasFirst) near(found!.firstMoment!, expected!.firstMoment!);
          if (hasSecond) near(found!.secondMoment!, expected!.secondMoment!);
        });
      }),
      { numRuns: 40 },
    );
  });

  test('multiples are added', () => {
    fc.assert(
      fc.property(length, fc.nat(), (n, seed) => {
        const [found, expected] = [kernels, reference].map((by) => {
          const random = numpyRandom(seed);
          const [values, out] = [normals(n, random, reference), normals(n, random, reference)];
          by.addScaled({ values, factor: -0.3, out });
          return out;
        });
        near(found!, expected!);
      }),
      { numRuns: 30 },
    );
  });

  test('squares are summed in float64, with the same bits by any number of threads', () => {
    const several = simdKernels(precision, 3);
    fc.assert(
      fc.property(fc.oneof(length, fc.integer({ min: 60_000, max: 200_000 })), fc.nat(), (n, seed) => {
        const values = normals(n, numpyRandom(seed), reference);
        const found = kernels.squaredNorm(values);
        expect(Math.abs(found / reference.squaredNorm(values) - 1)).toBeLessThan(1e-12);
        expect(several.squaredNorm(values)).toBe(found);
      }),
      { numRuns: 20 },
    );
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('a squared norm with %d in it is not finite', (value) => {
    for (const n of [1, 7, 5000]) {
      const values = reference.allocate(n);
      values[n - 1] = value;
      expect(Number.isFinite(kernels.squaredNorm(values))).toBe(false);
    }
  });
});

function normals(n: number, random: { normal(): number }, memory: Kernels): Floats {
  const values = memory.allocate(n);
  for (let i = 0; i < n; i++) values[i] = random.normal();
  return values;
}
