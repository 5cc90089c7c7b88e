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

/** The folder of trainings that belong together: a search, or the experiments of `nn diagnose`. */
export interface GrowingFolder<Result> {
  path: string;
  /** results of an earlier, interrupted session */
  known: Result[];
  append(result: Result): Promise<void>;
  close(): Promise<void>;
}

/** What is in such a folder. */
interface Kind<Result> {
  /** with its article, for messages */
  title: string;
  journal: string;
  read(path: string): Promise<Result[]>;
  isSame(one: Config, other: Config): boolean;
}

/** Opens the folder of a search: a new one, or one that an interrupted search left.
 *  @throws UserError (usage) where another search stands there, or another process goes on with it */
export function openSearch(path: string, loaded: LoadedConfig): Promise<GrowingFolder<TrialResult>> {
  const { journal } = searchFiles;
  return openGrowing(path, loaded, { title: 'the search', journal, read: readTrials, isSame: isSameSearch });
}

/** Every journal by which such a folder is known: what belongs to one command is no other's to go on with. */
export const growingJournals = { 'a search of nn tune': 'trials.jsonl', 'the experiments of nn diagnose': 'experiments.jsonl' };

/** Opens a folder: a new one, or one that an interrupted session left.
 *  @throws UserError (usage) where it is of another config or command, or another process goes on with it */
export async function openGrowing<Result extends object>(
  path: string,
  loaded: LoadedConfig,
  kind: Kind<Result>,
): Promise<GrowingFolder<Result>> {
  let present: string[];
  try {
    await makeFolder(path);
    present = await readdir(path);
  } catch (error) {
    throw new UserError('usage', `--output ${path}: expected a folder that can be written, found: ${systemReason(error)}`, {
      cause: error,
    });
  }
  for (const [title, journal] of Object.entries(growingJournals)) {
    if (journal === kind.journal || !present.includes(journal)) continue;
    throw new UserError('usage', `--output ${path}: expected ${kind.title} or a new folder, found ${title}`, {
      hint: 'Name another folder.',
    });
  }
  const lock = await lockFolder(path);
  try {
    const goesOn = present.includes(searchFiles.config);
    if (goesOn) await refuseOther(path, loaded, kind);
    else await writeConfig(join(path, searchFiles.config), loaded, path);
    const file = join(path, kind.journal);
    const journal = await openJournal(file, goesOn ? await wholeLines(file) : undefined);
    const known = goesOn ? await kind.read(path).catch((error) => journal.close().then(() => Promise.reject(error))) : [];
    const close = async () => {
      try {
        await journal.close();
      } finally {
        await lock.release();
      }
    };
    const append = async (result: Result) => {
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

/** The results in a search's journal. */
export async function readTrials(path: string): Promise<TrialResult[]> {
  const { trialResult } = await import('../results/tuning.ts');
  return readLines(join(path, searchFiles.journal), trialResult, { line: 'a trial of nn tune', whole: 'the trials of a search' });
}

/** The lines of a journal; none where there is no file. A last line that was cut off by a kill counts as not written.
 *  @throws UserError (data) on another file */
export async function readLines<Result>(
  file: string,
  schema: { safeParse(value: unknown): { success: true; data: Result } | { success: false } },
  expected: { line: string; whole: string },
): Promise<Result[]> {
  let text: string;
  try {
    text = (await readPlainFile(file)).toString();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new UserError('data', `${file}: expected ${expected.whole}, found: ${systemReason(error)}`, { cause: error });
  }
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    if (line === '') return [];
    const parsed = schema.safeParse(parseLine(line));
    if (parsed.success) return [parsed.data];
    if (i === lines.length - 1) return [];
    throw new UserError('data', `${file}, line ${i + 1}: expected ${expected.line}, found ${line.slice(0, 40)}`);
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

/** @throws UserError (usage) where a folder holds another search, say, than a config describes */
async function refuseOther(
  path: string,
  loaded: LoadedConfig,
  { title, isSame }: Pick<Kind<unknown>, 'title' | 'isSame'>,
): Promise<void> {
  const found = await readSearchConfig(path);
  const file = join(path, searchFiles.config);
  const here = JSON.parse(JSON.stringify(checkConfig(moveConfig(loaded.config, loaded.folder, resolve(path)), file))) as Config;
  const there = JSON.parse(JSON.stringify(found.config)) as Config;
  if (isSame(here, there)) return;
  throw new UserError('usage', `--output ${path}: expected ${title} that this config describes, found another in ${file}`, {
    hint: `Name another folder, or go on with the config that ${title} began with.`,
  });
}

/** The bytes of a file without a line that a kill left unfinished, so that the next one starts on its own; undefined where it can't be
 *  read: then opening or reading it says why. */
async function wholeLines(file: string): Promise<number | undefined> {
  return readPlainFile(file).then(
    (bytes) => bytes.lastIndexOf('\n') + 1,
    () => undefined,
  );
}
