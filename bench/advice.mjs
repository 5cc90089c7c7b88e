// What a config gains on test by ten minutes of `nn diagnose`, by ten minutes of `nn tune`, and by the advice that `nn train` recites, on the same parts. What came of it
// stands in docs/diagnose.md. Nothing else should run, since minutes decide.
//
//   npm run build && node bench/advice.mjs RESULTS [--minutes 10] [--seeds 5] [--only photos] [--photos FILE.csv] [--course FOLDER]
//
// RESULTS is a folder that is kept: what stands there is not done again. FILE.csv has photographs (path,label), FOLDER the course's two HDF5 files.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { gainOf } from '../dist/evaluation/gain.js';
import { answersOf, isComplete } from './run-answers.mjs';

const run = promisify(execFile);
const project = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const option = { type: 'string' };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: option, seeds: option, only: option, photos: option, course: option },
});
const results = resolve(positionals[0] ?? 'advice');
const minutes = values.minutes ?? '10';
const seeds = Array.from({ length: Number(values.seeds ?? 5) }, (_, i) => i + 1);

/** What anyone would search: the rate, L2, width, depth and dropout, mirrored pictures. */
const searched = (units, rates) => ({
  trials: 500,
  strategy: 'random',
  metric: 'accuracy',
  parameters: {
    'training.learningRate': { logUniform: rates },
    'training.l2': { logUniform: [0.01, 30] },
    'data.augment.flipHorizontal': { choice: [false, true] },
    'model.layers': {
      choice: [
        [{ units }],
        [{ units: 3 * units }],
        [{ units: 3 * units, keepProb: 0.6 }],
        [{ units: 3 * units }, { units }],
        [{ units: 3 * units, batchNorm: true }],
      ],
    },
  },
});
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
/** A ready config without the path of its pictures, which is relative to its folder. */
const ready = (name, change) => {
  const { $schema: _, ...config } = read(project(`configs/${name}.json`));
  return change(config);
};
const course = (file) => ({ type: 'hdf5', path: resolve(values.course ?? project('data/course'), `${file}.h5`) });

const cases = [
  {
    name: 'course-two-layer',
    config: ready('course-two-layer', (config) => ({
      ...config,
      data: { ...config.data, train: course('train_catvnoncat'), test: course('test_catvnoncat') },
    })),
    // no dev part: five folds of train judge
    forTune: { split: { folds: 5 } },
    search: searched(7, [0.001, 0.03]),
  },
  {
    name: 'quickstart-hard',
    config: ready('quickstart', (config) => ({
      ...config,
      data: { ...config.data, source: { ...config.data.source, difficulty: 'hard' } },
    })),
    search: searched(20, [0.002, 0.1]),
  },
  {
    name: 'photos',
    config: ready('photos', (config) => ({
      ...config,
      data: { ...config.data, source: { type: 'csv', path: resolve(values.photos ?? '.') } },
    })),
    search: searched(64, [0.0001, 0.005]),
    isPossible: values.photos !== undefined,
  },
];

async function nn(...words) {
  const { stdout } = await run(process.execPath, [project('bin/nn.js'), ...words, '--json', '-q'], { maxBuffer: 2 ** 28 });
  return JSON.parse(stdout);
}

const note = (text) => console.error(`${new Date().toTimeString().slice(0, 8)} ${text}`);

/** Right or wrong on each picture of test, by hash. */
async function judged(config, folder, seed) {
  if (!isComplete(folder))
    await nn('train', '--config', config, '--seed', String(seed), '--output', folder, '--force', '--no-report');
  const { threshold } = read(join(folder, 'summary.json'));
  const { p, labels } = answersOf(folder, 'test');
  return labels.map((label, i) => Number(p[i] > threshold === (label === 1)));
}

const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const points = (value) => `${value >= 0 ? '+' : '−'}${Math.abs(100 * value).toFixed(1)}`;
const percent = (value) => `${(100 * value).toFixed(1)}%`;

