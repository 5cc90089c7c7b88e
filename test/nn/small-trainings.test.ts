import { describe, expect, test } from 'vitest';
import { referenceKernels } from '../../src/kernels/reference.ts';
import type { ActivationName } from '../../src/nn/activations.ts';
import type { Network } from '../../src/nn/build.ts';
import { smoothedTargets } from '../../src/nn/losses.ts';
import {
  backward,
  createWorkspace,
  forward,
  initialParameters,
  lossGradient,
  type Pass,
  parametersOver,
} from '../../src/nn/network.ts';
import { type OptimizerChoice, optimizerOptions, optimizerStep, optimizers } from '../../src/nn/optimizers.ts';
import { addL2Gradient } from '../../src/nn/regularization.ts';
import { numpyRandom } from '../../src/random.ts';
import { examplesFirst, type GoldenArray, largestError, steps } from '../golden/golden.ts';
import { dense } from './networks.ts';

const kernels = referenceKernels('float64');
const golden = steps['small trainings'];
const keepProb = 0.8;
const mask = examplesFirst(golden[`mask, already divided by keepProb ${keepProb}`]);
const labels = Uint8Array.from(golden.y.data);
const m = labels.length;

interface Run {
  costs: number[];
  w1: GoldenArray;
  b1: GoldenArray;
  w2: GoldenArray;
  b2: GoldenArray;
}

const runs = Object.entries(golden.runs as Record<string, Run>).map(([label, run]) => {
  const [, activation, beta, lambda] = /^(\w+), beta (\S+), lambda ([^,\s]+)/.exec(label)!;
  return {
    label,
    run,
    activation: activation as ActivationName,
    beta: Number(beta),
    lambda: Number(lambda),
    dropped: label.includes('dropout'),
    balanced: label.includes('balanced'),
    smoothing: Number(/smoothed by (\S+)/.exec(label)?.[1] ?? 0),
  };
});

test('every hidden activation is there, with momentum and L2, dropout, class weights, and smoothed labels', () => {
  for (const activation of ['sigmoid', 'tanh', 'relu', 'leakyRelu']) {
    const mine = runs.filter((one) => one.activation === activation);
    expect(mine).toHaveLength(5);
    expect(mine.filter(({ beta, lambda }) => beta > 0 && lambda > 0)).toHaveLength(1);
    expect(mine.filter(({ dropped }) => dropped)).toHaveLength(1);
    expect(mine.filter(({ balanced }) => balanced)).toHaveLength(2);
    expect(mine.filter(({ balanced, smoothing }) => balanced && smoothing > 0)).toHaveLength(1);
  }
});

describe('twenty steps of a small network are those of NumPy, to 1e-12', () => {
  test.each(runs)('$label', ({ run, activation, beta, lambda, dropped, balanced, smoothing }) => {
    const [inputs, hidden] = golden.dims as [number, number];
    const layer = dense(hidden, { activation, keepProb: dropped ? keepProb : 1 });
    const network: Network = { inputs, layers: [layer, dense(1, { activation: 'sigmoid' })] };
    const parameters = initialParameters(network, kernels, numpyRandom(golden.seed));
    const gradient = parametersOver(network, kernels.allocate(parameters.values.length));
    const workspace = createWorkspace(network, kernels, m);
    workspace.slots[1]!.kept['mask']?.set(mask);
    const input = { kind: 'floats', values: examplesFirst(golden.x), count: m, features: inputs } as const;
    const pass: Pass = { network, parameters, kernels, workspace, input, mode: { kind: 'training', masks: null } };
    const positives = labels.filter((label) => label === 1).length;
    const classWeights = balanced ? ([m / (2 * (m - positives)), m / (2 * positives)] as const) : ([1, 1] as const);
    const choice: OptimizerChoice = beta === 0 ? { name: 'gradientDescent' } : { name: 'momentum', beta };
    const moments = optimizers[choice.name].moments.map(() => kernels.allocate(parameters.values.length));
    const state = { name: choice.name, options: optimizerOptions(choice), moments };

    const costs = Array.from({ length: golden.steps }, (_, step) => {
      forward(pass);
      const cost = lossGradient(pass, { loss: 'crossEntropy', labels, classWeights, softTargets: smoothedTargets(smoothing) });
      backward(pass, gradient);
      addL2Gradient(parameters, lambda / m, gradient, kernels);
      for (const { offset: start, length } of parameters.specs) {
        const group = { start, end: start + length, featureRates: null };
        optimizerStep(kernels, { ...state, t: step + 1 }, parameters, gradient.values, group, golden.rate);
      }
      return cost;
    });

    expect(largestError(costs, run.costs)).toBeLessThan(1e-12);
    const { W1, b1, W2, b2 } = parameters.tensors;
    expect(largestError(W1!, run.w1.data)).toBeLessThan(1e-12);
    expect(largestError(b1!, run.b1.data)).toBeLessThan(1e-12);
    expect(largestError(W2!, run.w2.data)).toBeLessThan(1e-12);
    expect(largestError(b2!, run.b2.data)).toBeLessThan(1e-12);
  });
});
