import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { evaluateClassifier } from '../../src/classifier/classifier.ts';
import { checkConfig } from '../../src/config/load.ts';
import { everySo } from '../../src/data/batches.ts';
import { contentHash } from '../../src/data/content-hash.ts';
import { packSource } from '../../src/data/packed/write.ts';
import { isStored, type StoredPixels } from '../../src/data/pixels.ts';
import type { Source } from '../../src/data/source.ts';
import { type PreparedData, prepareData } from '../../src/datasets/prepare.ts';
import { cutSpans } from '../../src/datasets/samples.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { refuseWrongStep } from '../../src/training/check-step.ts';
import { classifierOf, crossValidate } from '../../src/training/cross-validation.ts';
import { estimateSeconds } from '../../src/training/estimate.ts';
import { type EpochEvent, fit } from '../../src/training/fit.ts';
import { planTraining, prepareFit } from '../../src/training/plan.ts';
import { findRate } from '../../src/training/rate-finder.ts';
import type { TrainingState } from '../../src/training/state.ts';
import { someOf } from '../thorough.ts';
import { noisePictures } from './problems.ts';

/** Training on pictures that stay on the disk gives the bits of training on pictures in memory. */

const side = 16;
const m = 1500; // 1.15 MB: more than the 1 MiB that some are given

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-streamed-'));
  const { pixels, labels, features } = noisePictures(m, { side });
  const pixelsOf = (i: number) => pixels.subarray(i * features, (i + 1) * features);
  const source: Source = {
    title: 'noise',
    count: m,
    classes: ['cat', 'noncat'],
    name: (i) => `picture ${i}`,
    classOf: (i) => 1 - labels[i]!,
    read: async (i) => ({ pixels: pixelsOf(i), hash: contentHash(pixelsOf(i)) }),
    original: async (i) => ({ pixels: pixelsOf(i), width: side, height: side }),
    notes: [],
  };
  const preprocessing = { imageSize: side, fit: 'cover' } as const;
  const rest = { positive: undefined, description: 'noise', order: 'source', force: false, strict: true } as const;
  await packSource(source, { path: join(folder, 'noise.safetensors'), preprocessing, ...rest });
});
afterAll(() => rm(folder, { recursive: true }));

interface Fields {
  data?: object;
  model?: object;
  training?: object;
  precision?: 'float64';
}

const configOf = ({ data, model = {}, training = {}, ...rest }: Fields, memory: number) =>
  checkConfig(
    {
      ...rest,
      data: {
        source: { type: 'packed', path: 'noise.safetensors' },
        imageSize: side,
        split: { dev: 100, test: 100 },
        memory,
        ...data,
      },
      model,
      training: { epochs: 3, batchSize: 64, learningRate: 0.01, form: 'direct', ...training },
    },
    'test',
  );

const prepare = (config: ReturnType<typeof configOf>) => prepareData({ config, folder, file: 'test' }, { strict: true });

async function optionsOf(config: ReturnType<typeof configOf>, { splits: parts }: PreparedData) {
  const kernels = kernelsFor(config.precision);
  return prepareFit(config, parts, planTraining(config, parts, kernels), kernels);
}

/** All that a training yields, but for how long it took. */
async function trained(fields: Fields, memory: number) {
  const config = configOf(fields, memory);
  const data = await prepare(config);
  const options = await optionsOf(config, data);
  refuseWrongStep(options);
  const epochs: Omit<EpochEvent, 'seconds'>[] = [];
  for await (const event of fit(options)) {
    if (event.type !== 'epoch') continue;
    const { seconds: _, ...rest } = event;
    epochs.push(rest);
  }
  const { parameters, scaling, ...classifier } = await classifierOf(config, data, options);
  const judged = [];
  for (const part of ['train', 'dev', 'test'] as const) {
    judged.push((await evaluateClassifier({ ...classifier, parameters, scaling }, options.kernels, data.splits[part]!)).metrics);
  }
  const stored = isStored(data.splits.train.pixels);
  return { stored, found: { epochs, weights: parameters.values, scaling, threshold: classifier.threshold, judged } };
}

