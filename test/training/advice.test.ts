import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import type { Splits } from '../../src/datasets/prepare.ts';
import { UserError } from '../../src/errors.ts';
import type { Diagnosis } from '../../src/results/summary.ts';
import { DivergedError } from '../../src/training/divergence.ts';
import { planTraining } from '../../src/training/plan.ts';
import { kernels, noisePictures } from './problems.ts';
import { trainedOn } from './trained.ts';

/**
 * Advice is tried here: a training goes wrong in a way of its own, and the first remedy that its diagnosis names is taken. What
 * comes of that must be better; nothing may be said that the training does not show.
 */

interface Trained {
  cost: number;
  accuracy: number;
  balancedAccuracy: number | null;
  diagnosis: Diagnosis;
  alarms: string[];
}

interface Situation {
  model?: object;
  training?: object;
  data?: object;
  parts?: Splits;
}

/** Pictures of 4 × 4, too many to know by heart. */
const pictures = (contrast: number): Splits => ({
  train: noisePictures(300, { contrast }),
  dev: noisePictures(100, { contrast, seed: 2 }),
});

/** Trains as `nn train` does, and diagnoses what came of it. */
async function trained(situation: Situation, sets: readonly string[] = []): Promise<Trained> {
  const { model = {}, training = {}, data = {}, parts = pictures(12) } = situation;
  const config = checkConfig({ data: { source: { type: 'drawn' }, imageSize: 4, ...data }, model, training }, 'test', sets);
  const { metrics, diagnosis, alarms } = await trainedOn(config, parts);
  const { cost, accuracy, balancedAccuracy } = metrics.train!;
  return { cost, accuracy, balancedAccuracy, diagnosis: diagnosis!, alarms };
}

const titlesOf = ({ diagnosis }: Trained) => diagnosis.remedies.map(({ title }) => title);
const said = ({ diagnosis }: Trained) => diagnosis.remedies.map(({ title, why }) => `${title}: ${why}`).join('\n');

/** The training once more, with the first remedy that --set can try. */
async function advised(situation: Situation, { diagnosis }: Trained): Promise<Trained> {
  const first = diagnosis.remedies.find(({ set }) => set.length > 0)!;
  return trained(situation, first.set);
}

const hidden = { layers: [{ units: 8 }] };

describe('early stopping where dev turned', () => {
  // few pictures with little in them: a network that is large enough learns them by heart, and dev gets worse soon
  const parts: Splits = { train: noisePictures(60, { contrast: 8 }), dev: noisePictures(60, { contrast: 8, seed: 2 }) };
  const model = { layers: [{ units: 60 }] };
  const training = { epochs: 400, optimizer: { name: 'adam' }, learningRate: 0.003, batchSize: 'full' };

  test('leaves a bias that later epochs did not have: nothing is advised against it', async () => {
    const stopped = await trained({ parts, model, training: { ...training, earlyStopping: { patience: 100 } } });
    expect(stopped.diagnosis.verdict).toContain('bias');
    expect(stopped.diagnosis.learntLater).toBe(true);
    for (const title of ['a larger network', 'more patience', 'train longer']) expect(titlesOf(stopped)).not.toContain(title);
  });

  test('and without it there is no such bias', async () => {
    const whole = await trained({ parts, model, training });
    expect(whole.diagnosis.learntLater).toBe(false);
    expect(whole.diagnosis.verdict).toBe('high variance');
  });
});

