// Steps of a training, by the very function that the library's loop calls.
import { checkConfig } from '../../dist/config/load.js';
import { kernelsFor } from '../../dist/kernels/select.js';
import { withRun } from '../../dist/training/fit-run.js';
import { fitOptions, planTraining } from '../../dist/training/plan.js';
import { takeStep } from '../../dist/training/step.js';
import { configOf, examplesOf, firstValues } from './config.mjs';

const epochs = 1_000_000; // more than are taken; no schedule depends on it here

export async function prepare(job, folder, settings) {
  const { m, batch } = job;
  const config = checkConfig(configOf(job, settings, epochs), job.name);
  const kernels = kernelsFor(config.precision, config.arithmetic);
  const parts = { train: examplesOf(job, folder) };
  const plan = planTraining(config, parts, kernels);
  const options = fitOptions(config, parts, plan, kernels, { startValues: firstValues(job, folder) });
  const started = performance.now();
  const { value: run } = await withRun(options, forEver).next();
  const once = performance.now() - started;
  let k = 0;
  return {
    note: plan.form.form === 'dual' ? `+ ${once.toFixed(0)} ms once` : '',
    run(count) {
      const sums = { cost: 0, l2Cost: 0, correct: 0, batches: 0, examples: 0 };
      for (let i = 0; i < count; i++, k++) {
        const first = batch < m ? (k * batch) % (m - batch + 1) : 0;
        Object.assign(sums, { cost: 0, batches: 0 });
        takeStep(run, indicesFrom(first, batch), { epoch: 1, norms: false }, sums);
      }
      return sums.cost / batch;
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
