import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { DataError, isSystemError, systemReason, UserError } from '../../errors.ts';
import { namedRandom } from '../../random.ts';
import { orderClasses } from '../classes.ts';
import { exists, flushFolder, sequentialWriter, writeAt } from '../disk.ts';
import type { Preprocessing } from '../image.ts';
import { type Failure, refuseWithoutClasses, strictError } from '../load.ts';
import {
  type Attempt,
  attempt,
  decodesAtOnce,
  hashOf,
  mapInOrder,
  readInOrder,
  type Source,
  type SourceImage,
} from '../source.ts';
import {
  encodeGroup,
  encodeSettings,
  hashBytes,
  type Item,
  type PackedClasses,
  type PackedDescription,
  type PackOrder,
  type PackSettings,
  packedHeader,
  readGroups,
  tensorEntries,
} from './format.ts';

export interface PackOptions {
  /** where the file goes */
  path: string;
  preprocessing: Preprocessing;
  positive: string | undefined;
  /** of what the pictures are made, for people; without an absolute path */
  description: string;
  order: PackOrder;
  /** overwrite a file of that name, and begin anew where a packing was broken off */
  force: boolean;
  /** refuse the whole source for one bad picture */
  strict: boolean;
  onProgress?: (done: number, total: number) => void;
}

export interface Packed {
  /** pictures in the file, and those of the positive class */
  count: number;
  positive: number;
  bytes: number;
  /** pictures that an earlier packing, broken off, had done */
  resumed: number;
  failures: Failure[];
}

/** Pixels that are gathered before they are written. */
const groupBytes = 2 ** 23;

/**
 * Packs a source: its pixels, made once, with labels, names and hashes in one file, written by stream. What is done is
 * kept beside it as `.partial` with a list, and gone on from where it was broken off; the file itself appears whole.
 * @throws UserError (usage) where a file of that name is there; (data) where nothing can be read or written
 */
export async function packSource(source: Source, options: PackOptions): Promise<Packed> {
  const { path, preprocessing, positive, description, order, force } = options;
  const ordered = orderClasses(source.classes, positive, source.title);
  const classes: PackedClasses = source.classes.length > 2 ? { ...ordered, names: source.classes } : ordered;
  const settings: PackSettings = { preprocessing, classes, source: description, order, count: source.count };
  if (!force && (await exists(path))) {
    throw new UserError('usage', `${path}: expected no file of that name, found one`, {
      hint: 'Name another with --out, or overwrite it with --force.',
    });
  }
  const partial = `${path}.partial`;
  const list = `${partial}.list`;
  const positiveClass = source.classes.indexOf(classes.positive);
  const labels = classes.names
    ? { labelOf: (index: number) => source.classOf(index), positiveLabel: positiveClass }
    : { labelOf: (index: number) => (source.classOf(index) === positiveClass ? 1 : 0), positiveLabel: 1 };
  const job: Job = { source, options, settings, ...labels, indexOf: rowOrder(settings) };
  return onDisk(path, async () => {
    if (force) await Promise.all([partial, list].map((file) => rm(file, { force: true })));
    const files = await openBoth(partial, list);
    try {
      const state = await resume(files, list, job);
      await packRest(files, job, state);
      await requireClasses(state, job, [partial, list]);
      const bytes = await finish(files.pixels, list, job, state);
      await rename(partial, path);
      await flushFolder(dirname(path));
      await rm(list);
      const { count, positive, failures, resumed } = state;
      return { count, positive, bytes, resumed, failures };
    } finally {
      await Promise.all([files.pixels.close(), files.list.close()]);
    }
  });
}

interface Job {
  source: Source;
  options: PackOptions;
  settings: PackSettings;
  /** of a picture of the source, as the file has it */
  labelOf: (index: number) => number;
  positiveLabel: number;
  /** the picture of the source that comes i-th */
  indexOf: (i: number) => number;
}

interface Files {
  pixels: FileHandle;
  list: FileHandle;
}

interface State {
  /** where pixels begin in the file */
  pixelsAt: number;
  /** of the list */
  listBytes: number;
  /** pictures of the source that were looked at */
  done: number;
  /** rows that were packed */
  count: number;
  positive: number;
  /** of all names, in bytes */
  nameBytes: number;
  resumed: number;
  failures: Failure[];
}

