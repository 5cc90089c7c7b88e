import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { logits } from '../../src/classifier/classifier.ts';
import { checkConfig } from '../../src/config/load.ts';
import { inverseVariance } from '../../src/data/normalize.ts';
import { type PreparedData, prepareData } from '../../src/datasets/prepare.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { losses } from '../../src/nn/losses.ts';
import type { Parameters } from '../../src/nn/network.ts';
import { type ScheduleChoice, scheduledRate } from '../../src/nn/schedules.ts';
import { type EpochEvent, type FitOptions, fit } from '../../src/training/fit.ts';
import { fitOptions, planTraining } from '../../src/training/plan.ts';
import { keepBest } from '../../src/training/watch.ts';
import { epochBatches } from '../data/epoch-batches.ts';
import { dense } from '../nn/networks.ts';
import { epochsOf, type HeldOptions, kernels, noisePictures, problem, type Wishes } from './problems.ts';

/** Trains to the end: the weights, and what happened but for the time it took. */
async function trained(wishes: Wishes): Promise<{ values: ArrayLike<number>; events: Omit<EpochEvent, 'seconds'>[] }> {
  const options = problem(wishes);
  const events = await epochsOf(options);
  return { values: options.parameters.values, events: events.map(({ seconds: _, ...event }) => event) };
}

/** Data cost by its definition, in inference mode. */
function costOf({ network, parameters, scaling }: FitOptions, { pixels, labels } = noisePictures(30)): number {
  const z = logits({ network, parameters, scaling }, kernels, pixels);
  return z.reduce((sum, value, i) => sum + losses.crossEntropy.value(value, labels[i]!), 0) / labels.length;
}

const norm = (values: ArrayLike<number>) => Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));
const difference = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a, (value, i) => value - b[i]!);
const weightsOf = ({ specs: segments, values }: Parameters) =>
  segments.flatMap(({ decayed, offset, length }) => (decayed ? [...values.subarray(offset, offset + length)] : []));

/** With labels turned over, what helps on train hurts on this dev from the first step on. */
function adverse(m: number) {
  const pictures = noisePictures(m);
  return { ...pictures, labels: pictures.labels.map((y) => 1 - y) };
}

describe('the same seed gives the same bits', () => {
  const everything = {
    hidden: [dense(6, { activation: 'relu', keepProb: 0.7, batchNorm: true }), dense(4, { keepProb: 0.8 })],
    batchSize: 8,
    dev: noisePictures(11, { seed: 2 }),
    augmentation: { flipHorizontal: true, noise: 0.05, shift: 0.2 },
    optimizer: { name: 'adam' },
    schedule: { name: 'cosine' },
    l2: 0.3,
    clipNorm: 1,
  } as const satisfies Wishes;

  test.each(['float32', 'float64'] as const)('with all that draws turned on, in %s', async (precision) => {
    const wishes = { ...everything, hidden: [...everything.hidden], kernels: kernelsFor(precision) };
    const first = await trained(wishes);
    expect(await trained(wishes)).toEqual(first);
    expect((await trained({ ...wishes, seed: 2 })).values).not.toEqual(first.values);
  });
});

/** Logistic regression as the course writes it, with momentum, L2 and class weights, in mini-batches. */
function byHand(
  { train, scaling, epochs, seed }: HeldOptions,
  { rate, beta, lambda, size, weights }: { rate: number; beta: number; lambda: number; size: number; weights: readonly number[] },
): { w: number[]; b: number; costs: number[] } {
  const m = train.labels.length;
  const n = train.pixels.length / m;
  const x = (i: number, k: number) => train.pixels[i * n + k]! * scaling.scale[k]! + scaling.shift[k]!;
  let w = new Array<number>(n).fill(0);
  let v = new Array<number>(n).fill(0);
  let [b, vb] = [0, 0];
  const costs: number[] = [];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    let sum = 0;
    for (const batch of epochBatches(m, size, { shuffle: 'auto', seed: seed, epoch: epoch })) {
      const examples = [...batch];
      const a = examples.map((i) => 1 / (1 + Math.exp(-(w.reduce((z, wk, k) => z + wk * x(i, k), 0) + b))));
      const y = examples.map((i) => train.labels[i]!);
      sum += a.reduce((s, p, i) => s - weights[y[i]!]! * Math.log(y[i] === 1 ? p : 1 - p), 0);
      const dz = a.map((p, i) => (weights[y[i]!]! * (p - y[i]!)) / examples.length);
      const dw = w.map((wk, k) => dz.reduce((s, d, i) => s + d * x(examples[i]!, k), 0) + (lambda / m) * wk);
      const db = dz.reduce((s, d) => s + d, 0);
      v = v.map((vk, k) => beta * vk + (1 - beta) * dw[k]!);
      vb = beta * vb + (1 - beta) * db;
      w = w.map((wk, k) => wk - rate * v[k]!);
      b -= rate * vb;
    }
    costs.push(sum / m);
  }
  return { w, b, costs };
}

