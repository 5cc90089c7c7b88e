import { basename, join, resolve } from 'node:path';
import { valueAt } from '../config/json-schema.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { SearchConfig } from '../config/schema.ts';
import { machineFacts } from '../library/run-report.ts';
import { tuneReportHtml } from '../report/tune-report.ts';
import type { TrialResult, TuneSummary } from '../results/tuning.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import { shownPath } from '../run/places.ts';
import { readUntuned, searchFiles, writeUntuned } from '../run/search-folder.ts';
import type { TrainingExtras } from '../training/plan.ts';
import { trialPool } from '../training/trial-pool.ts';
import type { Context } from './command.ts';

/** Trains the config that is not tuned, once for a search, as its trials are trained and judged.
 *  @param output  the folder of the search
 *  @throws poolClosed where the user stops it */
export async function trainUntuned(
  context: Context,
  { loaded, extras }: { loaded: LoadedConfig; extras: TrainingExtras },
  { output, threads }: { output: string; threads: number },
): Promise<void> {
  if ((await readUntuned(output)) !== null) return;
  const { config } = loaded;
  const search = { ...config.search!, parameters: {} };
  const pool = trialPool(
    { loaded: { ...loaded, config: { ...config, search } }, extras },
    { jobs: 1, threads, onDeath: context.warn },
  );
  const close = () => pool.close();
  context.signal.addEventListener('abort', close);
  context.note('training the config that is not tuned first, to compare with');
  try {
    await writeUntuned(output, await pool.run({ trial: 0, rung: 0, epochs: config.training.epochs }));
  } finally {
    context.signal.removeEventListener('abort', close);
    close();
  }
}

/** Writes the page of --report. */
export async function writeTuneReport(
  context: Context,
  file: string,
  {
    folder,
    loaded,
    search,
    results,
    summary,
  }: {
    /** that has the search's config */
    folder: string;
    loaded: LoadedConfig;
    search: SearchConfig;
    results: readonly TrialResult[];
    summary: TuneSummary;
  },
): Promise<void> {
  const { config } = loaded;
  const { parameters } = search;
  const page = tuneReportHtml({
    title: basename(resolve(summary.output)),
    summary,
    results,
    parameters,
    epochs: config.training.epochs,
    config: shownPath(join(folder, searchFiles.config)),
    own: Object.keys(parameters).map((path) => JSON.stringify(valueAt(config, path.split('.')))),
    facts: [['seed', String(config.seed)], ...machineFacts()],
  });
  await writeFileAtomically(file, page);
  context.note(`report: ${file}`);
}
