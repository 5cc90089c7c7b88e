import { randomUUID } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { access, type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataError, systemReason } from '../errors.ts';
import { grouped } from '../text.ts';

/** What the system's calls leave to whoever makes them: short writes, opened files, names that a power cut takes back. */

/** What takes bytes at a place, as a `FileHandle` does. */
export interface PlaceWriter {
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
}

/** Writes all of some bytes. @param position  in the file */
export async function writeAt(file: PlaceWriter, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  }
}

/** Writes bytes one after the other. */
export interface SequentialWriter {
  /** @param bytes  copied before its promise is kept; one call after the other */
  add(bytes: Uint8Array): Promise<void>;
  /** All of it is in the file. */
  flush(): Promise<void>;
  /** Nothing is on its way to the disk any more, whatever became of it: before the file is closed. */
  settle(): Promise<void>;
}

/** While a group of bytes is on its way to the disk the next one gathers.
 *  @param options.position    of the first byte
 *  @param options.groupBytes  what is gathered before it is written */
export function sequentialWriter(
  file: PlaceWriter,
  { position, groupBytes }: { position: number; groupBytes: number },
): SequentialWriter {
  const buffers = [new Uint8Array(groupBytes), new Uint8Array(groupBytes)] as const;
  let turn: 0 | 1 = 0;
  let [filled, at] = [0, position];
  let writing = Promise.resolve();
  const write = async (bytes: Uint8Array) => {
    await writing;
    writing = writeAt(file, bytes, at);
    writing.catch(() => {}); // it is awaited before the next one; until then a failure is not "unhandled"
    at += bytes.length;
  };
  const writeGathered = async () => {
    await write(buffers[turn].subarray(0, filled));
    filled = 0;
    turn = turn === 0 ? 1 : 0;
  };
  const flush = async () => {
    await writeGathered();
    await writing;
  };
  return {
    flush,
    async add(bytes) {
      if (filled + bytes.length > groupBytes) await writeGathered();
      if (bytes.length > groupBytes) {
        await write(bytes);
        return writing;
      }
      buffers[turn].set(bytes, filled);
      filled += bytes.length;
    },
    settle: () => writing.catch(() => {}),
  };
}

/** Opening never waits: by itself it would, for ever, at a pipe that nobody writes to. */
export const openToRead = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Opens what has to be a file, such as those that `nn` itself wrote: nobody gives them through a pipe.
 *  @throws Error of the system, or with what is there instead in words */
export async function openPlainFile(path: string): Promise<FileHandle> {
  return refuseKinds(await open(path, openToRead), (status) => {
    if (status.isDirectory()) return 'it is a folder';
    return status.isFile() ? undefined : 'a pipe or a device';
  });
}

/** Opens a file that is read and grows at its end, and makes it where it is not there.
 *  @throws Error of the system, or since it is a pipe, which keeps nothing */
export async function openToGrow(path: string): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0));
  return refuseKinds(handle, (status) => (status.isFIFO() ? 'a pipe' : undefined));
}

async function refuseKinds(handle: FileHandle, problemOf: (status: Stats) => string | undefined): Promise<FileHandle> {
  try {
    const problem = problemOf(await handle.stat());
    if (problem !== undefined) throw new Error(problem);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** All bytes of what has to be a file. @throws as `openPlainFile` does */
export async function readPlainFile(path: string): Promise<Buffer> {
  return withFile(openPlainFile(path), (file) => file.readFile());
}

/** Works with a file that is being opened, and closes it however that ends. */
export async function withFile<T>(opening: Promise<FileHandle>, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await opening;
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

/** The first bytes of a file, which tell its kind; fewer where it is shorter.
 *  @throws Error of the system, or since it is a pipe or a device, which can't be read from its start again */
export async function firstBytes(path: string, length: number): Promise<Buffer> {
  return withFile(open(path, openToRead), async (file) => {
    const status = await file.stat();
    if (!status.isFile() && !status.isDirectory()) throw new Error('a pipe or a device');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  });
}

/** The same without leaving the thread, which takes a sixth of the time: for the many files of a folder.
 *  @throws Error as `firstBytes` does */
export function firstBytesNow(path: string, length: number): Buffer {
  const file = openSync(path, openToRead);
  try {
    if (!fstatSync(file).isFile()) throw new Error('no file');
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, 0));
  } finally {
    closeSync(file);
  }
}

/** How long a pipe may have nobody at its other end, in seconds. One with somebody there is waited for. */
const patienceSeconds = 10;
const pieceBytes = 2 ** 16;

/** A file as a whole, or what comes through a pipe, such as a shell's <(…), until its writer closes it.
 *  @throws Error of the system, or with what is wrong in words: more bytes than wanted, a pipe that nobody writes to */
export async function readWhole(path: string, maximumBytes: number): Promise<Buffer> {
  const tooLong = () => new Error(`more than ${grouped(maximumBytes)} bytes`);
  return withFile(open(path, openToRead), async (handle) => {
    const status = await handle.stat();
    if (status.size > maximumBytes) throw tooLong();
    if (status.isFile() && status.size > 0) return await handle.readFile();
    const pieces: Buffer[] = [];
    let bytes = 0;
    const deadline = performance.now() + patienceSeconds * 1000;
    for (;;) {
      const piece = await nextPiece(handle);
      if (piece === 'later' || (piece.length === 0 && bytes === 0 && status.isFIFO())) {
        if (piece !== 'later' && performance.now() >= deadline)
          throw new Error(`a pipe that nobody writes to in ${patienceSeconds} seconds`);
        await sleep(20);
        continue;
      }
      if (piece.length === 0) return Buffer.concat(pieces);
      bytes += piece.length;
      if (bytes > maximumBytes) throw tooLong();
      pieces.push(piece);
    }
  });
}

/** What can be read now; nothing at the end; 'later' where a writer has nothing to say yet. */
async function nextPiece(handle: FileHandle): Promise<Buffer | 'later'> {
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(pieceBytes), 0, pieceBytes, null);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 'later';
    throw error;
  }
}

