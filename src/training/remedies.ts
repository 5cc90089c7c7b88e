import type { Config } from '../config/schema.ts';
import { augments } from '../data/augment.ts';
import type { Remedy, Stopped, Verdict } from '../results/summary.ts';
import type { Trend } from './cost-curve.ts';
import { smallerRates } from './learning-rate.ts';
import { leastToChooseBy } from './plan-warnings.ts';
import {
  anyForm,
  anyStart,
  centred,
  centring,
  firstLayer,
  isLinear,
  leaky,
  quicker,
  staysAlike,
  stoppingEarly,
  unitsOf,
  unregularized,
  withDev,
} from './remedy-changes.ts';

/** Something to try, and the config changes that try it, ready for --set. */
export type Advice = Pick<Remedy, 'title' | 'why' | 'set'>;

/** What a diagnosis found, and what the course of the training shows. */
export interface Finding {
  verdict: Verdict;
  /** every training picture gets the same answer: nothing was learnt, and no other advice helps before that is mended */
  collapsed: boolean;
  /** the cost on train is above that of a network that sees nothing */
  worseThanGuessing: boolean;
  /** accuracy hides the errors of a class that is far smaller */
  imbalance: boolean;
  /** the error on train */
  trainError: number;
  /** pictures of the smaller class in dev; null without dev */
  smallerInDev: number | null;
  /** one a layer */
  learningRates: readonly number[];
  /** what "auto" would be */
  autoRate: number;
  /** n_x */
  inputs: number;
  /** the cost jumps, or was brought far above that of guessing and ends there */
  tooFast: boolean;
  /** the rate is far below the automatic one */
  tooSlow: boolean;
  /** of the cost; null of too few epochs to tell */
  trend: Trend | null;
  /** a hidden layer gives 0 for every picture */
  dead: boolean;
  /** whether the cost on dev ended above its least; null where that is not known */
  devTurned: boolean | null;
  /** whether epochs after the one that is kept learnt the training pictures: its bias is what early stopping left, not what the network can't do */
  learntLater: boolean;
  /** how the training ended: after early stopping more epochs would change nothing, and what was interrupted goes on */
  stopped: Stopped;
}

/** What is to be mended. */
type Problem = 'symmetry' | 'guessing' | 'collapse' | 'imbalance' | 'bias' | 'variance';

interface Entry {
  against: readonly Problem[];
  /** it would make a high bias higher: left out where there is one */
  addsBias?: true;
  title: string;
  why: string | ((finding: Finding) => string);
  /** the changes, or null where the config does so already; [] where no field of the config can */
  set(config: Config, finding: Finding): string[] | null;
}

const regularized = 0.5;
const keptUnits = 0.7;
/** With an error on train below this, a network knows its pictures by heart. */
const byHeart = 0.02;

