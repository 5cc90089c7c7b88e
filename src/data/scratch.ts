import { randomUUID } from 'node:crypto';
import { closeSync, openSync, unlinkSync, write } from 'node:fs';
import { readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, systemReason } from '../errors.ts';
import { byteTexts } from '../text.ts';
import { makeFolder, type PlaceWriter, processExists, type SequentialWriter, sequentialWriter } from './disk.ts';

/** Files for pixels that memory should not hold. Each loses its name before a byte is in it: nobody else finds it, and the
 *  system takes it back however this process ends. */
export interface Scratch {
  /** @param bytes  that are to have room
   *  @throws UserError (data) where no folder takes a file, or the disk has no room */
  open(bytes: number): Promise<ScratchFile>;
  /** gives back all files that were opened: nobody reads them any more */
  close(): void;
}

export interface ScratchFile {
  /** where it was made, for errors */
  path: string;
  descriptor: number;
}

/** @param folders  the first that can be written is taken */
export function scratchIn(folders: readonly string[]): Scratch {
  let opened: number[] = [];
  return {
    async open(bytes) {
      const { folder, descriptor } = await openNameless(folders);
      opened.push(descriptor);
      await requireRoom(folder, bytes);
      return { path: folder, descriptor };
    },
    close() {
      for (const descriptor of opened) closeSync(descriptor);
      opened = [];
    },
  };
}

const nameOf = (pid: number) => `nn-${pid}-${randomUUID()}.scratch`;
const pidIn = /^nn-(\d+)-[\da-f-]{36}\.scratch$/;

async function openNameless(folders: readonly string[]): Promise<{ folder: string; descriptor: number }> {
  const reasons: string[] = [];
  for (const folder of folders) {
    try {
      await makeFolder(folder, 0o700);
      await removeLeftBehind(folder);
      const path = join(folder, nameOf(process.pid));
      const descriptor = openSync(path, 'wx+', 0o600);
      try {
        unlinkSync(path); // at once: between the two calls nothing is written, and a kill leaves an empty file
      } catch (error) {
        closeSync(descriptor);
        throw error;
      }
      return { folder, descriptor };
    } catch (error) {
      reasons.push(`${folder}: ${systemReason(error)}`);
    }
  }
  throw new DataError(`expected a folder for pixels that are more than data.memory holds, found ${reasons.join('; ')}`, {
    hint: roomHint,
  });
}

/** What a kill left in the moment between making a file and taking its name. */
async function removeLeftBehind(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = pidIn.exec(name)?.[1];
    if (pid !== undefined && !processExists(Number(pid))) await rm(join(folder, name), { force: true }).catch(() => {}); // another user's
  }
}

const roomHint =
  'Name a folder on a larger disk with NN_CACHE (with NN_CACHE=off: TMPDIR), raise data.memory (MiB), or take a smaller data.imageSize.';

/** Better now than in the midst of it. */
async function requireRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  const [wanted, found] = byteTexts(bytes, free);
  throw new DataError(`${folder}: expected ${wanted} free for pixels that are more than data.memory holds, found ${found}`, {
    hint: roomHint,
  });
}

/** What is gathered before it is written: at least one picture of the largest size. */
const groupBytes = 2 ** 23;

/** Writes rows of pixels one after the other. @throws UserError (data) where that fails */
export function writeRows({ path, descriptor }: ScratchFile): SequentialWriter {
  const file: PlaceWriter = {
    write: (...where) =>
      new Promise((resolve, reject) => {
        write(descriptor, ...where, (error, bytesWritten) => {
          if (error === null) return resolve({ bytesWritten });
          const reason = `${path}: can't be written: ${systemReason(error)}`;
          reject(new DataError(reason, { hint: roomHint, cause: error }));
        });
      }),
  };
  return sequentialWriter(file, { position: 0, groupBytes });
}
