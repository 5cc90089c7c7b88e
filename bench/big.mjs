// Packed pictures by the million: rates of pack and of an epoch, peak memory, and what ten million would take.
//
//   npm run build && node bench/big.mjs [--to FOLDER] [--counts 10000,100000,1000000] [--drawn 20000] [--keep] [--base FILE] [--peaks] [--repeat 1]
//
// --base: the drawn pictures of a run with --keep, which need not be drawn again. --peaks: memory alone, no rates. --repeat: how
// often a training is repeated; the one with the median peak counts.
// 20,000 pictures are drawn; the others are seeded variations of their pixels. 13 GB of disk for a million; deleted at the end.
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { contentHash } from '../dist/data/content-hash.js';
import { pixelsInFile } from '../dist/data/packed/rows.js';
import { packSource } from '../dist/data/packed/write.js';
import { fewImages } from '../dist/data/pixels.js';
import { openSource } from '../dist/data/sources/sources.js';
import { namedRandom } from '../dist/random.js';

const bin = fileURLToPath(new URL('../bin/nn.js', import.meta.url));
const self = fileURLToPath(import.meta.url);
const side = 64;
const rowBytes = side * side * 3;
const preprocessing = { imageSize: side, fit: 'cover' };

setFlagsFromString('--semi-space-growth-factor=1'); // as bin/nn.js does: packing is measured in a process of this file

const { values } = parseArgs({
  options: {
    to: { type: 'string', default: tmpdir() },
    counts: { type: 'string', default: '10000,100000,1000000' },
    drawn: { type: 'string', default: '20000' },
    keep: { type: 'boolean', default: false },
    base: { type: 'string' },
    peaks: { type: 'boolean', default: false },
    repeat: { type: 'string', default: '1' },
    pack: { type: 'string' }, // of a process of its own: how many
    folder: { type: 'string' },
  },
});

/** One picture darker or brighter, flatter or harder, and half of them mirrored. */
function vary(from, to, random) {
  const [added, factor, mirrored] = [40 * (2 * random.uniform() - 1), 0.7 + 0.6 * random.uniform(), random.uniform() < 0.5];
  const table = Uint8ClampedArray.from({ length: 256 }, (_, byte) => 128 + (byte - 128) * factor + added);
  for (let row = 0; row < rowBytes; row += side * 3) {
    for (let k = 0; k < side * 3; k += 3) {
      const at = row + (mirrored ? side * 3 - 3 - k : k);
      to[row + k] = table[from[at]];
      to[row + k + 1] = table[from[at + 1]];
      to[row + k + 2] = table[from[at + 2]];
    }
  }
}

/** Picture i is a variation of the drawn picture i mod their number. */
async function variations(folder, count) {
  const base = await openSource({ type: 'packed', path: join(folder, 'drawn.safetensors') });
  const pixels = pixelsInFile(base.packed, null, 2 ** 20);
  const all = fewImages(
    pixels,
    Int32Array.from({ length: base.count }, (_, i) => i),
    rowBytes,
  );
  const imageOf = (i) => all.subarray((i % base.count) * rowBytes, ((i % base.count) + 1) * rowBytes);
  const ring = Array.from({ length: 64 }, () => new Uint8Array(rowBytes));
  let next = 0;
  return {
    title: 'variations of drawn pictures',
    count,
    classes: base.classes,
    name: (i) => `variation-${i}`,
    classOf: (i) => base.classOf(i % base.count),
    read: async (i) => {
      // packing copies a picture before it asks for one so many later: without a ring the peak is that of the collector's habits
      const out = ring[next++ % ring.length];
      vary(imageOf(i), out, namedRandom(1, 'variation', i));
      return { pixels: out, hash: contentHash(out) };
    },
    notes: [],
  };
}

