import type { Config } from '../config/schema.ts';
import { augments } from '../data/augment.ts';
import { batchLength } from '../data/batches.ts';
import { autoLearningRate } from '../training/learning-rate.ts';
import {
  anyForm,
  anyStart,
  centred,
  centring,
  firstLayer,
  isLinear,
  quicker,
  stoppingEarly,
  unitsOf,
  unregularized,
} from '../training/remedy-changes.ts';
import { timesOfOneMore } from '../training/work.ts';

/** What `nn diagnose` tries: the remedies of the notes, each as changes of a config. */

/** What helps by it says what was wrong. */
export const families = {
  steps: 'steps that are too long',
  effort: 'a training that ends before the network has learnt what it can',
  size: 'a network that is too small, or of the wrong shape',
  restraint: 'a network that learns its training pictures by heart',
  balance: 'a class that is far smaller than the other',
} as const;
export type Family = keyof typeof families;

/** What a treatment must know of the training besides its config. */
export interface Setting {
  /** n_x */
  inputs: number;
  /** side of the pictures */
  side: number;
  /** pictures to train on, and how many of them are of the smaller class */
  train: number;
  smaller: number;
  /** whether there are pictures to stop early by */
  hasDev: boolean;
}

export interface Treatment {
  /** stands in files and URLs: never renamed */
  id: string;
  title: string;
  /** for who has not heard of it */
  why: string;
  family: Family;
  /** of those that change the same thing one alone is part of a combination */
  group: string;
  /** the changes, ready for --set; null where the config does so already, or has no place for it */
  set(config: Config, setting: Setting): string[] | null;
}

const longer = 3;
const rateFactor = 3;
/** A rate that is so many times off the automatic one is not it. */
const farFromAuto = 2;
/** λ / m: with it a weight loses this share of itself, times the rate, at every step. */
const decayPerPicture = 0.005;
const keptUnits = 0.6;
const miniBatch = 64;
const shortestSide = 16;
/** A class of less than this share is far smaller. */
const unequal = 0.4;

