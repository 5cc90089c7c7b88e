import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inScope, type Kernels, type Precision, precisions, type WeightStep } from '../../src/kernels/kernels.ts';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import { stepWeightsPlainly } from '../../src/kernels/step-weights.ts';
import { numpyRandom } from '../../src/random.ts';

/** On both sides of every tile, register shape, block of columns (384) and of units (128). */
const shapes = fc.record({
  count: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 60, max: 140 })),
  units: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 126, max: 131 })),
  features: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 380, max: 800 })),
  seed: fc.nat(),
  /** the share of dZ that is not 0 */
  density: fc.constantFrom(0, 0.1, 0.5, 0.9, 1),
  velocities: fc.boolean(),
  squares: fc.boolean(),
  decay: fc.constantFrom(0, 0.01),
  scaled: fc.boolean(),
  picked: fc.boolean(),
  wantsNorms: fc.boolean(),
});
type Shape = typeof shapes extends fc.Arbitrary<infer S> ? S : never;

describe.each(Object.keys(precisions) as Precision[])('a step of weights with its gradient in %s', (precision) => {
  const kernels = simdKernels(precision);

  test('has the bits of the gradient first and the step after it', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        inScope(kernels, (scope) => {
          const [fused, plain] = [draw(shape, scope), draw(shape, scope)];
          const facts = kernels.stepWeights(fused);
          const expected = stepWeightsPlainly(kernels, plain, scope.floats(plain.weights.length));
          expect(fused.weights).toEqual(plain.weights);
          expect(fused.velocities).toEqual(plain.velocities);
          expect(fused.squares).toEqual(plain.squares);
          expect(facts.finite).toBe(true);
          expect(facts.squares === null).toBe(!shape.wantsNorms);
          for (const name of ['gradient', 'direction', 'weights'] as const) {
            const [found, wanted] = [facts.squares?.[name] ?? 0, expected.squares?.[name] ?? 0];
            expect(Math.abs(found - wanted)).toBeLessThanOrEqual(1e-12 * wanted);
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  test("is the reference's, to rounding", () => {
    const shape: Shape = {
      ...{ count: 70, units: 130, features: 401, seed: 5, density: 0.5, velocities: true, squares: true, decay: 0.01 },
      ...{ scaled: false, picked: true, wantsNorms: true },
    };
    inScope(kernels, (scope) => {
      const [found, expected] = [draw(shape, scope), draw(shape, referenceKernels(precision))];
      const facts = kernels.stepWeights(found).squares!;
      const told = referenceKernels(precision).stepWeights(expected).squares!;
      const relative = precision === 'float32' ? 1e-4 : 1e-12;
      for (const name of ['gradient', 'direction', 'weights'] as const) {
        expect(Math.abs(facts[name] / told[name] - 1)).toBeLessThan(relative);
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
      const shape: Shape = {
        ...{ count: 70, units: 130, features: 900, seed: 5, density: 0.5, velocities: false, squares: false, decay: 0 },
        ...{ scaled: true, picked: false, wantsNorms },
      };
      inScope(kernels, (scope) => {
        const step = draw(shape, scope);
        step.dZ[i * shape.units + u] = value;
        expect(kernels.stepWeights(step).finite).toBe(false);
      });
    }
  });
});

/** A step of a shape, from its seed. */
function draw(shape: Shape, memory: Kernels): WeightStep {
  const { count, units, features, density } = shape;
  const random = numpyRandom(shape.seed);
  const drawn = (length: number, value: () => number) => {
    const values = memory.floats(length);
    for (let i = 0; i < length; i++) values[i] = value();
    return values;
  };
  const rows = count + 3;
  const map = shape.scaled
    ? { multiply: new Float64Array(features).fill(1 / 255), add: new Float64Array(features) }
    : {
        multiply: new Float64Array(features).map(() => random.normal()),
        add: new Float64Array(features).map(() => random.normal()),
      };
  return {
    input: {
      kind: 'bytes',
      bytes: memory.resident(Uint8Array.from({ length: rows * features }, () => Math.floor(random.uniform() * 256))),
      indices: shape.picked ? Int32Array.from({ length: count }, () => Math.floor(random.uniform() * rows)) : null,
      count,
      features,
      map,
    },
    dZ: drawn(count * units, () => (random.uniform() < density ? random.normal() : 0)),
    units,
    weights: drawn(units * features, random.normal),
    velocities: shape.velocities ? drawn(units * features, random.normal) : null,
    squares: shape.squares ? drawn(units * features, () => random.normal() ** 2) : null,
    decay: shape.decay,
    wantsNorms: shape.wantsNorms,
    ...{ rate: 0.01, beta1: 0.9, beta2: 0.999, correction1: 1.2, correction2: 1.7, inside: 1e-4, outside: 1e-8 },
  };
}