async function packVariations(folder, count) {
  const source = await variations(folder, count);
  const path = join(folder, `${count}.safetensors`);
  const options = { path, preprocessing, positive: undefined, description: 'variations', force: true, strict: true };
  const alone = performance.now();
  const tried = 2000;
  for (let i = 0; i < tried; i++) await source.read(i);
  const variedRate = (tried / (performance.now() - alone)) * 1000;
  const started = performance.now();
  const order = count > 65_536 ? { seed: 1 } : 'source';
  await packSource(source, { ...options, order });
  console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000, variedRate }));
}

/** A process, its output and its peak memory in bytes. */
function measured(words, folder) {
  const peak = join(folder, 'peak');
  const probe = join(folder, 'probe.cjs');
  // not resourceUsage: its high-water mark is that of the parent where that was higher
  writeFileSync(
    probe,
    `const { readFileSync, writeFileSync } = require('node:fs');
    const peak = () => Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
    if (require('node:worker_threads').isMainThread) process.on('exit', () => writeFileSync(${JSON.stringify(peak)}, String(peak())));`,
  );
  const env = { ...process.env, NODE_OPTIONS: `--require=${JSON.stringify(probe)}` };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { cwd: folder, env, stdio: ['ignore', 'pipe', 'ignore'] });
    let stdout = '';
    child.stdout.on('data', (text) => (stdout += text));
    child.on('close', (code) => {
      if (code !== 0) reject(new Error(`${words.join(' ')}: exit ${code}`));
      else resolve({ stdout, peakBytes: Number(readFileSync(peak, 'utf8')) });
    });
  });
}

/** Throws a file out of the system's cache; @returns how, or null where it can't be done */
function chill(path) {
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '3');
    return 'drop_caches';
  } catch {
    try {
      execFileSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'], { stdio: 'ignore' });
      return 'dd oflag=nocache';
    } catch {
      return null;
    }
  }
}

/** Bytes a second of one sequential reader. */
function diskRate(path) {
  const { size } = statSync(path);
  const started = performance.now();
  execFileSync('dd', [`if=${path}`, 'of=/dev/null', 'bs=8M'], { stdio: 'ignore' });
  return (size / (performance.now() - started)) * 1000;
}

/** Bytes a second that one core looks through in main memory: the best of a few. */
function memoryRate() {
  const bytes = Buffer.alloc(2 ** 30, 1);
  const times = [1, 2, 3, 4].map(() => {
    const started = performance.now();
    bytes.indexOf(0);
    return performance.now() - started;
  });
  return (bytes.length / Math.min(...times)) * 1000;
}

