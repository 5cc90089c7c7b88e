import { createReadStream } from 'node:fs';
import { crc32 } from 'node:zlib';
import { isRecord } from '../../checks.ts';
import { shown, UserError } from '../../errors.ts';
import { encodeHeader, type TensorEntry, type TensorTypes } from '../../safetensors.ts';
import type { Classes } from '../classes.ts';
import { type Fit, fits, type Preprocessing, resizeKernel } from '../image.ts';

/** Packed pictures: a safetensors file with one row for each picture. docs/formats.md says what is in it. */

export const format = 'cat-nn pictures';
/** Of the format: files of two classes, and of more, whose labels say something else. */
export const versions = { two: '1', more: '2' } as const;
export type PackedVersion = (typeof versions)[keyof typeof versions];
export const packedExtension = '.safetensors';

/** In the order in which they lie in the file. Names have no fixed length: name i is the bytes from its offset to the next. */
export const tensorNames = ['pixels', 'nameOffsets', 'hashes', 'labels', 'names'] as const;
export type TensorName = (typeof tensorNames)[number];

/** Types of numbers in a packed file, and the bytes of one. */
export const tensorTypes = { U8: 1, U32: 4, I64: 8 } as const satisfies TensorTypes;
export const hashBytes = 16;
export const channels = 3;
/** Rows are numbered by Int32. */
export const maximumRows = 2 ** 31 - 1;

/** In which order rows stand: as in the source, or shuffled by a seed. */
export type PackOrder = 'source' | { seed: number };

/** Two classes; or more, and which of them was named to stand against the others when they were packed. */
export interface PackedClasses extends Classes {
  /** of more than two: all of them, sorted. Labels are indices into it; without it 1 for the positive class, 0 for the other */
  names?: readonly string[];
}

/** What the metadata says, as JSON under the key `pictures`. No path is in it. */
export interface PackedDescription {
  preprocessing: Preprocessing;
  classes: PackedClasses;
  /** of what they were made, for people */
  source: string;
  order: PackOrder;
  /** pictures of the source that could not be read */
  unreadable: number;
}

/** What decides which tensors there are. */
type Packing = Pick<PackedDescription, 'preprocessing' | 'classes'>;

/** The tensors of m pictures and their bytes. */
export function tensorEntries(m: number, { preprocessing, classes }: Packing, nameBytes: number): TensorEntry[] {
  const { imageSize } = preprocessing;
  const sizes: Record<TensorName, { type: keyof typeof tensorTypes; shape: number[] }> = {
    pixels: { type: 'U8', shape: [m, imageSize, imageSize, channels] },
    nameOffsets: { type: 'I64', shape: [m + 1] },
    hashes: { type: 'U8', shape: [m, hashBytes] },
    labels: { type: classes.names === undefined ? 'U8' : 'U32', shape: [m] },
    names: { type: 'U8', shape: [nameBytes] },
  };
  let end = 0;
  return tensorNames.map((name) => {
    const { type, shape } = sizes[name];
    const start = end;
    end += shape.reduce((product, n) => product * n, tensorTypes[type]);
    return { name, type, shape, start, end };
  });
}

/** The start of a file, of a length that does not depend on how many pictures there are: it is written last. */
export function packedHeader(description: PackedDescription, m: number, nameBytes: number): Uint8Array {
  const metadata = (unreadable: number) => {
    const { preprocessing, ...rest } = description;
    const made = { preprocessing: { ...preprocessing, kernel: resizeKernel }, ...rest, unreadable };
    const version = description.classes.names === undefined ? versions.two : versions.more;
    return { format, version, pictures: JSON.stringify(made) };
  };
  const side = description.preprocessing.imageSize;
  const longest = encodeHeader({
    metadata: metadata(maximumRows),
    tensors: tensorEntries(maximumRows, description, Number.MAX_SAFE_INTEGER - maximumRows * (side * side * channels + 32)),
  });
  const headerBytes = Math.ceil(longest.length / page) * page;
  return encodeHeader(
    { metadata: metadata(description.unreadable), tensors: tensorEntries(m, description, nameBytes) },
    headerBytes,
  );
}

/** Pixels start where a page of memory could. */
const page = 4096;

