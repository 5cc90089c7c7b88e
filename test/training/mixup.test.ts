import { expect, test } from 'vitest';
import { drawMixing } from '../../src/data/mixup.ts';
import { sigmoid } from '../../src/elementary.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { namedRandom } from '../../src/random.ts';
import { dense } from '../nn/networks.ts';
import { epochsOf, noisePictures, problem, type Wishes } from './problems.ts';

const alpha = 0.8;

async function trained(wishes: Wishes) {
  const options = problem(wishes);
  return { events: await epochsOf(options), weights: [...options.parameters.values] };
}

const largest = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

test('logistic regression on mixed images with class weights and smoothed labels, two steps by hand', async () => {
  const train = noisePictures(9);
  const [low, high] = [0.1, 0.9];
  const weightOf = [0.6, 1.7];
  const { events, weights } = await trained({
    train,
    mixup: alpha,
    softTargets: [low, high],
    classWeights: [0.6, 1.7],
    epochs: 2,
    learningRates: [0.5],
  });
  const start = problem({ train }).parameters.tensors;
  const [w, b] = [[...start['W1']!], [...start['b1']!] as [number]];
  const labels = [...train.labels];
  for (const [step, { cost, train: found }] of events.entries()) {
    const { lambda, partners } = drawMixing(namedRandom(1, 'mixup', step + 1), alpha, 9);
    const mean = (of: (i: number) => number, i: number) => lambda * of(i) + (1 - lambda) * of(partners[i]!);
    const x = labels.map((_, i) =>
      Array.from({ length: 48 }, (_, k) => Math.round(mean((j) => train.pixels[48 * j + k]!, i)) / 255),
    );
    const target = labels.map((_, i) => mean((j) => (labels[j] === 1 ? high : low), i));
    const weight = labels.map((_, i) => mean((j) => weightOf[labels[j]!]!, i));
    const p = x.map((values) => sigmoid(values.reduce((sum, value, k) => sum + w[k]! * value, b[0])));
    const losses = p.map((q, i) => weight[i]! * (-target[i]! * Math.log(q) - (1 - target[i]!) * Math.log(1 - q)));
    expect(cost).toBeCloseTo(losses.reduce((sum, loss) => sum + loss, 0) / 9, 13);
    // the larger share is an image's own: its label is the one that counts
    expect(found.accuracy).toBe(p.filter((q, i) => q > 0.5 === (labels[i] === 1)).length / 9);
    const dz = p.map((q, i) => weight[i]! * (q - target[i]!));
    for (const k of w.keys()) w[k]! -= (0.5 / 9) * dz.reduce((sum, d, i) => sum + d * x[i]![k]!, 0);
    b[0] -= (0.5 / 9) * dz.reduce((sum, d) => sum + d, 0);
  }
  expect(largest(weights, [...w, ...b])).toBeLessThan(1e-13);
});

test('every step mixes anew, and the training images stay as they are', async () => {
  const train = noisePictures(20);
  const before = train.pixels.slice();
  const wishes: Wishes = { train, mixup: alpha, learningRates: [0], epochs: 4 };
  const { events } = await trained(wishes);
  expect(new Set(events.map(({ cost }) => cost)).size).toBe(4);
  expect(train.pixels).toEqual(before);
  expect((await trained(wishes)).events.map(({ cost }) => cost)).toEqual(events.map(({ cost }) => cost));
  const other = await trained({ ...wishes, seed: 2, parameters: problem(wishes).parameters });
  expect(other.events[0]!.cost).not.toBe(events[0]!.cost);
});

test('dev is not mixed', async () => {
  const wishes: Wishes = { dev: noisePictures(11, { seed: 2 }), learningRates: [0], epochs: 1 };
  const [[plain], [mixed]] = [(await trained(wishes)).events, (await trained({ ...wishes, mixup: alpha })).events];
  expect(mixed!.dev).toEqual(plain!.dev);
});

test.each([
  ['logistic regression in one pass over the bytes', [], 'full'],
  ['two layers in batches', [dense(5, { batchNorm: true })], 7],
] as const)('float32 comes to what float64 does: %s', async (_, hidden, batchSize) => {
  const wishes: Wishes = { hidden: [...hidden], batchSize, mixup: alpha, classWeights: [0.5, 2], epochs: 4 };
  const [single, double] = [await trained({ ...wishes, kernels: kernelsFor('float32') }), await trained(wishes)];
  expect(largest(single.weights, double.weights)).toBeLessThan(1e-5);
});
