// The only path from pixels to an answer that the project has.
import { logits, probability } from '../../dist/classifier/classifier.js';
import { checkConfig } from '../../dist/config/load.js';
import { normalizers } from '../../dist/data/normalize.js';
import { kernelsFor } from '../../dist/kernels/select.js';
import { parametersOver } from '../../dist/nn/network.js';
import { networkOf } from '../../dist/training/config-network.js';
import { summaryOf } from '../answer.mjs';
import { configOf, examplesOf, firstValues } from './config.mjs';

export async function prepare(job, folder, settings) {
  const config = checkConfig(configOf(job, settings, 1), job.name);
  const kernels = kernelsFor(config.precision);
  const network = networkOf(config, job.features);
  const { pixels } = examplesOf(job, folder);
  const values = kernels.floats(firstValues(job, folder).length);
  values.set(firstValues(job, folder));
  const classifier = {
    network,
    parameters: parametersOver(network, values),
    scaling: normalizers.scale.fit(pixels, job.features),
  };
  return { run: () => logits(classifier, kernels, pixels).map(probability), check: summaryOf };
}