describe('training is what the course writes as a loop', () => {
  test.each([
    ['gradient descent on full batches', { beta: 0, lambda: 0, size: 30, weights: [1, 1] }],
    ['mini-batches, the last one smaller', { beta: 0, lambda: 0, size: 8, weights: [1, 1] }],
    ['momentum, L2 and class weights on mini-batches', { beta: 0.9, lambda: 2, size: 7, weights: [0.6, 3] }],
    ['one example a step', { beta: 0.5, lambda: 0.1, size: 1, weights: [1, 1] }],
  ] as const)('%s', async (_, choice) => {
    const options = problem({
      epochs: 12,
      batchSize: choice.size === 30 ? 'full' : choice.size,
      l2: choice.lambda,
      classWeights: choice.weights,
      optimizer: choice.beta === 0 ? { name: 'gradientDescent' } : { name: 'momentum', beta: choice.beta },
    });
    options.parameters.values.fill(0);
    const expected = byHand(options, { ...choice, rate: 0.05 });
    const events = await epochsOf(options);
    for (const [i, { cost }] of events.entries()) expect(cost).toBeCloseTo(expected.costs[i]!, 11);
    const { W1: weights, b1: bias } = options.parameters.tensors;
    for (const [k, value] of weights!.entries()) expect(value).toBeCloseTo(expected.w[k]!, 11);
    expect(bias![0]).toBeCloseTo(expected.b, 11);
  });
});

describe("an epoch's cost", () => {
  test('is that before its update: the first is the cost of the first weights', async () => {
    const options = problem({ hidden: [dense(4)], epochs: 1 });
    const first = costOf(options);
    const [event] = await epochsOf(options);
    expect(event!.cost).toBeCloseTo(first, 14);
    const second = costOf(options);
    expect((await epochsOf(options))[0]!.cost).toBeCloseTo(second, 14);
    expect(second).toBeLessThan(first);
  });

  test('is the mean over examples, whatever the batches: the smaller last one counts less', async () => {
    for (const batchSize of [1, 7, 16, 29, 30]) {
      const options = problem({ hidden: [dense(4)], epochs: 1, batchSize, learningRates: [0, 0] });
      expect((await epochsOf(options))[0]!.cost).toBeCloseTo(costOf(options), 13);
    }
  });
});

