import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { DataError, shown, systemReason, UserError } from '../../errors.ts';
import { headerBytesOf, lengthBytes, parseHeader, type TensorEntry } from '../../safetensors.ts';
import { classesAmong } from '../classes.ts';
import { openToRead } from '../disk.ts';
import { hexColumn, type SyncStringColumn } from '../examples.ts';
import type { Preprocessing } from '../image.ts';
import {
  format,
  hashBytes,
  maximumRows,
  type PackedClasses,
  type PackedDescription,
  parseDescription,
  type TensorName,
  tensorEntries,
  tensorTypes,
  versions,
} from './format.ts';

/** An open file of packed pictures, which stays open as long as the process: nothing of it is in memory but the classes. */
export interface PackedFile extends RowFile {
  description: PackedDescription;
  /** sorted, as those of every source */
  classes: readonly string[];
  /** (m)  index into `classes` */
  classOf: Uint8Array | Uint32Array;
  names: SyncStringColumn;
  /** of the contents as the source had them, in hexadecimal */
  hashes: SyncStringColumn;
}

/** Pixels in an open file, picture after picture. */
export interface RowFile {
  path: string;
  descriptor: number;
  /** m */
  count: number;
  /** n_x */
  features: number;
  /** where picture 0 starts in the file; picture i starts i · n_x bytes later */
  pixelsAt: number;
}

type Refuse = (text: string) => never;

/** Opens a file and checks all that it claims, whatever its size, without reading its pixels.
 *  @throws UserError (data) with what is wrong with it */
