import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/kernels.ts';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import { type Layer, type Network, opsOf } from '../../src/nn/build.ts';
import { answeredTogether, prepareInference } from '../../src/nn/inference.ts';
import { createWorkspace, forward, initialParameters, parameterSpecs, parametersOver } from '../../src/nn/network.ts';
import { inference } from '../../src/nn/op.ts';
import { namedRandom } from '../../src/random.ts';
import { conv, dense } from './networks.ts';
import { networks } from './random-networks.ts';

/** What answers in fewer passes gives what one op after the other gives. */

const relu = { activation: 'relu' } as const;
const normal = { ...relu, batchNorm: true };
const pool = { type: 'maxPool', size: 2, stride: 2 } as const;
const output = dense(1, { activation: 'sigmoid' });
const network = (side: number, layers: Layer[]): Network => ({ inputs: side * side * 3, layers: [...layers, output] });

/** Large tiles with and without a pool behind them, small ones, a residual block over either, and what is not taken along. */
const wide: Record<string, Network> = {
  'large tiles, pools': network(24, [
    conv(8, normal),
    conv(16, normal),
    pool,
    conv(8, normal),
    { type: 'globalAveragePool', keepProb: 0.8 },
  ]),
  'sides that four does not divide': network(20, [conv(8, normal), conv(8, relu), pool, conv(16, normal), pool]),
  'a residual block': network(16, [
    conv(8, normal),
    { type: 'residual', layers: [conv(8, normal), conv(8, { activation: 'linear', batchNorm: true })], activation: 'relu' },
    pool,
  ]),
  'tanh behind batch norm': network(16, [
    conv(8, normal),
    conv(8, { batchNorm: true }),
    conv(8, { activation: 'relu', keepProb: 0.5 }),
  ]),
  'no batch norm': network(16, [conv(8, relu), conv(16, relu), pool, { type: 'averagePool', size: 2, stride: 2 }]),
};

/** Parameters with averages that a training may have left. */
function problem(network: Network, kernels: Kernels, count: number) {
  const random = namedRandom(3, 'inference', network.layers.length);
  const values = initialParameters(network, referenceKernels('float64'), random).values;
  for (const { name, offset, length } of parameterSpecs(network)) {
    if (name.startsWith('W')) continue;
    const least = /^(gamma|movingVariance)/.test(name) ? 0.5 : -0.5;
    for (let i = 0; i < length; i++) values[offset + i] = least + random.uniform();
  }
  const own = kernels.allocate(values.length);
  own.set(values);
  const bytes = Uint8Array.from({ length: count * network.inputs }, () => random.integer(255));
  const scaling = {
    scale: new Float64Array(network.inputs).fill(1 / 60),
    shift: new Float64Array(network.inputs).fill(-2),
  };
  const input = (first: number, end: number) =>
    ({
      kind: 'bytes',
      bytes: bytes.subarray(first * network.inputs, end * network.inputs),
      indices: null,
      count: end - first,
      features: network.inputs,
      scaling,
    }) as const;
  return { network, parameters: parametersOver(network, own), input };
}

function oneByOne(network: Network, count: number): Float64Array {
  const kernels = referenceKernels('float64');
  const { parameters, input } = problem(network, kernels, count);
  const workspace = createWorkspace(network, kernels, count);
  return Float64Array.from(forward({ network, parameters, kernels, workspace, input: input(0, count), mode: inference }));
}

/** @param together  examples at once */
function answers(network: Network, kernels: Kernels, count: number, together: number): Float64Array {
  const { parameters, input } = problem(network, kernels, count);
  const workspace = createWorkspace(network, kernels, together);
  const answer = prepareInference({ network, parameters, kernels });
  const out = new Float64Array(count);
  for (let first = 0; first < count; first += together)
    out.set(answer(workspace, input(first, Math.min(count, first + together))), first);
  return out;
}

function expectSame(found: Float64Array, expected: Float64Array, digits: number): void {
  for (const [i, z] of expected.entries()) expect(Math.abs(found[i]! - z)).toBeLessThan(10 ** -digits * (1 + Math.abs(z)));
}

describe('in float64', () => {
  // so many that three threads share them, and not each call (leastEach of engine.ts)
  const many = 12;
  const kernels = [1, 3].map((threads) => simdKernels('float64', threads));

  test('random networks of all kinds of layers answer as op after op does', () => {
    fc.assert(
      fc.property(networks, fc.constantFrom(...kernels, referenceKernels('float64')), (network, kernels) => {
        expectSame(answers(network, kernels, many, many), oneByOne(network, many), 10);
      }),
      { numRuns: 40 },
    );
  });

  test.each(Object.entries(wide))('%s', (_, network) => {
    for (const each of kernels) expectSame(answers(network, each, many, many), oneByOne(network, many), 10);
  });
});

test.each(Object.entries(wide))('%s: the same bits whatever is asked together, and by however many threads', (_, network) => {
  const count = 17;
  const all = answers(network, simdKernels('float32', 1), count, count);
  for (const [threads, together] of [
    [1, 1],
    [2, 3],
    [2, 9],
    [4, count],
  ] as const)
    expect(answers(network, simdKernels('float32', threads), count, together)).toEqual(all);
  expectSame(all, oneByOne(network, count), 4);
});

test('what is taken along is not done again, and what stands between others is', () => {
  const { parameters } = problem(wide['large tiles, pools']!, simdKernels('float32', 1), 1);
  const kernels = simdKernels('float32', 1);
  const counted: string[] = [];
  const noting = (name: string, kernel: (call: never) => unknown) => (call: never) => {
    counted.push(name);
    return kernel(call);
  };
  const counting = Object.fromEntries(
    Object.entries(kernels).map(([name, kernel]) => [
      name,
      typeof kernel === 'function' && name !== 'allocate' && name !== 'perExample' ? noting(name, kernel) : kernel,
    ]),
  ) as unknown as Kernels;
  const network = wide['large tiles, pools']!;
  const answer = prepareInference({ network, parameters, kernels: counting });
  counted.length = 0;
  const { input } = problem(network, kernels, 1);
  answer(createWorkspace(network, kernels, 1), input(0, 1));
  expect(counted).toEqual(['convolve', 'convolve', 'convolve', 'averagePool', 'activate', 'linear']);
});

test('a few images are asked together, as many as the cache of each thread holds, and many vectors', () => {
  const images = network(64, [conv(32, normal)]);
  // 64 · 64 · (3 + 32) numbers of 4 bytes go in and come out
  expect(opsOf(images)[0]!.output).toEqual({ height: 64, width: 64, channels: 32 });
  expect(answeredTogether(images, { precision: 'float32', threads: 4 }, 64)).toBe(16); // batch norm and ReLU have 32 and 32
  expect(answeredTogether(images, { precision: 'float32', threads: 1 }, 64)).toBe(4);
  expect(answeredTogether(network(64, [dense(20)]), { precision: 'float32', threads: 1 }, 64)).toBe(64);
});
