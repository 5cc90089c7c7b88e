// A training step of the network `air` (docs/photographs.md), batch 64, strict: node bench/air.mjs [ROUNDS]. Beside it PyTorch in both layouts (bench/peers/air.py), in turns.
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = new URL('..', import.meta.url);
const side = 64;
const inputs = side * side * 3;
const batch = 64;
const conv = (filters, of = {}) => ({ type: 'conv', filters, batchNorm: true, ...of });
const pool = { type: 'maxPool', size: 2 };
export const layers = [
  conv(24, { kernel: 4, stride: 2 }),
  ...[conv(32), pool, conv(32), conv(64), pool, conv(64), conv(96), pool, conv(96)],
  { type: 'globalAveragePool', keepProb: 0.8 },
];

if (process.env.NN_AIR === 'step') console.log(await ours());
else compare(Number(process.argv[2] ?? 3));

function compare(rounds) {
  console.log(`${cpus()[0].model}, Node ${process.version}`);
  for (let round = 0; round < rounds; round++) {
    const own = spawnSync(process.execPath, [fileURLToPath(import.meta.url)], {
      env: { ...process.env, NN_AIR: 'step' },
      encoding: 'utf8',
    });
    const peer = spawnSync('/usr/bin/python3', [fileURLToPath(new URL('peers/air.py', import.meta.url))], { encoding: 'utf8' });
    console.log(`nn ${own.stdout.trim()} ms · ${peer.stdout.trim() || peer.stderr.trim().split('\n').at(-1)}`);
  }
}

/** The median step of some, in milliseconds. */
async function ours() {
  const from = (path) => import(new URL(`dist/${path}`, root));
  const { checkConfig } = await from('config/load.js');
  const { kernelsFor } = await from('kernels/select.js');
  const { fitOptions, planTraining } = await from('training/plan.js');
  const { fit } = await from('training/fit.js');
  const training = { epochs: 14, batchSize: batch, evaluateEvery: 1000, optimizer: { name: 'adamw' }, learningRate: 0.003 };
  const config = checkConfig({ data: { source: { type: 'drawn' } }, model: { layers }, training }, 'air');
  const pixels = Uint8Array.from({ length: batch * inputs }, (_, i) => (i * 2654435761) >>> 24);
  const train = { features: inputs, pixels, labels: Uint8Array.from({ length: batch }, (_, i) => i % 2) };
  const kernels = kernelsFor('float32', 'strict');
  const options = fitOptions(config, { train }, planTraining(config, { train }, kernels), kernels, {});
  const times = [];
  let before = performance.now();
  for await (const event of fit(options)) {
    if (event.type !== 'epoch') continue;
    const now = performance.now();
    times.push(now - before);
    before = now;
  }
  return Math.round(times.slice(3).sort((a, b) => a - b)[Math.floor((times.length - 3) / 2)]);
}
