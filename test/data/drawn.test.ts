import { describe, expect, test } from 'vitest';
import {
  type Difficulty,
  type DrawOptions,
  difficulties,
  drawImage,
  drawKind,
  type Kind,
  kinds,
  kindsOf,
  renderImage,
  syntheticLabel,
} from '../../src/data/drawn/draw.ts';
import { penFrom } from '../../src/data/drawn/pen.ts';
import { sigmoid } from '../../src/elementary.ts';
import { numpyRandom } from '../../src/random.ts';

const everyDifficulty = Object.keys(difficulties) as Difficulty[];
const everyKind = Object.keys(kinds) as Kind[];
const small = { imageSize: 16, fit: 'fill' } as const;

function options(index: number, seed = 1, difficulty: Difficulty = 'hard'): DrawOptions {
  return { seed, index, difficulty };
}

describe('a drawn picture', () => {
  test.each(everyDifficulty)('depends on seed and index alone, not on the pictures drawn before it (%s)', (difficulty) => {
    const upwards = [0, 1, 2, 3, 4].map((i) => drawImage(options(i, 1, difficulty)));
    const downwards = [4, 3, 2, 1, 0].map((i) => drawImage(options(i, 1, difficulty))).reverse();
    expect(downwards).toEqual(upwards);
  });

  test('is another one at another index or seed', () => {
    const pictures = [options(0), options(1), options(2 ** 32), options(0, 2)].map((one) => drawImage(one).svg);
    expect(new Set(pictures).size).toBe(4);
  });

  test('can be any of ten million', () => {
    expect(drawImage(options(9_999_999)).svg).toMatch(/^<svg /);
  });

  test.each(everyDifficulty)('carries the label that is known without drawing it (%s)', (difficulty) => {
    for (let i = 0; i < 200; i++) {
      const picture = drawImage(options(i, 3, difficulty));
      expect(picture.label).toBe(syntheticLabel(options(i, 3, difficulty)));
      expect(kindsOf(difficulty, picture.label)).toContain(picture.kind);
    }
  });

  test('is a cat about every second time, in no pattern', () => {
    const isCat = Array.from({ length: 4000 }, (_, i) => syntheticLabel(options(i)) === 'cat');
    const share = (items: boolean[]) => items.filter(Boolean).length / items.length;
    expect(share(isCat)).toBeCloseTo(0.5, 1);
    expect(share(isCat.filter((_, i) => i % 2 === 0))).toBeCloseTo(0.5, 1);
    expect(share(isCat.slice(1).map((cat, i) => cat === isCat[i]))).toBeCloseTo(0.5, 1);
  });

  test('is of every kind in turn', () => {
    const drawn = new Set(Array.from({ length: 1000 }, (_, i) => drawImage(options(i)).kind));
    expect([...drawn].sort()).toEqual([...everyKind].sort());
  });

  test.each(everyDifficulty)('refers to nothing outside itself (%s)', (difficulty) => {
    for (let i = 0; i < 200; i++) {
      const { svg } = drawImage(options(i, 4, difficulty));
      expect(svg).not.toMatch(/href|<image|<style|<!|data:|file:/);
      for (const [, name] of svg.matchAll(/url\(([^)]*)\)/g)) expect(svg).toContain(`id="${name!.slice(1)}"`);
      expect(svg).not.toMatch(/NaN|undefined|Infinity|--|\d\.\d{3}/);
    }
  });
});

describe('rendering', () => {
  test.each(everyKind)('shows %s', async (kind) => {
    const picture = drawKind(penFrom(numpyRandom(1)), kind, 'hard');
    const pixels = await renderImage(picture, { imageSize: 24, fit: 'fill' });
    expect(pixels).toHaveLength(24 * 24 * 3);
    expect(new Set(pixels).size).toBeGreaterThan(20);
    expect(picture.label).toBe(kind.startsWith('cat') ? 'cat' : 'noncat');
  });

  test('gives the same bytes each time', async () => {
    const [first, second] = [await renderImage(drawImage(options(7)), small), await renderImage(drawImage(options(7)), small)];
    expect(second).toEqual(first);
  });

  test('shows the same scene at every size', async () => {
    const picture = { ...drawImage(options(5)), grain: { seed: 1, deviation: 0 } };
    const coarse = await renderImage(picture, small);
    const fine = await renderImage(picture, { imageSize: 128, fit: 'fill' });
    const difference = coarse.reduce((sum, byte, i) => sum + Math.abs(byte - blockMean(fine, i, 128 / 16)), 0) / coarse.length;
    expect(difference).toBeLessThan(4);
  });
});

test.each(everyDifficulty)('the mean colour does not tell %s cats from the others', async (difficulty) => {
  const [colours, labels] = [[] as number[][], [] as number[]];
  for (let i = 0; i < 1000; i++) {
    const picture = drawImage(options(i, 1, difficulty));
    const pixels = await renderImage(picture, small);
    colours.push([0, 1, 2].map((channel) => mean(pixels.filter((_, at) => at % 3 === channel))));
    labels.push(picture.label === 'cat' ? 1 : 0);
  }
  const features = standardised(colours);
  const weights = logisticRegression(features.slice(0, 600), labels.slice(0, 600));
  const isRight = features.slice(600).map((x, i) => logit(weights, x) > 0 === (labels[600 + i] === 1));
  const recall = (label: number) => mean(isRight.filter((_, i) => labels[600 + i] === label).map(Number));
  expect((recall(0) + recall(1)) / 2).toBeLessThan(0.6);
});

/** Mean of the block of a fine picture that lies under byte `at` of one 16 pixels wide. */
function blockMean(fine: Uint8Array, at: number, block: number): number {
  const [row, column, channel] = [Math.floor(at / 48), Math.floor(at / 3) % 16, at % 3];
  const under = Array.from({ length: block * block }, (_, i) => {
    const [y, x] = [row * block + Math.floor(i / block), column * block + (i % block)];
    return fine[(y * 16 * block + x) * 3 + channel]!;
  });
  return mean(under);
}

/** The features and their squares, each with mean 0 and deviation 1. */
function standardised(rows: number[][]): number[][] {
  const wide = rows.map((row) => [...row, ...row.map((value) => value * value)]);
  const columns = wide[0]!.map((_, j) => wide.map((row) => row[j]!));
  const scaled = columns.map((column) => {
    const middle = mean(column);
    const deviation = Math.sqrt(mean(column.map((value) => (value - middle) ** 2)));
    return column.map((value) => (value - middle) / deviation);
  });
  return wide.map((_, i) => scaled.map((column) => column[i]!));
}

/** Weights, the last one the bias, after 1,000 steps of full-batch gradient descent. */
function logisticRegression(rows: number[][], labels: number[]): number[] {
  let weights = new Array<number>(rows[0]!.length + 1).fill(0);
  for (let step = 0; step < 1000; step++) {
    const errors = rows.map((x, i) => sigmoid(logit(weights, x)) - labels[i]!);
    weights = weights.map((weight, j) => weight - mean(errors.map((error, i) => error * (rows[i]![j] ?? 1))));
  }
  return weights;
}

function logit(weights: number[], x: number[]): number {
  return weights.reduce((sum, weight, j) => sum + weight * (x[j] ?? 1), 0);
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}
