import { readlink } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';

/** The link in the runs folder to the newest finished run. */
export const latestName = 'latest';

/** Where runs go: NN_RUNS, else runs. */
export function runsFolder(environment: NodeJS.ProcessEnv): string {
  return environment['NN_RUNS'] || 'runs';
}

/** The model that is meant where none is named: NN_MODEL, else the newest run, by its own name: what an answer came from is still
 *  known when there is a newer one. */
export async function defaultModel(environment: NodeJS.ProcessEnv): Promise<string> {
  if (environment['NN_MODEL']) return environment['NN_MODEL'];
  const link = join(runsFolder(environment), latestName);
  const to = await readlink(link).catch(() => null); // none, or no link: what is read then says so
  return to === null ? link : shownPath(resolve(dirname(link), to));
}

/** A path as it is told to people and scripts: from the working folder where it lies in it, else from the root. */
export function shownPath(path: string): string {
  const near = relative('', path);
  if (near === '') return '.';
  return /^\.\.([\\/]|$)/.test(near) ? resolve(path) : near;
}
