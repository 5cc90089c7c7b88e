import { readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { systemReason, UserError } from '../../errors.ts';
import { byteText } from '../../text.ts';
import { contentHash } from '../content-hash.ts';
import { makeFolder } from '../disk.ts';
import { decoderVersion, decodingRules, type Preprocessing, resizeKernel } from '../image.ts';
import type { Source } from '../source.ts';
import {
  createSegment,
  openSegment,
  partialExtension,
  readRow,
  type Segment,
  type SegmentEntry,
  type SegmentWriter,
  segmentExtension,
} from './segment.ts';

/** Decoded pictures on the disk, for the next start. It never fails a command: what can't be read is decoded again, what
 *  can't be written is a warning. */
export interface DecodeCache {
  /** the pictures that were made in one way.
   *  @param kind  of what is decoded: 'file' or 'drawn' */
  shelf(kind: string, preprocessing: Preprocessing): Promise<Shelf>;
  /** writes what is not yet written; the cache is not used after it */
  close(): Promise<void>;
}

export interface Shelf {
  /** @param validator  of any length: what tells a picture without reading it
   *  @returns the hash of its content */
  contentOf(validator: string): string | undefined;
  /** @returns imageSize · imageSize · 3 bytes, undefined where there are none or they are damaged */
  read(content: string): Promise<Uint8Array | undefined>;
  /** keeps pixels, and the validator that leads to them */
  keep(image: { validator: string | undefined; content: string; pixels: Uint8Array }): Promise<void>;
  close(): Promise<void>;
}

export interface CacheOptions extends CacheFolder {
  /** told once, when nothing more is written */
  onTrouble(text: string): void;
}

/** A segment is sealed at this size, or at an eighth of the bound. */
const segmentBytes = 64 * 1024 * 1024;

/** A cache in a folder, which several processes may use at once: each writes segments of its own and renames them when they
 *  are whole. Nothing is read or made before the first picture. */
export function openCache(options: CacheOptions): DecodeCache {
  const shelves = new Map<string, Promise<Shelf>>();
  let isWritable = true;
  const begin = async (rowBytes: number, isInUse: (path: string) => boolean): Promise<SegmentWriter | undefined> => {
    if (!isWritable) return undefined;
    await prepareFolder(options);
    if (await evictSegments(options, fullSegment(options), isInUse)) return createSegment(options.path, rowBytes);
    stop(`it may hold ${byteText(options.maximumBytes)} (NN_CACHE_SIZE), and these pictures alone take more`);
    return undefined;
  };
  const stop = (reason: string) => {
    if (isWritable) options.onTrouble(`${options.path}: this cache takes no more decoded pictures: ${reason}`);
    isWritable = false;
  };
  return {
    async shelf(kind, preprocessing) {
      const { imageSize, fit } = preprocessing;
      const recipe = JSON.stringify([kind, imageSize, fit, resizeKernel, decodingRules, await decoderVersion()]);
      const known = shelves.get(recipe);
      if (known !== undefined) return known;
      const prefix = contentHash(Buffer.from(recipe)).slice(0, 16);
      const shelf = openShelf({ folder: options, prefix, rowBytes: imageSize ** 2 * 3, begin, stop });
      shelves.set(recipe, shelf);
      return shelf;
    },
    async close() {
      for (const shelf of shelves.values()) await (await shelf).close();
    },
  };
}

/** Does work with a cache, where there is a place for one, and closes it after. */
export async function withCache<T>(
  place: CacheFolder | undefined,
  onTrouble: CacheOptions['onTrouble'],
  work: (cache: DecodeCache | undefined) => Promise<T>,
): Promise<T> {
  if (place === undefined) return work(undefined);
  const cache = openCache({ ...place, onTrouble });
  try {
    return await work(cache);
  } finally {
    await cache.close();
  }
}

function fullSegment({ maximumBytes }: CacheFolder): number {
  return Math.min(segmentBytes, Math.floor(maximumBytes / 8));
}

interface ShelfOptions {
  folder: CacheFolder;
  /** of the names of the segments that hold rows of this kind */
  prefix: string;
  rowBytes: number;
  begin(rowBytes: number, isInUse: (path: string) => boolean): Promise<SegmentWriter | undefined>;
  stop(reason: string): void;
}

/** Where a picture's pixels are: in a segment, or in the one that is being written. */
interface Place {
  entry: SegmentEntry;
  where: { segment: Segment } | { writer: SegmentWriter };
}

async function openShelf({ folder, prefix, rowBytes, begin, stop }: ShelfOptions): Promise<Shelf> {
  const segments = await openSegments(await segmentsOf(folder, prefix), rowBytes);
  const contents = new Map<string, string>();
  const places = new Map<string, Place>();
  const used = new Set<Segment>();
  const index = (entry: SegmentEntry, where: Place['where']) => {
    if (entry.validator !== undefined) contents.set(entry.validator, entry.content);
    if (entry.row !== undefined) places.set(entry.content, { entry, where });
  };
  for (const segment of segments) for (const entry of segment.entries) index(entry, { segment });

  const isInUse = (path: string) => [...used].some((segment) => segment.path === path);
  const markUsed = async (segment: Segment) => {
    used.add(segment);
    const now = new Date();
    await utimes(segment.path, now, now).catch(() => {}); // deleted meanwhile, or read-only: then nothing is chosen by it
  };

  let writer: SegmentWriter | undefined;
  const seal = async () => {
    if (writer === undefined) return;
    const segment = await writer.seal(prefix);
    writer = undefined;
    segments.push(segment);
    used.add(segment);
    for (const entry of segment.entries) index(entry, { segment });
  };
  /** One after another, since a writer begins, fills and ends with them. A failure ends writing, not the command. */
  let last: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>) => {
    last = last.then(work).catch(async (error) => {
      stop(systemReason(error));
      await writer?.discard();
      writer = undefined;
    });
    return last;
  };

  return {
    contentOf: (validator) => contents.get(validatorHash(validator)),
    async read(content) {
      const place = places.get(content);
      if (place === undefined) return undefined;
      const { entry, where } = place;
      if ('segment' in where && !used.has(where.segment)) await markUsed(where.segment);
      const pixels = 'segment' in where ? await readRow(where.segment, entry) : await where.writer.read(entry);
      if (pixels === undefined && places.get(content) === place) places.delete(content);
      return pixels;
    },
    keep: ({ validator, content, pixels }) =>
      inTurn(async () => {
        const hash = validator === undefined ? undefined : validatorHash(validator);
        const isKept = places.has(content);
        if (isKept && (hash === undefined || contents.get(hash) === content)) return;
        writer ??= await begin(rowBytes, isInUse);
        if (writer === undefined) return;
        const current = writer;
        index(await current.add(hash, content, isKept ? undefined : pixels), { writer: current });
        if (current.bytes >= fullSegment(folder)) await seal();
      }),
    async close() {
      await inTurn(seal);
      for (const segment of segments) await segment.handle.close();
    },
  };
}

