import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** The files of a folder that this process has open; Linux alone can tell. */
export async function openFilesIn(folder: string): Promise<string[]> {
  if (process.platform !== 'linux') return [];
  const open = await Promise.all(
    (await readdir('/proc/self/fd')).map((number) => readlink(join('/proc/self/fd', number)).catch(() => '')), // closed by now
  );
  return open.filter((path) => path.startsWith(folder));
}
