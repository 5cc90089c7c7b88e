import { describe, expect, test } from 'vitest';
import {
  type Balance,
  blindCost,
  costOscillates,
  guessingCost,
  leaptUp,
  nextDevCourse,
  risesOf,
  startsFar,
  trendOf,
} from '../../src/training/cost-curve.ts';
import { epochsOf, noisePictures, problem } from './problems.ts';

const epochs = (n: number, cost: (epoch: number) => number) => Array.from({ length: n }, (_, i) => cost(i));

const at = (rate: number, autoRate = rate) => ({ learningRates: [rate], autoRate });

describe('a cost', () => {
  test('that goes up and down oscillates: the warning counts the turns, and proposes half the rate', () => {
    const text = costOscillates(
      epochs(41, (i) => 1 + (i % 2)),
      at(0.03),
    );
    expect(text).toMatch(/rose and fell again 20 times in 41 epochs/);
    expect(text).toMatch(/learning rate 0\.03 overshoots.*--set training\.learningRate=0\.015/);
  });

  test('that oscillates at a rate far above the automatic one is not proposed half of it', () => {
    const zigzag = epochs(41, (i) => 1 + (i % 2));
    expect(costOscillates(zigzag, at(1e30, 0.01))).toMatch(/learningRate=0\.1\.$/);
    expect(costOscillates(zigzag, at(0.1, 0.01))).toMatch(/learningRate=0\.05\.$/);
  });

  test.each([
    ['falls throughout', epochs(100, (i) => 1 / (i + 1))],
    ['rises throughout', epochs(100, (i) => i)],
    ['stays', epochs(100, () => 0.5)],
    ["rises once, for 54 epochs, as the course's does", epochs(200, (i) => (i < 54 ? 0.69 + i * 0.004 : 0.9 - i * 0.001))],
    ['turns nine times', epochs(20, (i) => (i < 19 ? i % 2 : 0))],
    ['zigzags at first, and then falls', epochs(100, (i) => (i < 60 ? 1 + (i % 2) : 1 / i))],
    ['turns now and then', epochs(200, (i) => (i % 10 === 0 ? 1 : 0.5))],
  ])('that %s does not', (_, costs) => {
    expect(costOscillates(costs, at(0.1))).toBeNull();
  });
});

test('gradient descent that overshoots is told so, and is not where the rate is ten times smaller', async () => {
  const costsAt = async (rate: number) =>
    (await epochsOf(problem({ train: noisePictures(30, { contrast: 5 }), learningRates: [rate], epochs: 60 }))).map(
      ({ cost }) => cost,
    );
  // the curvature is at most ¼ ‖x‖², about ¼ · 48 · ½² = 3: a rate above 2/3 may overshoot, 2 does
  expect(costOscillates(await costsAt(2), at(2))).toMatch(/oscillates/);
  expect(costOscillates(await costsAt(0.2), at(0.2))).toBeNull();
});

