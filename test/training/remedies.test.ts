import { expect, test } from 'vitest';
import { checkConfig, loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { type Finding, remediesFor } from '../../src/training/remedies.ts';

const configOf = (changes: object = {}): Config =>
  checkConfig(
    { data: { source: { type: 'drawn', count: 100 } }, model: { layers: [{ units: 6 }, { units: 1 }] }, ...changes },
    'a test',
  );
const finding: Finding = { verdict: 'high bias', collapsed: false, learningRate: 0.01, hasDev: true, endedEarly: false };
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
  expect(titles(stopping, { endedEarly: true })).not.toContain('train longer');
  expect(setsOf(stopping, 'more patience', { endedEarly: true })).toEqual(['training.earlyStopping.patience=28']);
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
      for (const { set } of remediesFor(configOf(), { ...finding, verdict, collapsed, endedEarly: true })) {
        await expect(
          loadConfig('configs/quickstart.json', ['model.layers=[{"units":6},{"units":1}]', ...set]),
        ).resolves.toBeTruthy();
      }
    }
  }
});
