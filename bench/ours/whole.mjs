// A whole training as `nn train` does it, with everything that the library loads, compiles and prepares for it.
import { everyHundredth } from '../answer.mjs';
import { configOf, examplesOf, firstValues } from './config.mjs';

export async function prepare(job, folder, settings) {
  const train = examplesOf(job, folder);
  const startValues = firstValues(job, folder);
  return {
    async run(epochs) {
      const { checkConfig, fit, fitOptions, kernelsFor, planTraining } = await import('../../dist/bench/library.js');
      const config = checkConfig(configOf(job, settings, epochs), job.name);
      const kernels = kernelsFor(config.precision, config.arithmetic);
      const plan = planTraining(config, { train }, kernels);
      const costs = [];
      for await (const event of fit(fitOptions(config, { train }, plan, kernels, { startValues }))) {
        if (event.type === 'epoch') costs.push(event.cost);
      }
      return costs;
    },
    check: everyHundredth,
    whole: true,
  };
}
