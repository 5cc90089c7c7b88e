import type { Examples } from '../data/examples.ts';
import { UserError } from '../errors.ts';
import type { SplitRow } from './split-file.ts';

/** Finds the pictures of a run's part among others by their content, wherever they lie now.
 *  @returns indices into `examples`, in the order of the rows
 *  @throws UserError (data) where some are not there */
export function findExamples(rows: readonly SplitRow[], examples: Examples, what: { part: string; where: string }): number[] {
  const places = new Map<string, number[]>();
  const key = (hash: string, label: number) => `${hash} ${label}`;
  for (const [i, hash] of examples.hashes.entries()) {
    const found = places.get(key(hash, examples.labels[i]!));
    if (found) found.push(i);
    else places.set(key(hash, examples.labels[i]!), [i]);
  }
  const missing: SplitRow[] = [];
  const indices = rows.flatMap((row) => {
    const found = places.get(key(row.hash, row.label));
    if (found === undefined) missing.push(row);
    // one picture may stand in a source several times: each of its rows takes the next, the last serves the rest
    return found === undefined ? [] : [found.length > 1 ? found.shift()! : found[0]!];
  });
  if (missing.length > 0) {
    throw new UserError(
      'data',
      `${what.where}: expected the ${rows.length} pictures of the run's ${what.part} part, ${missing.length} are not there, such as ${missing[0]!.name}`,
      { hint: 'Name the pictures that the run was trained on with --data, or judge all of another source with --split all.' },
    );
  }
  return indices;
}
