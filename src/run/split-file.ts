import { createHash, type Hash } from 'node:crypto';
import type { ReadStream } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse';
import { probability } from '../classifier/classifier.ts';
import type { Classes } from '../data/classes.ts';
import { type ContentSet, contentSet } from '../data/content-hash.ts';
import { exists, openPlainFile } from '../data/disk.ts';
import type { ExampleSet } from '../data/examples.ts';
import { type SplitName, splitNames } from '../data/split.ts';
import { csvField } from '../data/text-files.ts';
import { systemReason, UserError } from '../errors.ts';
import type { StoredPrediction } from '../results/evaluation.ts';
import { writePiecesAtomically } from './atomic-write.ts';

/** Of a run's folder, or a search's. */
export const splitFileName = 'split.csv';

/** Which picture stood in which part. */
export interface SplitRow {
  name: string;
  hash: string;
  label: 0 | 1;
  part: SplitName;
}

export type SplitParts = Partial<Record<SplitName, ExampleSet>>;

/** The rows of split.csv: name, content hash, class and part of every example. */
export async function splitRows(parts: SplitParts): Promise<SplitRow[]> {
  const rows: SplitRow[] = [];
  for await (const some of rowsInPieces(parts)) for (const row of some) rows.push(row);
  return rows;
}

/** Writes split.csv. @returns its mark */
export async function writeSplit(path: string, parts: SplitParts, classes: Classes): Promise<string> {
  const hash = createHash('sha256');
  await writePiecesAtomically(join(path, splitFileName), hashing(textInPieces(parts, classes), hash));
  return digestOf(hash);
}

/** The mark of the split.csv that would be written: it tells which pictures, with what content, stand in which order. */
export async function splitDigest(parts: SplitParts, classes: Classes): Promise<string> {
  const hash = createHash('sha256');
  for await (const _ of hashing(textInPieces(parts, classes), hash));
  return digestOf(hash);
}

/** The mark of the split.csv that stands in a run's folder; null where there is none. */
export async function writtenSplitDigest(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const _ of hashing(await readStream(join(path, splitFileName)), hash));
  } catch {
    return null; // it is written again
  }
  return digestOf(hash);
}

/** It closes the file at its end. @throws as `openPlainFile` does */
async function readStream(file: string): Promise<ReadStream> {
  return (await openPlainFile(file)).createReadStream();
}

async function* hashing<Piece extends string | Uint8Array>(pieces: AsyncIterable<Piece>, hash: Hash): AsyncGenerator<Piece> {
  for await (const piece of pieces) {
    hash.update(piece);
    yield piece;
  }
}

/** As `contentHash`. */
const digestOf = (hash: Hash) => hash.digest('hex').slice(0, 32);

async function* textInPieces(parts: SplitParts, { positive, negative }: Classes): AsyncGenerator<string> {
  yield 'name,hash,label,part\n';
  for await (const rows of rowsInPieces(parts)) {
    const lines = rows.map(({ name, hash, label, part }) => [name, hash, label === 1 ? positive : negative, part]);
    yield lines.map((fields) => `${fields.map(csvField).join(',')}\n`).join('');
  }
}

/** Rows that are in memory at a time: so few that what they are made of is dead before V8 makes its room for the young larger, which
 *  it never gives back. */
const rowsTogether = 512;

/** The rows of split.csv, some at a time. */
export async function* rowsInPieces(parts: SplitParts): AsyncGenerator<SplitRow[]> {
  for (const part of splitNames) {
    const { names, hashes, labels } = parts[part] ?? { names: [], hashes: [], labels: [] };
    for (let first = 0; first < labels.length; first += rowsTogether) {
      const end = Math.min(labels.length, first + rowsTogether);
      const [some, ofSome] = [await names.slice(first, end), await hashes.slice(first, end)];
      yield some.map((name, i) => ({ name, hash: ofSome[i]!, label: labels[first + i] === 1 ? 1 : 0, part }));
    }
  }
}

/** Every row of a run's split.csv. @throws UserError (model) where the folder holds no such file, or another kind of file */
export async function readSplit(run: string, classes: Classes): Promise<SplitRow[]> {
  return (await readSplitPart(run, classes, 'all')).rows;
}

/** The rows of a part, and which parts there are: no more than those rows is kept in memory.
 *  @throws UserError (model) where the folder holds no such file, or another kind of file */
