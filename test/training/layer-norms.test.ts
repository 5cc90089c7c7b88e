import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { prepareData } from '../../src/datasets/prepare.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import type { Layer, LayerOf } from '../../src/nn/build.ts';
import type { LayerNorms } from '../../src/results/journal.ts';
import { costOscillates } from '../../src/training/cost-curve.ts';
import type { FitOptions } from '../../src/training/fit.ts';
import { fitOptions, planTraining } from '../../src/training/plan.ts';
import { type GradientWatch, gradientWatch, leastForBatchNorm } from '../../src/training/watch.ts';
import { configsPath } from '../cli.ts';
import { dense } from '../nn/networks.ts';
import { sharedData, withoutShared } from '../shared.ts';
import { epochsOf, noisePictures, problem, type Wishes } from './problems.ts';

const repeat = (n: number, layer: (l: number) => Layer) => Array.from({ length: n }, (_, l) => layer(l));
const scaled = (factor: number) => ({ name: 'random', factor }) as const;

/** What is said of a training, and when. */
async function warnings(wishes: Wishes): Promise<string[]> {
  const options = problem(wishes);
  const watch = watchOf(options);
  return (await epochsOf(options)).flatMap(({ epoch, layers }) => (layers ? watch.look(epoch, layers) : []));
}

function watchOf({ train, network }: FitOptions) {
  return gradientWatch({
    examples: train.labels.length,
    batchNorm: network.layers.some((layer) => 'batchNorm' in layer && layer.batchNorm),
  });
}

/** Of looks at batches of 100 out of many. */
const watchMany = (batchNorm = false) => gradientWatch({ examples: 1e6, batchNorm });

describe('the norms of a layer', () => {
  test('are those of its gradient, step, weights and outputs in the last step', async () => {
    const options = problem({ hidden: [dense(3, { activation: 'relu' })], epochs: 1, learningRates: [0.1, 0.1] });
    const [first, last] = ['W1', 'W2'].map((name) => options.parameters.tensors[name]!.slice());
    const { train, scaling } = options;
    const x = (i: number, k: number) => train.pixels[i * 48 + k]! * scaling.scale[k]!;
    const m = train.labels.length;
    const hidden = Array.from({ length: m * 3 }, (_, at) => {
      const [i, u] = [Math.floor(at / 3), at % 3];
      return Math.max(
        0,
        Array.from({ length: 48 }, (_, k) => first![u * 48 + k]! * x(i, k)).reduce((a, b) => a + b),
      );
    });
    const logits = Array.from({ length: m }, (_, i) => [0, 1, 2].reduce((z, u) => z + last![u]! * hidden[i * 3 + u]!, 0));
    const [event] = await epochsOf(options);
    const size = (values: readonly number[]) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
    const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
    for (const [l, outputs] of [hidden, logits].entries()) {
      const norms = event!.layers![l]!;
      const weights = options.parameters.tensors[`W${l + 1}`]!;
      const moved = weights.map((value, i) => value - [first, last][l]![i]!);
      expect(norms.updateNorm).toBeCloseTo(Math.sqrt(moved.length) * size([...moved]), 12);
      expect(norms.gradientNorm).toBeCloseTo(norms.updateNorm / 0.1, 12);
      expect(norms.weightNorm).toBeCloseTo(Math.sqrt(weights.length) * size([...weights]), 12);
      expect(norms.activationMean).toBeCloseTo(mean(outputs), 12);
      expect(norms.activationSize).toBeCloseTo(size(outputs), 12);
      expect(norms.zeros).toBeCloseTo(outputs.filter((value) => value === 0).length / outputs.length, 12);
    }
  });

  test('are not made where nobody looks at them, and the weights are the same', async () => {
    const [seen, unseen] = [undefined, false].map((measuresNorms) => ({
      ...problem({ hidden: [dense(3)], epochs: 3, learningRates: [0.1, 0.1] }),
      ...(measuresNorms === false && { measuresNorms }),
    }));
    expect((await epochsOf(seen!)).map(({ layers }) => layers?.length)).toEqual([2, 2, 2]);
    expect((await epochsOf(unseen!)).map(({ layers }) => layers)).toEqual([null, null, null]);
    expect(unseen!.parameters.values).toEqual(seen!.parameters.values);
  });

  test.each([
    ['2^l', 2],
    ['2^−l', 0.5],
  ])("of the notes' deep linear network: its outputs grow as %s", async (_, gain) => {
    const units = 64;
    const depth = 12;
    const hidden = repeat(depth, (l) =>
      dense(units, { activation: 'linear', init: scaled(gain / Math.sqrt(l === 0 ? 48 : units)) }),
    );
    const [event] = await epochsOf(problem({ hidden, epochs: 1, learningRates: hidden.concat(dense(1)).map(() => 0) }));
    const sizes = event!.layers!.slice(0, depth).map(({ activationSize }) => activationSize);
    // each layer multiplies the size by gain, but for chance: of 64 units, by about √(2/64)/2 = 9%
    for (const [l, size] of sizes.slice(1).entries()) expect(Math.abs(size / sizes[l]! / gain - 1)).toBeLessThan(0.4);
    const perLayer = (sizes[depth - 1]! / sizes[0]!) ** (1 / (depth - 1));
    expect(Math.abs(perLayer / gain - 1)).toBeLessThan(0.1);
  });
});

