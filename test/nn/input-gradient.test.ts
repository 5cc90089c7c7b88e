import fc from 'fast-check';
import { expect, test } from 'vitest';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { type ActivationName, activations } from '../../src/nn/activations.ts';
import { type Network, opsOf } from '../../src/nn/build.ts';
import { inputGradient } from '../../src/nn/input-gradient.ts';
import { createWorkspace, forward, initialParameters, type Parameters } from '../../src/nn/network.ts';
import { inference } from '../../src/nn/op.ts';
import { namedRandom } from '../../src/random.ts';
import { dense } from './networks.ts';

const kernels = referenceKernels('float64');

const layers = fc.array(
  fc.record({
    units: fc.integer({ min: 1, max: 6 }),
    activation: fc.constantFrom(...(Object.keys(activations) as ActivationName[])),
    slope: fc.constantFrom(0.01, 0.2, -0.5),
    keepProb: fc.constantFrom(1, 0.6),
    batchNorm: fc.boolean(),
  }),
  { maxLength: 4 },
);

const problems = fc.record({
  layers,
  inputs: fc.integer({ min: 1, max: 9 }),
  count: fc.integer({ min: 1, max: 5 }),
  seed: fc.integer({ min: 0, max: 1e6 }),
});
type Problem = typeof problems extends fc.Arbitrary<infer T> ? T : never;

/** A network whose every number is an awkward one, moving averages included, and some inputs. */
function given({ layers, inputs: features, count, seed }: Problem) {
  const hidden = layers.map((layer) => dense(layer.units, layer));
  const network: Network = { inputs: features, layers: [...hidden, dense(1, { activation: 'sigmoid' })] };
  const random = namedRandom(seed, 'input gradient test');
  const parameters = initialParameters(network, kernels, random);
  for (const { name, offset, length } of parameters.specs) {
    for (let i = offset; i < offset + length; i++) {
      parameters.values[i] = name.startsWith('movingVariance') ? 0.2 + random.uniform() : random.normal();
    }
  }
  const inputs = Float64Array.from({ length: count * features }, () => random.normal());
  return { network, parameters, inputs };
}

/** The logits, and on which side of its kink each unit stands. */
function answers(network: Network, parameters: Parameters, inputs: Float64Array): { logits: Float64Array; sides: string } {
  const count = inputs.length / network.inputs;
  const workspace = createWorkspace(network, kernels, count);
  const input = { kind: 'floats', values: inputs, count, features: network.inputs } as const;
  const logits = Float64Array.from(forward({ network, parameters, kernels, workspace, input, mode: inference }));
  const sides = opsOf(network).map((op, k) => op.sides?.(workspace.slots[k - 1]!, count).join('') ?? '');
  return { logits, sides: sides.join() };
}

test('the gradient of the logit equals central differences, for random networks of all options', () => {
  let compared = 0;
  fc.assert(
    fc.property(problems, (problem) => {
      const { network, parameters, inputs } = given(problem);
      const { logits, gradient } = inputGradient({ network, parameters, kernels }, inputs);
      expect(logits).toEqual(answers(network, parameters, inputs).logits);
      const h = 1e-4;
      for (const k of inputs.keys()) {
        const at = (steps: number) => answers(network, parameters, inputs.with(k, inputs[k]! + steps * h));
        const [farBelow, below, above, farAbove] = [at(-2), at(-1), at(1), at(2)];
        if ([farBelow, below, above].some(({ sides }) => sides !== farAbove.sides)) continue; // no derivative between
        const i = Math.floor(k / network.inputs); // an example answers to its own inputs alone
        const step = (one: typeof above, other: typeof above) => one.logits[i]! - other.logits[i]!;
        const numeric = (8 * step(above, below) - step(farAbove, farBelow)) / (12 * h);
        const size = Math.max(1, Math.abs(numeric), Math.abs(logits[i]!));
        expect(Math.abs(gradient[k]! - numeric)).toBeLessThan(1e-8 * size);
        compared++;
      }
    }),
    { numRuns: 300 },
  );
  expect(compared).toBeGreaterThan(1000);
});

test('compiled kernels give what the reference gives', () => {
  const problem = { layers: [], inputs: 300, count: 3, seed: 4 };
  const hidden = { activation: 'leakyRelu', slope: 0.2, keepProb: 0.6, batchNorm: true } as const;
  for (const layers of [
    [],
    [{ ...hidden, units: 37 }],
    [
      { ...hidden, units: 64 },
      { ...hidden, units: 5 },
    ],
  ]) {
    const { network, parameters, inputs } = given({ ...problem, layers });
    const expected = inputGradient({ network, parameters, kernels }, inputs);
    const found = inputGradient({ network, parameters, kernels: kernelsFor('float64') }, inputs);
    const largest = Math.max(...expected.gradient.map(Math.abs));
    for (const [k, value] of expected.gradient.entries())
      expect(Math.abs(found.gradient[k]! - value)).toBeLessThan(1e-12 * largest);
    for (const [i, z] of expected.logits.entries()) expect(found.logits[i]).toBeCloseTo(z, 9);
  }
});

test('logistic regression: the gradient is w, whatever the input is', () => {
  const { network, parameters, inputs } = given({ layers: [], inputs: 7, count: 2, seed: 1 });
  const { gradient } = inputGradient({ network, parameters, kernels }, inputs);
  const weights = Array.from(parameters.tensors['W1']!);
  expect(Array.from(gradient)).toEqual([...weights, ...weights]);
});
