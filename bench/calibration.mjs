// What `training.calibrate` does to p: of runs that were trained without it, reliability on test as it is, and with T from their dev pictures, which T was fitted to.
//   npm run build && node bench/calibration.mjs RUN…
// What came of it stands in docs/photographs.md.
import { fitTemperature } from '../dist/evaluation/calibration.js';
import { calibrationBins } from '../dist/evaluation/curves.js';
import { answersOf } from './run-answers.mjs';

const logit = (p) => Math.log(p / (1 - p));
const sigmoid = (z) => 1 / (1 + Math.exp(-z));

const logitsOf = (run, part) => {
  const { p, labels } = answersOf(run, part);
  return { z: Array.from(p, logit), y: labels };
};
const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const percent = (value) => `${(100 * value).toFixed(1)}%`;

function judged(z, y) {
  const p = z.map(sigmoid);
  const logLoss = mean(z.map((value, i) => Math.log1p(Math.exp(y[i] === 1 ? -value : value))));
  const brier = mean(p.map((value, i) => (value - y[i]) ** 2));
  const bins = calibrationBins({ p: Float64Array.from(p), labels: y });
  const error = bins.reduce(
    (sum, { count, predicted, observed }) => sum + (count * Math.abs(predicted - observed)) / y.length,
    0,
  );
  return { logLoss, brier, error, bins };
}

for (const run of process.argv.slice(2)) {
  const [dev, test] = [logitsOf(run, 'dev'), logitsOf(run, 'test')];
  const T = fitTemperature(dev.z, dev.y);
  const onDev = (t) =>
    judged(
      dev.z.map((value) => value / t),
      dev.y,
    ).logLoss.toFixed(4);
  console.log(
    `${run}: T = ${T.toFixed(3)} of ${dev.y.length} dev pictures, log loss ${onDev(1)} and ${onDev(T)}; ${test.y.length} of test`,
  );
  for (const [name, z] of [
    ['as it is', test.z],
    ['calibrated', test.z.map((value) => value / T)],
  ]) {
    const { logLoss, brier, error, bins } = judged(z, test.y);
    console.log(
      `  ${name.padEnd(11)} log loss ${logLoss.toFixed(4)}, Brier ${brier.toFixed(4)}, expected calibration error ${percent(error)}`,
    );
    console.log(
      `    ${bins.map(({ count, predicted, observed }) => `${percent(predicted)} → ${percent(observed)} (${count})`).join('  ')}`,
    );
  }
}