async function trainOnce(folder, count, { layers, memory, cold }) {
  const path = `${count}.safetensors`;
  const source = { type: 'packed', path };
  const training = { epochs: 1, batchSize: 64, learningRate: 0.001 };
  const config = { data: { source, imageSize: side, ...(memory === undefined ? {} : { memory }) }, model: { layers }, training };
  writeFileSync(join(folder, 'big.json'), JSON.stringify(config));
  const how = cold ? chill(join(folder, path)) : null;
  const started = performance.now();
  const { stdout, peakBytes } = await measured(
    [bin, 'train', '--config', 'big.json', '--output', 'run', '--force', '--json'],
    folder,
  );
  const wall = (performance.now() - started) / 1000;
  const [line] = readFileSync(join(folder, 'run', 'journal.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const { seconds } = JSON.parse(line);
  const { examples, metrics } = JSON.parse(stdout);
  return { seconds, wall, peakBytes, trained: examples.train.total, accuracy: metrics.test.accuracy, how };
}

const number = (value) => Math.round(value).toLocaleString('en');
const mega = (bytes) => `${number(bytes / 1e6)} MB`;
const giga = (rate) => `${(rate / 1e9).toFixed(2)} GB/s`;

async function draw(folder) {
  const source = { type: 'drawn', count: Number(values.drawn) };
  writeFileSync(join(folder, 'drawn.json'), JSON.stringify({ data: { source, imageSize: side } }));
  const drawing = await measured([bin, 'data', 'pack', 'drawn.json', '--out', 'drawn.safetensors', '--json', '-q'], folder);
  const { pictures, seconds } = JSON.parse(drawing.stdout);
  console.log(`drawing and packing ${number(pictures)}: ${number(pictures / seconds)} pictures/s`);
}

/** Where pictures are when an epoch begins, and what room they get. */
const ways = [{ cold: true }, { cold: false }, { cold: false, memory: 100 }];

async function measureAll() {
  const counts = values.counts.split(',').map(Number);
  const folder = mkdtempSync(join(values.to, 'nn-big-'));
  mkdirSync(folder, { recursive: true });
  try {
    console.log(
      `${cpus()[0].model}, ${cpus().length} cores, ${number(totalmem() / 2 ** 20)} MiB, Node ${process.version}, ${new Date().toISOString()}`,
    );
    if (values.base === undefined) await draw(folder);
    else copyFileSync(values.base, join(folder, 'drawn.safetensors'));
    console.log(`memory, one core: ${giga(memoryRate())}`);

    const packs = [];
    const trainings = [];
    for (const count of counts) {
      const { stdout, peakBytes } = await measured([self, '--folder', folder, '--pack', String(count)], folder);
      const { seconds, variedRate } = JSON.parse(stdout);
      packs.push({ count, peakBytes });
      const path = join(folder, `${count}.safetensors`);
      console.log(
        `pack ${number(count)}: ${number(count / seconds)} pictures/s, ${giga(statSync(path).size / seconds)} (varying alone: ${number(variedRate)} pictures/s), peak ${mega(peakBytes)}`,
      );
      const how = values.peaks ? null : chill(path);
      if (!values.peaks)
        console.log(`disk, ${number(count)}, ${how ?? 'maybe cached'}: ${giga(diskRate(path))}; again: ${giga(diskRate(path))}`);
      for (const [name, layers] of [
        ['logistic regression', []],
        ['[64, 1]', [{ units: 64 }]],
      ]) {
        for (const how of values.peaks ? ways.slice(2) : ways) {
          if (count > 500_000 && layers.length > 0 && !how.cold && how.memory === undefined) continue; // it would take long
          const results = [];
          for (let i = 0; i < Number(values.repeat); i++) results.push(await trainOnce(folder, count, { layers, ...how }));
          results.sort((a, b) => a.peakBytes - b.peakBytes);
          const result = results[results.length >> 1];
          const { seconds, trained, wall, accuracy } = result;
          trainings.push({ count, name, ...how, ...result });
          console.log(
            `train ${number(count)}, ${name}, ${how.cold ? `cold (${result.how})` : 'warm'}${how.memory ? `, data.memory ${how.memory}` : ''}: ` +
              `epoch ${seconds.toFixed(2)} s, ${number(trained / seconds)} pictures/s, ${giga((trained * rowBytes) / seconds)}; ` +
              `all ${wall.toFixed(1)} s; peak ${results.map((one) => mega(one.peakBytes)).join(', ')}; test ${(100 * accuracy).toFixed(1)}%`,
          );
        }
      }
      if (!values.keep && count !== counts.at(-1)) rmSync(path);
    }
    const slope = (of) => {
      const [first, last] = [of[0], of.at(-1)];
      return ((last.peakBytes - first.peakBytes) / (last.count - first.count)).toFixed(1);
    };
    console.log(`memory from ${number(counts[0])} to ${number(counts.at(-1))}: pack ${slope(packs)} bytes a picture more`);
    for (const name of new Set(trainings.map((one) => one.name))) {
      for (const memory of [undefined, 100]) {
        const these = trainings.filter(
          (one) => one.name === name && one.memory === memory && one.cold === (memory === undefined),
        );
        if (these.length > 1)
          console.log(`  train, ${name}, data.memory ${memory ?? 'default'}: ${slope(these)} bytes a picture more`);
      }
    }
  } finally {
    if (!values.keep) rmSync(folder, { recursive: true });
  }
}

if (values.pack) await packVariations(values.folder, Number(values.pack));
else await measureAll();
