import { describe, expect, test } from 'vitest';
import { logits } from '../../src/classifier/classifier.ts';
import { checkConfig } from '../../src/config/load.ts';
import type { Examples } from '../../src/data/examples.ts';
import type { StoredPixels } from '../../src/data/pixels.ts';
import type { Splits } from '../../src/datasets/prepare.ts';
import type { Kernels, Precision } from '../../src/kernels/kernels.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { kernelMemory } from '../../src/kernels/simd/threaded-engine.ts';
import { refuseWrongStep } from '../../src/training/check-step.ts';
import { estimateSeconds } from '../../src/training/estimate.ts';
import { fit } from '../../src/training/fit.ts';
import { sumOf } from '../../src/training/memory.ts';
import { type Plan, planTraining, prepareFit } from '../../src/training/plan.ts';
import { noisePictures } from './problems.ts';

/** What is planned to lie in the memory of the kernels, beside the most that a training took of it. */

interface Case {
  layers: object[];
  training?: object;
  data?: object;
  side?: number;
  train?: number;
  dev?: number;
  /** MiB of memory for pictures that are read; absent where they are in memory */
  room?: number;
  /** whether the check of a step before it is measured too, which takes longer than the training */
  isChecked?: true;
}

const conv = (filters: number, more: object = {}) => ({ type: 'conv', filters, ...more });
const mean = { type: 'globalAveragePool' };
const plain = [conv(24), conv(16), mean];
/** A network that is little beside its images. */
const thin = [conv(2, { kernel: 8, stride: 8 })];
/** A network whose weights are most of it. */
const wide = [conv(8, { stride: 4 }), mean, { units: 1000 }, { units: 200 }];

const cases: Record<string, Case> = {
  'convolutions and a global pool': { layers: plain },
  'a convolution whose patches are most': { layers: [conv(24), conv(2, { kernel: 9 }), mean], training: { batchSize: 2 } },
  'a convolution whose filters are most, transformed': {
    layers: [conv(160, { stride: 4 }), conv(160), mean],
    training: { batchSize: 2 },
    train: 30,
  },
  'batch norm and dropout': {
    isChecked: true,
    layers: [
      conv(16, { batchNorm: true, keepProb: 0.8 }),
      conv(24, { stride: 2, batchNorm: true }),
      { units: 20, keepProb: 0.5 },
    ],
  },
  'residual blocks, one in another': {
    isChecked: true,
    layers: [
      conv(12),
      {
        type: 'residual',
        layers: [conv(12, { batchNorm: true }), { type: 'residual', layers: [conv(12, { kernel: 1 })] }],
        activation: 'relu',
      },
      mean,
    ],
  },
  'max-pools and average-pools': {
    layers: [
      conv(24),
      { type: 'maxPool', size: 2, stride: 1 },
      { type: 'averagePool', size: 3, stride: 2 },
      { ...mean, keepProb: 0.5 },
    ],
  },
  'batches of one': { layers: [conv(64), conv(64), mean], training: { batchSize: 1 }, train: 30 },
  'a full batch': { layers: plain, training: { batchSize: 'full' } },
  'a dev part of many batches': { layers: plain, training: { batchSize: 16 }, dev: 300 },
  AdamW: { isChecked: true, layers: wide, training: { optimizer: { name: 'adamw' } } },
  'an average of the weights, of mirrored images too': {
    layers: wide,
    training: { averageWeights: 0.9, averageMirrored: true, optimizer: { name: 'momentum' } },
  },
  'early stopping and clipping': { layers: wide, training: { earlyStopping: { patience: 1 }, clipNorm: 0.1, l2: 0.1 } },
  'mixed images': { layers: thin, training: { batchSize: 'full', mixup: 0.2 }, side: 32, train: 200 },
  'augmented images': {
    layers: thin,
    training: { batchSize: 'full' },
    data: { augment: { flipHorizontal: true } },
    side: 32,
    train: 200,
  },
  'augmented and mixed images': {
    isChecked: true,
    layers: thin,
    training: { batchSize: 'full', mixup: 0.2 },
    data: { augment: { shift: 0.1 } },
    side: 32,
    train: 200,
  },
  'smaller images at first': {
    isChecked: true,
    layers: plain,
    training: {
      epochs: 3,
      progressive: [
        { side: 8, until: 0.34 },
        { side: 12, until: 0.67 },
      ],
    },
  },
  'images that are read': { isChecked: true, layers: thin, side: 32, train: 500, dev: 300, room: 2 },
  'images that are read, all at once': { layers: thin, side: 32, train: 300, dev: 600, room: 64 },
  'images that are read block by block': {
    layers: thin,
    data: { shuffle: { block: 32, window: 128 } },
    training: { batchSize: 32 },
    side: 32,
    train: 300,
    dev: 50,
    room: 64,
  },
};

/** The same pictures where they are read. */
function stored(examples: Examples, mebibytes: number) {
  const { features, pixels, labels } = examples;
  const readNow: StoredPixels['readNow'] = (rows, out) => {
    for (const [i, row] of rows.entries()) out.set(pixels.subarray(row * features, (row + 1) * features), i * features);
  };
  const read = async (rows: Int32Array, out: Uint8Array) => readNow(rows, out);
  const select = () => expect.fail('not wanted');
  return { ...examples, pixels: { count: labels.length, features, budgetBytes: mebibytes * 2 ** 20, read, readNow, select } };
}

