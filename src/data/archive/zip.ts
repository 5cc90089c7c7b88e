import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { DataError, type UserError } from '../../errors.ts';
import { openPlainFile, readAt, withFile } from '../disk.ts';
import { DamagedFile } from '../image-errors.ts';
import { type Archive, type ArchiveEntry, brokenArchive, entryCheck, type ListingProgress } from './archive.ts';

/** Opens a ZIP archive: its files are found by its directory, in any order.
 *  @throws UserError (data) where it is damaged or a bomb */
export async function openZip(path: string, onProgress?: ListingProgress): Promise<Archive> {
  const yauzl = await import('yauzl');
  let zip: ZipFile | undefined;
  try {
    const check = entryCheck(path, (await stat(path)).size);
    const directory = await findDirectory(path);
    // names as bytes: the library would give up the whole archive for one that it finds unsafe
    const opened = await yauzl.openPromise(path, { autoClose: false, decodeStrings: false });
    zip = opened;
    const raw: Entry[] = [];
    const entries: ArchiveEntry[] = [];
    const folders: string[] = [];
    for await (const entry of allEntries(opened, directory, onProgress)) {
      const { generalPurposeBitFlag, fileNameRaw, extraFields } = entry;
      const name = yauzl.getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, false);
      if (name.endsWith('/')) {
        folders.push(name);
        continue;
      }
      const { uncompressedSize: bytes, compressedSize: compressedBytes } = entry;
      entries.push(check({ path: name, bytes, compressedBytes, problem: problemOf(entry) }));
      raw.push(entry);
    }
    return { entries, folders, read: (index) => readEntry(opened, raw[index]!, entries[index]!) };
  } catch (error) {
    zip?.close();
    throw await brokenArchive(path, error);
  }
}

/** All that the directory holds, from its first byte to its last: the library would read as many entries as the archive's end says.
 *  @throws Error where they are not those that the end says */
async function* allEntries(zip: ZipFile, { start, end, countProblem, placeOf }: ZipDirectory, onProgress?: ListingProgress) {
  const cursor = zip as unknown as { readEntryCursor: number }; // its types have a boolean
  const at = () => cursor.readEntryCursor;
  cursor.readEntryCursor = start;
  zip.entryCount = Number.POSITIVE_INFINITY;
  let count = 0;
  // a whole archive without files is its end alone
  if (start === end && start > 0) throw new Error(`its end says that it holds no files, and ${start} bytes stand in front of it`);
  if (start < end) {
    for await (const entry of zip.eachEntry()) {
      count++;
      entry.relativeOffsetOfLocalHeader = placeOf(entry.relativeOffsetOfLocalHeader);
      yield entry;
      onProgress?.(at() - start, end - start);
      if (at() >= end) break;
    }
  }
  const problem = at() === end ? countProblem(count) : 'its directory is longer than its end says';
  if (problem !== null) throw new Error(problem);
}

const storedOrDeflated = [0, 8];

function problemOf(entry: Entry): string | undefined {
  if (entry.isEncrypted()) return 'encrypted';
  if (!storedOrDeflated.includes(entry.compressionMethod))
    return `packed by method ${entry.compressionMethod} of ZIP, which nn can't unpack (only stored and deflated files)`;
  return isLink(entry) ? 'a link, which is not followed' : undefined;
}

/** Unix keeps the type of a file in the upper half of its attributes. */
function isLink({ versionMadeBy, externalFileAttributes }: Entry): boolean {
  const unix = 3;
  return versionMadeBy >> 8 === unix && ((externalFileAttributes >>> 16) & 0o170000) === 0o120000;
}

/** The library holds the file to the size that the directory states. */
async function readEntry(zip: ZipFile, entry: Entry, { problem }: ArchiveEntry): Promise<Uint8Array> {
  if (problem !== undefined) throw new DataError(problem);
  try {
    const stream: Readable = await zip.openReadStreamPromise(entry);
    const bytes = await buffer(stream);
    if (crc32(bytes) !== entry.crc32) throw new Error('its checksum is another');
    return bytes;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DamagedFile(`damaged in the archive: ${reason}`, error);
  }
}

/** Where the directory of a ZIP archive lies, and what else its end says of it. */
export interface ZipDirectory {
  start: number;
  end: number;
  /** in words, where so many files are not what the end says; else null */
  countProblem(files: number): string | null;
  /** Where a file really lies. To be asked once for each, in the order of the directory.
   *  @param offset  where the directory says that it lies */
  placeOf(offset: number): number;
}

