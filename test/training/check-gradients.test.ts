import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/kernels.ts';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { activations } from '../../src/nn/activations.ts';
import type { Network } from '../../src/nn/build.ts';
import { losses } from '../../src/nn/losses.ts';
import { checkModel, isRight } from '../../src/training/check-gradients.ts';
import { refuseWrongStep } from '../../src/training/check-step.ts';
import type { FitOptions } from '../../src/training/fit.ts';
import { dense } from '../nn/networks.ts';
import { noisePictures, problem, type Wishes } from './problems.ts';

const inputs = 12;

function optionsOf(network: Network, own: Wishes = {}, kernels: Kernels = referenceKernels('float64')): FitOptions {
  return problem({ train: noisePictures(24, { side: 2 }), network, kernels, ...own });
}

const output = dense(1, { activation: 'sigmoid' });
const networks = fc
  .array(
    fc.record({
      units: fc.integer({ min: 2, max: 5 }),
      activation: fc.constantFrom(...(Object.keys(activations) as (keyof typeof activations)[])),
      slope: fc.constant(0.01),
      keepProb: fc.constantFrom(1, 0.8),
      batchNorm: fc.boolean(),
    }),
    { maxLength: 3 },
  )
  .map((layers): Network => ({ inputs, layers: [...layers.map((layer) => dense(layer.units, layer)), output] }));

describe('nn gradient-check', () => {
  test('finds the gradients of any combination of options right', () => {
    const options = fc.record({
      l2: fc.constantFrom(0, 0.7),
      loss: fc.constantFrom(...(Object.keys(losses) as (keyof typeof losses)[])),
    });
    fc.assert(
      fc.property(networks, options, (network, own) => {
        const checks = checkModel(optionsOf(network, { ...own, classWeights: [0.8, 1.4] }), { perLayer: 30, examples: 16 });
        expect(checks.map(isRight)).toEqual(network.layers.map(() => true));
      }),
      { numRuns: 60 },
    );
  });

  test('looks at every parameter when it is told to', () => {
    const network: Network = { inputs, layers: [dense(3), output] };
    const checks = checkModel(optionsOf(network), { perLayer: Number.POSITIVE_INFINITY, examples: 16 });
    expect(checks.map(({ checked, skipped }) => checked + skipped)).toEqual([3 * inputs + 3, 3 + 1]);
  });

  test('leaves out parameters whose step crosses a kink', () => {
    const network: Network = { inputs, layers: [dense(4, { activation: 'relu', init: { name: 'zeros', factor: 0 } }), output] };
    // with weights of 0 every z is 0: any step crosses
    const checks = checkModel(optionsOf(network), { perLayer: 20, examples: 8 });
    expect(checks[0]!.skipped).toBeGreaterThan(0);
  });
});

/** Kernels whose product for the gradient of one layer, told by its shape, is a little off. */
function faulty<K extends Kernels>(kernels: K, units: number): K {
  return {
    ...kernels,
    scope: () => faulty(kernels.scope(), units),
    linearGradWeights: (options: Parameters<Kernels['linearGradWeights']>[0]) => {
      kernels.linearGradWeights(options);
      if (options.units === units) for (let i = 0; i < options.out.length; i++) options.out[i] = options.out[i]! * 1.01;
    },
  };
}

describe('a planted fault', () => {
  const network: Network = { inputs, layers: [dense(5), dense(3), output] };

  test.each([
    [1, 5],
    [2, 3],
    [3, 1],
  ])('in layer %i is found and named by nn gradient-check', (layer, units) => {
    const kernels = faulty(referenceKernels('float64'), units);
    const checks = checkModel(optionsOf(network), { perLayer: 200, examples: 16 }, kernels);
    expect(checks.filter((check) => !isRight(check)).map((check) => check.layer + 1)).toEqual([layer]);
  });

  test.each(['float32', 'float64'] as const)('in the kernels in use stops a training in %s before it starts', (precision) => {
    const right = referenceKernels(precision);
    expect(() => refuseWrongStep(optionsOf(network, {}, right))).not.toThrow();
    expect(() => refuseWrongStep(optionsOf(network, {}, faulty(right, 3)))).toThrow(
      /step check: in layer 2 the update of W2 came to/,
    );
  });
});

test.each([10, 1000])('a network that starts saturated (random × %i) is not taken for a wrong one', (factor) => {
  const init = { name: 'random', factor } as const;
  const network: Network = {
    inputs,
    layers: [dense(5, { init }), dense(3, { init, activation: 'sigmoid' }), { ...output, init }],
  };
  for (const loss of ['crossEntropy', 'squaredError'] as const) {
    expect(() => refuseWrongStep(optionsOf(network, { loss }))).not.toThrow();
  }
});
