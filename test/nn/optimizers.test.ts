import { describe, expect, test } from 'vitest';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import {
  type OptimizerChoice,
  type OptimizerName,
  optimizerOptions,
  optimizerStep,
  optimizers,
} from '../../src/nn/optimizers.ts';
import { type ScheduleChoice, scheduledRate, schedules } from '../../src/nn/schedules.ts';
import { numpyRandom } from '../../src/random.ts';
import { type GoldenArray, largestError, steps } from '../golden/golden.ts';

const golden = steps.optimizers;

describe('ten steps on ½ Σ c w² are those of NumPy, to 1e-12', () => {
  const cases: [keyof typeof optimizers, OptimizerChoice, string, number][] = [
    ['gradientDescent', { name: 'gradientDescent' }, 'gradient_descent rate 0.05', 0.05],
    ['momentum', { name: 'momentum' }, 'momentum beta 0.9 (v = beta v + (1 - beta) dW), rate 0.05', 0.05],
    ['rmsprop', { name: 'rmsprop' }, 'rmsprop beta2 0.999, epsilon 1e-8 inside the root, rate 0.01', 0.01],
    ['adam', { name: 'adam' }, 'adam beta1 0.9, beta2 0.999, epsilon 1e-8 outside the root, rate 0.01', 0.01],
    [
      'adamw',
      { name: 'adamw', weightDecay: 0.1 },
      'adamw beta1 0.9, beta2 0.999, epsilon 1e-8 outside the root, weight decay 0.1, rate 0.01',
      0.01,
    ],
  ];

  test('no optimizer is left out', () => {
    expect(cases.map(([name]) => name).sort()).toEqual(Object.keys(optimizers).sort());
    expect(Object.keys(golden.steps)).toHaveLength(cases.length);
  });

  describe.each([
    ['the reference', referenceKernels('float64')],
    ['WebAssembly', kernelsFor('float64')],
  ])('by %s', (_, kernels) => {
    test.each(cases)('%s', (name, choice, key, learningRate) => {
      const c: number[] = golden.curvature.data;
      const parameters = weights(golden.start.data);
      const moments = optimizers[name].moments.map(() => new Float64Array(c.length));
      const state = { name, options: optimizerOptions(choice), moments };
      for (const [step, expected] of (golden.steps[key] as GoldenArray[]).entries()) {
        const gradient = parameters.values.map((w, i) => c[i]! * w);
        const group = { start: 0, end: c.length, featureRates: null };
        optimizerStep(kernels, { ...state, t: step + 1 }, parameters, gradient, group, learningRate);
        expect(largestError(parameters.values, expected.data)).toBeLessThan(1e-12);
      }
    });
  });
});

/** One tensor of weights. */
function weights(start: ArrayLike<number>) {
  const values = Float64Array.from(start);
  const { length } = values;
  const spec = { name: 'W1', shape: [1, length], layer: 0, offset: 0, length, decayed: true, trained: true } as const;
  return { values, specs: [spec] };
}

describe('the rates of ten epochs are those of NumPy', () => {
  const cases: [ScheduleChoice, string][] = [
    [{ name: 'inverseTime', decay: 0.5 }, 'inverseTime, decay 0.5'],
    [{ name: 'exponential', rate: 0.9 }, 'exponential, rate 0.9'],
    [{ name: 'step', every: 3, factor: 0.5 }, 'step, every 3, factor 0.5'],
    [{ name: 'cosine' }, 'cosine, 10 epochs'],
    [{ name: 'oneCycle', warmup: 0.25 }, 'oneCycle, warmup 0.25, 10 steps'],
  ];

  test('no schedule is left out', () => {
    expect(['none', ...cases.map(([{ name }]) => name)].sort()).toEqual(Object.keys(schedules).sort());
  });

  /** Of ten epochs of a step each. */
  const placeAt = (t: number) => ({ t, epochs: 10, step: t, steps: 10 });

  test.each(cases)('%o', (choice, key) => {
    const rates = Array.from({ length: 10 }, (_, t) => scheduledRate(0.1, choice, placeAt(t)));
    expect(largestError(rates, steps.schedules[key].data)).toBeLessThan(1e-15);
  });

  test('none', () => {
    expect([0, 1, 9].map((t) => scheduledRate(0.1, { name: 'none' }, placeAt(t)))).toEqual([0.1, 0.1, 0.1]);
  });
});

