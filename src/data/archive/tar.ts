import { once } from 'node:events';
import { createReadStream, fstatSync, type Stats } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { pipeline, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DataError } from '../../errors.ts';
import { firstBytes, openPlainFile, readAt, withFile } from '../disk.ts';
import {
  type Archive,
  type ArchiveEntry,
  archiveLimits,
  brokenArchive,
  entryCheck,
  type ListingProgress,
  mostBytes,
  tooMuch,
} from './archive.ts';
import { fileReader, readExactly, type SequentialReader, streamReader, type TarFile, tarFiles } from './tar-files.ts';

/** Opens a tar archive, packed with gzip or not. It has no directory: its headers are read one after the other to list it. Then its files
 *  lie where those said; of one that is packed all is read anew, from the start.
 *  @throws UserError (data) where it is damaged or a bomb */
export async function openTar(path: string, onProgress?: ListingProgress): Promise<Archive> {
  const fail = async (error: unknown): Promise<never> => {
    throw await brokenArchive(path, error);
  };
  try {
    const tar = { path, status: await stat(path), isPacked: await isGzip(path) };
    const check = entryCheck(path, tar.status.size);
    const entries: ArchiveEntry[] = [];
    const positions: number[] = [];
    const folders: string[] = [];
    for await (const { file } of pass(tar, { onProgress, onFolder: (name) => folders.push(name) })) {
      entries.push(check(file));
      positions.push(file.position);
    }
    const read = tar.isPacked
      ? inOnePass(() => contents(tar, entries))
      : (index: number) => contentAt(tar, positions[index]!, entries[index]!.bytes);
    return {
      entries,
      folders,
      read: async (index) => {
        const { problem } = entries[index]!;
        if (problem !== undefined) throw new DataError(problem);
        return read(index).catch(fail);
      },
    };
  } catch (error) {
    return fail(error);
  }
}

interface Tar {
  path: string;
  /** as it was when it was opened */
  status: Stats;
  isPacked: boolean;
}

/** Who is told what while it is listed. */
interface Listing {
  onProgress?: ListingProgress | undefined;
  onFolder?: (path: string) => void;
}

/** Its files from the start, each with the reader that its content comes from. */
function pass(tar: Tar, listing: Listing = {}): AsyncGenerator<{ file: TarFile; reader: SequentialReader }> {
  return tar.isPacked ? passPacked(tar, listing) : passPlain(tar, listing);
}

async function* passPlain(tar: Tar, { onProgress, onFolder }: Listing): ReturnType<typeof pass> {
  const { path, status } = tar;
  const handle = await openSame(tar);
  try {
    const reader: SequentialReader = fileReader(handle, status.size, () => onProgress?.(reader.position(), status.size));
    for await (const file of tarFiles(reader, path, onFolder)) yield { file, reader };
  } finally {
    await handle.close();
  }
}

async function* passPacked(tar: Tar, { onProgress, onFolder }: Listing): ReturnType<typeof pass> {
  const { path, status } = tar;
  const packed = createReadStream(path, { highWaterMark: 1 << 18 }); // no FileHandle: nobody closes it where a pass is not ended
  await once(packed, 'open');
  const unpacked = pipeline(packed, createGunzip({ chunkSize: 1 << 18 }), atMost(path, status.size), () => {}); // who reads gets its error
  try {
    requireSame(tar, fstatSync((packed as unknown as { fd: number }).fd));
    const reader = streamReader(unpacked, () => onProgress?.(packed.bytesRead, status.size));
    for await (const file of tarFiles(reader, path, onFolder)) yield { file, reader };
  } finally {
    unpacked.destroy();
  }
}

/** Files of a packed archive that has been listed, each with its index among them. */
async function* contents(tar: Tar, entries: readonly ArchiveEntry[]): AsyncGenerator<Passed<Uint8Array>> {
  let index = 0;
  for await (const { file, reader } of pass(tar)) {
    if (entries[index]?.bytes !== file.bytes) throw changed(tar);
    yield { index: index++, read: () => readExactly(reader, file.bytes), skip: async () => {} };
  }
}

async function contentAt(tar: Tar, position: number, bytes: number): Promise<Uint8Array> {
  return withFile(openSame(tar), (file) => readAt(file, position, bytes));
}

async function openSame(tar: Tar): Promise<FileHandle> {
  const handle = await openPlainFile(tar.path);
  try {
    requireSame(tar, await handle.stat());
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Nothing in a tar archive tells whose content it is: it must be the file that was listed.
 *  @throws UserError (data) where another one has its name, or it was written to */
function requireSame(tar: Tar, now: Stats): void {
  const keys = ['dev', 'ino', 'size', 'mtimeMs'] as const;
  if (!keys.every((key) => now[key] === tar.status[key])) throw changed(tar);
}

const changed = ({ path }: Tar) => new DataError(`${path}: it changed while it was read`);

async function isGzip(path: string): Promise<boolean> {
  return (await firstBytes(path, 2)).toString('hex') === '1f8b';
}

/** Ends with an error where more comes than an archive may hold: zeros pack a thousand times. */
function atMost(path: string, size: number): Transform {
  let left = mostBytes(size) + archiveLimits.smallFile; // headers and padding
  return new Transform({
    transform(chunk: Buffer, _, done) {
      left -= chunk.length;
      if (left < 0) done(tooMuch(path, size));
      else done(null, chunk);
    },
  });
}

/** One file of a sequence: read or skipped before the next is asked for. */
export interface Passed<T> {
  index: number;
  read(): Promise<T>;
  skip(): Promise<void>;
}

/** What was asked for, and is not read yet. */
interface Waiting<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** Random access to what can only be read from its start: asked in rising order, also several at a time, it is passed once;
 *  for each step back it starts again.
 *  @param start  begins a pass; indices rise by one */
export function inOnePass<T>(start: () => AsyncGenerator<Passed<T>>): (index: number) => Promise<T> {
  const waiting = new Map<number, Waiting<T>>();
  let pass: AsyncGenerator<Passed<T>> | undefined;
  let next = 0;
  let isServing = false;
  const restart = async () => {
    await pass?.return(undefined);
    pass = start();
    next = 0;
  };
  const passOne = async () => {
    if (pass === undefined || Math.max(...waiting.keys()) < next) await restart();
    const { value, done } = await pass!.next();
    if (done) throw new Error('it ends before the file that was asked for');
    next = value.index + 1;
    const asked = waiting.get(value.index);
    if (asked === undefined) return value.skip();
    asked.resolve(await value.read());
    waiting.delete(value.index);
  };
  const serve = async () => {
    try {
      while (waiting.size > 0) await passOne();
    } catch (error) {
      for (const one of waiting.values()) one.reject(error);
      waiting.clear();
      pass = undefined;
    } finally {
      isServing = false; // in the same turn in which nobody waits: whoever asks next starts it again
    }
  };
  return (index) => {
    const known = waiting.get(index);
    if (known !== undefined) return known.promise;
    let asked: Omit<Waiting<T>, 'promise'>;
    const promise = new Promise<T>((resolve, reject) => (asked = { resolve, reject }));
    waiting.set(index, { promise, ...asked! });
    if (!isServing) {
      isServing = true;
      void serve();
    }
    return promise;
  };
}
