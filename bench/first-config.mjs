// How good the config is that `nn config init` writes, beside the defaults and beside what `nn tune` finds: docs/first-config.md has the results.
//
//   npm run build && node bench/first-config.mjs RESULTS.jsonl FOLDER…      folders of photographs, with a sub-folder for each of the same two classes
//   node bench/first-config.mjs RESULTS.jsonl --table
//
// --sizes 200,600 (pictures that a config is trained on, its dev and test part among them), --seeds 1,2,3, --arms init,defaults,tune, --minutes 5 (of
// tune), --config FILE (an arm "file": any config, given the pictures). --choose judges by other pictures, by which recipes and rules are chosen.
// What stands in RESULTS.jsonl is not measured again. All arms of a size and seed get the same pictures, and all are judged by the same 1,000.
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { namedRandom } from '../dist/random.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    table: { type: 'boolean' },
    choose: { type: 'boolean' },
    sizes: { type: 'string', default: '200,600,2000' },
    seeds: { type: 'string', default: '1,2,3' },
    arms: { type: 'string', default: 'init,defaults' },
    minutes: { type: 'string', default: '5' },
    config: { type: 'string' },
  },
});
const [file, ...folders] = positionals;
const numbers = (text) => text.split(',').map(Number);
const bin = fileURLToPath(new URL('../bin/nn.js', import.meta.url));
const classes = ['cat', 'noncat'];
/** Pictures that judge, and as many others by which recipes are chosen: so many of each class and folder. */
const judges = 1000;

/** Every picture, of each folder and class in an order of its own that all sizes and seeds share. */
const groups = folders.flatMap((folder) =>
  classes.map((label) => {
    const names = readdirSync(join(folder, label)).sort();
    const random = namedRandom(1, 'first-config', `${basename(folder)} ${label}`);
    return Array.from(random.permutation(names.length), (i) => ({ path: resolve(folder, label, names[i]), label }));
  }),
);
const perGroup = judges / groups.length;
const test = groups.flatMap((group) => group.slice(0, perGroup));
const choosing = groups.flatMap((group) => group.slice(perGroup, 2 * perGroup));
/** What subsets are drawn from: where recipes are chosen, what is left of it for the seeds that judge is the same. */
const pools = groups.map((group) => group.slice(flags.choose ? 2 * perGroup : perGroup));

function subset(size, seed) {
  return pools.flatMap((pool, g) => {
    const order = namedRandom(seed, 'first-config subset', g).permutation(pool.length);
    return Array.from(order.slice(0, size / pools.length), (i) => pool[i]);
  });
}

const csvOf = (pictures) => `path,label\n${pictures.map(({ path, label }) => `${path},${label}`).join('\n')}\n`;
const nn = (...words) =>
  execFileSync(process.execPath, [bin, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1e9 });

/** What a search varies who knows what matters: the network, how fast and how long it learns, and how much pictures are varied. */
const search = {
  trials: 1000,
  strategy: 'random',
  metric: 'cost',
  parameters: {
    'model.layers': {
      choice: [
        [{ units: 64, keepProb: 0.5 }],
        ...[12, 24].map((filters) => [
          { type: 'conv', filters, kernel: 4, stride: 2, batchNorm: true },
          { type: 'conv', filters: 2 * filters, batchNorm: true },
          { type: 'maxPool', size: 2 },
          { type: 'conv', filters: 4 * filters, batchNorm: true },
          { type: 'globalAveragePool', keepProb: 0.8 },
        ]),
      ],
    },
    'training.learningRate': { logUniform: [0.0003, 0.01] },
    'training.epochs': { choice: [20, 40] },
    'training.optimizer.weightDecay': { logUniform: [0.005, 0.1] },
    'data.augment.shift': { choice: [0, 0.1] },
    'data.augment.zoom': { choice: [0, 0.25] },
    'data.augment.rotate': { choice: [0, 15] },
    'data.augment.brightness': { choice: [0, 0.15] },
  },
};
const searched = {
  data: { augment: { flipHorizontal: true } },
  training: { batchSize: 32, optimizer: { name: 'adamw' }, schedule: { name: 'oneCycle' } },
  search,
};

