import { join, relative } from 'node:path';
import type { Classifier } from '../classifier/classifier.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { normalizers } from '../data/normalize.ts';
import type { ExitKind, UserError } from '../errors.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { kernelsFor } from '../kernels/select.ts';
import { initialParameters } from '../model/network.ts';
import { numpyRandom } from '../random.ts';
import { planText, type TrainPlan } from '../report/train-plan.ts';
import { type TrainSummary, trainText } from '../report/train-summary.ts';
import { loadClassifier, modelFileName, saveClassifier } from '../run/model-file.ts';
import { createRun, linkLatest, type RunFolder, runName, runsFolder, writeSplit, writeSummary } from '../run/run-folder.ts';
import { estimateSeconds } from '../training/estimate.ts';
import { type EpochEvent, type FitOptions, fit } from '../training/fit.ts';
import { diagnoseParts, judgeParts } from '../training/judge.ts';
import { describeLayers, type Plan, planTraining } from '../training/plan.ts';
import { type PreparedData, prepareData } from '../training/prepare.ts';
import type { Command, Context } from './command.ts';
import { numberOption } from './parse.ts';
import { readProgress, warnOfFailures } from './reading.ts';

interface Values {
  config: string;
  set?: string[];
  seed?: number;
  output?: string;
  force?: boolean;
  strict?: boolean;
  dryRun?: boolean;
}

export const command: Command<Values> = {
  options: [
    { flags: '-c, --config <file>', summary: 'the JSON config', required: true },
    {
      flags: '--set <path=value>',
      summary: 'override a field of the config, such as training.learningRate=0.01',
      repeatable: true,
    },
    {
      flags: '--seed <n>',
      summary: 'the same as --set seed=N',
      parse: numberOption('--seed', { low: 0, high: 2 ** 32 - 1, whole: true }),
    },
    { flags: '-o, --output <dir>', summary: 'the run folder (default: runs/<config>-<time>)' },
    { flags: '--force', summary: 'overwrite a run in --output' },
    { flags: '--strict', summary: 'refuse to train when a picture cannot be read' },
    { flags: '-n, --dry-run', summary: 'check config and data, print the plan, train nothing' },
    { flags: '--json', summary: 'print the summary as JSON' },
  ],
  examples: [
    'nn train --config configs/quickstart.json',
    'nn train --config my.json --set training.learningRate=0.01 --set \'model.layers=[{"units":20}]\'',
    'nn train --config my.json --output runs/mine --json > summary.json',
  ],
  run: train,
};

async function train(context: Context, values: Values): Promise<ExitKind | undefined> {
  const sets = [...(values.set ?? []), ...(values.seed === undefined ? [] : [`seed=${values.seed}`])];
  const loaded = await loadConfig(values.config, sets);
  const data = await prepareData(loaded, { strict: values.strict ?? false, onProgress: readProgress(context) });
  const kernels = kernelsFor(loaded.config.precision);
  const plan = planTraining(loaded.config, data, kernels);
  const warnings = [...warnOfFailures(context, data.failures), ...plan.warnings];
  for (const warning of plan.warnings) context.warn(warning);
  if (context.verbose) context.note(`first layer: ${plan.form.form} form (${plan.form.why})`);
  if (values.dryRun) return void printPlan(context, loaded, data, plan, warnings);

  const path = values.output ?? join(runsFolder(context.environment), runName(values.config, new Date()));
  const run = await createRun(path, loaded, values.force ?? false);
  try {
    await writeSplit(path, data.parts, data.classes);
    const started = performance.now();
    const outcome = await trainInto(run, { context, loaded, data, plan, kernels });
    const summary = await summarize(run, {
      loaded,
      data,
      plan,
      outcome,
      seconds: (performance.now() - started) / 1000,
      warnings,
    });
    if (!outcome.interrupted) await linkLatest(runsFolder(context.environment), path);
    context.print(context.json ? JSON.stringify(summary) : trainText(summary, data.classes, context.style));
  } finally {
    await run.close();
  }
  return context.signal.aborted ? (context.signal.reason as UserError).kind : undefined;
}

