import { type ExampleSet, stringBlocks } from '../data/examples.ts';

import { UserError } from '../errors.ts';
import type { SplitRow } from './split-file.ts';

/** How errors call what is looked for. */
export interface ExpectedPart {
  part: string;
  where: string;
  /** why some could not be read, by their names */
  reasons?: ReadonlyMap<string, string>;
}

/** Finds the pictures of a run's part among others by their content, wherever they lie now.
 *  @returns for each set the indices of those that were found in it, in the order of the rows
 *  @throws UserError (data) where some are not there */
export async function findExamples(
  rows: readonly SplitRow[],
  sets: readonly ExampleSet[],
  what: ExpectedPart,
): Promise<Int32Array[]> {
  const { indices, missing } = await matchExamples(rows, sets);
  if (missing.length > 0) {
    const { name } = missing[0]!;
    const reason = what.reasons?.get(name);
    throw new UserError(
      'data',
      `${what.where}: expected the ${rows.length} pictures of the run's ${what.part} part, ${missing.length} are not there, such as ${name}${reason === undefined ? '' : ` (${reason})`}`,
      { hint: 'Name the pictures that the run was trained on with --data, or judge all of another source with --split all.' },
    );
  }
  return indices;
}

/** The same, and which rows are not there. No more of the others is kept in memory than what is wanted. */
export async function matchExamples(
  rows: readonly SplitRow[],
  sets: readonly ExampleSet[],
): Promise<{ indices: Int32Array[]; missing: SplitRow[] }> {
  const wanted = new Map<string, number>();
  const key = (hash: string, label: number) => `${hash} ${label}`;
  for (const { hash, label } of rows) wanted.set(key(hash, label), (wanted.get(key(hash, label)) ?? 0) + 1);
  const places = new Map<string, Place[]>();
  for (const [set, { hashes, labels }] of sets.entries()) {
    let index = 0;
    for await (const some of stringBlocks(hashes)) {
      for (const hash of some) {
        const name = key(hash, labels[index]!);
        const found = places.get(name) ?? [];
        if (found.length < (wanted.get(name) ?? 0)) places.set(name, [...found, { set, index }]);
        index++;
      }
    }
  }
  const missing: SplitRow[] = [];
  const indices: number[][] = sets.map(() => []);
  for (const row of rows) {
    const found = places.get(key(row.hash, row.label));
    if (found === undefined) missing.push(row);
    // one picture may stand in a source several times: each of its rows takes the next, the last serves the rest
    const place = found && (found.length > 1 ? found.shift()! : found[0]!);
    if (place) indices[place.set]!.push(place.index);
  }
  return { indices: indices.map((some) => Int32Array.from(some)), missing };
}

interface Place {
  set: number;
  index: number;
}
