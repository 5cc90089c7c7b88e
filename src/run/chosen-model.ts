import { basename, dirname } from 'node:path';
import type { Classifier } from '../classifier/classifier.ts';
import { UserError } from '../errors.ts';
import type { Ended } from '../results/runs.ts';
import { loadClassifier, modelFileName } from './model-file.ts';
import { defaultModel, runsFolder, shownPath } from './places.ts';

/** Reads the classifier that is named, else that of NN_MODEL, else that of the newest run.
 *  @throws UserError (model) where there is none, or it is not whole and sound: with NN_MODEL by its name where that chose it, and with the run whose training has not ended, if
 *  there is one: that which is named, else the last */
export async function loadChosenClassifier(
  path: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<{ classifier: Classifier; file: string }> {
  const chosen = path ?? (await defaultModel(environment));
  try {
    return await loadClassifier(chosen);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const isByEnvironment = path === undefined && environment['NN_MODEL'];
    const isNamed = path !== undefined || isByEnvironment;
    const unfinished = isNamed ? await unfinishedIn(chosen) : await unfinishedAmong(runsFolder(environment));
    const { kind, message } = error;
    throw new UserError(kind, isByEnvironment ? `NN_MODEL: ${message}` : message, {
      hint: unfinished ?? error.hint,
      cause: error,
    });
  }
}

/** What to do about a run that has no model yet; null where it is none. @param model  its folder, or the model's file in it */
async function unfinishedIn(model: string): Promise<string | null> {
  const { readRun } = await import('./read-run.ts'); // not loaded by those who find their model
  const folder = basename(model) === modelFileName ? dirname(model) : model;
  const run = await readRun(folder, folder).catch(() => null); // what is wrong with the model is said already
  return (run && waysOn[run.entry.ended]?.(shownPath(folder))) ?? null;
}

/** The same of the last run of a folder that has none. */
async function unfinishedAmong(folder: string): Promise<string | null> {
  const { listRuns } = await import('./run-list.ts'); // not loaded by those who find their model
  const list = await listRuns(folder).catch(() => null); // no folder of runs: what is missing is said already
  const last = list?.entries.findLast(({ ended }) => waysOn[ended] !== undefined);
  return last === undefined ? null : waysOn[last.ended]!(last.run);
}

const resume = (run: string) => `${run} has not come to its end: nn train --resume ${run} goes on with it.`;
const waysOn: { [How in Ended]?: (run: string) => string } = {
  running: (run) => `${run} is in training, and has a model at its end. nn runs list says how far it is.`,
  interrupted: resume,
  unfinished: resume,
};
