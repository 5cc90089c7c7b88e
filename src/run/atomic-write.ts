import { open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { discard, flushFolder } from '../data/disk.ts';
import { isSystemError, unwritable } from '../errors.ts';

/** Writes a file whole or not at all: beside its place, flushed to the disk, then renamed.
 *  @param options.previous  where a file that stood in its place goes, once the new one is on the disk
 *  @throws UserError (data) with the reason, where the system refuses; nothing is left behind */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  options: { previous?: string } = {},
): Promise<void> {
  await writePiecesAtomically(path, [content], options);
}

/** The same for content that comes piece by piece. What making it throws, but for an error of the system, is thrown on. */
export async function writePiecesAtomically(
  path: string,
  pieces: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  { previous }: { previous?: string } = {},
): Promise<void> {
  const aside = join(dirname(path), `.${basename(path)}.${process.pid}.partial`);
  try {
    const handle = await open(aside, 'w');
    try {
      for await (const piece of pieces) await handle.writeFile(piece); // each behind the one before
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (previous !== undefined) await moveAway(path, previous);
    await rename(aside, path);
  } catch (error) {
    await discard(aside);
    if (!isSystemError(error)) throw error; // what makes the pieces says itself what is wrong
    throw unwritable(path, error);
  }
  await flushFolder(dirname(path));
}

async function moveAway(path: string, previous: string): Promise<void> {
  try {
    await rename(path, previous);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // nothing stood there
  }
}
