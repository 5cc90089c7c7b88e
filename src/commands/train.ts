import { join, relative } from 'node:path';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { augments } from '../data/augment.ts';
import { batchLength } from '../data/batches.ts';
import { type ExitKind, systemReason, type UserError } from '../errors.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { kernelsFor, useThreads } from '../kernels/select.ts';
import { planText, type TrainPlan } from '../report/train-plan.ts';
import { type TrainSummary, trainText } from '../report/train-summary.ts';
import { loadClassifier, modelFileName, saveClassifier } from '../run/model-file.ts';
import { latestName, runsFolder } from '../run/places.ts';
import {
  createRun,
  freePath,
  linkLatest,
  type RunFolder,
  refuseRun,
  runName,
  writeSplit,
  writeSummary,
} from '../run/run-folder.ts';
import { refuseWrongGradient } from '../training/check-gradients.ts';
import {
  afterFolds,
  type CrossValidation,
  classifierOf,
  crossValidate,
  meanAndSpread,
  requireDev,
} from '../training/cross-validation.ts';
import { DivergedError } from '../training/divergence.ts';
import { estimateSeconds } from '../training/estimate.ts';
import { type EpochEvent, type FitOptions, fit } from '../training/fit.ts';
import { diagnoseParts, judgeParts } from '../training/judge.ts';
import { gradientWatch } from '../training/layer-norms.ts';
import { costOscillates } from '../training/oscillation.ts';
import { describeLayers, type Extras, fitOptions, type Plan, planTraining } from '../training/plan.ts';
import { type PreparedData, prepareData } from '../training/prepare.ts';
import type { Command, Context } from './command.ts';
import { readExtras } from './extras.ts';
import { printFoundRate } from './find-rate.ts';
import { configOption, setOption, threadsOption } from './options.ts';
import { numberOption } from './parse.ts';
import { readProgress, warnOfFailures, withDecoded } from './reading.ts';

interface Values {
  config: string;
  set?: string[];
  seed?: number;
  output?: string;
  force?: boolean;
  strict?: boolean;
  dryRun?: boolean;
  findRate?: boolean;
  threads?: number;
}

export const command: Command<Values> = {
  options: [
    configOption,
    setOption,
    {
      flags: '--seed <n>',
      summary: 'the same as --set seed=N',
      parse: numberOption('--seed', { low: 0, high: 2 ** 32 - 1, whole: true }),
    },
    { flags: '-o, --output <dir>', summary: 'the run folder (default: runs/<config>-<time>)' },
    { flags: '--force', summary: 'overwrite a run in --output' },
    { flags: '--strict', summary: 'refuse to train when a picture cannot be read' },
    { flags: '-n, --dry-run', summary: 'check config and data, print the plan, train nothing' },
    { flags: '--find-rate', summary: 'try learning rates from tiny to huge, plot the cost, propose one; nothing is saved' },
    threadsOption,
    { flags: '--json', summary: 'print the summary as JSON' },
  ],
  examples: [
    'nn train --config configs/quickstart.json',
    'nn train --config my.json --set training.learningRate=0.01 --set \'model.layers=[{"units":20}]\'',
    'nn train --config my.json --find-rate',
    'nn train --config my.json --output runs/mine --json > summary.json',
  ],
  run: train,
};

/** What a training is given, and the warnings that it gathers. */
interface Job {
  context: Context;
  loaded: LoadedConfig;
  data: PreparedData;
  extras: Extras;
  kernels: Kernels;
  warn(text: string): void;
  warnings: string[];
}

