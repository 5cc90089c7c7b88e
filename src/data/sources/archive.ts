import { UserError } from '../../errors.ts';
import type { Archive, ArchiveEntry, ListingProgress } from '../archive/archive.ts';
import { firstBytes, reasonAt } from '../disk.ts';
import { fileValidator } from '../file-validator.ts';
import { contentHash } from '../hash.ts';
import { decodeImage } from '../image.ts';
import type { Source } from '../source.ts';
import { isPictureName } from './files.ts';

export interface ArchiveOptions {
  path: string;
  /** where in it the folders of the classes are; found where absent */
  folder?: string | undefined;
}

interface Picture {
  /** where it is in the archive */
  index: number;
  /** below the folder of the classes */
  name: string;
  className: string;
}

/** A ZIP or tar archive of one folder for each class, pictures at any depth, in the archive's order. Nothing is unpacked to
 *  the disk. A file that is refused or damaged counts as a picture that can't be read.
 *  @throws UserError (data) where the archive can't be read */
export async function openArchive({ path, folder }: ArchiveOptions, onProgress?: ListingProgress): Promise<Source> {
  const validator = await fileValidator(path); // before it is listed: what replaces it in between has another
  const archive = await openAny(path, onProgress);
  const all = archive.entries.map((entry, index) => ({ ...entry, index })).filter((entry) => !isHidden(entry.path));
  const files = all.filter(({ isOutside }) => !isOutside);
  const root = folder === undefined ? commonFolder(files) : checkFolder(folder, files, path);
  const below = files.filter((entry) => entry.path.startsWith(root));
  const named = below.filter((entry) => isPictureName(entry.path));
  const isLoose = (entry: ArchiveEntry) => !entry.path.slice(root.length).includes('/');
  const pictures = named.filter((entry) => !isLoose(entry)).map((entry) => pictureOf(entry, root));
  const read = (i: number) => archive.read(pictures[i]!.index);
  const classes = [...new Set(pictures.map(({ className }) => className))].sort();
  const places = new Map(classes.map((name, place) => [name, place]));
  return {
    title: path,
    count: pictures.length,
    classes,
    name: (i) => pictures[i]!.name,
    classOf: (i) => places.get(pictures[i]!.className)!,
    read: async (i, preprocessing) => {
      const bytes = await read(i);
      return { pixels: await decodeImage(bytes, preprocessing), hash: contentHash(bytes) };
    },
    original: async (i) => ({ file: await read(i) }),
    decoding: {
      kind: 'file',
      stamp: async (i) => (validator === undefined ? undefined : `${validator} ${pictures[i]!.index} ${pictures[i]!.name}`),
      decode: (file, _, preprocessing) => decodeImage(file, preprocessing),
    },
    notes: [
      ...note(
        path,
        'refused',
        all.filter(({ isOutside }) => isOutside),
        'whose path leads out of the archive',
      ),
      ...note(
        path,
        'passed over',
        below.filter((entry) => !isPictureName(entry.path)),
        "without a picture's extension",
      ),
      ...note(path, 'passed over', named.filter(isLoose), "in no class's folder"),
    ],
  };
}

/** A ZIP archive says so in its first bytes, unless something stands in front of it. */
async function openAny(path: string, onProgress?: ListingProgress): Promise<Archive> {
  const start = await firstBytes(path, 2).catch((error) => {
    throw new UserError('data', `${path}: expected an archive, found: ${reasonAt(path, error)}`, { cause: error });
  });
  if (start.toString('latin1') === 'PK' || /\.zip$/i.test(path))
    return (await import('../archive/zip.ts')).openZip(path, onProgress);
  return (await import('../archive/tar.ts')).openTar(path, onProgress);
}

/** What systems leave in archives, and hidden files. */
function isHidden(path: string): boolean {
  return path.split('/').some((part) => (part.startsWith('.') && part !== '..') || part === '__MACOSX');
}

/** The folder that holds the folders of the classes: as long as all pictures are in one folder of folders, it is entered.
 *  @returns with a slash behind, empty for the archive itself */
function commonFolder(entries: readonly ArchiveEntry[]): string {
  const paths = entries.filter(({ path, problem }) => problem === undefined && isPictureName(path)).map(({ path }) => path);
  let root = '';
  for (;;) {
    const below = paths.map((path) => path.slice(root.length).split('/'));
    const [first] = below[0] ?? [];
    if (!below.every((parts) => parts.length > 2 && parts[0] === first) || first === undefined) return root;
    root += `${first}/`;
  }
}

function checkFolder(folder: string, entries: readonly ArchiveEntry[], archive: string): string {
  const root = `${folder.replace(/^\.?\/+|\/+$/g, '')}/`;
  if (entries.some(({ path }) => path.startsWith(root))) return root;
  const folders = [...new Set(entries.flatMap(({ path }) => (path.includes('/') ? [path.slice(0, path.indexOf('/'))] : [])))];
  throw new UserError(
    'data',
    `${archive}: expected a folder ${folder} in it, found ${folders.slice(0, 10).join(', ') || 'no folders'}`,
  );
}

function pictureOf({ path, index }: ArchiveEntry & { index: number }, root: string): Picture {
  const name = path.slice(root.length);
  return { index, name, className: name.slice(0, name.indexOf('/')) };
}

function note(path: string, did: string, files: readonly ArchiveEntry[], which: string): string[] {
  if (files.length === 0) return [];
  const count = `${files.length} file${files.length === 1 ? '' : 's'}`;
  return [`${path}: ${did} ${count} ${which}, such as ${files[0]!.path}`];
}
