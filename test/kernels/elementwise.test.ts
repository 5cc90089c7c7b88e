import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ActivationRule } from '../../src/kernels/kernels.ts';
import { type Floats, inScope, type Kernels, type Precision, precisions } from '../../src/kernels/kernels.ts';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import { type ActivationName, activations } from '../../src/nn/activations.ts';
import { type LossName, losses } from '../../src/nn/losses.ts';
import { numpyRandom } from '../../src/random.ts';

/** Relative errors: a few roundings of the precision. */
const tolerances: Record<Precision, number> = { float32: 1e-6, float64: 1e-14 };
const activationNames = Object.keys(activations) as ActivationName[];
const lossNames = Object.keys(losses) as LossName[];

/** Where exp, tanh and ln(1 + x) change their ways, and what no formula likes. */
const special = [
  ...[0, -0, 1e-9, 0.17, 0.18, 0.3465, 0.35, 0.41, 1, 11, 21.9, 22.1, 36, 700, 709.7, 709.8, 744, 746, 1e4, 1e300],
  ...[Number.MIN_VALUE, Number.POSITIVE_INFINITY],
].flatMap((value) => [value, -value]);

describe.each(Object.keys(precisions) as Precision[])('elementwise work in %s', (precision) => {
  const kernels = simdKernels(precision);
  const reference = referenceKernels(precision);
  const both = [kernels, reference] as const;

  const expectNear = (found: Floats, expected: Floats) => {
    expect(found.length).toBe(expected.length);
    for (const [i, value] of expected.entries()) {
      const near =
        Object.is(found[i], value) || Math.abs(found[i]! - value) <= tolerances[precision] * Math.max(1, Math.abs(value));
      if (!near && !(Number.isNaN(value) && Number.isNaN(found[i])))
        throw new Error(`at ${i}: expected ${value}, found ${found[i]}`);
    }
  };

  test.each(activationNames)('%s has the bits of its own function, also at the edges', (name) => {
    const random = numpyRandom(7);
    const z = precisions[precision].from([...special, ...Array.from({ length: 500 }, () => 8 * random.normal())]);
    const rule = activations[name];
    const a = z.map(() => 5);
    kernels.activate({ rule, slope: 0.25, z, a, mask: null, length: z.length });
    expect(a).toEqual(z.map((value) => rule.value(value, 0.25)));
  });

  test.each(lossNames)('%s has the bits of its own functions, and sums in order', (name) => {
    const random = numpyRandom(8);
    const z = precisions[precision].from([
      ...special.filter((value) => Math.abs(value) < 1e4),
      ...Array.from({ length: 300 }, () => 9 * random.normal()),
    ]);
    const labels = Uint8Array.from(z, (_, i) => i % 2);
    const rule = losses[name];
    const [dZ, expected] = [z.map(() => 0), z.map(() => 0)];
    const call = { rule, z, labels, weights: [0.7, 1.9] as const, count: z.length, m: 1000 };
    const sum = kernels.lossGradient({ ...call, dZ });
    expect(sum).toBe(reference.lossGradient({ ...call, dZ: expected }));
    expect(dZ).toEqual(expected);
  });

  test('NaN stays NaN but where ReLU is asked whether it is above 0', () => {
    const z = precisions[precision].of(Number.NaN);
    const values = activationNames.map((name) => {
      const a = z.map(() => 5);
      kernels.activate({ rule: activations[name], slope: 0.25, z, a, mask: null, length: 1 });
      return [name, a[0]];
    });
    expect(Object.fromEntries(values)).toEqual({
      sigmoid: Number.NaN,
      tanh: Number.NaN,
      relu: 0,
      leakyRelu: Number.NaN,
      linear: Number.NaN,
    });
  });

  test("activations with dropout and their gradients are the reference's, whatever the length and wherever the arrays lie", () => {
    const shapes = fc.record({
      name: fc.constantFrom(...activationNames),
      length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1000, max: 3000 })),
      seed: fc.nat(),
      drops: fc.boolean(),
      pinned: fc.boolean(),
    });
    fc.assert(
      fc.property(shapes, ({ name, length, seed, drops, pinned }) => {
        const [found, expected] = both.map((each) =>
          inScope(pinned ? each : reference, (memory) => {
            const random = numpyRandom(seed);
            const z = filled(memory, length, random.normal);
            const dZ = filled(memory, length, random.normal);
            const mask = drops ? filled(memory, length, () => (random.uniform() < 0.8 ? 1.25 : 0)) : null;
            const a = memory.allocate(length);
            const rule = activations[name];
            const call = { rule, slope: 0.01, z, a, mask, length };
            each.activate(call);
            each.activationGradient({ ...call, dZ, keepProb: drops ? 0.8 : 1 });
            return [a.slice(), dZ.slice()];
          }),
        );
        expectNear(found![0]!, expected![0]!);
        expectNear(found![1]!, expected![1]!);
      }),
      { numRuns: 80 },
    );
  });

  test('what is beyond the length is left alone', () => {
    const ones = () => new precisions[precision](7).fill(1);
    const [a, dZ] = [ones(), ones()];
    const call = { rule: activations.relu, slope: 0, z: ones().fill(-3), a, mask: null, length: 5 };
    kernels.activate(call);
    kernels.activationGradient({ ...call, dZ, keepProb: 1 });
    expect([...a]).toEqual([0, 0, 0, 0, 0, 1, 1]);
    expect([...dZ]).toEqual([0, 0, 0, 0, 0, 1, 1]);
  });

  test('a rule that they do not know is computed by its own functions', () => {
    const rule: ActivationRule = { name: 'square', value: (z) => z * z, derivative: (z) => 2 * z };
    const [z, a, dZ] = [precisions[precision].of(3, -4), precisions[precision].of(0, 0), precisions[precision].of(1, 10)];
    const call = { rule, slope: 0, z, a, mask: null, length: 2 };
    kernels.activate(call);
    kernels.activationGradient({ ...call, dZ, keepProb: 1 });
    expect([...a, ...dZ]).toEqual([9, 16, 6, -80]);
  });

  test('sums over examples, and batch norm forward, back and in inference, have the bits of the reference', () => {
    const shapes = fc.record({ count: fc.integer({ min: 1, max: 70 }), units: fc.integer({ min: 1, max: 9 }), seed: fc.nat() });
    fc.assert(
      fc.property(shapes, ({ count, units, seed }) => {
        const [found, expected] = both.map((each) => {
          const random = numpyRandom(seed);
          const draw = (length: number) => filled(reference, length, random.normal);
          const [z, dZ] = [draw(count * units), draw(count * units)];
          const [gamma, beta, mean, variance] = [draw(units), draw(units), draw(units), draw(units)];
          const [normalized, inferred, out] = [draw(count * units), z.slice(), draw(units)];
          const [gammaGradient, betaGradient, epsilon] = [draw(units), draw(units), 1e-5];
          each.batchNorm({ z, count, gamma, beta, mean, variance, epsilon, normalized });
          each.batchNormInference({ z: inferred, count, gamma, beta, mean, variance, epsilon });
          each.sumExamples({ values: dZ, count, units, out, adds: seed % 2 === 1 });
          each.batchNormBackward({ dZ, count, gamma, variance, epsilon, normalized, gammaGradient, betaGradient });
          return [z, mean, variance, normalized, inferred, out, dZ, gammaGradient, betaGradient];
        });
        expect(found).toEqual(expected);
      }),
      { numRuns: 80 },
    );
  });
});

function filled(memory: Kernels, length: number, draw: () => number): Floats {
  const values = memory.allocate(length);
  for (let i = 0; i < length; i++) values[i] = draw();
  return values;
}
