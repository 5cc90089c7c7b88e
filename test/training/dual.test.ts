import { describe, expect, test } from 'vitest';
import { inScope, type Kernels } from '../../src/kernels/kernels.ts';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import type { Layer, Network } from '../../src/nn/build.ts';
import type { Form } from '../../src/nn/input/input-form.ts';
import { backward, createWorkspace, forward, initialParameters, lossGradient, parametersOver } from '../../src/nn/network.ts';
import { inference, type Mode } from '../../src/nn/op.ts';
import { addL2Gradient, l2Cost } from '../../src/nn/regularization.ts';
import { numpyRandom } from '../../src/random.ts';
import { type TrainableOptions, trainableOf } from '../../src/training/trainable.ts';
import { dense } from '../nn/networks.ts';

const features = 60;
const layer = dense(5);

interface Case {
  name: string;
  layers: Layer[];
  scaling: 'scale' | 'standardize';
  lambda: number;
  /** of a momentum, 0 for gradient descent */
  beta: number;
  batch: number;
}

const output: Layer = { ...layer, units: 1, activation: 'sigmoid' };
const zeros: Layer = { ...output, init: { name: 'zeros', factor: 0 } };
const plain: Case = { name: 'two layers', layers: [layer, output], scaling: 'scale', lambda: 0, beta: 0, batch: 20 };
const cases: Case[] = [
  plain,
  { ...plain, name: 'logistic regression from zeros', layers: [zeros] },
  { ...plain, name: 'a map for each feature', scaling: 'standardize' },
  { ...plain, name: 'mini-batches', batch: 7 },
  { ...plain, name: 'L2', lambda: 0.3 },
  { ...plain, name: 'momentum with L2 in mini-batches', lambda: 0.3, beta: 0.9, batch: 7 },
  { ...plain, name: 'batch norm and dropout', layers: [{ ...layer, batchNorm: true, keepProb: 0.7 }, layer, output] },
];

describe.each([
  ['WebAssembly', kernelsFor('float64')],
  ['the reference', referenceKernels('float64')],
] as const)('the dual form by %s', (_, kernels) => {
  test.each(cases)('repeats the direct form: $name', (options) => {
    inScope(kernels, (scope) => {
      const [direct, dual] = (['direct', 'dual'] as const).map((form) => train(form, options, scope));
      expect(largestDifference(dual!.costs, direct!.costs)).toBeLessThan(1e-12);
      expect(largestDifference(dual!.weights, direct!.weights)).toBeLessThan(1e-11);
      expect(largestDifference(dual!.dev, direct!.dev)).toBeLessThan(1e-11);
    });
  });
});

/** Thirty steps of gradient descent or momentum, written out, over a problem in either form. */
function train(form: Form, options: Case, kernels: Kernels) {
  const m = 20;
  const given = problemOptions(options, m, kernels);
  const problem = trainableOf({ ...given, form }, kernels);
  const { network, parameters, squaredNorm } = problem.form;
  const gradient = parametersOver(network, kernels.allocate(parameters.values.length));
  const velocity = kernels.allocate(parameters.values.length);
  const workspace = createWorkspace(network, kernels, m);
  const masks = numpyRandom(5);
  const costs: number[] = [];
  for (let step = 0; step < 30; step++) {
    const indices = Int32Array.from({ length: options.batch }, (_, i) => (step * 3 + i * 7) % m);
    const input = options.batch === m ? problem.train.batch(null, m) : problem.train.batch(indices, options.batch);
    const labels = options.batch === m ? problem.train.labels : Uint8Array.from(indices, (i) => problem.train.labels[i]!);
    const mode: Mode = { kind: 'training', masks };
    const pass = { network, parameters, kernels, workspace, input, mode };
    forward(pass);
    const cost = lossGradient(pass, { loss: 'crossEntropy', labels, classWeights: [1, 1] });
    costs.push(cost + l2Cost(parameters, options.lambda / m, (spec) => squaredNorm(parameters.values, spec)));
    backward(pass, gradient);
    addL2Gradient(parameters, options.lambda / m, gradient, kernels);
    for (const { trained, offset, length } of parameters.specs) {
      if (!trained) continue;
      for (let i = offset; i < offset + length; i++) {
        velocity[i] = options.beta * velocity[i]! + (1 - options.beta) * gradient.values[i]!;
        parameters.values[i] = parameters.values[i]! - 0.2 * velocity[i]!;
      }
    }
  }
  const { batch: rows, labels } = problem.dev!;
  const dev = forward({ network, parameters, kernels, workspace, input: rows(null, labels.length), mode: inference });
  problem.form.write();
  return { costs, weights: given.parameters.values, dev };
}

function problemOptions({ layers, scaling: kind }: Case, m: number, kernels: Kernels): TrainableOptions {
  const network: Network = { inputs: features, layers };
  const random = numpyRandom(11);
  const part = (count: number) => ({
    pixels: Uint8Array.from({ length: count * features }, () => Math.floor(random.uniform() * 256)),
    labels: Uint8Array.from({ length: count }, () => Number(random.uniform() < 0.5)),
  });
  const scale = Float64Array.from({ length: features }, () => (kind === 'scale' ? 1 / 255 : (1 + random.uniform()) / 100));
  const shift = new Float64Array(features).fill(kind === 'scale' ? 0 : -1.5);
  const parameters = initialParameters(network, kernels, numpyRandom(1));
  return { network, parameters, scaling: { scale, shift }, train: part(m), dev: part(9) };
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
}
