import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import type { Examples } from '../../src/data/examples.ts';
import { referenceImages } from '../../src/kernels/image-transform.ts';
import type { Layer } from '../../src/nn/build.ts';
import { refuseWrongStep } from '../../src/training/check-step.ts';
import { type Plan, planTraining } from '../../src/training/plan.ts';
import { stagesOf, workUntil } from '../../src/training/stages.ts';
import { conv } from '../nn/networks.ts';
import { epochsOf, kernels, networkWith, noisePictures, problem, type Wishes } from './problems.ts';

const hidden: Layer[] = [
  conv(4, { activation: 'tanh', init: { name: 'glorot', factor: 0.01 } }),
  { type: 'maxPool', size: 2, stride: 2 },
  { type: 'globalAveragePool', keepProb: 1 },
];
const side = 8;
const train = noisePictures(30, { side });
const network = networkWith(train.features, hidden);
const learningRates = [0.1, 0.1];
const stages = (epochs: number, ...progressive: { side: number; until: number }[]) =>
  stagesOf(progressive, network, { epochs, normalize: 'scale' });

function smaller(examples: Examples, to: number): Examples {
  const out = new Uint8Array(examples.labels.length * to * to * 3);
  const { pixels: bytes, labels } = examples;
  referenceImages.shrinkImages({ bytes, indices: null, count: labels.length, side, smaller: to, out });
  return { ...examples, features: to * to * 3, pixels: out };
}

/** What a training of its own makes of weights. */
async function went(weights: ArrayLike<number> | null, wishes: Wishes): Promise<{ weights: Float64Array; costs: number[] }> {
  const options = problem({ hidden, learningRates, ...wishes });
  if (weights) options.parameters.values.set(weights);
  const costs = (await epochsOf(options)).map(({ cost }) => cost);
  return { weights: Float64Array.from(options.parameters.values), costs };
}

describe('a training with smaller images at first', () => {
  test('is one on pictures of 4 × 4, one on 6 × 6, and one on the whole ones, each with the weights of the one before', async () => {
    const four = await went(null, { train: smaller(train, 4), epochs: 2 });
    const six = await went(four.weights, { train: smaller(train, 6), epochs: 1 });
    const whole = await went(six.weights, { train, epochs: 3 });
    const found = await went(null, { train, epochs: 6, stages: stages(6, { side: 4, until: 0.34 }, { side: 6, until: 0.5 }) });
    expect(found.costs).toEqual([...four.costs, ...six.costs, ...whole.costs]);
    expect(found.weights).toEqual(whole.weights);
  });

  test('takes batches, the last of them smaller, and tells of layers what the last step saw', async () => {
    const options = problem({
      train,
      hidden,
      learningRates,
      epochs: 4,
      batchSize: 7,
      stages: stages(4, { side: 4, until: 0.5 }),
    });
    const events = await epochsOf(options);
    expect(events.map(({ layers }) => layers!.map(({ examples }) => examples))).toEqual(Array(4).fill([2, 2]));
  });

  test('takes steps that the reference takes, at every side', () => {
    const options = problem({ train, hidden, learningRates, epochs: 4, stages: stages(4, { side: 5, until: 0.5 }) });
    expect(() => refuseWrongStep(options)).not.toThrow();
  });

  test('epochs count whole: a share of 0.7 of 75 is 52 of them, 0.29 of 100 is 29', () => {
    expect(stages(75, { side: 4, until: 0.4 }, { side: 6, until: 0.7 }).map(({ lastEpoch }) => lastEpoch)).toEqual([30, 52]);
    expect(stages(100, { side: 4, until: 0.29 })[0]!.lastEpoch).toBe(29);
  });

  test('takes its share of the work: a quarter for half the side', () => {
    const plain = networkWith(train.features, [conv(4), { type: 'globalAveragePool', keepProb: 1 }]);
    const half = stagesOf([{ side: 4, until: 0.5 }], plain, { epochs: 10, normalize: 'scale' });
    expect(workUntil(half, plain, 10)).toBeCloseTo(5 * 0.25 + 5, 1);
    expect(workUntil(half, plain, 4)).toBeCloseTo(4 * 0.25, 1);
    expect(workUntil(half, plain, 5.5)).toBeCloseTo(5 * 0.25 + 0.5, 1);
    expect(workUntil([], plain, 3.5)).toBe(3.5);
  });
});

describe('smaller images are refused', () => {
  const config = (
    training: object,
    layers: object[] = [{ type: 'conv', filters: 4 }, { type: 'globalAveragePool' }],
    data = {},
  ) => checkConfig({ data: { source: { type: 'drawn' }, imageSize: side, ...data }, model: { layers }, training }, 'c.json');
  const planned = (...of: Parameters<typeof config>): Plan => planTraining(config(...of), { train }, kernels);

  test('where weights would depend on the side, with both shapes', () => {
    const progressive = [{ side: 4, until: 0.5 }];
    expect(() => planned({ progressive }, [{ type: 'conv', filters: 2 }, { units: 3 }])).toThrow(
      'training.progressive.0, images of 4 × 4: expected weights that do not depend on the side of an image, found W2 of 3 × 32 here and of 3 × 128 at the whole side',
    );
    expect(() => planned({ progressive }, [])).toThrow('found W1 of 1 × 48 here');
  });

  test('where a layer has no room: a line for each shape, and what helps', () => {
    const layers = [{ type: 'conv', filters: 2, kernel: 5, padding: 'valid' }, { type: 'globalAveragePool' }];
    const training = () => planned({ progressive: [{ side: 4, until: 0.5 }] }, layers);
    expect(training).toThrow(
      expect.objectContaining({
        lines: [
          'training.progressive.0, images of 4 × 4: model.layers.0 (conv): expected an image of at least 5 × 5, found 4 × 4 × 3',
          '  inputs  4 × 4 × 3',
        ],
        hint: expect.stringContaining('larger images'),
      }),
    );
  });

  test('where each pixel has a mean of its own', () => {
    const of = { normalize: 'standardize' };
    expect(() => planned({ progressive: [{ side: 4, until: 0.5 }] }, undefined, of)).toThrow(
      'training.progressive: expected a normalisation that is the same at every pixel, found data.normalize "standardize"',
    );
  });

  test('with the dual form, by its name', () => {
    const training = { progressive: [{ side: 4, until: 0.5 }], form: 'dual' };
    expect(() => planned(training)).toThrow('found "dual", which does not apply');
  });

  test.each([
    [[{ side: 8, until: 0.5 }], 'training.progressive.0.side: expected images smaller than data.imageSize, 8, found 8'],
    [
      [
        { side: 4, until: 0.5 },
        { side: 6, until: 0.5 },
      ],
      'training.progressive.1.until: expected a share of the epochs above that before it, 0.5, found 0.5',
    ],
    [[{ side: 4, until: 1 }], 'training.progressive.0.until'],
  ])('%j', (progressive, message) => {
    expect(() => config({ progressive })).toThrow(message);
  });
});
