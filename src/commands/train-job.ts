import type { LoadedConfig } from '../config/load.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { kernelsFor } from '../kernels/select.ts';
import { requireDev } from '../training/cross-validation.ts';
import { type Plan, planTraining, type TrainingFiles } from '../training/plan.ts';
import { type PreparedData, prepareData, type ReadOptions } from '../training/prepare.ts';
import type { Context } from './command.ts';
import { noteOthers, readProgress, readTrainingFiles, warnOfFailures, withDecoded } from './reading.ts';

/** What a training is given, and the warnings that it gathers. */
export interface Job {
  context: Context;
  loaded: LoadedConfig;
  data: PreparedData;
  extras: TrainingFiles;
  kernels: Kernels;
  plan: Plan;
  warn(text: string): void;
  warnings: string[];
}

/** Reads all that a config names. @throws UserError (data, usage, model) */
export async function prepareJob(
  context: Context,
  loaded: LoadedConfig,
  options: Pick<ReadOptions, 'strict' | 'compareContents'>,
): Promise<Job> {
  const reading = { ...options, onProgress: readProgress(context) };
  const data = await withDecoded(context, (places) => prepareData(loaded, { ...reading, ...places }));
  requireDev(loaded.config, data);
  const kernels = kernelsFor(loaded.config.precision, loaded.config.arithmetic);
  const plan = planTraining(loaded.config, data.parts, kernels);
  const extras = await readTrainingFiles(loaded, plan.network);
  const warnings = warnOfFailures(context, data.failures, ['--config', loaded.file]);
  const warn = (text: string) => {
    warnings.push(text);
    context.warn(text);
  };
  noteOthers(context, loaded.file, data.classes.positive, data.others);
  for (const text of [...data.notes, ...plan.warnings]) warn(text);
  if (context.verbose) context.note(`first layer: ${plan.form.form} form (${plan.form.why})`);
  return { context, loaded, data, extras, kernels, plan, warn, warnings };
}