/** Plain ones first: where time is short, those at the end are left out. */
export const treatments: readonly Treatment[] = [
  {
    id: 'smaller-rate',
    title: 'smaller learning rate',
    why: 'Shorter steps do not jump over a minimum of the cost.',
    family: 'steps',
    group: 'rate',
    set: (config, setting) => rateChange(config, setting, 1 / rateFactor),
  },
  {
    id: 'larger-rate',
    title: 'larger learning rate',
    why: 'Longer steps get further in as many epochs.',
    family: 'effort',
    group: 'rate',
    set: (config, setting) => rateChange(config, setting, rateFactor),
  },
  {
    id: 'automatic-rate',
    title: 'automatic learning rate',
    why: 'A rate that suits optimizer, normalisation and size of the input, as nn measured on many trainings.',
    family: 'steps',
    group: 'rate',
    set: (config, setting) => {
      const auto = autoOf(config, setting);
      const isNear = ratesOf(config, setting).every((rate) => rate < auto * farFromAuto && rate > auto / farFromAuto);
      return isNear ? null : ['training.learningRate=auto'];
    },
  },
  {
    id: 'longer',
    title: `${longer} times the epochs`,
    why: 'A training that ends too early has not learnt what its network could.',
    family: 'effort',
    group: 'epochs',
    set: ({ training: { epochs, maxMinutes } }) => [
      `training.epochs=${epochs * longer}`,
      ...(maxMinutes === null ? [] : [`training.maxMinutes=${maxMinutes * longer}`]),
    ],
  },
  {
    id: 'optimizer',
    title: 'Adam instead of gradient descent',
    why: 'Adam gives every weight a step of its own, and so often gets further in as many epochs.',
    family: 'effort',
    group: 'optimizer',
    set: quicker,
  },
  {
    id: 'mini-batches',
    title: `batches of ${miniBatch}`,
    why: 'Smaller batches take more steps in an epoch.',
    family: 'effort',
    group: 'batch',
    set: ({ training: { batchSize, form } }, { train }) =>
      batchLength(batchSize, train) < 2 * miniBatch || form === 'dual' ? null : [`training.batchSize=${miniBatch}`],
  },
  {
    id: 'normalisation',
    title: 'centred inputs',
    why: 'Inputs that are all positive push all weights of a unit one way, which makes training slow.',
    family: 'effort',
    group: 'normalisation',
    set: (config, setting) =>
      centred.includes(config.data.normalize)
        ? null
        : centring(config, { inputs: setting.inputs, learningRates: ratesOf(config, setting) }),
  },
  {
    id: 'less-regularisation',
    title: 'no L2, no dropout',
    why: 'Both hold the network back, from its own training pictures too.',
    family: 'effort',
    group: 'regularisation',
    set: unregularized,
  },
  {
    id: 'larger',
    title: 'larger network',
    why: 'More units can hold more of what tells the classes apart.',
    family: 'size',
    group: 'units',
    set: (config) => {
      const { layers } = config.model;
      if (layers.length === 0) return firstLayer(config);
      return isLinear(layers) ? null : unitsOf(layers, (units) => units * (isDense(config) ? 4 : 2));
    },
  },
  {
    id: 'deeper',
    title: 'deeper network',
    why: 'One more layer makes of what the first ones find something that they can’t say alone.',
    family: 'size',
    group: 'depth',
    set: deeper,
  },
  {
    id: 'l2',
    title: 'L2 regularisation',
    why: 'Weights that are kept small fit less of what is peculiar to single pictures.',
    family: 'restraint',
    group: 'l2',
    set: ({ training: { l2 } }, { train }) => {
      const lambda = Number((decayPerPicture * train).toPrecision(2));
      return l2 >= lambda ? null : [`training.l2=${lambda}`];
    },
  },
  {
    id: 'dropout',
    title: 'dropout',
    why: 'Units that may be missing at any step cannot rely on one another.',
    family: 'restraint',
    group: 'dropout',
    set: ({ model: { layers } }) => {
      const changes = layers.flatMap((layer, i) =>
        'keepProb' in layer && (layer.type === 'dense' || layer.type === 'globalAveragePool') && layer.keepProb === 1
          ? [`model.layers.${i}.keepProb=${keptUnits}`]
          : [],
      );
      return changes.length === 0 ? null : changes;
    },
  },
  {
    id: 'early-stopping',
    title: 'early stopping',
    why: 'Where the cost on dev turns up, the network starts to learn by heart: the best weights are those before.',
    family: 'restraint',
    group: 'stopping',
    set: (config, { hasDev }) => (config.training.earlyStopping || !hasDev ? null : stoppingEarly(config)),
  },
  {
    id: 'augmentation',
    title: 'augmentation',
    why: 'A mirrored or shifted picture is a new picture of the same thing.',
    family: 'restraint',
    group: 'augmentation',
    set: (config) =>
      augments(config.data.augment) ? null : ['data.augment.flipHorizontal=true', 'data.augment.shift=0.05', ...anyForm(config)],
  },
  {
    id: 'smaller',
    title: 'smaller network',
    why: 'Fewer weights can hold fewer pictures by heart.',
    family: 'restraint',
    group: 'units',
    set: ({ model }) => unitsOf(model.layers, (units) => Math.ceil(units / 4)),
  },
  {
    id: 'batch-norm',
    title: 'batch norm',
    why: 'What a layer gives stays in the range that the next one learns best from.',
    family: 'effort',
    group: 'batch-norm',
    set: ({ model: { layers } }) => {
      const changes = layers.flatMap((layer, i) =>
        'batchNorm' in layer && !layer.batchNorm ? [`model.layers.${i}.batchNorm=true`] : [],
      );
      return changes.length === 0 ? null : changes;
    },
  },
  {
    id: 'class-weights',
    title: 'class weights',
    why: 'Both classes count the same, however many pictures each has.',
    family: 'balance',
    group: 'balance',
    set: ({ training: { classWeight } }, { smaller, train }) =>
      classWeight === 'none' && smaller / train < unequal ? ['training.classWeight=balanced'] : null,
  },
  {
    id: 'convolution',
    title: 'convolutions instead of dense layers',
    why: 'A convolution looks for the same thing at every place of the picture.',
    family: 'size',
    group: 'units',
    set: convolutions,
  },
];

/** The titles of what is written nowhere in the table: several of it together. */
export const combinationTitle = 'all that helped, together';
export const promisingTitle = 'the most promising, together';

/** The changes of several treatments one after the other, each made for the config with those before.
 *  @param changed  the config with some changes @throws UserError (usage) where they make none */
export function combined(
  config: Config,
  parts: readonly Treatment[],
  setting: Setting,
  changed: (set: readonly string[]) => Config,
): string[] {
  const changes: string[] = [];
  const groups = new Set<string>();
  for (const { group, set } of parts) {
    if (groups.has(group)) continue;
    groups.add(group);
    changes.push(...(changesOf(changes.length === 0 ? config : changed(changes), setting, set) ?? []));
  }
  return changes;
}

