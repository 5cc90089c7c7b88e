// A training step of the network `air` (docs/photographs.md), batch 64, strict: node bench/air.mjs [ROUNDS]. Beside it, in turns,
// the machine's ceiling (bench/ceiling.mjs) and PyTorch in both layouts (bench/peers/air.py).
// node bench/air.mjs kernels: where a step's time goes, by kernel; with NN_THREADS=1 in processor time.
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { measureCeiling } from './ceiling.mjs';

const root = new URL('..', import.meta.url);
const side = 64;
const inputs = side * side * 3;
const batch = 64;
const isAlone = process.env.NN_THREADS === '1';
/** Steps before V8 has its better code. */
const cold = 3;
const conv = (filters, of = {}) => ({ type: 'conv', filters, batchNorm: true, ...of });
const pool = { type: 'maxPool', size: 2 };
export const layers = [
  conv(24, { kernel: 4, stride: 2 }),
  ...[conv(32), pool, conv(32), conv(64), pool, conv(64), conv(96), pool, conv(96)],
  { type: 'globalAveragePool', keepProb: 0.8 },
];

if (process.argv[2] === 'kernels') await byKernel();
else if (process.env.NN_AIR === 'step') console.log(JSON.stringify(await ours()));
else await compare(Number(process.argv[2] ?? 3));

async function compare(rounds) {
  console.log(`${cpus()[0].model}, Node ${process.version}`);
  for (let round = 0; round < rounds; round++) {
    const own = spawnSync(process.execPath, [fileURLToPath(import.meta.url)], {
      env: { ...process.env, NN_AIR: 'step' },
      encoding: 'utf8',
    });
    if (own.status !== 0) throw new Error(own.stderr);
    const ceilings = await measureCeiling();
    const peer = spawnSync('/usr/bin/python3', [fileURLToPath(new URL('peers/air.py', import.meta.url))], { encoding: 'utf8' });
    const peerTimes = peer.stdout?.trim() || peer.stderr?.trim().split('\n').at(-1) || 'no PyTorch';
    console.log(`${stepText(JSON.parse(own.stdout), ceilings)} · ${peerTimes}`);
  }
}

/** How long a step takes, and what it comes to beside the ceiling of the widest registers and all threads. */
function stepText({ step, operations }, ceilings) {
  const rate = operations / step / 1e6;
  const threads = Math.max(...ceilings.map((row) => row.threads));
  const all = ceilings.filter((row) => row.threads === threads);
  const share = rate / Math.max(...all.map((row) => row.rate));
  const texts = all.map((row) => `${row.rate.toFixed(0)} in ${row.bits} bits`).join(', ');
  const product = `${(operations / 1e9).toFixed(2)} GFLOP, ${rate.toFixed(1)} GFLOP/s`;
  return `nn ${step} ms (${product}, ${(100 * share).toFixed(0)}% of the ceiling: ${texts}, ${threads} threads)`;
}

/** Milliseconds a step in each kernel: of each call the least of all steps. With one thread (NN_THREADS=1) it is processor time, which other work on the machine
 *  hardly changes. */
async function byKernel() {
  const calls = new Map();
  let ordinals = new Map();
  const note = (name, time) => {
    const ordinal = ordinals.get(name) ?? 0;
    ordinals.set(name, ordinal + 1);
    const call = `${name} ${ordinal}`;
    const { times = 0, least = Infinity } = calls.get(call) ?? {};
    calls.set(call, { name, times: times + 1, least: Math.min(least, time) });
  };
  const { step, steps } = await ours({
    prepare: (kernels) => timed(kernels, note),
    afterStep: () => (ordinals = new Map()),
  });
  const ofSteps = [...calls.values()].filter(({ times }) => times >= steps);
  const names = [...new Set(ofSteps.map(({ name }) => name))];
  const sum = (rows) => rows.reduce((total, { least }) => total + least, 0);
  const rows = names.map((name) => [name, sum(ofSteps.filter((call) => call.name === name))]).sort(([, a], [, b]) => b - a);
  const clock = isAlone ? 'processor time, ' : '';
  console.log(
    `${cpus()[0].model}, Node ${process.version}: a step ${step} ms; least times of its kernels, ${clock}${sum(ofSteps).toFixed(1)} ms`,
  );
  for (const [name, least] of rows.slice(0, 16)) console.log(`${name.padEnd(22)}${least.toFixed(1).padStart(8)}`);
}

/** Kernels that tell how long each call takes. */
function timed(kernels, note) {
  const wrapped = (name, kernel) => (call) => {
    const begun = now();
    const result = kernel(call);
    note(name, now() - begun);
    return result;
  };
  const calls = Object.entries(kernels).map(([name, kernel]) => [
    name,
    typeof kernel === 'function' ? wrapped(name, kernel) : kernel,
  ]);
  const scope = () => {
    const inner = kernels.scope();
    return { ...timed(inner, note), release: inner.release };
  };
  return { ...Object.fromEntries(calls), scope };
}

/** Milliseconds. */
function now() {
  if (!isAlone) return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The median step of some, in milliseconds, how many there were, and the floating-point operations in the products of one. */
async function ours({ prepare = (kernels) => kernels, afterStep = () => {}, epochs = cold + 30 } = {}) {
  const from = (path) => import(new URL(`dist/${path}`, root));
  const { checkConfig } = await from('config/load.js');
  const { kernelsFor } = await from('kernels/select.js');
  const { fitOptions, planTraining } = await from('training/plan.js');
  const { fit } = await from('training/fit.js');
  const { opsOf } = await from('nn/build.js');
  const training = { epochs, batchSize: batch, evaluateEvery: 1000, optimizer: { name: 'adamw' }, learningRate: 0.003 };
  const config = checkConfig({ data: { source: { type: 'drawn' } }, model: { layers }, training }, 'air');
  const pixels = Uint8Array.from({ length: batch * inputs }, (_, i) => (i * 2654435761) >>> 24);
  const train = { features: inputs, pixels, labels: Uint8Array.from({ length: batch }, (_, i) => i % 2) };
  const kernels = prepare(kernelsFor('float32', 'strict'));
  const options = fitOptions(config, { train }, planTraining(config, { train }, kernels), kernels, {});
  const times = [];
  let before = performance.now();
  for await (const event of fit(options)) {
    if (event.type !== 'epoch') continue;
    const ended = performance.now();
    times.push(ended - before);
    afterStep();
    before = ended;
  }
  const step = Math.round(times.slice(cold).sort((a, b) => a - b)[Math.floor((times.length - cold) / 2)]);
  return { step, steps: times.length - cold, operations: operationsOf(opsOf(options.network)) };
}

/** A multiplication and an addition for each weight that a number meets: forward, in the gradient of the weights and, but for the first layer,
 *  in that of the input. */
function operationsOf([first, ...above]) {
  const upper = above.reduce((sum, { multiplications }) => sum + multiplications, 0);
  return 2 * batch * (2 * first.multiplications + 3 * upper);
}
