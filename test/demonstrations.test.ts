import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../src/config/load.ts';
import { configJsonSchema } from '../src/config/schema.ts';
import type { TrainSummary } from '../src/report/train-summary.ts';
import type { EpochEvent } from '../src/training/fit.ts';
import { configsPath, nn } from './cli.ts';

/** Each config of configs/ is an example that works, and each demonstration shows what it is there to show. */

const folder = mkdtempSync(join(tmpdir(), 'nn-demos-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const configs = readdirSync(configsPath).filter((name) => name.endsWith('.json') && name !== 'schema.json');

interface Shown {
  code: number | null;
  stderr: string;
  summary: TrainSummary;
  journal: EpochEvent[];
}

let runs = 0;
/** Trains as a reader of the docs would. */
async function show(name: string, ...sets: string[]): Promise<Shown> {
  const output = join(folder, String(runs++));
  const words = [
    'train',
    '--config',
    join(configsPath, `${name}.json`),
    '--output',
    output,
    '--json',
    ...sets.flatMap((set) => ['--set', set]),
  ];
  const { code, stdout, stderr } = await nn(words, { cwd: folder });
  const lines = readFileSync(join(output, 'journal.jsonl'), 'utf8').trim().split('\n');
  return { code, stderr, summary: JSON.parse(stdout), journal: lines.map((line) => JSON.parse(line)) };
}

/** How much worse it does on pictures that it never saw. */
const gap = ({ summary: { metrics } }: Shown, what: 'error' | 'cost') => metrics.dev![what] - metrics.train![what];

describe('configs', () => {
  test.each(configs)('%s is right, and names the schema that editors check it by', async (name) => {
    const { config } = await loadConfig(join(configsPath, name));
    expect(config.$schema).toBe('./schema.json');
  });

  test('schema.json is what the code says (npm run schema)', () => {
    expect(JSON.parse(readFileSync(join(configsPath, 'schema.json'), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(configJsonSchema())),
    );
  });

  test.each(configs.filter((name) => !/^(course|photos)/.test(name)))('%s trains (what needs a download aside)', async (name) => {
    const { code, journal } = await show(name.replace('.json', ''), 'training.epochs=2');
    expect(code).toBe(0);
    expect(journal.map(({ epoch }) => epoch)).toEqual([1, 2]);
  });

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

  test('quickstart reaches 90% on test', async () => {
    const { summary } = await show('quickstart');
    expect(summary.metrics.test!.accuracy).toBeGreaterThanOrEqual(0.9);
    expect(summary.seconds).toBeLessThan(60);
  });

  test('all-options trains with every option at once', async () => {
    const { summary, code } = await show('all-options');
    expect(code).toBe(0);
    expect(summary.metrics.test!.accuracy).toBeGreaterThan(0.75);
    expect(summary.threshold).not.toBe(0.5);
  });
});

describe('bias and variance', () => {
  test('a network that is too small underfits: wrong on its own pictures as on others', async () => {
    const { summary } = await show('demo-underfitting');
    expect(summary.diagnosis!.verdict).toBe('high bias');
    expect(summary.diagnosis!.remedies.map(({ title }) => title)).toContain('a larger network');
  });

  test('a large one with few pictures overfits, and L2 and dropout each shrink the gap', async () => {
    const overfitting = await show('demo-overfitting');
    expect(overfitting.summary.diagnosis!.verdict).toBe('high variance');
    expect(overfitting.summary.metrics.train!.error).toBeLessThan(0.01);
    const titles = overfitting.summary.diagnosis!.remedies.map(({ title }) => title);
    expect(titles).toContain('L2 regularisation');
    expect(titles).toContain('dropout');
    for (const name of ['demo-l2', 'demo-dropout']) {
      const regularized = await show(name);
      expect(gap(regularized, 'error'), name).toBeLessThan(gap(overfitting, 'error') - 0.03);
      expect(gap(regularized, 'cost'), name).toBeLessThan(gap(overfitting, 'cost') / 2);
      // and it is no longer advised
      const left = regularized.summary.diagnosis!.remedies.map(({ title }) => title);
      expect(left).not.toContain(name === 'demo-l2' ? 'L2 regularisation' : 'dropout');
    }
  });
});

describe('initialisation', () => {
  test('zeros learn nothing, and nn says why', async () => {
    const { summary, journal } = await show('demo-zeros');
    const layers = journal.at(-1)!.layers!;
    expect(layers[0]!.weightNorm).toBe(0);
    expect(summary.metrics.train!.accuracy).toBe(summary.metrics.train!.baseline);
    expect(journal.at(-1)!.cost).toBeGreaterThan(0.69);
    expect(summary.warnings.join()).toMatch(/symmetry/);
  });

  test('a factor of 10 starts badly: its first cost is far above that of a coin, and he starts near it', async () => {
    const large = await show('demo-factor-10', 'training.epochs=5');
    const fitting = await show('demo-factor-10', 'model.init=he', 'training.epochs=5');
    expect(large.journal[0]!.cost).toBeGreaterThan(100 * Math.LN2);
    expect(fitting.journal[0]!.cost).toBeLessThan(2 * Math.LN2);
  });

  test('eight linear layers of doubling weights make 2^l of it, of halving weights its inverse', async () => {
    const growth = ({ journal }: Shown) => {
      const sizes = journal[0]!.layers!.slice(0, 8).map(({ activationSize }) => activationSize);
      return Math.log2(sizes[7]! / sizes[0]!);
    };
    // 64 units: a deviation of 2/√64 doubles the size of what goes through a layer
    expect(growth(await show('demo-deep-linear'))).toBeCloseTo(7, -0.5);
    expect(growth(await show('demo-deep-linear', `model.init.factor=${0.5 / 8}`))).toBeCloseTo(-7, -0.5);
    expect(growth(await show('demo-deep-linear', `model.init.factor=${1 / 8}`))).toBeCloseTo(0, -0.5);
  });
});

describe('optimising', () => {
  test('on the same problem Adam and RMSprop are ahead of momentum and gradient descent', async () => {
    const costs: Record<string, number> = {};
    for (const name of ['gradientDescent', 'momentum', 'rmsprop', 'adam']) {
      const { journal } = await show('demo-optimizers', `training.optimizer.name=${name}`);
      costs[name] = journal.at(-1)!.cost;
    }
    for (const ahead of ['adam', 'rmsprop']) {
      for (const behind of ['momentum', 'gradientDescent'])
        expect(costs[ahead]!, `${ahead} < ${behind}`).toBeLessThan(costs[behind]! / 2);
    }
  });

  test('a learning rate that is too small is slow, the right one learns, too large a one diverges with exit code 5', async () => {
    const [small, right, large] = [
      await show('demo-learning-rate', 'training.learningRate=0.0001'),
      await show('demo-learning-rate'),
      await show('demo-learning-rate', 'training.learningRate=5'),
    ];
    expect(small.journal.at(-1)!.cost).toBeGreaterThan(0.9 * small.journal[0]!.cost);
    expect(right.journal.at(-1)!.cost).toBeLessThan(0.7 * right.journal[0]!.cost);
    expect(large.code).toBe(5);
    expect(large.stderr).toMatch(/diverged at step \d+ .* in layer \d .* learning rate 5.*\n.*--set training.learningRate=0.5/);
  });
});
