import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunComparison, runComparison } from '../../src/results/runs.ts';
import type { TrainSummary } from '../../src/results/summary.ts';
import { journalEpoch, makeRun } from '../run/made-runs.ts';
import { preload, readJson, run as runNn, temporaryFolder, writeJson } from './pictures.ts';

let folder: string;
const run = (code: number, line: string, env: Record<string, string> = {}) => runNn(code, line.split(' '), { cwd: folder, env });
const drawn = (changes: { data?: object; model?: object; training?: object } = {}) => ({
  data: {
    source: { type: 'drawn', count: 100, difficulty: 'hard' },
    imageSize: 16,
    split: { dev: 25, test: 25 },
    ...changes.data,
  },
  model: { layers: [], ...changes.model },
  training: { epochs: 3, ...changes.training },
});

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeJson(join(folder, 'small.json'), drawn());
  await run(0, 'train -c small.json -o small -q');
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await rm(join(folder, 'runs'), { recursive: true, force: true });
});

interface SplitRow {
  name: string;
  hash: string;
  label: string;
  part: string;
}

const splitOf = async (path: string) =>
  parse(await readFile(join(folder, path, 'split.csv'), 'utf8'), { columns: true }) as SplitRow[];

/** A copy of the run `small` whose model answers so: a sign for each picture of dev, in the order of split.csv; + is right, and all of test. */
async function answering(name: string, answers: string, rows?: readonly SplitRow[]): Promise<void> {
  const path = join('runs', name);
  await cp(join(folder, 'small'), join(folder, path), { recursive: true });
  const split = rows ?? (await splitOf('small'));
  const text = (table: readonly (readonly string[])[]) => table.map((row) => `${row.join(',')}\n`).join('');
  const written = split.map(({ name: picture, hash, label, part }) => [picture, hash, label, part]);
  await writeFile(join(folder, path, 'split.csv'), text([['name', 'hash', 'label', 'part'], ...written]));
  let next = 0;
  const predictions = split.map(({ hash, label, part }) => {
    const isRight = part !== 'dev' || answers[next++] === '+';
    return [hash, part, (label === 'cat') === isRight ? '0.75' : '0.25'];
  });
  await writeFile(join(folder, path, 'predictions.csv'), text([['hash', 'part', 'p'], ...predictions]));
}

const compare = async (line: string, code = 0) =>
  runComparison.parse(JSON.parse((await run(code, `runs compare ${line} --json`)).stdout));
const only = ({ pairs }: RunComparison) => pairs[0]!;

// of 25 pictures both are right on 6, B alone on 12, A alone on 5, none on 2
const a = '++++++ ------------ +++++ --'.replaceAll(' ', '');
const b = '++++++ ++++++++++++ ----- --'.replaceAll(' ', '');