describe('dropout and batch norm', () => {
  const withConfig = async (layer: object, augment: object = {}) => {
    const config = checkConfig(
      {
        data: { source: { type: 'drawn', count: 40 }, imageSize: 8, augment },
        model: { layers: [{ units: 5, ...layer }] },
        training: { epochs: 3, batchSize: 10 },
        precision: 'float64',
      },
      'test',
    );
    const data = await prepareData({ config, folder: '.', file: 'test' }, { strict: true });
    return { data, options: fitOptions(config, data.splits, planTraining(config, data.splits, kernels), kernels) };
  };
  let plain: { data: PreparedData; options: FitOptions };
  beforeAll(async () => {
    plain = await withConfig({});
  });

  test.each([
    ['dropout', { keepProb: 0.5 }, {}],
    ['batch norm', { batchNorm: true }, {}],
    ['augmentation', {}, { flipHorizontal: true, noise: 0.1 }],
  ])('turning on %s changes neither the split nor the first weights, but what is learnt', async (_, layer, augment) => {
    const { data, options } = await withConfig(layer, augment);
    expect(data.splits).toEqual(plain.data.splits);
    expect(weightsOf(options.parameters)).toEqual(weightsOf(plain.options.parameters));
    const other = (await withConfig({})).options;
    await epochsOf(other);
    await epochsOf(options);
    expect(weightsOf(options.parameters)).not.toEqual(weightsOf(other.parameters));
  });

  test('train together, also where the last batch is one example', async () => {
    const hidden = () => [
      dense(8, { activation: 'relu', keepProb: 0.8, batchNorm: true }),
      dense(4, { keepProb: 0.8, batchNorm: true }),
    ];
    for (const batchSize of [29, 'full'] as const) {
      const dev = noisePictures(40, { seed: 2 });
      const { events } = await trained({ hidden: hidden(), dev, batchSize, epochs: 60, learningRates: [0.1, 0.1, 0.1] });
      expect(events.at(-1)!.cost).toBeLessThan(0.8 * events[0]!.cost);
      expect(events.at(-1)!.dev!.cost).toBeLessThan(0.8 * events[0]!.dev!.cost);
    }
  });

  test('batches of one example train, but move no average', async () => {
    const options = problem({ hidden: [dense(3, { batchNorm: true })], batchSize: 1, epochs: 2 });
    const before = options.parameters.values.slice();
    await epochsOf(options);
    const { movingMean1: movingMean, movingVariance1: movingVariance } = options.parameters.tensors;
    expect([...movingMean!, ...movingVariance!]).toEqual([0, 0, 0, 1, 1, 1]);
    expect(options.parameters.values.every(Number.isFinite)).toBe(true);
    expect(options.parameters.values).not.toEqual(before);
  });

  test('with a last batch of one example, the averages are those of the other batches', async () => {
    const norms = async (m: number) => {
      // no rate: the weights stay, and with them what a batch gives
      const { pixels, labels, ...rest } = noisePictures(9);
      const train = { ...rest, pixels: pixels.slice(0, m * 48), labels: labels.slice(0, m) };
      const options = problem({
        hidden: [dense(3, { batchNorm: true })],
        train,
        batchSize: m === 9 ? 8 : 'full',
        epochs: 1,
        learningRates: [0, 0],
      });
      await epochsOf(options);
      const { movingMean1: movingMean, movingVariance1: movingVariance } = options.parameters.tensors;
      return [...movingMean!, ...movingVariance!];
    };
    const left = [...epochBatches(9, 8, { shuffle: 'auto', seed: 1, epoch: 1 })][1]![0]!;
    if (left === 8) expect(await norms(9)).toEqual(await norms(8));
    const whole = await norms(9);
    expect(whole.every((value, i) => value !== (i < 3 ? 0 : 1))).toBe(true);
  });
});

describe('L2', () => {
  test.each(['full', 7] as const)(
    'is reported apart, (λ/2m) Σ‖W‖² with m the training part, at batch size %s',
    async (batchSize) => {
      const options = problem({ hidden: [dense(4)], l2: 0.7, epochs: 1, batchSize, learningRates: [0, 0] });
      const bare = problem({ hidden: [dense(4)], epochs: 1, batchSize, learningRates: [0, 0] });
      const squares = norm(weightsOf(options.parameters)) ** 2;
      const [event] = await epochsOf(options);
      expect(event!.l2Cost).toBeCloseTo((0.7 / (2 * 30)) * squares, 14);
      const [without] = await epochsOf(bare);
      expect(event!.cost).toBe(without!.cost);
      expect(without!.l2Cost).toBe(0);
    },
  );

  test('alone shrinks every weight by 1 − αλ/m a step, and nothing else', async () => {
    // classes that count nothing leave no data gradient
    const wishes = { hidden: [dense(4, { batchNorm: true }), dense(3)], classWeights: [0, 0], batchSize: 10, epochs: 2 } as const;
    const options = problem({ ...wishes, hidden: [...wishes.hidden], l2: 3, learningRates: [0.1, 0.2, 0.4] });
    options.parameters.tensors['b2']?.fill(0.5);
    const before = options.parameters.values.slice();
    await epochsOf(options);
    for (const { name, layer, decayed, trained: moved, offset, length } of options.parameters.specs) {
      const steps = 6;
      const factor = decayed ? (1 - ([0.1, 0.2, 0.4][layer]! * 3) / 30) ** steps : 1;
      for (let i = offset; i < offset + length && moved; i++)
        expect(options.parameters.values[i], name).toBeCloseTo(before[i]! * factor, 14);
    }
  });
});