/** Counts what an earlier packing left that is whole, by its checksums, and cuts off the rest. */
async function resume(files: Files, list: string, job: Job): Promise<State> {
  const { source, options, settings } = job;
  const { strict, preprocessing } = options;
  const features = preprocessing.imageSize ** 2 * 3;
  const pixelsAt = packedHeader(descriptionOf(settings, 0), 1, 0).length;
  const first = encodeSettings(settings);
  const state: State = {
    pixelsAt,
    listBytes: first.length,
    done: 0,
    count: 0,
    positive: 0,
    nameBytes: 0,
    resumed: 0,
    failures: [],
  };
  for await (const { items, pixels, end } of readGroups(list, settings)) {
    const rows = items.filter((item) => 'hash' in item).length;
    const at = pixelsAt + state.count * features;
    if ((await checksumAt(files.pixels, at, rows * features)) !== pixels) break;
    await refuseChanged(items, state, job);
    for (const item of items) addItem(state, item, job);
    state.listBytes = end;
  }
  if (strict && state.failures.length > 0) throw strictError(source, state.failures);
  state.resumed = state.count;
  await files.pixels.truncate(pixelsAt + state.count * features);
  await files.list.truncate(state.done === 0 ? 0 : state.listBytes);
  if (state.done === 0) await writeAt(files.list, first, 0);
  return state;
}

/** What holds a class too few will never be a file: nothing of it is kept. */
async function requireClasses(state: State, { source, settings }: Job, files: readonly string[]): Promise<void> {
  try {
    refuseWithoutClasses([state.count - state.positive, state.positive], settings.classes, source.title, state.failures);
  } catch (error) {
    for (const file of files) await rm(file, { force: true });
    throw error;
  }
}

/** Compares what an earlier packing did with the source as it is now. Pictures are read again for it, but not decoded.
 *  @throws UserError (data) with the first that is not as it was */
async function refuseChanged(items: readonly Item[], { done }: State, job: Job): Promise<void> {
  const { source, options, indexOf } = job;
  let looked = done;
  for await (const change of mapInOrder(items.keys(), decodesAtOnce(), (i) => changeOf(items[i]!, indexOf(done + i), job))) {
    if (change !== null) throw changedSource(source, change);
    options.onProgress?.(++looked, source.count);
  }
}

/** @returns in words what of a picture is not as it was packed; null where all is */
async function changeOf(item: Item, index: number, { source, options, labelOf }: Job): Promise<string | null> {
  const { name } = item;
  if (source.name(index) !== name) return `${name} has moved`;
  if ('reason' in item) {
    return 'value' in (await attempt(source.read(index, options.preprocessing))) ? `${name} can be read now` : null;
  }
  if (labelOf(index) !== item.label) return `${name} has another label`;
  const content = await attempt(hashOf(source, index));
  if ('reason' in content) return `${name} can't be read: ${content.reason}`;
  return content.value === item.hash ? null : `${name} has another content`;
}

function changedSource({ title }: Source, change: string): UserError {
  return new DataError(`${title}: expected the pictures of the packing that was broken off, found others: ${change}`, {
    hint: 'Begin anew with --force.',
  });
}

function addItem(state: State, item: Item, { positiveLabel }: Job): void {
  state.done++;
  if ('reason' in item) return void state.failures.push({ name: item.name, reason: item.reason });
  state.count++;
  if (item.label === positiveLabel) state.positive++;
  state.nameBytes += Buffer.byteLength(item.name);
}

/** Reads the pictures that are left, several at a time, and writes a group while the next one gathers. */
async function packRest(files: Files, job: Job, state: State): Promise<void> {
  const { source, options, indexOf } = job;
  const { preprocessing, strict, onProgress } = options;
  const features = preprocessing.imageSize ** 2 * 3;
  const rows = Math.max(1, Math.floor(groupBytes / features));
  const left = (function* () {
    for (let i = state.done; i < source.count; i++) yield indexOf(i);
  })();
  const buffers = [new Uint8Array(rows * features), new Uint8Array(rows * features)];
  let items: Item[] = [];
  let filled = 0;
  let writing = Promise.resolve();
  let turn = 0;

  const flush = async () => {
    await writing;
    const pixels = buffers[turn]!.subarray(0, filled * features);
    const lines = encodeGroup(items, crc32(pixels));
    const [pixelsAt, listAt] = [state.pixelsAt + state.count * features, state.listBytes];
    for (const item of items) addItem(state, item, job);
    state.listBytes += lines.length;
    writing = writeAt(files.pixels, pixels, pixelsAt).then(() => writeAt(files.list, lines, listAt));
    writing.catch(() => {}); // it is awaited before the next one; until then a failure is not "unhandled"
    items = [];
    filled = 0;
    turn = 1 - turn;
  };

  try {
    for await (const { index, outcome } of readInOrder(source, left, preprocessing)) {
      items.push(itemOf(job, index, outcome));
      if ('value' in outcome) buffers[turn]!.set(outcome.value.pixels, filled++ * features);
      else if (strict) throw strictError(source, [...state.failures, { name: source.name(index), reason: outcome.reason }]);
      if (filled === rows || items.length >= maximumItems) await flush();
      onProgress?.(state.done + items.length, source.count);
    }
  } finally {
    if (items.length > 0) await flush(); // also when it is broken off: what is done is kept
    await writing;
  }
}

