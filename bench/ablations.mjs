// What each part of a recipe gives: a config is trained as it stands and with one part taken out or put in, with the same seeds on the same parts, and judged
// on dev. What came of it stands in docs/photographs.md.
//
//   npm run build && node bench/ablations.mjs CONFIG RESULTS [--seeds 1,2,3] [--only mixup,labelSmoothing] [--jobs 1]     trains; RESULTS is a folder of runs
//   node bench/ablations.mjs CONFIG RESULTS --table                                                                       what is in it
//
// CONFIG names its parts (data.train, data.dev), so that they are the same for every seed. A run that stands is not trained again, one that was cut off goes on.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { gainsOf, holm } from '../dist/evaluation/gain.js';
import { answersOf, isComplete } from './run-answers.mjs';

const run = promisify(execFile);
const nn = fileURLToPath(new URL('../bin/nn.js', import.meta.url));
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    only: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    table: { type: 'boolean' },
  },
});
const [config, results] = positionals;
const seeds = flags.seeds.split(',').map(Number);

/** Name → what is set beside the config; an empty list is the config itself. They are those of configs/conv-photos.json. */
const variants = {
  baseline: [],
  '75 epochs': ['training.epochs=75'],
  'no labelSmoothing': ['training.labelSmoothing=0'],
  'weight decay 0.02': ['training.optimizer={"name":"adamw","weightDecay":0.02}'],
  'no weight decay': ['training.optimizer={"name":"adam"}'],
  'mixup 0.2': ['training.mixup=0.2'],
  'averageWeights 0.99': ['training.averageWeights=0.99'],
  'no change of place': ['data.augment.rotate=0', 'data.augment.zoom=[1,1]', 'data.augment.aspect=0', 'data.augment.shift=0'],
  'no change of colour': ['saturation', 'contrast', 'brightness', 'tint'].map((name) => `data.augment.${name}=0`),
  'no progressive resizing, 69 epochs': ['training.progressive=[]', 'training.epochs=69'],
  'no averageMirrored': ['training.averageMirrored=false'],
  'no dropout': ['model.layers.10.keepProb=1'],
  'constant rate 0.001': ['training.schedule={"name":"none"}', 'training.learningRate=0.001'],
  'a third more filters': Object.entries({ 0: 32, 1: 40, 3: 40, 4: 80, 6: 80, 7: 128, 9: 128 }).map(
    ([layer, filters]) => `model.layers.${layer}.filters=${filters}`,
  ),
};

const chosen = Object.entries(variants).filter(
  ([name]) => !flags.only || name === 'baseline' || flags.only.split(',').some((part) => name.startsWith(part)),
);
const folderOf = (name, seed) => join(results, `${name.replaceAll(/[^\w.]+/g, '-')}-${seed}`);

async function train(name, sets, seed) {
  const folder = folderOf(name, seed);
  if (isComplete(folder)) return;
  const words = existsSync(join(folder, 'config.json'))
    ? ['--resume', folder]
    : ['--config', config, '--seed', String(seed), '--output', folder, ...sets.flatMap((set) => ['--set', set])];
  const began = performance.now();
  await run(process.execPath, [nn, 'train', ...words, '--json', '--no-report'], { maxBuffer: 1e9 });
  console.log(`${name}, seed ${seed}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
}

/** p and label of each picture of dev by one run, in the order of its split. */
function judged(folder) {
  const { p, labels: y } = answersOf(folder, 'dev');
  const { metrics } = JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8'));
  return { y, right: Uint8Array.from(p, (value, i) => Number(value > 0.5 === (y[i] === 1))), cost: metrics.dev.logLoss };
}

if (!flags.table) {
  mkdirSync(results, { recursive: true });
  const queue = seeds.flatMap((seed) =>
    chosen.map(
      ([name, sets]) =>
        () =>
          train(name, sets, seed),
    ),
  );
  await Promise.all(
    Array.from({ length: Number(flags.jobs) }, async () => {
      for (let next = queue.shift(); next; next = queue.shift()) await next();
    }),
  );
}

const complete = chosen.filter(([name]) => seeds.every((seed) => isComplete(folderOf(name, seed))));
const of = new Map(complete.map(([name]) => [name, seeds.map((seed) => judged(folderOf(name, seed)))]));
const baseline = of.get('baseline');
const { y } = baseline[0];
const positive = y.reduce((sum, label) => sum + label, 0);
const weights = Float64Array.from(y, (label) => y.length / 2 / (label ? positive : y.length - positive));
const balanced = (right) => right.reduce((sum, one, i) => sum + one * weights[i], 0) / y.length;
const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const others = complete.filter(([name]) => name !== 'baseline');
const gains = gainsOf(
  others.map(([name]) => ({
    baseline: baseline.map(({ right }) => right),
    treatment: of.get(name).map(({ right }) => right),
    weights,
  })),
);
const adjusted = holm(gains.map(({ p }) => p ?? 1));
const points = (value) => (100 * value).toFixed(1);
const cells = (name, ...rest) =>
  console.log(
    `| ${[name, `${points(mean(of.get(name).map(({ right }) => balanced(right))))}%`, ...rest, mean(of.get(name).map(({ cost }) => cost)).toFixed(4)].join(' | ')} |`,
  );
console.log(`| | dev, balanced | gain in points | p by Holm | cost on dev |\n| --- | --- | --- | --- | --- |`);
cells('baseline', '', '');
for (const [i, [name]] of others.entries()) {
  const { gain, interval } = gains[i];
  cells(name, `${points(gain)} (${interval ? interval.map(points).join(' to ') : 'too few seeds'})`, adjusted[i].toFixed(3));
}
