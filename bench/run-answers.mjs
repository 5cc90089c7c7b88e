// What a run answered, from its folder.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const rows = (file) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));

/** p of each picture of a part, in the order of its split, and its label: 1 for cats. */
export function answersOf(run, part) {
  // names may hold commas, hashes and labels do not
  const labels = new Map(rows(join(run, 'split.csv')).map((row) => [row.at(-3), row.at(-2)]));
  const answered = rows(join(run, 'predictions.csv')).filter((row) => row[1] === part);
  const isCat = (label) => label === 'cat' || label === '1';
  return {
    p: Float64Array.from(answered, (row) => Number(row[2])),
    labels: Uint8Array.from(answered, ([hash]) => Number(isCat(labels.get(hash)))),
  };
}

/** Whether a folder's training is complete: one that was stopped by a signal has a summary too. */
export function isComplete(run) {
  const file = join(run, 'summary.json');
  return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).stopped !== 'interrupted';
}
