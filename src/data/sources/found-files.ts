import { basename, extname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { grouped } from '../../grouped.ts';
import { firstBytesNow } from '../disk.ts';
import { formatOf, isImageName, startBytes } from '../image-formats.ts';
import { mapInOrder } from '../load.ts';

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
