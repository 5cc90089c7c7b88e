import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { referenceKernels } from '../../../src/kernels/reference.ts';
import { kernelsFor } from '../../../src/kernels/select.ts';
import type { Network } from '../../../src/nn/build.ts';
import { backward, createWorkspace, forward, initialParameters, lossGradient, parametersOver } from '../../../src/nn/network.ts';
import { numpyRandom } from '../../../src/random.ts';
import { conv, dense } from '../networks.ts';

interface Golden {
  pixels: number[];
  labels: number[];
  rate: number;
  first: Record<string, number[]>;
  costs: number[];
  last: Record<string, number[]>;
}

const golden = JSON.parse(readFileSync(new URL('../../golden/convolution.json', import.meta.url), 'utf8')) as Golden;
/** That of test/golden/convolution.py. */
const network: Network = {
  inputs: 12 * 12 * 3,
  layers: [
    conv(9, { kernel: 4, stride: 2, batchNorm: true, activation: 'relu' }),
    { type: 'residual', layers: [conv(9, { activation: 'tanh' })], activation: 'relu' },
    { type: 'maxPool', size: 2, stride: 2 },
    conv(8, { padding: 'valid', batchNorm: true, activation: 'leakyRelu' }),
    { type: 'globalAveragePool', keepProb: 1 },
    dense(1, { activation: 'sigmoid' }),
  ],
};

test.each([
  ['reference', referenceKernels('float64')],
  ['compiled', kernelsFor('float64')],
])('twenty steps of a network of all kinds of layers are those of PyTorch in float64, to 1e-9: %s kernels', (__, kernels) => {
  const parameters = initialParameters(network, kernels, numpyRandom(1));
  for (const [name, values] of Object.entries(golden.first)) parameters.tensors[name]!.set(values);
  const gradient = parametersOver(network, kernels.allocate(parameters.values.length));
  const count = golden.labels.length;
  const scaling = { scale: new Float64Array(network.inputs).fill(1 / 64), shift: new Float64Array(network.inputs).fill(-2) };
  const bytes = Uint8Array.from(golden.pixels);
  const input = { kind: 'bytes', bytes, indices: null, count, features: network.inputs, scaling } as const;
  const workspace = createWorkspace(network, kernels, count);
  const pass = { network, parameters, kernels, workspace, input, mode: { kind: 'training', masks: null } } as const;
  const labels = Uint8Array.from(golden.labels);
  const costs = golden.costs.map(() => {
    forward(pass);
    const cost = lossGradient(pass, { loss: 'crossEntropy', labels, classWeights: [1, 1] });
    backward(pass, gradient);
    for (const { trained, offset, length } of parameters.specs) {
      if (!trained) continue;
      for (let i = offset; i < offset + length; i++) parameters.values[i]! -= golden.rate * gradient.values[i]!;
    }
    return cost;
  });
  for (const [i, cost] of golden.costs.entries()) expect(Math.abs(costs[i]! - cost)).toBeLessThan(1e-9);
  for (const [name, values] of Object.entries(golden.last)) {
    for (const [i, value] of values.entries()) expect(Math.abs(parameters.tensors[name]![i]! - value)).toBeLessThan(1e-9);
  }
});
