// npm run bench [-- J1 J2 …]: one table, all competitors interleaved in one run, medians with spread. A competitor whose cost
// differs from float64 NumPy's does not count. Peers: Debian's python3-numpy and python3-torch, where they are installed.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { numpyRandom } from '../dist/random.js';
import { prepare } from './ours.mjs';

const features = 12_288;
const four = [features, 20, 7, 5, 1];
const jobs = [
  {
    name: 'J1',
    title: 'four layers, 209 pictures, an iteration',
    dims: four,
    m: 209,
    batch: 209,
    adam: false,
    steps: 10,
    rounds: 15,
  },
  {
    name: 'J2',
    title: 'logistic regression, 209 pictures, an iteration',
    dims: [features, 1],
    m: 209,
    batch: 209,
    adam: false,
    steps: 50,
    rounds: 15,
  },
  {
    name: 'J3',
    title: '[256, 64], batch 64 of 4,000, Adam, a step',
    dims: [features, 256, 64, 1],
    m: 4000,
    batch: 64,
    adam: true,
    steps: 5,
    rounds: 15,
  },
  {
    name: 'L',
    title: 'logistic regression, 20,000 pictures, an iteration',
    dims: [features, 1],
    m: 20_000,
    batch: 20_000,
    adam: false,
    steps: 1,
    rounds: 9,
  },
].map((job) => ({ ...job, features }));

const ours = [
  { label: 'nn dual, float64', precision: 'float64', form: 'dual', for: ['J1', 'J2'] },
  { label: 'nn direct, float32', precision: 'float32', form: 'direct' },
  { label: 'nn direct, float64', precision: 'float64', form: 'direct' },
];
const peers = [
  { label: 'NumPy, float64', kind: 'numpy64', needs: 'numpy', for: ['J1', 'J2', 'J3'] },
  { label: 'NumPy, float32', kind: 'numpy32', needs: 'numpy' },
  { label: 'PyTorch, float32', kind: 'torch32', needs: 'torch' },
];
const python = process.env.BENCH_PYTHON ?? '/usr/bin/python3';
// a peer runs as its users run it; BENCH_THREADS=1 gives every competitor one thread, for machines that are shared
const { OPENBLAS_CORETYPE: _core, OPENBLAS_L2_SIZE: _size, ...environment } = process.env;
const threads = process.env.BENCH_THREADS;
if (threads !== undefined) {
  process.env.NN_THREADS = threads;
  Object.assign(environment, { OMP_NUM_THREADS: threads, OPENBLAS_NUM_THREADS: threads });
}

const folder = mkdtempSync(join(tmpdir(), 'nn-bench-'));
const running = [];
try {
  const chosen = process.argv.slice(2);
  const list = jobs.filter(({ name }) => chosen.length === 0 || chosen.includes(name));
  writeData(list);
  console.log(
    `${cpus()[0].model}, ${cpus().length} processors, ${threads ?? 'all'} threads; Node ${process.version}; ${new Date().toISOString().slice(0, 10)}\n`,
  );
  for (const job of list) await bench(job);
} finally {
  for (const child of running) child.kill();
  rmSync(folder, { recursive: true });
}

async function bench(job) {
  const own = ours.filter((entry) => entry.for?.includes(job.name) ?? true).map((entry) => ownCompetitor(entry, job));
  const others = peers.filter((entry) => (entry.for?.includes(job.name) ?? true) && installed(entry.needs));
  const competitors = [...own, ...others.map((entry) => peerCompetitor(entry, job))];
  for (const each of competitors) each.first = (await each.run(1)).cost; // also warms up
  const reference =
    competitors.find(({ label }) => label === 'NumPy, float64') ?? competitors.find(({ label }) => label.includes('float64'));
  for (let round = 0; round < job.rounds; round++) {
    for (const each of competitors) {
      const { ms, cost } = await each.run(job.steps);
      if (round > 0) each.times.push(ms);
      if (round === 0) each.cost = cost;
    }
  }
  console.log(`${job.name}: ${job.title}`);
  for (const { label, times, cost, first, note } of competitors) {
    const tolerance = label.includes('64') ? 1e-9 : 2e-3;
    const agrees = [cost / reference.cost, first / reference.first].every((ratio) => Math.abs(ratio - 1) < tolerance);
    const [low, median, high] = [0, 0.5, 1].map((share) => times.sort((a, b) => a - b)[Math.round(share * (times.length - 1))]);
    const figures = [median, low, high].map((value) => value.toPrecision(3).padStart(8)).join('');
    console.log(
      `  ${label.padEnd(22)}${figures} ms (median, least, most)${agrees ? '' : `  DIFFERS: cost ${cost}, not ${reference.cost}`}${note}`,
    );
  }
  console.log();
  for (const each of competitors) each.end();
}

function ownCompetitor({ label, precision, form }, job) {
  const step = prepare(job, folder, { precision, form });
  let k = 0;
  const run = async (steps) => {
    const started = performance.now();
    let cost = 0;
    for (let i = 0; i < steps; i++) cost = step(k++);
    return { ms: (performance.now() - started) / steps, cost };
  };
  const note = form === 'dual' ? `  + ${step.preparation.toFixed(0)} ms once` : '';
  return { label, run, times: [], note, end: () => step.release() };
}

function peerCompetitor({ label, kind }, job) {
  const script = fileURLToPath(new URL('./peers/peer.py', import.meta.url));
  const child = spawn(python, [script, kind, folder], { stdio: ['pipe', 'pipe', 'inherit'], env: environment });
  running.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const run = async (steps) => {
    child.stdin.write(`${JSON.stringify({ ...job, steps })}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`${label} has stopped`);
    return JSON.parse(value);
  };
  return { label, run, times: [], note: '', end: () => child.stdin.end() };
}

function installed(module) {
  try {
    execFileSync(python, ['-c', `import ${module}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The same pictures, labels and first weights for all: what is not quite random costs as much. */
function writeData(list) {
  const most = Math.max(...list.map(({ m }) => m));
  const pixels = new Uint8Array(most * features);
  let state = 1;
  for (let i = 0; i < pixels.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    pixels[i] = state >>> 24;
  }
  writeFileSync(join(folder, 'pixels.bin'), pixels);
  writeFileSync(
    join(folder, 'labels.bin'),
    Uint8Array.from({ length: most }, (_, i) => Number(i % 3 === 0)),
  );
  for (const { name, dims } of list) {
    const random = numpyRandom(1);
    const weights = dims.slice(1).flatMap((units, l) => {
      const deviation = dims.length === 2 ? 0 : Math.sqrt(1 / dims[l]);
      return Array.from({ length: units * dims[l] }, () => (deviation === 0 ? 0 : random.normal() * deviation));
    });
    writeFileSync(join(folder, `weights-${name}.bin`), Float64Array.from(weights));
  }
}