describe('clipNorm', () => {
  const wishes = { hidden: [dense(4)], epochs: 1, learningRates: [0.1, 0.1] };
  const step = async (clipNorm: number | null) => {
    const options = problem({ ...wishes, hidden: [dense(4)], clipNorm });
    const before = options.parameters.values.slice();
    const [event] = await epochsOf(options);
    return { moved: difference(options.parameters.values, before), layers: event!.layers! };
  };

  test('shortens a longer gradient to the bound, and keeps its direction', async () => {
    const [free, clipped] = [await step(null), await step(0.01)];
    expect(norm(free.moved)).toBeGreaterThan(0.1 * 0.01);
    expect(norm(clipped.moved)).toBeCloseTo(0.1 * 0.01, 12);
    const factor = norm(clipped.moved) / norm(free.moved);
    for (const [i, value] of clipped.moved.entries()) expect(value).toBeCloseTo(free.moved[i]! * factor, 12);
    expect(norm(clipped.layers.map(({ gradientNorm }) => gradientNorm))).toBeLessThanOrEqual(0.01 * (1 + 1e-12));
  });

  test('leaves a shorter gradient as it is', async () => {
    expect((await step(1e6)).moved).toEqual((await step(null)).moved);
  });
});

describe('learning rates', () => {
  const layers = () => [dense(5), dense(4)];
  const movedAt = async (learningRates: number[], wishes: Wishes = {}) => {
    const options = problem({ ...wishes, hidden: layers(), learningRates, epochs: 1 });
    const before = options.parameters.values.slice();
    await epochsOf(options);
    const moved = difference(options.parameters.values, before);
    return [0, 1, 2].map((l) =>
      options.parameters.specs
        .filter(({ layer }) => layer === l)
        .flatMap(({ offset, length }) => moved.slice(offset, offset + length)),
    );
  };

  test('belong each to its layer, the output layer last', async () => {
    const slow = await movedAt([1e-9, 0.1, 0.1]);
    expect(norm(slow[0]!)).toBeLessThan(1e-8);
    expect(norm(slow[1]!)).toBeGreaterThan(1e-3);
    const even = await movedAt([0.1, 0.1, 0.1]);
    const uneven = await movedAt([0.2, 0.1, 0.05]);
    for (const [l, factor] of [2, 1, 0.5].entries())
      for (const [i, value] of uneven[l]!.entries()) expect(value).toBeCloseTo(even[l]![i]! * factor, 14);
  });

  test.each(['gradientDescent', 'adam'] as const)(
    'by feature scale that of the first layer, column by column (%s)',
    async (name) => {
      const rates = Float64Array.from({ length: 48 }, (_, k) => [0, 1, 2.5][k % 3]!);
      const even = await movedAt([0.1, 0.1, 0.1], { optimizer: { name } });
      const byFeature = await movedAt([0.1, 0.1, 0.1], { optimizer: { name }, featureLearningRates: rates });
      for (let i = 0; i < 5 * 48; i++) expect(byFeature[0]![i]).toBeCloseTo(even[0]![i]! * rates[i % 48]!, 13);
      expect(byFeature[0]!.slice(5 * 48)).toEqual(even[0]!.slice(5 * 48)); // biases
      expect(byFeature.slice(1)).toEqual(even.slice(1));
    },
  );

  test('by inverse variance are 1 / (variance + 1e-8) of the inputs, scaled to mean 1', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 1, max: 1000 }), (m, seed) => {
        const { pixels, features } = noisePictures(m, { side: 2, seed });
        const scaling = {
          scale: Float64Array.from({ length: 12 }, (_, k) => (k + 1) / 255),
          shift: new Float64Array(12).fill(3),
        };
        const inverse = Array.from({ length: features }, (_, k) => {
          const x = Array.from({ length: m }, (_, i) => pixels[i * features + k]! * scaling.scale[k]! + 3);
          const mean = x.reduce((sum, value) => sum + value, 0) / m;
          return 1 / (x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / m + 1e-8);
        });
        const mean = inverse.reduce((sum, value) => sum + value, 0) / features;
        const rates = inverseVariance(pixels, scaling);
        expect(rates.reduce((sum, value) => sum + value, 0) / features).toBeCloseTo(1, 12);
        for (const [k, rate] of rates.entries()) expect(rate / (inverse[k]! / mean)).toBeCloseTo(1, 6);
      }),
    );
  });

  test.each([
    [{ name: 'none' }, [1, 1, 1, 1]],
    [{ name: 'inverseTime', decay: 1 }, [1, 1 / 2, 1 / 3, 1 / 4]],
    [{ name: 'exponential', rate: 0.5 }, [1, 1 / 2, 1 / 4, 1 / 8]],
    [{ name: 'step', every: 2, factor: 0.1 }, [1, 1, 0.1, 0.1]],
    [{ name: 'cosine' }, [1, (1 + Math.SQRT1_2) / 2, 1 / 2, (1 - Math.SQRT1_2) / 2]],
  ] as [ScheduleChoice, number[]][])('follow the schedule $name, in the events and in the steps', async (schedule, factors) => {
    const options = problem({ schedule, epochs: 4, l2: 30, classWeights: [0, 0], batchSize: 10, learningRates: [0.05] });
    const before = weightsOf(options.parameters);
    const events = await epochsOf(options);
    for (const [i, { learningRate }] of events.entries()) expect(learningRate).toBeCloseTo(0.05 * factors[i]!, 14);
    expect(scheduledRate(0.05, schedule, { t: 3, epochs: 4, step: 9, steps: 12 })).toBeCloseTo(0.05 * factors[3]!, 14);
    // nothing but L2 moves the weights: by 1 − α in each of an epoch's three steps
    const shrunk = factors.reduce((product, factor) => product * (1 - 0.05 * factor) ** 3, 1);
    for (const [i, value] of weightsOf(options.parameters).entries()) expect(value).toBeCloseTo(before[i]! * shrunk, 13);
  });
});

