import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A name beside a path for what is not finished yet. Nobody else has it, not even a process of the same number in another container. */
export function unfinishedName(path: string): string {
  return `${path}.${process.pid}-${randomUUID().slice(0, 8)}.partial`;
}

/** Takes away what processes of this machine left behind that were killed while they made `name`: `name.PID.partial`, or what
 *  `unfinishedName` gives. Those that live are making it now. */
export async function removeAbandoned(folder: string, name: string): Promise<void> {
  for (const found of await readdir(folder)) {
    if (!found.startsWith(`${name}.`)) continue;
    const pid = /^(\d+)(?:-[\da-f]{8})?\.(?:dead\.)?partial$/.exec(found.slice(name.length + 1))?.[1];
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
