// How long an epoch takes in CPU time of one thread, beside what src/training/work.ts counts for it: its constants are from here.
//
//   npm run build && node bench/work.mjs
import { readFileSync } from 'node:fs';
import { checkConfig } from '../dist/config/load.js';
import { kernelsFor, useThreads } from '../dist/kernels/select.js';
import { fit } from '../dist/training/fit.js';
import { planTraining, prepareFit } from '../dist/training/plan.js';
import { workOf } from '../dist/training/work.js';

useThreads(1, {});
const units = (...numbers) => numbers.map((one) => ({ units: one }));
const course = { m: 200, side: 64, layers: units(20, 7, 5) };
const conv = (filters, of = {}) => ({ type: 'conv', filters, batchNorm: true, ...of });
const pool = { type: 'maxPool', size: 2 };
const { model: air } = JSON.parse(readFileSync(new URL('../configs/conv-photos.json', import.meta.url), 'utf8'));
const mean = { type: 'globalAveragePool' };
const trainings = {
  'logistic regression': { m: 200, side: 64 },
  '20 units': { m: 200, side: 64, layers: units(20) },
  '20-7-5 units': course,
  '20-7-5 units, float64': { ...course, precision: 'float64' },
  '20-7-5 units, dual': { ...course, form: 'dual', epochs: 100 },
  '20 units, 1,000 pictures, dual': { m: 1000, side: 32, layers: units(20), form: 'dual', epochs: 30 },
  'logistic regression, dual': { m: 200, side: 64, form: 'dual', epochs: 200 },
  '20-7-5 units, Adam': { ...course, optimizer: 'adam' },
  '64-16 units, batches of 16': { m: 800, side: 16, layers: units(64, 16), batch: 16 },
  '256-256 units': { m: 400, side: 32, layers: units(256, 256), epochs: 6 },
  '256-256 units, batches of 32, Adam': { m: 400, side: 32, layers: units(256, 256), batch: 32, optimizer: 'adam', epochs: 6 },
  'convolutions of 8, 16 and 32 filters': {
    m: 128,
    side: 64,
    layers: [conv(8), pool, conv(16), pool, conv(32), mean],
    batch: 32,
    epochs: 8,
  },
  'a convolution of 16 filters, side 32': { m: 128, side: 32, layers: [conv(16), mean], batch: 32, epochs: 8 },
  'seven convolutions': { m: 128, side: 64, layers: air.layers, batch: 64, epochs: 8 },
  'mirrored and shifted': { m: 200, side: 64, layers: units(20), augment: { flipHorizontal: true, shift: 0.05 }, epochs: 6 },
  'every movement and colour': {
    m: 200,
    side: 64,
    layers: units(20),
    augment: { zoom: 0.1, rotate: 10, aspect: 0.1, contrast: 0.1, saturation: 0.2, tint: 0.05 },
    epochs: 6,
  },
  brighter: { m: 200, side: 64, layers: units(20), augment: { brightness: 0.05 }, epochs: 6 },
  noise: { m: 200, side: 64, layers: units(20), augment: { noise: 0.02 }, epochs: 6 },
  'batches of 8 small pictures': { m: 64, side: 8, layers: units(8), batch: 8, epochs: 100 },
};

function pictures(m, side) {
  const features = side * side * 3;
  const pixels = Uint8Array.from({ length: m * features }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 255);
  return { features, pixels, labels: Uint8Array.from({ length: m }, (_, i) => i % 2), names: [], hashes: [] };
}

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

for (const [name, wish] of Object.entries(trainings)) {
  const { m, side, layers = [], batch = 'full', form = 'direct', precision = 'float32', augment = {}, epochs = 20 } = wish;
  const raw = {
    precision,
    data: { train: { type: 'drawn' }, imageSize: side, normalize: 'scale', augment },
    model: { layers },
    training: { epochs, batchSize: batch, form, optimizer: { name: wish.optimizer ?? 'gradientDescent' }, evaluateEvery: epochs },
  };
  const config = checkConfig({ ...raw, training: { ...raw.training, learningRate: 1e-9 } }, 'work');
  const train = pictures(m, side);
  const kernels = kernelsFor(precision);
  const options = await prepareFit(config, { train }, planTraining(config, { train }, kernels), kernels);
  const marks = [];
  for await (const event of fit(options)) if (event.type === 'epoch') marks.push(cpuSeconds());
  const each = marks.slice(1).map((mark, i) => mark - marks[i]);
  const measured = each.sort((a, b) => a - b)[each.length >> 2] * 1e9;
  const sizes = { features: train.features, train: m, dev: 0 };
  const counted = workOf(config, sizes, 2) - workOf(config, sizes, 1);
  console.log(
    `${name.padEnd(36)} ${(measured / 1e6).toFixed(2).padStart(8)} ms, counted ${(counted / 1e6).toFixed(2).padStart(8)}`,
  );
}