describe('a learning rate that is too large', () => {
  const situations: [string, Situation][] = [
    ['in mini-batches', { data: { normalize: 'scale' }, training: { epochs: 30, batchSize: 16, learningRate: 30 } }],
    ['of 1e30', { training: { epochs: 15, batchSize: 16, learningRate: 1e30 } }],
    ['of 1e30, for a single epoch', { training: { epochs: 1, learningRate: 1e30 } }],
    [
      'in a hidden layer of tanh',
      { model: { layers: [{ units: 8, activation: 'tanh' }] }, training: { epochs: 15, learningRate: 1e6 } },
    ],
    ['by Adam', { model: hidden, training: { epochs: 30, batchSize: 16, learningRate: 50, optimizer: { name: 'adam' } } }],
    [
      'of one rate per layer',
      { model: { layers: [{ units: 8, activation: 'tanh' }] }, training: { epochs: 15, learningRate: [1e6, 1e6] } },
    ],
    ['with class weights', { training: { epochs: 15, batchSize: 16, learningRate: 300, classWeight: 5 } }],
    ['by squared error', { training: { epochs: 30, batchSize: 16, learningRate: 1e5, loss: 'squaredError' } }],
  ];

  test.each(situations)('%s: a smaller one comes first, and it works', async (_, situation) => {
    const before = await trained(situation);
    expect(before.diagnosis.worseThanGuessing).toBe(true);
    expect(titlesOf(before)[0]).toBe('a smaller learning rate');
    for (const misleading of ['a larger network', 'train longer', 'a quicker optimizer', 'more data']) {
      expect(titlesOf(before)).not.toContain(misleading);
    }
    expect(titlesOf(before)).toContain('a learning rate that was tried out');
    const after = await advised(situation, before);
    expect(after.diagnosis.worseThanGuessing).toBe(false);
    expect(after.cost).toBeLessThan(before.cost);
    expect(before.alarms).toEqual([
      expect.stringMatching(
        /above the [\d.]+ of a network that sees nothing. Try a smaller learning rate: --set training\.learningRate=/,
      ),
    ]);
    expect(after.alarms).toEqual([]);
  });

  test('that diverges: what the error proposes trains', async () => {
    const situation = { model: hidden, training: { epochs: 40, learningRate: 1e30 } };
    const error = await trained(situation).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DivergedError);
    const [set] = /training\.learningRate=[\d.e-]+/.exec(`${(error as DivergedError).hint}`)!;
    const after = await trained(situation, [set]);
    expect(after.cost).toBeLessThan(0.75);
    expect(after.diagnosis.worseThanGuessing).toBe(false);
  });
});

test('first weights that are too large: they come first, not the learning rate', async () => {
  const situation = { model: { ...hidden, init: { name: 'random', factor: 30 } }, training: { epochs: 30 } };
  const before = await trained(situation);
  expect(before.diagnosis.worseThanGuessing).toBe(true);
  expect(titlesOf(before)[0]).toBe('another initialisation');
  expect((await advised(situation, before)).cost).toBeLessThan(0.75);
});

test('a learning rate that is too small: a larger one comes first, and nothing is said to be still falling', async () => {
  const situation = { training: { epochs: 50, learningRate: 1e-9 } };
  const before = await trained(situation);
  expect(titlesOf(before)[0]).toBe('a larger learning rate');
  expect(said(before)).not.toContain('falling');
  expect((await advised(situation, before)).cost).toBeLessThan(0.9 * before.cost);
});

describe('inputs that are not centred', () => {
  const layers = [{ units: 12 }, { units: 7 }, { units: 5 }];

  test.each([['scale'], ['mean'], ['none']])('"%s": that comes first, and helps', async (normalize) => {
    const situation = { data: { normalize }, model: { layers }, training: { epochs: 60 } };
    const before = await trained(situation);
    expect(titlesOf(before)[0]).toBe('centred inputs');
    expect(titlesOf(before)).not.toContain('a quicker optimizer');
    expect((await advised(situation, before)).cost).toBeLessThan(before.cost);
  });

  test('a rate that was chosen for other inputs is kept only where it is not far off', async () => {
    const at = async (normalize: string, learningRate: number | 'auto') => {
      const { diagnosis } = await trained({ data: { normalize }, training: { epochs: 2, learningRate } });
      return diagnosis.remedies.find(({ title }) => title === 'centred inputs')!.set;
    };
    // 192 inputs: the automatic rate is 0.064
    expect(await at('scale', 0.1)).toEqual(['data.normalize=standardizeChannels']);
    expect(await at('none', 1e-6)).toEqual(['data.normalize=standardizeChannels', 'training.learningRate=auto']);
    expect(await at('none', 'auto')).toEqual(['data.normalize=standardizeChannels']);
  });

  test('are no matter where inputs are centred', async () => {
    expect(titlesOf(await trained({ training: { epochs: 2 } }))).not.toContain('centred inputs');
  });
});

