// Milliseconds of wall time that augmentation takes a picture, field by field and together, with one thread and with two, in one interleaved run:
// the least of its rounds, which is what others on the machine disturb least.
//
//   npm run build && node bench/augment.mjs [--side 64] [--base DIST]
//
// DIST: the dist/ of another version, whose augmentation is measured beside this one's, as far as it has the fields.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { augmentBatch } from '../dist/data/augment.js';
import { simdKernels } from '../dist/kernels/simd/simd-kernels.js';

const { values } = parseArgs({ options: { side: { type: 'string', default: '64' }, base: { type: 'string' } } });
const side = Number(values.side);
const features = side * side * 3;
const batch = 64;
const rounds = 40;

const none = {
  ...{ flipHorizontal: false, flipVertical: false, noise: 0, shift: 0, zoom: 0, rotate: 0, brightness: 0, contrast: 0 },
  ...{ aspect: 0, saturation: 0, tint: 0 },
};
const geometry = { shift: 0.1, zoom: [0.8, 1.25], rotate: 15, aspect: 0.2 };
const colours = { brightness: 0.1, contrast: 0.2, saturation: 0.3, tint: 0.05 };
const wishes = {
  flipHorizontal: { flipHorizontal: true },
  ...Object.fromEntries(Object.entries({ ...geometry, ...colours }).map(([field, value]) => [field, { [field]: value }])),
  'shift, zoom, rotate, brightness, contrast': { shift: 0.1, zoom: 0.2, rotate: 15, brightness: 0.1, contrast: 0.2 },
  'geometry, colours and flips': { flipHorizontal: true, ...geometry, ...colours },
  noise: { noise: 0.02 },
};
const newer = ['aspect', 'saturation', 'tint'];
const isOld = (wish) => !newer.some((field) => field in wish) && !Array.isArray(wish.zoom);

const pixels = Uint8Array.from({ length: batch * features }, (_, i) => 128 + 100 * Math.sin(i / 40) + ((i * 7919) % 27));
const indices = Int32Array.from({ length: batch }, (_, i) => i);

/** What augments the batch: with the kernels of some threads, or as another version does. */
const made = {};
for (const threads of [1, 2]) {
  const kernels = simdKernels('float32', threads);
  const [from, out] = [kernels.pin(pixels), kernels.pin(new Uint8Array(pixels.length))];
  const transform = kernels.transformImages;
  made[`${threads} thread${threads === 1 ? '' : 's'}`] = (options) => augmentBatch(from, indices, out, { ...options, transform });
}
if (values.base !== undefined) {
  const { augmentBatch: before } = await import(pathToFileURL(resolve(values.base, 'data/augment.js')));
  const out = new Uint8Array(pixels.length);
  made.before = (options) => before(pixels, indices, out, options);
}

const jobs = Object.entries(wishes).flatMap(([name, wish]) =>
  Object.entries(made)
    .filter(([who]) => who !== 'before' || isOld(wish))
    .map(([who, work]) => ({ name, who, work, augmentation: { ...none, ...wish }, times: [] })),
);

for (let round = -2; round < rounds; round++) {
  for (const { work, augmentation, times } of jobs) {
    const started = performance.now();
    work({ augmentation, side, seed: 1, epoch: round + 3 });
    if (round >= 0) times.push((performance.now() - started) / batch);
  }
}

const cellOf = (name, one) => {
  const job = jobs.find((other) => other.name === name && other.who === one);
  return (job === undefined ? '-' : Math.min(...job.times).toFixed(4)).padStart(11);
};
const who = Object.keys(made);
console.log(`ms a picture at side ${side}, batches of ${batch}`.padEnd(46) + who.map((one) => one.padStart(11)).join(''));
for (const name of Object.keys(wishes)) console.log(name.padEnd(46) + who.map((one) => cellOf(name, one)).join(''));
