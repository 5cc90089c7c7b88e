import { chmod, mkdir, mkdtemp, readFile, readlink, realpath, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { runList } from '../../src/results/runs.ts';
import { lockFolder, lockName } from '../../src/run/lock.ts';
import { findRun, listRuns } from '../../src/run/run-list.ts';
import { journalEpoch, makeRun } from './made-runs.ts';

let runs: string;
beforeEach(async () => {
  runs = await realpath(await mkdtemp(join(tmpdir(), 'nn-list-')));
});
afterEach(() => rm(runs, { recursive: true, force: true }));

const list = async () => {
  const found = await listRuns(runs);
  expect(runList.parse(found)).toEqual(found);
  return found;
};
const names = async () => (await list()).entries.map(({ name }) => name);
const broke = {
  step: 9,
  layer: 1,
  tensor: 'W1',
  learningRate: 1,
  proposedRate: 0.1,
  what: 'its gradient is not finite',
  examples: [],
};

describe('the list of runs', () => {
  test('has what config and summary say', async () => {
    const path = join(runs, 'one');
    await makeRun(path, {
      config: { model: { layers: [{ units: 20 }, { units: 7 }] } },
      summary: { stopped: 'early', epochs: 9, bestEpoch: 4 },
    });
    const when = new Date('2026-11-20T10:20:30.000Z');
    await utimes(join(path, 'summary.json'), when, when);
    const { entries, differing } = await list();
    expect(differing).toEqual([]);
    expect(entries).toEqual([
      {
        name: 'one',
        run: path,
        when: when.toISOString(),
        ended: 'early',
        problem: null,
        network: '20-7-1',
        parameters: 781,
        epochs: 9,
        planned: 20,
        bestEpoch: 4,
        seconds: 0.14563965599999995, // these as in the given summary
        dev: { accuracy: 0.625, accuracyInterval: [0.3057423946026273, 0.8631557141764027] },
        test: { accuracy: expect.any(Number), accuracyInterval: [expect.any(Number), expect.any(Number)] },
        settings: {},
      },
    ]);
  });

  test('calls a network by its layers', async () => {
    const conv = { type: 'conv', filters: 8, kernel: 3 };
    const layers = [
      conv,
      { type: 'maxPool', size: 2 },
      { type: 'residual', layers: [conv, conv] },
      { type: 'globalAveragePool' },
      { units: 20 },
    ];
    await makeRun(join(runs, 'a'), { config: { model: { layers } } });
    await makeRun(join(runs, 'b'), { config: { model: { layers: [] } } });
    const { entries } = await list();
    expect(entries.map(({ problem }) => problem)).toEqual([null, null]);
    expect(entries.map(({ network }) => network)).toEqual(['conv(8)-residual(conv(8-8))-20-1', 'logistic regression']);
  });

  test('says of each run how it ended, and how far it came', async () => {
    await makeRun(join(runs, 'a-finished'));
    await makeRun(join(runs, 'b-interrupted'), { summary: { stopped: 'interrupted', epochs: 3 } });
    await makeRun(join(runs, 'c-diverged'), { summary: null, journal: [journalEpoch(1), { diverged: { epoch: 2, ...broke } }] });
    await makeRun(join(runs, 'd-killed'), { summary: null, journal: [journalEpoch(1), journalEpoch(2)] });
    await makeRun(join(runs, 'e-at-once'), { summary: null });
    await makeRun(join(runs, 'f-in-folds'), { summary: null, journal: [journalEpoch(7, { fold: 2 })] });
    await makeRun(join(runs, 'g-running'), { summary: null, journal: [journalEpoch(1)] });
    const lock = await lockFolder(join(runs, 'g-running'));
    const { entries } = await list();
    await lock.release();
    expect(entries.map(({ ended, epochs, problem }) => [ended, epochs, problem])).toEqual([
      ['finished', 20, null],
      ['interrupted', 3, null],
      ['diverged', 1, expect.stringMatching(/epoch 2 .*W1.* rate 1: its gradient is not finite/)],
      ['unfinished', 2, null],
      ['unfinished', 0, null],
      ['unfinished', 0, null],
      ['running', 1, null],
    ]);
  });

  test('takes a lock whose process is dead for none', async () => {
    await makeRun(join(runs, 'killed'), { summary: null });
    const lock = await lockFolder(join(runs, 'killed'));
    await lock.release();
    const space = await readlink('/proc/self/ns/pid').catch(() => '');
    const host = space === '' ? hostname() : `${hostname()} ${space}`;
    const dead = { pid: 2 ** 30, host, began: null, since: '2026-11-20T10:20:30.000Z' };
    await writeFile(join(runs, 'killed', lockName), JSON.stringify(dead));
    expect((await list()).entries[0]!.ended).toBe('unfinished');
  });

  test('has runs of 0.1.0, whose files say less', async () => {
    const path = join(runs, 'old');
    await makeRun(path);
    const { defaults: _, ...config } = JSON.parse(await readFile(join(path, 'config.json'), 'utf8'));
    const { threshold: __, ...summary } = JSON.parse(await readFile(join(path, 'summary.json'), 'utf8'));
    for (const part of ['train', 'dev', 'test'])
      for (const key of ['balancedAccuracy', 'recallInterval', 'specificity', 'specificityInterval'])
        delete summary.metrics[part][key];
    for (const key of ['answers', 'imbalance', 'guessing', 'worseThanGuessing']) delete summary.diagnosis[key];
    await writeFile(join(path, 'config.json'), JSON.stringify(config));
    await writeFile(join(path, 'summary.json'), JSON.stringify(summary));
    expect((await list()).entries).toMatchObject([
      { name: 'old', ended: 'finished', problem: null, network: '4-1', dev: { accuracy: 0.625 } },
    ]);
  });

  test('has damaged runs with the reason, and the others all the same', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'whole']) await makeRun(join(runs, name));
    await writeFile(join(runs, 'a', 'config.json'), '{"data":');
    await writeFile(join(runs, 'b', 'summary.json'), '{"run":');
    await writeFile(join(runs, 'c', 'summary.json'), '{"run":"c"}');
    await rm(join(runs, 'd', 'config.json'));
    await makeRun(join(runs, 'e'), { summary: null });
    await writeFile(join(runs, 'e', 'journal.jsonl'), '{"epoch":1}\n');
    const { entries } = await list();
    expect(entries.map(({ name, ended }) => [name, ended])).toEqual([
      ['a', 'unreadable'],
      ['b', 'unreadable'],
      ['c', 'unreadable'],
      ['d', 'unreadable'],
      ['e', 'unreadable'],
      ['whole', 'finished'],
    ]);
    const problems = entries.map(({ problem }) => problem);
    for (const [i, file] of ['a/config.json', 'b/summary.json', 'c/summary.json', 'd/config.json', 'e/journal.jsonl'].entries())
      expect(problems[i]).toContain(join(runs, file));
    expect(problems.at(-1)).toBeNull();
    expect(entries[0]!.dev).not.toBeNull(); // what can be read is there
  });

  test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)('has a folder that nobody may read', async () => {
    await makeRun(join(runs, 'closed'));
    await chmod(join(runs, 'closed'), 0);
    const [entry] = (await list()).entries;
    await chmod(join(runs, 'closed'), 0o700);
    expect(entry).toMatchObject({ ended: 'unreadable', problem: expect.stringContaining('permission denied') });
  });

  test('leaves out searches, files, and folders of other things', async () => {
    await makeRun(join(runs, 'run'));
    await makeRun(join(runs, 'tune-x'), { summary: null });
    await writeFile(join(runs, 'tune-x', 'trials.jsonl'), '');
    await mkdir(join(runs, 'notes'));
    await writeFile(join(runs, 'notes.txt'), '');
    expect(await names()).toEqual(['run']);
  });

  test('has the run that latest leads to once: by its name, or where it lies elsewhere by its path', async () => {
    await makeRun(join(runs, 'b'));
    await makeRun(join(runs, 'a'));
    await symlink('b', join(runs, 'latest'), 'junction');
    expect(await list()).toMatchObject({ latest: 'b', entries: [{ name: 'a' }, { name: 'b' }] });
    await rm(join(runs, 'latest'));
    await symlink('nowhere', join(runs, 'latest'), 'junction');
    expect(await list()).toMatchObject({ latest: null, entries: [{ name: 'a' }, { name: 'b' }] });
    const elsewhere = join(runs, 'deep', 'mine');
    await makeRun(elsewhere);
    await rm(join(runs, 'latest'));
    await symlink(elsewhere, join(runs, 'latest'), 'junction');
    await symlink('a', join(runs, 'best'), 'junction');
    const found = await list();
    expect(found.latest).toBe(elsewhere);
    expect(found.entries.map(({ name }) => name).sort()).toEqual([elsewhere, 'a', 'b'].sort());
  });

  test('has the fields in which configs differ, and what each says there', async () => {
    const layers = [{ units: 5 }];
    await makeRun(join(runs, 'a'), { config: { seed: 1, model: { layers } } });
    await makeRun(join(runs, 'b'), { config: { seed: 2, model: { layers } } });
    await makeRun(join(runs, 'c'), { config: { seed: 1, model: { layers: [{ units: 6 }, { units: 3, activation: 'tanh' }] } } });
    await makeRun(join(runs, 'd'), {
      config: { seed: 1, model: { layers }, search: { parameters: { 'training.l2': { choice: [0] } } } },
    });
    const { differing, entries } = await list();
    expect([...differing].sort()).toEqual(['model.layers.0.units', 'model.layers.1', 'seed']);
    expect(entries.map(({ settings }) => settings['seed'])).toEqual([1, 2, 1, 1]);
    expect(entries.map(({ settings }) => settings['model.layers.0.units'])).toEqual([5, 5, 6, 5]);
    expect(entries.map(({ settings }) => settings['model.layers.1'])).toEqual([
      null,
      null,
      expect.objectContaining({ units: 3, activation: 'tanh' }),
      null,
    ]);
  });

  test('of a folder that is not there is refused, and of an empty one is empty', async () => {
    expect((await list()).entries).toEqual([]);
    await expect(listRuns(join(runs, 'none'))).rejects.toMatchObject({
      kind: 'data',
      message: expect.stringContaining('no such file'),
    });
  });

  test('takes less than a second for 500 runs', async () => {
    const journal = Array.from({ length: 100 }, (_, i) => journalEpoch(i + 1));
    for (let i = 0; i < 500; i++) {
      const training = { learningRate: 1 / (i + 1) };
      await makeRun(join(runs, `run-${i}`), { config: { seed: i, training }, summary: i % 2 === 0 ? {} : null, journal });
    }
    await list();
    const began = performance.now();
    const { entries } = await listRuns(runs);
    const seconds = (performance.now() - began) / 1000;
    expect(entries).toHaveLength(500);
    expect(seconds).toBeLessThan(3); // measured: 0.4 s on two busy cores
  });
});

