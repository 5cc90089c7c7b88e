import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DataError, systemReason, UserError } from '../../errors.ts';
import { grouped } from '../../text.ts';
import type { ListingProgress } from '../archive/archive.ts';
import { contentHash } from '../content-hash.ts';
import { readWhole } from '../disk.ts';
import { resizePixels } from '../image.ts';
import type { Source } from '../source.ts';
import { isFolder, maximumFileBytes } from './files.ts';

/** Which of its files are taken. */
export const cifar10Parts = {
  train: 'the training batches',
  test: 'the test batch',
  all: 'both, the training batches first',
} as const;
export type Cifar10Part = keyof typeof cifar10Parts;

export interface Cifar10Options {
  /** cifar-10-binary.tar.gz, or the folder cifar-10-batches-bin that is in it */
  path: string;
  part?: Cifar10Part | undefined;
  /** the class that stands against the other nine, in any case; cat where absent */
  positive?: string | undefined;
}

const side = 32;
const plane = side * side;
/** a label, then all red bytes, all green, all blue, each row after row */
const recordBytes = 1 + 3 * plane;
const metaName = 'batches.meta.txt';
const batchNames: Record<Cifar10Part, RegExp> = {
  train: /^data_batch_\d+\.bin$/,
  test: /^test_batch\.bin$/,
  all: /^(data_batch_\d+|test_batch)\.bin$/,
};

/** CIFAR-10 in its binary version, all of its pictures in memory: 184 MB. The classes are one of the ten, and non- with its name
 *  for the other nine.
 *  @see Krizhevsky 2009, and the description beside the files
 *  @throws UserError (data) with what is missing or of another shape */
export async function openCifar10(
  { path, part = 'all', positive = 'cat' }: Cifar10Options,
  onProgress?: ListingProgress,
): Promise<Source> {
  const files = await listFiles(path, onProgress);
  const [meta, ...batches] = await readAll(path, files, part);
  const label = labelOf(positive, meta!.bytes, path);
  for (const { name, bytes } of batches) checkBatch(bytes, `${path}: ${name}`);
  const counts = batches.map(({ bytes }) => bytes.length / recordBytes);
  const place = (index: number) => {
    let [k, i] = [0, index];
    while (i >= counts[k]!) i -= counts[k++]!;
    return { ...batches[k]!, i };
  };
  const imageAt = (index: number) => {
    const { bytes, i } = place(index);
    return { pixels: interleaved(bytes.subarray(i * recordBytes + 1, (i + 1) * recordBytes)), width: side, height: side };
  };
  const classes = [positive, `non${positive}`].sort();
  return {
    title: `${path} (${part})`,
    count: counts.reduce((sum, count) => sum + count, 0),
    classes,
    name: (index) => {
      const { name, i } = place(index);
      return `${basename(name, '.bin')}/${i}`;
    },
    classOf: (index) => {
      const { bytes, i } = place(index);
      return classes.indexOf(bytes[i * recordBytes] === label ? positive : `non${positive}`);
    },
    read: async (index, preprocessing) => {
      const image = imageAt(index);
      return { pixels: await resizePixels(image, preprocessing), hash: contentHash(image.pixels) };
    },
    original: async (index) => imageAt(index),
    notes: [],
  };
}

/** @param planes  three of 32 · 32 bytes
 *  @returns RGB bytes: index = (row · 32 + column) · 3 + channel */
function interleaved(planes: Uint8Array): Uint8Array {
  const pixels = new Uint8Array(3 * plane);
  for (let k = 0; k < plane; k++) {
    pixels[3 * k] = planes[k]!;
    pixels[3 * k + 1] = planes[plane + k]!;
    pixels[3 * k + 2] = planes[2 * plane + k]!;
  }
  return pixels;
}

type Files = ReadonlyMap<string, () => Promise<Uint8Array>>;

/** The files of the folder or of the archive, by their names without a folder. */
async function listFiles(path: string, onProgress?: ListingProgress): Promise<Files> {
  try {
    if (await isFolder(path)) {
      const names = await readdir(path);
      return new Map(names.map((name) => [name, () => readWhole(join(path, name), maximumFileBytes)]));
    }
    const { openTar } = await import('../archive/tar.ts');
    const archive = await openTar(path, onProgress);
    return new Map(archive.entries.map((entry, index) => [basename(entry.path), () => archive.read(index)]));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new DataError(`${path}: expected CIFAR-10 in its binary version, found: ${systemReason(error)}`, {
      hint: 'It is the file cifar-10-binary.tar.gz, or the folder cifar-10-batches-bin that is in it.',
      cause: error,
    });
  }
}

/** The names of the classes and the batches, read at the same time: an archive is passed once.
 *  @throws UserError (data) where one is missing */
async function readAll(path: string, files: Files, part: Cifar10Part): Promise<{ name: string; bytes: Uint8Array }[]> {
  const number = (name: string) => Number(/\d+/.exec(name)?.[0] ?? Number.POSITIVE_INFINITY); // the test batch is last
  const batches = [...files.keys()].filter((name) => batchNames[part].test(name)).sort((a, b) => number(a) - number(b));
  const missing = files.has(metaName) ? (part === 'test' ? 'test_batch.bin' : 'data_batch_1.bin') : metaName;
  if (batches.length === 0 || !files.has(metaName)) {
    const found = [...files.keys()].sort().slice(0, 10).join(', ') || 'no files';
    throw new DataError(`${path}: expected CIFAR-10 in its binary version, with ${missing}; found ${found}`, {
      hint: 'The versions for Python and Matlab hold the same pictures in another form: fetch cifar-10-binary.tar.gz.',
    });
  }
  return Promise.all([metaName, ...batches].map(async (name) => ({ name, bytes: await files.get(name)!() })));
}

/** @returns the label of a class. @throws UserError (usage) where there is no such class */
function labelOf(positive: string, meta: Uint8Array, path: string): number {
  const names = new TextDecoder()
    .decode(meta)
    .split(/\r?\n/)
    .filter((line) => line !== '');
  const label = names.findIndex((name) => name.toLowerCase() === positive.toLowerCase());
  if (label >= 0) return label;
  throw new UserError('usage', `${path}: positive: expected one of ${names.join(', ')}, found ${JSON.stringify(positive)}`);
}

function checkBatch(bytes: Uint8Array, where: string): void {
  if (bytes.length === 0 || bytes.length % recordBytes !== 0) {
    throw new DataError(
      `${where}: expected a whole number of pictures of ${grouped(recordBytes)} bytes, found ${grouped(bytes.length)} bytes`,
      { hint: 'Fetch or copy it again.' },
    );
  }
  for (let at = 0; at < bytes.length; at += recordBytes) {
    if (bytes[at]! > 9)
      throw new DataError(`${where}: picture ${at / recordBytes}: expected a label from 0 to 9, found ${bytes[at]}`);
  }
}
