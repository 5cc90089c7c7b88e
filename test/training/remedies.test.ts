import { expect, test } from 'vitest';
import { checkConfig, loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { type Finding, remediesFor } from '../../src/training/remedies.ts';

const configOf = (changes: object = {}): Config =>
  checkConfig(
    { data: { source: { type: 'drawn', count: 100 } }, model: { layers: [{ units: 6 }, { units: 1 }] }, ...changes },
    'a test',
  );
const finding: Finding = {
  verdict: 'high bias',
  ...{ collapsed: false, worseThanGuessing: false, imbalance: false, tooFast: false, tooSlow: false, dead: false },
  ...{ trainError: 0.2, smallerInDev: 30, devTurned: true, learntLater: false, trend: 'falling', stopped: 'finished' },
  ...{ learningRates: [0.01, 0.01, 0.01], autoRate: 0.02, inputs: 12288 },
};
const titles = (config: Config, changes: Partial<Finding>) =>
  remediesFor(config, { ...finding, ...changes }).map(({ title }) => title);
const setsOf = (config: Config, title: string, changes: Partial<Finding> = {}) =>
  remediesFor(config, { ...finding, ...changes }).find((remedy) => remedy.title === title)?.set;

test('against high bias and high variance nothing is advised that would make the bias higher', () => {
  const both = titles(configOf(), { verdict: 'high bias and high variance' });
  expect(both).toContain('a larger network');
  expect(both).toContain('more data');
  expect(both).not.toContain('a smaller network');
  expect(both).not.toContain('early stopping');
  const variance = titles(configOf(), { verdict: 'high variance' });
  expect(variance).toContain('a smaller network');
  expect(variance).toContain('early stopping');
});

test('after early stopping that left what later epochs learnt, nothing is advised against bias', () => {
  const stopping = configOf({ training: { earlyStopping: { patience: 7 } } });
  const both = { verdict: 'high bias and high variance', stopped: 'early', learntLater: true } as const;
  expect(titles(stopping, both)).not.toContain('a larger network');
  expect(titles(stopping, both)).not.toContain('more patience');
  expect(titles(stopping, both)[0]).toBe('more data');
  expect(titles(stopping, { ...both, learntLater: false })).toContain('a larger network');
});

test('after early stopping patience is advised, not epochs that would not be trained', () => {
  const stopping = configOf({ training: { earlyStopping: { patience: 7 } } });
  expect(titles(stopping, { stopped: 'early' })).not.toContain('train longer');
  expect(setsOf(stopping, 'more patience', { stopped: 'early' })).toEqual(['training.earlyStopping.patience=28']);
  expect(titles(stopping, {})).toContain('train longer');
  expect(titles(stopping, {})).not.toContain('more patience');
});

test.each([
  [{ epochs: 2500, evaluateEvery: 100 }, 500],
  [{ epochs: 60 }, 12],
  [{ epochs: 20 }, 10],
])('early stopping of %j waits for a fifth of it, and for several looks: %d epochs', (training, patience) => {
  const set = setsOf(configOf({ training }), 'early stopping', { verdict: 'high variance' });
  expect(set).toEqual([`training.earlyStopping={"patience":${patience}}`]);
});

test('early stopping looks often enough to see where the dev cost turns', () => {
  const setOf = (training: object) => setsOf(configOf({ training }), 'early stopping', { verdict: 'high variance' });
  expect(setOf({ epochs: 300, evaluateEvery: 100 })).toEqual([
    'training.earlyStopping={"patience":60}',
    'training.evaluateEvery=12',
  ]);
  for (const epochs of [10, 30, 100, 300, 1000]) {
    for (const evaluateEvery of [1, 7, 50, 100, 1000]) {
      const set = setOf({ epochs, evaluateEvery })!;
      const config = checkConfig(configOf({ training: { epochs, evaluateEvery } }), 'a test', set);
      const { patience } = config.training.earlyStopping as { patience: number };
      expect(patience).toBeGreaterThanOrEqual(5 * config.training.evaluateEvery);
      if (epochs >= 30) expect(patience).toBeLessThan(epochs / 2);
    }
  }
});

test('early stopping is advised where the dev cost turned up, or nobody knows, and not where it fell to the end', () => {
  const at = (devTurned: boolean | null) => titles(configOf(), { verdict: 'high variance', devTurned });
  expect(at(true)).toContain('early stopping');
  expect(at(null)).toContain('early stopping');
  expect(at(false)).not.toContain('early stopping');
});

test('a dev part is cut without dropping the test part', () => {
  const of = (split: unknown) =>
    setsOf(configOf({ data: { source: { type: 'drawn', count: 100 }, split } }), 'early stopping', {
      verdict: 'high variance',
      smallerInDev: null,
    })![0];
  expect(of({ test: 0.1 })).toBe('data.split={"dev":0.2,"test":0.1}');
  expect(of({ train: 0.8, test: 0.2 })).toBe('data.split={"dev":0.2,"test":0.2}');
  expect(of({ folds: 5 })).toBe('data.split={"dev":0.2}');
});

test('networks grow and shrink by their units alone', () => {
  expect(setsOf(configOf(), 'a larger network')).toEqual(['model.layers.0.units=12', 'model.layers.1.units=2']);
  expect(setsOf(configOf(), 'a smaller network', { verdict: 'high variance' })).toEqual(['model.layers.0.units=3']);
  const logistic = configOf({ model: { layers: [] } });
  expect(setsOf(logistic, 'a larger network')).toEqual(['model.layers=[{"units":20}]']);
  expect(titles(logistic, { verdict: 'high variance' })).not.toContain('a smaller network');
});

test('what is advised is what --set takes', async () => {
  for (const verdict of ['high bias', 'high variance', 'high bias and high variance'] as const) {
    for (const collapsed of [false, true]) {
      const all = {
        verdict,
        collapsed,
        stopped: 'early',
        imbalance: true,
        tooSlow: true,
        dead: true,
        smallerInDev: null,
      } as const;
      for (const { set } of remediesFor(configOf({ data: { source: { type: 'drawn' }, normalize: 'scale' } }), {
        ...finding,
        ...all,
      })) {
        await expect(
          loadConfig('configs/quickstart.json', ['model.layers=[{"units":6},{"units":1}]', ...set]),
        ).resolves.toBeTruthy();
      }
    }
  }
});

test('what holds a network back goes before a larger one', () => {
  const held = configOf({ model: { layers: [{ units: 6, keepProb: 0.2 }] }, training: { l2: 20 } });
  expect(titles(held, {})[0]).toBe('less regularisation');
  expect(setsOf(held, 'less regularisation')).toEqual(['training.l2=0', 'model.layers.0.keepProb=1']);
  expect(titles(configOf(), {})).not.toContain('less regularisation');
  const both = titles(configOf({ training: { l2: 20 } }), { verdict: 'high bias and high variance' });
  expect(both).toContain('less regularisation');
  expect(both).not.toContain('dropout'); // which would hold it back too
  expect(titles(configOf(), { verdict: 'high bias and high variance' })).toContain('dropout');
});

test('of linear layers a bend is advised, not more of them', () => {
  const linear = configOf({ model: { layers: [{ units: 6, activation: 'linear' }] } });
  expect(titles(linear, {})).not.toContain('a larger network');
  expect(setsOf(linear, 'hidden layers with a bend')).toEqual(['model.layers.0.activation=relu']);
});

test('large first weights are advised against, small ones are not', () => {
  const of = (factor: number) => configOf({ model: { init: { name: 'random', factor }, layers: [{ units: 6 }] } });
  expect(setsOf(of(10), 'another initialisation')).toEqual(['model.init=auto']);
  expect(titles(of(0.01), {})).not.toContain('another initialisation');
});

test.each<[string, object]>([
  ['zeros', { init: 'zeros', layers: [{ units: 6 }] }],
  ['a factor of 0', { init: { name: 'random', factor: 0 }, layers: [{ units: 6 }] }],
  ['zeros of one layer', { layers: [{ units: 6 }, { units: 5, init: 'zeros' }] }],
])('units that begin alike need another beginning, and nothing else: %s', (_, model) => {
  const alike = configOf({ model });
  expect(titles(alike, { collapsed: true })).toEqual(['another initialisation']);
  const mended = checkConfig(alike, 'a test', setsOf(alike, 'another initialisation', { collapsed: true })!);
  expect(titles(mended, { collapsed: true })).not.toContain('another initialisation');
});

test('logistic regression may begin with zeros', () => {
  expect(titles(configOf({ model: { init: 'zeros', layers: [] } }), { collapsed: true })).not.toContain('another initialisation');
});

test('one answer for all: what the training shows, and where it shows nothing, a rate that was tried', () => {
  const nothing = { collapsed: true, trend: 'level' } as const;
  expect(titles(configOf(), nothing)).toEqual(['a learning rate that was tried out']);
  expect(titles(configOf(), { ...nothing, trend: 'falling' })[0]).toBe('train longer');
  expect(titles(configOf(), { ...nothing, tooSlow: true })[0]).toBe('a larger learning rate');
  expect(titles(configOf(), { ...nothing, dead: true })[0]).toBe('units that stay alive');
  expect(titles(configOf(), { ...nothing, imbalance: true }).slice(0, 2)).toEqual(['class weights', 'a chosen threshold']);
});

test('what is said of a cost, a layer and a memory is said where it is so', () => {
  expect(titles(configOf(), { trend: 'level' })).not.toContain('train longer');
  expect(titles(configOf(), { trend: 'rising' })).not.toContain('train longer');
  expect(titles(configOf(), {})).not.toContain('units that stay alive');
  const whyMore = (trainError: number) =>
    remediesFor(configOf(), { ...finding, verdict: 'high variance', trainError }).find(({ title }) => title === 'more data')!.why;
  expect(whyMore(0.01)).toMatch(/by heart/);
  expect(whyMore(0.2)).not.toMatch(/by heart/);
});

test('worse than guessing: nothing but the rate, its like and the beginning', () => {
  const wild = titles(configOf(), { worseThanGuessing: true, tooFast: true, verdict: 'high bias and high variance' });
  expect(wild).toEqual(['a smaller learning rate', 'a learning rate that was tried out']);
  expect(titles(configOf(), { tooFast: true })).toEqual(wild);
  expect(titles(configOf(), { tooFast: true, verdict: 'neither' })).toEqual([]);
  // no steps threw it there, and it comes down: then time is what it needs
  expect(titles(configOf(), { worseThanGuessing: true })).toEqual(['train longer', 'a learning rate that was tried out']);
});

test.each<[readonly number[], number, string]>([
  [[0.3, 0.3, 0.3], 0.02, '0.02'],
  [[0.1, 0.1, 0.1], 0.02, '0.01'],
  [[0.02, 0.02, 0.02], 0.02, '0.002'],
  [[1e30, 1e30, 1e30], 0.02, '0.02'],
  [[1e30, 0.01, 0.01], 0.02, '[0.02,0.001,0.001]'],
])('a rate of %j where the automatic one is %d: a tenth, and no more than that', (learningRates, autoRate, proposed) => {
  expect(
    setsOf(configOf(), 'a smaller learning rate', { worseThanGuessing: true, tooFast: true, learningRates, autoRate }),
  ).toEqual([`training.learningRate=${proposed}`]);
});

test('what was interrupted goes on, and what ran out of time gets more, before epochs are added', () => {
  const timed = configOf({ training: { maxMinutes: 3 } });
  for (const [stopped, title] of [
    ['interrupted', 'train on'],
    ['time', 'more time'],
  ] as const) {
    expect(titles(timed, { stopped })).toContain(title);
    expect(titles(timed, { stopped })).not.toContain('train longer');
    expect(titles(timed, {})).not.toContain(title);
  }
  expect(setsOf(timed, 'more time', { stopped: 'time' })).toEqual(['training.maxMinutes=6']);
});

test('a quicker optimizer is advised to plain gradient descent alone', () => {
  const by = (name: string, normalize = 'standardize') =>
    titles(configOf({ data: { source: { type: 'drawn' }, normalize }, training: { optimizer: { name } } }), {});
  expect(by('gradientDescent')).toContain('a quicker optimizer');
  expect(by('rmsprop')).not.toContain('a quicker optimizer');
  expect(by('gradientDescent', 'scale')).not.toContain('a quicker optimizer');
});

test('weights of a file are given up where the architecture changes, and no other beginning is advised beside them', () => {
  const training = { startFrom: 'model.safetensors' };
  const model = { init: { name: 'random', factor: 30 }, layers: [{ units: 6 }] };
  const from = configOf({ model, training });
  expect(setsOf(from, 'a larger network')).toEqual(['model.layers.0.units=12', 'training.startFrom=null']);
  expect(setsOf(from, 'dropout', { verdict: 'high variance' })).toEqual(['model.layers.0.keepProb=0.7']);
  expect(titles(from, {})).not.toContain('another initialisation');
  expect(titles(configOf({ model }), {})).toContain('another initialisation');
  expect(titles(configOf({ model: { init: 'zeros', layers: [{ units: 6 }] }, training }), { collapsed: true })).not.toContain(
    'another initialisation',
  );
});
