import { homedir, tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { UserError } from '../../errors.ts';
import type { CacheFolder } from './folder.ts';

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
