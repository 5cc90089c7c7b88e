import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { NnError, resume, type Training, type TrainingEvent, train } from '../../src/library/library.ts';
import { ownFile } from '../../src/own-files.ts';
import type { TrainSummary } from '../../src/results/summary.ts';
import { folderConfig, readJson, run, temporaryFolder, writeClasses, writeJson } from '../cli/pictures.ts';

const config = folderConfig({ training: { epochs: 12, batchSize: 8, optimizer: { name: 'adam' } } }) as { data: object };
let folder: string;
const inFolder = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await temporaryFolder();
  vi.stubEnv('NN_RUNS', inFolder('runs')); // where the link to the latest run is made
  await writeClasses(inFolder('pictures'), 15);
  await writeJson(inFolder('c.json'), config);
  await run(0, ['train', '-c', 'c.json', '-o', 'by-command', '-q'], { cwd: folder });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** A training whose run stays in the folder of this test. */
const trainHere = (output: string, options: Parameters<typeof train>[1] = {}) =>
  train(inFolder('c.json'), { output: inFolder(output), ...options });

const digest = async (run: string, file: string) =>
  createHash('sha256')
    .update(await readFile(join(inFolder(run), file)))
    .digest('hex');

/** What two runs of the same training have in common. */
async function lastingOf(run: string) {
  const { run: _, model: __, seconds: ___, ...summary } = await readJson<TrainSummary>(join(inFolder(run), 'summary.json'));
  const lines = (await readFile(join(inFolder(run), 'journal.jsonl'), 'utf8')).trim().split('\n');
  const journal = lines.map((line) => ({ ...JSON.parse(line), seconds: 0 }));
  const files = await Promise.all(['model.safetensors', 'split.csv', 'predictions.csv'].map((file) => digest(run, file)));
  return { summary, journal, files, names: (await readdir(inFolder(run))).sort() };
}

async function eventsOf(training: Training): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  for await (const event of training) events.push(event);
  return events;
}

describe('train', () => {
  test('gives the run of the command line: weights, figures, files', async () => {
    const summary = await trainHere('by-library');
    const files = await readJson<TrainSummary>(join(inFolder('by-library'), 'summary.json'));
    expect(summary).toEqual(files);
    expect(await lastingOf('by-library')).toEqual(await lastingOf('by-command'));
  });

  test('tells in order what is read, where the run is, and each epoch as the journal has it', async () => {
    const training = trainHere('told', { report: false });
    const events = await eventsOf(training);
    const types = events.map(({ type }) => type).filter((type) => type !== 'warning' && type !== 'note');
    expect(types.filter((type, i) => type !== types[i - 1])).toEqual(['reading', 'started', 'epoch']);
    const epochs = events.flatMap((event) => (event.type === 'epoch' ? [event] : []));
    const journal = (await readFile(join(inFolder('told'), 'journal.jsonl'), 'utf8')).trim().split('\n');
    expect(epochs).toEqual(journal.map((line) => ({ type: 'epoch', ...JSON.parse(line) })));
    const read = events.filter((event) => event.type === 'reading').at(-1);
    expect(read).toMatchObject({ done: 30, total: 30 });
    const { run, epochs: wanted, examples } = events.find((event) => event.type === 'started')!;
    expect({ run: await readdir(run), wanted, examples }).toMatchObject({ wanted: 12, examples: (await training).examples });
    expect(await eventsOf(training)).toEqual([]); // it has ended, and iterating it ends at once
  });

  test('takes the config as an object, with fields for once', async () => {
    const { data, ...rest } = config;
    const here = { ...rest, data: { ...data, source: { type: 'folder' as const, path: inFolder('pictures') } } };
    const summary = await train(here as never, { set: { 'training.epochs': 3, seed: 7 } });
    expect(summary.run).toMatch(/runs.config-20\d\d-/);
    expect(await readdir(inFolder('runs'))).toEqual(expect.arrayContaining([basename(summary.run), 'latest']));
    expect([summary.epochs, summary.seed]).toEqual([3, 7]);
  });

  test('leaving the loop does not stop it', async () => {
    const training = trainHere('left');
    for await (const { type } of training) if (type === 'epoch') break;
    expect((await training).stopped).toBe('finished');
  });

  test('what a caller can mend is an NnError, of the iteration too', async () => {
    const wrong = () => train({ data: { source: { type: 'folder', path: inFolder('nowhere') } } }, { output: inFolder('none') });
    const error = await wrong().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(NnError);
    expect(error).toMatchObject({ name: 'NnError', kind: 'data', exitCode: 3 });
    await expect(eventsOf(wrong())).rejects.toThrow((error as Error).message);
    const [epoch] = await Promise.allSettled([train(inFolder('c.json'), { set: { 'training.epoch': 5 } })]);
    expect(epoch).toMatchObject({ reason: { kind: 'usage', message: expect.stringContaining('did you mean "epochs"') } });
    await expect(trainHere('by-command')).rejects.toMatchObject({ kind: 'usage', hint: expect.stringContaining('force') });
  });
});

