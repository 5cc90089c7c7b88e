import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk of so few bytes that it can be filled. */
export interface SmallDisk {
  path: string;
  remove(): Promise<void>;
}

/** @returns null where a file system may not be mounted: not root, or in a container without the right to */
export async function smallDisk(kilobytes: number): Promise<SmallDisk | null> {
  const path = await mkdtemp(join(tmpdir(), 'nn-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    await rm(path, { recursive: true }); // refused: the tests that need it say so and are skipped
    return null;
  }
  const remove = async () => {
    execFileSync('umount', ['-l', path]);
    await rm(path, { recursive: true });
  };
  return { path, remove };
}

export const withoutDisk = 'needs the right to mount a file system in memory';