test('one cycle goes step by step: every step has its own rate, and an event that of the last', async () => {
  // 4 epochs of 3 steps; w = ⌈0.5 · 12⌉ = 6
  const up = [1, 2, 3, 4, 5, 6].map((k) => (1 - Math.cos((Math.PI * k) / 6)) / 2);
  const down = [0, 1, 2, 3, 4, 5].map((k) => (1 + Math.cos((Math.PI * k) / 6)) / 2);
  const factors = [...up, ...down];
  const options = problem({
    schedule: { name: 'oneCycle', warmup: 0.5 },
    epochs: 4,
    l2: 30,
    classWeights: [0, 0],
    batchSize: 10,
    learningRates: [0.05],
  });
  const before = weightsOf(options.parameters);
  const events = await epochsOf(options);
  for (const [i, { learningRate }] of events.entries()) expect(learningRate).toBeCloseTo(0.05 * factors[3 * i + 2]!, 14);
  // nothing but L2 moves the weights: by 1 − α in each step
  const shrunk = factors.reduce((product, factor) => product * (1 - 0.05 * factor), 1);
  for (const [i, value] of weightsOf(options.parameters).entries()) expect(value).toBeCloseTo(before[i]! * shrunk, 13);
});

describe('stopping', () => {
  test('maxMinutes ends the training after the epoch, which is looked at', async () => {
    const { events } = await trained({ dev: noisePictures(8), epochs: 1000, maxMinutes: 1e-9, evaluateEvery: 50 });
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ epoch: 1, stopped: 'time', dev: { cost: expect.any(Number) } });
    expect(events[0]!.layers).toHaveLength(1);
  });

  test('a training that runs out of epochs is finished, even where time is up too', async () => {
    const { events } = await trained({ epochs: 1, maxMinutes: 1e-9 });
    expect(events.map(({ stopped }) => stopped)).toEqual(['finished']);
    expect((await trained({ epochs: 3, maxMinutes: 60 })).events.map(({ stopped }) => stopped)).toEqual([null, null, 'finished']);
  });

  test('whoever leaves the loop keeps the weights so far', async () => {
    const wishes = { hidden: [dense(4, { keepProb: 0.8 })], batchSize: 8 };
    const options = problem({ ...wishes, epochs: 100 });
    for await (const event of fit(options)) if (event.type === 'epoch' && event.epoch === 3) break;
    expect(options.parameters.values).toEqual((await trained({ ...wishes, epochs: 3 })).values);
  });
});

