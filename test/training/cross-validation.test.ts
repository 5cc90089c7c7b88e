import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { evaluateClassifier, logits, probability } from '../../src/classifier/classifier.ts';
import { checkConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { stratifiedFolds } from '../../src/data/split.ts';
import { foldSplits, type PreparedData } from '../../src/datasets/prepare.ts';
import { UserError } from '../../src/errors.ts';
import { fitTemperature } from '../../src/evaluation/calibration.ts';
import { chooseThreshold, confusionOf, type ThresholdCriterion, thresholdCriteria } from '../../src/evaluation/metrics.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { namedRandom } from '../../src/random.ts';
import {
  afterFolds,
  type CrossValidation,
  classifierOf,
  crossValidate,
  meanAndSpread,
  requireDev,
} from '../../src/training/cross-validation.ts';
import { fitOptions, planTraining } from '../../src/training/plan.ts';
import { drawnPictures, epochsOf, type HeldData, prepareHeld } from './problems.ts';

const folds = 4;
const count = 62;

function configOf(training: object, split: object = { folds }): Config {
  return checkConfig(
    {
      precision: 'float64',
      data: { source: { type: 'drawn', count }, imageSize: 8, split },
      model: { layers: [{ units: 4, activation: 'tanh' }] },
      training: { epochs: 12, learningRate: 0.1, ...training },
    },
    'test',
  );
}

const prepare = prepareHeld;
const splitsOf = (fold: number) =>
  foldSplits(data.splits.train, data.folds, fold) as Required<Pick<HeldData['splits'], 'train' | 'dev'>>;
type Folded = HeldData & { folds: NonNullable<PreparedData['folds']> };
let data: Folded;
beforeAll(async () => {
  data = (await prepare(configOf({}))) as Folded;
});

async function validate(config: Config): Promise<CrossValidation> {
  let result: CrossValidation | undefined;
  for await (const _ of crossValidate(config, data, {}, (found) => (result = found)));
  return result!;
}

/** What a fold must give: a training on the other folds, by the pieces. */
async function byHand(config: Config, fold: number) {
  const kernels = kernelsFor('float64');
  const parts = splitsOf(fold);
  const options = fitOptions(config, parts, planTraining(config, parts, kernels), kernels);
  const events = await epochsOf(options);
  return { options, parts, last: events.at(-1)!, p: Array.from(logits(options, kernels, parts.dev!.pixels), probability) };
}

describe('folds', () => {
  test('leave out each picture exactly once, and train on all the others', () => {
    const all = data.splits.train.names;
    expect(all).toHaveLength(count);
    const parts = Array.from({ length: folds }, (_, fold) => splitsOf(fold));
    expect(parts.flatMap(({ dev }) => dev!.names).sort()).toEqual([...all].sort());
    for (const { train, dev } of parts) expect([...train.names, ...dev!.names].sort()).toEqual([...all].sort());
  });

  test('carry the pixels and labels of their pictures', () => {
    const whole = data.splits.train;
    const { dev } = splitsOf(2);
    for (const [i, name] of dev!.names.entries()) {
      const at = whole.names.indexOf(name);
      expect(dev!.labels[i]).toBe(whole.labels[at]);
      expect(dev!.pixels.slice(i * 192, (i + 1) * 192)).toEqual(whole.pixels.slice(at * 192, (at + 1) * 192));
    }
  });

  test('differ by one picture at most, in all and in each class', () => {
    const problems = fc.record({
      folds: fc.integer({ min: 2, max: 9 }),
      negatives: fc.integer({ min: 9, max: 60 }),
      positives: fc.integer({ min: 9, max: 60 }),
      seed: fc.integer({ min: 0, max: 1e6 }),
    });
    fc.assert(
      fc.property(problems, ({ folds, negatives, positives, seed }) => {
        const labels = namedRandom(seed, 'labels').shuffle(
          Uint8Array.from({ length: negatives + positives }, (_, i) => (i < positives ? 1 : 0)),
        );
        const of = stratifiedFolds(labels, folds, namedRandom(seed, 'folds'));
        for (const counted of [[0], [1], [0, 1]]) {
          const sizes = Array.from(
            { length: folds },
            (_, fold) => [...of].filter((f, i) => f === fold && counted.includes(labels[i]!)).length,
          );
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test('are others with another seed, and leave a test part out', async () => {
    const other = await prepare({ ...configOf({}), seed: 2 });
    expect(other.folds!.of).not.toEqual(data.folds.of);
    const withTest = await prepare(configOf({}, { folds, test: 0.2 }));
    const { train, test: kept } = withTest.splits;
    expect(kept!.labels).toHaveLength(Math.round(0.2 * count));
    expect(withTest.folds!.of).toHaveLength(train.labels.length);
    expect(new Set([...train.names, ...kept!.names]).size).toBe(count);
  });
});

describe('cross-validation', () => {
  test('gives for each fold what a training on the others gives', async () => {
    const config = configOf({});
    const found = await validate(config);
    expect(found.folds.map(({ fold }) => fold)).toEqual([0, 1, 2, 3]);
    for (const { fold, metrics, epochs } of found.folds) {
      const { options, parts, p } = await byHand(config, fold);
      const right = p.filter((value, i) => value > 0.5 === (parts.dev!.labels[i] === 1)).length;
      expect(metrics.accuracy).toBe(right / p.length);
      const judged = await evaluateClassifier(await classifierOf(config, data, options), kernelsFor('float64'), parts.dev!);
      expect(metrics).toEqual(judged.metrics);
      expect(epochs).toBe(12);
    }
    expect(found).toMatchObject({ epochs: 12, threshold: 0.5 });
  });

  test('passes on the events of every fold, in turn', async () => {
    const seen: [number, number][] = [];
    for await (const { fold, event } of crossValidate(configOf({ epochs: 3 }), data, {}, () => {}))
      if (event.type === 'epoch') seen.push([fold, event.epoch]);
    expect(seen).toEqual([0, 1, 2, 3].flatMap((fold) => [1, 2, 3].map((epoch) => [fold, epoch])));
  });

  // rates whose means are rounded up, and down
  test.each([0.5, 0.4])(
    'after early stopping lets the final training take the mean of the best epochs (rate %d)',
    async (learningRate) => {
      const config = configOf({ earlyStopping: { patience: 3 }, epochs: 80, learningRate });
      const found = await validate(config);
      const best = await Promise.all([0, 1, 2, 3].map(async (fold) => (await byHand(config, fold)).last.bestEpoch));
      expect(found.folds.map(({ bestEpoch }) => bestEpoch)).toEqual(best);
      expect(new Set(best).size).toBeGreaterThan(1);
      expect(found.epochs).toBe(Math.round(best.reduce((a, b) => a + b) / 4));
      expect(afterFolds(config, found).training).toEqual({ ...config.training, epochs: found.epochs, earlyStopping: false });
    },
  );

  test.each(Object.keys(thresholdCriteria) as ThresholdCriterion[])(
    'chooses the threshold of the best %s on the answers of all folds together',
    async (threshold) => {
      const config = configOf({ threshold });
      const found = await validate(config);
      const [p, labels]: [number[], number[]] = [[], []];
      for (let fold = 0; fold < folds; fold++) {
        const hand = await byHand(config, fold);
        p.push(...hand.p);
        labels.push(...hand.parts.dev!.labels);
      }
      expect(p).toHaveLength(count);
      expect(found.threshold).toBe(chooseThreshold(Float64Array.from(p), Uint8Array.from(labels), threshold));
      expect(afterFolds(config, found).training.threshold).toBe(found.threshold);
    },
  );
});

describe("a classifier's threshold", () => {
  test.each(Object.keys(thresholdCriteria) as ThresholdCriterion[])(
    'chosen for %s is the best that dev can have',
    async (threshold) => {
      const config = configOf({ threshold });
      const { options, parts, p } = await byHand(config, 0);
      const chosen = (await classifierOf(config, data, options)).threshold;
      const at = (t: number) => thresholdCriteria[threshold](confusionOf(Float64Array.from(p), parts.dev!.labels, t));
      for (const other of [0.5, ...p, ...p.map((one) => one - 1e-9)]) expect(at(chosen)).toBeGreaterThanOrEqual(at(other));
    },
  );

  test('is that of the config where it is a number', async () => {
    const config = configOf({ threshold: 0.37, epochs: 1 });
    const { options } = await byHand(config, 0);
    expect((await classifierOf(config, data, options)).threshold).toBe(0.37);
  });
});

describe("a classifier's temperature", () => {
  const wishes = { threshold: 'f1', epochs: 60, learningRate: 0.3 };
  const config = configOf({ ...wishes, calibrate: true });

  test('is the one of the least log loss on dev, and the threshold is chosen after it', async () => {
    const { options, parts } = await byHand(config, 0);
    const kernels = kernelsFor('float64');
    const raw = logits(options, kernels, parts.dev.pixels);
    const { temperature, threshold } = await classifierOf(config, data, options);
    expect(temperature).toBe(fitTemperature(raw, parts.dev.labels));
    expect(temperature).toBeGreaterThan(0);
    const p = raw.map((z) => probability(z / temperature!));
    expect(threshold).toBe(chooseThreshold(p, parts.dev.labels, 'f1'));
  });

  test('with folds is that of the logits of all of them, and the folds are judged without one', async () => {
    const [plain, found] = [await validate(configOf(wishes)), await validate(config)];
    expect(found.logits).toEqual(plain.logits);
    expect(found.folds).toEqual(plain.folds);
    expect(plain.temperature).toBeNull();
    const { temperature } = found;
    expect(temperature).toBe(fitTemperature(plain.logits, data.splits.train.labels));
    expect(temperature).toBeGreaterThan(0);
    const p = plain.logits.map((z) => probability(z / temperature!));
    expect(found.threshold).toBe(chooseThreshold(p, data.splits.train.labels, 'f1'));
    const whole = { train: data.splits.train };
    const last = afterFolds(config, found);
    const options = fitOptions(last, whole, planTraining(last, whole, kernelsFor('float64')), kernelsFor('float64'));
    expect(await classifierOf(last, data, options, temperature)).toMatchObject({ temperature, threshold: found.threshold });
  });
});

test('mean and spread are those of the numbers, with n − 1', () => {
  expect(meanAndSpread([2, 4, 4, 6])).toEqual({ mean: 4, spread: Math.sqrt(8 / 3) });
  expect(meanAndSpread([0.7])).toEqual({ mean: 0.7, spread: 0 });
});

describe('what is chosen on dev needs a dev part', () => {
  const train = { splits: {} as PreparedData['splits'], folds: null };
  beforeAll(async () => {
    train.splits = { train: await drawnPictures(6, 8) };
  });

  test.each([
    ['training.earlyStopping', { earlyStopping: {} }],
    ['training.threshold', { threshold: 'youden' }],
    ['training.calibrate', { calibrate: true }],
  ])('%s without one is refused, with what to do', (field, training) => {
    const refuse = () => requireDev(configOf(training), train);
    expect(refuse).toThrow(UserError);
    expect(refuse).toThrow(`${field}: expected a dev part to choose by, found none`);
    try {
      refuse();
    } catch (error) {
      expect(error).toMatchObject({ exitCode: 2, hint: expect.stringMatching(/data\.dev.*"dev": 0\.2.*"folds": 5/) });
    }
    const { splits } = train;
    expect(() => requireDev(configOf(training), { splits: { ...splits, dev: splits.train }, folds: null })).not.toThrow();
    expect(() => requireDev(configOf(training), data)).not.toThrow();
  });

  test('nothing to choose needs none', () => {
    expect(() => requireDev(configOf({}), train)).not.toThrow();
    expect(() => requireDev(configOf({ threshold: 0.3 }), train)).not.toThrow();
  });
});

test('an interrupted cross-validation gives no result', async () => {
  let done = false;
  for await (const { fold } of crossValidate(configOf({ epochs: 2 }), data, {}, () => (done = true))) if (fold === 1) break;
  expect(done).toBe(false);
});