describe('the signal', () => {
  test('saves what was learnt and rejects with its reason; resume goes on to the bits of one that never stopped', async () => {
    const stop = new AbortController();
    const training = trainHere('stopped', { signal: stop.signal });
    const reason = new Error('enough');
    const loop = async () => {
      for await (const event of training) if (event.type === 'epoch' && event.epoch === 4) stop.abort(reason);
    };
    await expect(loop()).rejects.toBe(reason);
    await expect(training).rejects.toBe(reason);
    const { stopped, epochs } = await readJson<TrainSummary>(join(inFolder('stopped'), 'summary.json'));
    expect(stopped).toBe('interrupted');
    expect(epochs).toBeLessThan(12);
    expect((await resume(inFolder('stopped'))).stopped).toBe('finished');
    const [found, expected] = [await lastingOf('stopped'), await lastingOf('by-command')];
    expect({ ...found, names: [] }).toEqual({ ...expected, names: [] });
  });

  test('resume with more epochs goes on after the end', async () => {
    await run(0, ['train', '-c', 'c.json', '-o', 'longer', '-q', '--set', 'training.epochs=15'], { cwd: folder });
    expect((await resume(inFolder('by-library'), { epochs: 15 })).epochs).toBe(15);
    expect((await lastingOf('by-library')).files).toEqual((await lastingOf('longer')).files);
  });

  test('before the first step nothing is made', async () => {
    const reason = new Error('not at all');
    await expect(trainHere('never', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const stop = new AbortController();
    const training = trainHere('never', { signal: stop.signal });
    const loop = async () => {
      for await (const { type } of training) if (type === 'reading') stop.abort(reason);
    };
    await expect(loop()).rejects.toBe(reason);
    expect(await readdir(folder)).not.toContain('never');
  });
});

test('trainings at once, here and in a thread of its own, come to the same bits', async () => {
  const library = ownFile('dist/bundle/library.js').href;
  const program = `import(${JSON.stringify(library)}).then(({ train }) => train('c.json', { output: 'in-thread' }))`;
  const thread = spawnSync(
    process.execPath,
    ['-e', `new (require('node:worker_threads').Worker)(${JSON.stringify(program)}, { eval: true })`],
    { cwd: folder },
  );
  expect(thread.status).toBe(0);
  await Promise.all([trainHere('at-once'), trainHere('at-once-2', { set: { seed: 2 } })]);
  const { files } = await lastingOf('by-command');
  expect([(await lastingOf('at-once')).files, (await lastingOf('in-thread')).files]).toEqual([files, files]);
  expect((await lastingOf('at-once-2')).files).not.toEqual(files);
});

test.runIf(process.platform === 'linux')('pixels that were put on the disk are given back', async () => {
  const open = () => readdirSync('/proc/self/fd').length;
  await trainHere('one', { set: { 'data.memory': 0 } });
  const before = open();
  await trainHere('two', { set: { 'data.memory': 0 } });
  expect(open()).toBe(before);
});

test('a process that trains twice prints nothing, listens to no signal, and ends by itself', async () => {
  const program = `
    import { train } from ${JSON.stringify(ownFile('dist/bundle/library.js').href)};
    const before = process.eventNames().join();
    for (const output of ['first', 'second']) await train('c.json', { output });
    if (process.eventNames().join() !== before) throw new Error(process.eventNames().join());
    try { await train('c.json', { output: 'third', set: { 'training.learningRate': 1e30 } }); } catch (error) { if (error.kind !== 'diverged') throw error; }
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(await lastingOf('second')).toEqual(await lastingOf('first'));
  expect((await lastingOf('first')).files).toEqual((await lastingOf('by-command')).files);
});