/** Those that are whole, in the order in which they were made; damaged ones are deleted. */
async function openSegments(paths: readonly string[], rowBytes: number): Promise<Segment[]> {
  const opened: Segment[] = [];
  for (const path of paths) {
    // another process may have deleted it, or this one has too many files open: then its pictures are decoded again
    const segment = await openSegment(path, rowBytes).catch(() => null);
    if (segment) opened.push(segment);
    else if (segment === undefined) await rm(path, { force: true }).catch(() => {}); // read-only: it stays, and is passed over
  }
  return opened.sort((a, b) => a.created - b.created);
}

function validatorHash(validator: string): string {
  return contentHash(Buffer.from(validator));
}

/** The same source, whose pictures are decoded only where the cache does not have them: found by validator without a look into
 *  the file, else by the hash of its content.
 *  @param compareContents  read every file and believe no validator: what is compared with an earlier state is what is there now */
export function cachedSource(source: Source, cache: DecodeCache | undefined, compareContents = false): Source {
  const { decoding } = source;
  if (cache === undefined || decoding === undefined) return source;
  return {
    ...source,
    read: async (index, preprocessing) => {
      const shelf = await cache.shelf(decoding.kind, preprocessing);
      const validator = await decoding.validator(index); // before the file is read: what is written in between has another time
      const known = validator === undefined || compareContents ? undefined : shelf.contentOf(validator);
      const kept = known === undefined ? undefined : await shelf.read(known);
      if (kept !== undefined) return { pixels: kept, hash: known! };
      const original = await source.original(index);
      if (!('file' in original)) return source.read(index, preprocessing);
      const content = contentHash(original.file);
      const pixels = (await shelf.read(content)) ?? (await decoding.decode(original.file, index, preprocessing));
      await shelf.keep({ validator, content, pixels });
      return { pixels, hash: content };
    },
  };
}

const defaultBytes = 5e9;

/**
 * Where the cache of decoded pictures is, and how large it may grow.
 * NN_CACHE: a folder, or `off`; else nn in the folder that the system has for caches. NN_CACHE_SIZE: bytes, or such as 500MB.
 * @returns undefined where there shall be none, or where the system knows no folder for it
 * @throws UserError (usage) on a size that is none
 */
