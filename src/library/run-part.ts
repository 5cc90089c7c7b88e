import { cachedSource } from '../data/cache/decode-cache.ts';
import type { Classes } from '../data/classes.ts';
import { concatenateExamples, type ExampleSet, inMemory, selectFrom, stringBlocks } from '../data/examples.ts';
import type { Preprocessing } from '../data/image.ts';
import { type Failure, openExamples, streamingBudget } from '../data/load.ts';
import { attempt, decodesAtOnce, hashOf, mapInOrder, pieceOf, type Source } from '../data/source.ts';
import type { OpenedSource } from '../datasets/open.ts';
import { UserError } from '../errors.ts';
import type { SplitRow } from '../run/split-file.ts';
import type { DecodedPlaces } from './reading.ts';

/** Where the pictures of a run's part may be. */
export interface PartSource extends OpenedSource {
  /** where the run had them: there they are looked for by their names first */
  isLikely: boolean;
}

export interface PartOptions extends DecodedPlaces {
  preprocessing: Preprocessing;
  /** the model's */
  classes: Classes;
  /** of pixels, in MiB */
  memory: number;
  strict: boolean;
  onProgress(source: string, done: number, total: number): void;
}

/** Reads the pictures of a run's part and no others: those that go by their names, and where one of them is not there or has
 *  other content, whatever has the content. Packed files have the hashes ready, and are left where they are.
 *  @returns them in the order of the rows
 *  @throws UserError (data) where some are not there */
export async function readRunPart(
  rows: readonly SplitRow[],
  sources: readonly PartSource[],
  what: ExpectedPart,
  options: PartOptions,
): Promise<{ examples: ExampleSet; failures: Failure[] }> {
  const named = await readPieces(sources, sources.map(indicesByName(rows)), options);
  const { missing } = await matchExamples(rows, named.sets);
  const found = missing.length === 0 ? null : await readByContent(missing, sources, named, options);
  const sets = [...named.sets, ...(found?.sets ?? [])];
  const failures = [...named.failures, ...(found?.failures ?? [])];
  const reasons = new Map(failures.map(({ name, reason }) => [name, reason]));
  const indices = await findExamples(rows, sets, { ...what, reasons });
  const chosen = sets.map((set, i) => selectFrom(set, indices[i]!)).filter(({ labels }) => labels.length > 0);
  if (chosen.length === 1) return { examples: chosen[0]!, failures };
  const gathered = concatenateExamples(await Promise.all(chosen.map(inMemory)));
  const [order] = await findExamples(rows, [gathered], what);
  return { examples: selectFrom(gathered, order!), failures };
}

interface Pieces {
  /** of each source, ascending; null for a packed one, of which all is at hand */
  indices: (Int32Array | null)[];
  sets: ExampleSet[];
  failures: Failure[];
}

async function readPieces(
  sources: readonly PartSource[],
  indices: Pieces['indices'],
  { cache, scratch, preprocessing, classes, memory, strict, onProgress }: PartOptions,
): Promise<Pieces> {
  const pieces = sources.map(({ source }, i) => (indices[i] ? pieceOf(cachedSource(source, cache), indices[i]) : source));
  const room = streamingBudget(
    pieces.filter(({ packed }) => !packed),
    preprocessing,
    memory,
  );
  const sets: ExampleSet[] = [];
  const failures: Failure[] = [];
  for (const piece of pieces) {
    const { examples, failures: some } = await openExamples(piece, {
      preprocessing,
      positive: classes.positive,
      classes,
      strict,
      oneClass: true,
      budgetBytes: piece.packed ? memory * 2 ** 20 : room,
      scratch,
      onProgress: (done, total) => onProgress(piece.title, done, total),
    });
    sets.push(examples);
    failures.push(...some);
  }
  return { indices, sets, failures };
}

/** The pictures that go by the names of the rows, where the run had them. */
function indicesByName(rows: readonly SplitRow[]): (source: PartSource) => Int32Array | null {
  const names = new Set(rows.map(({ name }) => name));
  return ({ source, isLikely }) => {
    if (source.packed) return null;
    if (!isLikely) return new Int32Array();
    const indices: number[] = [];
    for (let i = 0; i < source.count; i++) if (names.has(source.name(i))) indices.push(i);
    return Int32Array.from(indices);
  };
}

/** The pictures that have the content of some rows, among those that were not read. None but they are decoded. */
async function readByContent(
  rows: readonly SplitRow[],
  sources: readonly PartSource[],
  read: Pieces,
  options: PartOptions,
): Promise<Pieces> {
  const wanted = new Set(rows.map(({ hash }) => hash));
  const indices: Pieces['indices'] = [];
  const loose = sources.filter(({ source }) => !source.packed);
  for (const { source } of loose) {
    const known = new Set(read.indices[sources.findIndex((other) => other.source === source)]);
    indices.push(await indicesByHash(source, wanted, known, options.onProgress));
  }
  return readPieces(loose, indices, options);
}

async function indicesByHash(
  source: Source,
  wanted: ReadonlySet<string>,
  known: ReadonlySet<number>,
  onProgress: PartOptions['onProgress'],
): Promise<Int32Array> {
  const others = Array.from({ length: source.count }, (_, i) => i).filter((i) => !known.has(i));
  const hashes = mapInOrder(others, decodesAtOnce(), async (i) => ({ i, outcome: await attempt(hashOf(source, i)) }));
  const found: number[] = [];
  let done = 0;
  for await (const { i, outcome } of hashes) {
    if ('value' in outcome && wanted.has(outcome.value)) found.push(i); // what can't be read was not trained on either
    onProgress(`${source.title}, by content`, ++done, others.length);
  }
  return Int32Array.from(found);
}

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
