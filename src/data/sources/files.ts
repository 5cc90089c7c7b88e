import { constants } from 'node:fs';
import { access, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, extname, join, resolve, sep } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { DataError, isOutOfFiles, systemReason, UserError } from '../../errors.ts';
import { grouped } from '../../text.ts';
import { contentHash } from '../content-hash.ts';
import { decodeImage } from '../decode.ts';
import { firstBytesNow, reasonAt } from '../disk.ts';
import { fileValidator } from '../file-validator.ts';
import type { Preprocessing } from '../image.ts';
import { DamagedFile } from '../image-errors.ts';
import { formatOf, isImageName, startBytes } from '../image-formats.ts';
import { type Decoding, mapInOrder, type SourceImage } from '../source.ts';

/** A file larger than this is refused before it is read. */
export const maximumFileBytes = 512 * 1024 * 1024;

/** Reads and decodes one file. @throws UserError (data) with the reason */
export async function readImage(path: string, preprocessing: Preprocessing): Promise<SourceImage> {
  const bytes = await readFileBytes(path);
  return { pixels: await decodeImage(bytes, preprocessing), hash: contentHash(bytes) };
}

/** Pictures that are files, for the cache. @param pathOf  the file of a picture */
export function fileDecoding(pathOf: (index: number) => string): Decoding {
  return {
    kind: 'file',
    validator: (index) => fileValidator(pathOf(index)),
    decode: (file, _, preprocessing) => decodeImage(file, preprocessing),
  };
}

/** The bytes of a picture's file. @throws UserError (data) with the reason */
export async function readFileBytes(path: string): Promise<Uint8Array> {
  try {
    const info = await stat(path);
    if (!info.isFile()) throw new DataError('not a file');
    if (info.size === 0) throw new DamagedFile('the file is empty');
    if (info.size > maximumFileBytes) {
      throw new DataError(`${grouped(info.size)} bytes, more than the ${grouped(maximumFileBytes)} allowed`);
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof UserError || isOutOfFiles(error)) throw error; // the latter says nothing of this file
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !path.includes('\ufffd'))
      throw new DamagedFile(reasonAt(path, error), error);
    throw new DataError(reasonAt(path, error), { cause: error });
  }
}

export interface Walk {
  /** paths of files, in an order that does not depend on the file system */
  files: string[];
  /** what could not be entered, with its reason */
  problems: { path: string; reason: string }[];
  /** folders of a system, which are not entered */
  system: string[];
}

/** All files below a folder, whatever their depth; hidden ones and their folders are passed over, and those of a system. Links are
 *  followed, but no folder is entered twice. A link that leads nowhere counts as a file, so that reading it says so.
 *  @param root  no link back to this folder, or to one above it, is followed */
export async function walkFiles(folder: string, root = folder): Promise<Walk> {
  const walk: Walk = { files: [], problems: [], system: [] };
  const home = await realpath(root).catch(() => resolve(root));
  await enter(folder, { walk, seen: new Set(root === folder ? [] : [home]), home });
  return walk;
}

async function enter(folder: string, way: { walk: Walk; seen: Set<string>; home: string }): Promise<void> {
  const { walk, seen, home } = way;
  let names: string[];
  try {
    const place = await realpath(folder);
    if (seen.has(place) || home.startsWith(place.endsWith(sep) ? place : place + sep)) return;
    seen.add(place);
    names = await readdir(folder);
  } catch (error) {
    walk.problems.push({ path: folder, reason: systemReason(error) });
    return;
  }
  for (const name of names.sort()) {
    if (isHiddenName(name)) continue;
    const path = join(folder, name);
    if (!(await isFolder(path))) walk.files.push(path);
    else if (isSystemFolder(name)) walk.system.push(path);
    else await enter(path, way);
  }
}

/** False also for what is not there, as a link may lead nowhere: reading it gives the reason. */
export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