async function train(context: Context, values: Values): Promise<ExitKind | undefined> {
  useThreads(values.threads, context.environment);
  const sets = [...(values.set ?? []), ...(values.seed === undefined ? [] : [`seed=${values.seed}`])];
  const loaded = await loadConfig(values.config, sets);
  if (values.output !== undefined && !values.dryRun) await refuseRun(values.output, values.force ?? false);
  const reading = { strict: values.strict ?? false, onProgress: readProgress(context) };
  const data = await withDecoded(context, (cache) => prepareData(loaded, { ...reading, cache }));
  requireDev(loaded.config, data);
  const kernels = kernelsFor(loaded.config.precision);
  const plan = planTraining(loaded.config, data.parts, kernels);
  const extras = await readExtras(loaded, plan.network);
  const warnings = warnOfFailures(context, data.failures);
  const warn = (text: string) => {
    warnings.push(text);
    context.warn(text);
  };
  for (const text of [...data.notes, ...plan.warnings]) warn(text);
  if (context.verbose) context.note(`first layer: ${plan.form.form} form (${plan.form.why})`);
  const job: Job = { context, loaded, data, extras, kernels, warn, warnings };
  if (values.dryRun) return void printPlan(job, plan);
  if (values.findRate) {
    await printFoundRate(context, fitOptions(loaded.config, data.parts, plan, kernels, extras));
    return undefined;
  }

  const path = values.output ?? (await freePath(join(runsFolder(context.environment), runName(values.config, new Date()))));
  const run = await createRun(path, loaded, values.force ?? false);
  try {
    await writeSplit(path, data.parts, data.classes);
    const started = performance.now();
    const folds = data.folds === null ? null : await trainFolds(run, job, { ...data, folds: data.folds });
    const outcome = await trainInto(run, job, folds);
    const summary = await summarize(run, job, { plan, folds, outcome, seconds: (performance.now() - started) / 1000 });
    if (summary.stopped !== 'interrupted') await tryLink(context, path);
    context.print(context.json ? JSON.stringify(summary) : trainText(summary, data.classes, context.style));
    if (summary.stopped === 'interrupted') context.note(`The model so far is kept: nn predict --model ${summary.run} …`);
  } finally {
    await run.journal.close();
  }
  return context.signal.aborted ? (context.signal.reason as UserError).kind : undefined;
}

/** The run is whole without the link: where it can't be made, that is a warning. */
async function tryLink(context: Context, path: string): Promise<void> {
  try {
    await linkLatest(runsFolder(context.environment), path);
  } catch (error) {
    context.warn(`${latestName}: the link to this run can't be made: ${systemReason(error)}`);
  }
}

/** Cross-validation: a training a fold, each journalled with its fold. */
async function trainFolds(run: RunFolder, job: Job, data: Parameters<typeof crossValidate>[1]): Promise<CrossValidation> {
  const { context, loaded, extras } = job;
  const { epochs } = loaded.config.training;
  let result: CrossValidation | undefined;
  const bar = context.progress('epoch', epochs * data.folds.count);
  try {
    for await (const { fold, event } of crossValidate(loaded.config, data, extras, (found) => (result = found))) {
      if (context.signal.aborted) throw context.signal.reason;
      if (event.type !== 'epoch') continue;
      await run.journal.append({ fold: fold + 1, ...journalLine(event) });
      bar.update(fold * epochs + event.epoch, `fold ${fold + 1} of ${data.folds.count}${detail(event)}`);
    }
  } finally {
    bar.stop();
  }
  return result!;
}

interface Outcome {
  /** the last epoch that was finished, if any */
  last: EpochEvent | undefined;
  stopped: TrainSummary['stopped'];
}

/** Trains, journals every epoch, and saves the model in the run's folder, also when it is interrupted or diverges. */
async function trainInto(run: RunFolder, job: Job, folds: CrossValidation | null): Promise<Outcome> {
  const { context, data, kernels, extras } = job;
  const config = folds === null ? job.loaded.config : afterFolds(job.loaded.config, folds);
  const options = fitOptions(config, data.parts, planTraining(config, data.parts, kernels), kernels, extras);
  refuseWrongGradient(options);
  const save = () => saveClassifier(join(run.path, modelFileName), classifierOf(config, data, options));
  let last: EpochEvent | undefined;
  try {
    last = await follow(run, job, options);
    await run.journal.flush();
  } catch (error) {
    if (error instanceof DivergedError) {
      await save();
      await run.journal.append({
        diverged: { ...error.autopsy, examples: error.autopsy.examples.map((i) => data.parts.train.names[i]) },
      });
      context.note(`The weights before it are kept in ${relative('', run.path)}.`);
    }
    throw error;
  }
  await save();
  return { last, stopped: last?.stopped ?? 'interrupted' };
}

