import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { ExperimentResult } from '../results/experiments.ts';
import { type GrowingFolder, growingJournals, openGrowing, readLines, searchFiles } from './search-folder.ts';

/** The files of `nn diagnose`. docs/formats.md says what is in them. */
export const experimentFiles = {
  config: searchFiles.config,
  journal: growingJournals['the experiments of nn diagnose'],
  summary: 'diagnosis.json',
  proposal: 'proposal.json',
} as const;

/** Opens the folder of a diagnosis: a new one, or one that an interrupted diagnosis left.
 *  @throws UserError (usage) where that of another config stands there, or another process goes on with it */
export function openExperiments(path: string, loaded: LoadedConfig): Promise<GrowingFolder<ExperimentResult>> {
  const { journal } = experimentFiles;
  return openGrowing(path, loaded, { title: 'the diagnosis', journal, read: readExperiments, isSame: isSameDiagnosis });
}

/** The experiments in a diagnosis's journal. */
export async function readExperiments(path: string): Promise<ExperimentResult[]> {
  const { experimentResult } = await import('../results/experiments.ts');
  const expected = { line: 'an experiment of nn diagnose', whole: 'the experiments of a diagnosis' };
  return readLines(join(path, experimentFiles.journal), experimentResult, expected);
}

/** Whether two configs, with paths from the same folder, are diagnosed alike: what nn tune varies is no part of it. */
export function isSameDiagnosis(one: Config, other: Config): boolean {
  const without = ({ $schema: _, search: __, ...rest }: Config) => rest;
  return isDeepStrictEqual(without(one), without(other));
}
