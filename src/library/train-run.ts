import { join } from 'node:path';
import type { Classes } from '../data/classes.ts';
import type { TrainSummary } from '../results/summary.ts';
import { createRun, newRunFolder, runName } from '../run/run-folder.ts';
import { writeSplit } from '../run/split-file.ts';
import { inputDigests } from '../training/checkpoint.ts';
import { runTraining, type TrainingJob } from '../training/trainer.ts';
import { reporterOf } from './run-report.ts';

export interface RunOptions {
  /** the folder of the run; where it is left out, one in the folder of runs is named after the config and the time */
  output?: string | undefined;
  /** whether a run in `output` is overwritten */
  force: boolean;
  /** whether report.html is written into the run */
  wantsReport: boolean;
  /** told where the run is, before its first step */
  started?: ((path: string, job: TrainingJob) => void) | undefined;
}

/** A training that ended by itself or was stopped. */
export interface Trained {
  summary: TrainSummary;
  /** whether the last checkpoint is on the disk, so that a stopped one can go on */
  isCheckpointed: boolean;
  classes: Classes;
}

/** Trains what was prepared into a run folder, and evaluates the result.
 *  @param runs  the folder of runs, in which a run has its place that has none of its own
 *  @throws UserError (usage) where the folder can't be taken; (diverged); whatever the signal's reason is, where there is no model yet */
export async function trainRun(job: TrainingJob, runs: string, options: RunOptions): Promise<Trained> {
  const { loaded, data, files } = job;
  const { output, force, wantsReport, started } = options;
  const path = output ?? (await newRunFolder(join(runs, runName(loaded.file, new Date()))));
  const run = await createRun(path, loaded, force);
  try {
    const split = await writeSplit(path, data.splits, data.classes);
    const inputs = inputDigests(split, data.splits, files);
    const reporter = wantsReport ? reporterOf(job, path) : null;
    started?.(path, job);
    return { ...(await runTraining(run, { ...job, reporter }, { from: null, inputs })), classes: data.classes };
  } finally {
    await run.close();
  }
}