describe('nn runs compare', () => {
  test('says what McNemar says', async () => {
    await answering('two', a);
    await answering('four', b);
    // by hand: twice the ways to get 5 or fewer of 17, over 2 to the 17
    const p = (2 * (1 + 17 + 136 + 680 + 2380 + 6188)) / 2 ** 17;
    const comparison = await compare('two four');
    const counts = { pictures: 25, bothRight: 6, onlyFirst: 5, onlySecond: 12, bothWrong: 2, difference: 7 / 25 };
    expect(comparison.part).toBe('dev');
    expect(only(comparison)).toMatchObject({ first: 0, second: 1, untested: null, test: { ...counts, beyondChance: false } });
    expect(only(comparison).test!.pValue).toBeCloseTo(p, 12);
    expect(only(comparison).test!.adjustedP).toBeCloseTo(p, 12);
    const { stdout } = await run(0, 'runs compare two four');
    expect(stdout).toContain('B is right on 12 pictures where A is wrong, A on 5: could be chance');
    expect(stdout).toContain('p = 0.14)');
    expect(stdout).toContain('B − A on the same 25 pictures of dev: +28.0 points of accuracy');
    expect(stdout).not.toContain('no longer tells the truth');
    const turned = await run(0, 'runs compare four two');
    expect(turned.stdout).toContain('A is right on 12 pictures where B is wrong, B on 5: could be chance');
    expect(turned.stdout).toContain('−28.0 points');
  });

  test('says so where a difference is more than chance, and where runs answer alike', async () => {
    await answering('none', '-'.repeat(25));
    await answering('six', '+'.repeat(6) + '-'.repeat(19));
    await answering('five', '+'.repeat(5) + '-'.repeat(20));
    const six = await run(0, 'runs compare none six');
    expect(six.stdout).toContain('B is right on 6 pictures where A is wrong, A on 0: more than chance'); // 2 / 2⁶ = 0.031
    expect(six.stdout).toContain('p = 0.031');
    const five = await run(0, 'runs compare none five');
    expect(five.stdout).toContain('could be chance'); // 2 / 2⁵ = 0.0625
    expect(five.stdout).toContain('5 such pictures could be chance: only from 6 on');
    expect((await run(0, 'runs compare five five')).stdout).toContain(
      'A and B are right on the same pictures, and wrong on the same.',
    );
  });

  test('of three runs tests the first against each, with p-values corrected for both', async () => {
    await answering('one', '-'.repeat(25));
    await answering('two', '+'.repeat(6) + '-'.repeat(19));
    await answering('three', '+'.repeat(7) + '-'.repeat(18));
    const { pairs, runs } = await compare('one two three');
    expect(runs.map(({ letter }) => letter)).toEqual(['A', 'B', 'C']);
    // by Holm: the smaller, 2 / 2⁷, twice; the other, 2 / 2⁶, once
    expect(pairs.map(({ first, second, test }) => [first, second, test!.pValue, test!.adjustedP])).toEqual([
      [0, 1, expect.closeTo(2 / 2 ** 6, 12), expect.closeTo(2 / 2 ** 6, 12)],
      [0, 2, expect.closeTo(2 / 2 ** 7, 12), expect.closeTo(4 / 2 ** 7, 12)],
    ]);
    expect((await run(0, 'runs compare one two three')).stdout).toContain('p = 0.016, p = 0.031 as one of 2 tests, after Holm');
    await answering('three', '+'.repeat(6) + '-'.repeat(19));
    const alike = await compare('one two three');
    expect(alike.pairs.map(({ test }) => [test!.adjustedP, test!.beyondChance])).toEqual([
      [expect.closeTo(4 / 2 ** 6, 12), false], // each alone would be more than chance
      [expect.closeTo(4 / 2 ** 6, 12), false],
    ]);
  });

  test('pairs pictures by content: in any order, and one that occurs twice twice', async () => {
    const split = await splitOf('small');
    const dev = split.filter(({ part }) => part === 'dev');
    const cats = dev.filter(({ label }) => label === 'cat');
    const twice = [...dev.filter((row) => row !== cats[1]), { ...cats[0]!, name: 'copy' }]; // a copy in the place of another
    const others = split.filter(({ part }) => part !== 'dev');
    const signs = (right: readonly SplitRow[]) => (row: SplitRow) => (right.includes(row) ? '+' : '-');
    const rightOfA = twice.slice(0, 10);
    const rightOfB = [...twice.slice(5, 10), cats[0]!, twice.at(-1)!];
    await answering('a', twice.map(signs(rightOfA)).join(''), [...others, ...twice]);
    const turned = [...twice].reverse();
    await answering('b', turned.map(signs(rightOfB)).join(''), [...turned, ...others]);
    const { test: found } = only(await compare('a b'));
    // B is right on both of the copies, so that it does not matter which of them is paired with which
    const count = (byA: boolean, byB: boolean) =>
      twice.filter((row) => rightOfA.includes(row) === byA && rightOfB.includes(row) === byB).length;
    const counts = { bothRight: count(true, true), onlyFirst: count(true, false), onlySecond: count(false, true) };
    expect(found).toMatchObject({ pictures: 25, ...counts, bothWrong: count(false, false) });
    expect(found!.onlySecond).toBeGreaterThan(0);
  });

  test('does not test runs that were judged on other pictures, or with other labels, and says so', async () => {
    const split = await splitOf('small');
    const dev = split.flatMap((row, i) => (row.part === 'dev' ? [i] : []));
    const changed = (change: (row: SplitRow, k: number) => SplitRow) =>
      split.map((row, i) => (dev.includes(i) ? change(row, dev.indexOf(i)) : row));
    await answering('a', a);
    const moved = (row: SplitRow, k: number) => (k < 5 ? { ...row, hash: `${k}${row.hash.slice(1)}x` } : row);
    await answering('b', b, changed(moved));
    const others = new Map(
      [...new Set(split.map(({ label }) => label))].map((label, _, both) => [label, both.find((one) => one !== label)!]),
    );
    const relabelled = (row: SplitRow, k: number) => (k < 3 ? { ...row, label: others.get(row.label)! } : row);
    await answering('c', b, changed(relabelled));
    const { pairs } = await compare('a b c');
    expect(pairs.map(({ test }) => test)).toEqual([null, null]);
    expect(pairs[0]!.untested).toBe('A was judged on 25 pictures of dev, B on 25: 20 are the same');
    expect(pairs[1]!.untested).toBe(
      'A was judged on 25 pictures of dev, C on 25: 22 are the same, and 3 more with another label',
    );
    const { stdout } = await run(0, 'runs compare a b');
    expect(stdout).toContain("A and B can't be tested against each other: A was judged on 25 pictures");
    expect(stdout).not.toContain('McNemar');
    expect(stdout).toMatch(/accuracy +\d/); // compared all the same
  });

  test('of two seeds, which are judged on other pictures, says how to give them the same', async () => {
    await answering('a', a);
    await answering('b', b);
    await run(0, 'train -c small.json -o runs/c --seed 2 -q');
    const advice = /seed differs.*data\.train, data\.dev, data\.test/;
    expect((await compare('a b')).warnings.join('\n')).not.toMatch(advice);
    const { warnings, pairs } = await compare('a c');
    expect(pairs[0]!.test).toBeNull();
    expect(warnings.join('\n')).toMatch(advice);
  });

  test('warns of test, and takes it where there is no dev', async () => {
    await answering('a', a);
    await answering('b', b);
    const { stdout } = await run(0, 'runs compare a b --split test');
    expect(stdout).toContain('what is chosen by test no longer tells the truth');
    expect(stdout).toContain('on test');
    await writeJson(join(folder, 'no-dev.json'), drawn({ data: { split: { train: 75, test: 25 } } }));
    await run(0, 'train -c no-dev.json -o runs/no-dev -q');
    const without = await compare('no-dev no-dev');
    expect(without).toMatchObject({ part: 'test', warnings: [expect.stringContaining('no longer tells the truth')] });
    expect(only(without).test).toMatchObject({ pictures: 25, onlyFirst: 0, onlySecond: 0, pValue: 1 });
    const asked = await compare('a no-dev --split dev');
    expect(only(asked)).toMatchObject({ test: null, untested: 'B has no dev part' });
  });

  test('asks for the answers of a run that keeps none, by a command that makes them', async () => {
    await answering('a', a);
    await answering('b', b);
    await rm(join(folder, 'runs', 'b', 'predictions.csv'));
    const { stderr } = await run(3, 'runs compare a b');
    const command = /^nn (evaluate .*)$/m.exec(stderr)![1]!;
    expect(command).toBe('evaluate --model runs/b --split all');
    await cp(join(folder, 'small', 'split.csv'), join(folder, 'runs', 'b', 'split.csv'));
    await run(0, command);
    expect(only(await compare('a b')).test).toMatchObject({ pictures: 25 });
  });

  test('refuses answers that are damaged, or of other pictures', async () => {
    await answering('a', a);
    await answering('b', b);
    const file = join(folder, 'runs', 'b', 'predictions.csv');
    const whole = await readFile(file, 'utf8');
    await writeFile(file, whole.replace(/0\.75/, '1.5'));
    expect((await run(3, 'runs compare a b')).stderr).toMatch(
      /predictions\.csv, picture \d+: expected .* p from 0 to 1, found .*1\.5/,
    );
    await writeFile(file, whole.split('\n').filter((line) => !line.includes(',dev,')).join('\n')); // biome-ignore format: a chain of calls
    expect((await run(3, 'runs compare a b')).stderr).toContain('nn evaluate --model runs/b --split all');
    const lines = whole.split('\n');
    const first = lines.findIndex((line) => line.includes(',dev,'));
    await writeFile(file, lines.filter((_, i) => i !== first).join('\n'));
    expect((await run(3, 'runs compare a b')).stderr).toContain('expected the 25 pictures of dev in split.csv, found others');
  });

  test('refuses runs that have not ended, one run alone, and runs that are not there', async () => {
    await answering('a', a);
    await makeRun(join(folder, 'runs', 'killed'), { summary: null, journal: [journalEpoch(1)] });
    const { stderr } = await run(3, 'runs compare a killed');
    expect(stderr).toContain('found one that is unfinished');
    expect(stderr).toContain('nn train --resume runs/killed');
    expect((await run(2, 'runs compare a')).stderr).toContain('expected 2 to 26 runs, found 1');
    expect((await run(2, 'runs compare a kiled')).stderr).toContain('(did you mean "killed"?)');
  });

  test('of real trainings counts what their files say', async () => {
    const layers = (units: readonly number[]) => units.map((n) => ({ units: n }));
    await writeJson(join(folder, 'two.json'), drawn({ model: { layers: layers([7]) }, training: { epochs: 30 } }));
    await writeJson(
      join(folder, 'four.json'),
      drawn({ model: { layers: layers([20, 7, 5]) }, training: { epochs: 30, threshold: 0.4 } }),
    );
    for (const name of ['two', 'four']) await run(0, `train -c ${name}.json -o runs/${name} -q`);
    const right = async (name: string) => {
      const { threshold, metrics } = await readJson<TrainSummary>(join(folder, 'runs', name, 'summary.json'));
      const split = await splitOf(join('runs', name));
      const rows = parse(await readFile(join(folder, 'runs', name, 'predictions.csv'), 'utf8'), { columns: true }) as {
        p: string;
      }[];
      const dev = split.flatMap(({ hash, label, part }, i) =>
        part === 'dev' ? [[hash, Number(rows[i]!.p) > threshold! === (label === 'cat')] as const] : [],
      );
      expect(dev.filter(([, isRight]) => isRight).length / dev.length).toBeCloseTo(metrics.dev!.accuracy, 12);
      return new Map(dev);
    };
    const [two, four] = [await right('two'), await right('four')];
    const count = (ofTwo: boolean, ofFour: boolean) =>
      [...two].filter(([hash, is]) => is === ofTwo && four.get(hash) === ofFour).length;
    const [onlyFirst, onlySecond] = [count(true, false), count(false, true)];
    const comparison = await compare('two four');
    const { test: found } = only(comparison);
    expect(found).toMatchObject({ bothRight: count(true, true), onlyFirst, onlySecond, bothWrong: count(false, false) });
    const n = onlyFirst + onlySecond;
    const choose = (k: number): bigint => (k === 0 ? 1n : (choose(k - 1) * BigInt(n - k + 1)) / BigInt(k));
    let tail = 0n;
    for (let k = 0; k <= Math.min(onlyFirst, onlySecond); k++) tail += choose(k);
    expect(found!.pValue).toBeCloseTo(Math.min(1, (2 * Number(tail)) / 2 ** n), 12);
    const fields = comparison.differing.map(({ field }) => field);
    expect(fields).toContain('training.threshold');
    expect(fields).toContain('model.layers.0.units');
    const { stdout } = await run(0, 'runs compare two four');
    for (const text of ['Where their configs differ', 'training.threshold', '20-7-5-1', 'cost on dev', '┤'])
      expect(stdout).toContain(text);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(160);
  });
});

