// Trainings whose threads begin while memory grows, beside other work: node test/stress/threads.mjs [TRAININGS] [BUSY LOOPS]
// Twelve layers of 128 units with batch norm, 120 packed images of side 32, batches of 16, one epoch, with 1, 2, 4 and 8 threads in turn. Every training has
// to end with exit 0, within a minute, and with the same weights. docs/reliability.md has what came of it.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const nn = fileURLToPath(new URL('../../bin/nn.js', import.meta.url));
const trainings = Number(process.argv[2] ?? 2000);
const busy = Number(process.argv[3] ?? 1);
const threads = [1, 2, 4, 8];
const patience = 60_000;

const folder = await mkdtemp(join(tmpdir(), 'nn-threads-'));
const layers = Array.from({ length: 12 }, () => ({ units: 128, batchNorm: true }));
const write = (name, data, more = {}) =>
  writeFile(join(folder, name), JSON.stringify({ data: { imageSize: 32, ...data }, ...more }));
await write('drawn.json', { source: { type: 'drawn', count: 120 } });
await write(
  'config.json',
  { source: { type: 'packed', path: 'images.safetensors' }, normalize: 'scale' },
  { model: { layers }, training: { epochs: 1, batchSize: 16, learningRate: 0.01 } },
);
const packed = await run(['data', 'pack', 'drawn.json', '--out', 'images.safetensors', '--quiet'], 2);
if (packed.code !== 0) throw new Error(`nn data pack: exit ${packed.code}\n${packed.errors}`);

const loops = Array.from({ length: busy }, () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
const [hashes, faults, slowest] = [new Set(), [], Object.fromEntries(threads.map((n) => [n, 0]))];
const started = performance.now();
try {
  for (let i = 0; i < trainings; i++) {
    const n = threads[i % threads.length];
    const before = performance.now();
    const { code, errors } = await run(
      ['train', '--config', 'config.json', '--output', 'run', '--force', '--quiet', '--json'],
      n,
    );
    slowest[n] = Math.max(slowest[n], (performance.now() - before) / 1000);
    if (code !== 0) faults.push(`training ${i + 1}, ${n} threads: exit ${code}: ${errors.split('\n')[0]}`);
    else
      hashes.add(
        createHash('sha256')
          .update(await readFile(join(folder, 'run/model.safetensors')))
          .digest('hex'),
      );
    if ((i + 1) % 100 === 0) console.error(`${i + 1} of ${trainings}, ${faults.length} faults, ${hashes.size} kinds of weights`);
  }
} finally {
  for (const loop of loops) loop.kill();
  await rm(folder, { recursive: true });
}
const seconds = Object.entries(slowest).map(([n, most]) => `${n}: ${most.toFixed(1)} s`);
console.log(
  `${trainings} trainings with ${threads.join(', ')} threads beside ${busy} busy loops, in ${((performance.now() - started) / 60_000).toFixed(0)} minutes`,
);
console.log(
  `${cpus().length} × ${cpus()[0].model}, Node ${process.version}; the slowest with so many threads: ${seconds.join(', ')}`,
);
console.log(`${faults.length} faults, ${hashes.size} kinds of weights`);
for (const fault of faults) console.log(fault);
process.exitCode = faults.length === 0 && hashes.size === 1 ? 0 : 1;

/** Runs nn with so many threads. A training that does not end is ended. */
function run(words, count) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [nn, ...words], {
      cwd: folder,
      env: { ...process.env, NN_THREADS: String(count), NN_CACHE: 'off' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (text) => (errors += text));
    const timer = setTimeout(() => child.kill('SIGKILL'), patience);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? signal, errors });
    });
  });
}
