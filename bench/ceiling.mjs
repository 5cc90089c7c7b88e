// The machine's ceiling in strict float32: node bench/ceiling.mjs (after npm run build). Billions of operations a second of a loop that stays
// in registers, of 128 bits and, where V8 has them, of 256; a multiplication and an addition are two operations and two instructions.
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Registers that hold sums, each a chain of its own. 4 + 4 cycles at two instructions a cycle need 8 (Skylake), 3 + 3 at four 12 (Zen). With the
 *  two operands that makes 14, and V8 hands out 15. */
const registers = 12;
/** Odd: then a loop leaves shift − start. A million take some 3 ms: short enough that one of the rounds is undisturbed on a busy machine. */
const iterations = 2 ** 20 + 1;
const rounds = 150;
/** Rounds before V8 has its better code, which it begins with the next call. */
const cold = 20;

/** Bytes where the factors lie, the shifts and the sums. */
const [factors, shifts, sums] = [0, 32, 64];
const end = 1024;
const factor = -1;
const shift = 1000;

if (!isMainThread && workerData?.ceiling) serve(workerData.ceiling);
else if (process.argv[1] === fileURLToPath(import.meta.url)) await print();

async function print() {
  console.log(`${cpus()[0].model}, Node ${process.version}`);
  for (const { bits, threads, rate } of await measureCeiling())
    console.log(`${bits} bits, ${threads === 1 ? '1 thread' : `${threads} threads`}: ${rate.toFixed(1)} GFLOP/s`);
}

/** @returns for each width of registers, in one thread and in as many as there are processors: the best rate of some rounds, in GFLOP/s */
export async function measureCeiling() {
  const { isWide, wideFlag } = await import('../dist/kernels/simd/compiled.js');
  // V8 12.4, by Node 22, makes no pairs of sums that a loop carries on
  const widths = isWide && !process.versions.v8.startsWith('12.4.') ? [128, 256] : [128];
  if (widths.includes(256)) setFlagsFromString(wideFlag);
  const ceiling = { module: await compile(widths), arrived: new Int32Array(new SharedArrayBuffer(4)) };
  const file = new URL(import.meta.url);
  const workers = Array.from({ length: availableParallelism() }, () => new Worker(file, { workerData: { ceiling } }));
  try {
    const rows = [];
    for (const bits of widths) {
      for (const threads of new Set([1, workers.length]))
        rows.push({ bits, threads, rate: await bestRate(workers.slice(0, threads), bits, ceiling.arrived) });
    }
    return rows;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

async function bestRate(workers, bits, arrived) {
  const operations = workers.length * iterations * registers * (bits / 32) * 2;
  const times = [];
  for (let round = 0; round < cold + rounds; round++) times.push(await runTogether(workers, bits, arrived));
  return operations / Math.min(...times.slice(cold)) / 1e6;
}

/** Milliseconds from when the first worker begins its loop until the last has ended it. */
async function runTogether(workers, bits, arrived) {
  const answers = workers.map((worker) => once(worker, 'message'));
  const awaited = Atomics.load(arrived, 0) + workers.length;
  for (const worker of workers) worker.postMessage({ bits, awaited });
  const spans = (await Promise.all(answers)).map(([span]) => span);
  return Math.max(...spans.map(({ ended }) => ended)) - Math.min(...spans.map(({ begun }) => begun));
}

/** What a worker does: runs the loops that it is asked for, once all have arrived, and says when, by the clock that threads share. */
function serve({ module, arrived }) {
  const { exports } = new WebAssembly.Instance(module);
  const numbers = new Float32Array(exports.memory.buffer, 0, end / 4);
  const now = () => Number(process.hrtime.bigint()) / 1e6;
  parentPort.on('message', ({ bits, awaited }) => {
    for (let i = 0; i < numbers.length; i++) numbers[i] = i < shifts / 4 ? factor : i < sums / 4 ? shift : i;
    Atomics.add(arrived, 0, 1);
    while (Atomics.load(arrived, 0) < awaited);
    const begun = now();
    exports[`loop${bits}`](0, iterations);
    const ended = now();
    requireResult(numbers, bits);
    parentPort.postMessage({ begun, ended });
  });
}

/** A loop that has not run to its end, or not on all sums, is no ceiling. */
function requireResult(numbers, bits) {
  const changed = numbers.filter((value, i) => i >= sums / 4 && value === shift - i).length;
  if (changed !== (registers * bits) / 32) throw new Error(`the loop of ${bits} bits left ${changed} numbers as they should be`);
}

async function compile(widths) {
  const { default: asc } = await import('assemblyscript/asc');
  const options = { optimizeLevel: 3, runtime: 'stub', initialMemory: 1, enable: ['simd'] };
  const { error, binary, stderr } = await asc.compileString(widths.map(loopSource).join('\n'), options);
  if (error !== null) throw new Error(`the loops do not compile: ${error.message}\n${stderr}`);
  return new WebAssembly.Module(binary);
}

/** sum ← sum · factor + shift. V8 makes one instruction of two on neighbours in memory (`wide` in src/kernels/simd/assembly/tiles.ts): a register of
 *  256 bits is two vectors side by side. Those of 128 lie apart, so that they stay what they are. */
function loopSource(bits) {
  const vectors = Array.from({ length: (registers * bits) / 128 }, (_, i) => ({
    sum: `sum${i}`,
    half: bits === 256 ? i % 2 : 0,
    place: sums + i * (bits === 256 ? 16 : 32),
  }));
  const lines = (line) => vectors.map(line).join('\n');
  return `
    export function loop${bits}(at: usize, count: i32): void {
      const factor0 = v128.load(at, ${factors});
      const factor1 = v128.load(at, ${factors + 16});
      const shift0 = v128.load(at, ${shifts});
      const shift1 = v128.load(at, ${shifts + 16});
      ${lines(({ sum, place }) => `let ${sum} = v128.load(at, ${place});`)}
      for (; count > 0; count--) {
        ${lines(({ sum, half }) => `${sum} = f32x4.add(f32x4.mul(${sum}, factor${half}), shift${half});`)}
      }
      ${lines(({ sum, place }) => `v128.store(at, ${sum}, ${place});`)}
    }`;
}
