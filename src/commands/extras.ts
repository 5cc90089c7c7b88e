import { resolve } from 'node:path';
import type { LoadedConfig } from '../config/load.ts';
import { UserError } from '../errors.ts';
import type { Network } from '../model/network.ts';
import { loadClassifier, loadVector } from '../run/model-file.ts';
import type { Extras } from '../training/plan.ts';

/** Reads the files that a config names beside its pictures: weights to start from, a learning rate by feature.
 *  @throws UserError (model, usage) where they do not fit the network */
export async function readExtras({ config, folder, file }: LoadedConfig, network: Network): Promise<Extras> {
  const { startFrom, learningRateByFeature: byFeature } = config.training;
  const extras: Extras = {};
  if (startFrom !== null) {
    const { classifier, file: model } = await loadClassifier(resolve(folder, startFrom));
    const shape = ({ inputs, layers }: Network) =>
      JSON.stringify([inputs, layers.map(({ units, activation, batchNorm }) => [units, activation, batchNorm])]);
    if (shape(classifier.network) !== shape(network)) {
      const words = ({ inputs, layers }: Network) => [inputs, ...layers.map(({ units }) => units)].join(' → ');
      throw new UserError(
        'model',
        `${file}: training.startFrom: expected a network ${words(network)} of the same activations, found ${words(classifier.network)} in ${model}`,
      );
    }
    extras.startValues = classifier.parameters.values;
  }
  if (byFeature !== null && byFeature !== 'inverseVariance')
    extras.rateByFeature = await loadVector(resolve(folder, byFeature), network.inputs);
  return extras;
}
