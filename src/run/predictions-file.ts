import { join } from 'node:path';
import { probability } from '../classifier/classifier.ts';
import { csvField } from '../data/text-files.ts';
import type { StoredPrediction } from '../results/evaluation.ts';
import { writePiecesAtomically } from './atomic-write.ts';
import type { SplitRow } from './split-file.ts';

/** Of a run's folder: what the model answers for the pictures of each part, from which runs are compared. */
export const predictionsFileName = 'predictions.csv';

/** Writes predictions.csv.
 *  @param rows    of split.csv, some at a time
 *  @param logits  one a row, in their order */
export async function writePredictions(
  run: string,
  rows: Iterable<readonly SplitRow[]> | AsyncIterable<readonly SplitRow[]>,
  logits: Float64Array,
): Promise<void> {
  await writePiecesAtomically(join(run, predictionsFileName), textInPieces(rows, logits));
}

async function* textInPieces(
  rows: Iterable<readonly SplitRow[]> | AsyncIterable<readonly SplitRow[]>,
  logits: Float64Array,
): AsyncGenerator<string> {
  yield `${columns.join(',')}\n`;
  let i = 0;
  for await (const some of rows) {
    const found = some.map(({ hash, part }): StoredPrediction => ({ hash, part, p: probability(logits[i++]!) }));
    yield found.map((row) => `${columns.map((column) => csvField(row[column])).join(',')}\n`).join('');
  }
}

const columns = ['hash', 'part', 'p'] as const satisfies (keyof StoredPrediction)[];
