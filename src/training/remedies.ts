import type { Config } from '../config/schema.ts';
import type { Verdict } from '../evaluation/diagnosis.ts';
import type { Stopped } from './fit-events.ts';

/** Something to try, and the config changes that try it, ready for --set. */
export interface Remedy {
  title: string;
  why: string;
  set: string[];
}

/** What a diagnosis found. */
export interface Finding {
  verdict: Verdict;
  /** every training picture gets the same answer: nothing was learnt, and no other advice helps before that is mended */
  collapsed: boolean;
  /** of the first layer */
  learningRate: number;
  hasDev: boolean;
  /** how the training ended: after early stopping more epochs would change nothing, and what was interrupted goes on */
  stopped: Stopped;
}

interface Entry extends Omit<Remedy, 'set'> {
  against: 'bias' | 'variance' | 'collapse';
  /** it would make a high bias higher: left out where there is one */
  addsBias?: true;
  /** the changes, or null where the config does so already; [] where no field of the config can */
  set(config: Config, finding: Finding): string[] | null;
}

const regularized = 0.5;
const keptUnits = 0.7;

/** What the notes advise, most promising first. */
const remedies: readonly Entry[] = [
  {
    against: 'collapse',
    title: 'another initialisation',
    why: 'weights that start at 0 stay alike for ever',
    set: (config) => (staysAlike(config) ? ['model.init=auto'] : null),
  },
  {
    against: 'collapse',
    title: 'a smaller learning rate',
    why: 'steps that are too long can switch every unit off at once',
    set: (config, { learningRate }) =>
      staysAlike(config) ? null : [`training.learningRate=${Number((learningRate / 10).toPrecision(2))}`],
  },
  {
    against: 'collapse',
    title: 'train longer, or with a quicker optimizer',
    why: 'nothing may have been learnt yet',
    set: (config) =>
      staysAlike(config) ? null : [`training.epochs=${config.training.epochs * 2}`, ...(quicker(config.training) ?? [])],
  },
  {
    against: 'bias',
    title: 'less regularisation',
    why: 'L2 and dropout hold the network back from its own training pictures',
    set: (config) => unregularized(config),
  },
  {
    against: 'bias',
    title: 'another initialisation',
    why: 'large first weights begin far from every answer, and much of the training goes into coming back',
    set: ({ model: { init } }) => (typeof init === 'object' && init.factor > 1 ? ['model.init=auto'] : null),
  },
  {
    against: 'bias',
    title: 'hidden layers with a bend',
    why: 'linear layers upon one another can do no more than one of them',
    set: ({ model: { layers } }) => (isLinear(layers) ? layers.map((_, i) => `model.layers.${i}.activation=relu`) : null),
  },
  {
    against: 'bias',
    title: 'a larger network',
    why: 'the network may be too small to learn its own training pictures',
    set: ({ model: { layers } }) =>
      isLinear(layers) ? null : (unitsOf(layers, (units) => units * 2) ?? [`model.layers=[{"units":${firstUnits}}]`]),
  },
  {
    against: 'bias',
    title: 'train longer',
    why: 'the cost may still be falling',
    set: ({ training }, { stopped }) => (stopped === 'finished' ? [`training.epochs=${training.epochs * 2}`] : null),
  },
  {
    against: 'bias',
    title: 'train on',
    why: 'it was broken off before its end; nn train --resume goes on',
    set: (_, { stopped }) => (stopped === 'interrupted' ? [] : null),
  },
  {
    against: 'bias',
    title: 'more time',
    why: 'training.maxMinutes ended it before its last epoch',
    set: ({ training: { maxMinutes } }, { stopped }) =>
      stopped === 'time' && maxMinutes !== null ? [`training.maxMinutes=${maxMinutes * 2}`] : null,
  },
  {
    against: 'bias',
    title: 'more patience',
    why: 'early stopping ended it before the network had learnt its training pictures',
    set: ({ training: { earlyStopping } }, { stopped }) =>
      stopped === 'early' && earlyStopping ? [`training.earlyStopping.patience=${earlyStopping.patience * 4}`] : null,
  },
  {
    against: 'bias',
    title: 'a quicker optimizer',
    why: 'Adam often gets further in as many epochs',
    set: ({ training }) => quicker(training),
  },
  {
    against: 'bias',
    title: 'another architecture',
    why: 'units with a slope everywhere keep learning where ReLU stops',
    set: ({ model }) => {
      const changes = model.layers.flatMap(({ activation }, i) =>
        activation === 'relu' ? [`model.layers.${i}.activation=leakyRelu`] : [],
      );
      return changes.length === 0 ? null : changes;
    },
  },
  {
    against: 'variance',
    title: 'more data',
    why: 'the network knows its training pictures by heart; more of them leave it less room to',
    set: ({ data: { source } }) => (source?.type === 'drawn' ? [`data.source.count=${source.count * 2}`] : []),
  },
  {
    against: 'variance',
    title: 'L2 regularisation',
    why: 'weights that are kept small fit less of what is peculiar to a picture',
    set: (config, { verdict }) =>
      config.training.l2 > 0 || (verdict.includes('bias') && unregularized(config)) ? null : [`training.l2=${regularized}`],
  },
  {
    against: 'variance',
    title: 'dropout',
    why: 'units that may be missing cannot rely on one another',
    set: (config, { verdict }) => {
      const { layers } = config.model;
      const has = layers.some(({ keepProb }) => keepProb < 1) || (verdict.includes('bias') && unregularized(config));
      return has || layers.length === 0 ? null : layers.map((_, i) => `model.layers.${i}.keepProb=${keptUnits}`);
    },
  },
  {
    against: 'variance',
    title: 'data augmentation',
    why: 'a mirrored or shifted cat is a new picture of a cat',
    set: ({ data: { augment } }) =>
      Object.values(augment).some(Boolean) ? null : ['data.augment.flipHorizontal=true', 'data.augment.shift=0.05'],
  },
  {
    against: 'variance',
    addsBias: true,
    title: 'early stopping',
    why: 'where the dev cost turns up, the network starts to learn by heart',
    set: ({ training }, { hasDev }) =>
      training.earlyStopping
        ? null
        : [...(hasDev ? [] : ['data.split={"dev":0.2}']), `training.earlyStopping={"patience":${patienceFor(training)}}`],
  },
  {
    against: 'variance',
    addsBias: true,
    title: 'a smaller network',
    why: 'fewer weights can hold fewer pictures by heart',
    set: ({ model }) => unitsOf(model.layers, (units) => Math.ceil(units / 2)),
  },
];

