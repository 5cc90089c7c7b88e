import { availableParallelism } from 'node:os';
import { UserError } from '../errors.ts';
import { type Classes, classCounts, type Examples, orderClasses } from './examples.ts';
import type { Preprocessing } from './image.ts';
import { type PackedFile, requirePreprocessing } from './packed/file.ts';
import { readRows } from './packed/rows.ts';
import type { Source } from './source.ts';

export interface LoadOptions {
  preprocessing: Preprocessing;
  positive: string | undefined;
  /** refuse the whole source for one bad picture */
  strict: boolean;
  onProgress?: (done: number, total: number) => void;
}

export interface Loaded {
  examples: Examples;
  classes: Classes;
  /** pictures that could not be read, each with its reason */
  failures: Failure[];
}

export interface Failure {
  name: string;
  reason: string;
}

/** Reads all pictures of a source, several at a time. One that can't be read is listed and left out.
 *  @throws UserError (data) where none can be read, a class is missing, or `strict` and one can't */
export async function loadExamples(
  source: Source,
  { preprocessing, positive, strict, onProgress }: LoadOptions,
): Promise<Loaded> {
  const classes = orderClasses(source.classes, positive, source.title);
  if (source.packed) return loadPacked(source, source.packed, { classes, preprocessing, onProgress });
  const positiveClass = source.classes.indexOf(classes.positive);
  const features = preprocessing.imageSize ** 2 * 3;
  let pixels = allocate(source, features);
  const labels: number[] = [];
  const names: string[] = [];
  const hashes: string[] = [];
  const failures: Failure[] = [];
  let done = 0;
  const indices = (function* () {
    for (let i = 0; i < source.count; i++) yield i;
  })();
  const reads = mapInOrder(indices, decodesAtOnce(), async (index) => ({
    index,
    outcome: await attempt(source.read(index, preprocessing)),
  }));
  for await (const { index, outcome } of reads) {
    if ('reason' in outcome) {
      failures.push({ name: source.name(index), reason: outcome.reason });
    } else {
      pixels.set(outcome.value.pixels, labels.length * features);
      labels.push(source.classOf(index) === positiveClass ? 1 : 0);
      names.push(source.name(index));
      hashes.push(outcome.value.hash);
    }
    onProgress?.(++done, source.count);
  }
  if (strict && failures.length > 0) throw strictError(source, failures);
  if (labels.length < source.count) pixels = pixels.slice(0, labels.length * features);
  const examples = { features, pixels, labels: Uint8Array.from(labels), names, hashes };
  refuseWithoutClasses(classCounts(examples.labels), classes, source.title, failures);
  return { examples, classes, failures };
}

/** Bytes of packed pixels that are read between two signs of progress. */
const packedBlock = 2 ** 24;

interface PackedOptions {
  classes: Classes;
  preprocessing: Preprocessing;
  onProgress: LoadOptions['onProgress'] | undefined;
}

async function loadPacked(
  source: Source,
  file: PackedFile,
  { classes, preprocessing, onProgress }: PackedOptions,
): Promise<Loaded> {
  requirePreprocessing(file, preprocessing);
  const { count, features, description } = file;
  const pixels = allocate(source, features);
  const block = Math.max(1, Math.floor(packedBlock / features));
  for (let first = 0; first < count; first += block) {
    const rows = Int32Array.from({ length: Math.min(block, count - first) }, (_, i) => first + i);
    await readRows(file, rows, pixels.subarray(first * features, (first + rows.length) * features));
    onProgress?.(first + rows.length, count);
  }
  const [names, hashes] = [file.names.slice(0, count), file.hashes.slice(0, count)];
  const labels = description.classes.positive === classes.positive ? file.labels : file.labels.map((label) => 1 - label);
  refuseWithoutClasses(classCounts(labels), classes, source.title, []);
  return { examples: { features, pixels, labels, names, hashes }, classes, failures: [] };
}

/** @throws UserError (data) where the pictures are more than memory can hold */
function allocate({ count, title }: Source, features: number): Uint8Array {
  try {
    return new Uint8Array(count * features);
  } catch (error) {
    const gigabytes = ((count * features) / 1e9).toFixed(1);
    throw new UserError('data', `${title}: expected pictures that fit into memory, found ${count}, which take ${gigabytes} GB`, {
      hint: 'Use fewer pictures, or a smaller data.imageSize.',
      cause: error,
    });
  }
}

/** How many pictures are decoded at once: every core busy, and memory for a few pictures alone. */
export function decodesAtOnce(): number {
  return availableParallelism() + 2;
}

/** Applies an asynchronous function to items, at most `atOnce` at a time, and gives the results in order. */
export async function* mapInOrder<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  atOnce: number,
  apply: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const pending: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const result = apply(item);
      result.catch(() => {}); // it is awaited in its turn; until then a failure is not "unhandled"
      pending.push(result);
      if (pending.length >= atOnce) yield await pending.shift()!;
    }
    while (pending.length > 0) yield await pending.shift()!;
  } finally {
    await Promise.allSettled(pending);
  }
}

export type Attempt<T> = { value: T } | { reason: string };

/** A picture that can't be read is a result here; any other failure stays one. */
export async function attempt<T>(read: Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await read };
  } catch (error) {
    if (error instanceof UserError && error.kind === 'data') return { reason: error.message };
    throw error;
  }
}

export function strictError(source: Source, failures: readonly Failure[]): UserError {
  const listed = failures.map(({ name, reason }) => `\n  ${name}: ${reason}`).join('');
  return new UserError(
    'data',
    `${source.title}: expected every picture to be readable, ${failures.length} of ${source.count} are not:${listed}`,
    {
      hint: 'Mend or remove them; without --strict they are listed and left out.',
    },
  );
}

/** @param counts  see `classCounts`
 *  @throws UserError (data) where there are none */
export function refuseWithoutClasses(
  counts: readonly [number, number],
  classes: Classes,
  title: string,
  failures: readonly Failure[],
): void {
  const first = failures[0] ? `; the first of ${failures.length} that failed: ${failures[0].name}: ${failures[0].reason}` : '';
  if (counts[0] + counts[1] === 0)
    throw new UserError('data', `${title}: expected pictures, found none that can be read${first}`);
  for (const [label, name] of [classes.negative, classes.positive].entries()) {
    if (counts[label] === 0)
      throw new UserError('data', `${title}: expected pictures of class ${name}, found none that can be read${first}`);
  }
}
