import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../../src/config/load.ts';
import type { Floats, Kernels } from '../../../src/kernels/kernels.ts';
import { referenceKernels } from '../../../src/kernels/reference.ts';
import { kernelsFor } from '../../../src/kernels/select.ts';
import { type Layer, type LayerOf, layerSizes, type Network, opsOf } from '../../../src/nn/build.ts';
import { checkGradient } from '../../../src/nn/gradient-check.ts';
import { createWorkspace, forward, initialParameters, type Pass } from '../../../src/nn/network.ts';
import type { Op } from '../../../src/nn/op.ts';
import { conv as convOp } from '../../../src/nn/ops/conv.ts';
import { type PoolName, pool } from '../../../src/nn/ops/pool.ts';
import { namedRandom } from '../../../src/random.ts';
import { checkStep } from '../../../src/training/check-step.ts';
import { networkOf } from '../../../src/training/plan.ts';
import { windowCases } from '../../golden/golden.ts';
import { epochsOf, noisePictures, problem } from '../../training/problems.ts';
import { conv, dense } from '../networks.ts';
import { networks } from '../random-networks.ts';

const convolution = (layer: Partial<LayerOf<'conv'>> = {}) => conv(3, layer);
const output = dense(1, { activation: 'sigmoid' });

/** One op over two images, forward and backward. */
function runOp(op: Op, kernels: Kernels, given: { x: number[]; grad: number[]; tensors: Record<string, number[]> }) {
  const floats = (values: number[]): Floats => {
    const out = kernels.allocate(values.length);
    out.set(values);
    return out;
  };
  const x = floats(given.x);
  const tensors = Object.fromEntries(Object.entries(given.tensors).map(([name, values]) => [name, floats(values)]));
  const gradient = Object.fromEntries(
    Object.entries(given.tensors).map(([name, values]) => [name, kernels.allocate(values.length)]),
  );
  const below = { value: x, grad: kernels.allocate(x.length), kept: {} };
  const slot = op.allocate(kernels, 2, below);
  const call = {
    kernels,
    tensors,
    slot,
    input: { kind: 'floats', values: x, count: 2, features: x.length / 2 } as const,
    count: 2,
    below,
  };
  op.forward({ ...call, mode: { kind: 'training', masks: null } });
  const value = Array.from(slot.value);
  slot.grad.set(given.grad);
  op.backward({ ...call, gradient, mode: { kind: 'training', masks: null }, wantsWeights: true, accumulate: false });
  return { value, dX: Array.from(below.grad), gradient };
}

describe('golden figures of NumPy', () => {
  const digits = { float64: 12, float32: 4 } as const;
  const all = [referenceKernels('float64'), kernelsFor('float64'), kernelsFor('float32')] as const;

  test.each(windowCases.map((one, i) => [i, one] as const))('case %i, forward and backward', (_, one) => {
    const list = (name: string) => one[name] as number[];
    const size = (name: string) => one[name] as number;
    for (const kernels of all) {
      const close = (found: ArrayLike<number>, expected: number[]) => {
        expect(found.length).toBe(expected.length);
        for (const [i, value] of expected.entries()) expect(found[i]!).toBeCloseTo(value, digits[kernels.precision]);
      };
      if (one.kind !== 'conv') {
        const input = { height: 7, width: 7, channels: 3 };
        const op = pool({ layer: 0, place: '1', input, pool: one.kind as PoolName, size: size('size'), stride: size('stride') });
        const found = runOp(op, kernels, { x: list('x'), grad: list('dP'), tensors: {} });
        close(found.value, list('P'));
        close(found.dX, list('dX'));
        continue;
      }
      const op = convOp({
        layer: 0,
        input: { height: size('height'), width: size('width'), channels: size('channels') },
        filters: size('filters'),
        kernel: size('kernel'),
        stride: size('stride'),
        padding: one.padding as 'same' | 'valid',
        bias: true,
        init: { name: 'zeros', factor: 0 },
      });
      const found = runOp(op, kernels, { x: list('x'), grad: list('dZ'), tensors: { W1: list('W'), b1: list('b') } });
      close(found.value, list('Z'));
      close(found.dX, list('dX'));
      close(found.gradient['W1']!, list('dW'));
      close(found.gradient['b1']!, list('db'));
    }
  });
});

function passOf(network: Network, kernels: Kernels, seed: number): { pass: Pass; labels: Uint8Array } {
  const count = 5;
  const random = namedRandom(seed, 'windows test');
  const parameters = initialParameters(network, kernels, random);
  for (const { name, offset, length } of parameters.specs)
    if (/^(b|gamma|beta)/.test(name))
      for (let i = offset; i < offset + length; i++) parameters.values[i]! += 0.3 * random.normal();
  const { inputs } = network;
  const bytes = Uint8Array.from({ length: count * inputs }, () => random.integer(255));
  const scaling = { scale: new Float64Array(inputs).fill(1 / 64), shift: new Float64Array(inputs).fill(-2) };
  const input = { kind: 'bytes', bytes, indices: null, count, features: inputs, scaling } as const;
  const workspace = createWorkspace(network, kernels, count);
  const pass: Pass = { network, parameters, kernels, input, workspace, mode: { kind: 'training', masks: random } };
  forward(pass);
  return {
    pass: { ...pass, mode: { kind: 'training', masks: null } },
    labels: Uint8Array.from({ length: count }, (_, i) => i % 2),
  };
}

/** NN_RANDOM_NETWORKS asks for as many as a night has room for, and NN_RANDOM_NETWORKS_SEED for certain ones: docs/reliability.md has what came of 300. */
const { NN_RANDOM_NETWORKS: wanted, NN_RANDOM_NETWORKS_SEED: seed } = process.env;
const runs = { numRuns: Number(wanted ?? 8), ...(seed !== undefined && { seed: Number(seed) }) };
const timeout = wanted === undefined ? 120_000 : 3_600_000;

