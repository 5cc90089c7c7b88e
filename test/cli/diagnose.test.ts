import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diagnosisShard, type MeasuredDiagnosis, measuredDiagnosis } from '../../src/results/experiments.ts';
import { nn } from '../cli.ts';
import { expectAlone, faultsIn } from '../report/well-formed.ts';

const folder = mkdtempSync(join(tmpdir(), 'nn-diagnose-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The pictures of test can't be decoded: whoever reads them fails. */
const config = {
  data: {
    train: { type: 'drawn', count: 30 },
    dev: { type: 'drawn', count: 20, seed: 2 },
    test: { type: 'folder', path: 'broken' },
    imageSize: 4,
  },
  model: { layers: [{ units: 2 }] },
  training: { epochs: 2, batchSize: 16, optimizer: { name: 'adam' } },
};

const read = (...path: string[]) => readFileSync(join(folder, ...path), 'utf8');
const run = (...words: string[]) => nn(['diagnose', '--config', 'c.json', '--seeds', '3', ...words], { cwd: folder });

/** What depends on no clock and on no folder. */
function timeless({ seconds: _, trainings: __, earlier: ___, output: ____, config: _____, ...found }: MeasuredDiagnosis) {
  const { baseline, remedies, proposal } = found;
  return {
    ...found,
    baseline: { ...baseline, seconds: null },
    remedies: remedies.map((remedy) => ({ ...remedy, timesAsLong: null })),
    proposal: proposal && { ...proposal, config: '' },
  };
}

let whole: MeasuredDiagnosis;
beforeAll(async () => {
  for (const name of ['cat', 'noncat']) {
    mkdirSync(join(folder, 'broken', name), { recursive: true });
    writeFileSync(join(folder, 'broken', name, 'a.png'), 'no picture');
  }
  writeFileSync(join(folder, 'c.json'), JSON.stringify(config));
  const { code, stdout, stderr } = await run('--output', 'whole', '--report', 'whole.html', '--write', 'better.json', '--json');
  expect(stderr).not.toMatch(/^nn:/m);
  expect(code).toBe(0);
  whole = JSON.parse(stdout);
}, 300_000);

describe('nn diagnose', () => {
  test('--json is what its schema says, and diagnosis.json the same', () => {
    expect(measuredDiagnosis.parse(whole)).toEqual(whole);
    expect(JSON.parse(read('whole', 'diagnosis.json'))).toEqual(whole);
    expect(whole.baseline).toMatchObject({ seeds: 3, diverged: 0 });
    expect(whole.meter!.count).toBe(20);
    expect(whole.remedies.map(({ id }) => id)).toContain('dropout');
    // of 20 pictures of dev nothing can be told from chance
    expect(whole.proposal).toBeNull();
  });

  test('--report is a page that needs nothing beside it', () => {
    const page = read('whole.html');
    expect(faultsIn(page)).toEqual([]);
    expectAlone(page);
    for (const { title } of whole.remedies) expect(page).toContain(title);
  });

  test('for people the verdict comes first, then what was tried; what is done is done', async () => {
    const { code, stdout, stderr } = await run('--output', 'whole');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Verdict: /);
    for (const { title } of whole.remedies) expect(stdout).toMatch(new RegExp(`^ +${title} +[+−]`, 'm'));
    expect(stdout).toContain('Test was not read');
    expect(stderr).toContain(`going on after ${whole.trainings} finished trainings`);
    expect(stderr).not.toMatch(/seed \d/); // nothing is trained
  });

  test('whatever a kill left of it, it goes on to the same bits', async () => {
    cpSync(join(folder, 'whole'), join(folder, 'cut'), { recursive: true });
    rmSync(join(folder, 'cut', 'diagnosis.json'));
    const done = 40;
    const lines = read('whole', 'experiments.jsonl').split('\n');
    writeFileSync(join(folder, 'cut', 'experiments.jsonl'), [...lines.slice(0, done), '{"set":[],"se'].join('\n'));
    const { code, stdout, stderr } = await run('--output', 'cut', '--json');
    expect(code).toBe(0);
    expect(stderr).toContain(`going on after ${done} finished trainings`);
    expect(timeless(JSON.parse(stdout))).toEqual(timeless(whole));
    expect(timeless(JSON.parse(read('cut', 'diagnosis.json')))).toEqual(timeless(whole));
  });

  test('Ctrl-C ends it with a word on how to go on', async () => {
    cpSync(join(folder, 'whole'), join(folder, 'stopped'), { recursive: true });
    const lines = read('whole', 'experiments.jsonl').split('\n');
    writeFileSync(join(folder, 'stopped', 'experiments.jsonl'), `${lines.slice(0, 3).join('\n')}\n`);
    const words = ['diagnose', '-c', 'c.json', '--seeds', '3', '--output', 'stopped'];
    const { code, stderr } = await nn(words, { cwd: folder, kill: { signal: 'SIGINT', after: /going on after 3/ } });
    expect(code).toBe(130);
    expect(stderr).toContain('Interrupted. The same command with --output stopped goes on from there.');
  });

  test.skipIf(process.env['NN_THOROUGH'] === undefined)('shards, merged, come to the same', async () => {
    for (const i of [1, 2]) {
      const { code, stdout } = await run('--shard', `${i}/2`, '--output', `shard-${i}`, '--json');
      expect(code).toBe(0);
      diagnosisShard.parse(JSON.parse(stdout));
    }
    const merge = ['diagnose', '--merge', 'shard-1', 'shard-2', '--output', 'merged', '--json'];
    const { code, stdout } = await nn(merge, { cwd: folder });
    expect(code).toBe(0);
    expect(timeless(JSON.parse(stdout))).toEqual(timeless(whole));
  });

  test('test is read by nobody where nothing is proposed: its pictures could not even be decoded', async () => {
    expect(whole.proposal).toBeNull();
    const { code, stderr } = await nn(['train', '-c', 'c.json', '--output', 'trained'], { cwd: folder });
    expect(stderr).toContain('broken');
    expect(code).toBe(3);
  });
});

describe('what is wrong is said before any training', () => {
  test.each([
    [
      'time for less than the config as it is',
      ['-c', 'c.json', '--minutes', '0.01', '--set', 'training.epochs=1000000'],
      /--minutes 0\.01: expected time for 3/,
      2,
    ],
    ['a shard within minutes', ['-c', 'c.json', '--shard', '1/2', '--minutes', '1'], /minutes/, 2],
    [
      'a test source that is not there',
      ['-c', 'c.json', '--set', 'data={"train":{"type":"drawn"},"test":{"type":"folder","path":"nowhere"}}'],
      /nowhere/,
      3,
    ],
    ['a config that would be replaced', ['-c', 'c.json', '--write', 'c.json'], /c\.json/, 2],
  ])('%s', async (_, words, says, code) => {
    const done = await nn(['diagnose', ...words], { cwd: folder });
    expect(done.stderr).toMatch(says);
    expect(done.stderr).not.toContain('What is finished is kept');
    expect(done.code).toBe(code);
  });

  test('the folder of a search is no diagnosis, and the other way round', async () => {
    const search = ['--set', 'search={"trials":1,"parameters":{"training.l2":{"uniform":[0,1]}}}', '-q'];
    const { test: _, ...data } = config.data;
    writeFileSync(join(folder, 'readable.json'), JSON.stringify({ ...config, data }));
    const { code, stderr } = await nn(['tune', '-c', 'readable.json', ...search, '--output', 'whole'], { cwd: folder });
    expect(stderr).toContain('found the experiments of nn diagnose');
    expect(code).toBe(2);
  });
});
