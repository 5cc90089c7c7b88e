import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkConfig, type LoadedConfig } from '../../src/config/load.ts';
import { prepareData } from '../../src/datasets/prepare.ts';
import { logit } from '../../src/evaluation/metrics.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { layerSizes } from '../../src/nn/build.ts';
import { loadClassifier } from '../../src/run/model-file.ts';
import { createRun } from '../../src/run/run-folder.ts';
import { writeSplit } from '../../src/run/split-file.ts';
import { inputDigests } from '../../src/training/checkpoint.ts';
import { planTraining } from '../../src/training/plan.ts';
import { runTraining, silent, type TrainingListener } from '../../src/training/trainer.ts';

/** A program may train without the command line: no flag, no stream, no exit code. */

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'nn-trainer-'))));
afterAll(() => rm(folder, { recursive: true }));

const configOf = ({ count = 60, ...training }: { count?: number } & Record<string, unknown>) =>
  checkConfig(
    {
      data: { source: { type: 'drawn', count, difficulty: 'easy' }, imageSize: 8, split: { train: 0.6, dev: 0.2, test: 0.2 } },
      model: { layers: [{ units: 5 }] },
      training: { epochs: 12, batchSize: 16, ...training },
    },
    'library',
  );

async function train(name: string, listener: TrainingListener, config = configOf({})) {
  const loaded: LoadedConfig = { config, file: 'library', folder };
  const data = await prepareData(loaded, { strict: true });
  const kernels = kernelsFor(config.precision);
  const plan = planTraining(config, data.splits, kernels);
  const run = await createRun(join(folder, name), loaded, false);
  try {
    const inputs = inputDigests(await writeSplit(run.path, data.splits, data.classes), data.splits, {});
    const job = { listener, loaded, data, files: {}, kernels, plan, warnings: [], runs: null, reporter: null };
    return { path: run.path, ...(await runTraining(run, job, { from: null, inputs })) };
  } finally {
    await run.close();
  }
}

test('trains into a folder: the model, its journal, its predictions, and a summary that says what is on the disk', async () => {
  const told: string[] = [];
  const { path, summary } = await train('whole', {
    ...silent,
    progress: (title, total) => ({ update: (done) => void told.push(`${title} ${done} of ${total}`), stop: () => {} }),
  });
  expect(summary).toMatchObject({ stopped: 'finished', epochs: 12 });
  expect(summary.metrics.train!.accuracy).toBeGreaterThan(summary.metrics.train!.baseline);
  expect(told.at(-1)).toBe('epoch 12 of 12');
  const files = await readdir(path);
  expect(files).toEqual(
    expect.arrayContaining(['config.json', 'journal.jsonl', 'model.safetensors', 'predictions.csv', 'split.csv', 'summary.json']),
  );
  const { classifier } = await loadClassifier(path);
  expect(layerSizes(classifier.network)).toEqual([8 * 8 * 3, 5, 1]);
});

test('stops where it is asked to, with all that it has come to, and a checkpoint to go on from', async () => {
  const controller = new AbortController();
  const stopAtThree = (done: number) => void (done >= 3 && controller.abort(new Error('enough')));
  const { summary, isCheckpointed } = await train('stopped', {
    ...silent,
    signal: controller.signal,
    progress: () => ({ update: stopAtThree, stop: () => {} }),
  });
  expect(summary).toMatchObject({ stopped: 'interrupted', epochs: 3 });
  expect(isCheckpointed).toBe(true);
});

test('calibrates on dev: the loss falls there, no picture changes sides, and the model, the summary and the predictions agree', async () => {
  const wishes = { count: 300, epochs: 60, learningRate: 0.1 };
  const plain = await train('uncalibrated', silent, configOf(wishes));
  const { path, summary } = await train('calibrated', silent, configOf({ ...wishes, calibrate: true }));
  const { temperature } = (await loadClassifier(path)).classifier;
  expect(summary.temperature).toBe(temperature);
  expect(temperature).not.toBe(1);
  for (const part of ['train', 'dev', 'test'] as const) {
    expect(summary.metrics[part]!.confusion).toEqual(plain.summary.metrics[part]!.confusion);
  }
  expect(summary.metrics.dev!.logLoss).toBeLessThan(plain.summary.metrics.dev!.logLoss);
  const answers = async (run: string) => {
    const [, ...rows] = (await readFile(join(run, 'predictions.csv'), 'utf8')).trimEnd().split('\n');
    return rows.map((row) => Number(row.split(',')[2]));
  };
  const [before, after] = [await answers(plain.path), await answers(path)];
  for (const [i, p] of before.entries()) {
    if (p < 0.001 || p > 0.999) continue;
    expect(logit(after[i]!)).toBeCloseTo(logit(p) / temperature!, 6);
  }
  expect(plain.summary.warnings).toEqual(summary.warnings);
  expect('temperature' in plain.summary).toBe(false);
});

test('where no temperature is best p stays as it is, with a warning', async () => {
  const { data, ...rest } = configOf({ calibrate: true, count: 12, epochs: 300, learningRate: 0.01 });
  const { source, split: _, ...others } = data;
  // logistic regression learns so few by heart
  const onItself = { ...rest, model: { ...rest.model, layers: [] }, data: { ...others, train: source, dev: source } };
  const { path, summary } = await train('sure', silent, onItself);
  expect(summary.metrics.dev!.accuracy).toBe(1);
  expect((await loadClassifier(path)).classifier.temperature).toBeUndefined();
  expect(summary.warnings.filter((text) => text.startsWith('training.calibrate: no temperature is best'))).toHaveLength(1);
});
