import { join } from 'node:path';
import { parse } from 'csv-parse';
import type { Classifier } from '../classifier/classifier.ts';
import { exists, openPlainFile } from '../data/disk.ts';
import { type SplitName, splitNames } from '../data/split.ts';
import { systemReason, UserError } from '../errors.ts';
import type { PairedCounts } from '../evaluation/paired.ts';
import type { StoredPrediction } from '../results/evaluation.ts';
import { shellWord } from '../text.ts';
import { predictionsFileName, readSplitPart } from './split-file.ts';

/** What a run's model answered for a picture. */
export interface Answer {
  /** of its content */
  hash: string;
  /** the class that it is of */
  label: string;
  /** whether the answer is that class */
  right: boolean;
}

/** What a run's model answered for the pictures of a part, in the order of split.csv: p above the model's threshold is positive.
 *  @returns null where predictions.csv holds nothing of that part
 *  @throws UserError (data) where the file is damaged, or of other pictures; (model) for split.csv */
export async function readAnswers(
  run: string,
  part: SplitName,
  { classes, threshold }: Pick<Classifier, 'classes' | 'threshold'>,
): Promise<Answer[] | null> {
  const file = join(run, predictionsFileName);
  if (!(await exists(file))) return null;
  const predictions = (await readPredictions(file)).filter((row) => row.part === part);
  if (predictions.length === 0) return null;
  const { rows } = await readSplitPart(run, classes, part);
  const differs = rows.findIndex(({ hash }, i) => hash !== predictions[i]?.hash);
  if (differs >= 0 || rows.length !== predictions.length) {
    throw new UserError('data', `${file}: expected the ${rows.length} pictures of ${part} in split.csv, found others`, {
      hint: `Make it again: ${evaluateCommand(run)}`,
    });
  }
  return rows.map(({ hash, label }, i) => ({
    hash,
    label: label === 1 ? classes.positive : classes.negative,
    right: predictions[i]!.p > threshold === (label === 1),
  }));
}

/** What tells one labelled picture from others. */
export const pictureOf = ({ hash, label }: Answer) => `${hash} ${label}`;

/** How often each of two runs, or both, were right. A picture that occurs several times is paired as often, in the order of the rows.
 *  @param second  of the same pictures, in any order */
export function pairAnswers(first: readonly Answer[], second: readonly Answer[]): PairedCounts {
  const byPicture = new Map<string, boolean[]>();
  for (const answer of second) byPicture.set(pictureOf(answer), [...(byPicture.get(pictureOf(answer)) ?? []), answer.right]);
  const counts = { bothRight: 0, onlyFirst: 0, onlySecond: 0, bothWrong: 0 };
  for (const answer of first) {
    const other = byPicture.get(pictureOf(answer))!.shift()!;
    counts[answer.right ? (other ? 'bothRight' : 'onlyFirst') : other ? 'onlySecond' : 'bothWrong']++;
  }
  return counts;
}

/** How many answers two lists have in common by a key, each as often as it is in both. */
export function commonOf(one: readonly Answer[], other: readonly Answer[], keyOf: (answer: Answer) => string): number {
  const left = new Map<string, number>();
  for (const key of one.map(keyOf)) left.set(key, (left.get(key) ?? 0) + 1);
  return other.map(keyOf).filter((key) => {
    const n = left.get(key) ?? 0;
    left.set(key, n - 1);
    return n > 0;
  }).length;
}

/** The command that makes a run's predictions.csv. */
export function evaluateCommand(run: string): string {
  return `nn evaluate --model ${shellWord(run)} --split all`;
}

async function readPredictions(file: string): Promise<StoredPrediction[]> {
  const found: StoredPrediction[] = [];
  try {
    const stream = (await openPlainFile(file)).createReadStream(); // it closes the file at its end
    const parser = parse({ columns: true, record_delimiter: ['\r\n', '\n'] });
    stream.on('error', (error) => parser.destroy(error)).pipe(parser);
    try {
      for await (const record of parser as AsyncIterable<Record<string, string>>)
        found.push(checkRow(record, `${file}, picture ${found.length + 1}`));
    } finally {
      stream.destroy();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError('data', `${file}: expected the answers of a run, found: ${systemReason(error)}`, { cause: error });
  }
  return found;
}

function checkRow({ hash, part, p: text }: Record<string, string>, where: string): StoredPrediction {
  const p = text === undefined || text === '' ? Number.NaN : Number(text);
  const known = splitNames.find((name) => name === part);
  if (hash && known !== undefined && p >= 0 && p <= 1) return { hash, part: known, p };
  const found = [hash, part, text].map((value) => value ?? 'nothing').join(', ');
  throw new UserError('data', `${where}: expected a hash, a part (${splitNames.join(', ')}) and p from 0 to 1, found ${found}`, {
    hint: 'The file is damaged: nn evaluate --split all makes it again.',
  });
}