/** @throws UserError (data) where there is no such folder or it can't be read */
export async function requireFolder(path: string, where: string): Promise<void> {
  try {
    if (!(await stat(path)).isDirectory()) {
      const hint = /\.(zip|tar|tgz|gz)$/i.test(path) ? 'An archive is a source of "type": "archive".' : undefined;
      throw new DataError(`${where}: expected a folder, found a file`, { hint });
    }
    await access(path, constants.R_OK | constants.X_OK);
  } catch (error) {
    throw error instanceof UserError
      ? error
      : new DataError(`${where}: expected a folder, found: ${reasonAt(path, error)}`, { cause: error });
  }
}

/** What counts among the files that lie in folders and archives, and what to say of the rest. */

/** Folders that systems and programs keep beside people's files, in lower case: copies, previews, what was deleted. */
const systemFolders: ReadonlySet<string> = new Set([
  '__macosx',
  '@eadir',
  '@recycle',
  '#recycle',
  '#snapshot',
  '$recycle.bin',
  'system volume information',
  'found.000',
  'lost+found',
  'network trash folder',
  'temporary items',
]);

export function isSystemFolder(name: string): boolean {
  return systemFolders.has(name.toLowerCase());
}

/** Files and folders that a system does not show. */
export const isHiddenName = (name: string): boolean => name.startsWith('.') && name !== '..';

export interface FoundFile {
  /** a path, for its extension */
  name: string;
  /** its first bytes. What it throws makes it no image */
  start(): Promise<Uint8Array>;
}

/** Among so many looks into files the rest of the program, such as Ctrl-C, has a turn. */
const looksInARow = 256;
let looks = 0;

export const fileAt = (path: string): FoundFile => ({
  name: path,
  start: async () => {
    if (++looks % looksInARow === 0) await turn();
    return firstBytesNow(path, startBytes);
  },
});

/** How many files are asked for their first bytes at once. */
const looksAtOnce = 8;

/** Divides files into images and others, in their order: by their names, and those that are not called so by their first bytes. */
export async function imagesAmong<File extends FoundFile>(files: readonly File[]): Promise<{ images: File[]; others: File[] }> {
  const images: File[] = [];
  const others: File[] = [];
  const told = mapInOrder(files, looksAtOnce, async (file) => ({
    file,
    isImage: isImageName(file.name) || (await startsAsImage(file)),
  }));
  for await (const { file, isImage } of told) (isImage ? images : others).push(file);
  return { images, others };
}

/** Raw files of cameras are TIFF too, of a kind that shows a thumbnail at most: by another name than TIFF's they are none. */
async function startsAsImage({ name, start }: FoundFile): Promise<boolean> {
  const format = formatOf(await start().catch(() => new Uint8Array(0)));
  return format !== undefined && (format.name !== 'tiff' || extname(name) === '');
}

/** What was passed over, for a warning. @param which  what they have in common */
export function filesPassedOver(names: readonly string[], which = 'that nn reads no picture from'): string {
  const count = names.length === 1 ? '1 file' : `${grouped(names.length)} files`;
  return `passed over ${count} ${which}, such as ${names[0]} (${kindsOf(names)})`;
}

const mostKinds = 5;

/** How many there are of each extension, the most first. */
function kindsOf(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) {
    const kind = extname(basename(name)).toLowerCase() || 'without an extension';
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const listed = sorted.slice(0, mostKinds).map(([kind, count]) => `${grouped(count)} ${kind}`);
  return [...listed, ...(sorted.length > mostKinds ? ['…'] : [])].join(', ');
}

const mostFolders = 5;

/** Folders that are no classes, or not entered, for a warning.
 *  @returns undefined where there are none */
export function foldersPassedOver(folders: { system: readonly string[]; empty: readonly string[] }): string | undefined {
  const named = (names: readonly string[], why: string) =>
    names.length === 0
      ? []
      : [
          `${names.slice(0, mostFolders).join(', ')}${names.length > mostFolders ? ` and ${grouped(names.length - mostFolders)} more` : ''} (${why})`,
        ];
  const { system, empty } = folders;
  const count = system.length + empty.length;
  if (count === 0) return undefined;
  const parts = [...named(empty, 'without a picture, so no class'), ...named(system, "a system's own")];
  return `passed over ${count === 1 ? '1 folder' : `${grouped(count)} folders`}: ${parts.join(', ')}`;
}