console.log('| config | advice | what it changes | test | gain in points |\n| --- | --- | --- | --- | --- |');
for (const { name, config, search, forTune, isPossible = true } of cases) {
  if (!isPossible || (values.only ?? name) !== name) continue;
  const folder = join(results, name);
  mkdirSync(folder, { recursive: true });
  const file = (which, content) => {
    const path = join(folder, `${which}.json`);
    if (!existsSync(path)) writeFileSync(path, JSON.stringify(content, null, 2));
    return path;
  };
  const base = file('config', config);

  note(`${name}: diagnose`);
  if (!existsSync(join(folder, 'diagnosis.json')))
    file(
      'diagnosis',
      await nn(
        'diagnose',
        '--config',
        base,
        '--minutes',
        minutes,
        '--output',
        join(folder, 'diagnose'),
        '--report',
        join(folder, 'why.html'),
      ),
    );
  const { proposal } = read(join(folder, 'diagnosis.json'));

  note(`${name}: tune`);
  const tuning = file('tune', { ...config, data: { ...config.data, ...forTune }, search });
  if (!existsSync(join(folder, 'ranking.json')))
    file('ranking', await nn('tune', '--config', tuning, '--minutes', minutes, '--output', join(folder, 'search')));
  const best = read(join(folder, 'search', 'best.json'));
  // relative paths are relative to the search's folder, so the config stays there
  const tuned = join(folder, 'search', 'tuned.json');
  const { search: _, ...withoutSearch } = best;
  writeFileSync(tuned, JSON.stringify({ ...withoutSearch, data: { ...best.data, split: config.data.split ?? 'auto' } }));

  note(`${name}: ${seeds.length} seeds of each`);
  const under = (which, path) => sequence(seeds, (seed) => judged(path, join(folder, `${which}-${seed}`), seed));
  const baseline = await under('as-it-is', base);
  const { remedies } = read(join(folder, 'as-it-is-1', 'summary.json')).diagnosis;
  // more pictures would be other parts
  const recited = remedies
    .map(({ set }) => set)
    .filter((set) => set.length > 0 && !set.some((one) => one.startsWith('data.source')));
  const rows = [];
  const add = async (advice, which, path, changes) =>
    rows.push({ advice, changes, right: path === null ? baseline : await under(which, path) });
  await add('as it is', 'as-it-is', null, '');
  await add(
    '`nn diagnose`',
    'diagnose-proposal',
    proposal && join(folder, 'diagnose', 'proposal.json'),
    proposal?.title ?? 'nothing',
  );
  await add('`nn tune`', 'tuned', tuned, read(join(folder, 'ranking.json')).ranking[0].set.join(' '));
  for (const [which, sets] of [
    ['recited-first', recited.slice(0, 1)],
    ['recited-all', recited],
  ]) {
    const path = join(folder, `${which}.json`);
    if (sets.length > 0 && !existsSync(path)) {
      const flags = sets.flat().flatMap((set) => ['--set', set]);
      const { stdout } = await run(process.execPath, [project('bin/nn.js'), 'config', 'show', base, ...flags]);
      writeFileSync(path, stdout);
    }
    await add(
      which === 'recited-first' ? 'recited, the first' : 'recited, all of it',
      which,
      sets.length > 0 ? path : null,
      sets.flat().join(' ') || 'nothing',
    );
  }
  for (const { advice, changes, right } of rows) {
    const { gain, interval } = gainOf({ baseline, treatment: right });
    const isSame = right === baseline;
    const gained = isSame ? '' : `${points(gain)} (${interval.map(points).join(' to ')})`;
    console.log(`| ${[name, advice, changes, percent(mean(right.map(mean))), gained].join(' | ')} |`);
  }
}

/** One after the other. */
async function sequence(items, work) {
  const done = [];
  for (const item of items) done.push(await work(item));
  return done;
}
