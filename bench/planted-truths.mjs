// Whether nn diagnose finds what was planted: labels that are flipped, a network that is too small, one that learns by heart, too few pictures, too high a
// rate. Pictures are drawn. Each case is diagnosed once a seed, by another drawing.
//   npm run build && node bench/planted-truths.mjs [--seeds 20] [--minutes 2 | --counts 5] [--only label-noise]
// --counts N gives nn diagnose --seeds N and no limit of time, for a machine that has other work to do.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const nn = fileURLToPath(new URL('../bin/nn.js', import.meta.url));
const option = { type: 'string' };
const { values } = parseArgs({ options: { seeds: option, minutes: option, counts: option, only: option } });
const seeds = Number(values.seeds ?? 20);
const limit = values.counts ? ['--seeds', values.counts] : ['--minutes', values.minutes ?? '2'];

const drawn = (count, difficulty, seed) => ({ type: 'drawn', count, difficulty, seed });
const adam = { name: 'adam' };

/** What is planted, and the verdict that is right; the config is of one drawing. */
const cases = [
  {
    name: 'label-noise',
    right: 'label noise',
    config: (seed, folder) => ({
      data: { source: { type: 'csv', path: join(folder, 'flipped.csv') }, imageSize: 16, split: { dev: 0.3, test: 0.2 } },
      model: { layers: [{ units: 20 }] },
      training: { epochs: 30, batchSize: 32, optimizer: adam },
      seed,
    }),
    prepare: flipTenth,
  },
  {
    name: 'too-small',
    right: 'network too small',
    config: (seed) => ({
      data: { source: drawn(1500, 'easy', seed), imageSize: 16, split: { dev: 0.3, test: 0.2 } },
      model: { layers: [{ units: 1 }] },
      training: { epochs: 40, batchSize: 32, optimizer: adam },
      seed,
    }),
  },
  {
    name: 'overfits',
    right: 'overfits',
    config: (seed) => ({
      data: { source: drawn(2400, 'hard', seed), imageSize: 16, split: { dev: 0.5, test: 0.1 } },
      model: { layers: [{ units: 64 }] },
      training: { epochs: 60, batchSize: 32, optimizer: adam },
      seed,
    }),
  },
  {
    name: 'too-little-data',
    right: 'too little data',
    config: (seed) => ({
      data: { source: drawn(150, 'easy', seed), imageSize: 16, split: { dev: 0.4, test: 0.2 } },
      model: { layers: [{ units: 20 }] },
      training: { epochs: 60, batchSize: 16, optimizer: adam },
      seed,
    }),
  },
  {
    name: 'rate-too-high',
    right: 'learning rate too high',
    config: (seed) => ({
      data: { source: drawn(1500, 'easy', seed), imageSize: 16, split: { dev: 0.3, test: 0.2 } },
      model: { layers: [{ units: 20 }] },
      training: { epochs: 30, batchSize: 32, optimizer: adam, learningRate: 0.3 },
      seed,
    }),
  },
];

/** Draws easy pictures, and flips the labels of a tenth. @returns the names of those */
async function flipTenth(seed, folder) {
  await run(process.execPath, [
    nn,
    'data',
    'draw',
    '--count',
    '1500',
    '--seed',
    String(seed),
    '--size',
    '16',
    '--out',
    join(folder, 'drawn'),
  ]);
  const [head, ...rows] = (await readFile(join(folder, 'drawn', 'labels.csv'), 'utf8')).trim().split('\n');
  const flipped = [];
  const lines = rows.map((row, i) => {
    const [path, label] = row.split(',');
    const isFlipped = i % 10 === seed % 10;
    if (isFlipped) flipped.push(path);
    return `drawn/${path},${isFlipped === (label === 'cat') ? 'noncat' : 'cat'}`;
  });
  await writeFile(join(folder, 'flipped.csv'), `${head}\n${lines.join('\n')}\n`);
  return flipped;
}

for (const { name, right, config, prepare } of cases.filter(({ name }) => (values.only ?? name) === name)) {
  let [hits, listed, found, planted] = [0, 0, 0, 0];
  const verdicts = {};
  for (let seed = 1; seed <= seeds; seed++) {
    const folder = await mkdtemp(join(tmpdir(), 'nn-planted-'));
    try {
      const flipped = (await prepare?.(seed, folder)) ?? [];
      await writeFile(join(folder, 'c.json'), JSON.stringify(config(seed, folder)));
      const words = ['diagnose', '-c', join(folder, 'c.json'), ...limit, '-o', join(folder, 'out'), '--json', '-q'];
      const { stdout } = await run(process.execPath, [nn, ...words], { maxBuffer: 2 ** 26 });
      const { verdict, suspects, proposal, remedies } = JSON.parse(stdout);
      if (verdict.code === right) hits++;
      verdicts[verdict.code] = (verdicts[verdict.code] ?? 0) + 1;
      const shown = suspects?.list.map((one) => one.name) ?? [];
      const isPlanted = (one) => flipped.some((path) => one.endsWith(path));
      listed += shown.length;
      found += shown.filter(isPlanted).length;
      planted += flipped.length;
      const best = remedies.filter(({ effect }) => effect === 'helps').map(({ id, gain }) => `${id} ${(100 * gain).toFixed(1)}`);
      console.log(
        `  ${name} ${seed}: ${[verdict.code, ...verdict.also].join(', ')}; helps: ${best.join(', ') || 'nothing'}; proposal ${proposal?.id ?? 'none'}`,
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  const pictures = planted > 0 ? `; of ${planted} flipped pictures in all parts ${found} are listed, among ${listed}` : '';
  console.log(`${name}: "${right}" ${hits} of ${seeds} (${JSON.stringify(verdicts)})${pictures}`);
}
