import { stat } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import type { Dataset, File, Group } from 'h5wasm/node';
import { DataError, UserError } from '../../errors.ts';
import { grouped } from '../../text.ts';
import { classesAmong } from '../classes.ts';
import { contentHash } from '../content-hash.ts';
import { firstBytes, reasonAt } from '../disk.ts';
import { resizePixels } from '../image.ts';
import { maximumPixels, minimumSide } from '../image-errors.ts';
import type { Source } from '../source.ts';
import { describe, imageAdvice, isCourseLabels, isImages, isLabels, labelAdvice, labelsAt } from './hdf5-sets.ts';

export interface Hdf5Options {
  path: string;
  /** names of data sets; found by their shape and type where absent */
  images?: string | undefined;
  labels?: string | undefined;
  /** names of the classes 0, 1 and on: a data set's name, or the names themselves */
  classes?: string | readonly string[] | undefined;
}

/** What the course's files mean by 0 and 1, for a file without `list_classes`. */
const courseClasses = ['non-cat', 'cat'];
const courseClassesName = 'list_classes';

/** Pictures as a data set (m, height, width, 3) of uint8, labels 0 and 1 (or more, where more classes are named) as whole numbers (m),
 *  (m, 1) or (1, m): the course's layout.
 *  @throws UserError (data) with what the file lacks */
export async function openHdf5(options: Hdf5Options): Promise<Source> {
  const { path } = options;
  const file = await openFile(path);
  try {
    const images = findDataset(file, path, {
      role: 'images',
      name: options.images,
      fits: [isImages],
      expected: 'uint8 of shape (m, height, width, 3)',
      advice: imageAdvice,
    });
    const [m, height, width] = images.shape as [number, number, number];
    if (Math.min(height, width) < minimumSide || height * width > maximumPixels) {
      throw new DataError(
        `${path}: expected pictures of at least ${minimumSide} pixels a side and ${grouped(maximumPixels)} in all, ` +
          `found ${width}×${height}`,
      );
    }
    const { size } = await stat(path);
    if (m * height * width * 3 > size * mostPacked) {
      throw new DataError(
        `${path}: expected at most ${grouped(mostPacked)} times its own ${grouped(size)} bytes of pixels, found ${m} pictures of ${width}×${height}`,
      );
    }
    const labels = findDataset(file, path, {
      role: 'labels',
      name: options.labels,
      fits: [(set) => isCourseLabels(set, m), (set) => isLabels(set, m)],
      expected: `integers, floats or bool of shape (${m}), (${m}, 1) or (1, ${m})`,
      advice: (sets) => labelAdvice(sets, m),
    });
    const classNames = readClasses(file, path, options.classes);
    const classOf = readLabels(labels, m, classNames.length, path);
    const { classes, placeOf } = classesAmong(classNames);
    return {
      title: path,
      count: m,
      classes,
      name: (i) => `${i}`,
      classOf: (i) => placeOf(classNames[classOf[i]!]!),
      read: async (i, preprocessing) => {
        const pixels = readImage(images, i, path);
        return { pixels: await resizePixels({ pixels, width, height }, preprocessing), hash: contentHash(pixels) };
      },
      original: async (i) => ({ pixels: readImage(images, i, path), width, height }),
      notes: [],
    };
  } catch (error) {
    file.close();
    throw error instanceof UserError ? error : brokenFile(path, error);
  }
}

async function openFile(path: string): Promise<File> {
  await requireSignature(path);
  const hdf5 = await import('h5wasm/node');
  const library = await hdf5.ready;
  library.activate_throwing_error_handler(); // else it prints its own stack to stderr
  openNothingBut(path, library);
  try {
    return new hdf5.File(path, 'r');
  } catch (error) {
    throw brokenFile(path, error);
  }
}

const signature = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');

async function requireSignature(path: string): Promise<void> {
  let start: Buffer;
  try {
    start = await firstBytes(path, signature.length);
  } catch (error) {
    throw new DataError(`${path}: expected an HDF5 file, found: ${reasonAt(path, error)}`, {
      hint: `The course's two files come with: nn data fetch course --to ${relative('', dirname(path)) || '.'}`,
      cause: error,
    });
  }
  if (!start.equals(signature)) throw new DataError(`${path}: expected an HDF5 file, found another kind of file`);
}

/** How many times its packed size data may have: deflate packs at most 1,032 times, and rows that were never written need no
 *  bytes at all. A file that claims more is made to fill the memory. */
const mostPacked = 1032;

/** What a data set is looked for as. */
interface Wanted {
  role: 'images' | 'labels';
  /** found by what it is where absent */
  name: string | undefined;
  /** the first of these that a set fits decides */
  fits: readonly ((set: Dataset) => boolean)[];
  expected: string;
  /** what to do where none of some sets fits */
  advice(sets: ReadonlyMap<string, Dataset>): string;
}

