import { describe, expect, test } from 'vitest';
import { logits, probability } from '../../src/classifier/classifier.ts';
import { explanationOf, gradientTimesInput, neutralImage, occlude, squaresOf } from '../../src/classifier/explain.ts';
import { type NormalizerName, normalizers } from '../../src/data/normalize.ts';
import { UserError } from '../../src/errors.ts';
import { type Precision, precisions } from '../../src/kernels/kernels.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { dense } from '../nn/networks.ts';
import { cornerClassifier, randomClassifier, randomImages } from './classifiers.ts';

const side = 12;
const picture = randomImages(1, side, 7);
const normalizations = Object.keys(normalizers) as NormalizerName[];

describe.each(Object.keys(precisions) as Precision[])('gradient times input, of weights in %s', (precision) => {
  test.each(normalizations)('logistic regression after %s: parts and b add up to the logit', (normalize) => {
    const classifier = randomClassifier({ side, normalize, precision });
    const { logit, map, sum, occlusion } = gradientTimesInput(classifier, picture, kernelsFor);
    expect(logit).toBe(logits(classifier, kernelsFor(precision), picture)[0]);
    expect(occlusion).toBeNull();
    const { W1, b1 } = classifier.parameters.tensors;
    const { scale, shift } = classifier.scaling;
    const products = Array.from(picture, (byte, k) => W1![k]! * (scale[k]! * byte + shift[k]!));
    for (const [at, part] of map.entries())
      expect(part).toBeCloseTo(products[3 * at]! + products[3 * at + 1]! + products[3 * at + 2]!, 12);
    expect(sum!.bias).toBe(b1![0]);
    expect(sum!.parts + sum!.bias + sum!.remainder).toBeCloseTo(logit, 12);
    expect(Math.abs(sum!.remainder)).toBeLessThan(precision === 'float64' ? 1e-12 : 1e-5);
  });
});

test('a deep network without a bend is linear too: nothing remains; with one something does', () => {
  const remainder = (activation: 'linear' | 'tanh') => {
    const hidden = [dense(5, { activation, batchNorm: true, keepProb: 0.5 }), dense(4, { activation })];
    return Math.abs(gradientTimesInput(randomClassifier({ side, hidden }), picture, kernelsFor).sum!.remainder);
  };
  expect(remainder('linear')).toBeLessThan(1e-12);
  expect(remainder('tanh')).toBeGreaterThan(1e-6);
});

test('weights without a gradient are an error, not a map of nothing', () => {
  const classifier = randomClassifier({ side, normalize: 'none' });
  const { W1 } = classifier.parameters.tensors;
  W1!.fill(0);
  W1![0] = 1e307;
  expect(() => gradientTimesInput(classifier, new Uint8Array(picture.length).fill(255), kernelsFor)).toThrow(UserError);
});

describe('occlusion', () => {
  test.each([
    [64, 8, 4, 15],
    [16, 2, 1, 15],
    [20, 2, 1, 19],
    [100, 12, 6, 16],
    [5, 1, 1, 5],
    [1, 1, 1, 1],
  ])('of side %i: squares of %i, every %i, %i of them, and the last at the edge', (side, square, stride, count) => {
    const found = squaresOf(side);
    expect(found.square).toBe(square);
    expect(found.starts).toHaveLength(count);
    expect(found.starts[0]).toBe(0);
    expect(found.starts.at(-1)).toBe(side - square);
    const steps = found.starts.slice(1).map((start, i) => start - found.starts[i]!);
    for (const step of steps.slice(0, -1)) expect(step).toBe(stride);
    expect(steps.at(-1) ?? 1).toBeLessThanOrEqual(stride);
  });

  test.each(normalizations)('after %s: the byte nearest to 0 after normalisation covers', (normalize) => {
    const { scaling } = randomClassifier({ side, normalize });
    const neutral = neutralImage(scaling);
    const distance = (byte: number, k: number) => Math.abs(scaling.scale[k]! * byte + scaling.shift[k]!);
    for (const [k, byte] of neutral.entries()) {
      for (const other of [byte - 1, byte + 1].filter((one) => one >= 0 && one <= 255))
        expect(distance(byte, k)).toBeLessThanOrEqual(distance(other, k) + 1e-12);
    }
  });

  test.each(Object.keys(precisions) as Precision[])('in %s: each value is the difference of two answers', (precision) => {
    const hidden = [dense(6, { activation: 'relu', batchNorm: true })];
    const classifier = randomClassifier({ side: 18, hidden, precision });
    const pixels = randomImages(1, 18, 5);
    const { logit, map, sum, occlusion } = explanationOf(occlude(classifier, pixels, kernelsFor));
    expect(sum).toBeNull();
    const { square, starts, differences, logitDifferences } = occlusion!;
    const answer = (bytes: Uint8Array) => logits(classifier, kernelsFor(precision), bytes)[0]!;
    expect(logit).toBe(answer(pixels));
    const neutral = neutralImage(classifier.scaling);
    const [sums, counts] = [new Float64Array(18 * 18), new Float64Array(18 * 18)];
    for (const [i, top] of starts.entries()) {
      for (const [j, left] of starts.entries()) {
        const inside = (pixel: number) => {
          const [y, x] = [Math.floor(pixel / 18), pixel % 18];
          return y >= top && y < top + square && x >= left && x < left + square;
        };
        const z = answer(pixels.map((byte, k) => (inside(Math.floor(k / 3)) ? neutral[k]! : byte)));
        const at = i * starts.length + j;
        expect(differences[at]).toBe(probability(logit) - probability(z));
        expect(logitDifferences[at]).toBe(logit - z);
        for (const pixel of sums.keys()) {
          if (!inside(pixel)) continue;
          sums[pixel]! += differences[at]!;
          counts[pixel]!++;
        }
      }
    }
    for (const [pixel, value] of map.entries()) expect(value).toBeCloseTo(sums[pixel]! / counts[pixel]!, 12);
  });
});

describe('a network that sees two corners alone', () => {
  const [side, corner] = [16, 4];
  const white = new Uint8Array(side * side * 3).fill(255);
  const cornerOf = (pixel: number) => {
    const [y, x] = [Math.floor(pixel / side), pixel % side];
    if (y < corner && x < corner) return 1;
    return y >= side - corner && x >= side - corner ? -1 : 0;
  };

  test('gradient: 0.9 in one, −0.6 in the other, 0 else', () => {
    const { logit, map, sum } = gradientTimesInput(cornerClassifier(side, corner), white, kernelsFor);
    for (const [pixel, value] of map.entries()) {
      const expected = { 1: 0.9, [-1]: -0.6, 0: 0 }[cornerOf(pixel)]!;
      expect(value).toBeCloseTo(expected, 12);
    }
    expect(sum!.parts).toBeCloseTo(16 * (0.9 - 0.6), 12);
    expect(logit).toBeCloseTo(16 * 0.3 + 0.25, 12);
  });

  test('occlusion has the same signs, and 0 where no square reaches a corner', () => {
    const { map } = explanationOf(occlude(cornerClassifier(side, corner), white, kernelsFor));
    for (const [pixel, value] of map.entries()) if (cornerOf(pixel) !== 0) expect(Math.sign(value)).toBe(cornerOf(pixel));
    expect(Math.abs(map[0 * side + (side - 1)]!)).toBe(0);
    expect(Math.abs(map[(side / 2) * side + side / 2]!)).toBe(0);
  });
});
