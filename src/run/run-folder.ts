import { lstat, readdir, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { type LoadedConfig, loadConfig, moveConfig, pathsOf } from '../config/load.ts';
import { type Config, unnamedDefaults } from '../config/schema.ts';
import { exists, makeFolder, makeNewFolder, partialName, readPlainFile, removeStaleFiles } from '../data/disk.ts';
import { systemReason, UserError } from '../errors.ts';
import { writeFileAtomically } from './atomic-write.ts';
import { checkpointNames } from './checkpoint-file.ts';
import { type Journal, openJournal } from './journal.ts';
import { type Lock, lockFolder, refuseLocked } from './lock.ts';
import { modelFileName } from './model-file.ts';
import { latestName } from './places.ts';
import { predictionsFileName, splitFileName } from './split-file.ts';

/** The files of a run. docs/formats.md says what is in them. */
export const runFiles = {
  config: 'config.json',
  split: splitFileName,
  journal: 'journal.jsonl',
  model: modelFileName,
  predictions: predictionsFileName,
  report: 'report.html',
  summary: 'summary.json',
  checkpoint: checkpointNames[0],
  previousCheckpoint: checkpointNames[1],
} as const;

/** A run's folder, locked for this process. */
export interface RunFolder {
  path: string;
  journal: Journal;
  close(): Promise<void>;
}

/** Makes a run's folder, with its resolved config.
 *  @throws UserError (usage) where one stands there already, unless `force`, or another process trains in it */
export async function createRun(path: string, loaded: LoadedConfig, force: boolean): Promise<RunFolder> {
  await makeRunFolder(path);
  const lock = await lockFolder(path);
  try {
    await removeRun(path, force);
    await writeConfig(path, loaded);
    return await openRun(path, lock, 0);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Takes the folder of a run for this process, to go on in it.
 *  @throws UserError (usage) where there is no run, another process trains in it, or it can't be cleared of what a kill left */
export async function takeRun(path: string): Promise<Lock> {
  if (!(await ownFiles(path, '--resume')).includes(runFiles.config)) {
    throw noRun(path, (await exists(path)) ? `no ${runFiles.config} in it` : 'no such folder');
  }
  const lock = await lockFolder(path);
  try {
    await removeUnfinished(path);
  } catch (error) {
    await lock.release();
    throw unfit(path, '--resume', error);
  }
  return lock;
}

function noRun(path: string, found: string): UserError {
  return new UserError('usage', `--resume ${path}: expected the folder of a run, found ${found}`, {
    hint: 'Name the folder that nn train made, such as runs/quickstart-2026-11-22T21-05-30.',
  });
}

/** Opens a folder that is locked. @param journalBytes  of the journal that are kept */
export async function openRun(path: string, lock: Lock, journalBytes: number): Promise<RunFolder> {
  const journal = await openJournal(join(path, runFiles.journal), journalBytes);
  const close = async () => {
    try {
      await journal.close();
    } finally {
      await lock.release();
    }
  };
  return { path, journal, close };
}

/** What a process that was killed in the midst of writing left behind: the folder is locked, so nobody writes it now. */
async function removeUnfinished(path: string): Promise<void> {
  const ours = (name: string) =>
    Object.values(runFiles).some((file) => name.startsWith(`.${file}.`) && name.endsWith('.partial'));
  for (const name of await readdir(path)) if (ours(name)) await rm(join(path, name), { force: true });
}

/** The config as it stands in a run's folder: paths relative to it. */
export function configOfRun(loaded: LoadedConfig, path: string): Omit<Config, '$schema'> {
  const { $schema: _, ...rest } = moveConfig(loaded.config, loaded.folder, path);
  return rest;
}

/** Writes config.json. */
export async function writeConfig(path: string, loaded: LoadedConfig): Promise<void> {
  await writeFileAtomically(join(path, runFiles.config), json(configOfRun(loaded, path)));
}

/** The length of a run's journal, 0 where there is none. */
export async function journalBytes(path: string): Promise<number> {
  return stat(join(path, runFiles.journal)).then(
    ({ size }) => size,
    () => 0,
  );
}

/** The name of a run by its config and the time, such as quickstart-2026-11-22T21-05-30. */
export function runName(configFile: string, now: Date): string {
  const name = configFile.replace(/^.*[\\/]/, '').replace(/\.json$/i, '');
  return `${name}-${now.toISOString().slice(0, 19).replaceAll(':', '-')}`;
}

/** Makes the folder of a run or search that nn names itself: several may start within one second.
 *  @returns its path: the one given, or with a number behind it
 *  @throws UserError (usage) */
export async function newRunFolder(path: string): Promise<string> {
  try {
    return await makeNewFolder(path);
  } catch (error) {
    throw new UserError('usage', `${path}: expected a folder that can be written, found: ${systemReason(error)}`, {
      hint: 'Name one with --output, or with NN_RUNS another place for all of them.',
      cause: error,
    });
  }
}

/** Writes summary.json, the object of `nn train --json`. */
export async function writeSummary(path: string, summary: object): Promise<void> {
  await writeFileAtomically(join(path, runFiles.summary), json(summary));
}

/** Makes `latest` in the runs folder lead to a run, in one step.
 *  @throws UserError (data) where no link can be made, or something else stands in its place */
export async function linkLatest(runs: string, run: string): Promise<void> {
  const link = join(runs, latestName);
  try {
    await makeFolder(runs);
    // a link is read from where it really lies; and `run` itself may be named through the link that is replaced
    const [from, to] = [await realpath(runs), await realpath(run)];
    await removeStaleFiles(runs, latestName);
    await replaceLink(link, process.platform === 'win32' ? to : relative(from, to) || '.');
  } catch (error) {
    throw new UserError('data', `${link}: can't be made to lead to ${run}: ${systemReason(error)}`, { cause: error });
  }
}

/** Other runs may end in the same moment, and on a shared disk another machine may take what is made here for something left behind. */
async function replaceLink(link: string, target: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const aside = partialName(link);
    try {
      await symlink(target, aside, 'junction');
      await renameLink(aside, link);
      return;
    } catch (error) {
      await rm(aside, { force: true });
      const { code } = error as NodeJS.ErrnoException;
      if (tries === 5 || !['ENOENT', 'EEXIST', 'EPERM'].includes(String(code))) throw error;
    }
  }
}

/** Windows renames nothing onto a junction: there the old one goes first. */
async function renameLink(aside: string, link: string): Promise<void> {
  const old = await lstat(link).catch(() => undefined);
  if (old !== undefined && !old.isSymbolicLink()) throw new Error('something that is not a link stands there');
  if (old !== undefined && process.platform === 'win32') await rm(link, { force: true });
  await rename(aside, link);
}

/** The resolved config of a run. @param sets  overrides, as given to --set */
export function readRunConfig(run: string, sets: readonly string[] = []): Promise<LoadedConfig> {
  return loadConfig(join(run, runFiles.config), sets, unnamedDefaults);
}

/** @throws UserError (usage) where a run stands in the folder already, unless `force`; where another process trains in it; or where the run
 *  would replace a file that it is made of */
export async function refuseRun(path: string, loaded: LoadedConfig, force: boolean): Promise<void> {
  await refuseLocked(path);
  const found = await ownFiles(path, '--output');
  await refuseReplaced(path, found, [...((await isWrittenConfig(path)) ? [] : [configOf(loaded)]), ...pathsOf(loaded)]);
  refusePresent(path, found, force);
}

/** Whether config.json is as `writeConfig` left it, and may go with its run: one that a person wrote is shorter, or in another order. */
async function isWrittenConfig(path: string): Promise<boolean> {
  try {
    const text = await readPlainFile(join(path, runFiles.config));
    return text.toString() === json(configOfRun(await readRunConfig(path), path));
  } catch {
    return false; // none, or not one that can be read
  }
}

/** A config's own file, as `pathsOf` gives those that it names. */
export const configOf = (loaded: LoadedConfig) => ({ field: '--config', path: loaded.file });

/** @throws UserError (usage) where some of the files that are to be written in a folder are among the inputs */
export async function refuseReplaced(
  folder: string,
  names: readonly string[],
  inputs: readonly { field: string; path: string }[],
): Promise<void> {
  const real = (file: string) => realpath(file).catch(() => undefined);
  const places = await Promise.all(names.map((name) => real(join(folder, name))));
  for (const { field, path } of inputs) {
    const place = await real(path);
    if (place === undefined || !places.includes(place)) continue;
    const found = `${join(folder, basename(place))}, which is ${field}`;
    throw new UserError('usage', `--output ${folder}: expected a folder where no input is replaced, found ${found}`, {
      hint: 'Name another folder, or give that file another name.',
    });
  }
}

function refusePresent(path: string, found: readonly string[], force: boolean): void {
  if (found.length === 0 || force) return;
  throw new UserError('usage', `--output ${path}: expected a folder without a run, found one that holds ${found.join(', ')}`, {
    hint: 'Name another folder, overwrite the run with --force, or go on with it: nn train --resume.',
  });
}

/** The files of a run that stand in a folder, its config first; none where there is no such folder yet. */
async function ownFiles(path: string, flag: string): Promise<string[]> {
  try {
    const names = await readdir(path);
    return Object.values(runFiles).filter((name) => names.includes(name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw flag === '--resume' && code === 'ENOTDIR' ? noRun(path, 'a file') : unfit(path, flag, error);
  }
}

async function makeRunFolder(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (error) {
    throw unfit(path, '--output', error);
  }
}

/** The config goes first: a folder without one is no run, whatever else a kill leaves in it. */
async function removeRun(path: string, force: boolean): Promise<void> {
  const found = await ownFiles(path, '--output');
  refusePresent(path, found, force);
  try {
    for (const name of found) await rm(join(path, name));
    await removeUnfinished(path);
  } catch (error) {
    throw unfit(path, '--output', error);
  }
}

function unfit(path: string, flag: string, error: unknown): UserError {
  return new UserError('usage', `${flag} ${path}: expected a folder that can be written, found: ${systemReason(error)}`, {
    cause: error,
  });
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** The folder that a model file lies in: its run, where it is one. */
export function runOfModel(modelFile: string): string {
  return dirname(modelFile);
}
