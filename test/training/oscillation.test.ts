import { describe, expect, test } from 'vitest';
import { costOscillates } from '../../src/training/oscillation.ts';
import { epochsOf, noisePictures, problem } from './problems.ts';

const epochs = (n: number, cost: (epoch: number) => number) => Array.from({ length: n }, (_, i) => cost(i));

describe('a cost', () => {
  test('that goes up and down oscillates: the warning counts the turns, and proposes half the rate', () => {
    const text = costOscillates(
      epochs(41, (i) => 1 + (i % 2)),
      0.03,
    );
    expect(text).toMatch(/rose and fell again 20 times in 41 epochs/);
    expect(text).toMatch(/learning rate 0\.03 overshoots.*--set training\.learningRate=0\.015/);
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
    expect(costOscillates(costs, 0.1)).toBeNull();
  });
});

test('gradient descent that overshoots is told so, and is not where the rate is ten times smaller', async () => {
  const costsAt = async (rate: number) =>
    (await epochsOf(problem({ train: noisePictures(30, { contrast: 5 }), learningRates: [rate], epochs: 60 }))).map(
      ({ cost }) => cost,
    );
  // the curvature is at most ¼ ‖x‖², about ¼ · 48 · ½² = 3: a rate above 2/3 may overshoot, 2 does
  expect(costOscillates(await costsAt(2), 2)).toMatch(/oscillates/);
  expect(costOscillates(await costsAt(0.2), 0.2)).toBeNull();
});