export function cachePlace(environment: NodeJS.ProcessEnv): CacheFolder | undefined {
  const chosen = environment['NN_CACHE'];
  const maximumBytes = parseSize(environment['NN_CACHE_SIZE']);
  if (chosen === 'off') return undefined;
  const caches = systemCaches(environment);
  const folder = chosen || (caches && join(caches, 'nn'));
  return folder ? { path: join(folder, 'decoded'), maximumBytes } : undefined;
}

/** Where pixels lie that memory should not hold, as long as a process works with them: beside the cache, whose disk is meant for
 *  it (the system's temporary folder may be memory), else there. */
export function scratchFolders(environment: NodeJS.ProcessEnv): string[] {
  const cache = cachePlace(environment);
  return [...(cache === undefined ? [] : [join(dirname(cache.path), 'scratch')]), tmpdir()];
}

/** undefined for a user without a home, as containers have them. */
function systemCaches(environment: NodeJS.ProcessEnv): string | undefined {
  const home = homeFolder();
  const inHome = (...names: string[]) => home && join(home, ...names);
  if (process.platform === 'win32') return environment['LOCALAPPDATA'] || inHome('AppData', 'Local');
  if (process.platform === 'darwin') return inHome('Library', 'Caches');
  const chosen = environment['XDG_CACHE_HOME'];
  return chosen && isAbsolute(chosen) ? chosen : inHome('.cache'); // XDG: a relative one is ignored
}

function homeFolder(): string | undefined {
  try {
    const home = homedir();
    return isAbsolute(home) ? home : undefined;
  } catch {
    return undefined; // neither HOME nor an entry for the user
  }
}

const units: Record<string, number> = { '': 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };

function parseSize(text: string | undefined): number {
  if (!text) return defaultBytes;
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?([kmgt]b|)$/i.exec(text) ?? [];
  if (number !== undefined) return Math.floor(Number(number) * units[unit!.toLowerCase()]!);
  throw new UserError('usage', `NN_CACHE_SIZE: expected bytes, or such as 500MB or 20GB, found ${JSON.stringify(text)}`);
}

/** The files of the cache's folder, and the bound on their sum. */
export interface CacheFolder {
  path: string;
  maximumBytes: number;
}

interface Listed {
  path: string;
  bytes: number;
  /** ms since 1970: the time of the file, which each process that uses it renews */
  lastUse: number;
}

/** A file that a process writes aside is given up as left behind after this long, in ms. */
const staleAfter = 24 * 3600 * 1000;
/** Each segment in use is an open file. */
const mostSegments = 512;

/** Makes the folder, and marks it as one that backups may leave out. */
export async function prepareFolder({ path }: CacheFolder): Promise<void> {
  await makeFolder(path, 0o700);
  const tag = 'Signature: 8a477f597d28d172789f06886806bc55\n# Pictures that nn has decoded. It may be deleted at any time.\n';
  await writeFile(join(path, 'CACHEDIR.TAG'), tag, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** Paths of the segments whose name begins so, in the order of their names. */
export async function segmentsOf({ path }: CacheFolder, prefix: string): Promise<string[]> {
  const names = await readdir(path).catch(() => []); // no folder, no segments
  return names
    .filter((name) => name.startsWith(`${prefix}-`) && name.endsWith(segmentExtension))
    .sort()
    .map((name) => join(path, name));
}

/**
 * Deletes segments, the least recently used first, until so many more bytes fit, and what other processes left behind.
 * @param isInUse  whether this process uses a segment: such a one stays, so that a data set that is larger than the
 *                 cache does not push itself out at every start
 * @returns whether the bytes fit
 */
export async function evictSegments(folder: CacheFolder, bytes: number, isInUse: (path: string) => boolean): Promise<boolean> {
  const listed = await list(folder);
  let sum = bytes + listed.reduce((total, one) => total + one.bytes, 0);
  let count = 1 + listed.length;
  for (const one of listed.sort((a, b) => a.lastUse - b.lastUse)) {
    const isLeftBehind = one.path.endsWith(partialExtension) && one.lastUse < Date.now() - staleAfter;
    const isSurplus = sum > folder.maximumBytes || count > mostSegments;
    if (isLeftBehind || (isSurplus && one.path.endsWith(segmentExtension) && !isInUse(one.path))) {
      await rm(one.path, { force: true });
      sum -= one.bytes;
      count--;
    }
  }
  return sum <= folder.maximumBytes;
}

async function list({ path }: CacheFolder): Promise<Listed[]> {
  const names = (await readdir(path)).filter((name) => name.endsWith(segmentExtension) || name.endsWith(partialExtension));
  const found = names.map(async (name) => {
    const place = join(path, name);
    const info = await stat(place).catch(() => undefined); // another process may have deleted it
    return info === undefined ? [] : [{ path: place, bytes: info.size, lastUse: info.mtimeMs }];
  });
  return (await Promise.all(found)).flat();
}
