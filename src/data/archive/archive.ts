import { DataError, systemReason, UserError } from '../../errors.ts';
import { grouped } from '../../text.ts';
import { firstBytes } from '../disk.ts';
import { maximumFileBytes } from '../sources/files.ts';

/** An archive whose files are read where they lie: nothing is unpacked to the disk. */
export interface Archive {
  /** its files, in its order; folders have no entry */
  entries: readonly ArchiveEntry[];
  /** paths of folders that it lists, such as empty ones, as it has them */
  folders: readonly string[];
  /** Rather in rising order: what is compressed as a whole is read from its start, again for each step back.
   *  @throws UserError (data) with the reason, where this one file can't be read */
  read(index: number): Promise<Uint8Array>;
}

export interface ArchiveEntry {
  /** with slashes, relative, without a `.` or `..`; as it was found where it is refused */
  path: string;
  /** uncompressed */
  bytes: number;
  /** why it is not read */
  problem?: string;
  /** its path is absolute or leads out of the archive: a problem too */
  isOutside?: boolean;
}

/** What a format says of a file in it. */
export interface RawEntry {
  path: string;
  bytes: number;
  /** as it lies in the archive; absent where files are not compressed one by one */
  compressedBytes?: number;
  problem?: string | undefined;
}

/** Told how much of an archive's list was read, in bytes of it. What it throws ends the reading. */
export type ListingProgress = (done: number, total: number) => void;

/** Bounds on what an archive may hold, so that a small file can't fill the memory or take forever. */
export const archiveLimits = {
  entries: 10_000_000,
  /** of one file; the same as for a file in a folder */
  fileBytes: maximumFileBytes,
  /** how many times its packed size a file may have; pictures pack badly, long runs of zeros up to 1,032 times */
  fileRatio: 200,
  /** files below this are not asked for their ratio */
  smallFile: 1024 * 1024,
  /** how many times its own size an archive may hold in all … */
  totalRatio: 100,
  /** … or this, if it is more */
  totalBytes: 1024 ** 3,
};

/** The problem of a file that is damaged; those of others are that nn does not take them. */
export const emptyFile = 'the file is empty';

/** What an archive of so many bytes may hold in all. */
export function mostBytes(archiveBytes: number): number {
  return Math.max(archiveLimits.totalBytes, archiveLimits.totalRatio * archiveBytes);
}

/** Checks entries as they are listed.
 *  @throws UserError (data) for an archive that is made to overwhelm its reader */
export function entryCheck(archive: string, archiveBytes: number): (raw: RawEntry) => ArchiveEntry {
  const seen = new Set<string>();
  let total = 0;
  return (raw) => {
    const path = tidyPath(raw.path);
    const isOutside = leadsOut(path);
    const problem =
      (isOutside ? 'a path that leads out of the archive' : undefined) ??
      raw.problem ??
      sizeProblem(raw) ??
      (seen.has(path) ? 'the second of its name' : undefined);
    seen.add(path);
    if (problem === undefined) total += raw.bytes;
    if (seen.size > archiveLimits.entries) throw bomb(archive, `${grouped(archiveLimits.entries)} files`, 'more');
    if (total > mostBytes(archiveBytes)) throw tooMuch(archive, archiveBytes);
    return { path, bytes: raw.bytes, ...(problem !== undefined && { problem }), ...(isOutside && { isOutside }) };
  };
}

export function tooMuch(archive: string, archiveBytes: number): UserError {
  return bomb(archive, `${grouped(mostBytes(archiveBytes))} bytes unpacked`, 'more');
}

function bomb(archive: string, most: string, found: string): UserError {
  return new DataError(`${archive}: expected an archive of at most ${most}, found ${found}`, {
    hint: 'If you trust it, unpack it and name the folder.',
  });
}

/** `./a//b` is `a/b`. */
function tidyPath(path: string): string {
  const parts = path.split('/');
  const tidy = parts.filter((part, i) => part !== '.' && (part !== '' || i === 0));
  return tidy.join('/');
}

function leadsOut(path: string): boolean {
  return path.startsWith('/') || /^[a-z]:/i.test(path) || path.split('/').includes('..');
}

function sizeProblem({ bytes, compressedBytes }: RawEntry): string | undefined {
  const { fileBytes, fileRatio, smallFile } = archiveLimits;
  if (bytes === 0) return emptyFile;
  if (bytes > fileBytes) return `${grouped(bytes)} bytes, more than the ${grouped(fileBytes)} allowed`;
  if (compressedBytes === undefined || bytes <= smallFile || bytes <= compressedBytes * fileRatio) return undefined;
  return `${grouped(bytes)} bytes packed into ${grouped(compressedBytes)}, as no picture is`;
}

/** For what a reader says of a broken archive; where its first bytes tell another kind of file, that is said.
 *  @returns UserError as it is, also that of a user who leaves */
export async function brokenArchive(path: string, error: unknown): Promise<UserError> {
  if (error instanceof UserError) return error;
  const other = await otherKind(path);
  if (other !== null)
    return new DataError(`${path}: expected an archive, found ${other.what}`, { hint: other.hint, cause: error });
  const reason = systemReason(error).replaceAll('\n', ' ');
  return new DataError(`${path}: a damaged archive: ${reason}`, {
    hint: 'nn reads ZIP, tar and tar.gz. If it is one of them, fetch or copy it again.',
    cause: error,
  });
}

const unpackIt = 'nn reads ZIP, tar and tar.gz: unpack it, and name the folder.';

/** What archives are taken for, by how a file begins. */
const otherKinds: { begins: RegExp; what: string; hint: string }[] = [
  {
    begins: /^\s*<(!doctype|html|\?xml|!--)/i,
    what: 'a web page',
    hint: 'Its address answers with a page, such as one to sign in or to confirm: open it in a browser, and fetch the archive from there.',
  },
  { begins: /^version https:\/\/git-lfs/, what: 'what Git LFS keeps in its place', hint: 'Fetch the file itself: git lfs pull.' },
  { begins: /^7z\xbc\xaf/, what: 'a 7z archive', hint: unpackIt },
  { begins: /^Rar!/, what: 'a RAR archive', hint: unpackIt },
  { begins: /^\xfd7zXZ/, what: 'a file packed with xz', hint: unpackIt },
  { begins: /^BZh/, what: 'a file packed with bzip2', hint: unpackIt },
  { begins: /^\(\xb5\/\xfd/, what: 'a file packed with Zstandard', hint: unpackIt },
  { begins: /^$/, what: 'an empty file', hint: 'Fetch or copy it again.' },
];

async function otherKind(path: string): Promise<(typeof otherKinds)[number] | null> {
  const start = await firstBytes(path, 64).catch(() => null); // a folder, or not there: the error says so
  if (start === null) return null;
  return otherKinds.find(({ begins }) => begins.test(start.toString('latin1').replace(/^\xef\xbb\xbf/, ''))) ?? null;
}
