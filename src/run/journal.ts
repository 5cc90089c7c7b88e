import { openToGrow } from '../data/disk.ts';
import { UserError, unwritable } from '../errors.ts';

/** A file of JSON lines that grows. */
export interface Journal {
  /** Appends a line. Where lines come quickly, as those of short epochs do, they wait to be written together: until a line
   *  comes `patience` after the last writing, or `flush`, or `close`. Whole lines are written, so an end at any moment leaves
   *  no half ones. What can't be written waits as well: a disk that is full for an hour ends no training of a night. Whoever
   *  relies on the lines asks `flush` or `sync`, which say so. */
  append(line: object): Promise<void>;
  /** All lines so far are on their way to the disk when the promise is done: before anything that relies on them. */
  flush(): Promise<void>;
  /** All lines so far are on the disk, power cut or not, when the promise is done. @returns the length of the file in bytes */
  sync(): Promise<number>;
  close(): Promise<void>;
}

/** Milliseconds; a writing of its own for each line takes longer than a short epoch does. */
const patience = 100;

/** @param keep  how many bytes stay of a file that is there already, all where it is not given
 *  @throws UserError (data) from `flush`, `sync` and `close` that fail; their lines wait for the next */
export async function openJournal(path: string, keep?: number): Promise<Journal> {
  const file = await onDisk(path, () => openToGrow(path));
  let bytes: number;
  try {
    if (keep !== undefined) await onDisk(path, () => file.truncate(keep));
    bytes = (await file.stat()).size;
  } catch (error) {
    await file.close();
    throw error;
  }
  let waiting = '';
  let written = Number.NEGATIVE_INFINITY;
  async function flush(): Promise<void> {
    const text = waiting;
    waiting = '';
    written = performance.now();
    if (text === '') return;
    try {
      await file.appendFile(text);
      bytes += Buffer.byteLength(text);
    } catch (error) {
      waiting = text + waiting;
      await file.truncate(bytes).catch(() => {}); // the part of a line that found room; resuming cuts it off too
      throw unwritable(path, error);
    }
  }
  return {
    async append(line) {
      waiting += `${JSON.stringify(line)}\n`;
      if (performance.now() - written < patience) return;
      await flush().catch((error) => {
        if (!(error instanceof UserError)) throw error;
      });
    },
    flush,
    async sync() {
      await flush();
      await onDisk(path, () => file.datasync());
      return bytes;
    },
    async close() {
      try {
        await flush();
      } finally {
        await file.close();
      }
    },
  };
}

async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unwritable(path, error);
  }
}
