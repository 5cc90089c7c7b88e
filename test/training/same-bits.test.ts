import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { logits } from '../../src/classifier/classifier.ts';
import type { Pixels, StoredPixels } from '../../src/data/pixels.ts';
import type { Precision } from '../../src/kernels/kernels.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import type { Layer } from '../../src/nn/build.ts';
import { initialParameters, parametersOver } from '../../src/nn/network.ts';
import { namedRandom } from '../../src/random.ts';
import { type FitOptions, fit } from '../../src/training/fit.ts';
import { stagesOf } from '../../src/training/stages.ts';
import type { TrainingState } from '../../src/training/state.ts';
import { conv, dense } from '../nn/networks.ts';
import { networkWith, noisePictures, problem, type Wishes } from './problems.ts';

/**
 * Same seed, same bits: the weights of short trainings on drawn bytes, whatever the machine, the version of Node and the number of
 * threads, streamed or not, stopped or not. The hashes stand in test/golden/same-bits.txt; CONTRIBUTING.md says when they may be
 * renewed, and how. bench/same-bits.mjs does the same for whole configs under several versions of Node.
 */

const side = 16;
const train = noisePictures(240, { side });
const dev = noisePictures(40, { side, seed: 2 });
const inputs = train.features;

const layers = [dense(24, { activation: 'relu', init: { name: 'he', factor: 0.01 } }), dense(5, { activation: 'leakyRelu' })];
const deep = { hidden: layers, batchSize: 100, epochs: 4, l2: 0.1, learningRates: [0.02, 0.02, 0.02] } satisfies Wishes;

const he = { activation: 'relu', init: { name: 'he', factor: 0.01 } } as const;
const pool = { type: 'maxPool', size: 2, stride: 2 } as const;
const images: Layer[] = [
  conv(12, { ...he, kernel: 4, stride: 2, batchNorm: true }),
  {
    type: 'residual',
    layers: [conv(12, { ...he, batchNorm: true }), conv(12, { ...he, activation: 'linear' })],
    activation: 'relu',
  },
  pool,
  conv(20, { ...he, padding: 'valid', keepProb: 0.9 }),
  { type: 'globalAveragePool', keepProb: 0.8 },
];

/** Large enough that threads share the work, short enough for every `npm test`. */
const trainings: Record<string, Wishes & { precision?: Precision }> = {
  'logistic regression': { epochs: 20, schedule: { name: 'cosine' } },
  'three layers': deep,
  'three layers, float64': { ...deep, precision: 'float64' },
  'the dual form, momentum': { ...deep, form: 'dual', batchSize: 'full', optimizer: { name: 'momentum' } },
  'the dual form, float64': { ...deep, form: 'dual', batchSize: 'full', precision: 'float64' },
  'Adam, batch norm, dropout, clipping': {
    ...deep,
    hidden: layers.map((layer) => ({ ...layer, batchNorm: true, keepProb: 0.8 })),
    optimizer: { name: 'adam' },
    clipNorm: 0.5,
  },
  'one cycle, smoothed and mixed labels, averaged weights': {
    ...deep,
    hidden: layers.map((layer) => ({ ...layer, batchNorm: true })),
    optimizer: { name: 'adamw', weightDecay: 0.05 },
    schedule: { name: 'oneCycle', warmup: 0.3 },
    softTargets: [0.05, 0.95],
    mixup: 0.3,
    averageWeights: 0.9,
    learningRates: [0.002, 0.002, 0.002],
  },
  'RMSprop, augmentation, early stopping': {
    ...deep,
    epochs: 2,
    optimizer: { name: 'rmsprop' },
    learningRates: [0.001, 0.001, 0.001],
    augmentation: { flipHorizontal: true, shift: 0.1, rotate: 10, noise: 0.02, brightness: 0.1 },
    earlyStopping: { patience: 1, minDelta: 0 },
    classWeights: [0.8, 1.3],
  },
  'convolution, a residual block, pools, AdamW': {
    ...deep,
    hidden: images,
    epochs: 2,
    optimizer: { name: 'adamw' },
    learningRates: Array(5).fill(0.002),
  },
  'convolution with smaller images at first': {
    ...deep,
    hidden: images,
    epochs: 2,
    stages: stagesOf([{ side: side - 4, until: 0.5 }], networkWith(inputs, images), { epochs: 2, normalize: 'scale' }),
    learningRates: Array(5).fill(0.02),
  },
  'every augmentation but noise': {
    ...deep,
    epochs: 2,
    augmentation: {
      ...{ flipHorizontal: true, flipVertical: true, shift: 0.1, zoom: [0.8, 1.25], rotate: 20, aspect: 0.2 },
      ...{ brightness: 0.1, contrast: 0.2, saturation: 0.4, tint: 0.05 },
    },
  },
};

