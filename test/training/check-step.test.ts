import { describe, expect, test } from 'vitest';
import type { Arithmetic, Kernels, Precision } from '../../src/kernels/kernels.ts';
import { referenceBackwardAndStep } from '../../src/kernels/reference.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import type { ActivationName } from '../../src/nn/activations.ts';
import type { Network } from '../../src/nn/build.ts';
import type { OptimizerChoice } from '../../src/nn/optimizers.ts';
import { namedRandom } from '../../src/random.ts';
import { checkStep } from '../../src/training/check-step.ts';
import { type FitOptions, fit } from '../../src/training/fit.ts';
import { noAugmentation } from '../data/pictures.ts';
import { dense } from '../nn/networks.ts';
import { noisePictures, problem, type Wishes, withFault } from './problems.ts';

const output = dense(1, { activation: 'sigmoid' });
/** Made once: what they take without a scope stays for the life of the process. */
const made = new Map<string, Kernels>();
function kernels(precision: Precision, arithmetic: Arithmetic = 'strict'): Kernels {
  const name = `${precision} ${arithmetic}`;
  const known = made.get(name) ?? simdKernels(precision, 2, arithmetic);
  made.set(name, known);
  return known;
}

/** What breaks in a set of kernels. `unit` is the one that suffers. */
const faults = {
  'dW 1.5 times too large': (k) => changingGradient(k, (dW) => scale(dW, 1.5)),
  'dW without one unit': (k, unit) => changingGradient(k, (dW, units) => row(dW, units, unit).fill(0)),
  'Z without one unit': (k, unit) => ({
    linear(call) {
      k.linear(call);
      for (let i = 0; i < call.input.count; i++) call.out[i * call.units + Math.min(unit, call.units - 1)] = 0;
    },
    logisticPass: k.logisticPass && {
      ...k.logisticPass,
      run: (pass) => {
        const cost = k.logisticPass!.run(pass);
        pass.z.fill(0);
        return cost;
      },
    },
  }),
  'the wrong sign of one db': (k, unit) => ({
    sumExamples(call) {
      k.sumExamples(call);
      scale(row(call.out, call.units, unit), -1);
    },
    logisticPass: k.logisticPass && {
      ...k.logisticPass,
      run: (pass) => {
        const cost = k.logisticPass!.run(pass);
        scale(pass.db, -1);
        return cost;
      },
    },
  }),
  'an update that forgets decay': (k) => ({
    addScaled: () => {},
    backwardAndStep: (step) => k.backwardAndStep({ ...step, decay: 0 }),
  }),
} satisfies Record<string, (k: Kernels, unit: number) => Partial<Kernels>>;

type Numbers = Float32Array | Float64Array;
const scale = (values: Numbers, factor: number) => values.set(values.map((value) => factor * value));
const row = (values: Numbers, units: number, unit: number) => {
  const [width, u] = [values.length / units, Math.min(unit, units - 1)];
  return values.subarray(u * width, (u + 1) * width);
};

/** Kernels whose products for the gradient of weights are changed, wherever they are made. */
function changingGradient(k: Kernels, change: (dW: Numbers, units: number) => void): Partial<Kernels> {
  const linearGradWeights: Kernels['linearGradWeights'] = (call) => {
    k.linearGradWeights(call);
    change(call.out.subarray(0, call.units * call.input.features), call.units);
  };
  return {
    linearGradWeights,
    backwardAndStep: (step) => referenceBackwardAndStep({ ...k, linearGradWeights }, step, k.allocate(step.weights.length)),
    logisticPass: k.logisticPass && {
      ...k.logisticPass,
      run: (pass) => {
        const cost = k.logisticPass!.run(pass);
        change(pass.dW, 1);
        return cost;
      },
    },
  };
}

/** A training on m black images: what they show makes no difference to the check. */
function training({ m = 40, ...wishes }: Wishes & { m?: number; network: Network }): FitOptions {
  const pixels = new Uint8Array(m * wishes.network.inputs);
  return problem({ train: { pixels, labels: Uint8Array.from({ length: m }, (_, i) => i % 2) }, ...wishes });
}

const [small, large] = [3 * 8 * 8, 3 * 64 * 64];

