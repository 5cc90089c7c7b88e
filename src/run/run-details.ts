import { join } from 'node:path';
import { withoutDefaults } from '../config/without-defaults.ts';
import { UserError } from '../errors.ts';
import type { CurvePoint } from '../results/journal.ts';
import type { RunDetails } from '../results/runs.ts';
import { readCurve } from './read-journal.ts';
import type { ReadRun } from './read-run.ts';
import { runFiles } from './run-folder.ts';

/** All that is known of a run without its pictures and its model. What can't be read is said in the warnings. */
export async function detailsOf({ entry, summary, config }: ReadRun): Promise<RunDetails> {
  const warnings: string[] = [];
  const curve = await curveOf(entry.run, summary?.bestEpoch ?? null, warnings);
  const moved = summary === null ? null : { ...summary, run: entry.run, model: join(entry.run, runFiles.model) }; // where it lies now
  return { ...entry, summary: moved, config: config === null ? null : withoutDefaults(config), curve, warnings };
}

/** The learning curve of a run; none where its journal is damaged, which is added to the warnings. */
export async function curveOf(run: string, best: number | null, warnings: string[]): Promise<CurvePoint[]> {
  try {
    return await readCurve(run, best);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warnings.push(error.message);
    return [];
  }
}
