// npm run bench [-- J1 L …]: the jobs of jobs.mjs, each with all its competitors in turns, and whether the bars of bars.mjs hold.
// BENCH_THREADS=1 gives every competitor one thread; BENCH_PYTHON is Python for the peers; NN_SHARED the folder with photographs.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../scripts/bundle.mjs';
import { bars, judge } from './bars.mjs';
import { jobs } from './jobs.mjs';
import { measure } from './measure.mjs';
import { barLines, jobLines } from './table.mjs';

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !jobs.some((job) => job.name === name));
if (unknown.length > 0) {
  console.error(`expected ${jobs.map(({ name }) => name).join(', ')}, found ${unknown.join(', ')}`);
  process.exit(2);
}

const threads = process.env.BENCH_THREADS;
const each = threads === undefined ? {} : { NN_THREADS: threads, OMP_NUM_THREADS: threads, OPENBLAS_NUM_THREADS: threads };
// a peer runs as its users run it
const { OPENBLAS_CORETYPE: _core, OPENBLAS_L2_SIZE: _size, ...own } = process.env;
const environment = { ...own, ...each };

console.log(
  `${cpus()[0].model}, ${availableParallelism()} processors, ${Math.round(totalmem() / 2 ** 30)} GB, ${threads ?? 'all'} threads; ` +
    `Node ${process.version}; ${new Date().toISOString().slice(0, 10)}\n`,
);
const started = performance.now();
const folder = mkdtempSync(join(tmpdir(), 'nn-bench-'));
const results = {};
try {
  await bundle({ library: 'bench/ours/library.ts' }, 'dist/bench');
  for (const job of jobs) {
    if (chosen.length > 0 && !chosen.includes(job.name)) continue;
    results[job.name] = { ...job, ...(await measure(job, folder, environment)) };
    console.log(jobLines(results[job.name]));
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(barLines(bars.filter(({ job }) => results[job]).map((bar) => judge(bar, results))));
const versions = Object.values(results).flatMap(({ rows }) => rows.map(({ is }) => is));
console.log(`${[...new Set(versions.filter(Boolean))].join('; ')}\n${Math.round((performance.now() - started) / 1000)} s in all`);