/** Checks a description that came from outside. @returns what is wrong with it, or the description */
export function parseDescription(text: string | undefined, version: PackedVersion): PackedDescription | string {
  let raw: unknown;
  try {
    raw = JSON.parse(text ?? '');
  } catch {
    return 'expected a description of the pictures in its metadata, found none that is JSON';
  }
  const found = (at: unknown, ...keys: string[]): unknown =>
    keys.reduce<unknown>((value, key) => (isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined), at);
  const { preprocessing, classes, source, order, unreadable } = isRecord(raw) ? raw : {};
  const [imageSize, fit, kernel] = ['imageSize', 'fit', 'kernel'].map((key) => found(preprocessing, key));
  const [positive, negative] = ['positive', 'negative'].map((key) => found(classes, key));
  const names = version === versions.more ? found(classes, 'names') : undefined;
  const seed = found(order, 'seed');
  const checks: [boolean, string, unknown][] = [
    [isCount(imageSize, 1, 1024), 'preprocessing.imageSize: expected a whole number from 1 to 1024', imageSize],
    [isName(fit) && Object.hasOwn(fits, fit), `preprocessing.fit: expected one of ${Object.keys(fits).join(', ')}`, fit],
    [kernel === resizeKernel, `preprocessing.kernel: expected ${resizeKernel}, by which nn resizes`, kernel],
    [isName(positive), 'classes.positive: expected a name', positive],
    [isName(negative) && negative !== positive, 'classes.negative: expected another name than positive', negative],
    [version === versions.two || areNames(names), 'classes.names: expected three names or more, each once and sorted', names],
    [!Array.isArray(names) || names.includes(positive), 'classes.positive: expected one of the names', positive],
    [typeof source === 'string', 'source: expected a text', source],
    [order === 'source' || isCount(seed, 0, 2 ** 32 - 1), 'order: expected "source" or a seed', order],
    [isCount(unreadable, 0, maximumRows), 'unreadable: expected a count', unreadable],
  ];
  const wrong = checks.find(([right]) => !right);
  if (wrong) return `pictures.${wrong[1]}, found ${shown(wrong[2])}`;
  return {
    preprocessing: { imageSize: imageSize as number, fit: fit as Fit },
    classes: { positive: positive as string, negative: negative as string, ...(areNames(names) && { names }) },
    source: source as string,
    order: order === 'source' ? order : { seed: seed as number },
    unreadable: unreadable as number,
  };
}

const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';
const areNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 2 && value.every((name, i) => isName(name) && (i === 0 || value[i - 1] < name));
const isCount = (value: unknown, low: number, high: number) =>
  Number.isInteger(value) && (value as number) >= low && (value as number) <= high;

/**
 * What stands beside a file that is being packed: a line of JSON for each picture, in groups. A group's last line has the
 * checksums of its pixels and of its lines, so that after a power cut what is whole can be told from what is not.
 */

/** What makes two packings the same one. */
export interface PackSettings extends Omit<PackedDescription, 'unreadable'> {
  /** pictures of the source, readable or not */
  count: number;
}

/** A picture that was packed, with its label as the file has it, or one that could not be read. */
export type Item = { name: string; label: number; hash: string } | { name: string; reason: string };

export interface Group {
  items: Item[];
  /** checksum of the pixels of those that were packed, row after row */
  pixels: number;
  /** bytes of the list up to the end of this group */
  end: number;
}

const listVersion = 1;

/** The first line. */
export function encodeSettings(settings: PackSettings): Buffer {
  return Buffer.from(`${JSON.stringify({ packing: listVersion, ...settings })}\n`);
}

export function encodeGroup(items: readonly Item[], pixels: number): Buffer {
  const lines = Buffer.from(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  return Buffer.concat([lines, Buffer.from(`${JSON.stringify({ pixels, lines: crc32(lines) })}\n`)]);
}

/** The groups of a list, as far as it is sound; none where there is no list.
 *  @throws UserError (usage) where it is that of another packing */
export async function* readGroups(path: string, settings: PackSettings): AsyncGenerator<Group> {
  const first = encodeSettings(settings);
  let at = 0;
  let items: Item[] = [];
  let checksum = 0;
  for await (const line of readLines(path)) {
    at += line.length;
    if (at === line.length) {
      if (!line.equals(first)) throw anotherPacking(path);
      continue;
    }
    const parsed = parseLine(line);
    if (parsed === undefined) return;
    if ('lines' in parsed) {
      if (parsed.lines !== checksum) return;
      yield { items, pixels: parsed.pixels, end: at };
      items = [];
      checksum = 0;
    } else {
      items.push(parsed);
      checksum = crc32(line, checksum);
    }
  }
}

function anotherPacking(path: string): UserError {
  return new UserError('usage', `${path}: expected to go on with a packing of this source and these settings, found another`, {
    hint: 'Give the words of that packing to end it, another --out, or --force to begin anew.',
  });
}

/** A line that is cut off or damaged ends what is sound: that is what the checksums are for. */
function parseLine(line: Buffer): Item | { pixels: number; lines: number } | undefined {
  try {
    const value: unknown = JSON.parse(line.toString());
    return typeof value === 'object' && value !== null ? (value as Item) : undefined;
  } catch {
    return undefined;
  }
}

/** Lines with their ends; what comes after the last line end is none. */
async function* readLines(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path)) {
    const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      yield bytes.subarray(start, end + 1);
      start = end + 1;
    }
    rest = bytes.subarray(start);
  }
}