export async function readSplitPart(
  run: string,
  classes: Classes,
  wanted: SplitName | 'all',
): Promise<{ rows: SplitRow[]; present: SplitName[] }> {
  const rows: SplitRow[] = [];
  const present = new Set<SplitName>();
  await eachRow(run, classes, (row) => {
    present.add(row.part);
    if (wanted === 'all' || row.part === wanted) rows.push(row);
  });
  return { rows, present: splitNames.filter((part) => present.has(part)) };
}

/** The contents of the training part among some rows. */
export function trainedOf(rows: readonly SplitRow[]): ContentSet {
  const trained = contentSet();
  for (const { hash, part } of rows) if (part === 'train') trained.add(hash);
  return trained;
}

/** The contents of a run's training part; null where the folder holds no split.csv, so that nobody knows.
 *  @throws UserError (model) where that is another kind of file */
export async function readTrained(run: string, classes: Classes): Promise<ContentSet | null> {
  if (!(await exists(join(run, splitFileName)))) return null;
  const trained = contentSet();
  await eachRow(run, classes, ({ hash, part }) => {
    if (part === 'train') trained.add(hash);
  });
  return trained;
}

/** @throws UserError (model) where the folder holds no split.csv, or another kind of file */
async function eachRow(run: string, classes: Classes, take: (row: SplitRow) => void): Promise<void> {
  const file = join(run, splitFileName);
  let stream: ReadStream | undefined;
  try {
    stream = await readStream(file);
    const parser = parse({ columns: true, record_delimiter: ['\r\n', '\n'] });
    stream.on('error', (error) => parser.destroy(error)).pipe(parser);
    let picture = 0;
    for await (const record of parser as AsyncIterable<Record<string, string>>) {
      take(checkRow(record, classes, `${file}, picture ${++picture}`));
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError('model', `${file}: expected the parts of a run, found: ${systemReason(error)}`, { cause: error });
  } finally {
    stream?.destroy();
  }
}

function checkRow({ name, hash, label, part }: Record<string, string>, { positive, negative }: Classes, where: string): SplitRow {
  const labels = [negative, positive];
  if (!name || !hash || !splitNames.includes(part as SplitName) || !labels.includes(label ?? '')) {
    const found = [name, hash, label, part].map((value) => value ?? 'nothing').join(', ');
    throw new UserError(
      'model',
      `${where}: expected name, hash, a label (${labels.join(' or ')}) and a part (${splitNames.join(', ')}), found ${found}`,
    );
  }
  return { name, hash, label: label === positive ? 1 : 0, part: part as SplitName };
}

/** Says in words how pictures differ from those in the split.csv of a folder, which has another mark.
 *  @throws UserError (model) where it can't be read */
export async function changesSince(path: string, parts: SplitParts, classes: Classes): Promise<string> {
  return splitChanges(await readSplit(path, classes), await splitRows(parts)) ?? `another ${splitFileName}`;
}

/** Says in words how the pictures of a split differ from those of an earlier one; null where they are the same. */
export function splitChanges(before: readonly SplitRow[], now: readonly SplitRow[]): string | null {
  const [gone, come] = [surplus(before, now), surplus(now, before)];
  const names = new Set(come);
  const changed = new Set(gone.filter((name) => names.has(name)));
  const words = [
    listed('changed', [...changed]),
    listed(
      'missing',
      gone.filter((name) => !changed.has(name)),
    ),
    listed(
      'new',
      come.filter((name) => !changed.has(name)),
    ),
  ].filter((text) => text !== null);
  if (words.length > 0) return words.join(', ');
  const same = before.every((row, i) => JSON.stringify(row) === JSON.stringify(now[i]));
  return same ? null : 'the same ones, divided or ordered in another way';
}

/** Names of pictures, with content and label, that stand in one list more often than in another. */
function surplus(rows: readonly SplitRow[], others: readonly SplitRow[]): string[] {
  const key = ({ name, hash, label }: SplitRow) => JSON.stringify([name, hash, label]);
  const counts = new Map<string, number>();
  for (const row of others) counts.set(key(row), (counts.get(key(row)) ?? 0) + 1);
  return rows
    .filter((row) => {
      const left = counts.get(key(row)) ?? 0;
      counts.set(key(row), left - 1);
      return left <= 0;
    })
    .map(({ name }) => name);
}

const mostNames = 5;

function listed(what: string, names: readonly string[]): string | null {
  if (names.length === 0) return null;
  return `${names.length} ${what} (${names.slice(0, mostNames).join(', ')}${names.length > mostNames ? ', …' : ''})`;
}

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
  await writePiecesAtomically(join(run, predictionsFileName), predictionLines(rows, logits));
}

async function* predictionLines(
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
