import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { namedRandom } from '../../src/random.ts';
import { run, temporaryFolder, writeJson } from './pictures.ts';
import { expectSameRun, signalled } from './stopped.ts';

/** NN_KILLS=200 npx vitest run test/cli/kills.test.ts is the long form; docs/reliability.md has its result. */
const kills = Number(process.env['NN_KILLS'] ?? 3);
const seed = Number(process.env['NN_KILLS_SEED'] ?? 1);
const random = namedRandom(seed, 'kills');

const data = { source: { type: 'drawn', count: 40 }, imageSize: 8, split: { dev: 10, test: 5 } };
const always = { checkpointMinutes: 0 };
/** Trainings of about a second, most of it spent on writing: kills fall into that. */
const configs: Record<string, object> = {
  'Adam with dropout, batch norm and augmentation': {
    data: { ...data, augment: { flipHorizontal: true, noise: 0.05 } },
    model: { layers: [{ units: 6, keepProb: 0.8, batchNorm: true }] },
    training: { epochs: 40, batchSize: 9, optimizer: { name: 'adam' }, earlyStopping: { patience: 9 }, ...always },
  },
  'the dual form with momentum, in float64': {
    data,
    precision: 'float64',
    model: { layers: [{ units: 5 }] },
    training: { epochs: 200, form: 'dual', optimizer: { name: 'momentum' }, l2: 0.1, threshold: 'youden', ...always },
  },
  'cross-validation': {
    data: { ...data, split: { folds: 3 } },
    training: { epochs: 25, batchSize: 10, optimizer: { name: 'rmsprop' }, threshold: 'f1', ...always },
  },
  'pictures that stay in their packed file': {
    data: {
      ...data,
      source: { type: 'packed', path: 'packed.safetensors' },
      memory: 0,
      shuffle: { block: 2, window: 8 },
    },
    model: { layers: [{ units: 5 }] },
    training: { epochs: 40, batchSize: 7, optimizer: { name: 'adam' }, ...always },
  },
  'a checkpoint at every tenth epoch': {
    data,
    model: { layers: [{ units: 4, activation: 'tanh' }] },
    training: { epochs: 1500, schedule: { name: 'cosine' }, checkpointMinutes: 1000, checkpointEpochs: 10 },
  },
};

let folder: string;
/** How long each config takes from the appearance of its folder to the end, and what kills left behind. */
const milliseconds: Record<string, number> = {};
const found = {
  kills: 0,
  'in the midst of writing a file': 0,
  'between two checkpoints': 0,
  'a line cut off': 0,
  'a model already': 0,
};
beforeAll(async () => {
  folder = await temporaryFolder();
  for (const [i, [name, config]] of Object.entries(configs).entries()) {
    await writeJson(join(folder, `${i}.json`), config);
    if (i === 0) await run(0, ['data', 'pack', '0.json', '--out', 'packed.safetensors'], { cwd: folder });
    const started = performance.now();
    let appeared = started;
    await signalled(words(i, `whole-${i}`), folder, {
      signal: 'SIGTERM',
      moment: async (ended) => {
        await isThere(`whole-${i}`, ended);
        appeared = performance.now();
        while (!ended()) await sleep(2);
      },
    });
    milliseconds[name] = performance.now() - appeared;
    expect(existsSync(join(folder, `whole-${i}`, 'summary.json')), name).toBe(true);
  }
});
afterAll(async () => {
  if (process.env['NN_KILLS'] !== undefined) await writeFile('kills.json', `${JSON.stringify({ seed, ...found }, null, 2)}\n`);
  await rm(folder, { recursive: true });
});

const words = (config: number, output: string) => ['train', '-q', '-c', `${config}.json`, '-o', output];

async function isThere(output: string, ended: () => boolean): Promise<void> {
  while (!ended() && !existsSync(join(folder, output, 'config.json'))) await sleep(2);
}

/** Kills a training at a random moment after its folder has appeared, and counts what that left. @returns whether it was in time */
async function killed(config: number, output: string, longest: number): Promise<boolean> {
  const going = existsSync(join(folder, output, 'config.json'));
  const { signal } = await signalled(going ? ['train', '-q', '--resume', output] : words(config, output), folder, {
    signal: 'SIGKILL',
    moment: async (ended) => {
      if (going) while (!ended() && !existsSync(join(folder, output, 'run.lock'))) await sleep(2);
      else await isThere(output, ended);
      const late = random.uniform() < 0.2; // the end is short, and much is written in it
      while (late && !ended() && !existsSync(join(folder, output, 'model.safetensors'))) await sleep(1);
      await sleep(random.uniform() * (late ? 40 : longest));
    },
  });
  if (signal !== 'SIGKILL') return false;
  const names = await readdir(join(folder, output));
  const journal = await readFile(join(folder, output, 'journal.jsonl'), 'utf8').catch(() => '');
  found.kills++;
  if (names.some((name) => name.endsWith('.partial'))) found['in the midst of writing a file']++;
  if (!names.includes('checkpoint.safetensors') && names.includes('checkpoint-previous.safetensors'))
    found['between two checkpoints']++;
  if (journal !== '' && !journal.endsWith('\n')) found['a line cut off']++;
  if (names.includes('model.safetensors')) found['a model already']++;
  return true;
}

describe('kill -9 at a random moment, also of those that go on, and the run ends as one that was never stopped', () => {
  test.each(Object.keys(configs).map((name, i) => [i, name] as const))('%i: %s', { timeout: 3_600_000 }, async (config, name) => {
    const share = Math.ceil(kills / Object.keys(configs).length);
    for (let [n, at] = [0, 0]; n < share; at++) {
      const output = `killed-${config}-${at}`;
      while (n < share && (await killed(config, output, milliseconds[name]!))) {
        n++;
        if (random.uniform() < 0.5) break;
      }
      await run(0, ['train', '-q', '--resume', output], { cwd: folder });
      await expectSameRun(join(folder, output), join(folder, `whole-${config}`));
      expect(await readdir(join(folder, 'runs'))).toEqual(['latest']);
      await rm(join(folder, output), { recursive: true });
    }
  });
});