/** A training in each form that a step has, `units` wide. */
const forms: Record<string, { precision: Precision; options(units: number): Wishes & { network: Network; m: number } }> = {
  'direct, the first layer fused': {
    precision: 'float32',
    options: (units) => ({
      m: 40,
      network: { inputs: small, layers: [dense(units), dense(7), output] },
      optimizer: { name: 'adam' },
    }),
  },
  'direct, in batches, float64': {
    precision: 'float64',
    options: (units) => ({ m: 200, batchSize: 32, network: { inputs: small, layers: [dense(units), output] } }),
  },
  'direct, clipped and so whole': {
    precision: 'float32',
    options: (units) => ({
      m: 40,
      clipNorm: 1,
      network: { inputs: small, layers: [dense(units), output] },
      optimizer: { name: 'rmsprop' },
    }),
  },
  'direct, in pieces': {
    precision: 'float32',
    options: (units) => ({ m: 900, network: { inputs: large, layers: [dense(units), output] }, optimizer: { name: 'momentum' } }),
  },
  dual: {
    precision: 'float64',
    options: (units) => ({
      m: 30,
      form: 'dual',
      network: { inputs: small, layers: [dense(units), output] },
      optimizer: { name: 'momentum' },
    }),
  },
};

/** With NN_CHECKS, which says how many random networks, all widths are tried (docs/reliability.md has what came of it). */
const isLong = process.env['NN_CHECKS'] !== undefined;
const timeout = isLong ? 3_600_000 : 120_000;
const runs = Number(process.env['NN_CHECKS'] ?? 24);
const firstSeed = Number(process.env['NN_CHECKS_SEED'] ?? 1);

describe.each(Object.entries(forms))('%s', (name, { precision, options }) => {
  const quick = { 'direct, in pieces': [16], 'direct, the first layer fused': [16, 4096] }[name] ?? [16, 256];
  test.each(isLong ? [16, 64, 256, 1024, 4096] : quick)(
    'of %i units is found right, and every planted fault is found',
    { timeout },
    (units) => {
      // ‖W1‖ of the dual form takes units³ multiplications, and is wanted for L2 alone
      const l2 = name === 'dual' && units > 256 ? 0 : 0.1;
      const sound = training({ ...options(units), l2, kernels: kernels(precision) });
      const found = (k: Kernels) => checkStep({ ...sound, kernels: k });
      expect(found(kernels(precision))).toBeNull();
      for (const [fault, plant] of Object.entries(faults)) {
        if (l2 === 0 && fault === 'an update that forgets decay') continue;
        expect(found(withFault(kernels(precision), (k) => plant(k, Math.floor(units / 3)))), fault).not.toBeNull();
      }
    },
  );
});

test.each([0, 0.1])('logistic regression in one pass, λ %d', (l2) => {
  const network = { inputs: large, layers: [output] };
  const found = (k: Kernels) => checkStep(training({ m: 209, network, l2, kernels: k }));
  expect(found(kernels('float32'))).toBeNull();
  for (const [name, fault] of Object.entries(faults)) {
    const matters = l2 > 0 || name !== 'an update that forgets decay';
    expect(found(withFault(kernels('float32'), (k) => fault(k, 0))) === null, name).toBe(!matters);
  }
});

test('the first number that is wrong is named, with what it should be', () => {
  const network = { inputs: small, layers: [dense(16), output] };
  const k = withFault(kernels('float32'), (k) => faults['Z without one unit'](k, 3));
  const wrong = checkStep(training({ m: 20, network, kernels: k }))!;
  expect(wrong).toMatchObject({ layer: 0, what: 'Z', found: 0 });
  expect(Math.abs(wrong.expected)).toBeGreaterThan(wrong.bound);
});