export function openPacked(path: string): PackedFile {
  const refuse = (text: string): never => {
    throw new DataError(`${path}: ${text}`, { hint: 'Pack the pictures again with nn data pack, or copy the file again.' });
  };
  const descriptor = onFile(path, () => openSync(path, openToRead));
  try {
    return readPacked(path, descriptor, refuse);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function readPacked(path: string, descriptor: number, refuse: Refuse): PackedFile {
  const status = onFile(path, () => fstatSync(descriptor));
  if (!status.isFile()) refuse('expected a file of packed pictures, found something else');
  const read = (at: number, bytes: number) => readBytes(path, descriptor, at, bytes);
  const headerBytes = headerBytesOf(read(0, Math.min(lengthBytes, status.size)), status.size, refuse);
  const bodyAt = lengthBytes + headerBytes;
  const { metadata, tensors } = parseHeader(read(lengthBytes, headerBytes), status.size - bodyAt, tensorTypes, refuse);
  if (metadata['format'] !== format)
    refuse(`expected packed pictures, found ${shown(metadata['format'] ?? 'another safetensors file')}`);
  const version = Object.values(versions).find((known) => known === metadata['version']);
  if (version === undefined) {
    return refuse(`expected version ${Object.values(versions).join(' or ')} of packed pictures, found ${metadata['version']}`);
  }
  const description = parseDescription(metadata['pictures'], version);
  if (typeof description === 'string') return refuse(description);
  const { imageSize } = description.preprocessing;
  const places = checkTensors(tensors, description, refuse);
  const at = (name: TensorName) => bodyAt + places[name].start;
  const count = places.labels.shape[0]!;
  const nameBytes = places.names.end - places.names.start;
  const labels = read(at('labels'), places.labels.end - places.labels.start);
  return {
    path,
    descriptor,
    description,
    count,
    features: imageSize * imageSize * 3,
    pixelsAt: at('pixels'),
    ...classesOf(labels, description.classes, refuse),
    names: {
      length: count,
      slice(first, end) {
        const bounds = offsets(read(at('nameOffsets') + 8 * first, 8 * (end - first + 1)), nameBytes, refuse);
        const bytes = read(at('names') + bounds[0]!, bounds.at(-1)! - bounds[0]!);
        return Array.from({ length: end - first }, (_, i) =>
          decodeName(bytes.subarray(bounds[i]! - bounds[0]!, bounds[i + 1]! - bounds[0]!), refuse),
        );
      },
    },
    hashes: hexColumn(count, (first, end) => read(at('hashes') + hashBytes * first, hashBytes * (end - first))),
  };
}

/** @param bytes  of the labels: bytes, or numbers of four bytes where there are more than two classes */
function classesOf(bytes: Uint8Array, { positive, negative, names }: PackedClasses, refuse: Refuse): PackedLabels {
  const labels = names === undefined ? bytes : new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const written = names ?? [negative, positive];
  const wrong = labels.findIndex((label) => label >= written.length);
  if (wrong >= 0) {
    const expected = written.length === 2 ? '0 or 1' : `0 to ${written.length - 1}`;
    refuse(`labels: expected ${expected}, found ${labels[wrong]} for picture ${wrong}`);
  }
  const { classes, placeOf } = classesAmong(written);
  return { classes, classOf: labels.map((label) => placeOf(written[label]!)) };
}

type PackedLabels = Pick<PackedFile, 'classes' | 'classOf'>;

/** Packed pixels can't be made into others without loss: what is wanted must be what was packed.
 *  @throws UserError (usage) */
export function requirePreprocessing({ path, description }: PackedFile, { imageSize, fit }: Preprocessing): void {
  const { preprocessing } = description;
  if (preprocessing.imageSize === imageSize && preprocessing.fit === fit) return;
  const words = (of: Preprocessing) => `imageSize ${of.imageSize} and fit ${of.fit}`;
  throw new UserError(
    'usage',
    `${path}: expected pictures packed with ${words({ imageSize, fit })}, found ${words(preprocessing)}`,
    { hint: `Set data.imageSize=${preprocessing.imageSize}, or pack the pictures again with nn data pack.` },
  );
}

/** @returns the tensors by their names, each of the type and shape that m pictures have */
function checkTensors(
  tensors: readonly TensorEntry[],
  description: PackedDescription,
  refuse: Refuse,
): Record<TensorName, TensorEntry> {
  const sizeOf = (name: TensorName) => tensors.find((tensor) => tensor.name === name)?.shape[0] ?? 0;
  const m = sizeOf('labels');
  if (m < 1 || m > maximumRows) refuse(`labels: expected 1 to ${maximumRows} pictures, found ${m}`);
  const expected = tensorEntries(m, description, sizeOf('names'));
  const words = ({ type, shape }: TensorEntry) => `${type} (${shape.join(', ')})`;
  for (const { name } of tensors) {
    if (!expected.some((entry) => entry.name === name)) refuse(`${name}: expected no such tensor`);
  }
  const places = expected.map((entry) => {
    const found = tensors.find(({ name }) => name === entry.name);
    if (found === undefined) return refuse(`expected a tensor ${entry.name}, found none`);
    if (words(found) !== words(entry)) refuse(`${entry.name}: expected ${words(entry)}, found ${words(found)}`);
    return [entry.name, found] as const;
  });
  return Object.fromEntries(places) as Record<TensorName, TensorEntry>;
}

/** Where names begin and end. @param last  the bytes that all of them have */
function offsets(bytes: Uint8Array, last: number, refuse: Refuse): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = Array.from({ length: bytes.length / 8 }, (_, i) => Number(view.getBigInt64(8 * i, true)));
  for (const [i, offset] of found.entries()) {
    if (offset < (found[i - 1] ?? 0) || offset > last)
      return refuse(`nameOffsets: expected ascending offsets up to ${last}, found ${offset}`);
  }
  return found;
}

function decodeName(bytes: Uint8Array, refuse: Refuse): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('names: expected names in UTF-8');
  }
}

/** Some bytes of a file, in a buffer of their own. @throws UserError (data) where they are not there */
function readBytes(path: string, descriptor: number, at: number, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  fillNow({ path, descriptor }, out, at, onFile);
  return out;
}

/** Fills a buffer with the bytes from a place in a file on.
 *  @param guarded  does a call of the system, and makes a UserError of its failure
 *  @throws UserError (data) where they are not there */
export function fillNow(
  { path, descriptor }: Pick<RowFile, 'path' | 'descriptor'>,
  out: Uint8Array,
  at: number,
  guarded: typeof onFile,
): void {
  for (let done = 0; done < out.length; ) {
    const read = guarded(path, () => readSync(descriptor, out, done, out.length - done, at + done));
    if (read === 0) throw shortFile(path);
    done += read;
  }
}

/** A file that was whole when it was opened, and is not any more. */
export function shortFile(path: string): UserError {
  return new DataError(`${path}: expected a file that stays as it is while it is read, found it shorter`);
}

/** @throws UserError (data) for what the system refuses */
function onFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new DataError(`${path}: expected a file of packed pictures, found: ${systemReason(error)}`, { cause: error });
  }
}
