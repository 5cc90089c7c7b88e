import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadChosenClassifier } from '../../src/run/chosen-model.ts';
import { lockFolder } from '../../src/run/lock.ts';
import { journalEpoch, makeRun } from './made-runs.ts';

/** What is said where nobody named a model and there is none. */

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-chosen-'));
});
afterAll(() => rm(folder, { recursive: true }));

const refused = (environment: NodeJS.ProcessEnv) => loadChosenClassifier(undefined, environment).catch((error: unknown) => error);
const nothing = /expected a model, found: no such file or folder$/;

test('NN_MODEL is named where it chose what is not there', async () => {
  const error = await refused({ NN_MODEL: join(folder, 'nowhere') });
  expect(error).toMatchObject({ kind: 'model', message: expect.stringMatching(nothing) });
  expect((error as Error).message).toMatch(/^NN_MODEL: .*nowhere: /);
});

test('a path that is given goes before NN_MODEL, and is refused without its name', async () => {
  const path = join(folder, 'given');
  const error = await loadChosenClassifier(path, { NN_MODEL: folder }).catch((error: unknown) => error);
  expect((error as Error).message).toBe(`${path}: expected a model, found: no such file or folder`);
});

describe('without a finished run', () => {
  test('in a folder without runs training is proposed', async () => {
    const error = await refused({ NN_RUNS: join(folder, 'none') });
    expect(error).toMatchObject({ message: expect.stringMatching(nothing), hint: expect.stringMatching(/^Train one/) });
  });

  test('the run that is in training is named, and once it has died how to go on', async () => {
    const run = join(folder, 'runs', 'first');
    await makeRun(run, { summary: null, journal: [journalEpoch(1)] });
    const environment = { NN_RUNS: join(folder, 'runs') };
    const lock = await lockFolder(run);
    expect(await refused(environment)).toMatchObject({
      message: expect.stringMatching(nothing),
      hint: `${run} is in training, and has a model at its end. nn runs list says how far it is.`,
    });
    await lock.release();
    expect(await refused(environment)).toMatchObject({
      hint: `${run} has not come to its end: nn train --resume ${run} goes on with it.`,
    });
  });

  test('the same of a run that is named: by its folder, by its model, by NN_MODEL', async () => {
    const run = join(folder, 'named', 'killed');
    await makeRun(run, { summary: null, journal: [journalEpoch(1)] });
    const hint = `${run} has not come to its end: nn train --resume ${run} goes on with it.`;
    for (const path of [run, join(run, 'model.safetensors')]) {
      const error = await loadChosenClassifier(path, {}).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ message: expect.stringMatching(nothing), hint });
      expect(await refused({ NN_MODEL: path })).toMatchObject({ message: expect.stringMatching(/^NN_MODEL: /), hint });
    }
  });
});
