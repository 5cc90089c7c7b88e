import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Takes away what processes of this machine left behind that were killed while they made `name`: `name.PID.partial`. Those
 *  that live are making it now. */
export async function removeAbandoned(folder: string, name: string): Promise<void> {
  for (const found of await readdir(folder)) {
    if (!found.startsWith(`${name}.`)) continue;
    const pid = /^(\d+)\.(dead\.)?partial$/.exec(found.slice(name.length + 1))?.[1];
    if (pid !== undefined && !processExists(Number(pid))) await rm(join(folder, found), { force: true, recursive: true });
  }
}

/** Whether there is a process of that number on this machine. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
