import { join } from 'node:path';
import { openPlainFile, readAt, withFile } from '../data/disk.ts';
import { systemReason, UserError } from '../errors.ts';
import { thinned } from '../evaluation/curves.ts';
import type { CurvePoint, JournalLine } from '../results/journal.ts';
import { runFiles } from './run-folder.ts';

/** What an epoch of a journal shows in a learning curve: at most so many are kept. */
const mostPoints = 1000;

/** The learning curve of a run: of its journal some epochs, the first and the last, `best` and all extremes among them. None where there is no
 *  journal; folds are left out. A last line that was cut off by a kill counts as not written.
 *  @throws UserError (data) where it can't be read, or another line is none of a journal */
export async function readCurve(run: string, best: number | null): Promise<CurvePoint[]> {
  const { curvePoint } = await import('../results/journal.ts');
  const points: CurvePoint[] = [];
  let number = 0;
  for await (const line of linesOfJournal(run)) {
    number++;
    const value = parseLine(line);
    if (typeof value === 'object' && value !== null && ('fold' in value || 'diverged' in value)) continue;
    const { success, data } = curvePoint.safeParse(value);
    if (!success) {
      const where = `${join(run, runFiles.journal)}, line ${number}`;
      throw new UserError('data', `${where}: expected an epoch of nn train, found ${line.slice(0, 40)}`, {
        hint: 'The file is damaged; the model and summary.json do not depend on it.',
      });
    }
    points.push(data);
  }
  return thinnedCurve(points, best);
}

/** All lines of a run's own journal, as it wrote them: numbers that are not finite are null.
 *  @throws UserError (data) where it can't be read */
export async function readOwnJournal(run: string): Promise<JournalLine[]> {
  const lines: JournalLine[] = [];
  for await (const line of linesOfJournal(run)) lines.push(JSON.parse(line) as JournalLine);
  return lines;
}

/** Whole lines: what stands behind the last line end is being written, or was cut off. */
async function* linesOfJournal(run: string): AsyncGenerator<string> {
  const file = join(run, runFiles.journal);
  try {
    const stream = (await openPlainFile(file)).createReadStream({ encoding: 'utf8' }); // it closes the file at its end
    try {
      let rest = '';
      for await (const piece of stream as AsyncIterable<string>) {
        const lines = (rest + piece).split('\n'); // alone: names of pictures may hold other signs that end lines
        rest = lines.pop()!;
        yield* lines;
      }
    } finally {
      stream.destroy();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error instanceof UserError
      ? error
      : new UserError('data', `${file}: expected the epochs of a run, found: ${systemReason(error)}`, { cause: error });
  }
}

/** At most `mostPoints` points: the first, the last and the best, and all extremes of cost and accuracy, on train and on dev. */
export function thinnedCurve(points: readonly CurvePoint[], best: number | null): CurvePoint[] {
  if (points.length <= mostPoints) return [...points];
  const kept = new Set([0, points.length - 1, points.findIndex(({ epoch }) => epoch === best)]);
  const each = Math.floor((mostPoints - kept.size) / measured.length);
  for (const value of measured) {
    const known = points.flatMap((point, i) => (value(point) === undefined ? [] : [i]));
    const values = known.map((i) => value(points[i]!)!);
    for (const k of thinned(values, each)) kept.add(known[k]!);
  }
  return points.filter((_, i) => kept.has(i));
}

const measured: ((point: CurvePoint) => number | undefined)[] = [
  ({ cost }) => cost,
  ({ train }) => train.accuracy,
  ({ dev }) => dev?.cost,
  ({ dev }) => dev?.accuracy,
];

/** Bytes that are read of a journal's end first; a line of a deep network may be longer. */
const tailBytes = 16 * 1024;

/** The last whole line of a run's journal, with no more read of it than its end; null where there is none.
 *  @throws UserError (data) where it can't be read, or is none of a journal */
export async function readLastLine(run: string): Promise<JournalLine | null> {
  const { journalLine } = await import('../results/journal.ts');
  const file = join(run, runFiles.journal);
  let text: string | null;
  try {
    text = await lastLineOf(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new UserError('data', `${file}: expected the epochs of a run, found: ${systemReason(error)}`, { cause: error });
  }
  if (text === null) return null;
  const { success, data } = journalLine.safeParse(parseLine(text));
  if (success) return data;
  throw new UserError('data', `${file}: expected an epoch of nn train in its last line, found ${text.slice(0, 40)}`);
}

function lastLineOf(file: string): Promise<string | null> {
  return withFile(openPlainFile(file), async (handle) => {
    const { size } = await handle.stat();
    for (let length = Math.min(size, tailBytes); ; length = Math.min(size, 4 * length)) {
      const bytes = await readAt(handle, size - length, length);
      const end = bytes.lastIndexOf('\n');
      const start = end < 0 ? -1 : bytes.subarray(0, end).lastIndexOf('\n');
      if (start >= 0 || length === size) return end < 0 ? null : bytes.subarray(start + 1, end).toString();
    }
  });
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // the schema refuses it
  }
}