/** What the notes advise, most promising first. */
const remedies: readonly Entry[] = [
  {
    against: ['symmetry'],
    title: 'another initialisation',
    why: 'weights that start at 0 stay alike for ever',
    set: ({ model: { layers } }) => [
      'model.init=auto',
      ...layers.flatMap((layer, i) =>
        !('init' in layer) || layer.init === undefined || layer.init === 'auto' ? [] : [`model.layers.${i}.init=auto`],
      ),
    ],
  },
  {
    against: ['guessing', 'bias', 'collapse'],
    title: 'another initialisation',
    why: 'large first weights begin far from every answer, and much of the training goes into coming back',
    set: ({ model: { init }, training: { startFrom } }) =>
      typeof init === 'object' && init.factor > 1 && startFrom === null ? ['model.init=auto'] : null,
  },
  {
    against: ['guessing'],
    title: 'a smaller learning rate',
    why: 'the cost jumps, or stays above that of guessing: steps that are too long throw it there',
    set: (_, finding) => (finding.tooFast ? [`training.learningRate=${JSON.stringify(smallerRates(finding, 'breaks'))}`] : null),
  },
  {
    against: ['imbalance'],
    title: 'class weights',
    why: 'so that both classes count the same, however many pictures each has',
    set: ({ training: { classWeight } }) => (classWeight === 'none' ? ['training.classWeight=balanced'] : null),
  },
  {
    against: ['imbalance'],
    title: 'a chosen threshold',
    why: ({ smallerInDev }) =>
      'a picture need not be called positive from ½ on: the probability that is best on dev for both classes alike may be another' +
      (smallerInDev !== null && smallerInDev < leastToChooseBy
        ? ` (with ${smallerInDev} of the smaller class in dev, where ${leastToChooseBy} or more tell, that is mostly chance)`
        : ''),
    set: (config, { smallerInDev }) =>
      typeof config.training.threshold === 'string'
        ? null
        : [...(smallerInDev === null ? withDev(config) : []), 'training.threshold=balancedAccuracy'],
  },
  {
    against: ['guessing', 'bias', 'collapse'],
    title: 'centred inputs',
    why: 'inputs that are all positive push all weights of a unit one way: training is slow, and units can be switched off for ever',
    set: (config, finding) => (centred.includes(config.data.normalize) ? null : centring(config, finding)),
  },
  {
    against: ['guessing', 'bias', 'collapse'],
    title: 'a larger learning rate',
    why: 'this one is less than a tenth of the automatic one',
    set: (_, { tooSlow }) => (tooSlow ? ['training.learningRate=auto'] : null),
  },
  {
    against: ['bias', 'collapse'],
    title: 'units that stay alive',
    why: 'a hidden layer gives 0 for every picture: shorter steps, and units with a slope everywhere, keep it from that',
    set: (config, finding) =>
      finding.dead
        ? [`training.learningRate=${JSON.stringify(smallerRates(finding, 'breaks'))}`, ...(leaky(config) ?? [])]
        : null,
  },
  {
    against: ['bias', 'collapse'],
    title: 'less regularisation',
    why: 'L2 and dropout hold the network back from its own training pictures',
    set: (config) => unregularized(config),
  },
  {
    against: ['bias'],
    title: 'hidden layers with a bend',
    why: 'linear layers upon one another can do no more than one of them',
    set: ({ model: { layers } }) => (isLinear(layers) ? layers.map((_, i) => `model.layers.${i}.activation=relu`) : null),
  },
  {
    against: ['guessing', 'bias', 'collapse'],
    title: 'train longer',
    why: 'the cost was still falling at the end',
    set: ({ training }, { stopped, trend, tooFast }) =>
      stopped === 'finished' && trend === 'falling' && !tooFast ? [`training.epochs=${training.epochs * 2}`] : null,
  },
  {
    against: ['guessing', 'bias', 'collapse'],
    title: 'train longer',
    why: 'so few epochs do not show where the cost goes',
    set: ({ training }, { stopped, trend, tooFast }) =>
      stopped === 'finished' && trend === null && !tooFast ? [`training.epochs=${training.epochs * 10}`] : null,
  },
  {
    against: ['bias'],
    title: 'a larger network',
    why: 'the network may be too small to learn its own training pictures',
    set: (config) => {
      const { layers } = config.model;
      return isLinear(layers) ? null : (unitsOf(layers, (units) => units * 2) ?? firstLayer(config));
    },
  },
  {
    against: ['guessing', 'bias', 'collapse'],
    title: 'train on',
    why: 'it was broken off before its end; nn train --resume goes on',
    set: (_, { stopped }) => (stopped === 'interrupted' ? [] : null),
  },
  {
    against: ['guessing', 'bias', 'collapse'],
    title: 'more time',
    why: 'training.maxMinutes ended it before its last epoch',
    set: ({ training: { maxMinutes } }, { stopped }) =>
      stopped === 'time' && maxMinutes !== null ? [`training.maxMinutes=${maxMinutes * 2}`] : null,
  },
  {
    against: ['guessing', 'bias', 'collapse'],
    title: 'more patience',
    why: 'early stopping ended it before the network had learnt its training pictures',
    set: ({ training: { earlyStopping } }, { stopped }) =>
      stopped === 'early' && earlyStopping ? [`training.earlyStopping.patience=${earlyStopping.patience * 4}`] : null,
  },
  {
    against: ['bias'],
    title: 'a quicker optimizer',
    why: 'Adam often gets further in as many epochs',
    // of inputs that are not centred Adam has to go slowly: they come first
    set: (config) => (centred.includes(config.data.normalize) ? quicker(config) : null),
  },
  {
    against: ['guessing', 'collapse'],
    title: 'a learning rate that was tried out',
    why: 'nn train --find-rate tries them from tiny to huge, and proposes one',
    set: () => [],
  },
  {
    against: ['variance'],
    title: 'more data',
    why: ({ trainError }) =>
      trainError < byHeart
        ? 'the network knows its training pictures by heart; more of them leave it less room to'
        : 'what fits few pictures by chance does not fit many',
    set: ({ data: { source } }) => (source?.type === 'drawn' ? [`data.source.count=${source.count * 2}`] : []),
  },
  {
    against: ['variance'],
    title: 'L2 regularisation',
    why: 'weights that are kept small fit less of what is peculiar to a picture',
    set: (config, { verdict }) =>
      config.training.l2 > 0 || (verdict.includes('bias') && unregularized(config)) ? null : [`training.l2=${regularized}`],
  },
  {
    against: ['variance'],
    title: 'dropout',
    why: 'units that may be missing cannot rely on one another',
    set: (config, { verdict }) => {
      const { layers } = config.model;
      const has =
        layers.some((layer) => 'keepProb' in layer && layer.keepProb < 1) || (verdict.includes('bias') && unregularized(config));
      return has || layers.length === 0
        ? null
        : layers.flatMap((layer, i) =>
            'units' in layer || layer.type === 'globalAveragePool' ? [`model.layers.${i}.keepProb=${keptUnits}`] : [],
          );
    },
  },
  {
    against: ['variance'],
    title: 'data augmentation',
    why: 'a mirrored or shifted cat is a new picture of a cat',
    set: (config) =>
      augments(config.data.augment) ? null : ['data.augment.flipHorizontal=true', 'data.augment.shift=0.05', ...anyForm(config)],
  },
  {
    against: ['variance'],
    addsBias: true,
    title: 'early stopping',
    why: 'where the dev cost turns up, the network starts to learn by heart',
    set: (config, { smallerInDev, devTurned }) =>
      config.training.earlyStopping || devTurned === false
        ? null
        : [...(smallerInDev === null ? withDev(config) : []), ...stoppingEarly(config)],
  },
  {
    against: ['variance'],
    addsBias: true,
    title: 'a smaller network',
    why: 'fewer weights can hold fewer pictures by heart',
    set: ({ model }) => unitsOf(model.layers, (units) => Math.ceil(units / 2)),
  },
];

