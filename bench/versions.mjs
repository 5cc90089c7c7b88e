// Two versions of nn, beside each other, in turns: node bench/versions.mjs OLD NEW [ROUNDS] [JOB ...], each the folder of a built checkout. Per round each version trains every
// job in a process of its own, the second version first in every other round; printed are medians in milliseconds a step, and the ratio new / old with its quartiles.
import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const inputs = 64 * 64 * 3;
const four = [20, 7, 5];
const adam = { batchSize: 64, optimizer: { name: 'adam' }, learningRate: 1e-5 };
/** m pictures, hidden units, and what the config says of training; `whole` counts a training with its preparation, not a step. */
const jobs = {
  'J1 direct': { m: 209, layers: four, training: { epochs: 80, form: 'direct' } },
  'J1 dual': { m: 209, layers: four, training: { epochs: 3000, form: 'dual' } },
  'J1 float64': { m: 209, layers: four, precision: 'float64', training: { epochs: 40, form: 'direct' } },
  J2: { m: 209, layers: [], training: { epochs: 400, form: 'direct' } },
  'J2 dual': { m: 209, layers: [], training: { epochs: 6000, form: 'dual' } },
  J3: { m: 1000, layers: [256, 64], training: { epochs: 3, ...adam } },
  L: { m: 4000, layers: [], training: { epochs: 25, form: 'direct' } },
  'J1 whole': { m: 209, layers: four, whole: true, training: { epochs: 2500 } },
};

const [old, now, rounds = '9', ...chosen] = process.argv.slice(2);
if (process.env.NN_VERSION_JOBS !== undefined) await measure(old, JSON.parse(process.env.NN_VERSION_JOBS));
else compare();

function compare() {
  const names = Object.keys(jobs).filter((name) => chosen.length === 0 || chosen.includes(name));
  const found = [];
  for (let round = 0; round < Number(rounds); round++) {
    const roots = round % 2 === 0 ? [old, now] : [now, old];
    const times = Object.fromEntries(roots.map((root) => [root, measured(root, names)]));
    found.push({ old: times[old], now: times[now] });
  }
  console.log(`${cpus()[0].model}, ${availableParallelism()} processors; Node ${process.version}; ${rounds} rounds\n`);
  console.log('job           old ms     new ms   new/old   (quartiles)');
  for (const name of [...names, 'start help', 'start predict']) {
    const [a, b] = ['old', 'now'].map((which) => quartiles(found.map((round) => round[which][name]))[1]);
    const [low, middle, high] = quartiles(found.map(({ old, now }) => now[name] / old[name]));
    const cell = (value) => value.toPrecision(4).padStart(10);
    console.log(
      `${name.padEnd(13)}${cell(a)} ${cell(b)} ${middle.toFixed(3).padStart(9)}   (${low.toFixed(3)} to ${high.toFixed(3)})`,
    );
  }
}

function measured(root, names) {
  const environment = { ...process.env, NN_VERSION_JOBS: JSON.stringify(names) };
  const words = [fileURLToPath(import.meta.url), root];
  const { stdout, stderr, status } = spawnSync(process.execPath, words, { encoding: 'utf8', env: environment });
  if (status !== 0) throw new Error(stderr);
  const starts = { 'start help': ['--help'], 'start predict': ['predict', '--help'] };
  const took = Object.entries(starts).map(([name, flags]) => {
    const begun = performance.now();
    for (let i = 0; i < 5; i++) spawnSync(process.execPath, [join(root, 'bin/nn.js'), ...flags]);
    return [name, (performance.now() - begun) / 5];
  });
  return { ...JSON.parse(stdout), ...Object.fromEntries(took) };
}

/** The fastest of three trainings of each job. */
async function measure(root, names) {
  const { checkConfig } = await import(join(root, 'dist/config/load.js'));
  const { kernelsFor } = await import(join(root, 'dist/kernels/select.js'));
  const { fitOptions, planTraining } = await import(join(root, 'dist/training/plan.js'));
  const { fit } = await import(join(root, 'dist/training/fit.js'));
  const times = {};
  for (const name of names) {
    const { m, layers, whole = false, precision = 'float32', training } = jobs[name];
    const model = { layers: layers.map((units) => ({ units })) };
    const common = { learningRate: 0.0075, evaluateEvery: 1_000_000, ...training };
    const data = { source: { type: 'drawn' }, normalize: 'scale' };
    const config = checkConfig({ precision, data, model, training: common }, name);
    const train = { features: inputs, pixels: noise(m * inputs), labels: Uint8Array.from({ length: m }, (_, i) => i % 2) };
    const kernels = kernelsFor(config.precision, config.arithmetic);
    const tries = [];
    for (let i = 0; i < 3; i++) {
      const begun = performance.now();
      const options = fitOptions(config, { train }, planTraining(config, { train }, kernels), kernels, {});
      let first = performance.now();
      let epochs = 0;
      for await (const event of fit(options)) if (event.type === 'epoch' && ++epochs === 1) first = performance.now();
      const steps = Math.ceil(m / (training.batchSize ?? m)) * (epochs - 1);
      tries.push(whole ? performance.now() - begun : (performance.now() - first) / steps);
    }
    times[name] = Math.min(...tries);
  }
  console.log(JSON.stringify(times));
}

function noise(length) {
  const bytes = new Uint8Array(length);
  for (let i = 0, x = 7; i < length; i++) {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
    bytes[i] = x >> 16;
  }
  return bytes;
}

function quartiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return [0.25, 0.5, 0.75].map((share) => sorted[Math.round(share * (sorted.length - 1))]);
}