describe('looks', () => {
  test('come every so many epochs, and after the last', async () => {
    const { events } = await trained({ dev: noisePictures(8), epochs: 10, evaluateEvery: 4 });
    const looked = (key: 'dev' | 'layers') => events.filter((event) => event[key] !== null).map(({ epoch }) => epoch);
    expect([looked('dev'), looked('layers')]).toEqual([
      [4, 8, 10],
      [4, 8, 10],
    ]);
  });

  test('do not change what is learnt', async () => {
    const wishes = { hidden: [dense(4, { keepProb: 0.8, batchNorm: true })], batchSize: 8, epochs: 6 };
    const often = await trained({ ...wishes, dev: noisePictures(8) });
    expect((await trained({ ...wishes, evaluateEvery: 6 })).values).toEqual(often.values);
  });

  test('see dev in inference mode, whatever its size: no dropout, moving averages, no class weights', async () => {
    const dev = noisePictures(300, { seed: 4 }); // more than are looked at together
    const options = problem({
      hidden: [dense(4, { keepProb: 0.5, batchNorm: true })],
      dev,
      classWeights: [1, 9],
      l2: 1,
      batchSize: 8,
    });
    const events = await epochsOf(options);
    expect(events.at(-1)!.dev!.cost).toBeCloseTo(costOf(options, dev), 13);
    const z = logits(options, kernels, dev.pixels);
    const right = dev.labels.filter((y, i) => z[i]! > 0 === (y === 1)).length;
    expect(events.at(-1)!.dev!.accuracy).toBe(right / 300);
  });

  test('count as positive what is above the threshold', async () => {
    const at = async (threshold: number) =>
      (
        await trained({
          dev: noisePictures(40, { positives: 0.25 }),
          train: noisePictures(40, { positives: 0.25 }),
          threshold,
          epochs: 1,
        })
      ).events[0]!;
    expect([(await at(0)).dev!.accuracy, (await at(0)).train.accuracy]).toEqual([0.25, 0.25]);
    expect([(await at(1)).dev!.accuracy, (await at(1)).train.accuracy]).toEqual([0.75, 0.75]);
  });
});

