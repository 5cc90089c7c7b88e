import type { Config } from '../config/schema.ts';
import { countPositive } from '../data/examples.ts';
import { type PartName, partNames } from '../data/split.ts';
import { type Kernels, precisions } from '../kernels/kernels.ts';
import { layerInputs, type Network, parameterCount } from '../model/network.ts';
import { chooseForm, dualBytes, type FormChoice, type FormCounts, refusalOfDual } from './form.ts';
import { autoLearningRates } from './learning-rate.ts';
import { networkOf, type PreparedData } from './prepare.ts';

/** What a config means for the pictures that were found. */
export interface Plan {
  network: Network;
  learningRate: number;
  parameters: number;
  examples: Record<PartName, { total: number; positive: number }>;
  /** of the first layer */
  form: FormChoice;
  memoryBytes: number;
  warnings: string[];
}

/** @param kernels  whose precision counts the memory */
export function planTraining(config: Config, data: PreparedData, kernels: Kernels): Plan {
  const network = networkOf(config, data.parts.train.features);
  const { learningRate, optimizer } = config.training;
  const parameters = parameterCount(network);
  const examples = Object.fromEntries(
    partNames.map((part) => {
      const labels = data.parts[part]?.labels ?? new Uint8Array();
      return [part, { total: labels.length, positive: countPositive(labels) }];
    }),
  ) as Plan['examples'];
  const counts: FormCounts = {
    features: network.inputs,
    units: network.layers[0]!.units,
    train: examples.train.total,
    dev: examples.dev.total,
    epochs: config.training.epochs,
    evaluateEvery: config.training.evaluateEvery,
  };
  const form = chooseForm(config.training.form, refusalOfDual({ optimizer: optimizer.name }), counts);
  const products = form.form === 'dual' ? dualBytes(counts) : 0;
  return {
    network,
    learningRate: learningRate === 'auto' ? autoLearningRates[optimizer.name][config.data.normalize] : learningRate,
    parameters,
    examples,
    form,
    memoryBytes: memoryOf(network, parameters, examples, precisions[kernels.precision].BYTES_PER_ELEMENT) + products,
    warnings: [...data.notes, ...networkWarnings(network)],
  };
}

/** Pixels, parameters with their gradient, and three numbers for each unit and example. */
function memoryOf(network: Network, parameters: number, examples: Plan['examples'], bytesEach: number): number {
  const units = network.layers.reduce((sum, layer) => sum + layer.units, 0);
  const pictures = partNames.reduce((sum, part) => sum + examples[part].total, 0);
  const batch = Math.max(...partNames.map((part) => examples[part].total));
  return pictures * network.inputs + (2 * parameters + 3 * batch * units) * bytesEach;
}

function networkWarnings({ layers }: Network): string[] {
  const hidden = layers.slice(0, -1);
  const zeros = layers.findIndex((layer) => layer.init.name === 'zeros');
  if (hidden.length === 0 || zeros < 0) return [];
  return [
    `model.init: layer ${zeros + 1} starts with zeros: all its units stay alike for ever (symmetry), and with ReLU nothing is learnt at all. ` +
      'Use he, xavier or a small random factor; zeros is right for logistic regression alone.',
  ];
}

/** What a plan says of each layer, for people. */
export function describeLayers(network: Network) {
  return network.layers.map(({ units, activation, init }, l) => {
    const below = layerInputs(network, l);
    return {
      name: l === network.layers.length - 1 ? `${l + 1} (output)` : `${l + 1}`,
      shape: [units, below] as const,
      activation,
      init: init.name === 'random' ? `random × ${init.factor}` : init.name,
      parameters: units * below + units,
    };
  });
}
