import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { configReference } from '../scripts/config-reference.mjs';
import { loadConfig } from '../src/config/load.ts';
import { configJsonSchema } from '../src/config/schema.ts';
import { configsPath, nn } from './cli.ts';
import { isThorough, someOf } from './thorough.ts';
import { splitsOf, type Trained, trainedOn } from './training/trained.ts';

/** Each config of configs/ is an example that works, and each demonstration shows what it is there to show: in the figures that a
 *  learner looks at, and not by the luck of one seed. */

const folder = mkdtempSync(join(tmpdir(), 'nn-demos-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const configs = readdirSync(configsPath).filter((name) => name.endsWith('.json') && name !== 'schema.json');

/** Of the first weights and of every shuffle; the pictures of a demonstration stay the same, and so do its parts. */
const seeds = [1, 2, 3];

/** Trains as a reader of the docs would. */
async function show(name: string, sets: readonly string[] = [], seed = 1): Promise<Trained> {
  const { config } = await loadConfig(join(configsPath, `${name}.json`), sets);
  const parts = await splitsOf(config);
  return trainedOn({ ...config, seed }, parts);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const costsOf = ({ journal }: Trained) => journal.map(({ cost }) => cost);
const titlesOf = ({ diagnosis }: Trained) => diagnosis!.remedies.map(({ title }) => title);

describe('configs', () => {
  test.each(configs)('%s is right, and names the schema that editors check it by', async (name) => {
    const { config } = await loadConfig(join(configsPath, name));
    expect(config.$schema).toBe('./schema.json');
  });

  test.each(configs)('%s says how its pictures are normalised: a default may change', (name) => {
    expect(JSON.parse(readFileSync(join(configsPath, name), 'utf8')).data.normalize).toBeTypeOf('string');
  });

  test('docs/config.md is what the schema says (npm run schema), and every link in it leads somewhere', () => {
    const text = readFileSync(join(configsPath, '..', 'docs', 'config.md'), 'utf8');
    expect(text).toBe(configReference(configJsonSchema()));
    const anchors = Array.from(
      text.matchAll(/^## (.*)$/gm),
      ([, title]) => `#${title!.toLowerCase().replaceAll(/[^a-z\d-]/g, '')}`,
    );
    for (const [, target] of text.matchAll(/\]\((#[^)]*)\)/g)) expect(anchors).toContain(target);
    expect(text).not.toMatch(/undefined|\[object/);
  });

  test('schema.json is what the code says (npm run schema)', () => {
    expect(JSON.parse(readFileSync(join(configsPath, 'schema.json'), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(configJsonSchema())),
    );
  });

  test.each(someOf(configs.filter((name) => !/^(course|photos|conv-photos|quickstart)/.test(name))))(
    '%s trains (what needs a download aside, and what .ci/run trains)',
    async (name) => {
      const { journal } = await show(name.replace('.json', ''), ['training.epochs=2']);
      expect(journal.map(({ epoch }) => epoch)).toEqual([1, 2]);
    },
  );

  test('a rate by feature, momentum and decay bring the cost down together', async () => {
    const { journal } = await show('demo-rate-by-feature');
    expect(journal.at(-1)!.cost).toBeLessThan(0.95 * journal[0]!.cost);
    expect(journal.at(-1)!.learningRate).toBeCloseTo(0.1 / (1 + 0.01 * 59), 12);
  });

  test('a rate that halves every ten epochs', async () => {
    const { journal } = await show('demo-decay');
    expect([1, 10, 11, 20, 21].map((epoch) => journal[epoch - 1]!.learningRate)).toEqual([0.003, 0.003, 0.0015, 0.0015, 0.00075]);
    expect(journal.at(-1)!.cost).toBeLessThan(0.5 * journal[0]!.cost);
  });

  test('all-options trains with every option at once', async () => {
    const { metrics } = await show('all-options');
    expect(metrics.test!.accuracy).toBeGreaterThan(0.75);
  });
});

describe('bias and variance', () => {
  test('a network that is too small underfits: wrong on its own pictures as on others; a larger one, as nn advises, does not', async () => {
    for (const seed of seeds) {
      const small = await show('demo-underfitting', [], seed);
      expect(small.diagnosis!.verdict).toBe('high bias');
      const larger = small.diagnosis!.remedies.find(({ title }) => title === 'a larger network')!;
      const large = await show('demo-underfitting', larger.set, seed);
      for (const part of ['train', 'dev'] as const) {
        expect(large.metrics[part]!.accuracy, part).toBeGreaterThan(small.metrics[part]!.accuracy + 0.1);
      }
    }
  });

  test.skipIf(!isThorough)(
    'a large one with few pictures overfits; L2 and dropout each are right more often on dev, at a much lower cost',
    async () => {
      const shown = { base: [] as Trained[], l2: [] as Trained[], dropout: [] as Trained[] };
      for (const seed of seeds) {
        shown.base.push(await show('demo-overfitting', [], seed));
        shown.l2.push(await show('demo-l2', [], seed));
        shown.dropout.push(await show('demo-dropout', [], seed));
      }
      const onDev = (trained: readonly Trained[], what: 'accuracy' | 'cost') => trained.map(({ metrics }) => metrics.dev![what]);
      for (const one of shown.base) {
        expect(one.diagnosis!.verdict).toBe('high variance');
        expect(one.metrics.train!.error).toBeLessThan(0.01);
        expect(titlesOf(one)).toEqual(expect.arrayContaining(['L2 regularisation', 'dropout']));
      }
      for (const [name, least, share] of [
        ['l2', 0.02, 0.7],
        ['dropout', 0.01, 0.9],
      ] as const) {
        const [accuracy, before] = [onDev(shown[name], 'accuracy'), onDev(shown.base, 'accuracy')];
        for (const [i, value] of accuracy.entries()) expect(value, `${name}, seed ${seeds[i]}`).toBeGreaterThan(before[i]!);
        expect(mean(accuracy), name).toBeGreaterThan(mean(before) + least);
        for (const [i, cost] of onDev(shown[name], 'cost').entries()) {
          expect(cost, `${name}, seed ${seeds[i]}`).toBeLessThan(share * shown.base[i]!.metrics.dev!.cost);
        }
      }
      // and what is there already is no longer advised
      expect(titlesOf(shown.l2[0]!)).not.toContain('L2 regularisation');
      expect(titlesOf(shown.dropout[0]!)).not.toContain('dropout');
    },
  );
});

describe('initialisation', () => {
  test('zeros learn nothing, and nn says why', async () => {
    const { metrics, journal, warnings } = await show('demo-zeros');
    expect(journal.at(-1)!.layers![0]!.weightNorm).toBe(0);
    expect(metrics.train!.accuracy).toBe(metrics.train!.baseline);
    expect(journal.at(-1)!.cost).toBeGreaterThan(0.69);
    expect(warnings.join()).toMatch(/symmetry/);
  });

  test('a factor of 10 starts badly: its first cost is far above that of a coin, and he starts near it', async () => {
    const large = await show('demo-factor-10', ['training.epochs=5']);
    const fitting = await show('demo-factor-10', ['model.init=he', 'training.epochs=5']);
    expect(large.journal[0]!.cost).toBeGreaterThan(100 * Math.LN2);
    expect(fitting.journal[0]!.cost).toBeLessThan(2 * Math.LN2);
  });

  test('eight linear layers of doubling weights make 2^l of it, of halving weights its inverse', async () => {
    const growth = ({ journal }: Trained) => {
      const sizes = journal[0]!.layers!.slice(0, 8).map(({ activationSize }) => activationSize);
      return Math.log2(sizes[7]! / sizes[0]!);
    };
    // 64 units: a deviation of 2/√64 doubles the size of what goes through a layer
    expect(growth(await show('demo-deep-linear'))).toBeCloseTo(7, -0.5);
    expect(growth(await show('demo-deep-linear', [`model.init.factor=${0.5 / 8}`]))).toBeCloseTo(-7, -0.5);
    expect(growth(await show('demo-deep-linear', [`model.init.factor=${1 / 8}`]))).toBeCloseTo(0, -0.5);
  });
});

describe('optimising', () => {
  const names = ['gradientDescent', 'momentum', 'rmsprop', 'adam'] as const;

  test('in as many epochs momentum and RMSprop get further than gradient descent, and Adam furthest: by cost and by accuracy', async () => {
    for (const seed of seeds) {
      const by: Record<string, Trained> = {};
      for (const name of names) by[name] = await show('demo-optimizers', [`training.optimizer.name=${name}`], seed);
      const cost = (name: string) => costsOf(by[name]!).at(-1)!;
      const right = (name: string, part: 'train' | 'dev') => by[name]!.metrics[part]!.accuracy;
      for (const name of ['momentum', 'rmsprop', 'adam']) {
        expect(cost(name), `${name}, seed ${seed}`).toBeLessThan(0.9 * cost('gradientDescent'));
        expect(right(name, 'train'), `${name}, seed ${seed}`).toBeGreaterThan(right('gradientDescent', 'train') + 0.02);
      }
      expect(cost('adam')).toBe(Math.min(...names.map(cost)));
      expect(right('adam', 'dev')).toBeGreaterThan(right('gradientDescent', 'dev') + 0.05);
    }
  });

  test('a learning rate that is too small is slow, and the right one learns', async () => {
    const small = costsOf(await show('demo-learning-rate', ['training.learningRate=0.0001']));
    const right = costsOf(await show('demo-learning-rate'));
    expect(small.at(-1)!).toBeGreaterThan(0.9 * small[0]!);
    expect(right.at(-1)!).toBeLessThan(0.7 * right[0]!);
  });

  test('too large a one diverges with exit code 5, and what is proposed then learns', async () => {
    const config = join(configsPath, 'demo-learning-rate.json');
    const words = ['train', '--config', config, '--set', 'training.learningRate=5'];
    const { code, stderr } = await nn(words, { cwd: folder });
    expect(code).toBe(5);
    const proposed = /diverged at step \d+ .* in layer \d .* learning rate 5.*\n.*--set (training\.learningRate=[\d.]+)/.exec(
      stderr,
    )![1]!;
    const costs = costsOf(await show('demo-learning-rate', [proposed]));
    expect(costs.at(-1)!).toBeLessThan(0.9 * costs[0]!);
  });
});
