import { tmpdir } from 'node:os';
import { evaluateClassifier } from '../classifier/classifier.ts';
import { checkConfig, type LoadedConfig } from '../config/load.ts';
import type { Config, SearchConfig } from '../config/schema.ts';
import { type CacheFolder, type DecodeCache, withCache } from '../data/cache/decode-cache.ts';
import { scratchIn } from '../data/scratch.ts';
import { type PreparedData, prepareData } from '../datasets/prepare.ts';
import { UserError } from '../errors.ts';
import { wilsonInterval } from '../evaluation/statistics.ts';
import { kernelsFor } from '../kernels/select.ts';
import { type RangeName, ranges } from '../nn/search-ranges.ts';
import { namedRandom } from '../random.ts';
import type { Metrics } from '../results/metrics.ts';
import type { TrialJob, TrialResult, TrialScore } from '../results/tuning.ts';
import { refuseWrongStep } from './check-step.ts';
import { classifierOf, crossValidate, requireDev } from './cross-validation.ts';
import { evaluateTrained } from './divergence.ts';
import { type EpochEvent, fit } from './fit.ts';
import { planTraining, prepareFit, type TrainingExtras } from './plan.ts';

/** What trial i tries: it depends on the seed and i alone, and each field on its own name, so that one more field leaves
 *  the others as they were. */
export function trialSets(search: SearchConfig, seed: number, trial: number): string[] {
  return Object.entries(search.parameters).map(([path, range]) => {
    const [name, bounds] = Object.entries(range)[0] as [RangeName, unknown[]];
    return `${path}=${JSON.stringify(ranges[name].draw(namedRandom(seed, `tune ${path}`, trial), bounds))}`;
  });
}

/** The config of a trial, ready for `nn train`. @throws UserError (usage) where a drawn value is no value of the field */
export function trialConfig({ config, file }: LoadedConfig, sets: readonly string[]): Config {
  const { search: _, ...rest } = config;
  return checkConfig(rest, file, sets);
}

/** Reads pictures once for all trials that look at the same ones. One trial follows the other.
 *  @param place    of the cache of decoded pictures
 *  @param folders  for pixels that memory should not hold */
export function trialData(
  place?: CacheFolder,
  folders: readonly string[] = [tmpdir()],
): (loaded: LoadedConfig) => Promise<PreparedData> {
  const scratch = scratchIn(folders);
  let kept: { key: string; data: Promise<PreparedData> } | undefined;
  return ({ config, folder, file }) => {
    const { normalize: _, augment: __, shuffle: ___, ...which } = config.data;
    const key = JSON.stringify([which, config.seed]);
    if (kept?.key !== key) {
      scratch.close(); // what other trials looked at
      const read = (cache: DecodeCache | undefined) => prepareData({ config, folder, file }, { strict: false, cache, scratch });
      kept = { key, data: withCache(place, () => {}, read) }; // `nn tune` read them before, and gave the cache's warning
    }
    return kept.data;
  };
}

/** Trains one trial and scores it on dev, never on test. A divergence is a result, and so are drawn values that make a network that does not
 *  fit, such as windows larger than their images; what is wrong with the config whatever is drawn is not. */
export async function runTrial(
  loaded: LoadedConfig,
  job: TrialJob,
  { dataOf, extras }: { dataOf: (loaded: LoadedConfig) => Promise<PreparedData>; extras: TrainingExtras },
): Promise<TrialResult> {
  const set = trialSets(loaded.config.search!, loaded.config.seed, job.trial);
  const started = performance.now();
  const config = withEpochs(trialConfig(loaded, set), job.epochs);
  const data = await dataOf({ ...loaded, config });
  const finish = (score: TrialScore | null, error: string | null): TrialResult => ({
    ...job,
    set,
    score,
    error,
    seconds: (performance.now() - started) / 1000,
  });
  try {
    return finish(await scoreOf(config, data, extras), null);
  } catch (error) {
    if (error instanceof UserError && (error.kind === 'diverged' || isMisfit(loaded, set, data)))
      return finish(null, error.lines[0]!);
    throw error;
  }
}

/** Whether it is the drawn values alone that make a network which can't be trained on those pictures. */
export function isMisfit(loaded: LoadedConfig, set: readonly string[], { splits }: PreparedData): boolean {
  const fits = (config: Config) => {
    try {
      planTraining(config, splits, kernelsFor(config.precision, config.arithmetic));
      return true;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return false;
    }
  };
  return !fits(trialConfig(loaded, set)) && fits(trialConfig(loaded, []));
}

function withEpochs(config: Config, epochs: number): Config {
  return { ...config, training: { ...config.training, epochs } };
}

async function scoreOf(config: Config, data: PreparedData, extras: TrainingExtras): Promise<TrialScore> {
  requireDev(config, data);
  if (data.folds !== null) return foldsScore(config, { ...data, folds: data.folds }, extras);
  const { dev, train } = data.splits;
  if (dev === undefined) {
    throw new UserError('usage', 'nn tune: expected a dev part to rank trials by, found none', {
      hint: 'Cut one with data.split, such as { "dev": 0.2 }, or cross-validate with { "folds": 5 }.',
    });
  }
  const kernels = kernelsFor(config.precision, config.arithmetic);
  const options = await prepareFit(config, { train, dev }, planTraining(config, { train, dev }, kernels), kernels, extras);
  refuseWrongStep(options);
  let last: EpochEvent | undefined;
  for await (const event of fit(options)) if (event.type === 'epoch') last = event;
  const judged = async () => evaluateClassifier(await classifierOf(config, data, options), kernels, dev);
  const { metrics } = await evaluateTrained(options, judged, ({ metrics: { cost } }) => [cost]);
  return {
    cost: metrics.cost,
    accuracy: metrics.accuracy,
    accuracyInterval: metrics.accuracyInterval,
    bestEpoch: last!.bestEpoch,
  };
}

async function foldsScore(
  config: Config,
  data: Parameters<typeof crossValidate>[1],
  extras: TrainingExtras,
): Promise<TrialScore> {
  const parts: { metrics: Metrics; bestEpoch: number }[] = [];
  for await (const _ of crossValidate(config, data, extras, ({ folds }) => parts.push(...folds)));
  const total = ({ confusion: { tp, fp, fn, tn } }: Metrics) => tp + fp + fn + tn;
  const m = parts.reduce((sum, { metrics }) => sum + total(metrics), 0);
  const correct = parts.reduce((sum, { metrics: { confusion } }) => sum + confusion.tp + confusion.tn, 0);
  return {
    cost: parts.reduce((sum, { metrics }) => sum + metrics.cost * total(metrics), 0) / m,
    accuracy: correct / m,
    accuracyInterval: wilsonInterval(correct, m),
    bestEpoch: Math.round(parts.reduce((sum, { bestEpoch }) => sum + bestEpoch, 0) / parts.length),
  };
}
