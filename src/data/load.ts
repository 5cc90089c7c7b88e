import { DataError, type UserError } from '../errors.ts';
import { machineMemory } from '../machine-memory.ts';
import { byteTexts, grouped } from '../text.ts';
import { type Classes, orderClasses } from './classes.ts';
import { classCounts, type ExampleSet, type Examples, hexColumn, selectStrings } from './examples.ts';
import type { Preprocessing } from './image.ts';
import { type PackedFile, requirePreprocessing } from './packed/file.ts';
import { hashBytes } from './packed/format.ts';
import { pixelsInFile } from './packed/rows.ts';
import { growYoungGeneration, pixelBlocks } from './pixels.ts';
import { type Scratch, writeRows } from './scratch.ts';
import { range, readInOrder, type Source, type SourceImage } from './source.ts';

export interface LoadOptions {
  preprocessing: Preprocessing;
  /** the config's word for the class that is 1 */
  positive: string | undefined;
  /** the two classes, where they are known by something else than the source and `positive`: a model, or the source of another part */
  classes?: Classes | undefined;
  /** refuse the whole source for one bad picture */
  strict: boolean;
  /** take pictures of one class alone, or none: they are a piece of a source, or a model is judged on them */
  oneClass?: boolean;
  onProgress?: (done: number, total: number) => void;
}

export interface Loaded<Set extends ExampleSet = Examples> {
  examples: Set;
  classes: Classes;
  /** (m)  index of the class that each has in its source, where that has more than two: a split keeps their shares as well */
  strata: Uint32Array | null;
  /** pictures that could not be read, each with its reason */
  failures: Failure[];
}

export interface Failure {
  name: string;
  reason: string;
}

/** Reads all pictures of a source into memory. One that can't be read is listed and left out.
 *  @throws UserError (data) as readImages does */
export async function loadExamples(source: Source, options: LoadOptions): Promise<Loaded> {
  if (source.packed) return loadPacked(source, source.packed, options);
  const features = options.preprocessing.imageSize ** 2 * 3;
  let pixels = allocate(source, features);
  const names: string[] = [];
  const hashes: string[] = [];
  const { labels, ...rest } = await readImages(source, options, (image, index) => {
    pixels.set(image.pixels, names.length * features);
    names.push(source.name(index));
    hashes.push(image.hash);
  });
  if (labels.length < source.count) pixels = pixels.slice(0, labels.length * features);
  return { examples: { features, pixels, labels, names, hashes }, ...rest };
}

/** Reads the pictures of a source in its order, several at a time, and hands on each that can be read.
 *  @param take  called in order, with the picture's index in the source; the next one waits until it is done
 *  @returns the labels of those that were handed on
 *  @throws UserError (data) where none can be read, a class is missing, or `strict` and one can't */
export async function readImages(
  source: Source,
  { preprocessing, positive, strict, oneClass = false, onProgress, ...known }: LoadOptions,
  take: (image: SourceImage, index: number) => void | Promise<void>,
): Promise<Omit<Loaded, 'examples'> & { labels: Uint8Array }> {
  const classes = known.classes ?? orderClasses(source.classes, positive, source.title);
  const classOf = new Uint32Array(source.count);
  const failures: Failure[] = [];
  let taken = 0;
  for await (const { index, outcome } of readInOrder(source, range(0, source.count), preprocessing)) {
    if ('reason' in outcome) {
      failures.push({ name: source.name(index), reason: outcome.reason });
    } else {
      classOf[taken++] = source.classOf(index);
      await take(outcome.value, index);
    }
    onProgress?.(taken + failures.length, source.count);
  }
  if (strict && failures.length > 0) throw strictError(source, failures);
  const labelled = labelClasses(classOf.subarray(0, taken), source.classes, classes);
  if (!oneClass) refuseWithoutClasses(classCounts(labelled.labels), classes, source.title, failures);
  return { ...labelled, classes, failures };
}

/** The label of each picture, and its class where a label says less.
 *  @param classOf  (m)  indices into `names` */
function labelClasses(
  classOf: Uint8Array | Uint32Array,
  names: readonly string[],
  { positive }: Classes,
): { labels: Uint8Array; strata: Uint32Array | null } {
  const positiveClass = names.indexOf(positive);
  const labels = new Uint8Array(classOf.length);
  for (const [i, index] of classOf.entries()) labels[i] = index === positiveClass ? 1 : 0;
  return { labels, strata: names.length > 2 ? Uint32Array.from(classOf) : null };
}

/** The pictures of a packed file, left in it.
 *  @param budgetBytes  bytes of memory that reading may take at a time
 *  @throws UserError (usage) where other pixels are wanted than were packed; (data) where a class is missing */
export function storedExamples(
  file: PackedFile,
  { preprocessing, positive, oneClass = false, budgetBytes, ...known }: PackedOptions & { budgetBytes: number },
): Loaded<ExampleSet> {
  requirePreprocessing(file, preprocessing);
  const { path, features, names, hashes } = file;
  const classes = known.classes ?? orderClasses(file.classes, positive, path);
  const { labels, strata } = labelClasses(file.classOf, file.classes, classes);
  if (!oneClass) refuseWithoutClasses(classCounts(labels), classes, path, []);
  return {
    examples: { features, pixels: pixelsInFile(file, null, budgetBytes), labels, names, hashes },
    strata,
    classes,
    failures: [],
  };
}

type PackedOptions = Pick<LoadOptions, 'preprocessing' | 'positive' | 'classes' | 'oneClass'>;

/** What reading may take where a packed file is brought into memory as a whole. */
const packedBudgetBytes = 2 ** 25;

