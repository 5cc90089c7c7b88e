import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateClassifier } from '../../src/classifier/classifier.ts';
import { losses } from '../../src/nn/losses.ts';
import type { FitOptions } from '../../src/training/fit.ts';
import { classWeightsOf } from '../../src/training/plan.ts';
import { epochsOf, kernels, noisePictures, problem } from './problems.ts';

describe('class weights', () => {
  test('balanced are m / (2 · number of that class), by hand', () => {
    expect(classWeightsOf('balanced', Uint8Array.from([1, 0, 0, 0]))).toEqual([4 / 6, 2]);
    expect(classWeightsOf('balanced', Uint8Array.from([1, 0]))).toEqual([1, 1]);
  });

  test('balanced give both classes the same say, and all examples together m', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 500 }), (negatives, positives) => {
        const labels = Uint8Array.from({ length: negatives + positives }, (_, i) => (i < positives ? 1 : 0));
        const [negative, positive] = classWeightsOf('balanced', labels);
        expect(negative * negatives).toBeCloseTo(labels.length / 2, 9);
        expect(positive * positives).toBeCloseTo(labels.length / 2, 9);
      }),
    );
  });

  test('are 1 by default; a number is what the positive class counts', () => {
    expect(classWeightsOf('none', Uint8Array.from([1, 0, 0]))).toEqual([1, 1]);
    expect(classWeightsOf(7, Uint8Array.from([1, 0, 0]))).toEqual([1, 7]);
  });
});

const rare = noisePictures(120, { positives: 0.1, contrast: 15 });
const rareDev = noisePictures(120, { positives: 0.1, contrast: 15, seed: 2 });

function judged(options: FitOptions, part = rareDev) {
  const classifier = {
    ...options,
    ...({ precision: 'float64', normalize: 'scale', loss: 'crossEntropy', threshold: 0.5 } as const),
    preprocessing: { imageSize: 4, fit: 'cover' } as const,
    classes: { positive: 'cat', negative: 'noncat' },
  };
  return evaluateClassifier(classifier, kernels, part);
}

test('the cost of training is weighted, (1/m) Σ wᵢ Lᵢ; the metrics never are', async () => {
  const options = problem({ train: rare, dev: rareDev, classWeights: [0.5, 20], epochs: 1, learningRates: [0], hidden: [] });
  const [event] = await epochsOf(options);
  const onTrain = await judged(options, rare);
  const loss = (i: number) => losses.crossEntropy.value(onTrain.logits[i]!, rare.labels[i]!);
  const weighted = rare.labels.reduce((sum, y, i) => sum + (y === 1 ? 20 : 0.5) * loss(i), 0) / 120;
  const plain = rare.labels.reduce((sum, _, i) => sum + loss(i), 0) / 120;
  expect(event!.cost).toBeCloseTo(weighted, 13);
  expect(onTrain.metrics.cost).toBeCloseTo(plain, 13);
  const bare = problem({ train: rare, dev: rareDev, epochs: 1, learningRates: [0], hidden: [] });
  const [unweighted] = await epochsOf(bare);
  expect(event!.dev).toEqual(unweighted!.dev);
  expect(event!.train).toEqual(unweighted!.train);
});

test('where cats are rare, balanced weights find more of them', async () => {
  const recallWith = async (classWeight: 'none' | 'balanced') => {
    const wishes = { train: rare, learningRates: [0.1], epochs: 150 };
    const options = problem({ ...wishes, classWeights: classWeightsOf(classWeight, rare.labels) });
    await epochsOf(options);
    return (await judged(options)).metrics.recall!;
  };
  const [none, balanced] = [await recallWith('none'), await recallWith('balanced')];
  expect(none).toBeLessThan(0.5);
  expect(balanced).toBeGreaterThan(none + 0.25);
});

test('a class that counts k times is as if its pictures were there k times', async () => {
  const [train, positives] = [noisePictures(12), noisePictures(12)];
  const doubled = [...train.labels.keys()].flatMap((i) => (positives.labels[i] === 1 ? [i, i, i] : [i]));
  const repeated = {
    pixels: Uint8Array.from(doubled.flatMap((i) => [...train.pixels.subarray(i * 48, (i + 1) * 48)])),
    labels: Uint8Array.from(doubled, (i) => train.labels[i]!),
  };
  const [weighted, copied] = [
    // (1/m) Σ: a rate for 12 pictures against one for as many as the copies make
    problem({ train, classWeights: [1, 3], epochs: 10, learningRates: [0.05] }),
    problem({ train: repeated, epochs: 10, learningRates: [(0.05 * doubled.length) / 12] }),
  ];
  await epochsOf(weighted);
  await epochsOf(copied);
  for (const [i, value] of weighted.parameters.values.entries()) expect(value).toBeCloseTo(copied.parameters.values[i]!, 12);
});