/** Pictures of a group, where so many are unreadable that its pixels don't fill it. */
const maximumItems = 65_536;

function itemOf({ source, labelOf }: Job, index: number, outcome: Attempt<SourceImage>): Item {
  const name = source.name(index);
  if ('reason' in outcome) return { name, reason: outcome.reason };
  return { name, label: labelOf(index), hash: outcome.value.hash };
}

/** Writes the other tensors from the list, then the header; then all is on the disk.
 *  @returns the bytes of the file */
async function finish(file: FileHandle, list: string, { settings }: Job, state: State): Promise<number> {
  const entries = tensorEntries(state.count, settings, state.nameBytes);
  const encodeLabel = (label: number) =>
    settings.classes.names ? new Uint8Array(Uint32Array.of(label).buffer) : Uint8Array.of(label);
  const [, nameOffsets, hashes, labels, names] = entries.map(({ start }) =>
    sequentialWriter(file, { position: state.pixelsAt + start, groupBytes: 2 ** 16 }),
  );
  const offset = Buffer.alloc(8);
  let nameEnd = 0;
  await nameOffsets!.add(offset);
  for await (const { items } of readGroups(list, settings)) {
    for (const item of items) {
      if ('reason' in item) continue;
      const name = Buffer.from(item.name);
      nameEnd += name.length;
      offset.writeBigInt64LE(BigInt(nameEnd));
      const hash = Buffer.from(item.hash, 'hex');
      if (hash.length !== hashBytes) throw new Error(`${item.name}: a hash of ${hash.length} bytes, expected ${hashBytes}`);
      await nameOffsets!.add(offset);
      await hashes!.add(hash);
      await labels!.add(encodeLabel(item.label));
      await names!.add(name);
    }
  }
  for (const tensor of [nameOffsets, hashes, labels, names]) await tensor!.flush();
  await writeAt(file, packedHeader(descriptionOf(settings, state.failures.length), state.count, state.nameBytes), 0);
  await file.sync();
  return state.pixelsAt + entries.at(-1)!.end;
}

function descriptionOf({ count: _, ...rest }: PackSettings, unreadable: number): PackedDescription {
  return { ...rest, unreadable };
}

function rowOrder({ order, count }: PackSettings): (i: number) => number {
  if (order === 'source') return (i) => i;
  const indices = namedRandom(order.seed, 'pack').permutation(count);
  return (i) => indices[i]!;
}

async function checksumAt(file: FileHandle, at: number, bytes: number): Promise<number | undefined> {
  const buffer = new Uint8Array(Math.min(bytes, groupBytes));
  let sum = 0;
  for (let done = 0; done < bytes; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, bytes - done), at + done);
    if (bytesRead === 0) return undefined;
    sum = crc32(buffer.subarray(0, bytesRead), sum);
    done += bytesRead;
  }
  return sum;
}

/** Reading and writing what is there, or making it. */
const readAndMake = constants.O_RDWR | constants.O_CREAT;

async function openBoth(partial: string, list: string): Promise<Files> {
  const pixels = await open(partial, readAndMake);
  try {
    return { pixels, list: await open(list, readAndMake) };
  } catch (error) {
    await pixels.close();
    throw error;
  }
}

/** @throws UserError (data) for a disk that refuses */
async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new DataError(`${path}: can't be written: ${systemReason(error)}`, {
      hint: 'What is packed so far is kept beside it; the same command goes on from there.',
      cause: error,
    });
  }
}
