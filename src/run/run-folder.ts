import { access, lstat, mkdir, readdir, readFile, realpath, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { parse } from 'csv-parse/sync';
import { type LoadedConfig, loadConfig, moveConfig } from '../config/load.ts';
import { csvField } from '../data/csv-field.ts';
import type { Classes, Examples } from '../data/examples.ts';
import { type PartName, partNames } from '../data/split.ts';
import { systemReason, UserError } from '../errors.ts';
import { writeFileAtomically } from './atomic-write.ts';
import { type Journal, openJournal } from './journal.ts';
import { modelFileName } from './model-file.ts';
import { latestName } from './places.ts';

/** The files of a run. docs/formats.md says what is in them. */
export const runFiles = {
  config: 'config.json',
  split: 'split.csv',
  journal: 'journal.jsonl',
  model: modelFileName,
  summary: 'summary.json',
} as const;

export interface RunFolder {
  path: string;
  journal: Journal;
}

/** Makes a run's folder, with its resolved config. The journal is to be closed.
 *  @throws UserError (usage) where one stands there already, unless `force` */
export async function createRun(path: string, loaded: LoadedConfig, force: boolean): Promise<RunFolder> {
  await makeRoom(path, force);
  const config = moveConfig(loaded.config, loaded.folder, path);
  const { $schema: _, ...rest } = config;
  await writeFileAtomically(join(path, runFiles.config), json(rest));
  return { path, journal: await openJournal(join(path, runFiles.journal)) };
}

/** The name of a run by its config and the time, such as quickstart-2026-11-22T21-05-30. */
export function runName(configFile: string, now: Date): string {
  const name = configFile.replace(/^.*[\\/]/, '').replace(/\.json$/i, '');
  return `${name}-${now.toISOString().slice(0, 19).replaceAll(':', '-')}`;
}

/** The path itself, or with a number behind it where something stands there: two runs may start within one second. */
export async function freePath(path: string): Promise<string> {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? path : `${path}-${n}`;
    if (!(await exists(candidate))) return candidate;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Writes summary.json, the object of `nn train --json`. */
export async function writeSummary(path: string, summary: object): Promise<void> {
  await writeFileAtomically(join(path, runFiles.summary), json(summary));
}

/** Makes `latest` in the runs folder lead to a run, in one step.
 *  @throws UserError (data) where no link can be made, or something else stands in its place */
export async function linkLatest(runs: string, run: string): Promise<void> {
  const link = join(runs, latestName);
  const aside = `${link}.${process.pid}.partial`;
  try {
    await mkdir(runs, { recursive: true });
    // a link is read from where it really lies; and `run` itself may be named through the link that is replaced
    const [from, to] = [await realpath(runs), await realpath(run)];
    await rm(aside, { force: true });
    await symlink(process.platform === 'win32' ? to : relative(from, to) || '.', aside, 'junction');
    await replaceLink(aside, link);
  } catch (error) {
    await rm(aside, { force: true });
    throw new UserError('data', `${link}: can't be made to lead to ${run}: ${systemReason(error)}`, { cause: error });
  }
}

/** Windows renames nothing onto a junction: there the old one goes first. */
async function replaceLink(aside: string, link: string): Promise<void> {
  const old = await lstat(link).catch(() => undefined);
  if (old !== undefined && !old.isSymbolicLink()) throw new Error('something that is not a link stands there');
  if (old !== undefined && process.platform === 'win32') await rm(link);
  await rename(aside, link);
}

/** Which picture stood in which part. */
export interface SplitRow {
  name: string;
  hash: string;
  label: 0 | 1;
  part: PartName;
}

/** Writes split.csv: name, content hash, class and part of every example. */
export async function writeSplit(path: string, parts: Partial<Record<PartName, Examples>>, classes: Classes): Promise<void> {
  const lines = ['name,hash,label,part'];
  for (const part of partNames) {
    const examples = parts[part];
    for (const [i, name] of (examples?.names ?? []).entries()) {
      const label = examples!.labels[i] === 1 ? classes.positive : classes.negative;
      lines.push([name, examples!.hashes[i]!, label, part].map(csvField).join(','));
    }
  }
  await writeFileAtomically(join(path, runFiles.split), `${lines.join('\n')}\n`);
}

/** @throws UserError (model) where the folder holds no such file, or another kind of file */
export async function readSplit(run: string, classes: Classes): Promise<SplitRow[]> {
  const file = join(run, runFiles.split);
  let records: Record<string, string>[];
  try {
    records = parse(await readFile(file, 'utf8'), { columns: true, record_delimiter: ['\r\n', '\n'] });
  } catch (error) {
    throw new UserError('model', `${file}: expected the parts of a run, found: ${systemReason(error)}`, { cause: error });
  }
  const labels = [classes.negative, classes.positive];
  return records.map(({ name, hash, label, part }, i) => {
    if (!name || !hash || !partNames.includes(part as PartName) || !labels.includes(label ?? '')) {
      const found = [name, hash, label, part].map((value) => value ?? 'nothing').join(', ');
      throw new UserError(
        'model',
        `${file}, picture ${i + 1}: expected name, hash, a label (${labels.join(' or ')}) and a part (${partNames.join(', ')}), found ${found}`,
      );
    }
    return { name, hash, label: label === classes.positive ? 1 : 0, part: part as PartName };
  });
}

/** The resolved config of a run. */
export function readRunConfig(run: string): Promise<LoadedConfig> {
  return loadConfig(join(run, runFiles.config));
}

/** @throws UserError (usage) where a run stands in the folder already, unless `force` */
export async function refuseRun(path: string, force: boolean): Promise<void> {
  const found = await ownFiles(path);
  if (found.length === 0 || force) return;
  throw new UserError('usage', `--output ${path}: expected a folder without a run, found one that holds ${found.join(', ')}`, {
    hint: 'Name another folder, or overwrite the run with --force.',
  });
}

/** The files of a run that stand in a folder; none where there is no such folder yet. */
async function ownFiles(path: string): Promise<string[]> {
  const own: readonly string[] = Object.values(runFiles);
  try {
    return (await readdir(path)).filter((name) => own.includes(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new UserError('usage', `--output ${path}: expected a folder that can be written, found: ${systemReason(error)}`, {
      cause: error,
    });
  }
}

async function makeRoom(path: string, force: boolean): Promise<void> {
  await refuseRun(path, force);
  try {
    await mkdir(path, { recursive: true });
    for (const name of await ownFiles(path)) await rm(join(path, name));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError('usage', `--output ${path}: expected a folder that can be written, found: ${systemReason(error)}`, {
      cause: error,
    });
  }
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** The folder that a model file lies in: its run, where it is one. */
export function runOfModel(modelFile: string): string {
  return dirname(modelFile);
}
