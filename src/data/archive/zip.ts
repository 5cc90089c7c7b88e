import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { UserError } from '../../errors.ts';
import { DamagedFile } from '../damaged.ts';
import { type Archive, type ArchiveEntry, brokenArchive, entryCheck, type ListingProgress } from './archive.ts';
import { findDirectory, type ZipDirectory } from './zip-directory.ts';

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
  if (problem !== undefined) throw new UserError('data', problem);
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
