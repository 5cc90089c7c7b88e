import { DataError } from '../../errors.ts';
import { type Archive, type ArchiveEntry, emptyFile, type ListingProgress } from '../archive/archive.ts';
import { classesAmong } from '../classes.ts';
import { contentHash } from '../content-hash.ts';
import { decodeImage } from '../decode.ts';
import { firstBytes, reasonAt } from '../disk.ts';
import { fileValidator } from '../file-validator.ts';
import { DamagedFile } from '../image-errors.ts';
import type { Source } from '../source.ts';
import { filesPassedOver, foldersPassedOver, imagesAmong, isHiddenName, isSystemFolder } from './files.ts';

export interface ArchiveOptions {
  path: string;
  /** where in it the folders of the classes are; found where absent */
  folder?: string | undefined;
}

interface ArchivedImage {
  /** where it is in the archive */
  index: number;
  /** below the folder of the classes */
  name: string;
  className: string;
  problem: string | undefined;
}

/** A ZIP or tar archive of one folder for each class, pictures at any depth, in the archive's order. Nothing is unpacked to
 *  the disk. A file that is refused or damaged counts as a picture that can't be read.
 *  @throws UserError (data) where the archive can't be read */
export async function openArchive({ path, folder }: ArchiveOptions, onProgress?: ListingProgress): Promise<Source> {
  const validator = await fileValidator(path); // before it is listed: what replaces it in between has another
  const archive = await openAny(path, onProgress);
  const all = archive.entries.map((entry, index) => ({ ...entry, index })).filter((entry) => !isHidden(entry.path));
  const files = all.filter(({ isOutside, path: name }) => !isOutside && systemFolderOf(name) === undefined);
  const found = await imagesAmong(files.map((entry) => ({ ...entry, name: entry.path, start: () => startOf(archive, entry) })));
  const root = folder === undefined ? commonFolder(found.images) : checkFolder(folder, files, path);
  const isBelow = (entry: ArchiveEntry) => entry.path.startsWith(root);
  const isLoose = (entry: ArchiveEntry) => !entry.path.slice(root.length).includes('/');
  const images = found.images.filter(isBelow);
  const pictures = images.filter((entry) => !isLoose(entry)).map((entry) => archivedImage(entry, root));
  const read = async (i: number) => {
    const { index, problem } = pictures[i]!;
    if (problem === emptyFile) throw new DamagedFile(problem);
    return archive.read(index);
  };
  const { classes, placeOf } = classesAmong(pictures.map(({ className }) => className));
  return {
    title: path,
    count: pictures.length,
    classes,
    name: (i) => pictures[i]!.name,
    classOf: (i) => placeOf(pictures[i]!.className),
    read: async (i, preprocessing) => {
      const bytes = await read(i);
      return { pixels: await decodeImage(bytes, preprocessing), hash: contentHash(bytes) };
    },
    original: async (i) => ({ file: await read(i) }),
    decoding: {
      kind: 'file',
      validator: async (i) => (validator === undefined ? undefined : `${validator} ${pictures[i]!.index} ${pictures[i]!.name}`),
      decode: (file, _, preprocessing) => decodeImage(file, preprocessing),
    },
    notes: notesOf(path, {
      outside: all.filter(({ isOutside }) => isOutside),
      loose: images.filter(isLoose),
      others: found.others.filter(isBelow),
      ...foldersWithoutClass(archive, root, classes),
    }),
  };
}

/** Folders of systems anywhere, and those beside the classes that hold no picture. */
function foldersWithoutClass({ entries, folders }: Archive, root: string, classes: readonly string[]) {
  const inFolders = entries.filter(({ isOutside }) => !isOutside).map(({ path }) => path.split('/').slice(0, -1));
  const listed = folders.map((path) => path.split('/').filter((part) => part !== '' && part !== '.'));
  const shown = [...inFolders, ...listed].map((parts) => `${visible(parts).join('/')}/`);
  const beside = shown.flatMap((place) => (place.startsWith(root) ? [place.slice(root.length).split('/')[0]!] : []));
  return {
    system: shown.flatMap((place) => systemFolderOf(place) ?? []),
    empty: beside.filter((name) => name !== '' && !isSystemFolder(name) && !classes.includes(name)),
  };
}

/** What of a path stands before the first hidden name. */
function visible(parts: readonly string[]): readonly string[] {
  const hidden = parts.findIndex(isHiddenName);
  return hidden < 0 ? parts : parts.slice(0, hidden);
}

/** A ZIP archive says so in its first bytes, unless something stands in front of it. */
async function openAny(path: string, onProgress?: ListingProgress): Promise<Archive> {
  const start = await firstBytes(path, 2).catch((error) => {
    throw new DataError(`${path}: expected an archive, found: ${reasonAt(path, error)}`, { cause: error });
  });
  if (start.toString('latin1') === 'PK' || /\.zip$/i.test(path))
    return (await import('../archive/zip.ts')).openZip(path, onProgress);
  return (await import('../archive/tar.ts')).openTar(path, onProgress);
}

/** A file, or what is in a folder, that a system does not show. */
function isHidden(path: string): boolean {
  return path.split('/').some(isHiddenName);
}

/** The folder of a system that a file is in. */
function systemFolderOf(path: string): string | undefined {
  const folders = path.split('/').slice(0, -1);
  const at = folders.findIndex(isSystemFolder);
  return at < 0 ? undefined : folders.slice(0, at + 1).join('/');
}

/** A file that is larger is no image unless it is called so: its first bytes cost as much as the whole. */
const mostBytesToLook = 2 ** 26;

async function startOf(archive: Archive, { index, bytes, problem }: ArchiveEntry & { index: number }): Promise<Uint8Array> {
  return problem === undefined && bytes <= mostBytesToLook ? archive.read(index) : new Uint8Array(0);
}

/** The folder that holds the folders of the classes: as long as all pictures are in one folder of folders, it is entered.
 *  @returns with a slash behind, empty for the archive itself */
function commonFolder(images: readonly ArchiveEntry[]): string {
  const paths = images.filter(({ problem }) => problem === undefined).map(({ path }) => path);
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
  throw new DataError(`${archive}: expected a folder ${folder} in it, found ${folders.slice(0, 10).join(', ') || 'no folders'}`);
}

function archivedImage({ path, index, problem }: ArchiveEntry & { index: number }, root: string): ArchivedImage {
  const name = path.slice(root.length);
  return { index, name, className: name.slice(0, name.indexOf('/')), problem };
}

function notesOf(
  path: string,
  passed: { outside: ArchiveEntry[]; loose: ArchiveEntry[]; others: ArchiveEntry[]; system: string[]; empty: string[] },
): string[] {
  const { outside, loose, others, system, empty } = passed;
  const names = (entries: readonly ArchiveEntry[]) => entries.map((entry) => entry.path);
  const folders = foldersPassedOver({ system: [...new Set(system)], empty: [...new Set(empty)] });
  const refused = `refused ${outside.length} file${outside.length === 1 ? '' : 's'} whose path leads out of the archive`;
  return [
    ...(outside.length > 0 ? [`${refused}, such as ${outside[0]!.path}`] : []),
    ...(others.length > 0 ? [filesPassedOver(names(others))] : []),
    ...(loose.length > 0 ? [filesPassedOver(names(loose), "in no class's folder")] : []),
    ...(folders ? [folders] : []),
  ].map((note) => `${path}: ${note}`);
}