/** What is to be mended, and what has to wait until that is: where no unit can learn, or steps throw the weights about, the rest of
 *  a diagnosis says nothing. */
function problemsOf(config: Config, finding: Finding): Problem[] {
  const { verdict, collapsed, worseThanGuessing, imbalance, tooFast, learntLater } = finding;
  const fails = collapsed || verdict.includes('bias');
  if (collapsed && staysAlike(config)) return ['symmetry'];
  if (worseThanGuessing || (fails && tooFast)) return ['guessing'];
  if (learntLater && verdict.includes('variance') && !collapsed)
    return [...(imbalance ? (['imbalance'] as const) : []), 'variance'];
  const sides = collapsed ? (['collapse'] as const) : (['bias', 'variance'] as const).filter((side) => verdict.includes(side));
  return [...(imbalance ? (['imbalance'] as const) : []), ...sides];
}

/** The notes' remedies for a finding that the config does not use yet. */
export function remediesFor(config: Config, finding: Finding): Advice[] {
  const problems = problemsOf(config, finding);
  return remedies.flatMap(({ against, addsBias, title, why, set }) => {
    const isWanted = against.some((one) => problems.includes(one)) && !(addsBias && problems.includes('bias'));
    const changes = isWanted ? set(config, finding) : null;
    if (changes === null) return [];
    return [{ title, why: typeof why === 'string' ? why : why(finding), set: [...changes, ...anyStart(config, changes)] }];
  });
}
