import type { Config, InitConfig } from '../config/schema.ts';
import { augments } from '../data/augment.ts';
import { batchLength, fullBatchBelow } from '../data/batches.ts';
import { classCounts, countPositive, type ExampleSet } from '../data/examples.ts';
import { inverseVariance, type Moments, momentsOf, normalizers } from '../data/normalize.ts';
import { allPixels, isStored } from '../data/pixels.ts';
import { type SplitName, splitNames } from '../data/split.ts';
import type { Splits } from '../datasets/prepare.ts';
import { UserError } from '../errors.ts';
import { type Kernels, precisions } from '../kernels/kernels.ts';
import { referenceKernels } from '../kernels/reference.ts';
import type { ActivationName } from '../nn/activations.ts';
import { defaultSlope } from '../nn/activations.ts';
import { firstUnits, type Layer, type Network, opsOf, weightedLayers } from '../nn/build.ts';
import { defaultFactor, fittingInit, type Init } from '../nn/initializers.ts';
import { chooseForm, type FormChoice, refusalOfDual } from '../nn/input/choose.ts';
import type { ProductMemory } from '../nn/input/product-memory.ts';
import { smoothedTargets } from '../nn/losses.ts';
import {
  bufferLength,
  initialParameters,
  type Parameters,
  parameterCount,
  parameterSpecs,
  parametersOver,
} from '../nn/network.ts';
import { optimizers } from '../nn/optimizers.ts';
import { numpyRandom } from '../random.ts';
import type { Balance } from './cost-curve.ts';
import type { FitOptions } from './fit.ts';
import { autoLearningRate } from './learning-rate.ts';
import { type MemoryNeed, memoryNeeds, refuseTooMuch } from './memory.ts';
import {
  arithmeticWarnings,
  batchNormWarnings,
  choiceWarnings,
  outputWarnings,
  refuseBatchOfOne,
  symmetryWarnings,
} from './plan-warnings.ts';
import { type Stage, stagesOf } from './stages.ts';

/** What a config means for the pictures that were found. */
export interface Plan {
  network: Network;
  learningRates: number[];
  /** of "auto" */
  autoRate: number;
  batch: number;
  parameters: number;
  examples: Record<SplitName, { total: number; positive: number }>;
  /** what of the training sees smaller images */
  stages: Stage[];
  /** of the training part */
  balance: Balance;
  /** of the first layer */
  form: FormChoice;
  memory: MemoryNeed[];
  warnings: string[];
}

/** @param kernels  whose precision counts the memory
 *  @throws UserError (usage) where the config asks for what the parts do not have, or for more memory than there is */
export function planTraining(config: Config, parts: Splits, kernels: Kernels): Plan {
  const network = networkOf(config, parts.train.features);
  const parameters = parameterCount(network);
  const examples = Object.fromEntries(
    splitNames.map((part) => {
      const labels = parts[part]?.labels ?? new Uint8Array();
      return [part, { total: labels.length, positive: countPositive(labels) }];
    }),
  ) as Plan['examples'];
  const batch = batchLength(config.training.batchSize, examples.train.total);
  refuseLargeBatch(parts.train, batch);
  refuseBatchOfOne(network, batch);
  const { optimizer, epochs, progressive } = config.training;
  const stages = stagesOf(progressive, network, { epochs, normalize: config.data.normalize });
  const [train, dev] = [examples.train.total, examples.dev.total];
  const form = formOf(config, network, { train, dev });
  const memory = memoryNeeds({
    network,
    parameters,
    form: form.form,
    train,
    dev,
    pictures: splitNames.reduce((sum, part) => sum + examples[part].total, 0),
    batch,
    slots: optimizers[optimizer.name].moments.length,
    bytesEach: precisions[kernels.precision].BYTES_PER_ELEMENT,
    room: isStored(parts.train.pixels) ? parts.train.pixels.budgetBytes : null,
    brings: isBrought(parts.train, batch),
    shuffle: config.data.shuffle,
    keepsBest: config.training.earlyStopping !== false,
    averages: config.training.averageWeights !== null,
    mixes: config.training.mixup > 0,
    augments: augments(config.data.augment),
    stages,
  });
  refuseTooMuch(memory);
  const autoRate = autoLearningRate({
    defaults: config.defaults,
    optimizer: optimizer.name,
    normalize: config.data.normalize,
    inputs: network.inputs,
  });
  return {
    network,
    learningRates: learningRatesOf(config, network, autoRate),
    autoRate,
    batch,
    parameters,
    examples,
    balance: {
      loss: config.training.loss,
      counts: classCounts(parts.train.labels),
      weights: classWeightsOf(config.training.classWeight, parts.train.labels),
    },
    memory,
    form,
    stages,
    warnings: [
      ...symmetryWarnings(network),
      ...outputWarnings(network),
      ...batchNormWarnings(network, { batch, epochs, m: examples.train.total }),
      ...choiceWarnings(config, examples),
      ...arithmeticWarnings(config, kernels),
    ],
  };
}

