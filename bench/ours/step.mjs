// Steps of a training, by the very function that the library's loop calls.
import { checkConfig } from '../../dist/config/load.js';
import { kernelsFor } from '../../dist/kernels/select.js';
import { fitOptions, planTraining } from '../../dist/training/plan.js';
import { newTotals, withTraining } from '../../dist/training/state.js';
import { trainStep } from '../../dist/training/step.js';
import { configOf, examplesOf, firstValues } from './config.mjs';

const epochs = 1_000_000; // more than are taken; no schedule depends on it here

export async function prepare(job, folder, settings) {
  const { m, batch } = job;
  const config = checkConfig(configOf(job, settings, epochs), job.name);
  const kernels = kernelsFor(config.precision, config.arithmetic);
  const parts = { train: examplesOf(job, folder) };
  const plan = planTraining(config, parts, kernels);
  const options = fitOptions(config, parts, plan, kernels, { initialWeights: firstValues(job, folder) });
  const started = performance.now();
  const { value: run } = await withTraining(options, forEver).next();
  const once = performance.now() - started;
  const stepsOfEpoch = Math.ceil(m / batch); // what an epoch begins with is done as often as in a training
  let k = 0;
  let sums;
  return {
    note: plan.form.form === 'dual' ? `+ ${once.toFixed(0)} ms once` : '',
    run(count) {
      let cost = 0;
      for (let i = 0; i < count; i++, k++) {
        const first = batch < m ? (k * batch) % (m - batch + 1) : 0;
        if (k % stepsOfEpoch === 0) sums = newTotals();
        const before = sums.cost;
        trainStep(run, indicesFrom(first, batch), { epoch: 1, norms: false }, sums);
        cost = (sums.cost - before) / batch;
      }
      return cost;
    },
    check: (cost) => [cost],
  };
}

/** Hands its run out and keeps it until the process ends. */
async function* forEver(run) {
  yield run;
}

function indicesFrom(first, count) {
  const indices = new Int32Array(count);
  for (let i = 0; i < count; i++) indices[i] = first + i;
  return indices;
}