interface Job {
  context: Context;
  loaded: LoadedConfig;
  data: PreparedData;
  plan: Plan;
  kernels: Kernels;
}

interface Outcome {
  last: EpochEvent;
  interrupted: boolean;
}

/** Trains, journals every epoch, and saves the model in the run's folder, also when it is interrupted. */
async function trainInto(run: RunFolder, { context, loaded: { config }, data, plan, kernels }: Job): Promise<Outcome> {
  const options = fitOptions(config, data, plan, kernels);
  const bar = context.progress('epoch', config.training.epochs);
  let last: EpochEvent | undefined;
  try {
    for await (const event of fit(options)) {
      last = event;
      await run.appendJournal(event);
      const dev = event.dev === null ? '' : ` · dev ${(event.dev.accuracy * 100).toFixed(1)}%`;
      bar.update(event.epoch, `cost ${event.cost.toFixed(4)}${dev}`);
      if (context.signal.aborted) break;
    }
  } finally {
    bar.stop();
  }
  if (last === undefined) throw context.signal.reason;
  await saveClassifier(join(run.path, modelFileName), classifierOf(config, data, options));
  return { last, interrupted: last.epoch < config.training.epochs };
}

function fitOptions(config: LoadedConfig['config'], data: PreparedData, plan: Plan, kernels: Kernels): FitOptions {
  const { train, dev } = data.parts;
  const { loss, optimizer, epochs, evaluateEvery, threshold } = config.training;
  return {
    network: plan.network,
    parameters: initialParameters(plan.network, kernels, numpyRandom(config.seed)),
    kernels,
    form: plan.form.form,
    map: normalizers[config.data.normalize].fit(train.pixels, train.features),
    train,
    dev: dev ?? null,
    loss,
    optimizer: optimizer.name,
    learningRate: plan.learningRate,
    epochs,
    evaluateEvery,
    threshold,
  };
}

function classifierOf(config: LoadedConfig['config'], data: PreparedData, { network, parameters, map }: FitOptions): Classifier {
  const { precision, training } = config;
  const { preprocessing, classes } = data;
  const { threshold, loss } = training;
  return { network, parameters, map, precision, preprocessing, classes, threshold, loss, normalize: config.data.normalize };
}

interface Finished {
  loaded: LoadedConfig;
  data: PreparedData;
  plan: Plan;
  outcome: Outcome;
  seconds: number;
  warnings: string[];
}

/** Judges the model as it was saved, by the path of `nn evaluate`, and writes summary.json. */
async function summarize(
  run: RunFolder,
  { loaded: { config }, data, plan, outcome, seconds, warnings }: Finished,
): Promise<TrainSummary> {
  const { classifier, file } = await loadClassifier(run.path);
  const metrics = judgeParts(classifier, data.parts);
  const summary: TrainSummary = {
    run: relative('', run.path) || '.',
    model: relative('', file),
    seed: config.seed,
    seconds,
    epochs: outcome.last.epoch,
    bestEpoch: outcome.last.epoch,
    stopped: outcome.interrupted ? 'interrupted' : 'finished',
    parameters: plan.parameters,
    examples: plan.examples,
    metrics,
    diagnosis: diagnoseParts(metrics, config),
    warnings,
  };
  await writeSummary(run.path, summary);
  return summary;
}

function printPlan(context: Context, { config, file }: LoadedConfig, data: PreparedData, plan: Plan, warnings: string[]): void {
  const kernels = kernelsFor(config.precision);
  const { memoryBytes, learningRate, parameters, examples, network, form } = plan;
  const { epochs } = config.training;
  const planned: TrainPlan = {
    config: file,
    examples,
    classes: data.classes,
    layers: describeLayers(network),
    parameters,
    learningRate,
    epochs,
    form,
    memoryBytes,
    estimatedSeconds: estimateSeconds(fitOptions(config, data, plan, kernels)),
    warnings,
  };
  context.print(context.json ? JSON.stringify(planned) : planText(planned));
}