/** Units that begin alike, and so stay alike whatever the rate and the time. */
function staysAlike({ model: { init, layers } }: Config): boolean {
  return init === 'zeros' && layers.length > 0;
}

/** The changes that take L2 and dropout away; null where there is neither. */
function unregularized({ training, model: { layers } }: Config): string[] | null {
  const kept = layers.flatMap(({ keepProb }, i) => (keepProb < 1 ? [`model.layers.${i}.keepProb=1`] : []));
  const changes = [...(training.l2 > 0 ? ['training.l2=0'] : []), ...kept];
  return changes.length === 0 ? null : changes;
}

function isLinear(layers: Config['model']['layers']): boolean {
  return layers.length > 0 && layers.every(({ activation }) => activation === 'linear');
}

/** Adam, for what is not better already. */
function quicker({ optimizer }: Config['training']): string[] | null {
  return optimizer.name === 'gradientDescent' ? ['training.optimizer.name=adam', 'training.learningRate=auto'] : null;
}

/** The notes' remedies for a finding that the config does not use yet. */
export function remediesFor(config: Config, finding: Finding): Remedy[] {
  const wanted = ({ against, addsBias }: Entry) =>
    finding.collapsed
      ? against === 'collapse'
      : finding.verdict.includes(against) && !(addsBias && finding.verdict.includes('bias'));
  return remedies.flatMap((entry) => {
    const { title, why } = entry;
    const changes = wanted(entry) ? entry.set(config, finding) : null;
    return changes === null ? [] : [{ title, why, set: changes }];
  });
}

const firstUnits = 20;

/** Other numbers of units, layer by layer; null where that changes nothing. */
function unitsOf(layers: Config['model']['layers'], change: (units: number) => number): string[] | null {
  const changes = layers.flatMap(({ units }, i) => (change(units) === units ? [] : [`model.layers.${i}.units=${change(units)}`]));
  return changes.length === 0 ? null : changes;
}

/** Epochs without a better dev cost: a fifth of the training, and several looks. A cost that falls slowly at first is no reason to stop. */
function patienceFor({ epochs, evaluateEvery }: Config['training']): number {
  return Math.max(10, 5 * evaluateEvery, Math.round(epochs / 5));
}
