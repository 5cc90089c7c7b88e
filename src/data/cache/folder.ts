import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { UserError } from '../../errors.ts';
import { makeFolder } from '../disk.ts';
import { partialExtension, segmentExtension } from './segment.ts';

const defaultBytes = 5e9;

/**
 * Where the cache of decoded pictures is, and how large it may grow.
 * NN_CACHE: a folder, or `off`; else nn in the folder that the system has for caches. NN_CACHE_SIZE: bytes, or such as 500MB.
 * @returns undefined where there shall be none, or where the system knows no folder for it
 * @throws UserError (usage) on a size that is none
 */
export function cachePlace(environment: NodeJS.ProcessEnv): CacheFolder | undefined {
  const chosen = environment['NN_CACHE'];
  const maximumBytes = parseSize(environment['NN_CACHE_SIZE']);
  if (chosen === 'off') return undefined;
  const caches = systemCaches(environment);
  const folder = chosen || (caches && join(caches, 'nn'));
  return folder ? { path: join(folder, 'decoded'), maximumBytes } : undefined;
}

/** Where pixels lie that memory should not hold, as long as a process works with them: beside the cache, whose disk is meant for
 *  it (the system's temporary folder may be memory), else there. */
export function scratchFolders(environment: NodeJS.ProcessEnv): string[] {
  const cache = cachePlace(environment);
  return [...(cache === undefined ? [] : [join(dirname(cache.path), 'scratch')]), tmpdir()];
}

/** undefined for a user without a home, as containers have them. */
function systemCaches(environment: NodeJS.ProcessEnv): string | undefined {
  const home = homeFolder();
  const inHome = (...names: string[]) => home && join(home, ...names);
  if (process.platform === 'win32') return environment['LOCALAPPDATA'] || inHome('AppData', 'Local');
  if (process.platform === 'darwin') return inHome('Library', 'Caches');
  const chosen = environment['XDG_CACHE_HOME'];
  return chosen && isAbsolute(chosen) ? chosen : inHome('.cache'); // XDG: a relative one is ignored
}

function homeFolder(): string | undefined {
  try {
    const home = homedir();
    return isAbsolute(home) ? home : undefined;
  } catch {
    return undefined; // neither HOME nor an entry for the user
  }
}

const units: Record<string, number> = { '': 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };

function parseSize(text: string | undefined): number {
  if (!text) return defaultBytes;
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?([kmgt]b|)$/i.exec(text) ?? [];
  if (number !== undefined) return Math.floor(Number(number) * units[unit!.toLowerCase()]!);
  throw new UserError('usage', `NN_CACHE_SIZE: expected bytes, or such as 500MB or 20GB, found ${JSON.stringify(text)}`);
}

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
const staleAfter = 24 * 3600 * 1000;
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
export async function evictSegments(folder: CacheFolder, bytes: number, isInUse: (path: string) => boolean): Promise<boolean> {
  const listed = await list(folder);
  let sum = bytes + listed.reduce((total, one) => total + one.bytes, 0);
  let count = 1 + listed.length;
  for (const one of listed.sort((a, b) => a.lastUse - b.lastUse)) {
    const isLeftBehind = one.path.endsWith(partialExtension) && one.lastUse < Date.now() - staleAfter;
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