describe('random networks of all kinds of layers', () => {
  const kernels = referenceKernels('float64');

  test('have the gradients that differences of the cost have', { timeout }, () => {
    fc.assert(
      fc.property(networks, fc.integer({ min: 0, max: 1e6 }), (network, seed) => {
        const { pass, labels } = passOf(network, kernels, seed);
        const trained = pass.parameters.specs.flatMap(({ trained, offset, length }) =>
          trained
            ? Array.from({ length: Math.min(length, 12) }, (_, i) => offset + Math.floor((i * length) / Math.min(length, 12)))
            : [],
        );
        for (const { difference, withinError } of checkGradient(
          pass,
          { loss: 'crossEntropy', labels, classWeights: [1, 1] },
          0.2,
          trained,
        ))
          expect(difference < 1e-7 || withinError).toBe(true);
      }),
      runs,
    );
  });

  test('take steps that the reference takes, in both precisions', { timeout }, () => {
    fc.assert(
      fc.property(networks, fc.integer({ min: 1, max: 1e6 }), (network, seed) => {
        const side = Math.sqrt(network.inputs / 3);
        const rates = opsOf(network).map(() => 0.1);
        for (const precision of ['float32', 'float64'] as const) {
          const own = kernelsFor(precision);
          const options = problem({
            network,
            train: noisePictures(12, { side, seed }),
            kernels: own,
            learningRates: rates,
            seed,
          });
          expect(checkStep(options)).toBeNull();
        }
      }),
      runs,
    );
  });
});

test('layers with weights are counted; a pool belongs to the one before it', () => {
  const network: Network = {
    inputs: 8 * 8 * 3,
    layers: [
      convolution({ stride: 2 }),
      { type: 'maxPool', size: 2, stride: 2 },
      convolution({ filters: 5 }),
      { type: 'globalAveragePool', keepProb: 1 },
      output,
    ],
  };
  expect(layerSizes(network)).toEqual([192, 2 * 2 * 3, 5, 1]);
  expect(opsOf(network).map(({ kind, layer }) => `${kind} ${layer}`)).toEqual([
    'conv 0',
    'activation 0',
    'maxPool 0',
    'conv 1',
    'activation 1',
    'averagePool 1',
    'linear 2',
  ]);
});

test.each([
  [
    [convolution(), { type: 'residual', layers: [convolution({ filters: 4 })], activation: 'linear' }] as Layer[],
    /model\.layers\.1 \(residual\): expected layers that give 8 × 8 × 3, as comes in, found 8 × 8 × 4\n/,
  ],
  [[{ type: 'maxPool', size: 2, stride: 2 }] as Layer[], /model\.layers\.0 \(maxPool\): expected a layer with weights first/],
  [
    [convolution({ kernel: 9, padding: 'valid' })],
    /model\.layers\.0 \(conv\): expected an image of at least 9 × 9, found 8 × 8 × 3\n {2}inputs {2}8 × 8 × 3$/,
  ],
  [
    [dense(4), convolution()],
    /model\.layers\.1 \(conv\): expected an image, found 4 numbers without places\n {2}inputs {2}8 × 8 × 3\n {2}model\.layers\.0 \(dense\) {2}8 × 8 × 3 → 4$/,
  ],
  [
    [convolution(), { type: 'maxPool', size: 4, stride: 4 }, { type: 'maxPool', size: 4, stride: 4 }] as Layer[],
    /model\.layers\.2 \(maxPool\): expected an image of at least 4 × 4, found 2 × 2 × 3\n.*\n.*\n {2}model\.layers\.1 \(maxPool\) {2}8 × 8 × 3 → 2 × 2 × 3$/,
  ],
])('shapes that do not fit are refused with those of all layers before', (layers, message) => {
  expect(() => opsOf({ inputs: 192, layers: [...layers, output] })).toThrow(message);
});

test('layers inside a residual block that do not fit are told what would', () => {
  const layers = [convolution(), { type: 'residual', layers: [convolution({ filters: 4 })], activation: 'linear' }] as Layer[];
  const hint = expect.stringContaining('must have 3 filters');
  expect(() => opsOf({ inputs: 192, layers: [...layers, output] })).toThrow(expect.objectContaining({ hint }));
});

test('a convolution learns what a mean over channels cannot tell: a bright left half', async () => {
  const network: Network = { inputs: 192, layers: [convolution({ activation: 'relu' }), dense(4), output] };
  const train = noisePictures(60, { side: 8 });
  const costs = (
    await epochsOf(problem({ network, train, kernels: kernelsFor('float32'), learningRates: [0.3, 0.3, 0.3], epochs: 60 }))
  ).map(({ cost }) => cost);
  expect(costs.at(-1)!).toBeLessThan(0.8 * costs[0]!);
});

test('the config fills in what is left out', () => {
  const layers = [{ type: 'conv', filters: 4 }, { type: 'maxPool', size: 2 }, { type: 'globalAveragePool' }];
  const config = checkConfig({ data: { source: { type: 'drawn' } }, model: { layers } }, 'conv');
  const [first, second, third] = networkOf(config, 192).layers;
  expect(first).toMatchObject({
    type: 'conv',
    filters: 4,
    kernel: 3,
    stride: 1,
    padding: 'same',
    activation: 'relu',
    init: { name: 'he' },
  });
  expect(second).toEqual({ type: 'maxPool', size: 2, stride: 2 });
  expect(third).toEqual({ type: 'globalAveragePool', keepProb: 1 });
});