function findDataset(file: File, path: string, { role, name, fits, expected, advice }: Wanted): Dataset {
  const sets = datasets(file);
  const where = `${path}: ${name ?? role}`;
  const named = name === undefined ? undefined : namedDataset(file, name);
  if (name !== undefined && named === undefined)
    throw new DataError(`${where}: no such data set; the file has ${describe(sets)}`);
  const candidates = named === undefined ? sets : new Map([[name!, named]]);
  const fitting = fits.map((fit) => [...candidates].filter(([, set]) => fit(set))).find((some) => some.length > 0) ?? [];
  if (fitting.length === 1) return ownData(fitting[0]![1], where);
  const what = `expected ${name === undefined ? 'one data set of ' : ''}${expected}`;
  if (fitting.length === 0) throw new DataError(`${where}: ${what}, found ${describe(candidates)}`, { hint: advice(candidates) });
  throw new DataError(`${where}: ${what}, found ${fitting.length} of them: ${fitting.map(([key]) => key).join(', ')}`, {
    hint: `Name it: "${role}": "NAME" beside "type": "hdf5".`,
  });
}

/** @throws UserError (data) for data that lies in other files: where those are not there it would be read as zeros */
function ownData(set: Dataset, where: string): Dataset {
  const [other] = set.metadata.virtual_sources ?? [];
  if (other === undefined) return set;
  throw new DataError(
    `${where}: expected data in the file itself, found a data set that is made of others, in ${other.file_name}`,
    { hint: 'Copy it into a file of its own, such as by h5repack.' },
  );
}

function datasets(group: Group): Map<string, Dataset> {
  const found = new Map<string, Dataset>();
  for (const key of group.keys()) {
    const set = namedDataset(group, key);
    if (set !== undefined) found.set(key, set);
  }
  return found;
}

/** @param name  of a data set, or a path to one such as train/images */
function namedDataset(group: Group, name: string): Dataset | undefined {
  const entity = group.get(name);
  return entity !== null && 'dtype' in entity && 'slice' in entity ? entity : undefined;
}

/** Some at a time: there may be as many as packed pictures allow. */
function readLabels(labels: Dataset, m: number, classes: number, path: string): Uint32Array {
  const out = new Uint32Array(m);
  for (let first = 0; first < m; first += labelsTogether) {
    for (const [i, value] of labelsAt(labels, first, Math.min(m, first + labelsTogether)).entries()) {
      if (!(Number.isInteger(value) && value >= 0 && value < classes)) {
        const expected = classes === 2 ? '0 or 1' : `0 to ${classes - 1}, as many as there are names of classes`;
        const hint =
          classes === 2 ? 'Where there are more classes, name them: "classes": ["NAME", …] beside "type": "hdf5".' : undefined;
        throw new DataError(`${path}: label ${first + i}: expected ${expected}, found ${value}`, { hint });
      }
      out[first + i] = value;
    }
  }
  return out;
}

const labelsTogether = 2 ** 20;

function readClasses(file: File, path: string, wanted: Hdf5Options['classes']): readonly string[] {
  if (Array.isArray(wanted)) return checkClasses(wanted, `${path}: classes`);
  const name = (wanted as string | undefined) ?? courseClassesName;
  const set = namedDataset(file, name);
  if (set === undefined) {
    if (wanted === undefined) return courseClasses;
    throw new DataError(`${path}: ${name}: no such data set; the file has ${describe(datasets(file))}`);
  }
  const { shape, size } = set.metadata;
  const texts = (shape ?? []).reduce((product, n) => product * n, 1);
  if (texts * size > longestNames)
    throw new DataError(`${path}: ${name}: expected the names of two classes or more, found ${texts} texts`);
  const found = set.to_array();
  return checkClasses(Array.isArray(found) ? found.map(String) : [String(found)], `${path}: ${name}`);
}

/** Bytes of all names. */
const longestNames = 2 ** 16;

function checkClasses(names: readonly string[], where: string): readonly string[] {
  if (names.length >= 2 && new Set(names).size === names.length && !names.includes('')) return names;
  throw new DataError(`${where}: expected the names of two classes or more, found ${names.join(', ') || 'none'}`);
}

function readImage(images: Dataset, index: number, path: string): Uint8Array {
  try {
    return images.slice([[index, index + 1]]) as Uint8Array;
  } catch (error) {
    throw brokenFile(path, error);
  }
}

function brokenFile(path: string, error: unknown): UserError {
  const text = error instanceof Error ? error.message : String(error);
  // the library gives its whole stack of calls; the innermost, which comes last, says what is wrong
  const innermost = [...text.matchAll(/^ *#\d+: .* in \w+\(\): (.*)$/gm)].at(-1)?.[1] ?? text.split('\n')[0]!;
  return new DataError(`${path}: a damaged HDF5 file: ${innermost}`, { hint: 'Fetch or copy it again.', cause: error });
}

/** Files that sources were opened for. */
const given = new Set<string>();
const [createFlag, missing] = [0o100, 44]; // O_CREAT and ENOENT, as the library's C library has them
const guarded = new WeakSet<object>();

/** Of the library's calls to the system, those that open files. */
interface LibraryFiles {
  open(path: string, flags: number, ...rest: unknown[]): unknown;
  ErrnoError: new (code: number) => Error;
}

/** An HDF5 file may say that its data lies in others: by links, external storage, virtual data sets. The library opens none
 *  but the one that is given, those that were given before, and what it creates for itself. */
export function openNothingBut(path: string, library: { FS: unknown }): void {
  given.add(resolve(path));
  const files = library.FS as LibraryFiles;
  if (guarded.has(files)) return;
  guarded.add(files);
  const { open } = files;
  files.open = function (name, flags, ...rest) {
    if (!given.has(resolve(name)) && (flags & createFlag) === 0) throw new files.ErrnoError(missing);
    return open.call(this, name, flags, ...rest);
  };
}
