import { readdir } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import type { Source } from '../source.ts';
import { isFolder, isPictureName, readPicture, requireFolder, walkFiles } from './files.ts';

/** One sub-folder per class, pictures at any depth below it.
 *  @throws UserError (data) where the folder can't be read */
export async function openFolder({ path }: { path: string }): Promise<Source> {
  await requireFolder(path, path);
  const classes: string[] = [];
  const files: { path: string; classIndex: number }[] = [];
  const notes: string[] = [];
  const strays: string[] = [];
  for (const name of (await readdir(path)).sort()) {
    if (name.startsWith('.')) continue;
    const place = join(path, name);
    if (!(await isFolder(place))) {
      strays.push(name);
      continue;
    }
    const walk = await walkFiles(place);
    const pictures = walk.files.filter(isPictureName);
    const others = walk.files.length - pictures.length;
    if (others > 0)
      notes.push(`${place}: passed over ${others} ${others === 1 ? 'file' : 'files'} without a picture's extension`);
    for (const problem of walk.problems) notes.push(`${problem.path}: ${problem.reason}`);
    classes.push(name);
    for (const file of pictures) files.push({ path: file, classIndex: classes.length - 1 });
  }
  const loose = strays.filter(isPictureName);
  if (loose.length > 0)
    notes.push(`${path}: passed over ${loose.length} pictures that stand in no class's folder, such as ${basename(loose[0]!)}`);
  return {
    title: path,
    count: files.length,
    classes,
    name: (i) => relative(path, files[i]!.path).split(sep).join('/'),
    classOf: (i) => files[i]!.classIndex,
    read: (i, preprocessing) => readPicture(files[i]!.path, preprocessing),
    notes,
  };
}
