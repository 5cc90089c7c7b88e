import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nn } from '../cli.ts';
import { someOf } from '../thorough.ts';
import { preload, run, temporaryFolder, writeJson } from './pictures.ts';

/** Large enough that a step is shared: 48 pictures · 3,072 inputs · 8 units are 1.2 million multiplications. */
const config = {
  seed: 3,
  data: { source: { type: 'drawn', count: 80 }, imageSize: 32, normalize: 'standardizeChannels' },
  model: { layers: [{ units: 8 }] },
  training: { epochs: 3, form: 'direct', learningRate: 0.01 },
  search: { trials: 4, parameters: { 'training.learningRate': { logUniform: [0.001, 0.1] } } },
};

let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeJson(join(folder, 'c.json'), config);
  env = await preload(
    folder,
    `const threads = require('node:worker_threads');
     const { Worker } = threads;
     let started = 0;
     threads.Worker = class extends Worker { constructor(...args) { super(...args); started++; } };
     require('node:module').syncBuiltinESMExports();
     const log = (text) => require('node:fs').appendFileSync(${JSON.stringify(folder)} + '/log.txt', text + '\\n');
     if (/trial-worker/.test(process.argv[1])) log('worker with NN_THREADS=' + process.env.NN_THREADS);
     else process.on('exit', () => log(started + ' threads beside the first'));`,
  );
  await run(0, [...train('first'), '--threads', '1'], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true }));

/** What a command's processes wrote into the log. */
async function logOf(words: string[], environment: Record<string, string> = {}): Promise<string[]> {
  await rm(join(folder, 'log.txt'), { force: true });
  await run(0, words, { cwd: folder, env: { NN_THREADS: '', ...env, ...environment } });
  return (await readFile(join(folder, 'log.txt'), 'utf8')).trimEnd().split('\n');
}

const train = (name: string) => ['train', '--config', 'c.json', '--output', name, '-q'];
const modelOf = (name: string) => readFile(join(folder, name, 'model.safetensors'));

describe('--threads', () => {
  test.each(
    someOf<[string[], Record<string, string>, number]>([
      [['--threads', '1'], {}, 0],
      [['--threads', '3'], {}, 2],
      [[], { NN_THREADS: '2' }, 1],
      [['--threads', '3'], { NN_THREADS: '1' }, 2],
      [['--threads', '1'], { NN_THREADS: 'what goes unread is not refused' }, 0],
    ]),
  )('nn train %j with %j: %i beside the first, and the same bits', async (words, environment, beside) => {
    expect(await logOf([...train('again'), '--force', ...words], environment)).toEqual([`${beside} threads beside the first`]);
    expect(await modelOf('again')).toEqual(await modelOf('first'));
  });

  test('nn evaluate and nn predict take it too', async () => {
    const model = ['--model', join('first', 'model.safetensors'), '-q'];
    expect(await logOf(['evaluate', ...model, '--split', 'train', '--threads', '2'])).toEqual(['1 threads beside the first']);
    await run(0, ['data', 'draw', '--out', 'drawn', '--count', '2', '-q'], { cwd: folder });
    expect(await logOf(['predict', ...model, '--threads', '2', 'drawn'])).toEqual(['0 threads beside the first']); // too small to share
  });

  test.each(
    someOf<[string[], number, number]>([
      [['--threads', '4', '--jobs', '2'], 2, 2],
      [['--threads', '2'], 2, 1],
      [['--threads', '1', '--jobs', '3'], 3, 1],
      [['--threads', '3', '--jobs', '1'], 1, 3],
    ]),
  )('the workers of nn tune %j share them: %i with %i each', async (words, workers, each) => {
    const output = words.join('');
    const log = await logOf(['tune', '--config', 'c.json', '--output', output, '-q', ...words]);
    expect(log.filter((line) => line.startsWith('worker'))).toEqual(Array(workers).fill(`worker with NN_THREADS=${each}`));
  });

  test.each([
    ['train --config c.json --threads 0', {}, '--threads: expected a whole number from 1 to 256, found "0"'],
    ['evaluate --threads many', {}, '--threads: expected a whole number from 1 to 256, found "many"'],
    ['train --config c.json --dry-run', { NN_THREADS: '1.5' }, 'NN_THREADS: expected a whole number from 1 to 256, found "1.5"'],
    ['tune --config c.json', { NN_THREADS: '0' }, 'NN_THREADS: expected a whole number from 1 to 256, found "0"'],
    ['predict x.png', { NN_THREADS: '-1' }, 'NN_THREADS: expected a whole number from 1 to 256, found "-1"'],
  ])('nn %s with %j: exit 2', async (line, environment, message) => {
    const { code, stderr } = await nn(line.split(' '), { cwd: folder, env: environment });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
  });
});