const units = (count: number, more: object = {}) => ({ model: { layers: [{ units: count, ...more }] } });

const trainings: [string, Fields][] = [
  ['logistic regression', {}],
  ['a layer of 64 units', units(64)],
  ['two layers in float64', { model: { layers: [{ units: 8 }, { units: 4, activation: 'tanh' }] }, precision: 'float64' }],
  ['batch norm', units(8, { batchNorm: true })],
  ['dropout', units(8, { keepProb: 0.7 })],
  ['augmentation', { ...units(4), data: { augment: { flipHorizontal: true, shift: 0.1, noise: 0.02, brightness: 0.1 } } }],
  [
    'smaller images at first',
    {
      model: { layers: [{ type: 'conv', filters: 4, batchNorm: true }, { type: 'globalAveragePool' }] },
      training: { progressive: [{ side: 5, until: 0.5 }] },
    },
  ],
  ['early stopping', { ...units(8), training: { earlyStopping: { patience: 1 }, learningRate: 0.5, epochs: 6 } }],
  ['standardised inputs', { data: { normalize: 'standardize' } }],
  [
    'standardised colours, Adam',
    { ...units(4), data: { normalize: 'standardizeChannels' }, training: { optimizer: { name: 'adam' } } },
  ],
  [
    'a rate for each input',
    { data: { normalize: 'mean' }, training: { learningRateByFeature: 'inverseVariance', optimizer: { name: 'momentum' } } },
  ],
  [
    'class weights, L2, clipping and a chosen threshold',
    { ...units(4), training: { classWeight: 'balanced', l2: 1, clipNorm: 0.5, threshold: 'f1' } },
  ],
  ['windows of blocks', { ...units(4), data: { shuffle: { block: 16, window: 200 } } }],
  ['one window', { data: { shuffle: { block: 7, window: 5000 } } }],
  ['a full batch', { training: { batchSize: 'full' } }],
  ['batches of 100, whose last is smaller', { data: { shuffle: { block: 10, window: 130 } }, training: { batchSize: 100 } }],
  ['batches of one picture', { training: { batchSize: 1, epochs: 1 } }],
  ['the dual form, which wants all pictures at once', { training: { form: 'dual', batchSize: 'full' } }],
];

test.each(someOf(trainings))(
  '%s: the same bits with pictures read a batch at a time, some hundreds at a time, and held',
  async (_, fields) => {
    const held = await trained(fields, 1024);
    expect(held.stored).toBe(false);
    for (const memory of [0, 1]) {
      const streamed = await trained(fields, memory);
      expect(streamed.stored).toBe(true);
      expect(streamed.found).toEqual(held.found);
    }
  },
);

test('cross-validation: the same folds, to the bit', async () => {
  const results = [];
  for (const memory of [1024, 0]) {
    const config = configOf({ data: { split: { folds: 3 } }, training: { epochs: 1 } }, memory);
    const data = await prepare(config);
    const events = [];
    for await (const { fold, event } of crossValidate(config, { ...data, folds: data.folds! }, {}, () => {})) {
      if (event.type === 'epoch') events.push({ fold, ...event, seconds: 0 });
    }
    results.push(events);
  }
  expect(results[0]).toHaveLength(3);
  expect(results[1]).toEqual(results[0]);
});

test('a learning rate is found the same', async () => {
  const found = [];
  for (const memory of [1024, 0]) {
    const config = configOf({}, memory);
    for await (const event of findRate(await optionsOf(config, await prepare(config))))
      if (event.type === 'found') found.push(event);
  }
  expect(found[1]).toEqual(found[0]);
});

