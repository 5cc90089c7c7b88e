import type { Dirent } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { differingFields, valueAt } from '../config/json-schema.ts';
import { nearestName } from '../config/nearest.ts';
import type { Config } from '../config/schema.ts';
import { mapInOrder } from '../data/source.ts';
import { systemReason, UserError } from '../errors.ts';
import type { RunList } from '../results/runs.ts';
import { latestName, shownPath } from './places.ts';
import { isSearch, type ReadRun, readRun } from './read-run.ts';

/** Runs that are read at a time: the system lets a process have so many files open. */
const atOnce = 32;

/** Every run of a folder, in the order of their names, with the fields in which their configs differ. Searches are left out, and so are links
 *  to what stands in the folder as well.
 *  @throws UserError (data) where there is no such folder */
export async function listRuns(folder: string): Promise<RunList> {
  const { places, latest } = await placesIn(folder);
  const runs: ReadRun[] = [];
  for await (const run of mapInOrder(places, atOnce, ({ path, name }) => readRun(path, name))) if (run !== null) runs.push(run);
  const configs = runs.map(({ config }) => (config === null ? null : comparable(config)));
  const differing = differingFields(configs.filter((config) => config !== null));
  return {
    runs: shownPath(folder),
    latest: runs.some(({ entry }) => entry.name === latest) ? latest : null,
    differing,
    entries: runs.map(({ entry }, i) => ({
      ...entry,
      settings: Object.fromEntries(differing.map((field) => [field, settingOf(configs[i]!, field)])),
    })),
  };
}

/** Of a config as JSON what makes one training another: not what `nn tune` varies, and not where its schema lies. */
export function comparable(config: Config): object {
  return JSON.parse(JSON.stringify({ ...config, $schema: undefined, search: undefined })) as object;
}

/** What a config as JSON says in a field such as model.layers.0.units; null where it says nothing. */
export function settingOf(config: object | null, field: string): unknown {
  return valueAt(config, field.split('.')) ?? null;
}

interface Place {
  /** as `findRun` takes it */
  name: string;
  path: string;
}

/** The folders that may be runs, and the name of the one that `latest` leads to. */
async function placesIn(folder: string): Promise<{ places: Place[]; latest: string | null }> {
  let entries: Dirent[];
  let real: string;
  try {
    entries = await readdir(folder, { withFileTypes: true });
    real = await realpath(folder);
  } catch (error) {
    throw new UserError('data', `${folder}: expected a folder of runs, found: ${systemReason(error)}`, {
      hint: 'nn train makes one, and NN_RUNS names another.',
      cause: error,
    });
  }
  const places = new Map<string, Place>();
  const add = (target: string, place: Place) => places.set(target, places.get(target) ?? place);
  for (const one of entries) if (one.isDirectory()) add(join(real, one.name), { name: one.name, path: join(folder, one.name) });
  let latest: string | null = null;
  for (const { name } of entries.filter((one) => one.isSymbolicLink())) {
    const target = await realpath(join(folder, name)).catch(() => null);
    if (target === null) continue; // it leads nowhere, and so to no run
    const isOutside = dirname(target) !== real;
    if (isOutside) add(target, { name: shownPath(target), path: shownPath(target) });
    if (name === latestName) latest = isOutside ? shownPath(target) : basename(target);
  }
  return { places: [...places.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), latest };
}

/** Finds a run by its name in the folder of runs, or by its path, by which it is called where it lies elsewhere.
 *  @param named  undefined for the newest that is finished
 *  @throws UserError (usage) where there is no such run; (data) where none is named and none is finished */
export async function findRun(folder: string, named: string | undefined): Promise<ReadRun> {
  const inFolder = join(folder, named ?? latestName);
  const real = await realpath(folder).catch(() => null); // there may be no such folder: a run is found by its path all the same
  for (const path of named === undefined ? [inFolder] : [inFolder, named]) {
    const target = await realpath(path).catch(() => null);
    if (target === null) continue;
    const isLink = basename(target) !== basename(path);
    const run = isLink ? shownPath(target) : path;
    const found = await readRun(run, dirname(target) === real ? basename(target) : run);
    if (found !== null) return found;
  }
  if (named === undefined) {
    throw new UserError('data', `${inFolder}: expected the newest finished run, found none`, {
      hint: 'Train one with nn train, or name one: nn runs lists them.',
    });
  }
  throw await unknownRun(folder, named);
}

/** Says what stands there instead, and which run was probably meant. */
async function unknownRun(folder: string, named: string): Promise<UserError> {
  const files = await readdir(named)
    .catch(() => readdir(join(folder, named)))
    .catch(() => null);
  const found = files === null ? 'no such folder' : isSearch(files) ? 'a search of nn tune' : 'a folder without config.json';
  const names = await readdir(folder).catch(() => []); // no folder: then none is near
  const near = nearestName(named, names);
  const meant = near === undefined || near === named ? '' : ` (did you mean "${near}"?)`;
  return new UserError('usage', `${named}: expected a run in ${folder}, or the folder of one, found ${found}${meant}`, {
    hint: 'nn runs lists them.',
  });
}
