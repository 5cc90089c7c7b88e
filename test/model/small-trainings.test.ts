import { describe, expect, test } from 'vitest';
import { referenceKernels } from '../../src/kernels/reference.ts';
import type { ActivationName } from '../../src/model/activations.ts';
import { backward, lossGradient } from '../../src/model/backward.ts';
import { createWorkspace, forward, type Pass } from '../../src/model/forward.ts';
import { addL2Gradient } from '../../src/model/l2.ts';
import { initialParameters, type Network, parametersOver } from '../../src/model/network.ts';
import { move, optimizerOptions, optimizers } from '../../src/optimize/optimizers.ts';
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
  };
});

test('every hidden activation is there, with momentum and L2, dropout, and class weights', () => {
  for (const activation of ['sigmoid', 'tanh', 'relu', 'leakyRelu']) {
    const mine = runs.filter((one) => one.activation === activation);
    expect(mine).toHaveLength(4);
    expect(mine.filter(({ beta, lambda }) => beta > 0 && lambda > 0)).toHaveLength(1);
    expect(mine.filter(({ dropped }) => dropped)).toHaveLength(1);
    expect(mine.filter(({ balanced }) => balanced)).toHaveLength(1);
  }
});

describe('twenty steps of a small network are those of NumPy, to 1e-12', () => {
  test.each(runs)('$label', ({ run, activation, beta, lambda, dropped, balanced }) => {
    const [inputs, hidden] = golden.dims as [number, number];
    const layer = dense(hidden, { activation, keepProb: dropped ? keepProb : 1 });
    const network: Network = { inputs, layers: [layer, dense(1, { activation: 'sigmoid' })] };
    const parameters = initialParameters(network, kernels, numpyRandom(golden.seed));
    const gradient = parametersOver(network, kernels.allocate(parameters.values.length));
    const workspace = createWorkspace(network, kernels, m);
    workspace.layers[0]!.mask?.set(mask);
    const input = { kind: 'floats', values: examplesFirst(golden.x), count: m, features: inputs } as const;
    const pass: Pass = { network, parameters, kernels, workspace, input, mode: { kind: 'training', masks: null } };
    const positives = labels.filter((label) => label === 1).length;
    const classWeights = balanced ? ([m / (2 * (m - positives)), m / (2 * positives)] as const) : ([1, 1] as const);
    const optimizer = optimizers[beta === 0 ? 'gradientDescent' : 'momentum'];
    const options = optimizerOptions(beta === 0 ? { name: 'gradientDescent' } : { name: 'momentum', beta });
    const state = Array.from({ length: optimizer.slots }, () => kernels.allocate(parameters.values.length));

    const costs = Array.from({ length: golden.steps }, (_, step) => {
      forward(pass);
      const cost = lossGradient(pass, { loss: 'crossEntropy', labels, classWeights });
      backward(pass, gradient);
      addL2Gradient(parameters, lambda / m, gradient, kernels);
      for (const { offset: start, length } of parameters.specs) {
        optimizer.direct({ gradient: gradient.values, state, start, end: start + length, t: step + 1 }, options);
        move(parameters.values, gradient.values, { start, end: start + length, learningRate: golden.rate, byColumn: null });
      }
      return cost;
    });

    expect(largestError(costs, run.costs)).toBeLessThan(1e-12);
    const [first, last] = parameters.layers;
    expect(largestError(first!.weights, run.w1.data)).toBeLessThan(1e-12);
    expect(largestError(first!.bias!, run.b1.data)).toBeLessThan(1e-12);
    expect(largestError(last!.weights, run.w2.data)).toBeLessThan(1e-12);
    expect(largestError(last!.bias!, run.b2.data)).toBeLessThan(1e-12);
  });
});