describe('one answer for all', () => {
  /** 1 picture of a cat to 20 others. */
  const unequal = (): Splits => ({
    train: noisePictures(420, { contrast: 12, positives: 1 / 21 }),
    dev: noisePictures(63, { contrast: 12, positives: 1 / 21, seed: 2 }),
  });

  test('imbalance is named, with what helps: weights come first, and the smaller class is found', async () => {
    const situation = { parts: unequal(), training: { epochs: 40 } };
    const before = await trained(situation);
    expect(before.diagnosis).toMatchObject({ collapsed: true, answers: 'larger class', verdict: 'neither' });
    expect(before.diagnosis.imbalance).toEqual({ positive: true, share: 20 / 420, error: 1 });
    expect(titlesOf(before).slice(0, 2)).toEqual(['class weights', 'a chosen threshold']);
    expect(said(before)).toMatch(/with 3 of the smaller class in dev, where 20 or more tell, that is mostly chance/);
    expect(before.balancedAccuracy).toBe(0.5);
    expect((await advised(situation, before)).balancedAccuracy).toBeGreaterThan(0.75);
  });

  test('units are blamed nowhere where there are none', async () => {
    const before = await trained({ parts: unequal(), training: { epochs: 5 } });
    expect(said(before)).not.toMatch(/hidden layer|a unit that|units that stay/);
  });

  test('the smaller class: said as it is', async () => {
    const before = await trained({ parts: unequal(), training: { epochs: 5, threshold: 0 } });
    expect(before.diagnosis).toMatchObject({ collapsed: true, answers: 'smaller class' });
  });

  test('a model that finds some of them has its imbalance named, though accuracy is high', async () => {
    const before = await trained({ parts: unequal(), training: { epochs: 800 } });
    expect(before.diagnosis).toMatchObject({ collapsed: false, answers: null });
    expect(before.accuracy).toBeGreaterThan(0.95);
    expect(before.diagnosis.imbalance).not.toBeNull();
    expect(titlesOf(before)).toContain('class weights');
  });

  test('classes that are equal have none', async () => {
    const before = await trained({ training: { epochs: 5, learningRate: 1e-9, threshold: 1 } });
    expect(before.diagnosis).toMatchObject({ collapsed: true, answers: 'larger class', imbalance: null });
    expect(titlesOf(before)).not.toContain('class weights');
  });

  test('a layer that is dead: shorter steps and leaky units', async () => {
    const situation = {
      model: { layers: [{ units: 4 }, { units: 3 }, { units: 2 }] },
      training: { epochs: 12, learningRate: 5 },
    };
    const before = await trained(situation);
    expect(before.diagnosis.collapsed).toBe(true);
    const stays = before.diagnosis.remedies.find(({ title }) => title === 'units that stay alive')!;
    expect(stays.set).toContain('model.layers.0.activation=leakyRelu');
    expect((await trained(situation, stays.set)).diagnosis.collapsed).toBe(false);
  });
});

