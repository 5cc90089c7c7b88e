/** What data sets of an HDF5 file are: told by their type and shape, described for people, and how they are made into what nn reads. */

/** A data set as the library has it. */
export interface Dataset {
  shape: number[] | null;
  metadata: { type: number; size: number; signed: boolean; littleEndian: boolean; enum_type?: { type: number; members: object } };
  slice(ranges: [first: number, end: number][]): unknown;
}

/** Numbers of HDF5 for classes of types (H5T_class_t). */
const typeClass = { integer: 0, float: 1, string: 3, enumeration: 8 } as const;

/** @returns such as x float64 (20, 16, 16, 3) */
export function describe(sets: ReadonlyMap<string, Dataset>): string {
  if (sets.size === 0) return 'no data sets';
  return [...sets].map(([name, set]) => `${name} ${typeName(set)} (${(set.shape ?? []).join(', ')})`).join(', ');
}

function typeName({ metadata: { type, size, signed, enum_type, littleEndian } }: Dataset): string {
  if (type === typeClass.integer) return `${signed ? 'int' : 'uint'}${size * 8}`;
  if (type === typeClass.float) return `float${size * 8}`;
  if (type === typeClass.string) return 'of texts';
  if (type !== typeClass.enumeration) return 'of another type';
  const isBool =
    Object.keys(enum_type?.members ?? {})
      .sort()
      .join() === 'FALSE,TRUE';
  return isBool ? 'bool' : `of names${littleEndian ? '' : ', big-endian'}`;
}

export function isImages(set: Dataset): boolean {
  const { shape } = set;
  return typeName(set) === 'uint8' && shape?.length === 4 && shape[3] === 3 && shape.every((n) => n > 0);
}

/** Labels of m pictures, in a row or in a column: whole numbers, floats, or what h5py makes of bool. */
export const isLabels = (set: Dataset, m: number) => isLine(set.shape, m) && (isWhole(set) || isFloat(set));
/** As the course has them: of several sets that may be labels, such a one is. */
export const isCourseLabels = (set: Dataset, m: number) =>
  set.metadata.type === typeClass.integer && set.shape?.[0] === m && isLine(set.shape, m);
/** The library reads names of numbers in the byte order of this machine alone. */
const isWhole = ({ metadata: { type, enum_type, littleEndian, size } }: Dataset) =>
  type === typeClass.integer ||
  (type === typeClass.enumeration && enum_type?.type === typeClass.integer && (littleEndian || size === 1));
/** The library reads floats of 32 and 64 bits, in any byte order. */
const isFloat = ({ metadata: { type, size } }: Dataset) => type === typeClass.float && (size === 4 || size === 8);

function isLine(shape: number[] | null, m: number): boolean {
  if (shape === null || shape.length > 2) return false;
  return shape.length === 1 ? shape[0] === m : shape.includes(1) && shape.includes(m) && shape[0]! * shape[1]! === m;
}

/** The labels of pictures first … end − 1, of a set that `isLabels`. */
export function labelsAt(set: Dataset, first: number, end: number): number[] {
  const isRow = set.shape!.length === 2 && set.shape![0] === 1;
  const columns: [number, number] = [first, end];
  return Array.from(set.slice(isRow ? [[0, 1], columns] : [columns]) as ArrayLike<number | bigint>, Number);
}

/** What to do where no set holds pictures as nn reads them: h5py's words for the largest of numbers.
 *  @param sets  those that may be meant */
export function imageAdvice(sets: ReadonlyMap<string, Dataset>): string {
  const layout = 'Pictures are bytes (uint8) from 0 to 255 in the shape (m, height, width, 3), the channels last.';
  const size = ([, { shape }]: [string, Dataset]) => (shape ?? []).reduce((product, n) => product * n, 1);
  const numbers = [...sets].filter(
    ([, set]) => (isWhole(set) || set.metadata.type === typeClass.float) && (set.shape?.length ?? 0) > 1,
  );
  const [found] = numbers.sort((a, b) => size(b) - size(a));
  const arranged = found && arrangement(`f["${found[0]}"][:]`, found[1].shape!);
  if (!arranged) return layout;
  const isFloats = found[1].metadata.type === typeClass.float;
  const bytes = isFloats
    ? `numpy.rint(255 * ${arranged}).astype("uint8")`
    : typeName(found[1]) === 'uint8'
      ? arranged
      : `${arranged}.astype("uint8")`;
  const also = isFloats ? ' (without 255 * where they go to 255 already)' : '';
  return `${layout} In Python: f["images"] = ${bytes}${also}, and "images": "images" beside "type": "hdf5".`;
}

/** @param x  what stands for the data in Python
 *  @returns what stands for it as (m, height, width, 3); null where that can't be told */
function arrangement(x: string, shape: readonly number[]): string | null {
  const [m, a, b, c] = shape as [number, number, number, number];
  if (shape.length === 2) {
    const side = Math.sqrt(a / 3);
    return Number.isInteger(side) ? `${x}.reshape(${m}, ${side}, ${side}, 3)` : null;
  }
  if (shape.length === 3) return `numpy.repeat(${x}[..., None], 3, axis=3)`;
  if (shape.length !== 4) return null;
  if (c === 3) return x;
  if (c === 4) return `${x}[..., :3]`;
  if (c === 1) return `numpy.repeat(${x}, 3, axis=3)`;
  const last = `${x}.transpose(0, 2, 3, 1)`;
  if (a === 3 || a === 4 || a === 1) return arrangement(last, [m, b, c, a]);
  return null;
}

/** What to do where no set holds labels as nn reads them. @param m  pictures */
export function labelAdvice(sets: ReadonlyMap<string, Dataset>, m: number): string {
  const layout = `Labels are ${m} whole numbers, one for each picture, 0 or 1, in the shape (${m}), (${m}, 1) or (1, ${m}).`;
  const [texts] = [...sets].find(([, set]) => set.metadata.type === typeClass.string && isLine(set.shape, m)) ?? [];
  const [oneHot] = [...sets].find(([, { shape }]) => shape?.length === 2 && shape[0] === m && shape[1]! > 1) ?? [];
  const made =
    texts !== undefined ? `f["${texts}"][:] == b"cat"` : oneHot !== undefined ? `f["${oneHot}"][:].argmax(axis=1)` : null;
  if (made === null) return layout;
  return `${layout} In Python: f["labels"] = ${made}, and "labels": "labels" beside "type": "hdf5".`;
}
