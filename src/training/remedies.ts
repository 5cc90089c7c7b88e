import type { Config } from '../config/schema.ts';
import type { Verdict } from '../evaluation/diagnosis.ts';

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
  /** early stopping ended the training: more epochs would change nothing */
  endedEarly: boolean;
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
    set: ({ model }) => (model.init === 'zeros' && model.layers.length > 0 ? ['model.init=auto'] : null),
  },
  {
    against: 'collapse',
    title: 'a smaller learning rate',
    why: 'steps that are too long can switch every unit off at once',
    set: (_, { learningRate }) => [`training.learningRate=${Number((learningRate / 10).toPrecision(2))}`],
  },
  {
    against: 'collapse',
    title: 'train longer, or with a quicker optimizer',
    why: 'nothing may have been learnt yet',
    set: ({ training }) => [
      `training.epochs=${training.epochs * 2}`,
      ...(training.optimizer.name === 'adam' ? [] : ['training.optimizer.name=adam', 'training.learningRate=auto']),
    ],
  },
  {
    against: 'bias',
    title: 'a larger network',
    why: 'the network is too small to learn its own training pictures',
    set: ({ model }) => unitsOf(model.layers, (units) => units * 2) ?? [`model.layers=[{"units":${firstUnits}}]`],
  },
  {
    against: 'bias',
    title: 'train longer',
    why: 'the cost may still be falling',
    set: ({ training }, { endedEarly }) => (endedEarly ? null : [`training.epochs=${training.epochs * 2}`]),
  },
  {
    against: 'bias',
    title: 'more patience',
    why: 'early stopping ended it before the network had learnt its training pictures',
    set: ({ training: { earlyStopping } }, { endedEarly }) =>
      endedEarly && earlyStopping ? [`training.earlyStopping.patience=${earlyStopping.patience * 4}`] : null,
  },
  {
    against: 'bias',
    title: 'a quicker optimizer',
    why: 'Adam gets further in as many epochs',
    set: ({ training }) =>
      training.optimizer.name === 'adam' ? null : ['training.optimizer.name=adam', 'training.learningRate=auto'],
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
    set: ({ training }) => (training.l2 > 0 ? null : [`training.l2=${regularized}`]),
  },
  {
    against: 'variance',
    title: 'dropout',
    why: 'units that may be missing cannot rely on one another',
    set: ({ model: { layers } }) =>
      layers.length === 0 || layers.some(({ keepProb }) => keepProb < 1)
        ? null
        : layers.map((_, i) => `model.layers.${i}.keepProb=${keptUnits}`),
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