test('a training that was stopped in the midst of an epoch goes on to the same bits', async () => {
  const fields = { ...units(4, { keepProb: 0.8 }), data: { shuffle: { block: 16, window: 200 } } };
  const whole = await trained(fields, 1024);
  const config = configOf(fields, 0);
  const data = await prepare(config);
  let steps = 0;
  let state: TrainingState | undefined;
  for await (const event of fit(await optionsOf(config, data), { shouldCheckpoint: () => ++steps === 30 })) {
    if (event.type !== 'state') continue;
    state = event.state;
    break;
  }
  const options = await optionsOf(config, data);
  const epochs: EpochEvent[] = [];
  for await (const event of fit(options, { resumeFrom: state })) if (event.type === 'epoch') epochs.push(event);
  expect(options.parameters.values).toEqual(whole.found.weights);
  expect(epochs.map(({ cost }) => cost)).toEqual(whole.found.epochs.slice(-epochs.length).map(({ cost }) => cost));
});

test('a training that is left in the midst of a span leaves no reading behind', async () => {
  const config = configOf({}, 1);
  const options = await optionsOf(config, await prepare(config));
  let reading = 0;
  const pixels = options.train.pixels;
  if (!isStored(pixels)) throw new Error('expected pictures on the disk');
  const watched = {
    ...pixels,
    async read(rows: Int32Array, out: Uint8Array) {
      reading++;
      await pixels.read(rows, out);
      reading--;
    },
  };
  for await (const _ of fit({ ...options, train: { ...options.train, pixels: watched } }, { shouldCheckpoint: () => true }))
    break;
  expect(reading).toBe(0);
});

test('how long it will take is estimated', async () => {
  const config = configOf({}, 0);
  const seconds = estimateSeconds(await optionsOf(config, await prepare(config)));
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThan(60);
});

test('a batch that is too large to be read beside another one is refused', async () => {
  const config = configOf({ training: { batchSize: 'full' } }, 0);
  const { splits: parts } = await prepare(config);
  const many = { ...parts.train, labels: new Uint8Array(10_000_000) };
  const plan = () => planTraining(config, { ...parts, train: many }, kernelsFor('float32'));
  expect(plan).toThrow(/training\.batchSize: expected at most .* found 10000000/);
});

test('a few large pictures, which a step takes all at once, are brought into memory', async () => {
  const config = configOf({ data: { imageSize: 200 }, training: { batchSize: 'auto', epochs: 1 } }, 0);
  const features = 200 * 200 * 3;
  const stored = (count: number): StoredPixels => ({
    count,
    features,
    budgetBytes: 0,
    read: async (rows, out) => {
      for (const [i, row] of rows.entries()) out.fill(row % 200, i * features, (i + 1) * features);
    },
    readNow: () => expect.fail('not wanted'),
    select: () => expect.fail('not wanted'),
  });
  const part = (count: number) => ({
    features,
    pixels: stored(count),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 2),
    names: [],
    hashes: [],
  });
  const parts = { train: part(300), dev: part(10) };
  const kernels = kernelsFor('float32');
  const options = await prepareFit(config, parts, planTraining(config, parts, kernels), kernels);
  const { train, dev } = options;
  if (isStored(train.pixels)) throw new Error('expected pictures in memory');
  expect([train.pixels.length, train.pixels[299 * features]]).toEqual([300 * features, 99]);
  expect(isStored(dev!.pixels)).toBe(true);
});

describe('the spans of a way', () => {
  const way = (length: number, batch: number, window: number, from = 0) => ({
    order: new Int32Array(length),
    ends: everySo(length, window),
    batch,
    from,
  });

  test.each([
    ['end with the batch in which a window ends', way(100, 8, 20), 1000, [24, 40, 64, 80, 100]],
    ['begin where they are told', way(100, 8, 20, 48), 1000, [64, 80, 100]],
    ['hold no more than there is room for', way(100, 8, 50), 20, [16, 32, 48, 56, 72, 88, 100]],
    ['hold a batch at least', way(30, 8, 30), 1, [8, 16, 24, 30]],
    ['are one where it all fits', way(30, 8, 30), 30, [24, 30]],
    ['are one batch where it is all', way(30, 30, 30), 1, [30]],
  ])('%s', (_, spans, most, ends) => {
    const found = cutSpans(spans, most);
    expect(found.map(({ end }) => end)).toEqual(ends);
    expect(found.map(({ first }) => first)).toEqual([spans.from, ...ends.slice(0, -1)]);
  });
});
