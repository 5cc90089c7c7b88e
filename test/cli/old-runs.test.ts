import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nn } from '../cli.ts';

/** A run whose checkpoint has version 1 of its format (test/golden/README.md), with Adam, batch norm, dropout and early stopping. */
const given = fileURLToPath(new URL('../golden/run-version-1', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-old-'));
  await cp(given, folder, { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

const read = async (name: string) => JSON.parse(await readFile(join(folder, name), 'utf8'));

test('a model of the version before answers as it did, to the bit', async () => {
  const { metrics } = await read('run/summary.json');
  for (const split of ['train', 'dev', 'test']) {
    const { stdout, code } = await nn(['evaluate', '--model', 'run', '--split', split, '--json'], { cwd: folder });
    expect(code).toBe(0);
    const found = JSON.parse(stdout);
    for (const key of ['cost', 'accuracy', 'rocAuc', 'confusion']) expect(found[key], key).toEqual(metrics[split][key]);
  }
});

test('a run of the version before is listed and shown, and compared once it keeps its answers', async () => {
  const at = { cwd: folder, env: { NN_RUNS: '.' } };
  const { stdout } = await nn(['runs', '--json'], at);
  const { metrics } = await read('run/summary.json');
  const { accuracy, accuracyInterval } = metrics.dev;
  expect(JSON.parse(stdout).entries).toMatchObject([{ name: 'run', ended: 'finished', dev: { accuracy, accuracyInterval } }]);
  expect((await nn(['runs', 'show', 'run'], at)).stdout).toContain('epoch 5 is kept');
  await rm(join(folder, 'run', 'predictions.csv'), { force: true });
  const refused = await nn(['runs', 'compare', 'run', 'run'], at);
  expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('nn evaluate --model run --split all') });
  await nn(['evaluate', '--model', 'run', '--split', 'all'], at);
  expect(await nn(['runs', 'compare', 'run', 'run'], at)).toMatchObject({ code: 0, stderr: '' });
});

test('a run of the version before goes on to the bits of one that was never stopped', async () => {
  const config = await read('run/config.json');
  await writeFile(
    join(folder, 'run', 'longer.json'),
    JSON.stringify({ ...config, training: { ...config.training, epochs: 40 } }),
  );
  const resumed = await nn(['train', '--resume', 'run', '--set', 'training.epochs=40', '--quiet'], { cwd: folder });
  expect(resumed.stderr).toBe('');
  expect(resumed.code).toBe(0);
  const whole = await nn(['train', '--config', 'run/longer.json', '--output', 'whole', '--quiet'], { cwd: folder });
  expect(whole.code).toBe(0);
  const models = await Promise.all(['run', 'whole'].map((run) => readFile(join(folder, run, 'model.safetensors'))));
  expect(models[0]!.equals(models[1]!)).toBe(true);
});
