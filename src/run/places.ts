import { join } from 'node:path';

/** The link in the runs folder to the newest finished run. */
export const latestName = 'latest';

/** Where runs go: NN_RUNS, else runs. */
export function runsFolder(environment: NodeJS.ProcessEnv): string {
  return environment['NN_RUNS'] || 'runs';
}

/** The model that is meant where none is named: NN_MODEL, else the newest run. */
export function defaultModel(environment: NodeJS.ProcessEnv): string {
  return environment['NN_MODEL'] || join(runsFolder(environment), latestName);
}
