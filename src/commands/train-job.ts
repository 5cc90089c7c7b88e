import type { LoadedConfig } from '../config/load.ts';
import type { Classes } from '../data/classes.ts';
import { prepareData, type ReadOptions } from '../datasets/prepare.ts';
import type { ExitKind, UserError } from '../errors.ts';
import { kernelsFor } from '../kernels/select.ts';
import { learningCurveText } from '../report/learning-curve.ts';
import { trainText } from '../report/train-summary.ts';
import type { TrainSummary } from '../results/summary.ts';
import { runsFolder } from '../run/places.ts';
import { curveOf } from '../run/run-details.ts';
import { shellWord } from '../text.ts';
import { requireDev } from '../training/cross-validation.ts';
import { planTraining } from '../training/plan.ts';
import { resumeText, type runTraining, type TrainingJob } from '../training/trainer.ts';
import type { Context } from './command.ts';
import { noteOthers, readProgress, readTrainingFiles, warnOfFailures, withDecoded } from './reading.ts';

/** Reads all that a config names. @throws UserError (data, usage, model) */
export async function prepareJob(
  context: Context,
  loaded: LoadedConfig,
  options: Pick<ReadOptions, 'strict' | 'compareContents'>,
): Promise<TrainingJob> {
  const reading = { ...options, onProgress: readProgress(context) };
  const data = await withDecoded(context, (places) => prepareData(loaded, { ...reading, ...places }));
  requireDev(loaded.config, data);
  const kernels = kernelsFor(loaded.config.precision, loaded.config.arithmetic);
  const plan = planTraining(loaded.config, data.splits, kernels);
  const files = await readTrainingFiles(loaded, plan.network);
  const warnings = warnOfFailures(context, data.failures, ['--config', loaded.file]);
  const warn = (text: string) => {
    warnings.push(text);
    context.warn(text);
  };
  noteOthers(context, loaded.file, data.classes.positive, data.others);
  for (const text of [...data.notes, ...plan.warnings]) warn(text);
  if (context.verbose) context.note(`first layer: ${plan.form.form} form (${plan.form.why})`);
  const runs = runsFolder(context.environment);
  return { listener: context, loaded, data, files, kernels, plan, warnings, runs, reporter: null };
}

/** Says what came of a training: its summary, and how to go on where it was stopped. */
export async function printTrained(
  context: Context,
  job: TrainingJob,
  { summary, isCheckpointed }: Awaited<ReturnType<typeof runTraining>>,
): Promise<ExitKind | undefined> {
  await printSummary(context, summary, job.data.classes);
  if (summary.stopped === 'interrupted') {
    context.note(`The model so far is kept: nn predict --model ${shellWord(summary.run)} …`);
    if (isCheckpointed) context.note(resumeText(summary.run));
  }
  return context.signal.aborted ? (context.signal.reason as UserError).kind : undefined;
}

/** Prints the summary of a run and, where a person sees it, its learning curve. */
export async function printSummary(context: Context, summary: TrainSummary, classes: Classes): Promise<void> {
  context.print(context.json ? JSON.stringify(summary) : trainText(summary, classes, context.style));
  if (context.json || !context.isTerminal) return;
  const warnings: string[] = [];
  const curve = learningCurveText(await curveOf(summary.run, summary.bestEpoch, warnings), summary.bestEpoch);
  for (const text of warnings) context.warn(text);
  if (curve.length > 0) context.print(['', ...curve]);
}
