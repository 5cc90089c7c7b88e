// Whether nn diagnose finds what was planted: labels that are flipped, a network that is too small, one that learns by heart, too few pictures, too high a
// rate. Pictures are drawn. Each case is diagnosed once a seed, by another drawing.
//   npm run build && node bench/planted-truths.mjs [--seeds 20] [--from 1] [--minutes 2 | --counts 5] [--only label-noise]
// --counts N gives nn diagnose --seeds N and no limit of time, for a machine that has other work to do.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import sharp from 'sharp';
import { namedRandom } from '../dist/random.js';

const run = promisify(execFile);
const nn = fileURLToPath(new URL('../bin/nn.js', import.meta.url));
const option = { type: 'string' };
const { values } = parseArgs({ options: { seeds: option, from: option, minutes: option, counts: option, only: option } });
const seeds = Number(values.seeds ?? 20);
const from = Number(values.from ?? 1);
const limit = values.counts ? ['--seeds', values.counts] : ['--minutes', values.minutes ?? '2'];

const drawn = (count, difficulty, seed) => ({ type: 'drawn', count, difficulty, seed });
const adam = { name: 'adam' };

/** What is planted, and the verdict that is right, or one that is wrong and stands in no place; the config is of one drawing. */
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
    config: (seed, folder) => ({
      data: {
        source: { type: 'csv', path: join(folder, 'faint.csv') },
        imageSize: 10,
        normalize: 'standardizeChannels',
        split: { dev: 0.64, test: 0.2 },
      },
      model: { layers: [] },
      training: { epochs: 300, batchSize: 64, learningRate: 0.01, optimizer: adam },
      seed,
    }),
    prepare: faintClasses,
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
  {
    // all labels are right, and convolutional networks err with confidence on pictures that are hard to all of them
    name: 'hard-pictures',
    wrong: 'label noise',
    config: (seed) => ({
      data: { source: drawn(1500, 'hard', seed), imageSize: 32, split: { dev: 0.3, test: 0.1 } },
      model: { layers: [{ units: 20 }] },
      training: { epochs: 30, batchSize: 32, optimizer: adam },
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

/** Pictures of nothing but noise, behind which stands a pattern, the same for all, brighter in one class and darker in the other. Logistic regression on 800
 *  of them learns the noise by heart, 300 inputs of it; held back, by early stopping or L2, it is right on some four points more of the others. */
async function faintClasses(seed, folder) {
  const [side, count, strength, spread] = [10, 5000, 1.2, 40];
  const { normal } = namedRandom(seed, 'faint');
  const pattern = Array.from({ length: side * side * 3 }, normal);
  const length = Math.hypot(...pattern);
  await mkdir(join(folder, 'faint'));
  const lines = ['path,label'];
  for (let i = 0; i < count; i++) {
    const sign = i % 2 === 0 ? -1 : 1;
    const pixels = Uint8Array.from(pattern, (value) =>
      Math.max(0, Math.min(255, Math.round(128 + spread * (normal() + (sign * strength * value) / length)))),
    );
    const raw = { width: side, height: side, channels: 3 };
    await sharp(pixels, { raw })
      .png()
      .toFile(join(folder, 'faint', `${i}.png`));
    lines.push(`faint/${i}.png,${i % 2 === 0 ? 'noncat' : 'cat'}`);
  }
  await writeFile(join(folder, 'faint.csv'), `${lines.join('\n')}\n`);
  return [];
}

for (const { name, right, wrong, config, prepare } of cases.filter(({ name }) => (values.only ?? name) === name)) {
  let [hits, listed, found, planted] = [0, 0, 0, 0];
  const verdicts = {};
  for (let seed = from; seed < from + seeds; seed++) {
    const folder = await mkdtemp(join(tmpdir(), 'nn-planted-'));
    try {
      const flipped = (await prepare?.(seed, folder)) ?? [];
      await writeFile(join(folder, 'c.json'), JSON.stringify(config(seed, folder)));
      const words = ['diagnose', '-c', join(folder, 'c.json'), ...limit, '-o', join(folder, 'out'), '--json', '-q'];
      const { stdout } = await run(process.execPath, [nn, ...words], { maxBuffer: 2 ** 26 });
      const { verdict, suspects, proposal, remedies } = JSON.parse(stdout);
      const said = [verdict.code, ...verdict.also];
      if (wrong === undefined ? verdict.code === right : !said.includes(wrong)) hits++;
      verdicts[verdict.code] = (verdicts[verdict.code] ?? 0) + 1;
      const shown = suspects?.list.map((one) => one.name) ?? [];
      const isPlanted = (one) => flipped.some((path) => one.endsWith(path));
      listed += shown.length;
      found += shown.filter(isPlanted).length;
      planted += flipped.length;
      const best = remedies.filter(({ effect }) => effect === 'helps').map(({ id, gain }) => `${id} ${(100 * gain).toFixed(1)}`);
      console.log(
        `  ${name} ${seed}: ${said.join(', ')}; helps: ${best.join(', ') || 'nothing'}; proposal ${proposal?.id ?? 'none'}; ${noiseText(suspects)}`,
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  const pictures = planted > 0 ? `; of ${planted} flipped pictures in all parts ${found} are listed, among ${listed}` : '';
  console.log(
    `${name}: ${wrong === undefined ? `"${right}"` : `not "${wrong}"`} ${hits} of ${seeds} (${JSON.stringify(verdicts)})${pictures}`,
  );
}

function noiseText(suspects) {
  if (suspects === null) return 'labels not judged';
  const { share, error, p, list, expected } = suspects;
  return `${(100 * share).toFixed(0)}% of labels wrong where ${(100 * error).toFixed(0)}% are contradicted, p ${p.toPrecision(2)}, ${list.length} suspect, ${expected.toFixed(1)} expected`;
}