/**
 * Reads the end of a ZIP archive. Its size of the directory is what is believed; number of files and places are held against that. The Mac's Archive Utility keeps the
 * lower 16 bits of the number and the lower 32 of places, and does not say when there are more; where something stands in front of an archive, such as a program that
 * unpacks it, all places are too low.
 * @see APPNOTE.TXT of PKWARE, 4.3.14 to 4.3.16
 * @throws UserError (data), Error with what is wrong
 */
export async function findDirectory(path: string): Promise<ZipDirectory> {
  return withFile(openPlainFile(path), async (file) => {
    const { size } = await file.stat();
    const tailAt = Math.max(0, size - endBytes - longestComment - locatorBytes);
    const tail = await readAt(file, tailAt, size - tailAt);
    const at = tail.lastIndexOf(endSignature, -endBytes);
    if (at < 0) throw new Error('the directory at its end is missing, as where it is cut off');
    const end = tail.subarray(at);
    const behind = end.length - endBytes - end.readUInt16LE(20);
    if (behind > 0) throw extraBytes(path, behind);
    if (behind < 0) throw new Error('it is cut off within the comment at its end');
    const locator = tail.subarray(Math.max(0, at - locatorBytes), at);
    if (!locator.subarray(0, 4).equals(locatorSignature)) return smallDirectory(end, tailAt + at, path);
    const largeAt = Number(locator.readBigUInt64LE(8));
    return largeDirectory(await readAt(file, largeAt, largeBytes), largeAt, path);
  });
}

const endSignature = Buffer.from('PK\x05\x06', 'latin1');
const endBytes = 22;
const longestComment = 2 ** 16 - 1;
const locatorSignature = Buffer.from('PK\x06\x07', 'latin1');
const locatorBytes = 20;
const largeBytes = 56;

/** Of archives as they were before ZIP64: numbers of 16 and 32 bits. @param at  where the directory ends, and its end begins */
function smallDirectory(end: Buffer, at: number, path: string): ZipDirectory {
  requireOneDisk(end.readUInt16LE(4), path);
  const [count, size, stated] = [end.readUInt16LE(10), end.readUInt32LE(12), end.readUInt32LE(16)];
  const start = at - size;
  const inFront = start - stated;
  if (inFront < 0) throw new Error('its directory is not where its end says');
  const isWrapped = inFront > 0 && inFront % 2 ** 32 === 0;
  let last = -1;
  return {
    start,
    end: at,
    countProblem: (files) =>
      files % 2 ** 16 === count || (files > count && count === 2 ** 16 - 1) ? null : wrongCount(files, count),
    placeOf(offset) {
      if (!isWrapped) return offset + inFront;
      // files lie one behind the other, so one that lies before the last has lost its upper bits
      last = offset + Math.max(0, Math.ceil((last + 1 - offset) / 2 ** 32)) * 2 ** 32;
      return last;
    },
  };
}

/** Of ZIP64. @param at  where the directory ends, and its end begins */
function largeDirectory(end: Buffer, at: number, path: string): ZipDirectory {
  if (end.toString('latin1', 0, 4) !== 'PK\x06\x06') throw new Error('its directory is not where its end says');
  requireOneDisk(end.readUInt32LE(16), path);
  const [count, size, stated] = [32, 40, 48].map((place) => Number(end.readBigUInt64LE(place))) as [number, number, number];
  if (stated + size !== at) throw new Error('its directory is not where its end says');
  return {
    start: stated,
    end: at,
    countProblem: (files) => (files === count ? null : wrongCount(files, count)),
    placeOf: (offset) => offset,
  };
}

const wrongCount = (files: number, count: number) => `its directory has ${files} entries, and its end says ${count}`;

/** @param disk  the number of the one that this file is */
function requireOneDisk(disk: number, path: string): void {
  if (disk === 0) return;
  throw new DataError(`${path}: expected a ZIP archive in one file, found the last of ${disk + 1}`, {
    hint: 'Unpack it from all of its parts (.z01, .z02, …), as 7z x does, and name the folder; or put them together: zip -s 0 PART.zip --out WHOLE.zip.',
  });
}

function extraBytes(path: string, bytes: number): UserError {
  return new DataError(`${path}: expected a ZIP archive that ends with its directory, found ${bytes} bytes behind it`, {
    hint: 'Fetch or copy it again; zip -FF FILE.zip --out MENDED.zip cuts them off.',
  });
}
