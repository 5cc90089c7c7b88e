import type { Classes } from '../data/classes.ts';
import { readSplit, type SplitParts, type SplitRow, splitFileName, splitRows } from './split-file.ts';

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
