import { constants } from 'node:fs';
import { access, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { isOutOfFiles, systemReason, UserError } from '../../errors.ts';
import { grouped } from '../../grouped.ts';
import { DamagedFile } from '../damaged.ts';
import { reasonAt } from '../disk.ts';
import { fileValidator } from '../file-validator.ts';
import { contentHash } from '../hash.ts';
import { decodeImage, type Preprocessing } from '../image.ts';
import type { Decoding, SourcePicture } from '../source.ts';
import { isHiddenName, isSystemFolder } from './found-files.ts';

/** A file larger than this is refused before it is read. */
export const maximumFileBytes = 512 * 1024 * 1024;

/** Reads and decodes one file. @throws UserError (data) with the reason */
export async function readPicture(path: string, preprocessing: Preprocessing): Promise<SourcePicture> {
  const bytes = await readFileBytes(path);
  return { pixels: await decodeImage(bytes, preprocessing), hash: contentHash(bytes) };
}

/** Pictures that are files, for the cache. @param pathOf  the file of a picture */
export function fileDecoding(pathOf: (index: number) => string): Decoding {
  return {
    kind: 'file',
    stamp: (index) => fileValidator(pathOf(index)),
    decode: (file, _, preprocessing) => decodeImage(file, preprocessing),
  };
}

/** The bytes of a picture's file. @throws UserError (data) with the reason */
export async function readFileBytes(path: string): Promise<Uint8Array> {
  try {
    const info = await stat(path);
    if (!info.isFile()) throw new UserError('data', 'not a file');
    if (info.size === 0) throw new DamagedFile('the file is empty');
    if (info.size > maximumFileBytes) {
      throw new UserError('data', `${grouped(info.size)} bytes, more than the ${grouped(maximumFileBytes)} allowed`);
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof UserError || isOutOfFiles(error)) throw error; // the latter says nothing of this file
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !path.includes('\ufffd'))
      throw new DamagedFile(reasonAt(path, error), error);
    throw new UserError('data', reasonAt(path, error), { cause: error });
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
      throw new UserError('data', `${where}: expected a folder, found a file`, { hint });
    }
    await access(path, constants.R_OK | constants.X_OK);
  } catch (error) {
    throw error instanceof UserError
      ? error
      : new UserError('data', `${where}: expected a folder, found: ${reasonAt(path, error)}`, { cause: error });
  }
}