async function loadPacked(
  { title, count }: Source,
  file: PackedFile,
  { onProgress, ...wanted }: PackedOptions & Pick<LoadOptions, 'onProgress'>,
): Promise<Loaded> {
  const { examples, ...rest } = storedExamples(file, { ...wanted, budgetBytes: packedBudgetBytes });
  const { features, labels } = examples;
  const pixels = allocate({ count, title }, features);
  for await (const { first, count: some, bytes } of pixelBlocks(examples.pixels, features)) {
    pixels.set(bytes, first * features);
    onProgress?.(first + some, count);
  }
  const [names, hashes] = [file.names.slice(0, count), file.hashes.slice(0, count)];
  return { examples: { features, pixels, labels, names, hashes }, ...rest };
}

/** @throws UserError (data) where the pictures are more than memory can hold: before any of it is taken */
function allocate({ count, title }: Pick<Source, 'count' | 'title'>, features: number): Uint8Array {
  const bytes = count * features;
  const [taken, available] = byteTexts(bytes, machineMemory());
  const refuse = (cause?: unknown) =>
    new DataError(
      `${title}: expected pictures that fit into memory, found ${count}, which take ${taken}; this machine has ${available}`,
      { hint: 'Lower data.memory, so that they stay on the disk; or use fewer pictures, or a smaller data.imageSize.', cause },
    );
  if (bytes > machineMemory()) throw refuse();
  try {
    return new Uint8Array(bytes);
  } catch (error) {
    throw refuse(error);
  }
}

/** Where pictures can't be read, so many are named: a thousand lines would hide all else. */
export const mostFailuresNamed = 10;

export function strictError(source: Source, failures: readonly Failure[]): UserError {
  const listed = failures.slice(0, mostFailuresNamed).map(({ name, reason }) => `  ${name}: ${reason}`);
  const rest = failures.length - listed.length;
  if (rest > 0) listed.push(`  … and ${grouped(rest)} more, which nn data inspect --all names`);
  return new DataError(
    [`${source.title}: expected every picture to be readable, ${failures.length} of ${source.count} are not:`, listed],
    { hint: 'Mend or remove them; without --strict they are listed and left out.' },
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
  refuseWithoutImages(counts[0] + counts[1], title, failures);
  for (const [label, name] of [classes.negative, classes.positive].entries()) {
    if (counts[label] === 0)
      throw new DataError(`${title}: expected pictures of class ${name}, found none that can be read${firstOf(failures)}`);
  }
}

/** @throws UserError (data) where there are none */
export function refuseWithoutImages(count: number, title: string, failures: readonly Failure[]): void {
  if (count === 0) throw new DataError(`${title}: expected pictures, found none that can be read${firstOf(failures)}`);
}

function firstOf([first, ...others]: readonly Failure[]): string {
  return first ? `; the first of ${others.length + 1} that failed: ${first.name}: ${first.reason}` : '';
}

/** MiB of pixels that pictures may take in memory, unless a config says otherwise. */
export const defaultMemory = 1024;

/** Whether pictures are brought into memory or read as they are wanted. No result depends on it.
 *  @param memory  of pixels, in MiB
 *  @returns bytes that reading them may take at a time; null where they all fit */
export function streamingBudget(sources: readonly Source[], { imageSize }: Preprocessing, memory: number): number | null {
  const bytes = memory * 2 ** 20;
  const features = imageSize ** 2 * 3;
  return sources.reduce((sum, { count }) => sum + count * features, 0) <= bytes ? null : bytes;
}

export interface OpenOptions extends LoadOptions {
  /** of `streamingBudget` */
  budgetBytes: number | null;
  /** where pixels are kept that memory should not hold */
  scratch: Scratch;
}

/** Reads all pictures of a source into memory, or leaves them on the disk: packed ones where they are, others in a file of
 *  this process.
 *  @throws UserError as loadExamples does; (data) where that file can't be written */
export async function openExamples(
  source: Source,
  { budgetBytes, scratch, ...options }: OpenOptions,
): Promise<Loaded<ExampleSet>> {
  if (budgetBytes === null) {
    const loaded = await loadExamples(source, options);
    growYoungGeneration();
    return loaded;
  }
  if (source.packed) return storedExamples(source.packed, { ...options, budgetBytes });
  return loadIntoScratch(source, options, { budgetBytes, scratch });
}

/** Decodes all pictures, one after the other, into rows of a file. In memory are their labels and hashes: 17 bytes each.
 *  @throws UserError as readImages does */
async function loadIntoScratch(
  source: Source,
  options: LoadOptions,
  { budgetBytes, scratch }: Pick<OpenOptions, 'scratch'> & { budgetBytes: number },
): Promise<Loaded<ExampleSet>> {
  const features = options.preprocessing.imageSize ** 2 * 3;
  const file = await scratch.open(source.count * features);
  const rows = writeRows(file);
  const hashes = Buffer.alloc(source.count * hashBytes);
  const kept = new Int32Array(source.count);
  let count = 0;
  const take: Parameters<typeof readImages>[2] = ({ pixels, hash }, index) => {
    hashes.write(hash, count * hashBytes, 'hex');
    kept[count++] = index;
    return rows.add(pixels);
  };
  const { labels, ...rest } = await readImages(source, options, take).finally(rows.settle);
  await rows.flush();
  const slice = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => source.name(first + i));
  const all = { length: source.count, slice };
  return {
    examples: {
      features,
      pixels: pixelsInFile({ ...file, pixelsAt: 0, count, features }, null, budgetBytes),
      labels,
      names: count === source.count ? all : selectStrings(all, kept.slice(0, count)),
      hashes: hexColumn(count, (first, end) => hashes.subarray(first * hashBytes, end * hashBytes)),
    },
    ...rest,
  };
}
