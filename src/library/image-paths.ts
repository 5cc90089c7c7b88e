import { stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { type LoadedConfig, sourceFields } from '../config/load.ts';
import type { SourceChoice } from '../data/sources/sources.ts';
import { sourceChoice } from '../datasets/open.ts';

/** Where the pictures of a source lie, by their names. */

/** The folders in which names of a run's pictures start, from the working folder. */
export function rootsOf({ config, folder }: LoadedConfig): string[] {
  const choices = sourceFields.flatMap((field) =>
    config.data[field] === undefined ? [] : [sourceChoice(config.data[field], folder)],
  );
  return choices.flatMap(rootOf).map((root) => relative('', root));
}

/** Where a source's names start, if they are paths. */
export function rootOf(choice: SourceChoice): string[] {
  if (choice.type === 'folder') return [choice.path];
  return choice.type === 'csv' ? [dirname(choice.path)] : [];
}

/** The file that a picture is, as it can be opened from the working folder; null where it is none.
 *  @param roots  as the user named them, or from the working folder */
export async function pathOf(name: string, roots: readonly string[]): Promise<string | null> {
  for (const path of roots.map((root) => (isAbsolute(name) ? name : join(root, name)))) if (await isFile(path)) return path;
  return null;
}

/** The same as a link from a page. @param page  the file of the page */
export async function linkOf(name: string, roots: readonly string[], page: string): Promise<string | null> {
  const path = await pathOf(name, roots);
  if (path === null) return null;
  const way = relative(dirname(resolve(page)), resolve(path)).split(sep);
  return way.map((part) => (part === '..' ? part : encodeURIComponent(part))).join('/');
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
}