describe('a training that goes well', () => {
  test.each<[string, Situation]>([
    ['plainly', { training: { epochs: 200 } }],
    ['with weights that draw the answer to one class', { training: { epochs: 200, classWeight: 30 } }],
    [
      'in small batches with dropout',
      { model: { layers: [{ units: 16, keepProb: 0.5 }] }, training: { epochs: 60, batchSize: 8, optimizer: { name: 'adam' } } },
    ],
    ['by squared error', { training: { epochs: 200, loss: 'squaredError' } }],
  ])('%s: nothing of its rate is said', async (_, situation) => {
    const after = await trained(situation);
    expect(after.diagnosis.worseThanGuessing).toBe(false);
    expect(titlesOf(after).filter((title) => title.includes('learning rate'))).toEqual([]);
    expect(after.alarms).toEqual([]);
  });

  test('but not to its end: the cost that still falls is said to, and that is so', async () => {
    const situation = {
      parts: pictures(12),
      training: { epochs: 40, learningRate: 0.03 },
    };
    const before = await trained(situation);
    expect(said(before)).toContain('train longer: the cost was still falling at the end');
    const longer = before.diagnosis.remedies.find(({ title }) => title === 'train longer')!;
    expect((await trained(situation, longer.set)).cost).toBeLessThan(0.98 * before.cost);
  });
});

test('whatever is advised is a config that can be planned, and so is what makes it affordable', async () => {
  const layers = fc.array(
    fc.record({
      units: fc.integer({ min: 1, max: 9 }),
      activation: fc.constantFrom('relu', 'tanh', 'leakyRelu', 'linear'),
      keepProb: fc.constantFrom(1, 0.5),
      batchNorm: fc.boolean(),
      init: fc.constantFrom('zeros', 'he', 'auto'),
    }),
    { maxLength: 3 },
  );
  const training = fc.record({
    epochs: fc.constantFrom(1, 3, 12),
    batchSize: fc.constantFrom('full', 'auto', 16, 64),
    learningRate: fc.constantFrom<'auto' | number | number[]>('auto', 1e-9, 0.05, 1e4, []),
    optimizer: fc.constantFrom({ name: 'gradientDescent' }, { name: 'momentum' }, { name: 'adam' }),
    form: fc.constantFrom('auto', 'direct', 'dual'),
    earlyStopping: fc.constantFrom(false, { patience: 2 }),
    threshold: fc.constantFrom(0.5, 0, 1, 'f1'),
    classWeight: fc.constantFrom('none', 'balanced', 20),
    loss: fc.constantFrom('crossEntropy', 'squaredError'),
    l2: fc.constantFrom(0, 2),
  });
  const normalize = fc.constantFrom('scale', 'none', 'standardizeChannels');
  const parts = pictures(12);
  const few = { train: noisePictures(60, { positives: 0.1 }), dev: noisePictures(20, { positives: 0.2, seed: 2 }) };
  let advised = 0;
  await fc.assert(
    fc.asyncProperty(layers, training, normalize, fc.boolean(), async (hidden, rest, normalizer, isFew) => {
      fc.pre(rest.form !== 'dual' || rest.optimizer.name !== 'adam');
      if (Array.isArray(rest.learningRate)) rest.learningRate = [...hidden.map(() => 0.01), 0.01]; // one a layer
      const data = { source: { type: 'drawn' }, imageSize: 4, normalize: normalizer };
      const config = checkConfig({ data, model: { layers: hidden }, training: rest }, 'test');
      const own = isFew ? few : parts;
      const found = await trainedOn(config, own).catch((error) => {
        if (error instanceof UserError && error.kind === 'diverged') return null;
        throw error;
      });
      for (const { set, affordable, timesAsLong } of found?.diagnosis?.remedies ?? []) {
        advised++;
        if (set.length > 0) expect(timesAsLong).toBeGreaterThan(0);
        for (const sets of [set, ...(affordable ? [[...set, ...affordable.set]] : [])]) {
          planTraining(checkConfig(config, 'a remedy', sets), own, kernels);
        }
      }
    }),
    { numRuns: 60, seed: 12 },
  );
  expect(advised).toBeGreaterThan(100); // else this shows nothing
});
