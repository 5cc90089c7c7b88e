import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RankedTrial, TuneSummary } from '../../src/results/tuning.ts';
import { nn } from '../cli.ts';
import { expectAlone, faultsIn } from '../report/well-formed.ts';
import { isThorough } from '../thorough.ts';
import { writeClasses, writePicture } from './pictures.ts';

const folder = mkdtempSync(join(tmpdir(), 'nn-tune-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const config = {
  data: { source: { type: 'drawn', count: 60 }, imageSize: 8, normalize: 'standardizeChannels' },
  model: { layers: [{ units: 4 }] },
  training: { epochs: 9, batchSize: 16, optimizer: { name: 'adam' } },
  search: {
    trials: 6,
    parameters: { 'training.learningRate': { logUniform: [0.001, 0.1] }, 'model.layers.0.units': { integer: [2, 6] } },
  },
};

const read = (...path: string[]) => readFileSync(join(folder, ...path), 'utf8');
const run = (...words: string[]) => nn(['tune', '--config', 'c.json', ...words], { cwd: folder });
/** What does not depend on how long it took. */
const timeless = (ranking: RankedTrial[]) => ranking.map(({ seconds: _, ...rest }) => rest);
const ranking = (name: string): RankedTrial[] => JSON.parse(read(name, 'ranking.json'));

beforeAll(async () => {
  writeFileSync(join(folder, 'c.json'), JSON.stringify(config));
  const { code, stderr } = await run('--output', 'two', '--jobs', '2');
  expect(stderr).not.toMatch(/^nn:/m);
  expect(code).toBe(0);
});

describe('nn tune', () => {
  test('writes the ranking as CSV and JSON, best first', () => {
    const rows = ranking('two');
    expect(rows).toHaveLength(6);
    const costs = rows.map(({ cost }) => cost!);
    expect(costs).toEqual([...costs].sort((a, b) => a - b));
    const csv = read('two', 'ranking.csv').trim().split('\n');
    expect(csv[0]).toBe('rank,trial,epochs,cost,accuracy,bestEpoch,seconds,error,training.learningRate,model.layers.0.units');
    expect(csv).toHaveLength(7);
    expect(csv[1]!.split(',')[1]).toBe(String(rows[0]!.trial));
  });

  test('gives the same trials and figures with one worker as with two', async () => {
    await run('--output', 'one', '--jobs', '1', '-q');
    expect(timeless(ranking('one'))).toEqual(timeless(ranking('two')));
  });

  test('the best config is ready for nn train, and gives the figures of its trial on dev', async () => {
    const { code, stdout } = await nn(['train', '--config', join('two', 'best.json'), '--output', 'best', '--json'], {
      cwd: folder,
    });
    expect(code).toBe(0);
    const { metrics } = JSON.parse(stdout);
    const [best] = ranking('two');
    expect(metrics.dev.accuracy).toBe(best!.accuracy);
    expect(metrics.dev.cost).toBe(best!.cost);
  });

  test('--json prints one object', async () => {
    const { stdout } = await run('--output', 'two', '--json');
    const summary: TuneSummary = JSON.parse(stdout);
    expect(summary).toMatchObject({
      output: 'two',
      best: join('two', 'best.json'),
      trials: 6,
      metric: 'cost',
      strategy: 'random',
    });
    expect(timeless(summary.ranking)).toEqual(timeless(ranking('one')));
  });

  test('--report writes a page with the figures of --json, and trains the config that is not tuned once', async () => {
    const words = ['--output', 'shown', '--report', 'shown.html', '--json'];
    await run(...words, '--trials', '3', '--jobs', '1');
    const before = read('shown', 'untuned.json');
    writeFileSync(join(folder, 'shown.html'), 'an older page');
    const { stdout, stderr } = await run(...words, '--jobs', '1'); // it goes on, to six trials
    expect(stderr).toContain('going on after 3 finished');
    expect(stderr).not.toContain('not tuned first');
    expect(read('shown', 'untuned.json')).toBe(before);
    const summary: TuneSummary = JSON.parse(stdout);
    expect(timeless(summary.ranking)).toEqual(timeless(ranking('two')));
    const page = read('shown.html');
    expect(faultsIn(page)).toEqual([]);
    expectAlone(page);
    const rows = [
      ...page.matchAll(
        /<tr><td[^>]*>(\d+)<\/td><td[^>]*>(\d+)<\/td><td class="figure">([\d.]+)<\/td><td class="figure">([\d.]+%)<\/td>/g,
      ),
    ];
    expect(rows.map(([, ...cells]) => cells)).toEqual(
      summary.ranking.map(({ rank, trial, cost, accuracy }) => [
        String(rank),
        String(trial),
        cost!.toFixed(4),
        `${(accuracy! * 100).toFixed(1)}%`,
      ]),
    );
    expect(page).toContain(`<td>not tuned</td><td class="figure">${summary.untuned!.cost!.toFixed(4)}</td>`);
    expect(page).toContain('Too few trials to tell: there are 6');
  });

  test('the commands of its page train the very trial, and the config that was not tuned', async () => {
    const page = read('shown.html');
    const summary = ranking('shown');
    const commands = [...page.matchAll(/<pre data-copy tabindex="0">nn (train [^<]*)<\/pre>/g)].map(([, words]) => words!);
    expect(commands).toHaveLength(6);
    const figures = [summary[0]!.cost, JSON.parse(read('shown', 'untuned.json')).score.cost];
    for (const [i, words] of [commands[0]!, commands[5]!].entries()) {
      const { stdout, code } = await nn([...words.split(' '), '--output', `copied-${i}`, '--json'], { cwd: folder });
      expect(code).toBe(0);
      expect(JSON.parse(stdout).metrics.dev.cost).toBe(figures[i]);
    }
  });

  test.skipIf(!isThorough)('interrupted, it goes on with the very same trials', async () => {
    const slow = ['--output', 'cut', '--jobs', '1', '--set', 'training.epochs=1500'];
    const first = await nn(['tune', '--config', 'c.json', ...slow], {
      cwd: folder,
      kill: { signal: 'SIGINT', after: /training \d\/6/ },
    });
    expect(first.code).toBe(130);
    const done = read('cut', 'trials.jsonl').trim().split('\n').length;
    expect(done).toBeLessThan(6);
    // a kill may leave half a line behind
    writeFileSync(join(folder, 'cut', 'trials.jsonl'), `${read('cut', 'trials.jsonl')}{"trial":5,"ru`);
    const second = await run(...slow);
    expect(second.code).toBe(0);
    expect(second.stderr).toMatch(new RegExp(`going on after ${done} finished`));
    await run('--output', 'uncut', '--set', 'training.epochs=1500', '-q');
    expect(timeless(ranking('cut'))).toEqual(timeless(ranking('uncut')));
  });

  test('goes on with the pictures that it began with alone', async () => {
    await writeClasses(join(folder, 'pictures'), 10);
    const search = ['--output', 'changed', '--set', 'data.source={"type":"folder","path":"pictures"}', '-q'];
    expect((await run(...search, '--trials', '1')).code).toBe(0);
    await writePicture(join(folder, 'pictures', 'cat', '03.png'), { index: 99, cat: true });
    const { code, stderr } = await run(...search, '--trials', '2');
    expect(code).toBe(3);
    expect(stderr).toContain('changed: expected the pictures that the search began with, found 1 changed (cat/03.png)\n');
    expect(read('changed', 'trials.jsonl').trim().split('\n')).toHaveLength(1);
    await writePicture(join(folder, 'pictures', 'cat', '03.png'), { index: 3, cat: true });
    expect((await run(...search, '--trials', '2')).code).toBe(0);
  });

  test.skipIf(!isThorough)('one that 0.1.0 began goes on with the defaults and rates that it began with', async () => {
    const { normalize: _, ...data } = config.data;
    const search = { trials: 4, parameters: { 'model.layers.0.units': { integer: [2, 6] } } };
    const old = { ...config, data, search };
    writeFileSync(join(folder, 'old.json'), JSON.stringify({ ...old, defaults: '0.1.0' }));
    const tune = (...words: string[]) => nn(['tune', '--config', 'old.json', '--jobs', '1', ...words], { cwd: folder });
    await tune('--output', 'old-whole');
    await tune('--output', 'old-half', '--trials', '2');
    // what 0.1.0 left: its config names no defaults, and neither does the user's
    const { defaults, ...stored } = JSON.parse(read('old-half', 'config.json'));
    expect(defaults).toBe('0.1.0');
    writeFileSync(join(folder, 'old-half', 'config.json'), JSON.stringify(stored));
    writeFileSync(join(folder, 'old.json'), JSON.stringify(old));
    const { code, stderr } = await tune('--output', 'old-half');
    expect(code).toBe(0);
    expect(stderr).toContain('going on after 2 finished trainings');
    expect(timeless(ranking('old-half'))).toEqual(timeless(ranking('old-whole')));
    expect(JSON.parse(read('old-half', 'best.json'))).toMatchObject({ defaults: '0.1.0', data: { normalize: 'scale' } });
    // one that begins now is another search
    await tune('--output', 'now', '--trials', '2');
    expect(JSON.parse(read('now', 'config.json'))).toMatchObject({
      defaults: '0.2.0',
      data: { normalize: 'standardizeChannels' },
    });
    const merged = await nn(['tune', '--merge', 'old-half', 'now', '--output', 'both'], { cwd: folder });
    expect(merged.stderr).toContain('expected the search of old-half, found another');
  });

  test('shards, merged, are the whole search', async () => {
    for (const i of [1, 2]) expect((await run('--shard', `${i}/2`, '--output', `shard-${i}`, '-q')).code).toBe(0);
    const { code } = await nn(['tune', '--merge', 'shard-1', 'shard-2', '--output', 'merged'], { cwd: folder });
    expect(code).toBe(0);
    expect(timeless(ranking('merged'))).toEqual(timeless(ranking('two')));
    expect(read('merged', 'best.json')).toBe(read('two', 'best.json'));
    // the folder of the ranking has no config of its own: commands name that of the first shard
    writeFileSync(join(folder, 'shard-2', 'untuned.json'), read('shown', 'untuned.json'));
    const words = ['tune', '--merge', 'shard-1', 'shard-2', '--output', 'merged', '--report', 'merged.html', '--json'];
    const { untuned }: TuneSummary = JSON.parse((await nn(words, { cwd: folder })).stdout);
    expect(untuned!.cost).toBe(JSON.parse(read('shown', 'untuned.json')).score.cost);
    expect(read('merged.html')).toContain(`nn train --config ${join('shard-1', 'config.json')} --set`);
    expect(read('merged.html')).toContain(untuned!.cost!.toFixed(4));
  });

  test.skipIf(!isThorough)('shards of other searches are not merged, whatever differs; where the pictures lie may', async () => {
    const merge = (of: string) => nn(['tune', '--merge', 'two', of, '--output', 'mixed'], { cwd: folder });
    for (const set of ['training.epochs=8', 'data.imageSize=12', 'seed=3']) {
      const name = `other-${set}`;
      expect((await run('--output', name, '--trials', '1', '--set', set, '-q')).code).toBe(0);
      const { code, stderr } = await merge(name);
      expect(code).toBe(2);
      expect(stderr).toContain(`--merge ${name}: expected the search of two, found another`);
    }
    expect((await run('--output', 'fewer', '--trials', '1', '-q')).code).toBe(0);
    const same = await merge('fewer');
    expect(same.code).toBe(0);
    expect(same.stderr).not.toContain('split.csv');
    writeFileSync(join(folder, 'fewer', 'split.csv'), `${read('fewer', 'split.csv')}other.png,0123,cat,dev\n`);
    expect((await merge('fewer')).stderr).toContain('warning: --merge fewer: its split.csv is not that of two');
  });

  test.each([
    ['of some trials: they fail, the others are ranked', [3, 41], /The best is ready to train/],
    [
      'of every trial: it says so, and why',
      [40, 41],
      /Every trial failed\. The first: model\.layers\.0 \(conv\): expected an image/,
    ],
  ])('windows that do not fit, %s', async (_, choice, says) => {
    const output = `misfits-${choice[0]}`;
    const layers = [{ type: 'conv', filters: 2, padding: 'valid' }, { type: 'globalAveragePool' }];
    const parameters = { 'model.layers.0.kernel': { choice } };
    writeFileSync(
      join(folder, 'misfits.json'),
      JSON.stringify({ ...config, model: { layers }, search: { trials: 8, parameters } }),
    );
    const { stdout, stderr } = await nn(['tune', '-c', 'misfits.json', '--output', output], { cwd: folder });
    expect(stderr).not.toMatch(/^nn:/m);
    expect(stdout).toMatch(says);
    const failed = ranking(output).filter(({ cost }) => cost === null);
    expect(failed.length).toBeGreaterThan(0);
    for (const { set, error } of failed) {
      expect(set[0]).toMatch(/=4[01]$/);
      expect(error).toMatch(/^model\.layers\.0 \(conv\): expected an image of at least 4\d × 4\d, found 8 × 8 × 3$/);
    }
  });

  test('a config that fits with no drawn value is a mistake, not a failed trial', async () => {
    const layers = [{ type: 'conv', filters: 2, kernel: 41, padding: 'valid' }];
    const { code, stderr } = await run(
      '--output',
      'unfit',
      '--set',
      `model.layers=${JSON.stringify(layers)}`,
      '--set',
      'search.parameters={"training.l2":{"uniform":[0,1]}}',
    );
    expect(stderr).toMatch(/^nn: .*model\.layers\.0 \(conv\): expected an image/m);
    expect(code).toBe(2);
  });

  test('halving stops hopeless trials early', async () => {
    const { stdout } = await run('--output', 'halving', '--set', 'search.strategy=halving', '--json', '-q');
    const { ranking } = JSON.parse(stdout) as TuneSummary;
    expect(ranking.map(({ epochs }) => epochs)).toEqual([9, 3, 1, 1, 1, 1]);
  });

  test('with folds it ranks by the pictures of all folds', async () => {
    const { stdout } = await run(
      '--output',
      'folds',
      '--set',
      'data.split={"folds":3,"test":0.2}',
      '--trials',
      '2',
      '--json',
      '-q',
    );
    const { ranking } = JSON.parse(stdout) as TuneSummary;
    for (const { accuracy } of ranking) expect((accuracy! * 48) % 1).toBeCloseTo(0, 9); // of 48 pictures, 60 without the test part
  });

  test('never looks at test: other test pictures, same ranking', async () => {
    const parts = (seed: number) => [
      '--set',
      'data.train={"type":"drawn","count":40}',
      '--set',
      'data.dev={"type":"drawn","count":20,"seed":2}',
      '--set',
      `data.test={"type":"drawn","count":20,"seed":${seed}}`,
    ];
    const { source: _, ...data } = config.data;
    writeFileSync(join(folder, 'parts.json'), JSON.stringify({ ...config, data }));
    const [a, b] = await Promise.all(
      [3, 4].map((seed) =>
        nn(['tune', '--config', 'parts.json', ...parts(seed), '--trials', '3', '--output', `test-${seed}`, '-q'], {
          cwd: folder,
        }),
      ),
    );
    expect([a!.code, b!.code]).toEqual([0, 0]);
    expect(timeless(ranking('test-3'))).toEqual(timeless(ranking('test-4')));
  });
});

describe('what is wrong is said before any trial', () => {
  test.each([
    ['no search section', ['--config', 'plain.json'], /plain\.json: search: expected/, 2],
    [
      'a field that does not exist',
      ['--config', 'c.json', '--set', 'search.parameters={"training.lr":{"uniform":[0,1]}}'],
      /lr/,
      2,
    ],
    [
      'a range that is none',
      ['--config', 'c.json', '--set', 'search.parameters={"training.l2":{"unifrom":[0,1]}}'],
      /unifrom/,
      2,
    ],
    [
      'bounds the wrong way round',
      ['--config', 'c.json', '--set', 'search.parameters={"training.l2":{"uniform":[1,0]}}'],
      /smaller first/,
      2,
    ],
    ['halving in shards', ['--config', 'c.json', '--set', 'search.strategy=halving', '--shard', '1/2'], /--shard/, 2],
    ['a shard beyond the last', ['--config', 'c.json', '--shard', '3/2'], /--shard: expected I\/N/, 2],
    ['both trials and minutes', ['--config', 'c.json', '--trials', '3', '--minutes', '1'], /--trials or --minutes/, 2],
    ['neither config nor merge', [], /--config FILE, or --merge/, 2],
  ])('%s', async (_, words, says, code) => {
    const { search: __, ...plain } = config;
    writeFileSync(join(folder, 'plain.json'), JSON.stringify(plain));
    const done = await nn(['tune', ...words], { cwd: folder });
    expect(done.stderr).toMatch(says);
    expect(done.code).toBe(code);
  });

  test.each(['"a"', '{}', '[1]', 'null'])('a trial whose changes are %s is no trial, and is named by its line', async (set) => {
    cpSync(join(folder, 'two'), join(folder, 'damaged'), { recursive: true });
    const [first, ...rest] = read('damaged', 'trials.jsonl').split('\n');
    const spoilt = first!.replace(/"set":\[[^\]]*\]/, `"set":${set}`);
    writeFileSync(join(folder, 'damaged', 'trials.jsonl'), [spoilt, ...rest].join('\n'));
    const { code, stderr } = await nn(['tune', '--merge', 'damaged', '--output', 'merged-damaged'], { cwd: folder });
    expect(stderr).toMatch(/trials\.jsonl, line 1: expected a trial of nn tune/);
    expect(code).toBe(3);
  });

  test('a folder that holds another search is refused', async () => {
    const { code, stderr } = await run('--output', 'two', '--set', 'training.epochs=8');
    expect(code).toBe(2);
    expect(stderr).toMatch(/expected the search that this config describes, found another/);
  });
});