test.each(Array.from({ length: runs }, (_, i) => firstSeed + i))('random network %i is found right', (seed) => {
  const random = namedRandom(seed, 'random network');
  const one = <T>(...of: T[]): T => of[random.integer(of.length - 1)]!;
  const inputs = 3 * one(4, 8, 16, 32, 64) ** 2;
  const [units, bySome] = [one(1, 2, 7, 16, 33, 64, 100), one(0, 0.5, 1)];
  const activations = one<ActivationName[]>(
    ['relu'],
    ['tanh'],
    ['sigmoid'],
    ['linear'],
    ['relu', 'tanh', 'sigmoid', 'leakyRelu', 'linear'],
  );
  const layers = Array.from({ length: one(0, 1, 2, 3, 5, 10, 24, 50) }, () =>
    dense(Math.max(1, units - random.integer(3)), {
      activation: one(...activations),
      batchNorm: random.uniform() < bySome,
      keepProb: one(1, 1, 0.5, 0.9),
      slope: one(0.01, 0.3, 0),
    }),
  );
  const optimizer = one<OptimizerChoice>(
    { name: 'gradientDescent' },
    { name: 'momentum' },
    { name: 'rmsprop' },
    { name: 'adam' },
    { name: 'adamw', weightDecay: 0.1 },
  );
  const isLinear = optimizer.name === 'gradientDescent' || optimizer.name === 'momentum';
  const map = one([1 / 255, 0], [1, 0], [0.02, -2], [1, -130]);
  const wrong = checkStep(
    training({
      m: one(2, 9, 24, 100, 700),
      network: { inputs, layers: [...layers, output] },
      kernels: kernels(one('float32', 'float32', 'float64'), one('strict', 'strict', 'fast')),
      scaling: { scale: new Float64Array(inputs).fill(map[0]!), shift: new Float64Array(inputs).fill(map[1]!) },
      batchSize: one<FitOptions['batchSize']>('auto', 'full', 1, 7, 64),
      optimizer,
      l2: one(0, 0.7, 1e300),
      loss: one('crossEntropy', 'squaredError'),
      softTargets: one(null, [0.1, 0.9]),
      classWeights: one<[number, number]>([1, 1], [0.3, 2], [1, 1e308]),
      ...(isLinear && random.uniform() < 0.5
        ? { form: 'dual' }
        : {
            clipNorm: one(null, 1e-3, 5),
            averageWeights: one(null, 0.9),
            mixup: one(0, 0, 0.2),
            featureLearningRates: one(null, null, new Float64Array(inputs).fill(1)),
            augmentation: { ...noAugmentation, flipHorizontal: one(true, false), shift: one(0, 0.1) },
          }),
    }),
  );
  expect(wrong).toBeNull();
});

describe('a training that is sound but strange is not taken for a fault', () => {
  const train = async (options: FitOptions) => {
    for await (const _ of fit(options));
  };
  const deep = (activation: ActivationName, depth: number) =>
    Array.from({ length: depth }, () => dense(32, { activation, batchNorm: true }));
  const alike = new Uint8Array(40 * small).fill(99);
  const sound: Record<string, Wishes & { network: Network }> = {
    'batch norm in 24 layers': {
      train: noisePictures(40, { side: 8 }),
      network: { inputs: small, layers: [...deep('relu', 24), output] },
    },
    'batch norm in 50 layers of tanh': {
      train: noisePictures(40, { side: 8 }),
      network: { inputs: small, layers: [...deep('tanh', 50), output] },
    },
    'images that are all alike, with batch norm': {
      network: { inputs: small, layers: [...deep('relu', 2), output] },
      train: { pixels: alike, labels: Uint8Array.from({ length: 40 }, (_, i) => i % 2) },
    },
    'weights of 0': { network: { inputs: small, layers: [dense(5, { init: { name: 'zeros', factor: 0 } }), output] } },
  };
  test.each(Object.entries(sound))('%s', async (_, options) => {
    const all = training({ m: 40, kernels: kernels('float32'), ...options });
    expect(checkStep(all)).toBeNull();
    await train(all);
  });

  const init = { name: 'random', factor: 1e38 } as const;
  const overflowing: Record<string, Wishes & { network: Network }> = {
    'λ of 1e300': { l2: 1e300, network: { inputs: small, layers: [dense(5), output] } },
    'a class weight of 1e308': { classWeights: [1, 1e308], network: { inputs: small, layers: [dense(5), output] } },
    'weights of 1e38': { network: { inputs: small, layers: [dense(5, { init }), { ...output, init }] } },
  };
  test.each(Object.entries(overflowing))('%s is an overflow, told as divergence', async (_, options) => {
    const all = training({ m: 40, kernels: kernels('float32'), ...options });
    expect(checkStep(all)).toBeNull();
    await expect(train(all)).rejects.toMatchObject({ kind: 'diverged' });
  });
});
