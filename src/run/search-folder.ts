import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { checkConfig, type LoadedConfig, loadConfig, moveConfig } from '../config/load.ts';
import { type Config, type DefaultsVersion, newestDefaults, unnamedDefaults } from '../config/schema.ts';
import { exists, makeFolder, readPlainFile } from '../data/disk.ts';
import { systemReason, UserError } from '../errors.ts';
import type { TrialResult } from '../results/tuning.ts';
import { writeFileAtomically } from './atomic-write.ts';
import { openJournal } from './journal.ts';
import { lockFolder } from './lock.ts';

/** The files of a search. docs/formats.md says what is in them. */
export const searchFiles = {
  config: 'config.json',
  journal: 'trials.jsonl',
  rankingCsv: 'ranking.csv',
  rankingJson: 'ranking.json',
  best: 'best.json',
  untuned: 'untuned.json',
} as const;

export interface SearchFolder {
  path: string;
  /** results of an earlier, interrupted search */
  known: TrialResult[];
  append(result: TrialResult): Promise<void>;
  close(): Promise<void>;
}

/** Opens the folder of a search: a new one, or one that an interrupted search left.
 *  @throws UserError (usage) where another search stands there, or another process goes on with it */
export async function openSearch(path: string, loaded: LoadedConfig): Promise<SearchFolder> {
  let present: string[];
  try {
    await makeFolder(path);
    present = await readdir(path);
  } catch (error) {
    throw new UserError('usage', `--output ${path}: expected a folder that can be written, found: ${systemReason(error)}`, {
      cause: error,
    });
  }
  const lock = await lockFolder(path);
  try {
    const goesOn = present.includes(searchFiles.config);
    if (goesOn) await refuseOtherSearch(path, loaded);
    else await writeConfig(join(path, searchFiles.config), loaded, path);
    const file = join(path, searchFiles.journal);
    const journal = await openJournal(file, goesOn ? await wholeLines(file) : undefined);
    const known = goesOn ? await readTrials(path).catch((error) => journal.close().then(() => Promise.reject(error))) : [];
    const close = async () => {
      try {
        await journal.close();
      } finally {
        await lock.release();
      }
    };
    const append = async (result: TrialResult) => {
      await journal.append(result);
      await journal.flush();
    };
    return { path, known, append, close };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Writes a config that works from the folder of a search. */
export async function writeConfig(file: string, { config, folder }: LoadedConfig, to: string): Promise<void> {
  const { $schema: _, ...rest } = moveConfig(config, folder, resolve(to));
  await writeFileAtomically(file, `${JSON.stringify(rest, null, 2)}\n`);
}

/** The results in a search's journal. A last line that was cut off by a kill counts as not written. */
export async function readTrials(path: string): Promise<TrialResult[]> {
  const file = join(path, searchFiles.journal);
  let text: string;
  try {
    text = (await readPlainFile(file)).toString();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new UserError('data', `${file}: expected the trials of a search, found: ${systemReason(error)}`, { cause: error });
  }
  const { trialResult } = await import('../results/tuning.ts');
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    if (line === '') return [];
    const parsed = trialResult.safeParse(parseLine(line));
    if (parsed.success) return [parsed.data];
    if (i === lines.length - 1) return [];
    throw new UserError('data', `${file}, line ${i + 1}: expected a trial of nn tune, found ${line.slice(0, 40)}`);
  });
}

/** What the config that is not tuned came to; null where nobody asked. @throws UserError (data) on another file */
export async function readUntuned(path: string): Promise<TrialResult | null> {
  const file = join(path, searchFiles.untuned);
  if (!(await exists(file))) return null;
  const text = (await readPlainFile(file)).toString();
  const { trialResult } = await import('../results/tuning.ts');
  const parsed = trialResult.safeParse(parseLine(text));
  if (parsed.success) return parsed.data;
  throw new UserError('data', `${file}: expected a training of nn tune, found ${text.slice(0, 40)}`, {
    hint: 'Remove the file: --report trains the config again.',
  });
}

export function writeUntuned(path: string, result: TrialResult): Promise<void> {
  return writeFileAtomically(join(path, searchFiles.untuned), `${JSON.stringify(result)}\n`);
}

/** The config of a search that stands in a folder. */
export function readSearchConfig(path: string): Promise<LoadedConfig> {
  return loadConfig(join(path, searchFiles.config), [], unnamedDefaults);
}

/** The version whose defaults a search goes on with; the newest where none stands in the folder. */
export async function defaultsOfSearch(path: string | undefined): Promise<DefaultsVersion> {
  const isThere = path !== undefined && (await exists(join(path, searchFiles.config)));
  return isThere ? (await readSearchConfig(path)).config.defaults : newestDefaults;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // the schema refuses it, with the line's number
  }
}

/** Whether two configs, with paths from the same folder, describe one search: how many trials it has is no part of it. */
export function isSameSearch(one: Config, other: Config): boolean {
  const without = ({ $schema: _, search, ...rest }: Config) => ({ ...rest, search: { ...search, trials: 0 } });
  return isDeepStrictEqual(without(one), without(other));
}

/** @throws UserError (usage) where a folder holds another search than a config describes */
async function refuseOtherSearch(path: string, loaded: LoadedConfig): Promise<void> {
  const found = await readSearchConfig(path);
  const file = join(path, searchFiles.config);
  const here = JSON.parse(JSON.stringify(checkConfig(moveConfig(loaded.config, loaded.folder, resolve(path)), file))) as Config;
  const there = JSON.parse(JSON.stringify(found.config)) as Config;
  if (!isSameSearch(here, there)) {
    throw new UserError('usage', `--output ${path}: expected the search that this config describes, found another in ${file}`, {
      hint: 'Name another folder, or go on with the config that the search began with.',
    });
  }
}

/** The bytes of a file without a line that a kill left unfinished, so that the next one starts on its own; undefined where it can't be
 *  read: then opening or reading it says why. */
async function wholeLines(file: string): Promise<number | undefined> {
  return readPlainFile(file).then(
    (bytes) => bytes.lastIndexOf('\n') + 1,
    () => undefined,
  );
}
