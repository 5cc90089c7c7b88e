import { describe, expect, test } from 'vitest';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { activations } from '../../src/model/activations.ts';
import { backward, lossGradient } from '../../src/model/backward.ts';
import { batchNormGradient, moveAverages, normalizeBatch, normalizeWithAverages } from '../../src/model/batch-norm.ts';
import { createWorkspace, forward, type Pass } from '../../src/model/forward.ts';
import { initialize, initializers } from '../../src/model/initializers.ts';
import { addL2Gradient, l2Cost } from '../../src/model/l2.ts';
import { initialParameters, type Network, parametersOver } from '../../src/model/network.ts';
import { numpyRandom } from '../../src/random.ts';
import { examplesFirst, type GoldenArray, largestError, steps } from '../golden/golden.ts';
import { dense } from './networks.ts';

const kernels = referenceKernels('float64');

describe('activations are those of NumPy', () => {
  const golden = steps.activations;
  const z: number[] = golden.z.data;

  test.each([
    ['sigmoid', 'sigmoid'],
    ['tanh', 'tanh'],
    ['relu', 'relu'],
    ['leakyRelu', 'leaky_relu_0.01'],
  ] as const)('%s', (name, key) => {
    expect(
      largestError(
        z.map((value) => activations[name].value(value, 0.01)),
        golden[key].data,
      ),
    ).toBeLessThan(1e-15);
  });

  test.each([
    ['sigmoid', 'd_sigmoid'],
    ['tanh', 'd_tanh'],
  ] as const)('the derivative of %s', (name, key) => {
    const { value, derivative } = activations[name];
    expect(
      largestError(
        z.map((one) => derivative(one, value(one, 0.01), 0.01)),
        golden[key].data,
      ),
    ).toBeLessThan(1e-15);
  });

  test('the derivatives of relu and leakyRelu are their slopes', () => {
    expect([-2, 0, 3].map((z) => activations.relu.derivative(z, 0, 0.01))).toEqual([0, 0, 1]);
    expect([-2, 3].map((z) => activations.leakyRelu.derivative(z, 0, 0.01))).toEqual([0.01, 1]);
  });
});