describe('nn runs', () => {
  test('lists runs with the newest first, what is special about each, and where latest leads', async () => {
    await writeJson(join(folder, 'other.json'), drawn({ training: { epochs: 3, learningRate: 0.001 } }));
    await run(0, 'train -c small.json -o runs/first -q');
    await run(0, 'train -c other.json -o runs/second -q');
    const { stdout, stderr } = await run(0, 'runs');
    expect(stderr).toBe('');
    const [header, newest, oldest] = stdout.split('\n');
    expect(header!.trim().split(/ {2,}/)).toEqual([
      'run',
      'written (UTC)',
      'network',
      'epochs',
      'ended',
      'dev',
      'test',
      'differs in',
    ]);
    expect(newest).toMatch(/^ {2}second +\d{4}-\d\d-\d\d \d\d:\d\d +logistic regression +3 +finished +\d.*learningRate=0\.001$/);
    expect(oldest).toMatch(/^ {2}first .*learningRate=auto$/);
    expect(stdout).toContain('latest is second');
    const names = async (sort: string) => {
      const { entries } = JSON.parse((await run(0, `runs --sort ${sort} --json`)).stdout) as { entries: { name: string }[] };
      return entries.map(({ name }) => name);
    };
    expect(await names('name')).toEqual(['first', 'second']);
    expect(await names('when')).toEqual(['second', 'first']);
  });

  test('sorts by figures, and what has none stands last', async () => {
    const { metrics } = await readJson<TrainSummary>(join(folder, 'small', 'summary.json'));
    const withDev = (accuracy: number) => ({ metrics: { ...metrics, dev: { ...metrics.dev!, accuracy } } });
    await makeRun(join(folder, 'runs', 'a'), { summary: withDev(0.25) });
    await makeRun(join(folder, 'runs', 'b'), { summary: null });
    await makeRun(join(folder, 'runs', 'c'), { summary: withDev(0.75) });
    const csv = (await run(0, 'runs --sort dev --csv')).stdout;
    const rows = parse(csv, { columns: true }) as Record<string, string>[];
    expect(rows.map(({ name, devAccuracy, ended }) => [name, devAccuracy, ended])).toEqual([
      ['c', '0.75', 'finished'],
      ['a', '0.25', 'finished'],
      ['b', '', 'unfinished'],
    ]);
  });

  test('of a folder that is not there says what to do, and of an empty one that there are none', async () => {
    const { stderr } = await run(3, 'runs');
    expect(stderr).toMatch(/^nn: runs: expected a folder of runs, found: no such file or folder\n.*nn train/);
    expect((await run(0, 'runs', { NN_RUNS: '.' })).stdout).toMatch(/^ {2}run .*\n {2}small /);
    await writeJson(join(folder, 'x.json'), {});
    await cp(join(folder, 'x.json'), join(folder, 'runs', 'x.json'));
    expect((await run(0, 'runs')).stdout).toBe('No runs in runs yet: nn train makes one.\n');
  });
});