async function prepared(kernels: Kernels, { layers, training, data, side = 16, train = 60, dev = 20, room }: Case) {
  const config = checkConfig(
    {
      data: { source: { type: 'drawn' }, imageSize: side, ...data },
      model: { layers },
      training: { epochs: 1, batchSize: 30, ...training },
    },
    'memory',
  );
  const part = (m: number, seed: number) => {
    const pictures = noisePictures(m, { side, seed });
    return room === undefined ? pictures : stored(pictures, room);
  };
  const parts: Splits = { train: part(train, 1), dev: part(dev, 2) };
  const plan = planTraining(config, parts, kernels);
  return { plan, options: await prepareFit(config, parts, plan, kernels) };
}

const plannedOf = ({ memory }: Plan) => sumOf(memory.filter(({ inKernels }) => inKernels));

/** The most bytes that some work takes of the kernels' memory. */
async function mostTaken(work: () => void | Promise<void>): Promise<number> {
  const most = kernelMemory().measure();
  await work();
  return most();
}

describe.each<Precision>(['float32', 'float64'])('what is planned is within 10%% of what a training in %s takes', (precision) => {
  test.each(Object.entries(cases))('%s', async (_, of) => {
    const { plan, options } = await prepared(kernelsFor(precision), of);
    const planned = plannedOf(plan);
    const trained = await mostTaken(async () => {
      for await (const _ of fit(options));
    });
    expect(trained).toBeGreaterThan(1e6); // so that what is left out of the plan, such as the scaling, is little beside it
    expect(planned / trained).toBeGreaterThan(0.9);
    expect(planned / trained).toBeLessThan(1.1);
    if (of.isChecked && precision === 'float32')
      expect(await mostTaken(() => refuseWrongStep(options))).toBeLessThan(1.1 * planned);
  });
});

test('what a network answers after its training, and how long that is said to take, come without room for many examples', async () => {
  const kernels = kernelsFor('float32');
  const of = { layers: [conv(256, { kernel: 1 }), mean], training: { batchSize: 1 }, side: 32, train: 50, dev: 2 };
  const { plan, options } = await prepared(kernels, of);
  const room = 2 ** 26 + plannedOf(plan);
  expect(50 * 32 * 32 * 256 * 3 * 4).toBeGreaterThan(2 * room); // of all at once
  expect(await mostTaken(() => void estimateSeconds(options))).toBeLessThan(room);
  const { network, parameters, scaling, train } = options;
  const pixels = train.pixels as Uint8Array;
  expect(await mostTaken(() => void logits({ network, parameters, scaling }, kernels, pixels))).toBeLessThan(room);
});

describe('a network that does not fit', () => {
  const [side, filters, m] = [1024, 2048, 4];
  const part = (count: number) => ({
    ...{ features: side * side * 3, pixels: new Uint8Array(count * side * side * 3), names: [], hashes: [] },
    labels: Uint8Array.from({ length: count }, (_, i) => i % 2),
  });
  const parts: Splits = { train: part(m), dev: part(1) };
  const places = side * side;

  test.each<[string, object[], RegExp[]]>([
    [
      'for its batch and its patches',
      [conv(filters), conv(filters), mean],
      [
        // Z, dZ and A of two convolutions, value and gradient of the mean and of the logit
        new RegExp(`a batch of ${m} pictures × ${2 * 3 * places * filters + 2 * filters + 2} numbers × 4 bytes$`, 'm'),
        new RegExp(`patches of a convolution, or filters, transformed: ${places * 9 * filters} numbers × 4 bytes$`, 'm'),
      ],
    ],
    [
      'for its weights',
      [conv(4096, { stride: 1024 }), ...Array.from({ length: 3 }, () => conv(4096, { kernel: 9 })), mean],
      [
        // W and b of four convolutions and of the output; Adam holds two of each beside weights and gradient
        new RegExp(
          `${4096 * (3 * 9 + 1) + 3 * 4096 * (81 * 4096 + 1) + 4097} parameters × 4 \\(weights, gradient, 2 of the optimizer\\) × 4 bytes$`,
          'm',
        ),
      ],
    ],
  ])('%s is refused with its arithmetic before anything is taken', async (_, layers, terms) => {
    const training = { batchSize: m, optimizer: { name: 'adam' } };
    const config = checkConfig({ data: { source: { type: 'drawn' }, imageSize: side }, model: { layers }, training }, 'memory');
    let refusal: unknown;
    const taken = await mostTaken(() => {
      try {
        planTraining(config, parts, kernelsFor('float32'));
      } catch (error) {
        refusal = error;
      }
    });
    expect(refusal).toMatchObject({ kind: 'usage', hint: expect.stringMatching(/model\.layers/) });
    const { message } = refusal as Error;
    expect(message).toMatch(
      /^expected a training within 4\.2 GB, which WebAssembly can address, found one that takes \d+\.\d GB:$/m,
    );
    for (const term of terms) expect(message).toMatch(term);
    expect(taken).toBe(0);
  });
});
