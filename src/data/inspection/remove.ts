import { lstat, readdir, realpath, rename } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { systemReason, UserError } from '../../errors.ts';
import { shellWord } from '../../lines.ts';
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

const movedPrefix = 'removed-';

/** The folder beside another one that files of it are moved into, where it is made today. */
export function removedFolder(folder: string): string {
  return join(dirname(resolve(folder)), `${movedPrefix}${new Date().toISOString().slice(0, 10)}`);
}

/** The rows whose files a process moved that was stopped in the midst: they are gone, and lie unchanged in such a folder.
 *  @returns that folder of each, by name */
export async function movedBefore(folder: string, rows: readonly RemovalRow[], list: string): Promise<Map<string, string>> {
  const above = dirname(resolve(folder));
  const places = (await readdir(above)).filter((name) => name.startsWith(movedPrefix)).map((name) => join(above, name));
  const found = new Map<string, string>();
  for (const { file, hash } of rows) {
    if (places.length === 0 || (await isThere(pathWithin(folder, file, list)))) continue;
    for (const place of places) {
      const path = join(place, file);
      if ((await isThere(path)) && (await fileHash(path)) === hash) found.set(file, place);
    }
  }
  return found;
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** @throws UserError (data) where a file does not lie in the folder itself, but behind a link */
export async function refuseLinked(folder: string, names: readonly string[], list: string): Promise<void> {
  const home = (await realpath(folder)) + sep;
  for (const name of names) {
    const refuse = (reason: string): never => {
      throw new UserError('data', `${join(folder, name)}: can't be moved: ${reason}`, { hint: 'Nothing was changed.' });
    };
    const place = await realpath(dirname(pathWithin(folder, name, list))).catch((error) => refuse(systemReason(error)));
    if (!`${place}${sep}`.startsWith(home)) refuse(`it lies outside ${folder}, behind a link`);
  }
}

/** Moves files from a folder into another, under the same names.
 *  @param to       on the same disk
 *  @param aborted  asked before each
 *  @returns how many were moved, of which those of a list that was broken off are a beginning
 *  @throws UserError (data) where one can't be moved; those before it have been */
export async function moveFiles(
  folder: string,
  names: readonly string[],
  { to, aborted }: { to: string; aborted: () => boolean },
): Promise<number> {
  for (const [i, name] of names.entries()) {
    if (aborted()) return i;
    const path = join(folder, name);
    try {
      const target = join(to, name);
      await makeFolder(dirname(target));
      if (await isThere(target)) throw Object.assign(new Error(`${target} is there`), { code: 'EEXIST' }); // to rename would take it away
      await rename(path, target);
    } catch (error) {
      const hint = i === 0 ? 'Nothing was changed.' : `${i} files were moved before. ${undoHint(folder, to)}`;
      throw new UserError('data', `${path}: can't be moved: ${systemReason(error)}`, { hint, cause: error });
    }
  }
  return names.length;
}

/** How a person takes it back. */
export function undoHint(folder: string, to: string): string {
  return `To undo, move all that is in ${to} back into ${folder}: cp -R ${shellWord(`${to}/.`)} ${shellWord(folder)}`;
}
