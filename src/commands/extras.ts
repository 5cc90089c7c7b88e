import { resolve } from 'node:path';
import type { LoadedConfig } from '../config/load.ts';
import { UserError } from '../errors.ts';
import type { Layer, Network } from '../nn/build.ts';
import { loadClassifier, loadVector } from '../run/model-file.ts';
import type { TrainingFiles } from '../training/plan.ts';

/** Reads the files that a config names beside its pictures: weights to start from, a learning rate by feature.
 *  @throws UserError (model, usage) where they do not fit the network */
export async function readExtras({ config, folder, file }: LoadedConfig, network: Network): Promise<TrainingFiles> {
  const { startFrom, learningRateByFeature: byFeature } = config.training;
  const extras: TrainingFiles = {};
  if (startFrom !== null) {
    const { classifier, file: model } = await loadClassifier(resolve(folder, startFrom));
    const difference = differenceOf(network, classifier.network);
    if (difference !== null) throw new UserError('model', `${file}: training.startFrom: ${difference} in ${model}`);
    extras.initialWeights = classifier.parameters.values;
  }
  if (byFeature !== null && byFeature !== 'inverseVariance')
    extras.featureLearningRates = await loadVector(resolve(folder, byFeature), network.inputs);
  return extras;
}

/** What tells two networks apart whose weights mean something else, in words; null where nothing does. */
function differenceOf(wanted: Network, found: Network): string | null {
  const sizes = ({ inputs, layers }: Network) => [inputs, ...layers.map(({ units }) => units)].join(' → ');
  if (sizes(wanted) !== sizes(found)) return `expected a network ${sizes(wanted)} of the same activations, found ${sizes(found)}`;
  const kinds = ({ layers }: Network) => layers.map(kindOf);
  const l = kinds(wanted).findIndex((kind, i) => kind !== kinds(found)[i]);
  return l < 0 ? null : `expected ${kinds(wanted)[l]} in layer ${l + 1}, found ${kinds(found)[l]}`;
}

function kindOf({ activation, slope, batchNorm }: Layer): string {
  return `${activation}${activation === 'leakyRelu' ? ` of slope ${slope}` : ''}${batchNorm ? ' with batch norm' : ''}`;
}
