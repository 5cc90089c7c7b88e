import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { type ActivationName, activations } from '../../src/nn/activations.ts';
import { layerSizes, type Network } from '../../src/nn/build.ts';
import { checkGradient } from '../../src/nn/gradient-check.ts';
import { type LossName, losses, smoothedTargets } from '../../src/nn/losses.ts';
import { createWorkspace, forward, initialParameters, type Pass } from '../../src/nn/network.ts';
import { namedRandom } from '../../src/random.ts';
import { dense } from './networks.ts';

const kernels = referenceKernels('float64');
const names = <T extends string>(table: Record<T, unknown>) => fc.constantFrom(...(Object.keys(table) as T[]));

const layers = fc.array(
  fc.record({
    units: fc.integer({ min: 2, max: 6 }),
    activation: names<ActivationName>(activations),
    slope: fc.constantFrom(0.01, 0.2),
    keepProb: fc.constantFrom(1, 1, 0.7),
    batchNorm: fc.boolean(),
  }),
  { maxLength: 3 },
);

const problems = fc.record({
  layers,
  loss: names<LossName>(losses),
  inputs: fc.integer({ min: 2, max: 9 }),
  count: fc.integer({ min: 4, max: 9 }),
  lambda: fc.constantFrom(0, 0.3),
  classWeights: fc.constantFrom([1, 1], [0.7, 2.5]),
  smoothing: fc.constantFrom(0, 0, 0.1, 0.45),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

type Problem = typeof problems extends fc.Arbitrary<infer T> ? T : never;

function passOf({ layers, inputs, count, seed }: Problem): { pass: Pass; labels: Uint8Array } {
  const network: Network = {
    inputs,
    layers: [...layers.map((layer) => dense(layer.units, layer)), dense(1, { activation: 'sigmoid' })],
  };
  const random = namedRandom(seed, 'gradient test');
  const parameters = initialParameters(network, kernels, random);
  for (const { name, offset, length } of parameters.specs) {
    // biases, γ and β start at 0 and 1, where some mistakes do not show
    if (/^(b|gamma|beta)/.test(name))
      for (let i = offset; i < offset + length; i++) parameters.values[i]! += 0.3 * random.normal();
  }
  const bytes = Uint8Array.from({ length: count * inputs }, () => random.integer(255));
  const scaling = { scale: new Float64Array(inputs).fill(1 / 64), shift: new Float64Array(inputs).fill(-2) };
  const input = { kind: 'bytes', bytes, indices: null, count, features: inputs, scaling } as const;
  const pass: Pass = {
    network,
    parameters,
    kernels,
    input,
    workspace: createWorkspace(network, kernels, count),
    mode: { kind: 'training', masks: random },
  };
  forward(pass); // draws the dropout masks
  return {
    pass: { ...pass, mode: { kind: 'training', masks: null } },
    labels: Uint8Array.from({ length: count }, (_, i) => i % 2),
  };
}

const trainedIndices = ({ parameters }: Pass) =>
  parameters.specs.flatMap(({ trained, offset, length }) => (trained ? Array.from({ length }, (_, i) => offset + i) : []));

test('analytic gradients equal central differences, for random networks of all options', () => {
  fc.assert(
    fc.property(problems, (problem) => {
      const { pass, labels } = passOf(problem);
      const { loss, classWeights, smoothing } = problem;
      const softTargets = smoothedTargets(smoothing);
      const targets = { loss, labels, classWeights: classWeights as [number, number], softTargets };
      const checks = checkGradient(pass, targets, problem.lambda, trainedIndices(pass));
      for (const { difference, withinError } of checks) expect(difference < 1e-7 || withinError).toBe(true);
    }),
    { numRuns: 300 },
  );
});

describe('a wrong gradient is found', () => {
  test.each([0, 1])('in layer %i', (layer) => {
    const { pass, labels } = passOf({
      layers: [{ units: 3, activation: 'tanh', slope: 0.01, keepProb: 1, batchNorm: false }],
      loss: 'crossEntropy',
      inputs: 5,
      count: 6,
      lambda: 0,
      classWeights: [1, 1],
      smoothing: 0,
      seed: 3,
    });
    const wrong = {
      ...kernels,
      linearGradWeights: (options: Parameters<typeof kernels.linearGradWeights>[0]) => {
        kernels.linearGradWeights(options);
        if (options.units === layerSizes(pass.network)[layer + 1]) options.out[0]! *= 1.01;
      },
    };
    const checks = checkGradient(
      { ...pass, kernels: wrong },
      { loss: 'crossEntropy', labels, classWeights: [1, 1] },
      0,
      trainedIndices(pass),
    );
    expect(checks.map(({ difference }) => difference > 1e-5)).toEqual([layer === 0, layer === 1]);
  });
});
