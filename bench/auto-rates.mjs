// Which learning rates train, for every optimizer and normalisation: what src/training/learning-rate.ts is made of, and what a new
// optimizer or kind of layer needs its row from. docs/learning-rates.md says how to read the table.
//
//   npm run build && node bench/auto-rates.mjs RESULTS.jsonl [FOLDER…]     folders of photographs, one sub-folder for each class
//   node bench/auto-rates.mjs RESULTS.jsonl --table                        the table of what is there
//
// A training that stands in RESULTS.jsonl is not run again: it goes on where it was stopped. --only NAME (an optimizer) runs some.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checkConfig } from '../dist/config/load.js';
import { normalizers } from '../dist/data/normalize.js';
import { prepareData } from '../dist/datasets/prepare.js';
import { kernelsFor, useThreads } from '../dist/kernels/select.js';
import { createWorkspace, forward } from '../dist/nn/network.js';
import { inference } from '../dist/nn/op.js';
import { optimizers } from '../dist/nn/optimizers.js';
import { costOscillates } from '../dist/training/cost-curve.js';
import { fit } from '../dist/training/fit.js';
import { fitOptions, planTraining } from '../dist/training/plan.js';

/** A rate is a multiple, 2^k, of these times 12,288 / n_x: the middle of each ladder. */
const middles = {
  gradientDescent: { scale: 0.002, mean: 0.0004, standardize: 0.001, standardizeChannels: 0.001, none: 2.5e-8 },
  momentum: { scale: 0.01, mean: 0.002, standardize: 0.004, standardizeChannels: 0.004, none: 1.5e-7 },
  rmsprop: { scale: 5e-6, mean: 4e-6, standardize: 1e-5, standardizeChannels: 1e-5, none: 5e-8 },
  adam: { scale: 5e-5, mean: 2.5e-5, standardize: 0.0002, standardizeChannels: 0.0002, none: 5e-7 },
};
/** Depth and width; ReLU throughout, since it is what can be killed. */
const networks = { '': [], 20: [20], '20-7-5': [20, 7, 5], '64-16': [64, 16], '24×6': [24, 24, 24, 24, 24, 24] };
/** What is tried: everything where it is cheap, less of it where a rung of a ladder takes a minute. */
const plans = [
  { sides: [8, 16], data: ['easy', 'hard'], names: Object.keys(networks), seeds: [1, 2, 3], ladder: [-6, 4] },
  { sides: [32], data: ['easy'], names: Object.keys(networks), seeds: [1, 2, 3], ladder: [-6, 4] },
  { sides: [32, 64], data: ['photographs'], names: ['20-7-5'], seeds: [1, 2], ladder: [-5, 2] },
  { sides: [64], data: ['easy'], names: ['', '20-7-5'], seeds: [1, 2], ladder: [-5, 2] },
  { sides: [128], data: ['easy'], names: ['20-7-5'], seeds: [1], ladder: [-5, 2] },
];
const pictures = 128;
const steps = 200;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { table: { type: 'boolean' }, only: { type: 'string' } },
});
const [file, ...folders] = positionals;
useThreads(1, {});
const kernels = kernelsFor('float32');

function* problems() {
  const sources = {
    easy: [{ type: 'drawn', difficulty: 'easy', count: pictures }],
    hard: [{ type: 'drawn', difficulty: 'hard', count: pictures }],
    photographs: folders.map((path) => ({ type: 'folder', path })),
  };
  for (const { sides, data: kinds, names, seeds, ladder } of plans)
    for (const side of sides)
      for (const [data, source] of kinds.flatMap((kind) => sources[kind].map((one, i) => [kind + (i || ''), one])))
        for (const network of names)
          for (const optimizer of Object.keys(optimizers).filter((name) => !flags.only || name === flags.only))
            for (const normalize of Object.keys(normalizers))
              for (const seed of seeds) yield { side, data, source, network, optimizer, normalize, seed, ladder };
}

const read = new Map();
/** So many pictures of a source, the same for all trainings at a side. */
async function picturesOf(source, imageSize) {
  const key = JSON.stringify([source, imageSize]);
  if (!read.has(key)) {
    read.clear();
    const config = checkConfig({ data: { train: source, imageSize, duplicates: 'ignore' } }, 'auto-rates');
    const { train } = (await prepareData({ config, folder: process.cwd(), file: 'auto-rates' }, { strict: true })).splits;
    read.set(key, some(train));
  }
  return read.get(key);
}

/** As many of each class, from all over the source. */
function some({ features, pixels, labels, names, hashes }) {
  const of = (label) => Array.from(labels.keys()).filter((i) => labels[i] === label);
  const pick = (all, n) => Array.from({ length: n }, (_, i) => all[Math.floor((i * all.length) / n)]);
  const chosen = labels.length <= pictures ? Array.from(labels.keys()) : [0, 1].flatMap((label) => pick(of(label), pictures / 2));
  const bytes = new Uint8Array(chosen.length * features);
  for (const [to, i] of chosen.entries()) bytes.set(pixels.subarray(i * features, (i + 1) * features), to * features);
  return { features, pixels: bytes, labels: Uint8Array.from(chosen, (i) => labels[i]), names, hashes };
}

/** Hidden units that give 0 for every picture, layer by layer. */
function deadUnits({ network, parameters, train, map }) {
  const count = train.labels.length;
  const workspace = createWorkspace(network, kernels, count);
  const input = { kind: 'bytes', bytes: train.pixels, indices: null, count, features: network.inputs, map };
  forward({ network, parameters, kernels, input, workspace, mode: inference });
  return network.layers
    .slice(0, -1)
    .map(({ units }, l) =>
      Array.from({ length: units }, (_, u) =>
        workspace.slots[2 * l + 1].value.subarray(0, count * units).every((a, at) => at % units !== u || a === 0),
      ),
    );
}