/** The most pictures in a batch that can be read: a step takes a whole one at once, and the next is read beside it. */
function mostInBatch({ pixels, features }: Pick<ExampleSet, 'pixels' | 'features'>): number {
  return isStored(pixels) ? Math.floor(Math.max(pixels.budgetBytes, 2 ** 26) / 2 / features) : Number.POSITIVE_INFINITY;
}

/** Where a step takes all pictures, and they are few, they are brought into memory: there the kernels want them anyway. */
function isBrought(train: FitParts['train'], batch: number): boolean {
  return batch > mostInBatch(train) && batch === train.labels.length && batch < fullBatchBelow;
}

function refuseLargeBatch(train: ExampleSet, batch: number): void {
  const most = mostInBatch(train);
  if (batch <= most || isBrought(train, batch)) return;
  throw new UserError(
    'usage',
    `training.batchSize: expected at most ${most} pictures a step, which can be read while others are worked on within data.memory, found ${batch}`,
    { hint: 'Set training.batchSize=64, or raise data.memory (MiB) until all pictures fit.' },
  );
}

/** What a training is given besides its config and pictures: what only commands can read, weights and rates of files; and what trainings before it made. */
export interface TrainingExtras {
  /** weights of `startFrom`, laid out like the network's */
  initialWeights?: ArrayLike<number> | undefined;
  /** the vector of `learningRateByFeature` */
  featureLearningRates?: Float64Array | undefined;
  /** of the training part, where it is not in memory */
  moments?: Moments | undefined;
  /** of the images of a search's trainings */
  products?: ProductMemory | undefined;
  /** false where nobody looks at the norms of layers */
  measuresNorms?: boolean | undefined;
}

/** The same as `fitOptions` wherever the pictures are: those that are not in memory are looked through for the normaliser, or
 *  brought there where the dual form or a step wants them all at once. */
export async function prepareFit(
  config: Config,
  parts: FitParts,
  plan: Plan,
  kernels: Kernels,
  extras: TrainingExtras = {},
): Promise<FitOptions> {
  const { train, dev } = parts;
  const bring = async (part: FitParts['train'], held: boolean) =>
    held ? { ...part, pixels: await allPixels(part.pixels, part.features) } : part;
  const isDual = plan.form.form === 'dual';
  const brought = {
    train: await bring(train, isDual || isBrought(train, plan.batch)),
    ...(dev && { dev: await bring(dev, isDual) }),
  };
  const wanted = normalizers[config.data.normalize].learns || config.training.learningRateByFeature === 'inverseVariance';
  const moments = wanted && isStored(brought.train.pixels) ? await momentsOf(brought.train.pixels, train.features) : undefined;
  return fitOptions(config, brought, plan, kernels, { ...extras, moments });
}

/** What training wants of the parts. */
type FitParts = { [Part in 'train' | 'dev']?: Pick<ExampleSet, 'features' | 'pixels' | 'labels'> } & {
  train: Pick<ExampleSet, 'features' | 'pixels' | 'labels'>;
};

/** Everything that `fit` takes, with fresh weights; for pictures in memory, or with the moments of the training part. */
export function fitOptions(
  config: Config,
  parts: FitParts,
  plan: Plan,
  kernels: Kernels,
  extras: TrainingExtras = {},
): FitOptions {
  const { train, dev = null } = parts;
  const { training, data, seed } = config;
  const learnt = extras.moments ?? (isStored(train.pixels) ? unseen : train.pixels);
  const scaling = normalizers[data.normalize].fit(learnt, train.features);
  const byFeature =
    training.learningRateByFeature === 'inverseVariance' ? inverseVariance(learnt, scaling) : extras.featureLearningRates;
  const { epochs, batchSize, loss, optimizer, schedule, l2, clipNorm, averageWeights, evaluateEvery, maxMinutes } = training;
  return {
    network: plan.network,
    parameters: firstParameters(plan.network, kernels, seed, extras),
    kernels,
    form: plan.form.form,
    scaling,
    train,
    dev,
    ...(extras.products && { products: extras.products }),
    ...(extras.measuresNorms === false && { measuresNorms: false }),
    seed,
    epochs,
    batchSize,
    shuffle: data.shuffle,
    loss,
    classWeights: plan.balance.weights,
    softTargets: smoothedTargets(training.labelSmoothing),
    mixup: training.mixup,
    optimizer,
    learningRates: plan.learningRates,
    autoRate: plan.autoRate,
    featureLearningRates: byFeature ?? null,
    schedule,
    l2,
    clipNorm,
    averageWeights,
    averageMirrored: training.averageMirrored,
    augmentation: data.augment,
    imageSize: data.imageSize,
    stages: plan.stages,
    earlyStopping: training.earlyStopping || null,
    evaluateEvery,
    maxMinutes,
    threshold: typeof training.threshold === 'number' ? training.threshold : 0.5,
  };
}

