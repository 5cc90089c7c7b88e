import type { LoadedConfig } from '../config/load.ts';
import { countPositive } from '../data/examples.ts';
import { divisionsOf, foldsWithoutDev, isDivisible, isFolded, pooledLabels } from '../datasets/divisions.ts';
import type { PreparedData } from '../datasets/prepare.ts';
import { halvesOf } from '../evaluation/honest-gain.ts';
import { namedRandom } from '../random.ts';
import type { Experiment } from '../results/experiments.ts';
import type { Pictures } from '../training/work.ts';
import type { Setting } from './treatments.ts';

/** What a diagnosis is of: a config, the pictures that its networks are evaluated on, and how many seeds. */
export interface DiagnosisSetup {
  loaded: LoadedConfig;
  setting: Setting;
  pictures: Pictures;
  /** 1 or 0, of train and, behind them, of dev */
  labels: Uint8Array;
  /** rows of `labels` that networks of a division are evaluated on, ascending */
  evaluationRows(division: number): Int32Array;
  /** the labels of those of division 0 */
  evaluationLabels: Uint8Array;
  /** of each of them the half that it is in, 0 or 1 */
  half: Uint8Array;
  /** how many folds of train are evaluated on; null where dev is */
  folds: number | null;
  /** whether both classes count the same, however many pictures each has */
  isBalanced: boolean;
  isDivisible: boolean;
  /** whether there is a test part */
  hasTest: boolean;
  /** how many; null where time decides */
  seeds: number | null;
  /** whether time is limited */
  isTimed: boolean;
  /** whether what can't win any more gets no more seeds */
  isRaced: boolean;
}

/** A class of less than this share is hidden by accuracy. */
const unequal = 0.25;

export function setupOf(
  loaded: LoadedConfig,
  data: PreparedData,
  asked: Pick<DiagnosisSetup, 'seeds' | 'isTimed' | 'isRaced' | 'hasTest'>,
): DiagnosisSetup {
  const { train, dev } = data.splits;
  const labels = pooledLabels(data);
  const { seed } = loaded.config;
  const made = new Map<number, Int32Array>();
  const evaluationRows = (division: number) => {
    const known = made.get(division);
    if (known !== undefined) return known;
    const rows = divisionsOf(data, seed, division).flatMap(({ judged }) => [...judged]);
    const sorted = Int32Array.from(rows).sort();
    made.set(division, sorted);
    return sorted;
  };
  const evaluationLabels = Uint8Array.from(evaluationRows(0), (row) => labels[row]!);
  const positive = countPositive(train.labels);
  const smaller = Math.min(positive, train.labels.length - positive);
  const folds = isFolded(data) ? (data.folds?.count ?? foldsWithoutDev) : null;
  return {
    loaded,
    setting: {
      inputs: train.features,
      side: loaded.config.data.imageSize,
      train: train.labels.length,
      smaller,
      hasDev: dev !== undefined || data.folds !== null,
    },
    pictures: { features: train.features, train: train.labels.length, dev: dev?.labels.length ?? 0 },
    labels,
    evaluationRows,
    evaluationLabels,
    half: halvesOf(evaluationLabels, namedRandom(seed, 'halves')),
    folds,
    isBalanced: smaller / train.labels.length < unequal,
    isDivisible: isDivisible(data),
    ...asked,
  };
}

/** Seeds that chose nothing stand so far from those that did. */
const fresh = 1000;
const seedCount = 2 ** 32;

/** The i-th seed of what is tried; the first is that of the config. */
export const seedOf = ({ loaded: { config } }: DiagnosisSetup, i: number) => (config.seed + i) % seedCount;
/** The i-th seed of what measures again. */
export const freshSeedOf = (setup: DiagnosisSetup, i: number) => seedOf(setup, fresh + i);

/** An experiment on all of train, judged by what judges. */
export const trainingOf = (set: readonly string[], seed: number): Experiment => ({
  set: [...set],
  seed,
  share: 1,
  division: 0,
  readsTest: false,
});

/** Of each picture that judges, where classes are to count the same. */
export function weightsOf(labels: Uint8Array, { isBalanced }: Pick<DiagnosisSetup, 'isBalanced'>): Float64Array | undefined {
  const positive = countPositive(labels);
  if (!isBalanced || positive === 0 || positive === labels.length) return undefined;
  const of = [labels.length / (2 * (labels.length - positive)), labels.length / (2 * positive)];
  return Float64Array.from(labels, (label) => of[label]!);
}