/** What came of a training: what the criteria below are of. */
async function train({ side, source, network, optimizer, normalize, seed }, rate) {
  const pictures = await picturesOf(source, side);
  const raw = {
    seed,
    data: { train: source, imageSize: side, normalize },
    model: { layers: networks[network].map((units) => ({ units })) },
    training: { epochs: steps, batchSize: 'full', optimizer: { name: optimizer }, learningRate: rate, evaluateEvery: steps },
  };
  const config = checkConfig(raw, 'auto-rates');
  const options = fitOptions(config, { train: pictures }, planTraining(config, { train: pictures }, kernels), kernels);
  const before = deadUnits(options);
  const costs = [];
  let diverged = false;
  try {
    for await (const event of fit(options)) if (event.type === 'epoch') costs.push(event.cost);
  } catch (error) {
    if (error.kind !== 'diverged') throw error;
    diverged = true;
  }
  const after = deadUnits(options);
  const units = before.flat().length;
  const killed = after.flat().filter((dead, i) => dead && !before.flat()[i]).length;
  const layerDied = after.some((layer, l) => layer.every(Boolean) && !before[l].every(Boolean));
  const deadAtFirst = before.some((layer) => layer.every(Boolean));
  const short = (value) => (Number.isFinite(value) ? Number(value.toPrecision(4)) : null);
  return {
    diverged,
    layerDied,
    deadAtFirst,
    killed,
    units,
    oscillates: costOscillates(costs, { learningRates: [rate], autoRate: rate }) !== null,
    first: short(costs[0] ?? Number.NaN),
    most: short(Math.max(...costs)),
    last: diverged ? null : short(costs.at(-1)),
  };
}

const keyOf = ({ side, data, network, optimizer, normalize, seed }, k) =>
  [side, data, network, optimizer, normalize, seed, k].join(' | ');

async function measure() {
  const done = new Set(resultsIn(file).map(({ key }) => key));
  for (const problem of problems()) {
    const { source: _, ladder, ...named } = problem;
    let failures = 0;
    for (let k = ladder[0]; k <= ladder[1]; k++) {
      if (failures >= 2) break; // whatever is larger fails as well
      const key = keyOf(problem, k);
      const features = problem.side * problem.side * 3;
      const rate = (middles[problem.optimizer][problem.normalize] * 2 ** k * 12288) / features;
      let result = done.has(key) ? null : await train(problem, rate);
      if (result !== null) appendFileSync(file, `${JSON.stringify({ key, ...named, k, rate, ...result })}\n`);
      else result = resultsIn(file, true).get(key);
      failures = result.diverged || result.layerDied ? failures + 1 : 0;
    }
  }
}

let byKey;
function resultsIn(path, asMap = false) {
  if (byKey === undefined || !asMap) {
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
    byKey = new Map(lines.map((line) => JSON.parse(line)).map((one) => [one.key, one]));
  }
  return asMap ? byKey : [...byKey.values()];
}

/** What a sound training is: it neither diverges nor oscillates nor rises above twice its start, and kills no layer, and of the hidden
 *  units at most this share. */
const killedAtMost = 0.2;
/** A rate is automatic that trains so many problems soundly. */
const soundIn = 0.95;

function isSound({ diverged, layerDied, oscillates, last, most, first, units, killed }) {
  return !diverged && !layerDied && !oscillates && last !== null && most <= 2 * first && killed <= killedAtMost * units;
}

/** For each optimizer and normalisation: the largest rate up to the middle of the ladder that is sound nearly everywhere. */
function printTable() {
  const problemsOf = new Map(); // of those whose first weights are sound themselves
  for (const one of resultsIn(file).filter(({ deadAtFirst }) => !deadAtFirst)) {
    const { side, data, network, optimizer, normalize, seed, k } = one;
    const problem = JSON.stringify([side, data, network, seed]);
    const row = `${optimizer} | ${normalize}`;
    if (!problemsOf.has(row)) problemsOf.set(row, new Map());
    const all = problemsOf.get(row);
    if (!all.has(problem)) all.set(problem, new Map());
    all.get(problem).set(k, one);
  }
  console.log('| optimizer | normalize | at | rate | sound | killed | cost falls to | at twice the rate | of 0.1.0 |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const [row, all] of problemsOf) {
    const [optimizer, normalize] = row.split(' | ');
    const at = (k) => {
      // a ladder that ended below k would have failed there
      const tried = [...all.values()].filter((ladder) => ladder.has(k) || Math.max(...ladder.keys()) < k);
      const found = tried.flatMap((ladder) => ladder.get(k) ?? []);
      const sound = found.filter(isSound).length / tried.length;
      const killed = found.reduce((sum, { killed, units }) => sum + (units > 0 ? killed / units : 0), 0) / found.length;
      const falls = found
        .map(({ last, first }) => (last === null ? Number.POSITIVE_INFINITY : last / first))
        .sort((a, b) => a - b);
      return { sound, killed, falls: falls[falls.length >> 1], problems: tried.length };
    };
    let k = 0;
    while (at(k).sound < soundIn) k--;
    const { sound, killed, falls } = at(k);
    const percent = (share) => `${Math.round(100 * share)}%`;
    const rate = Number((middles[optimizer][normalize] * 2 ** k).toPrecision(2));
    const cells = [optimizer, normalize, k === 0 ? '1' : `1/${2 ** -k}`, rate, percent(sound), percent(killed), falls.toFixed(2)];
    console.log(`| ${[...cells, percent(at(k + 1).sound), percent(at(0).sound)].join(' | ')} |`);
  }
}

if (flags.table) printTable();
else await measure();
