import { describe, expect, test } from 'vitest';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { activations } from '../../src/nn/activations.ts';
import type { Network } from '../../src/nn/build.ts';
import { initialize, initializers } from '../../src/nn/initializers.ts';
import { type LossName, losses, lossRule, smoothedTargets } from '../../src/nn/losses.ts';
import {
  backward,
  createWorkspace,
  forward,
  initialParameters,
  lossGradient,
  type Pass,
  parametersOver,
} from '../../src/nn/network.ts';
import { batchNorm } from '../../src/nn/ops/batch-norm.ts';
import { addL2Gradient, l2Cost } from '../../src/nn/regularization.ts';
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

describe('losses of targets between 0 and 1 are those of NumPy', () => {
  const golden = steps['soft targets'];
  const targets: number[] = golden.targets.data;
  const z: number[] = golden.z.data;

  test.each(Object.keys(losses) as LossName[])('%s', (name) => {
    const { value, derivative } = lossRule(name, targets);
    const all = (of: typeof value) => targets.flatMap((_, label) => z.map((one) => of(one, label)));
    expect(largestError(all(value), golden[name].value.data)).toBeLessThan(1e-14);
    expect(largestError(all(derivative), golden[name].derivative.data)).toBeLessThan(1e-15);
  });

  test('without any, the rule is the one that kernels know', () => {
    for (const name of Object.keys(losses) as LossName[]) expect(lossRule(name, smoothedTargets(0))).toBe(losses[name]);
    expect(smoothedTargets(0.25)).toEqual([0.25, 0.75]);
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
    for (const [l, weights] of (golden.weights as GoldenArray[]).entries()) parameters.tensors[`W${l + 1}`]!.set(weights.data);
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
    expect(
      dataCost + l2Cost(pass.parameters, lambda, ({ name }) => kernels.squaredNorm(pass.parameters.tensors[name]!)),
    ).toBeCloseTo(cost, 14);
    for (const [l, { dW, db }] of gradients.entries()) {
      expect(largestError(gradient.tensors[`W${l + 1}`]!, dW.data)).toBeLessThan(1e-14);
      expect(largestError(gradient.tensors[`b${l + 1}`]!, db.data)).toBeLessThan(1e-14);
    }
  });

  test('its weights are the first draws of one stream, layer by layer', () => {
    const xavier: Network = {
      ...network,
      layers: network.layers.map((layer) => ({ ...layer, init: { name: 'xavier', factor: 0 } as const })),
    };
    const { tensors } = initialParameters(xavier, kernels, numpyRandom(3));
    for (const [l, { data }] of (golden.weights as GoldenArray[]).entries())
      expect(largestError(tensors[`W${l + 1}`]!, data)).toBeLessThan(1e-15);
  });
});

describe('batch norm is that of NumPy', () => {
  const golden = steps.batch_norm;
  const units = golden.gamma.data.length;
  const count = golden.z.shape[1];
  const op = batchNorm({ layer: 0, input: { features: units } });
  /** A call of the op over some of the golden examples. */
  const callOf = (count: number) => {
    const z = examplesFirst(golden.z).slice(0, count * units);
    const below = { value: z, grad: new Float64Array(z.length), kept: {} };
    const tensors = Object.fromEntries(op.tensors.map(({ name }) => [name, new Float64Array(units)]));
    op.initialize(tensors, numpyRandom(1));
    tensors['gamma1']!.set(golden.gamma.data);
    tensors['beta1']!.set(golden.beta.data);
    const input = { kind: 'floats', values: z, count, features: units } as const;
    return { kernels, tensors, below, slot: op.allocate(kernels, count, below), input, count };
  };
  const training = { mode: { kind: 'training', masks: null } } as const;

  test('forward', () => {
    const call = callOf(count);
    op.forward({ ...call, ...training });
    expect(largestError(call.slot.value, examplesFirst(golden.output))).toBeLessThan(1e-14);
  });

  test('backward', () => {
    const call = callOf(count);
    op.forward({ ...call, ...training });
    call.slot.grad.set(examplesFirst(golden.upstream));
    const gradient = { gamma1: new Float64Array(units), beta1: new Float64Array(units) };
    op.backward({ ...call, ...training, gradient, wantsWeights: true, accumulate: false });
    expect(largestError(gradient.gamma1, golden.d_gamma.data)).toBeLessThan(1e-14);
    expect(largestError(gradient.beta1, golden.d_beta.data)).toBeLessThan(1e-14);
    expect(largestError(call.below.grad, examplesFirst(golden.d_z))).toBeLessThan(1e-14);
  });

  test('moving averages', () => {
    const call = callOf(count);
    op.forward({ ...call, ...training });
    op.afterStep!(call);
    const expected = golden['moving after one batch, momentum 0.9, from mean 0 and variance 1'];
    expect(largestError(call.tensors['movingMean1']!, expected.mean.data)).toBeLessThan(1e-15);
    expect(largestError(call.tensors['movingVariance1']!, expected.variance.data)).toBeLessThan(1e-15);
  });

  test('a batch of one example moves no average', () => {
    const call = callOf(1);
    op.forward({ ...call, ...training });
    op.afterStep!(call);
    expect([...call.tensors['movingMean1']!, ...call.tensors['movingVariance1']!]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  });

  test('inference does with the moving averages what training does with those of the batch', () => {
    const [trained, inferred] = [callOf(count), callOf(count)];
    op.forward({ ...trained, ...training });
    inferred.tensors['movingMean1']!.set(trained.slot.kept['mean']!);
    inferred.tensors['movingVariance1']!.set(trained.slot.kept['variance']!);
    op.forward({ ...inferred, mode: { kind: 'inference' } });
    expect(largestError(inferred.slot.value, trained.slot.value)).toBeLessThan(1e-13);
  });
});