describe('in words', () => {
  test('gradients that vanish: a deep network of sigmoids with small weights', async () => {
    const hidden = repeat(5, () => dense(8, { activation: 'sigmoid', init: scaled(0.1) }));
    const said = await warnings({ hidden, epochs: 10, learningRates: repeat(6, () => dense(1)).map(() => 0.1) });
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^by epoch 3: gradients vanish: .*1000 times slower.*Remedies: .*xavier.*relu.*batchNorm/);
  });

  test('gradients that explode: a deep network of tanh with large weights', async () => {
    const units = 40;
    const hidden = repeat(25, (l) => dense(units, { init: scaled(6 / Math.sqrt(l === 0 ? 48 : units)) }));
    const said = await warnings({ hidden, epochs: 10, learningRates: repeat(26, () => dense(1)).map(() => 1e-9) });
    expect(said.join()).toMatch(/^by epoch 3: gradients explode: .*1000 times faster.*Remedies: .*clipNorm/);
  });

  test('a layer of ReLU that is dead', async () => {
    const options = problem({
      hidden: [dense(6, { activation: 'relu' }), dense(4, { activation: 'relu' })],
      epochs: 10,
      learningRates: [0.1, 0.1, 0.1],
    });
    options.parameters.tensors['b2']!.fill(-100);
    const watch = watchOf(options);
    const said = (await epochsOf(options)).flatMap(({ epoch, layers }) => watch.look(epoch, layers!));
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^by epoch 3: a hidden layer gives 0 for every picture.*Remedies: .*leakyRelu/);
  });

  test('below a dead layer nothing else is said', () => {
    const watch = watchMany();
    const norms = {
      examples: 100,
      gradientNorm: 1,
      weightNorm: 1,
      updateNorm: 1,
      activationMean: 1,
      activationSize: 1,
      zeros: 0,
    };
    const layers = [{ ...norms, gradientNorm: 0, updateNorm: 0, zeros: 1 }, norms];
    expect([1, 2, 3, 4].flatMap((epoch) => watch.look(epoch, layers))).toEqual([
      expect.stringContaining('a hidden layer gives 0'),
    ]);
    const alive = [{ ...norms, updateNorm: 1e-6 }, norms];
    expect([5, 6, 7].flatMap((epoch) => watch.look(epoch, alive))).toEqual([expect.stringContaining('gradients vanish')]);
  });

  test.each([
    ['ReLU from he', { activation: 'relu', init: { name: 'he', factor: 0 } }],
    ['leaky ReLU from he', { activation: 'leakyRelu', init: { name: 'he', factor: 0 } }],
    ['tanh from xavier', { activation: 'tanh', init: { name: 'xavier', factor: 0 } }],
    ['ReLU with batch norm and dropout', { activation: 'relu', batchNorm: true, keepProb: 0.8 }],
  ] as [string, Partial<LayerOf<'dense'>>][])('nothing of a healthy network: %s', async (_, layer) => {
    const hidden = [dense(12, layer), dense(8, layer), dense(4, layer)];
    expect(await warnings({ hidden, epochs: 100, learningRates: [0.05, 0.05, 0.05, 0.05] })).toEqual([]);
  });

  test('nothing of logistic regression from zeros', async () => {
    expect(await warnings({ hidden: [], epochs: 20, train: noisePictures(20) })).toEqual([]);
  });

  const layer = (updateNorm: number, zeros = 0): LayerNorms => ({
    updateNorm,
    zeros,
    ...{ examples: 100, gradientNorm: 1, weightNorm: 1, activationMean: 0, activationSize: 1 },
  });
  const told = (looks: LayerNorms[][]) => {
    const watch = watchMany();
    return looks.map((layers, i) => watch.look(i + 1, layers).length);
  };

  test('each thing once, after three looks on end', () => {
    const [ill, well] = [
      [layer(1e-6), layer(1)],
      [layer(1), layer(1)],
    ];
    expect(told([ill, ill, well, ill, ill, ill, ill, ill])).toEqual([0, 0, 0, 0, 0, 1, 0, 0]);
    expect(told([ill, ill, ill, well, ill, ill, ill, ill])).toEqual([0, 0, 1, 0, 0, 0, 0, 0]);
  });

  describe('by batches that are large enough to tell', () => {
    const ill = (examples: number): LayerNorms[] => [
      { ...layer(1e-6, 1), examples },
      { ...layer(1), examples },
    ];
    const saidBy = (watch: GradientWatch, looks: readonly number[]) =>
      looks.map((examples, i) => watch.look(i + 1, ill(examples)).length);

    test('the last batch of an epoch may hold one picture: many of them must agree', () => {
      expect(saidBy(watchMany(), Array(95).fill(1))).toEqual(Array(95).fill(0));
      expect(saidBy(watchMany(), Array(97).fill(1)).indexOf(1)).toBe(95);
      expect(saidBy(watchMany(), [64, 64, 64])).toEqual([0, 0, 1]);
    });

    test('a look that does not hold begins the count again', () => {
      const watch = watchMany();
      expect(saidBy(watch, [90])).toEqual([0]);
      watch.look(2, [layer(1), layer(1)]);
      expect(saidBy(watch, [30, 30, 30, 30])).toEqual([0, 0, 0, 1]);
    });

    test('all pictures there are, however few, are enough', () => {
      expect(saidBy(gradientWatch({ examples: 5, batchNorm: false }), [5, 5, 5])).toEqual([0, 0, 1]);
    });

    test('with batch norm a small batch tells nothing: neither for nor against', () => {
      expect(saidBy(watchMany(true), Array(200).fill(leastForBatchNorm - 1))).toEqual(Array(200).fill(0));
      expect(saidBy(gradientWatch({ examples: 5, batchNorm: true }), Array(50).fill(5))).toEqual(Array(50).fill(0));
      const watch = watchMany(true);
      expect(saidBy(watch, [48, 1, 1, 48, 2, 48])).toEqual([0, 0, 0, 0, 0, 1]);
    });

    test.each([
      ['a last batch of one picture', { train: noisePictures(65), batchSize: 16 }],
      ['batches of two', { train: noisePictures(40), batchSize: 2 }],
      ['few pictures in all', { train: noisePictures(6), batchSize: 'full' }],
    ] as [string, Wishes][])('batch norm over %s raises no alarm about a network that is sound', async (_, wishes) => {
      const hidden = [dense(3, { activation: 'relu', batchNorm: true }), dense(2, { activation: 'relu', batchNorm: true })];
      expect(await warnings({ hidden, epochs: 40, learningRates: [0.05, 0.05, 0.05], ...wishes })).toEqual([]);
    });

    test('what a checkpoint of 0.1.0 remembers, which counted no pictures, is gone on from', () => {
      const watch = gradientWatch({ examples: 1e6, batchNorm: false }, { looks: { dead: 2, vanishing: 2 }, told: [] });
      expect(saidBy(watch, [50, 50])).toEqual([0, 1]);
    });
  });

  test('from a thousand times on, either way', () => {
    const three = (layers: LayerNorms[]) => told([layers, layers, layers])[2];
    expect([three([layer(1), layer(990)]), three([layer(1), layer(1010)])]).toEqual([0, 1]);
    expect([three([layer(990), layer(1)]), three([layer(1010), layer(1)])]).toEqual([0, 1]);
    expect(three([layer(1e-6)])).toBe(0); // one layer is both first and last
  });
});

describe.skipIf(sharedData === null)(`the course's networks (${withoutShared})`, () => {
  test.each([
    // logistic regression zigzags for 300 epochs, as the course's own figures do, and then no more
    ['course-logistic', 500],
    ['course-two-layer', 200],
    ['course-four-layer', 200],
  ] as const)('%s gives no warning in its first %i epochs', async (name, epochs) => {
    const at = (part: string) => `data.${part}.path=${sharedData}/course-catvnoncat/${part}_catvnoncat.h5`;
    const loaded = await loadConfig(`${configsPath}/${name}.json`, [
      at('train'),
      at('test'),
      `training.epochs=${epochs}`,
      'training.evaluateEvery=1',
    ]);
    const { splits: parts } = await prepareData(loaded, { strict: true });
    const kernels = kernelsFor('float64');
    const plan = planTraining(loaded.config, parts, kernels);
    const options = fitOptions(loaded.config, parts, plan, kernels);
    const watch = watchOf(options);
    const events = await epochsOf(options);
    const costs = events.map(({ cost }) => cost);
    expect(events.flatMap(({ epoch, layers }) => watch.look(epoch, layers!))).toEqual([]);
    expect(costOscillates(costs, plan)).toBeNull();
  });
});