describe('initialisers draw what NumPy draws', () => {
  test.each([
    ['he', 'he', 0],
    ['xavier', 'xavier', 0],
    ['glorot', 'glorot', 0],
    ['random', 'random, factor 10', 10],
  ] as const)('%s', (name, key, factor) => {
    const weights = new Float64Array(24);
    initialize(weights, { nIn: 8, nOut: 3 }, { name, factor }, numpyRandom(4));
    expect(largestError(weights, steps.initializers[`${key}, (3, 8), seed 4`].data)).toBeLessThan(1e-15);
  });

  test('zeros are zeros, whatever stood there', () => {
    const weights = new Float64Array(6).fill(3);
    initialize(weights, { nIn: 3, nOut: 2 }, { name: 'zeros', factor: 1 }, numpyRandom(1));
    expect([...weights]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('every initialiser has a deviation', () => {
    for (const { deviation } of Object.values(initializers))
      expect(deviation({ nIn: 4, nOut: 4, factor: 2 })).toBeGreaterThanOrEqual(0);
  });
});

describe("a small network's cost and gradients are those of NumPy", () => {
  const golden = steps.network;
  const [inputs, ...units] = golden.dims as [number, ...number[]];
  const network: Network = { inputs, layers: units.map((n) => dense(n, { activation: 'relu' })) };
  const m = golden.y.data.length;
  const setUp = (): Pass => {
    const parameters = initialParameters(network, kernels, numpyRandom(3));
    for (const [l, weights] of (golden.weights as GoldenArray[]).entries()) parameters.layers[l]!.weights.set(weights.data);
    const input = { kind: 'floats', values: examplesFirst(golden.x), count: m, features: inputs } as const;
    return {
      network,
      parameters,
      kernels,
      input,
      workspace: createWorkspace(network, kernels, m),
      mode: { kind: 'training', masks: null },
    };
  };
  const cases = Object.entries(
    golden.cases as Record<string, { cost: number; gradients: { dW: GoldenArray; db: GoldenArray }[] }>,
  );

  test.each(cases)('%s', (name, { cost, gradients }) => {
    const pass = setUp();
    const lambda = Number(/lambda (.*)$/.exec(name)![1]) / m;
    const gradient = parametersOver(network, kernels.allocate(pass.parameters.values.length));
    forward(pass);
    const loss = name.startsWith('cross') ? 'crossEntropy' : 'squaredError';
    const dataCost = lossGradient(pass, { loss, labels: Uint8Array.from(golden.y.data), classWeights: [1, 1] });
    backward(pass, gradient);
    addL2Gradient(pass.parameters, lambda, gradient, pass.kernels);
    expect(dataCost + l2Cost(pass.parameters, lambda, pass.kernels)).toBeCloseTo(cost, 14);
    for (const [l, { dW, db }] of gradients.entries()) {
      expect(largestError(gradient.layers[l]!.weights, dW.data)).toBeLessThan(1e-14);
      expect(largestError(gradient.layers[l]!.bias!, db.data)).toBeLessThan(1e-14);
    }
  });

  test('its weights are the first draws of one stream, layer by layer', () => {
    const xavier: Network = {
      ...network,
      layers: network.layers.map((layer) => ({ ...layer, init: { name: 'xavier', factor: 0 } as const })),
    };
    const { layers } = initialParameters(xavier, kernels, numpyRandom(3));
    for (const [l, { data }] of (golden.weights as GoldenArray[]).entries())
      expect(largestError(layers[l]!.weights, data)).toBeLessThan(1e-15);
  });
});

describe('batch norm is that of NumPy', () => {
  const golden = steps.batch_norm;
  const units = golden.gamma.data.length;
  const count = golden.z.shape[1];
  const makeNorm = () => ({
    gamma: Float64Array.from(golden.gamma.data),
    beta: Float64Array.from(golden.beta.data),
    movingMean: new Float64Array(units),
    movingVariance: new Float64Array(units).fill(1),
  });
  const statistics = () => ({
    mean: new Float64Array(units),
    variance: new Float64Array(units),
    normalized: new Float64Array(units * count),
  });

  test('forward', () => {
    const z = examplesFirst(golden.z);
    normalizeBatch(kernels, z, count, makeNorm(), statistics());
    expect(largestError(z, examplesFirst(golden.output))).toBeLessThan(1e-14);
  });

  test('backward', () => {
    const [norm, kept] = [makeNorm(), statistics()];
    normalizeBatch(kernels, examplesFirst(golden.z), count, norm, kept);
    const dZ = examplesFirst(golden.upstream);
    const out = { gamma: new Float64Array(units), beta: new Float64Array(units) };
    batchNormGradient(kernels, dZ, count, norm, kept, out);
    expect(largestError(out.gamma, golden.d_gamma.data)).toBeLessThan(1e-14);
    expect(largestError(out.beta, golden.d_beta.data)).toBeLessThan(1e-14);
    expect(largestError(dZ, examplesFirst(golden.d_z))).toBeLessThan(1e-14);
  });

  test('moving averages', () => {
    const [norm, kept] = [makeNorm(), statistics()];
    normalizeBatch(kernels, examplesFirst(golden.z), count, norm, kept);
    moveAverages(norm, kept, count);
    const expected = golden['moving after one batch, momentum 0.9, from mean 0 and variance 1'];
    expect(largestError(norm.movingMean, expected.mean.data)).toBeLessThan(1e-15);
    expect(largestError(norm.movingVariance, expected.variance.data)).toBeLessThan(1e-15);
  });

  test('a batch of one example moves no average', () => {
    const [norm, kept] = [makeNorm(), statistics()];
    normalizeBatch(kernels, examplesFirst(golden.z).slice(0, units), 1, norm, kept);
    moveAverages(norm, kept, 1);
    expect([...norm.movingMean, ...norm.movingVariance]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  });

  test('inference does with the moving averages what training does with those of the batch', () => {
    const [norm, kept] = [makeNorm(), statistics()];
    const trained = examplesFirst(golden.z);
    normalizeBatch(kernels, trained, count, norm, kept);
    const inferred = examplesFirst(golden.z);
    normalizeWithAverages(kernels, inferred, count, { ...norm, movingMean: kept.mean, movingVariance: kept.variance });
    expect(largestError(inferred, trained)).toBeLessThan(1e-13);
  });
});
