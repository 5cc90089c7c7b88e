import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../disk.ts';
import { partialExtension, segmentExtension } from './segment.ts';

/** The files of the cache's folder, and the bound on their sum. */
export interface CacheFolder {
  path: string;
  maximumBytes: number;
}

interface Listed {
  path: string;
  bytes: number;
  /** ms since 1970: the time of the file, which each process that uses it renews */
  lastUse: number;
}

/** A file that a process writes aside is given up as left behind after this long, in ms. */
const abandonedAfter = 24 * 3600 * 1000;
/** Each segment in use is an open file. */
const mostSegments = 512;

/** Makes the folder, and marks it as one that backups may leave out. */
export async function prepareFolder({ path }: CacheFolder): Promise<void> {
  await makeFolder(path, 0o700);
  const tag = 'Signature: 8a477f597d28d172789f06886806bc55\n# Pictures that nn has decoded. It may be deleted at any time.\n';
  await writeFile(join(path, 'CACHEDIR.TAG'), tag, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** Paths of the segments whose name begins so, in the order of their names. */
export async function segmentsOf({ path }: CacheFolder, prefix: string): Promise<string[]> {
  const names = await readdir(path).catch(() => []); // no folder, no segments
  return names
    .filter((name) => name.startsWith(`${prefix}-`) && name.endsWith(segmentExtension))
    .sort()
    .map((name) => join(path, name));
}

/**
 * Deletes segments, the least recently used first, until so many more bytes fit, and what other processes left behind.
 * @param isInUse  whether this process uses a segment: such a one stays, so that a data set that is larger than the
 *                 cache does not push itself out at every start
 * @returns whether the bytes fit
 */
export async function makeRoom(folder: CacheFolder, bytes: number, isInUse: (path: string) => boolean): Promise<boolean> {
  const listed = await list(folder);
  let sum = bytes + listed.reduce((total, one) => total + one.bytes, 0);
  let count = 1 + listed.length;
  for (const one of listed.sort((a, b) => a.lastUse - b.lastUse)) {
    const isLeftBehind = one.path.endsWith(partialExtension) && one.lastUse < Date.now() - abandonedAfter;
    const isSurplus = sum > folder.maximumBytes || count > mostSegments;
    if (isLeftBehind || (isSurplus && one.path.endsWith(segmentExtension) && !isInUse(one.path))) {
      await rm(one.path, { force: true });
      sum -= one.bytes;
      count--;
    }
  }
  return sum <= folder.maximumBytes;
}

async function list({ path }: CacheFolder): Promise<Listed[]> {
  const names = (await readdir(path)).filter((name) => name.endsWith(segmentExtension) || name.endsWith(partialExtension));
  const found = names.map(async (name) => {
    const place = join(path, name);
    const info = await stat(place).catch(() => undefined); // another process may have deleted it
    return info === undefined ? [] : [{ path: place, bytes: info.size, lastUse: info.mtimeMs }];
  });
  return (await Promise.all(found)).flat();
}