describe('nn runs show', () => {
  test('has summary, learning curve and what of the config is not the default', async () => {
    await run(0, 'train -c small.json -o runs/first -q');
    const { stdout, stderr } = await run(0, 'runs show');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^first: logistic regression, finished\n/);
    for (const text of ['Trained after 3 epochs', 'Diagnosis', 'cost      ', 'epoch 3 is kept ▲']) expect(stdout).toContain(text);
    const config = stdout.slice(stdout.indexOf('Its config, as far as it is not the default:')).trimEnd().split('\n').slice(1); // biome-ignore format: a chain of calls
    expect(Object.fromEntries(config.map((line) => line.trim().split(/ {2,}/)))).toEqual({
      'data.source.type': 'drawn',
      'data.source.count': '100',
      'data.source.difficulty': 'hard',
      'data.imageSize': '16',
      'data.split.dev': '25',
      'data.split.test': '25',
      'training.epochs': '3',
    });
    expect((await run(0, 'runs show runs/first')).stdout).toBe(stdout);
    expect((await run(0, 'runs show first')).stdout).toBe(stdout);
  });

  test('shows runs that have not ended, or are damaged', async () => {
    await makeRun(join(folder, 'runs', 'killed'), { summary: null, journal: [1, 2].map((n) => journalEpoch(n)) });
    const killed = (await run(0, 'runs show killed')).stdout;
    for (const text of ['killed: 4-1, unfinished', '2 epochs of 20', 'nn train --resume runs/killed', '┤'])
      expect(killed).toContain(text);
    await answering('damaged', a);
    await writeFile(join(folder, 'runs', 'damaged', 'journal.jsonl'), 'text\n');
    await writeFile(join(folder, 'runs', 'damaged', 'model.safetensors'), 'text');
    const damaged = await run(0, 'runs show damaged');
    expect(damaged.stdout).toContain('journal.jsonl, line 1: expected an epoch');
    expect(damaged.stdout).toContain('Trained after 3 epochs');
    expect(damaged.stderr).toContain('model.safetensors');
  });

  test('of no run at all says what to do, and of one that is not there which was meant', async () => {
    expect((await run(3, 'runs show')).stderr).toMatch(/expected the newest finished run, found none\n.*nn train/);
    await answering('two-layer', a);
    expect((await run(2, 'runs show two-leyer')).stderr).toContain('(did you mean "two-layer"?)');
  });
});

test('nn train ends with the learning curve on a terminal, and never off one', async () => {
  const onTerminal = await preload(folder, "Object.defineProperty(process.stdout, 'isTTY', { value: true });");
  const off = await run(0, 'train -c small.json -o runs/off -q');
  expect(off.stdout).not.toContain('┤');
  const on = await run(0, 'train -c small.json -o runs/on -q --no-color', onTerminal);
  expect(on.stdout.trimEnd().split('\n').at(-1)).toMatch(/▲ epoch 3 is kept|epoch 3 is kept ▲/);
  expect(on.stdout).toContain('┤');
  const again = await run(0, 'train --resume runs/on -q --no-color', onTerminal);
  expect(again.stdout).toContain('┤');
  const json = await run(0, 'train -c small.json -o runs/json -q --json', onTerminal);
  expect(Object.keys(JSON.parse(json.stdout))).toContain('metrics');
});
