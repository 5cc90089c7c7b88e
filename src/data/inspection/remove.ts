import { realpath, rename } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { systemReason, UserError } from '../../errors.ts';
import { makeFolder } from '../disk.ts';
import { contentHash } from '../hash.ts';
import { readFileBytes } from '../sources/files.ts';
import type { RemovalRow } from './removal-list.ts';

/** contentHash of a file; empty where it can't be read. */
export async function fileHash(path: string): Promise<string> {
  try {
    return contentHash(await readFileBytes(path));
  } catch (error) {
    if (error instanceof UserError && error.kind === 'data') return '';
    throw error;
  }
}

/** Refuses a list that does not fit the files: nothing may be removed for what it was once.
 *  @param rows    those to remove
 *  @param pathOf  where a name of the list lies
 *  @throws UserError (data) with all files that changed, or copies of which none would be kept unseen */
export async function refuseChanged(list: string, rows: readonly RemovalRow[], pathOf: (name: string) => string): Promise<void> {
  const removed = new Set(rows.map(({ file }) => file));
  const problems: string[] = [];
  for (const { file, hash, kept } of rows) {
    if ((await fileHash(pathOf(file))) !== hash) problems.push(`${file}: it is not the file that the list was made for`);
    else if (kept !== '' && !removed.has(kept) && (await fileHash(pathOf(kept))) === '')
      problems.push(`${file}: ${kept}, which was to be kept, can't be read`);
  }
  if (problems.length === 0) return;
  throw new UserError(
    'data',
    [`${list}: expected files as they were when it was made:`, problems.map((problem) => `  ${problem}`)],
    {
      hint: 'Nothing was changed. Make a new list with nn data clean SOURCE --out LIST.',
    },
  );
}

/** A name of the list as a path within a folder.
 *  @throws UserError (data) where it leads out */
export function pathWithin(folder: string, name: string, list: string): string {
  const path = resolve(folder, name);
  if (!isAbsolute(name) && path.startsWith(resolve(folder) + sep)) return path;
  throw new UserError('data', `${list}: ${name}: expected a path within ${folder}`);
}

/** Moves files from a folder into another, under the same names.
 *  @param to  a folder that is not there yet, on the same disk
 *  @throws UserError (data) where one can't be moved; those before it have been */
export async function moveFiles(folder: string, names: readonly string[], to: string, list: string): Promise<void> {
  const home = (await realpath(folder)) + sep;
  const paths = names.map((name) => pathWithin(folder, name, list));
  for (const [i, path] of paths.entries()) {
    const place = await realpath(dirname(path)).catch((error) => refuse(names[i]!, systemReason(error), 0));
    if (!`${place}${sep}`.startsWith(home)) refuse(names[i]!, `it lies outside ${folder}, behind a link`, 0);
  }
  for (const [i, path] of paths.entries()) {
    const target = join(to, names[i]!);
    try {
      await makeFolder(dirname(target));
      await rename(path, target);
    } catch (error) {
      refuse(names[i]!, systemReason(error), i);
    }
  }
  function refuse(name: string, reason: string, moved: number): never {
    const hint = moved === 0 ? 'Nothing was changed.' : `${moved} files were moved before. ${undoHint(folder, to)}`;
    throw new UserError('data', `${join(folder, name)}: can't be moved: ${reason}`, { hint });
  }
}

/** How a person takes it back. */
export function undoHint(folder: string, to: string): string {
  return `To undo, move all that is in ${to} back into ${folder}: cp -R ${quoted(`${to}/.`)} ${quoted(folder)}`;
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
