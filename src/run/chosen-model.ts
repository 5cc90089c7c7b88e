import type { Classifier } from '../classifier/classifier.ts';
import { UserError } from '../errors.ts';
import type { Ended } from '../results/runs.ts';
import { loadClassifier } from './model-file.ts';
import { defaultModel, runsFolder } from './places.ts';

/** Reads the classifier that is named, else that of NN_MODEL, else that of the newest run.
 *  @throws UserError (model) where there is none, or it is not whole and sound: with NN_MODEL by its name where that chose it, and with the run whose training has not ended, if
 *  there is one */
export async function loadChosenClassifier(
  path: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<{ classifier: Classifier; file: string }> {
  if (path !== undefined) return loadClassifier(path);
  const chosen = await defaultModel(environment);
  try {
    return await loadClassifier(chosen);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { kind, message, hint } = error;
    if (environment['NN_MODEL']) throw new UserError(kind, `NN_MODEL: ${message}`, { hint, cause: error });
    const unfinished = await unfinishedRun(runsFolder(environment));
    throw unfinished === null ? error : new UserError(kind, message, { hint: unfinished, cause: error });
  }
}

/** What to do about the last run that has no model yet; null where there is none. */
async function unfinishedRun(folder: string): Promise<string | null> {
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
