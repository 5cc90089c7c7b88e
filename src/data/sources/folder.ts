import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { DataError, systemReason } from '../../errors.ts';
import type { Source } from '../source.ts';
import {
  type FoundFile,
  fileAt,
  fileDecoding,
  filesPassedOver,
  foldersPassedOver,
  imagesAmong,
  isFolder,
  isHiddenName,
  isSystemFolder,
  readFileBytes,
  readImage,
  requireFolder,
  walkFiles,
} from './files.ts';

interface Entry {
  path: string;
  classIndex: number;
  /** why its pictures can't be reached, for a folder that can't be entered */
  problem?: string;
}

/** One sub-folder per class, pictures at any depth below it; what holds no picture is no class. A folder below that can't be entered
 *  counts as a picture that can't be read.
 *  @throws UserError (data) where the folder can't be read */
export async function openFolder({ path }: { path: string }): Promise<Source> {
  await requireFolder(path, path);
  const classes: string[] = [];
  const entries: Entry[] = [];
  const strays: string[] = [];
  const passedOver = { files: [] as string[], system: [] as string[], empty: [] as string[] };
  for (const name of (await readdir(path)).sort()) {
    if (isHiddenName(name)) continue;
    const place = join(path, name);
    if (!(await isFolder(place))) strays.push(place);
    else if (isSystemFolder(name)) passedOver.system.push(place);
    else {
      const { files, problems, system } = await walkFiles(place, path);
      const { images, others } = await imagesAmong(files.map(fileAt));
      for (const other of others) passedOver.files.push(other.name);
      passedOver.system.push(...system);
      if (images.length + problems.length === 0) {
        passedOver.empty.push(place);
        continue;
      }
      const classIndex = classes.push(name) - 1;
      for (const image of images) entries.push({ path: image.name, classIndex });
      for (const problem of problems) entries.push({ path: problem.path, classIndex, problem: problem.reason });
    }
  }
  const nameOf = (file: string) => relative(path, file).split(sep).join('/');
  return {
    title: path,
    count: entries.length,
    classes,
    name: (i) => nameOf(entries[i]!.path),
    classOf: (i) => entries[i]!.classIndex,
    read: async (i, preprocessing) => readImage(pathOf(entries[i]!), preprocessing),
    original: async (i) => ({ file: await readFileBytes(pathOf(entries[i]!)) }),
    decoding: fileDecoding((i) => entries[i]!.path),
    notes: await notesOf(path, strays, passedOver, nameOf),
  };
}

/** @throws UserError (data) for a folder that can't be entered */
function pathOf({ path, problem }: Entry): string {
  if (problem !== undefined) throw new DataError(problem);
  return path;
}

async function notesOf(
  path: string,
  strays: readonly string[],
  { files, system, empty }: { files: readonly string[]; system: readonly string[]; empty: readonly string[] },
  nameOf: (file: string) => string,
): Promise<string[]> {
  const links: string[] = []; // one that leads nowhere may have been a class
  const found: FoundFile[] = [];
  for (const place of strays) {
    await stat(place).then(
      () => found.push(fileAt(place)),
      (error) => links.push(`${place}: passed over: ${systemReason(error)}`),
    );
  }
  const { images, others } = await imagesAmong(found);
  const names = (paths: readonly string[]) => paths.map(nameOf);
  const loose = names(images.map((image) => image.name));
  const rest = names([...others.map((file) => file.name), ...files]);
  const folders = foldersPassedOver({ system: names(system), empty: names(empty) });
  return [
    ...(loose.length > 0 ? [`${path}: ${filesPassedOver(loose, "in no class's folder")}`] : []),
    ...(rest.length > 0 ? [`${path}: ${filesPassedOver(rest)}`] : []),
    ...(folders ? [`${path}: ${folders}`] : []),
    ...links,
  ];
}