describe('early stopping', () => {
  const earlyStopping = { patience: 4, minDelta: 0 };
  // few pictures that hardly differ: the dev cost falls, then turns up
  const overfitting = {
    hidden: [dense(10)],
    train: noisePictures(14, { contrast: 12 }),
    dev: noisePictures(60, { contrast: 12, seed: 2 }),
    learningRates: [0.3, 0.3],
  };
  /** The weights after so many epochs, from a training of its own. */
  const weightsAfter = async (epochs: number, wishes: Wishes) =>
    (await trained({ ...wishes, hidden: [dense(10)], earlyStopping: null, epochs })).values;
  const best = (events: readonly Pick<EpochEvent, 'epoch' | 'dev'>[]) =>
    events.reduce((a, b) => (b.dev && (!a.dev || b.dev.cost < a.dev.cost) ? b : a)).epoch;

  test('stops where patience ends, and keeps the weights of the least dev cost', async () => {
    const { values, events } = await trained({ ...overfitting, earlyStopping, epochs: 500 });
    const last = events.at(-1)!;
    expect(last.stopped).toBe('early');
    expect(last.bestEpoch).toBe(best(events));
    expect(last.bestEpoch).toBeGreaterThan(1);
    expect(last.epoch).toBe(last.bestEpoch + 4);
    expect(values).toEqual(await weightsAfter(last.bestEpoch, overfitting));
  });

  test('tells the best epoch so far in every event', async () => {
    const { events } = await trained({ ...overfitting, earlyStopping, epochs: 500 });
    for (const [i, { bestEpoch }] of events.entries()) expect(bestEpoch).toBe(best(events.slice(0, i + 1)));
  });

  test('before the first look at dev the epoch so far is the one whose weights are kept', async () => {
    const { events } = await trained({ ...overfitting, earlyStopping, epochs: 7, evaluateEvery: 5 });
    expect(events.slice(0, 4).map(({ bestEpoch }) => bestEpoch)).toEqual([1, 2, 3, 4]);
  });

  const turnedOver = { hidden: [dense(10)], train: noisePictures(30), dev: adverse(30), learningRates: [0.1, 0.1] };

  test('keeps the best weights where the epochs end before patience does', async () => {
    const { values, events } = await trained({ ...turnedOver, earlyStopping: { patience: 100, minDelta: 0 }, epochs: 6 });
    expect(events.at(-1)).toMatchObject({ epoch: 6, bestEpoch: 1, stopped: 'finished' });
    expect(values).toEqual(await weightsAfter(1, turnedOver));
  });

  test('keeps the best weights where it is interrupted, and where time is up', async () => {
    const options = problem({ ...turnedOver, earlyStopping: { patience: 100, minDelta: 0 }, epochs: 100 });
    for await (const event of fit(options)) if (event.type === 'epoch' && event.epoch === 5) break;
    expect(options.parameters.values).toEqual(await weightsAfter(1, turnedOver));

    const timed = problem({ ...turnedOver, earlyStopping: { patience: 1e9, minDelta: 0 }, epochs: 1e9, maxMinutes: 0.2 / 60 });
    const events = await epochsOf(timed);
    expect(events.at(-1)).toMatchObject({ bestEpoch: 1, stopped: 'time' });
    expect(events.length).toBeGreaterThan(1);
    expect(timed.parameters.values).toEqual(await weightsAfter(1, turnedOver));
  });

  test('counts patience in epochs where it looks more seldom', async () => {
    const { events } = await trained({ ...turnedOver, earlyStopping, epochs: 100, evaluateEvery: 3 });
    // the first look, after epoch 3, is the best; the next that is 4 epochs later comes after epoch 9
    expect(events.at(-1)).toMatchObject({ epoch: 9, bestEpoch: 3, stopped: 'early' });
  });

  /** What the keeper says of dev costs, epoch by epoch. */
  function watched(costs: readonly number[], patience: number, minDelta: number) {
    const values = new Float64Array(1);
    const keeper = keepBest(values, { patience, minDelta });
    const stops = costs.map((cost, i) => {
      values[0] = i + 1;
      return keeper.update(i + 1, cost);
    });
    keeper.restore();
    return { stop: stops.indexOf(true) + 1, best: keeper.bestEpoch, kept: values[0] };
  }

  test('waits as long as patience says, from the last improvement on', () => {
    expect(watched([5, 4, 6, 6, 6, 6], 3, 0)).toMatchObject({ stop: 5 });
    expect(watched([5, 4, 6, 6, 3, 6, 6, 6], 3, 0)).toMatchObject({ stop: 8, best: 5, kept: 5 });
    expect(watched([5, 4, 3, 2, 1], 1, 0)).toMatchObject({ stop: 0, best: 5 });
  });

  test('takes no change below minDelta for an improvement, yet keeps the least cost', () => {
    expect(watched([1, 0.99, 0.98, 0.97], 3, 0.1)).toMatchObject({ stop: 4, best: 4, kept: 4 });
    // small steps that add up to more than minDelta are an improvement
    expect(watched([1, 0.94, 0.88, 0.82, 0.76, 0.7], 3, 0.1)).toMatchObject({ stop: 0, best: 6 });
  });

  test('keeps the weights of the least cost for any costs', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (costs) => {
        const first = costs.indexOf(Math.min(...costs)) + 1;
        expect(watched(costs, 1000, 0.05)).toMatchObject({ best: first, kept: first });
      }),
    );
  });

  test('takes no cost that is not a number for the best', () => {
    expect(watched([Number.NaN, 3, Number.NaN, 2, Number.NaN], 10, 0)).toMatchObject({ best: 4, kept: 4 });
  });
});

test('training never looks at test', async () => {
  const config = checkConfig(
    {
      data: { source: { type: 'drawn' }, imageSize: 4 },
      model: { layers: [{ units: 3 }] },
      training: { epochs: 4, earlyStopping: {} },
    },
    'test',
  );
  const run = async (test: ReturnType<typeof noisePictures> | undefined) => {
    const parts = { train: noisePictures(20), dev: noisePictures(9, { seed: 2 }), ...(test && { test }) };
    const options = fitOptions(config, parts, planTraining(config, parts, kernels), kernels);
    await epochsOf(options);
    return options.parameters.values;
  };
  const hidden = Object.defineProperty(noisePictures(9, { seed: 3 }), 'pixels', {
    get: () => {
      throw new Error('someone looked at test');
    },
  });
  expect(await run(hidden)).toEqual(await run(undefined));
});
