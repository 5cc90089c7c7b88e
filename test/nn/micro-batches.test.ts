import { describe, expect, test } from 'vitest';
import type { Batch, Kernels } from '../../src/kernels/kernels.ts';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import type { Layer } from '../../src/nn/build.ts';
import { costAndGradient, type MicroBatch, microBatches } from '../../src/nn/input/cost-and-gradient.ts';
import { createWorkspace, initialParameters, type Pass, parametersOver } from '../../src/nn/network.ts';
import { namedRandom, numpyRandom } from '../../src/random.ts';
import { dense } from './networks.ts';

const side = 64;
const features = side * side * 3;
/** Three pieces of 341 pictures and less, the last of them not whole. */
const m = 700;
const random = namedRandom(1, 'test pieces');
const bytes = Uint8Array.from({ length: m * features }, () => Math.floor(random.uniform() * 256));
const labels = Uint8Array.from({ length: m }, (_, i) => Number(i % 3 === 0));
const scaling = { scale: new Float64Array(features).fill(1 / 255), shift: new Float64Array(features).fill(-0.5) };
/** Backwards, so that a piece that forgot its place would be noticed. */
const indices = Int32Array.from({ length: m }, (_, i) => m - 1 - i);
const picked: Batch = { kind: 'bytes', bytes, indices, count: m, features, scaling };

function passOf(kernels: Kernels, hidden: Layer[], input: Batch): Pass {
  const network = { inputs: features, layers: [...hidden, dense(1, { activation: 'sigmoid' })] };
  const parameters = initialParameters(network, kernels, numpyRandom(3));
  const mode = { kind: 'training', masks: namedRandom(2, 'dropout') } as const;
  return { network, parameters, kernels, workspace: createWorkspace(network, kernels, input.count), input, mode };
}

function gradientOf(pass: Pass, pieces: readonly MicroBatch[]) {
  const gradient = parametersOver(pass.network, pass.kernels.allocate(pass.parameters.values.length).fill(7));
  const cost = costAndGradient(pass, { loss: 'crossEntropy', labels, classWeights: [0.8, 1.4] }, gradient, {
    batches: pieces,
    leavesFirst: false,
  });
  const z = pass.workspace.slots.at(-1)!.value;
  return { cost, logits: [...z.subarray(0, m)], gradient: gradient.values };
}

describe('a batch that is far larger than a cache', () => {
  test.each([
    ['logistic regression, as they stand', [], { ...picked, indices: null }, simdKernels('float64')],
    ['logistic regression, picked', [], picked, simdKernels('float64')],
    ['two layers', [dense(3)], picked, simdKernels('float64')],
    ['two layers by the reference', [dense(2)], { ...picked, indices: null }, referenceKernels('float64')],
  ] as const)('has the cost, the logits and the gradient of all of it at once: %s', (_, hidden, input, kernels) => {
    const pieces = microBatches(passOf(kernels, [...hidden], input));
    expect(pieces.map(({ pass }) => pass.input.count).reduce((sum, count) => sum + count, 0)).toBe(m);
    expect(pieces.length).toBeGreaterThan(1);
    const inPieces = passOf(kernels, [...hidden], input);
    const found = gradientOf(inPieces, microBatches(inPieces));
    const whole = passOf(kernels, [...hidden], input);
    const expected = gradientOf(whole, [{ first: 0, pass: whole }]);
    expect(found.logits).toEqual(expected.logits);
    expect(Math.abs(found.cost / expected.cost - 1)).toBeLessThan(1e-13);
    const size = Math.max(...expected.gradient.map(Math.abs));
    for (const [i, value] of expected.gradient.entries()) {
      if (!(Math.abs(found.gradient[i]! - value) <= 1e-13 * size)) throw new Error(`at ${i}: ${found.gradient[i]}, not ${value}`);
    }
  });

  test('in float32, where one unit has kernels of its own, to rounding', () => {
    const kernels = simdKernels('float32');
    const inPieces = passOf(kernels, [], picked);
    const whole = passOf(kernels, [], picked);
    const [found, expected] = [gradientOf(inPieces, microBatches(inPieces)), gradientOf(whole, [{ first: 0, pass: whole }])];
    expect(found.logits).toEqual(expected.logits);
    const size = Math.max(...expected.gradient.map(Math.abs));
    for (const [i, value] of expected.gradient.entries()) {
      if (!(Math.abs(found.gradient[i]! - value) <= 1e-6 * size)) throw new Error(`at ${i}: ${found.gradient[i]}, not ${value}`);
    }
  });

  test('is one piece where batch norm takes all examples at once, and where it is small', () => {
    const kernels = simdKernels('float64');
    expect(microBatches(passOf(kernels, [dense(2, { batchNorm: true })], picked))).toHaveLength(1);
    expect(microBatches(passOf(kernels, [], { ...picked, count: 209, indices: indices.subarray(0, 209) }))).toHaveLength(1);
  });
});
