import type { Config } from '../config/schema.ts';
import { autoLearningRate } from './learning-rate.ts';
import { startsAlike } from './plan-warnings.ts';

/** What remedies ask of a config, and the changes, ready for --set, that they make of it. */

/** Hidden units that begin alike, and so stay alike whatever the rate and the time. */
export function staysAlike(config: Config): boolean {
  if (config.training.startFrom !== null) return false; // its weights are no initialiser's
  return config.model.layers.some((layer) => {
    if (!('activation' in layer) || layer.type === 'residual') return false;
    const own = layer.init ?? config.model.init;
    return own !== 'auto' && startsAlike(typeof own === 'string' ? { name: own, factor: 1 } : own);
  });
}

/** Normalisers that make inputs with a mean of 0. */
export const centred: readonly string[] = ['standardize', 'standardizeChannels'];
/** A rate that was chosen for other inputs is kept where it is not so many times off the automatic one. */
const farOff = 10;

/** Centred inputs, at a rate that fits them. */
export function centring(
  config: Config,
  { learningRates, inputs }: { learningRates: readonly number[]; inputs: number },
): string[] {
  const normalize = 'standardizeChannels';
  const fitting = autoLearningRate({ defaults: config.defaults, optimizer: config.training.optimizer.name, normalize, inputs });
  const isOff = learningRates.some((rate) => rate > farOff * fitting || rate < fitting / farOff);
  const changes = config.training.learningRate !== 'auto' && isOff ? ['training.learningRate=auto'] : [];
  return [`data.normalize=${normalize}`, ...changes];
}

/** Units with a slope everywhere; null where all have one. */
export function leaky(config: Config): string[] | null {
  const changes = config.model.layers.flatMap((layer, i) =>
    'activation' in layer && layer.activation === 'relu' ? [`model.layers.${i}.activation=leakyRelu`] : [],
  );
  return changes.length === 0 ? null : changes;
}

/** The changes that take L2 and dropout away; null where there is neither. */
export function unregularized(config: Config): string[] | null {
  const kept = config.model.layers.flatMap((layer, i) =>
    'keepProb' in layer && layer.keepProb < 1 ? [`model.layers.${i}.keepProb=1`] : [],
  );
  const changes = [...(config.training.l2 > 0 ? ['training.l2=0'] : []), ...kept];
  return changes.length === 0 ? null : changes;
}

export function isLinear(layers: Config['model']['layers']): boolean {
  return layers.length > 0 && layers.every((layer) => 'activation' in layer && layer.activation === 'linear');
}

/** Adam, for what is not better already. */
export function quicker(config: Config): string[] | null {
  const { optimizer } = config.training;
  if (optimizer.name !== 'gradientDescent') return null;
  return ['training.optimizer.name=adam', 'training.learningRate=auto', ...anyForm(config)];
}

/** For a change with which the dual form does not apply: where it is asked for, the config would be refused. */
export function anyForm(config: Config): string[] {
  return config.training.form === 'dual' ? ['training.form=auto'] : [];
}

const firstUnits = 20;

/** A hidden layer for logistic regression; rates that were one a layer are now too few. */
export function firstLayer(config: Config): string[] {
  const rate = Array.isArray(config.training.learningRate) ? ['training.learningRate=auto'] : [];
  return [`model.layers=[{"units":${firstUnits}}]`, ...rate];
}

/** For changes of the architecture: weights of a file fit the old one alone. */
export function anyStart(config: Config, changes: readonly string[]): string[] {
  const isOther = changes.some((change) => /^model\.layers(=|\.\d+\.(units|activation)=)/.test(change));
  return config.training.startFrom !== null && isOther ? ['training.startFrom=null'] : [];
}

/** Other numbers of units or filters, layer by layer, those in residual blocks too: what is added stays of one shape. Null where that changes nothing. */
export function unitsOf(layers: readonly LayerConfig[], change: (units: number) => number): string[] | null {
  const changes = sizesOf(layers, 'model.layers').flatMap(({ field, size }) =>
    change(size) === size ? [] : [`${field}=${change(size)}`],
  );
  return changes.length === 0 ? null : changes;
}

type LayerConfig = Config['model']['layers'][number];

function sizesOf(layers: readonly LayerConfig[], path: string): { field: string; size: number }[] {
  return layers.flatMap((layer, i) => {
    if ('layers' in layer) return sizesOf(layer.layers, `${path}.${i}.layers`);
    if ('units' in layer) return [{ field: `${path}.${i}.units`, size: layer.units }];
    return 'filters' in layer ? [{ field: `${path}.${i}.filters`, size: layer.filters }] : [];
  });
}

/** A dev part beside the test part that there is. */
export function withDev(config: Config): string[] {
  const { source, split } = config.data;
  const test = source !== undefined && typeof split === 'object' && 'test' in split ? split.test : undefined;
  return [`data.split={"dev":0.2${test === undefined ? '' : `,"test":${test}`}}`];
}

/** Looks at dev that tell when its cost turns. */
const leastLooks = 25;

/** Epochs without a better dev cost: a fifth of the training, and several looks, of which there must be many. A cost that falls slowly
 *  at first is no reason to stop. */
export function stoppingEarly(config: Config): string[] {
  const { epochs, evaluateEvery } = config.training;
  const every = Math.min(evaluateEvery, Math.max(1, Math.floor(epochs / leastLooks)));
  const patience = Math.max(10, 5 * every, Math.round(epochs / 5));
  const stopping = `training.earlyStopping={"patience":${patience}}`;
  return every === evaluateEvery ? [stopping] : [stopping, `training.evaluateEvery=${every}`];
}