describe('the cost of guessing', () => {
  const balance = (changes: Partial<Balance> = {}): Balance => ({
    loss: 'crossEntropy',
    counts: [50, 50],
    weights: [1, 1],
    ...changes,
  });

  test('is ln 2, or 1/8 by squared error; weights count in it', () => {
    expect(guessingCost(balance())).toBeCloseTo(Math.LN2, 12);
    expect(guessingCost(balance({ counts: [90, 10] }))).toBeCloseTo(Math.LN2, 12);
    expect(guessingCost(balance({ loss: 'squaredError' }))).toBeCloseTo(1 / 8, 12);
    expect(guessingCost(balance({ counts: [90, 10], weights: [1, 11] }))).toBeCloseTo(2 * Math.LN2, 12);
  });

  test('and that of seeing nothing, without weights: of ½, or of the answer that weights draw it to', () => {
    expect(blindCost(balance())).toBeCloseTo(Math.LN2, 12);
    expect(blindCost(balance({ counts: [90, 10] }))).toBeCloseTo(Math.LN2, 12); // 0.1 for all would cost less
    // as many of both, the positive ones counting 9 times: 0.9 for all
    expect(blindCost(balance({ weights: [1, 9] }))).toBeCloseTo(-(Math.log(0.9) + Math.log(0.1)) / 2, 12);
    expect(blindCost(balance({ loss: 'squaredError', weights: [1, 9] }))).toBeCloseTo((0.5 * (0.81 + 0.01)) / 2, 12);
    expect(blindCost(balance({ counts: [0, 10] }))).toBeCloseTo(Math.LN2, 12);
  });

  test('a first cost far above it is told, with what to change', () => {
    for (const cost of [0, Math.LN2, 2, 6.9]) expect(startsFar(cost, balance())).toBeNull();
    expect(startsFar(1816.2, balance())).toMatch(
      /the cost starts at 1816, where 0\.69 is that of guessing: .*--set model\.init=auto/,
    );
  });

  test('by weights and by squared error it is another cost that is far', () => {
    const weighted = balance({ weights: [1, 20] });
    expect(startsFar(guessingCost(weighted), weighted)).toBeNull(); // 7.3
    expect(startsFar(80, weighted)).toMatch(/where 7\.3 is that of guessing/);
    const squared = balance({ loss: 'squaredError' });
    expect(startsFar(0.15, squared)).toBeNull();
    expect(startsFar(0.25, squared)).toMatch(/starts at 0\.2500, where 0\.13/); // half of them wrong, and certain
  });

  test('what leaps up is what steps brought there', () => {
    const costs = [0.7, 60, 40, 30];
    expect(leaptUp(costs, balance(), { startedNear: true })).toBe(true);
    expect(leaptUp([2, 1.5, 1.2], balance(), { startedNear: true })).toBe(false);
    // mini-batches: the first epoch's mean holds the damage already, unless the first weights did it
    expect(leaptUp([60, 40, 30], balance(), { startedNear: true })).toBe(true);
    expect(leaptUp([60, 40, 30], balance(), { startedNear: false })).toBe(false);
    expect(leaptUp([60, 200, 30], balance(), { startedNear: false })).toBe(true);
    expect(leaptUp([0.13, 0.26], balance({ loss: 'squaredError' }), { startedNear: true })).toBe(true);
  });
});

describe('where a cost goes in the end', () => {
  const noise = (i: number) => Math.sin(i * i * 12.9898); // of no pattern that a mean over ten would show

  test.each([
    ['falls steadily', epochs(100, (i) => 1 / (1 + i)), 'falling'],
    ['falls slowly', epochs(100, (i) => 1 - 0.002 * i), 'falling'],
    ['falls under noise', epochs(100, (i) => 2 - 0.01 * i + 0.05 * noise(i)), 'falling'],
    ['has come to rest', epochs(100, (i) => 0.5 + Math.exp(-i / 5)), 'level'],
    ['falls by a thousandth', epochs(100, (i) => 0.6 - 0.00001 * i), 'level'],
    ['is noise alone', epochs(100, (i) => 0.7 + 0.1 * noise(i)), 'level'],
    ['jumps', epochs(100, (i) => 70 + 30 * noise(i)), 'level'],
    ['rises', epochs(100, (i) => 0.2 + 0.01 * i), 'rising'],
    ['fell, and rises again', epochs(100, (i) => Math.abs(i - 50) / 50 + 0.1), 'rising'],
    ['stays', epochs(100, () => 0.69), 'level'],
    ['falls for four epochs', [1, 0.9, 0.8, 0.7], 'falling'],
    ['is of three epochs', [1, 0.9, 0.8], null],
    ['is of one epoch', [1], null],
  ] as const)('%#: that %s', (_, costs, trend) => {
    expect(trendOf(costs)).toBe(trend);
  });

  test('its rises are measured, its falls are not', () => {
    expect(risesOf(epochs(100, (i) => 1000 / (i + 1)))).toBe(0);
    expect(risesOf(epochs(100, (i) => i % 2))).toBeCloseTo(Math.SQRT1_2, 1); // up by 1, every other time
    expect(risesOf([1, 2, 3])).toBe(0);
  });
});

test('looks at dev leave the least cost, its epoch, and the last', () => {
  const seen = [0.7, 0.5, 0.4, 0.4, 0.6].reduce(
    (course, cost, i) => nextDevCourse(course, i + 1, cost),
    null as ReturnType<typeof nextDevCourse> | null,
  );
  expect(seen).toEqual({ leastCost: 0.4, leastEpoch: 3, lastCost: 0.6 });
});