describe('one cycle', () => {
  const rates = (warmup: number, steps: number) =>
    Array.from({ length: steps }, (_, step) => scheduledRate(1, { name: 'oneCycle', warmup }, { t: 0, epochs: 1, step, steps }));

  test('comes to the whole rate in the last step of its warmup, keeps it for one, and falls', () => {
    // w = ⌈0.3 · 6⌉ = 2: (1 − cos(π/2))/2, (1 − cos π)/2, then a quarter of a half turn a step
    const expected = [0.5, 1, 1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2];
    expect(largestError(rates(0.3, 6), expected)).toBeLessThan(1e-15);
  });

  test('without a warmup it only falls, and with nothing else it only rises', () => {
    expect(largestError(rates(0, 2), [1, 0.5])).toBeLessThan(1e-15);
    expect(largestError(rates(1, 2), [0.5, 1])).toBeLessThan(1e-15);
  });
});

test('a rate by feature multiplies that of each column of W', () => {
  const parameters = weights(new Float64Array(4));
  const state = { name: 'gradientDescent', options: optimizerOptions({ name: 'gradientDescent' }), moments: [], t: 1 } as const;
  const group = { start: 0, end: 4, featureRates: Float64Array.of(1, 3) };
  const squares = optimizerStep(referenceKernels('float64'), state, parameters, Float64Array.of(1, 1, 1, 1), group, 0.5);
  expect([...parameters.values]).toEqual([-0.5, -1.5, -0.5, -1.5]);
  expect(squares).toBe(5);
});

test('weight decay is for weights alone, and shrinks them by a share of the rate', () => {
  const { values, specs } = weights([2, 2]);
  const bias = { ...specs[0]!, name: 'b1', shape: [1, 1], offset: 1, length: 1, decayed: false } as const;
  const parameters = { values, specs: [{ ...specs[0]!, length: 1 }, bias] };
  const state = {
    name: 'adamw' as const,
    options: optimizerOptions({ name: 'adamw', weightDecay: 0.3 }),
    moments: [new Float64Array(2), new Float64Array(2)],
    t: 1,
  };
  const group = { start: 0, end: 2, featureRates: null };
  optimizerStep(kernelsFor('float64'), state, parameters, new Float64Array(2), group, 0.1);
  expect([...values]).toEqual([2 * (1 - 0.1 * 0.3), 2]);
});

describe('what a step leaves in the gradient', () => {
  test.each(Object.keys(optimizers) as OptimizerName[])('%s: ΔW = −α · it, by any kernels', (name) => {
    const random = numpyRandom(3);
    const start = Float64Array.from({ length: 1010 }, () => random.normal());
    const draws = Array.from({ length: 5 }, () => Float64Array.from({ length: 1010 }, () => random.normal()));
    const found = [referenceKernels('float64'), kernelsFor('float64')].map((kernels) => {
      const parameters = weights(start);
      const moments = optimizers[name].moments.map(() => new Float64Array(1010));
      for (const [t, draw] of draws.entries()) {
        const before = parameters.values.slice();
        const gradient = draw.slice();
        const state = { name, options: optimizerOptions({ name }), moments, t: t + 1 };
        optimizerStep(kernels, state, parameters, gradient, { start: 3, end: 1003, featureRates: null }, 0.05);
        const moved = Float64Array.from(gradient, (value, i) => (i < 3 || i >= 1003 ? 0 : -0.05 * value));
        expect(
          largestError(
            parameters.values.map((value, i) => value - before[i]!),
            moved,
          ),
        ).toBeLessThan(1e-12);
      }
      return parameters.values;
    });
    expect(largestError(found[1]!, found[0]!)).toBeLessThan(1e-13);
  });
});
