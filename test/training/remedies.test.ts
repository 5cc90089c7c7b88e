import { expect, test } from 'vitest';
import { checkConfig, loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { type Finding, remediesFor } from '../../src/training/remedies.ts';

const configOf = (changes: object = {}): Config =>
  checkConfig(
    { data: { source: { type: 'drawn', count: 100 } }, model: { layers: [{ units: 6 }, { units: 1 }] }, ...changes },
    'a test',
  );
const finding: Finding = { verdict: 'high bias', collapsed: false, learningRate: 0.01, hasDev: true, stopped: 'finished' };
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
  [{ epochs: 300, evaluateEvery: 50 }, 250],
])('early stopping of %j waits for a fifth of it, and for several looks: %d epochs', (training, patience) => {
  const set = setsOf(configOf({ training }), 'early stopping', { verdict: 'high variance' });
  expect(set).toEqual([`training.earlyStopping={"patience":${patience}}`]);
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
      for (const { set } of remediesFor(configOf(), { ...finding, verdict, collapsed, stopped: 'early' })) {
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

test('units that begin alike need another beginning, and nothing else', () => {
  const zeros = configOf({ model: { init: 'zeros', layers: [{ units: 6 }] } });
  expect(titles(zeros, { collapsed: true })).toEqual(['another initialisation']);
  expect(titles(configOf(), { collapsed: true })).toEqual([
    'a smaller learning rate',
    'train longer, or with a quicker optimizer',
  ]);
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
  const by = (name: string) => titles(configOf({ training: { optimizer: { name } } }), {});
  expect(by('gradientDescent')).toContain('a quicker optimizer');
  expect(by('rmsprop')).not.toContain('a quicker optimizer');
});