/** Makes a folder, and those above it that are missing; one that is there is kept. Node's own way of doing that goes on for ever where a
 *  file system says of a folder that is there that it is not, as /proc does.
 *  @param mode  of folders that are made
 *  @throws Error of the system */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const above = dirname(path);
    if (code === 'ENOENT' && above !== path) {
      await makeFolder(above, mode);
      await mkdir(path, { mode }).catch((again) => keepFolder(path, again));
    } else await keepFolder(path, error);
  }
}

/** Makes a folder whose name nobody else has: the path itself, or with a number behind it where something stands there, or another
 *  process was quicker.
 *  @returns its path
 *  @throws Error of the system */
export async function makeNewFolder(path: string): Promise<string> {
  const make = (candidate: string) => mkdir(candidate);
  return firstFree(path, make).catch(async (error) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await makeFolder(dirname(path));
    return firstFree(path, make);
  });
}

/** A path that was free until it was taken, which is one call of the system: to look whether it is free would tell of the moment before.
 *  @param suffix  behind the number
 *  @param take    fails with EEXIST where something stands there */
export async function firstFree(path: string, take: (path: string) => Promise<unknown>, suffix = ''): Promise<string> {
  for (let n = 1; ; n++) {
    const candidate = `${path}${n === 1 ? '' : `-${n}`}${suffix}`;
    try {
      await take(candidate);
      return candidate;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** A folder that is there need not be made. */
async function keepFolder(path: string, error: unknown): Promise<void> {
  const isThere = await stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
  if (!isThere) throw error;
}

/** Takes a file away after a failure. What that brings is not told: the failure itself is what a person must hear of. */
export async function discard(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => {});
}

/** @throws UserError (data) for a file that is there and stays */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw new DataError(`${path}: can't be removed: ${systemReason(error)}`, {
      hint: 'Take it away yourself, and try again.',
      cause: error,
    });
  }
}

/** The words for a failed call of the system, and what the path itself tells of the cause. */
export function reasonAt(path: string, error: unknown): string {
  const reason = systemReason(error);
  if ((error as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') return reason;
  // Node gives what is not UTF-8 in a name as this sign, and then finds no such file
  if (path.includes('\ufffd')) return 'its name is not UTF-8: rename it';
  return sep === '/' && path.includes('\\') ? `${reason}: a backslash is a letter of a name here, folders end in /` : reason;
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** So that names given in a folder outlive a power cut. Where a system can't flush folders the files are there all the same. */
export async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return; // it can't open folders, and needs none of it
  const handle = await open(folder, 'r').catch(() => undefined); // a folder that may be written but not read
  await handle?.sync().catch(() => {}); // some file systems refuse
  await handle?.close();
}

/** A name beside a path for what is not finished yet. Nobody else has it, not even a process of the same number in another container. */
export function partialName(path: string): string {
  return `${path}.${process.pid}-${randomUUID().slice(0, 8)}.partial`;
}

/** Takes away what processes of this machine left behind that were killed while they made `name`: `name.PID.partial`, or what
 *  `partialName` gives. Those that live are making it now. */
export async function removeStaleFiles(folder: string, name: string): Promise<void> {
  for (const found of await readdir(folder)) {
    if (!found.startsWith(`${name}.`)) continue;
    const pid = /^(\d+)(?:-[\da-f]{8})?\.(?:dead\.)?partial$/.exec(found.slice(name.length + 1))?.[1];
    if (pid !== undefined && !processExists(Number(pid))) await rm(join(folder, found), { force: true, recursive: true });
  }
}

/** Whether there is a process of that number on this machine. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

export const cutOff = () => new Error('it is cut off');

/** Bytes from a place in a file. @throws Error where it ends before */
export async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw cutOff();
    done += bytesRead;
  }
  return bytes;
}