/** @param hold  what the pixels are kept as; the dual form takes them in memory alone, where `prepareFit` brings them */
type Options = { precision: Precision; threads: number; wishes: Wishes; hold?: ((pixels: Uint8Array) => Pixels) | undefined };

function optionsOf({ precision, threads, wishes, hold = (pixels) => pixels }: Options): FitOptions {
  const network = networkWith(inputs, wishes.hidden ?? []);
  const made = problem({ ...wishes, network, kernels: kernelsOf(precision, threads), train, dev, seed: 7 });
  return { ...made, train: { ...train, pixels: hold(train.pixels) }, dev: { ...dev, pixels: hold(dev.pixels) } };
}

const made = new Map<string, ReturnType<typeof simdKernels>>();
function kernelsOf(precision: Precision, threads: number) {
  const name = `${precision} ${threads}`;
  if (!made.has(name)) made.set(name, simdKernels(precision, threads));
  return made.get(name)!;
}

/** Trains to the end, and the hash of the weights: of their bytes, little end first, as a model file has them. */
async function hashOf(options: FitOptions, from?: TrainingState): Promise<string> {
  for await (const _ of fit(options, { resumeFrom: from }));
  const { buffer, byteOffset, byteLength } = options.parameters.values;
  return shortHash(Buffer.from(buffer, byteOffset, byteLength));
}

const shortHash = (content: Uint8Array | string) => createHash('sha256').update(content).digest('hex').slice(0, 16);

/** Pixels that stay elsewhere until they are asked for, of which there is room for two batches or so. */
function stored(held: Uint8Array): StoredPixels {
  const readNow = (rows: Int32Array, out: Uint8Array) => {
    for (const [i, row] of rows.entries()) out.set(held.subarray(row * inputs, (row + 1) * inputs), i * inputs);
  };
  return {
    count: held.length / inputs,
    features: inputs,
    budgetBytes: 400 * inputs,
    readNow,
    read: async (rows, out) => readNow(rows, out),
    select: (rows) => {
      const some = new Uint8Array(rows.length * inputs);
      readNow(rows, some);
      return stored(some);
    },
  };
}

/** What a training has in its third step. */
async function stopped(options: FitOptions): Promise<TrainingState> {
  let steps = 0;
  for await (const event of fit(options, { shouldCheckpoint: () => ++steps === 3 }))
    if (event.type === 'state') return event.state;
  throw new Error('expected a training of three steps at least');
}

const found = new Map<string, string>();

test.each(Object.entries(trainings))(
  '%s: the same bits with 1, 2 and 4 threads, streamed, and after a stop',
  async (name, given) => {
    const { precision = 'float32', ...wishes } = given;
    const hash = await hashOf(optionsOf({ precision, threads: 1, wishes }));
    for (const threads of [1, 2, 4]) {
      const way = { precision, threads, wishes };
      const first = await hashOf(optionsOf(way)); // its threads start meanwhile
      if (threads > 1) await sleep(100);
      const again = await hashOf(optionsOf(way));
      const streamed = await hashOf(optionsOf({ ...way, hold: wishes.form === 'dual' ? undefined : stored }));
      const resumed = await hashOf(optionsOf(way), await stopped(optionsOf(way)));
      expect({ threads, first, again, streamed, resumed }).toEqual({
        threads,
        first: hash,
        again: hash,
        streamed: hash,
        resumed: hash,
      });
    }
    found.set(name, hash);
  },
);

test.each(['float32', 'float64'] as const)(
  'what a convolutional network answers, %s: the same bits with 1, 2 and 4 threads',
  (precision) => {
    const layers = [16, 24].flatMap((filters): Layer[] => [conv(filters, { ...he, batchNorm: true }), pool]);
    const network = networkWith(inputs, [
      ...layers,
      conv(16, { ...he, batchNorm: true }),
      { type: 'globalAveragePool', keepProb: 1 },
    ]);
    const { values } = initialParameters(network, kernelsOf(precision, 1), namedRandom(1, 'same bits'));
    const parameters = parametersOver(
      network,
      values.map((value, i) => value + (i % 5) / 100),
    );
    const scaling = { scale: new Float64Array(inputs).fill(1 / 64), shift: new Float64Array(inputs).fill(-2) };
    const answers = [1, 2, 4].map((threads) =>
      logits({ network, parameters, scaling }, kernelsOf(precision, threads), dev.pixels),
    );
    for (const other of answers) expect(other).toEqual(answers[0]);
    found.set(`what a convolutional network answers, ${precision}`, shortHash(new Uint8Array(answers[0]!.buffer)));
  },
);

test('the bits are those that are written down', async () => {
  const lines = [...found].map(([name, hash]) => `${hash}  ${name}\n`);
  expect(lines).toHaveLength(Object.keys(trainings).length + 2);
  await expect([`${shortHash(lines.join(''))}  all of them\n`, ...lines].join('')).toMatchFileSnapshot('../golden/same-bits.txt');
});
