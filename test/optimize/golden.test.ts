import { describe, expect, test } from 'vitest';
import { move, type OptimizerChoice, optimizerOptions, optimizers } from '../../src/optimize/optimizers.ts';
import { type ScheduleChoice, scheduledRate, schedules } from '../../src/optimize/schedules.ts';
import { type GoldenArray, largestError, steps } from '../golden/golden.ts';

const golden = steps.optimizers;

describe('ten steps on ½ Σ c w² are those of NumPy, to 1e-12', () => {
  const cases: [keyof typeof optimizers, OptimizerChoice, string, number][] = [
    ['gradientDescent', { name: 'gradientDescent' }, 'gradient_descent rate 0.05', 0.05],
    ['momentum', { name: 'momentum' }, 'momentum beta 0.9 (v = beta v + (1 - beta) dW), rate 0.05', 0.05],
    ['rmsprop', { name: 'rmsprop' }, 'rmsprop beta2 0.999, epsilon 1e-8 inside the root, rate 0.01', 0.01],
    ['adam', { name: 'adam' }, 'adam beta1 0.9, beta2 0.999, epsilon 1e-8 outside the root, rate 0.01', 0.01],
  ];

  test('no optimizer is left out', () => {
    expect(cases.map(([name]) => name).sort()).toEqual(Object.keys(optimizers).sort());
    expect(Object.keys(golden.steps)).toHaveLength(cases.length);
  });

  test.each(cases)('%s', (name, choice, key, learningRate) => {
    const c: number[] = golden.curvature.data;
    const values = Float64Array.from(golden.start.data);
    const state = Array.from({ length: optimizers[name].slots }, () => new Float64Array(c.length));
    for (const [step, expected] of (golden.steps[key] as GoldenArray[]).entries()) {
      const gradient = values.map((w, i) => c[i]! * w);
      optimizers[name].direct({ gradient, state, start: 0, end: c.length, t: step + 1 }, optimizerOptions(choice));
      move(values, gradient, { start: 0, end: c.length, learningRate, byColumn: null });
      expect(largestError(values, expected.data)).toBeLessThan(1e-12);
    }
  });
});

describe('the rates of ten epochs are those of NumPy', () => {
  const cases: [ScheduleChoice, string][] = [
    [{ name: 'inverseTime', decay: 0.5 }, 'inverseTime, decay 0.5'],
    [{ name: 'exponential', rate: 0.9 }, 'exponential, rate 0.9'],
    [{ name: 'step', every: 3, factor: 0.5 }, 'step, every 3, factor 0.5'],
    [{ name: 'cosine' }, 'cosine, 10 epochs'],
  ];

  test('no schedule is left out', () => {
    expect(['none', ...cases.map(([{ name }]) => name)].sort()).toEqual(Object.keys(schedules).sort());
  });

  test.each(cases)('%o', (choice, key) => {
    const rates = Array.from({ length: 10 }, (_, t) => scheduledRate(0.1, choice, t, 10));
    expect(largestError(rates, steps.schedules[key].data)).toBeLessThan(1e-15);
  });

  test('none', () => {
    expect([0, 1, 9].map((t) => scheduledRate(0.1, { name: 'none' }, t, 10))).toEqual([0.1, 0.1, 0.1]);
  });
});

test('a rate by column multiplies that of each column of W', () => {
  const values = new Float64Array(4);
  const squares = move(values, Float64Array.of(1, 1, 1, 1), {
    start: 0,
    end: 4,
    learningRate: 0.5,
    byColumn: Float64Array.of(1, 3),
  });
  expect([...values]).toEqual([-0.5, -1.5, -0.5, -1.5]);
  expect(squares).toBe(5);
});
