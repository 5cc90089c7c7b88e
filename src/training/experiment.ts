import { evaluateClassifier, probability } from '../classifier/classifier.ts';
import { checkConfig, type LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { ExampleSet } from '../data/examples.ts';
import { divisionsOf, isFolded, nestedShare, pooledLabels, splitsOfDivision } from '../datasets/divisions.ts';
import type { PreparedData, Splits } from '../datasets/prepare.ts';
import { UserError } from '../errors.ts';
import { kernelsFor } from '../kernels/select.ts';
import type { Experiment, ExperimentResult } from '../results/experiments.ts';
import { type Answers, packAnswers, packBits } from './answers.ts';
import { refuseWrongStep } from './check-step.ts';
import { afterFolds, type CrossValidation, classifierOf, crossValidate } from './cross-validation.ts';
import { evaluateTrained } from './divergence.ts';
import { type EpochEvent, fit } from './fit.ts';
import { planTraining, prepareFit, type TrainingExtras } from './plan.ts';

/** A training of `nn diagnose`, and its answers for pictures that it did not train on. */

/** Where the pictures of experiments come from. */
export interface ExperimentSource {
  /** train and dev */
  data(): Promise<PreparedData>;
  /** the test part: the last trainings alone ask for it; null where there is none */
  test(): Promise<ExampleSet | null>;
}

/** The config of an experiment. @throws UserError (usage) where the changes make none */
export function experimentConfig({ config, file }: LoadedConfig, { set, seed }: Pick<Experiment, 'set' | 'seed'>): Config {
  const { search: _, ...rest } = config;
  return { ...checkConfig(rest, file, set), seed };
}

/** The same pictures without the test part, which is not even read where it has a source of its own. */
export function withoutTest(loaded: LoadedConfig): LoadedConfig {
  const { test: _, ...data } = loaded.config.data;
  return { ...loaded, config: { ...loaded.config, data } };
}

/** Trains and judges. A divergence is a result; what is wrong with the config is not. */
export async function runExperiment(
  loaded: LoadedConfig,
  job: Experiment,
  { source, extras }: { source: ExperimentSource; extras: TrainingExtras },
): Promise<ExperimentResult> {
  const config = experimentConfig(loaded, job);
  const made = { config, data: await source.data(), extras: fittingFiles(config, extras) };
  extras.products?.spent(); // of jobs before this one
  const started = performance.now(); // reading is done once for many
  const finish = (found: Omit<ExperimentResult, keyof Experiment | 'seconds' | 'sharedSeconds'>): ExperimentResult => {
    const { once, now } = extras.products?.spent() ?? { once: 0, now: 0 };
    return { ...job, ...found, seconds: (performance.now() - started) / 1000 - now + once, sharedSeconds: once };
  };
  try {
    return finish({ ...(await judged(made, job, { seed: loaded.config.seed, source })), error: null });
  } catch (error) {
    if (!(error instanceof UserError && error.kind === 'diverged')) throw error;
    return finish({ judged: null, test: null, trainError: null, epochs: 0, bestEpoch: null, error: error.message });
  }
}

/** What a training is made of. */
interface Made {
  config: Config;
  data: PreparedData;
  extras: TrainingExtras;
}

/** Weights of a file fit the network of the config that named it. */
function fittingFiles({ training }: Config, { initialWeights, ...rest }: TrainingExtras): TrainingExtras {
  return training.startFrom === null ? rest : { ...rest, initialWeights };
}

/** @param seed  of the config, by which its pictures are divided */
async function judged(
  made: Made,
  { share, division, seed: draw, readsTest }: Experiment,
  { seed, source }: { seed: number; source: ExperimentSource },
): Promise<Pick<ExperimentResult, 'judged' | 'test' | 'trainError' | 'epochs' | 'bestEpoch'>> {
  const { data } = made;
  const labels = pooledLabels(data);
  const all: Answers = { p: new Float64Array(labels.length), right: new Uint8Array(labels.length) };
  const rows: number[] = [];
  const trained: Trained[] = [];
  for (const one of divisionsOf(data, seed, division)) {
    const train = nestedShare(one.train, labels, share, { seed, draw });
    const parts = await splitsOfDivision(data, { ...one, train });
    const network = await trainOn(made, parts);
    const { p, right } = await network.answer(parts.dev);
    for (const [i, row] of one.judged.entries()) [all.p[row], all.right[row]] = [p[i]!, right[i]!];
    rows.push(...one.judged);
    trained.push(network);
  }
  rows.sort((a, b) => a - b);
  const test = readsTest ? await source.test() : null;
  const last = test === null ? null : isFolded(data) ? await trainWhole(made) : trained[0]!;
  return {
    judged: packAnswers({
      p: Float64Array.from(rows, (row) => all.p[row]!),
      right: Uint8Array.from(rows, (row) => all.right[row]!),
    }),
    test: test && last && { ...packAnswers(await last.answer(test)), labels: packBits(test.labels) },
    trainError: trained.reduce((sum, { trainError }) => sum + trainError, 0) / trained.length,
    epochs: trained.reduce((sum, { epochs }) => sum + epochs, 0),
    bestEpoch: Math.round(trained.reduce((sum, { bestEpoch }) => sum + bestEpoch, 0) / trained.length),
  };
}

interface Trained {
  trainError: number;
  epochs: number;
  bestEpoch: number;
  answer(examples: ExampleSet): Promise<Answers>;
}

/** @param chosen  by folds before, where there is no dev to choose by */
async function trainOn({ config, data, extras }: Made, parts: Splits, chosen: CrossValidation | null = null): Promise<Trained> {
  const kernels = kernelsFor(config.precision, config.arithmetic);
  const options = await prepareFit(config, parts, planTraining(config, parts, kernels), kernels, extras);
  refuseWrongStep(options);
  let last: EpochEvent | undefined;
  for await (const event of fit(options)) if (event.type === 'epoch') last = event;
  const classifier = await classifierOf(config, data, options, chosen?.temperature);
  const judge = (examples: ExampleSet) =>
    evaluateTrained(
      options,
      () => evaluateClassifier(classifier, kernels, examples),
      ({ metrics: { cost } }) => [cost],
    );
  const answer = async (examples: ExampleSet): Promise<Answers> => {
    const p = (await judge(examples)).logits.map(probability);
    return { p, right: Uint8Array.from(p, (value, i) => Number(value > classifier.threshold === (examples.labels[i] === 1))) };
  };
  const { metrics } = await judge(parts.train);
  return { trainError: metrics.error, epochs: last!.epoch, bestEpoch: last!.bestEpoch, answer };
}

/** The final training of a config without dev, on all of its pictures: what would be chosen on dev is chosen by its folds, as nn train does. */
async function trainWhole(made: Made): Promise<Trained> {
  const { config, data, extras } = made;
  const whole = { train: data.splits.train };
  const { earlyStopping, threshold, calibrate } = config.training;
  if (earlyStopping === false && typeof threshold === 'number' && !calibrate) return trainOn(made, whole);
  const folds = data.folds!;
  let found: CrossValidation | null = null;
  for await (const _ of crossValidate(config, { ...data, folds }, extras, (result) => {
    found = result;
  }));
  return trainOn({ ...made, config: afterFolds(config, found!) }, whole, found);
}
