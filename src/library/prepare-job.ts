import type { LoadedConfig } from '../config/load.ts';
import { prepareData, type ReadOptions } from '../datasets/prepare.ts';
import { kernelsFor } from '../kernels/select.ts';
import { runsFolder } from '../run/places.ts';
import { requireDev } from '../training/cross-validation.ts';
import { planTraining } from '../training/plan.ts';
import type { TrainingJob } from '../training/trainer.ts';
import type { Host } from './host.ts';
import { noteOthers, readProgress, readTrainingFiles, warnOfFailures, withDecoded } from './reading.ts';

/** Reads all that a config names. @throws UserError (data, usage, model) */
export async function prepareJob(
  host: Host,
  loaded: LoadedConfig,
  options: Pick<ReadOptions, 'strict' | 'compareContents'>,
): Promise<TrainingJob> {
  const reading = { ...options, onProgress: readProgress(host) };
  const data = await withDecoded(host, (places) => prepareData(loaded, { ...reading, ...places }));
  requireDev(loaded.config, data);
  const kernels = kernelsFor(loaded.config.precision, loaded.config.arithmetic);
  const plan = planTraining(loaded.config, data.splits, kernels);
  const files = await readTrainingFiles(loaded, plan.network);
  const warnings = warnOfFailures(host, data.failures, ['--config', loaded.file]);
  const warn = (text: string) => {
    warnings.push(text);
    host.warn(text);
  };
  noteOthers(host, loaded.file, data.classes.positive, data.others);
  for (const text of [...data.notes, ...plan.warnings]) warn(text);
  if (host.verbose) host.note(`first layer: ${plan.form.form} form (${plan.form.why})`);
  const runs = runsFolder(host.environment);
  return { listener: host, loaded, data, files, kernels, plan, warnings, runs, reporter: null };
}