/** The changes of a treatment, with what they bring along. */
export function changesOf(config: Config, setting: Setting, set: Treatment['set']): string[] | null {
  const changes = set(config, setting);
  return changes && [...changes, ...anyStart(config, changes)];
}

/** What some changes are called while they are tried. @param set  none, those of one treatment, or those of several together */
export function titleOf(config: Config, setting: Setting, set: readonly string[]): string {
  if (set.length === 0) return 'the config as it is';
  const text = set.join(' ');
  const single = treatments.find((treatment) => changesOf(config, setting, treatment.set)?.join(' ') === text);
  return single?.title ?? 'several of them together';
}

const autoOf = (config: Config, { inputs }: Setting) =>
  autoLearningRate({
    defaults: config.defaults,
    optimizer: config.training.optimizer.name,
    normalize: config.data.normalize,
    inputs,
  });

function ratesOf(config: Config, setting: Setting): number[] {
  const { learningRate } = config.training;
  if (Array.isArray(learningRate)) return learningRate;
  return [learningRate === 'auto' ? autoOf(config, setting) : learningRate];
}

function rateChange(config: Config, setting: Setting, factor: number): string[] {
  const rates = ratesOf(config, setting).map((rate) => Number((rate * factor).toPrecision(2)));
  return [`training.learningRate=${JSON.stringify(rates.length === 1 ? rates[0] : rates)}`];
}

const isDense = ({ model: { layers } }: Config) => layers.every(({ type }) => type === 'dense');

/** The last hidden layer once more. */
function deeper({ model: { layers }, training: { learningRate } }: Config): string[] | null {
  const last = layers.at(-1);
  if (last?.type !== 'dense' || isLinear(layers)) return null;
  const rates = Array.isArray(learningRate) ? [...learningRate.slice(0, -1), learningRate.at(-2)!, learningRate.at(-1)!] : null;
  return [
    `model.layers=${JSON.stringify([...layers, last])}`,
    ...(rates === null ? [] : [`training.learningRate=${JSON.stringify(rates)}`]),
  ];
}

/** Epochs in which so small a convolutional network has learnt most of what it can, and those in which it has learnt enough to be seen. */
const convolutionEpochs = { most: 30, least: 12 };
/** It may take so many times as long as the config: dearer remedies leave no time for seeds. */
const convolutionTimes = 2.5;
/** The peak of its one-cycle rate: that of configs/conv-photos-small.json, whose network it is without the last convolution. With a constant rate 30 epochs of photographs
 *  come to 72% instead of 79% (docs/diagnose.md). */
const convolutionRate = 0.005;

/** Four convolutions of few filters, the first with a stride of 2. */
function convolutions(config: Config, setting: Setting): string[] | null {
  if (setting.side < shortestSide || !isDense(config)) return null;
  const { most, least } = convolutionEpochs;
  const within = (epochs: number) => convolutionsFor(config, setting, Math.min(epochs, config.training.epochs));
  const pictures = { features: setting.inputs, train: setting.train, dev: 0 };
  const times = timesOfOneMore(config, within(most), pictures);
  return within(Math.max(least, Math.min(most, Math.round((most * convolutionTimes) / times))));
}

function convolutionsFor(config: Config, { train }: Setting, epochs: number): string[] {
  const conv = (filters: number, of = {}) => ({ type: 'conv', filters, ...of, batchNorm: true });
  const pool = { type: 'maxPool', size: 2 };
  const stem = conv(16, { kernel: 4, stride: 2 });
  const layers = [stem, conv(24), pool, conv(32), pool, conv(48), { type: 'globalAveragePool' }];
  const { name } = config.training.optimizer;
  const isPlain = name === 'gradientDescent' || name === 'momentum';
  return [
    `model.layers=${JSON.stringify(layers)}`,
    ...(isPlain ? ['training.optimizer.name=adam'] : []),
    `training.learningRate=${convolutionRate}`,
    'training.schedule={"name":"oneCycle"}',
    ...(epochs < config.training.epochs ? [`training.epochs=${epochs}`] : []),
    ...(config.training.learningRateByFeature === null ? [] : ['training.learningRateByFeature=null']),
    ...(batchLength(config.training.batchSize, train) > 2 * miniBatch ? [`training.batchSize=${miniBatch}`] : []),
    ...anyForm(config),
  ];
}
