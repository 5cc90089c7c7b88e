import { checkConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { type Augmentation, augments } from '../data/augment.ts';
import { batchLength } from '../data/batches.ts';
import { firstUnits, opsOf } from '../nn/build.ts';
import { parameterCount } from '../nn/network.ts';
import { featuresOf, type Op } from '../nn/op.ts';
import type { Remedy } from '../results/summary.ts';
import { formOf, networkOf } from './plan.ts';
import { stagesOf, workUntil } from './stages.ts';

/** How long trainings take beside one another, by counts alone: the same on every machine, and nothing is timed. */

/** Of a training's parts. */
export interface Pictures {
  /** n_x */
  features: number;
  train: number;
  dev: number;
}

/** Nanoseconds of one thread, measured on x86 (Node 20): no more than their ratios matters. bench/work.mjs measures them. */
const nanoseconds = {
  /** before the first step: threads, the gradient check, the first checkpoint */
  start: 3e8,
  step: 4e4,
  /** of a multiplication in float32; float64 takes two */
  product: 0.082,
  /** of a multiplication of a convolution in float32, counted as a straight product */
  convolved: 0.042,
  /** of a number of a channel at a place that an op of images makes or moves */
  place: 1.8,
  /** of a pixel that is made a number, forward and backward */
  pixel: 0.044,
  /** of a multiplication in the dual form, in float64 */
  dual: 0.2,
  /** of a parameter that a step moves */
  parameter: 3,
  /** of an augmented picture's random stream */
  draws: 8000,
};

/** Of a value of an augmented picture, by what is asked for. */
const augmenting: readonly (readonly [(keyof Augmentation)[], number])[] = [
  [['flipHorizontal', 'flipVertical'], 0.4],
  [['shift', 'zoom', 'rotate', 'aspect'], 4],
  [['brightness', 'contrast', 'tint'], 0.5],
  [['saturation'], 0.5],
  [['noise'], 100],
];

/** Of an augmented picture. */
function ofAugmenting(augmentation: Augmentation, features: number): number {
  const isOn = (kind: keyof Augmentation) => augments({ [kind]: augmentation[kind] });
  const each = augmenting.reduce((sum, [kinds, one]) => (kinds.some(isOn) ? sum + one : sum), 0);
  return each === 0 ? 0 : nanoseconds.draws + features * each;
}

/** Of an example's way through an op, forward; backward twice that, or as much where nobody asks for the input's gradient. */
function ofOp({ multiplications, output }: Op): number {
  const isImage = 'height' in output;
  const moved = isImage ? featuresOf(output) * nanoseconds.place : 0;
  return moved + multiplications * (isImage ? nanoseconds.convolved : nanoseconds.product);
}

/** What a training of so many epochs takes.
 *  @param isOneMore  whether others made the inner products of its pictures */
export function workOf(config: Config, pictures: Pictures, epochs: number, isOneMore = false): number {
  const { features, train: m, dev } = pictures;
  const { training, data, precision } = config;
  const network = networkOf(config, features);
  const wide = precision === 'float64' ? 2 : 1;
  const [lowest, ...above] = opsOf(network);
  const upper = above.reduce((sum, op) => sum + ofOp(op), 0) * wide;
  const looks = dev / training.evaluateEvery;
  const steps = Math.ceil(m / batchLength(training.batchSize, m));
  if (formOf(config, network, { train: m, dev }).form === 'dual') {
    const units = firstUnits(network);
    const once = features * m * ((isOneMore ? 0 : m + dev) + units) * nanoseconds.dual;
    const first = units * m * (m + looks) * nanoseconds.dual;
    return nanoseconds.start + once + epochs * (steps * nanoseconds.step + first + upper * (3 * m + looks));
  }
  const first = (features * nanoseconds.pixel + ofOp(lowest!)) * wide;
  const stages = stagesOf(training.progressive, network, { epochs, normalize: data.normalize });
  const each = (2 * first + 3 * upper) * (workUntil(stages, network, epochs) / epochs) + ofAugmenting(data.augment, features);
  const step = nanoseconds.step + parameterCount(network) * nanoseconds.parameter;
  return nanoseconds.start + epochs * (steps * step + m * each + looks * (first + upper));
}

/** How long a training with a remedy takes. */
export type Duration = Pick<Remedy, 'timesAsLong' | 'affordable'>;

/** From so many times as long on, it is said how to make it affordable. */
const dear = 100;
const smallerBatches = [64, 32, 16];
const fewerEpochs = 10;

/** How long a training with changes would take, beside one that took so many epochs.
 *  @param set  as for --set */
export function durationOf(config: Config, set: readonly string[], pictures: Pictures, epochs: number): Duration {
  if (set.length === 0) return { timesAsLong: null, affordable: null };
  const now = workOf(config, pictures, epochs);
  const times = (sets: readonly string[]) => Number((changedWork(config, sets, pictures, epochs) / now).toPrecision(2));
  const timesAsLong = times(set);
  if (timesAsLong < dear) return { timesAsLong, affordable: null };
  const choices = cheaper(config, pictures.train).map((more) => ({ set: more, timesAsLong: times([...set, ...more]) }));
  return { timesAsLong, affordable: choices.reduce((a, b) => (b.timesAsLong < a.timesAsLong ? b : a)) };
}

function changedWork(config: Config, set: readonly string[], pictures: Pictures, epochs: number, isOneMore = false): number {
  const changed = checkConfig(config, 'a remedy', set);
  return workOf(changed, withDrawn(pictures, config, changed), epochsOf(config, changed, epochs), isOneMore);
}

/** How many times as long one more training takes with changes as without, where others made the inner products that it needs. */
export function timesOfOneMore(config: Config, set: readonly string[], pictures: Pictures): number {
  const { epochs } = config.training;
  return changedWork(config, set, pictures, epochs, true) / workOf(config, pictures, epochs, true);
}

/** As many steps in smaller batches; where there are no smaller ones, fewer epochs. */
function cheaper(config: Config, m: number): string[][] {
  const { batchSize, epochs } = config.training;
  const batch = batchLength(batchSize, m);
  const inBatches = smallerBatches
    .filter((size) => size < batch)
    .map((size) => {
      const fewer = Math.max(1, Math.round((epochs * Math.ceil(m / batch)) / Math.ceil(m / size)));
      return [`training.batchSize=${size}`, `training.epochs=${fewer}`];
    });
  return inBatches.length > 0 ? inBatches : [[`training.epochs=${Math.max(1, Math.round(epochs / fewerEpochs))}`]];
}

/** A training that draws more pictures has more. */
function withDrawn(pictures: Pictures, config: Config, changed: Config): Pictures {
  const [before, now] = [config.data.source, changed.data.source];
  if (before?.type !== 'drawn' || now?.type !== 'drawn') return pictures;
  const times = now.count / before.count;
  return { ...pictures, train: Math.round(pictures.train * times), dev: Math.round(pictures.dev * times) };
}

/** The epochs that a changed training takes where this one took so many: early stopping and time end it as they did, later where
 *  they have more patience. */
function epochsOf(config: Config, changed: Config, epochs: number): number {
  const [before, now] = [config.training, changed.training];
  const patience = now.earlyStopping && before.earlyStopping ? now.earlyStopping.patience - before.earlyStopping.patience : 0;
  const time = now.maxMinutes !== null && before.maxMinutes !== null ? now.maxMinutes / before.maxMinutes : 1;
  return Math.min(now.epochs, Math.round(((epochs * now.epochs) / before.epochs) * time) + patience);
}