/** How each arm makes a config of the pictures in a CSV. */
const arms = {
  init: ({ csv, out }) => nn('config', 'init', csv, '--out', out),
  defaults: ({ out }) => write(out, {}),
  file: ({ out }) => write(out, JSON.parse(readFileSync(flags.config, 'utf8'))),
  tune: ({ out, place }) => {
    write(join(place, 'search.json'), searched);
    const words = ['tune', '--config', join(place, 'search.json'), '--minutes', flags.minutes, '--output', join(place, 'search')];
    const { best, trials } = JSON.parse(nn(...words, '--json'));
    writeFileSync(out, readFileSync(best, 'utf8').replace('"../pictures.csv"', '"pictures.csv"'));
    return { trials };
  },
};

function write(out, { $schema: _, data, ...rest }) {
  const source = { type: 'csv', path: 'pictures.csv', positive: 'cat' };
  writeFileSync(out, JSON.stringify({ data: { ...data, source }, ...rest }));
}

function measure(arm, size, seed) {
  const place = mkdtempSync(join(tmpdir(), 'nn-first-config-'));
  try {
    const [csv, out, judge] = ['pictures.csv', 'config.json', 'judge.csv'].map((name) => join(place, name));
    writeFileSync(csv, csvOf(subset(size, seed)));
    writeFileSync(judge, csvOf(flags.choose ? choosing : test));
    const more = arms[arm]({ csv, out, place });
    const run = join(place, 'run');
    const { metrics, seconds, epochs, bestEpoch, stopped } = JSON.parse(
      nn('train', '--config', out, '--output', run, '--set', `seed=${seed}`, '--no-report', '--json'),
    );
    const { balancedAccuracy, recall, specificity } = JSON.parse(nn('evaluate', '--model', run, '--data', judge, '--json'));
    const own = Object.fromEntries(['train', 'dev', 'test'].map((part) => [part, metrics[part]?.accuracy ?? null]));
    return { balancedAccuracy, recall, specificity, own, seconds, epochs, bestEpoch, stopped, ...(more?.trials && more) };
  } finally {
    rmSync(place, { recursive: true });
  }
}

const resultsIn = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map(JSON.parse) : []);

function measureAll() {
  mkdirSync(resolve(file, '..'), { recursive: true });
  for (const size of numbers(flags.sizes))
    for (const arm of flags.arms.split(','))
      for (const seed of numbers(flags.seeds)) {
        const name = arm === 'file' ? basename(flags.config, '.json') : arm;
        const key = [flags.choose ? 'choose' : 'test', name, size, seed].join(' ');
        if (resultsIn().some((one) => one.key === key)) continue;
        const result = { key, arm: name, size, seed, choose: flags.choose ?? false, ...measure(arm, size, seed) };
        appendFileSync(file, `${JSON.stringify(result)}\n`);
        console.log(JSON.stringify(result));
      }
}

/** Wilson's, at 95%. */
function interval(share, n) {
  const z = 1.959964;
  const middle = (share + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2))) / (1 + z ** 2 / n);
  return [middle - half, middle + half];
}

/** A row for each size and arm. As many of each class judge, so balanced accuracy is accuracy, and its interval Wilson's. */
function printTable() {
  const percent = (share) => (100 * share).toFixed(1);
  const rows = new Map();
  for (const one of resultsIn().filter(({ choose }) => choose === (flags.choose ?? false))) {
    const key = JSON.stringify([one.size, one.arm]);
    rows.set(key, [...(rows.get(key) ?? []), one]);
  }
  console.log(
    '| pictures | config | balanced accuracy, each training | mean | 95% interval, by the pictures that judge | epochs, of which is kept |',
  );
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const [key, found] of [...rows].sort(([a], [b]) => JSON.parse(a)[0] - JSON.parse(b)[0])) {
    const [size, arm] = JSON.parse(key);
    const mean = found.reduce((sum, { balancedAccuracy }) => sum + balancedAccuracy, 0) / found.length;
    const each = found.map(({ balancedAccuracy }) => percent(balancedAccuracy)).join(', ');
    const epochs = found.map(({ epochs: all, bestEpoch }) => `${all}, ${bestEpoch}`).join('; ');
    console.log(
      `| ${size} | ${arm} | ${each} | ${percent(mean)}% | ${interval(mean, judges).map(percent).join(' to ')} | ${epochs} |`,
    );
  }
}

if (flags.table) printTable();
else measureAll();