describe('a run', () => {
  const found = async (named?: string) => (await findRun(runs, named)).entry.name;
  const refusal = async (named?: string): Promise<UserError> => {
    const error = await findRun(runs, named).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  };

  test('is found by its name, by its path, and as the latest, and is called by its name', async () => {
    await makeRun(join(runs, 'two-layer'));
    await symlink('two-layer', join(runs, 'latest'), 'junction');
    expect(await found('two-layer')).toBe('two-layer');
    expect(await found(join(runs, 'two-layer'))).toBe('two-layer');
    expect(await found(join(runs, 'latest'))).toBe('two-layer');
    expect(await found('latest')).toBe('two-layer');
    expect(await found()).toBe('two-layer');
  });

  test('is found where no folder of runs is', async () => {
    const path = join(runs, 'alone');
    await makeRun(path);
    expect((await findRun(join(runs, 'none'), path)).entry.name).toBe(path);
  });

  test('that is not there is refused with the name that was meant; with none at all nothing was meant', async () => {
    await makeRun(join(runs, 'two-layer'));
    const error = await refusal('two-layers');
    expect(error.kind).toBe('usage');
    expect(error.message).toMatch(/two-layers: expected a run .*no such folder \(did you mean "two-layer"\?\)$/);
    await mkdir(join(runs, 'notes'));
    expect((await refusal('notes')).message).toContain('a folder without config.json');
    await writeFile(join(runs, 'notes', 'trials.jsonl'), '');
    expect((await refusal('notes')).message).toContain('a search of nn tune');
    const none = await refusal();
    expect(none).toMatchObject({ kind: 'data', message: expect.stringContaining('latest') });
  });
});
