import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { moveConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { readPlainFile } from '../data/disk.ts';
import { isSystemError, systemReason, UserError } from '../errors.ts';
import type { Divergence } from '../results/journal.ts';
import type { Metrics } from '../results/metrics.ts';
import type { Ended, RunEntry } from '../results/runs.ts';
import type { TrainSummary } from '../results/summary.ts';
import { isLocked, lockName } from './lock.ts';
import { readLastLine } from './read-journal.ts';
import { readRunConfig, runFiles } from './run-folder.ts';
import { growingJournals } from './search-folder.ts';

/** What a run's small files say. */
export interface ReadRun {
  entry: Omit<RunEntry, 'settings'>;
  /** null before the end, and where it is damaged */
  summary: TrainSummary | null;
  /** with paths from the working folder; null where it can't be read */
  config: Config | null;
}

/** Reads what a run is and how it ended from its config and its summary, or where there is none from the end of its journal. What can't be
 *  read is said in `problem`, and the rest is there all the same.
 *  @param name  as it is to be called
 *  @returns null where the folder holds no run, or the search of `nn tune` */
export async function readRun(path: string, name: string): Promise<ReadRun | null> {
  const problems: string[] = [];
  /** @returns null where something can't be read, which is noted */
  const attempt = async <T>(work: Promise<T>): Promise<T | null> => {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof UserError) && !isSystemError(error)) throw error;
      problems.push(error instanceof UserError ? error.lines[0]! : `${path}: ${systemReason(error)}`);
      return null;
    }
  };
  const files = await attempt(readdir(path));
  if (files !== null && !isRun(files)) return null;
  const config = files === null ? null : await attempt(readConfig(path));
  const summary = files === null ? null : await attempt(readSummary(path));
  const end = files === null ? unknownEnd : ((await attempt(endOf(path, files, summary))) ?? unknownEnd);
  const entry: ReadRun['entry'] = {
    name,
    run: path,
    when: files === null ? null : await lastWritten(path, files),
    ended: problems.length > 0 ? 'unreadable' : end.ended,
    problem: problems[0] ?? end.problem,
    network: config === null ? null : networkName(config),
    parameters: summary?.parameters ?? null,
    epochs: end.epochs,
    planned: config?.training.epochs ?? null,
    bestEpoch: summary?.bestEpoch ?? null,
    seconds: summary?.seconds ?? null,
    dev: accuracyOf(summary?.metrics.dev),
    test: accuracyOf(summary?.metrics.test),
  };
  return { entry, summary, config };
}

/** Whether the files of a folder are those of a run: a config, or what came of one, and no search. */
function isRun(files: readonly string[]): boolean {
  return !isSearch(files) && (files.includes(runFiles.config) || files.includes(runFiles.summary));
}

export function isSearch(files: readonly string[]): boolean {
  return Object.values(growingJournals).some((journal) => files.includes(journal));
}

async function readConfig(path: string): Promise<Config> {
  const { config, folder } = await readRunConfig(path);
  return moveConfig(config, folder, '.');
}

/** summary.json; null where there is none yet. @throws UserError (data) where it is damaged */
export async function readSummary(path: string): Promise<TrainSummary | null> {
  const { trainSummary } = await import('../results/summary.ts');
  const file = join(path, runFiles.summary);
  const refuse = (found: string, cause?: unknown) =>
    new UserError('data', `${file}: expected the summary of a run, found ${found}`, { cause });
  let text: string;
  try {
    text = (await readPlainFile(file)).toString();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw refuse(systemReason(error), error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse('text that is no JSON', error);
  }
  const { success, data, error } = trainSummary.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  throw refuse(`no sound value in ${issue!.path.join('.') || 'it'}`, error);
}

interface End {
  ended: Ended;
  /** finished; null where nobody knows */
  epochs: number | null;
  problem: string | null;
}

const unknownEnd: End = { ended: 'unreadable', epochs: null, problem: null };

/** How a run ended, or whether it goes on. */
async function endOf(path: string, files: readonly string[], summary: TrainSummary | null): Promise<End> {
  if (summary !== null && summary.stopped !== 'interrupted')
    return { ended: summary.stopped, epochs: summary.epochs, problem: null };
  const isRunning = files.includes(lockName) && (await isLocked(path));
  if (summary !== null) return { ended: isRunning ? 'running' : 'interrupted', epochs: summary.epochs, problem: null };
  const last = await readLastLine(path);
  if (last !== null && 'diverged' in last) {
    const { epoch } = last.diverged;
    return { ended: isRunning ? 'running' : 'diverged', epochs: epoch - 1, problem: divergedText(last.diverged) };
  }
  const epochs = last === null || last.fold !== undefined ? 0 : last.epoch; // those of folds are of other trainings
  return { ended: isRunning ? 'running' : 'unfinished', epochs, problem: null };
}

function divergedText({ epoch, tensor, learningRate, what }: Divergence): string {
  return `diverged in epoch ${epoch} (${tensor}) with learning rate ${learningRate}: ${what}`;
}

/** When a run was written last: its end, or how far it has come. */
async function lastWritten(path: string, files: readonly string[]): Promise<string | null> {
  const newest = [runFiles.summary, runFiles.journal, runFiles.config].find((name) => files.includes(name));
  if (newest === undefined) return null;
  return stat(join(path, newest)).then(
    ({ mtime }) => mtime.toISOString(),
    () => null, // taken away in this moment
  );
}

/** A network in a word: logistic regression, or its layers with weights: 20-7-5-1, as the course counts four, or conv(8-16)-20-1. */
export function networkName({ model: { layers } }: Config): string {
  return layers.length === 0 ? 'logistic regression' : [...layerNames(layers), 1].join('-');
}

/** Units of dense layers, filters of convolutions, those in a row together, and what residual blocks hold. */
function layerNames(layers: readonly Config['model']['layers'][number][]): string[] {
  const names: string[] = [];
  let filters: number[] = [];
  const close = () => {
    if (filters.length > 0) names.push(`conv(${filters.join('-')})`);
    filters = [];
  };
  for (const layer of layers) {
    if ('filters' in layer) filters.push(layer.filters);
    else if ('units' in layer || 'layers' in layer) {
      close();
      names.push('units' in layer ? String(layer.units) : `residual(${layerNames(layer.layers).join('-')})`);
    }
  }
  close();
  return names;
}

function accuracyOf(metrics: Pick<Metrics, 'accuracy' | 'accuracyInterval'> | null | undefined): RunEntry['dev'] {
  return metrics ? { accuracy: metrics.accuracy, accuracyInterval: metrics.accuracyInterval } : null;
}
