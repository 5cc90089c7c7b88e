import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Classifier, logits, probability } from '../../src/classifier/classifier.ts';
import { checkConfig } from '../../src/config/load.ts';
import { meanLogit } from '../../src/evaluation/metrics.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import type { Network } from '../../src/nn/build.ts';
import { initialParameters } from '../../src/nn/network.ts';
import { numpyRandom } from '../../src/random.ts';
import { encodeClassifier, loadClassifier } from '../../src/run/model-file.ts';
import { formOf, networkOf } from '../../src/training/plan.ts';
import { dense } from '../nn/networks.ts';
import { epochsOf, noisePictures, problem } from '../training/problems.ts';
import { mirrored } from './mirror-image.ts';

/** Answers that are the mean of those for a picture and for its mirror image. */

const kernels = kernelsFor('float64');
const network: Network = { inputs: 48, layers: [dense(5), dense(1, { activation: 'sigmoid' })] };
const classifier: Classifier = {
  network,
  parameters: initialParameters(network, kernels, numpyRandom(3)),
  precision: 'float64',
  preprocessing: { imageSize: 4, fit: 'cover' },
  normalize: 'scale',
  scaling: { scale: new Float64Array(48).fill(1 / 255), shift: new Float64Array(48) },
  classes: { positive: 'cat', negative: 'noncat' },
  threshold: 0.5,
  loss: 'crossEntropy',
};
const { pixels } = noisePictures(6);

test('a mirror image has the pixels of each row from right to left, each with its colours', () => {
  expect([...mirrored(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), 2)]).toEqual([4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9]);
  expect(mirrored(mirrored(pixels, 4), 4)).toEqual(pixels);
});

test.each([
  [0, 0, 0.5],
  [Math.log(3), -Math.log(3), 0.5],
  [Math.log(9), Math.log(1 / 3), (0.9 + 0.25) / 2],
  [1000, 1000, 1],
  [900, -900, 0.5],
])('the mean of σ(%d) and σ(%d) is %d', (a, b, mean) => {
  expect(probability(meanLogit(a, b))).toBeCloseTo(mean, 14);
  expect(meanLogit(a, b)).toBe(meanLogit(b, a));
});

test('p is the mean of both, in the classifier and in its file', async () => {
  const p = (own: Classifier, bytes: Uint8Array) => Array.from(logits(own, kernels, bytes), probability);
  const [plain, others] = [p(classifier, pixels), p(classifier, mirrored(pixels, 4))];
  const both: Classifier = { ...classifier, averageMirrored: true };
  for (const [i, value] of p(both, pixels).entries()) expect(value).toBeCloseTo((plain[i]! + others[i]!) / 2, 13);
  expect(p(both, mirrored(pixels, 4))).toEqual(p(both, pixels));
  const folder = await mkdtemp(join(tmpdir(), 'nn-mirrored-'));
  try {
    const file = join(folder, 'model.safetensors');
    await writeFile(file, encodeClassifier(both));
    const loaded = (await loadClassifier(file)).classifier;
    expect(loaded.averageMirrored).toBe(true);
    expect(p(loaded, pixels)).toEqual(p(both, pixels));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('dev is evaluated as the model will answer', async () => {
  const dev = noisePictures(20, { seed: 4 });
  const options = problem({
    network,
    train: noisePictures(30),
    dev,
    learningRates: [0.1, 0.1],
    epochs: 1,
    averageMirrored: true,
  });
  const [epoch] = await epochsOf(options);
  const trained: Classifier = { ...classifier, parameters: options.parameters, scaling: options.scaling, averageMirrored: true };
  const costs = Array.from(logits(trained, kernels, dev.pixels), (z, i) => Math.log1p(Math.exp(dev.labels[i] === 1 ? -z : z)));
  expect(epoch!.dev!.cost).toBeCloseTo(costs.reduce((sum, cost) => sum + cost, 0) / 20, 10);
});

test('the dual form, which has no mirror images, is not taken', () => {
  const given = (form: string) =>
    checkConfig({ data: { source: { type: 'drawn' } }, training: { averageMirrored: true, form } }, 'mirrored');
  const pictures = { train: 20, dev: 5 };
  expect(formOf(given('auto'), networkOf(given('auto'), 48), pictures).form).toBe('direct');
  expect(() => formOf(given('dual'), networkOf(given('dual'), 48), pictures)).toThrow(/averageMirrored/);
});
