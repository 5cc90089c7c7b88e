import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { systemReason, UserError } from '../errors.ts';

/** A file whose content is known before it is fetched. */
export interface KnownFile {
  name: string;
  bytes: number;
  /** of the content, 64 hexadecimal digits in lower case */
  sha256: string;
}

/** @returns whether the file at `path` is there and is the known one */
export async function hasContent(path: string, { bytes, sha256 }: KnownFile): Promise<boolean> {
  return (await sizeOnDisk(path)) === bytes && (await sha256OfFile(path)) === sha256;
}

/** @returns the size in bytes, undefined when nothing has that name */
export function sizeOnDisk(path: string): Promise<number | undefined> {
  return onDisk(path, async () => {
    try {
      const status = await stat(path);
      if (!status.isFile()) throw new UserError('data', `${path}: expected a file, found something else of that name`);
      return status.size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  });
}

/** @returns 64 hexadecimal digits */
export function sha256OfFile(path: string): Promise<string> {
  return onDisk(path, async () => {
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    return hash.digest('hex');
  });
}

/** Runs work on the own disk, whose failure no other mirror can mend. */
export async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof UserError ? error : new UserError('data', `${path}: ${systemReason(error)}`, { cause: error });
  }
}