/** For a normaliser that looks at no picture; any other is given moments. */
const unseen = new Uint8Array();

function firstParameters(
  network: Network,
  kernels: Kernels,
  seed: number,
  { initialWeights: startValues }: TrainingExtras,
): Parameters {
  if (startValues === undefined) return initialParameters(network, plain(kernels), numpyRandom(seed));
  const parameters = parametersOver(network, plain(kernels).allocate(bufferLength(parameterSpecs(network))));
  if (startValues.length !== parameters.values.length) {
    throw new UserError(
      'usage',
      `training.startFrom: expected ${parameters.values.length} parameters for this network, found ${startValues.length}`,
    );
  }
  parameters.values.set(startValues);
  return parameters;
}

/** Weights outlive the memory of the kernels that train them. */
const plain = ({ precision }: Kernels) => referenceKernels(precision);

/** One rate a layer, the output layer last. */
function learningRatesOf(config: Config, network: Network, autoRate: number): number[] {
  const layers = weightedLayers(network);
  const { learningRate } = config.training;
  if (!Array.isArray(learningRate)) {
    const rate = learningRate === 'auto' ? autoRate : learningRate;
    return layers.map(() => rate);
  }
  if (learningRate.length !== layers.length) {
    throw new UserError(
      'usage',
      `training.learningRate: expected ${layers.length} rates, one per layer and the output layer last, found ${learningRate.length}`,
    );
  }
  return learningRate;
}

/** What an example of the negative and of the positive class counts. */
export function classWeightsOf(classWeight: Config['training']['classWeight'], labels: Uint8Array): [number, number] {
  if (classWeight === 'none') return [1, 1];
  if (typeof classWeight === 'number') return [1, classWeight];
  const positive = countPositive(labels);
  return [labels.length / (2 * (labels.length - positive)), labels.length / (2 * positive)];
}

/** The form of a config's first layer, for so many pictures.
 *  @throws UserError (usage) where the dual form is asked for and does not apply */
export function formOf(config: Config, network: Network, pictures: { train: number; dev: number }): FormChoice {
  const { form, optimizer, epochs, evaluateEvery, clipNorm, averageWeights, mixup, progressive, learningRateByFeature } =
    config.training;
  const refusal = refusalOfDual({
    optimizer: optimizer.name,
    clips: clipNorm !== null,
    byFeature: learningRateByFeature !== null,
    averages: averageWeights !== null,
    mirrors: config.training.averageMirrored,
    mixes: mixup > 0,
    shrinks: progressive.length > 0,
    augments: augments(config.data.augment),
    first: opsOf(network)[0]!.kind,
  });
  return chooseForm(form, refusal, {
    features: network.inputs,
    units: firstUnits(network),
    ...pictures,
    epochs,
    evaluateEvery,
  });
}

/** What a plan says of each layer, for people. */
export function describeLayers(network: Network) {
  const layers = weightedLayers(network);
  return layers.map(({ init }, l) => {
    const ops = opsOf(network).filter(({ layer }) => layer === l);
    const isOutput = l === layers.length - 1;
    const tensors = ops.flatMap((op) => op.tensors);
    return {
      name: isOutput ? `${l + 1} (output)` : `${l + 1}`,
      shape: tensors.find(({ decayed }) => decayed)!.shape,
      activation: [...ops.flatMap(({ description }) => description ?? []), ...(isOutput ? ['sigmoid'] : [])].join(', '),
      init: init.name === 'random' ? `random × ${init.factor}` : init.name,
      parameters: tensors.reduce((sum, { trained, shape }) => sum + (trained ? shape[0] * shape[1] : 0), 0),
    };
  });
}

/** The network that a config describes, for pictures of n_x features. */
export function networkOf(config: Config, inputs: number): Network {
  const { model } = config;
  const hidden = model.layers.length;
  const pick = (activation: ActivationName, own?: InitConfig): Init =>
    resolveInit(own ?? model.init) ?? fittingInit(activation, hidden);
  const layerOf = (layer: LayerConfig): Layer => {
    if (layer.type === 'residual') return { ...layer, layers: layer.layers.map(layerOf) };
    if (!('activation' in layer)) return 'size' in layer ? { ...layer, stride: layer.stride ?? layer.size } : layer;
    const init = pick(layer.activation, layer.init);
    if (layer.type !== 'dense') return { ...layer, init };
    const { type: _, ...dense } = layer;
    return { ...dense, init };
  };
  const output: Layer = {
    units: 1,
    activation: 'sigmoid',
    slope: defaultSlope,
    init: pick('sigmoid'),
    keepProb: 1,
    batchNorm: false,
  };
  return { inputs, layers: [...model.layers.map(layerOf), output] };
}

type LayerConfig = Config['model']['layers'][number];

/** null for "auto". */
function resolveInit(init: InitConfig): Init | null {
  if (init === 'auto') return null;
  return typeof init === 'string' ? { name: init, factor: defaultFactor } : init;
}