/** Listens to a training: progress, journal, warnings, and the user's wish to stop. */
async function follow(run: RunFolder, { context, warn }: Job, options: FitOptions): Promise<EpochEvent | undefined> {
  const bar = context.progress('epoch', options.epochs);
  const watchGradients = gradientWatch();
  const costs: number[] = [];
  let last: EpochEvent | undefined;
  try {
    for await (const event of fit(options)) {
      if (event.type === 'epoch') {
        last = event;
        await run.journal.append(journalLine(event));
        bar.update(event.epoch, detail(event).slice(3));
        if (event.layers) for (const text of watchGradients(event.epoch, event.layers)) warn(text);
        costs.push(event.cost);
      } else if (event.type === 'step') bar.update(Math.floor(event.progress));
      if (context.signal.aborted) break;
    }
  } finally {
    bar.stop();
  }
  if (isSmooth(options)) {
    const oscillation = costOscillates(costs, options.learningRates[0]!);
    if (oscillation !== null) warn(oscillation);
  }
  return last;
}

/** Without batches, dropout and augmentation nothing but the learning rate makes the cost go up and down. */
function isSmooth({ batchSize, train, network, augmentation }: FitOptions): boolean {
  const m = train.labels.length;
  return batchLength(batchSize, m) === m && network.layers.every(({ keepProb }) => keepProb === 1) && !augments(augmentation);
}

/** A line of journal.jsonl. */
function journalLine({ type: _, stopped: __, bestEpoch: ___, ...line }: EpochEvent): object {
  return line;
}

function detail({ cost, dev }: EpochEvent): string {
  return ` · cost ${cost.toFixed(4)}${dev === null ? '' : ` · dev ${(dev.accuracy * 100).toFixed(1)}%`}`;
}

interface Finished {
  plan: Plan;
  folds: CrossValidation | null;
  outcome: Outcome;
  seconds: number;
}

/** Judges the model as it was saved, by the path of `nn evaluate`, and writes summary.json. */
async function summarize(
  run: RunFolder,
  { loaded, data, warnings }: Job,
  { plan, folds, outcome, seconds }: Finished,
): Promise<TrainSummary> {
  const { config } = loaded;
  const { classifier, file } = await loadClassifier(run.path);
  const metrics = judgeParts(classifier, data.parts);
  const summary: TrainSummary = {
    run: relative('', run.path) || '.',
    model: relative('', file),
    seed: config.seed,
    seconds,
    epochs: outcome.last?.epoch ?? 0,
    bestEpoch: outcome.last?.bestEpoch ?? 0,
    stopped: outcome.stopped,
    parameters: plan.parameters,
    threshold: classifier.threshold,
    examples: plan.examples,
    metrics,
    ...(folds === null ? {} : { folds: foldSummary(folds) }),
    diagnosis: diagnoseParts(metrics, config, plan.learningRates[0]!),
    warnings,
  };
  await writeSummary(run.path, summary);
  return summary;
}

function foldSummary({ folds }: CrossValidation): NonNullable<TrainSummary['folds']> {
  const accuracy = folds.map(({ metrics }) => metrics.accuracy);
  const cost = folds.map(({ metrics }) => metrics.cost);
  return {
    count: folds.length,
    accuracy: { ...meanAndSpread(accuracy), values: accuracy },
    cost: { ...meanAndSpread(cost), values: cost },
    bestEpochs: folds.map(({ bestEpoch }) => bestEpoch),
  };
}

function printPlan({ context, loaded, data, extras, kernels, warnings }: Job, plan: Plan): void {
  const { config, file } = loaded;
  const { memoryBytes, learningRates, batch, parameters, examples, network, form } = plan;
  const { epochs } = config.training;
  const once = estimateSeconds(fitOptions(config, data.parts, plan, kernels, extras));
  const planned: TrainPlan = {
    config: file,
    examples,
    classes: data.classes,
    layers: describeLayers(network),
    parameters,
    learningRates,
    batch,
    epochs,
    form,
    memoryBytes,
    estimatedSeconds: once * (1 + (data.folds?.count ?? 0)),
    warnings,
  };
  context.print(context.json ? JSON.stringify(planned) : planText(planned));
}
