import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TrainSummary } from '../../src/results/summary.ts';
import { runFiles } from '../../src/run/run-folder.ts';

/** A run (test/golden/README.md) from whose files others are made. */
const given = fileURLToPath(new URL('../golden/run-version-1/run', import.meta.url));
const readGiven = async (name: string) => JSON.parse(await readFile(join(given, name), 'utf8'));

export interface MadeRun {
  /** changes to the given run's config; null for none at all */
  config?: object | null;
  /** changes to the given run's summary; null for a run that has not ended */
  summary?: Partial<TrainSummary> | null;
  /** lines of the journal; none where absent */
  journal?: readonly object[];
}

/** Makes the small files of a run: what `nn runs` reads. */
export async function makeRun(path: string, { config = {}, summary = {}, journal = [] }: MadeRun = {}): Promise<void> {
  await mkdir(path, { recursive: true });
  const put = (name: string, text: string) => writeFile(join(path, name), text);
  if (config !== null) await put(runFiles.config, JSON.stringify({ ...(await readGiven('config.json')), ...config }));
  if (summary !== null) await put(runFiles.summary, JSON.stringify({ ...(await readGiven('summary.json')), ...summary }));
  await put(runFiles.journal, journal.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** A line of a journal. */
export function journalEpoch(epoch: number, more: object = {}): object {
  const rest = { l2Cost: 0, dev: null, learningRate: 0.1, seconds: epoch, layers: null };
  return { epoch, cost: 1 / epoch, train: { accuracy: 0.5 }, ...rest, ...more };
}
