import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { systemReason, UserError } from '../../errors.ts';
import type { Source } from '../source.ts';
import { fileDecoding, isFolder, isPictureName, readFileBytes, readPicture, requireFolder, walkFiles } from './files.ts';

interface Entry {
  path: string;
  classIndex: number;
  /** why its pictures can't be reached, for a folder that can't be entered */
  problem?: string;
}

/** One sub-folder per class, pictures at any depth below it. A folder below that can't be entered counts as a picture
 *  that can't be read.
 *  @throws UserError (data) where the folder can't be read */
export async function openFolder({ path }: { path: string }): Promise<Source> {
  await requireFolder(path, path);
  const classes: string[] = [];
  const entries: Entry[] = [];
  const notes: string[] = [];
  const loose: string[] = [];
  for (const name of (await readdir(path)).sort()) {
    if (name.startsWith('.')) continue;
    const place = join(path, name);
    if (!(await isFolder(place))) {
      if (isPictureName(name)) loose.push(name);
      else notes.push(...(await notesOfStray(place)));
      continue;
    }
    const { files, problems } = await walkFiles(place, path);
    const classIndex = classes.push(name) - 1;
    const pictures = files.filter(isPictureName);
    for (const file of pictures) entries.push({ path: file, classIndex });
    for (const problem of problems) entries.push({ path: problem.path, classIndex, problem: problem.reason });
    const others = files.length - pictures.length;
    if (others > 0) notes.push(`${place}: passed over ${counted(others, 'file')} without a picture's extension`);
  }
  if (loose.length > 0)
    notes.push(`${path}: passed over ${counted(loose.length, 'picture')} in no class's folder, such as ${loose[0]}`);
  return {
    title: path,
    count: entries.length,
    classes,
    name: (i) => relative(path, entries[i]!.path).split(sep).join('/'),
    classOf: (i) => entries[i]!.classIndex,
    read: async (i, preprocessing) => readPicture(pathOf(entries[i]!), preprocessing),
    original: async (i) => ({ file: await readFileBytes(pathOf(entries[i]!)) }),
    decoding: fileDecoding((i) => entries[i]!.path),
    notes,
  };
}

/** @throws UserError (data) for a folder that can't be entered */
function pathOf({ path, problem }: Entry): string {
  if (problem !== undefined) throw new UserError('data', problem);
  return path;
}

/** A link that leads nowhere may have been a class. */
async function notesOfStray(path: string): Promise<string[]> {
  return stat(path).then(
    () => [],
    (error) => [`${path}: passed over: ${systemReason(error)}`],
  );
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
