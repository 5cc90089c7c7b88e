import { checkConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { prepareData, type Splits } from '../../src/datasets/prepare.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import type { Diagnosis } from '../../src/results/summary.ts';
import { nextDevCourse } from '../../src/training/cost-curve.ts';
import { classifierOf } from '../../src/training/cross-validation.ts';
import { evaluateTrained } from '../../src/training/divergence.ts';
import { type EpochEvent, fit } from '../../src/training/fit.ts';
import { planTraining, prepareFit } from '../../src/training/plan.ts';
import { alarmsWithoutOthers, type Course, diagnoseParts, evaluateSplits } from '../../src/training/summarize.ts';
import { gradientWatch } from '../../src/training/watch.ts';

/** What `nn train` makes of a config, but for the files and the words. */
export interface Trained {
  metrics: Awaited<ReturnType<typeof evaluateSplits>>;
  journal: EpochEvent[];
  diagnosis: Diagnosis | null;
  /** what is told where nothing but train is there */
  alarms: string[];
  warnings: string[];
}

/** Trains to the end. @throws UserError (diverged) */
export async function trainedOn(config: Config, parts: Splits): Promise<Trained> {
  const kernels = kernelsFor(config.precision, config.arithmetic);
  const plan = planTraining(config, parts, kernels);
  const options = await prepareFit(config, parts, plan, kernels);
  const batchNorm = config.model.layers.some((layer) => 'batchNorm' in layer && layer.batchNorm);
  const watch = gradientWatch({ examples: parts.train.labels.length, batchNorm });
  const journal: EpochEvent[] = [];
  let dev: Course['dev'] = null;
  for await (const event of fit(options)) {
    if (event.type !== 'epoch') continue;
    journal.push(event);
    if (event.layers) watch.look(event.epoch, event.layers);
    if (event.dev) dev = nextDevCourse(dev, event.epoch, event.dev.cost);
  }
  const { epoch: epochs, stopped } = journal.at(-1)!;
  const course: Course = { costs: journal.map(({ cost }) => cost), dev, dead: watch.isDead(), stopped: stopped!, epochs };
  const setting = {
    classes: { positive: 'cat', negative: 'noncat' },
    preprocessing: { imageSize: config.data.imageSize, fit: 'cover' },
  } as const;
  const metrics = await evaluateTrained(
    plan,
    async () => evaluateSplits(await classifierOf(config, setting, options), parts),
    (judged) => Object.values(judged).flatMap((part) => part?.cost ?? []),
  );
  return {
    ...{ metrics, journal, warnings: plan.warnings },
    diagnosis: diagnoseParts(metrics, { config, plan }, course),
    alarms: alarmsWithoutOthers({ ...metrics, dev: null, test: null }, { config, plan }, course),
  };
}

const read = new Map<string, Promise<Splits>>();

/** The parts of a config whose pictures are drawn: once for all that look at the same ones. */
export function splitsOf(config: Config): Promise<Splits> {
  const { source, split, imageSize } = config.data;
  const key = JSON.stringify([source, split, imageSize, config.seed]);
  const data = { source, split, imageSize, duplicates: 'ignore' };
  const load = async () => {
    const plain = checkConfig({ data, seed: config.seed }, 'test');
    return (await prepareData({ config: plain, folder: '.', file: 'test' }, { strict: true })).splits;
  };
  if (!read.has(key)) read.set(key, load());
  return read.get(key)!;
}
