import { open } from 'node:fs/promises';

/** A file of JSON lines that grows. */
export interface Journal {
  /** Appends a line. Where lines come quickly, as those of short epochs do, they wait to be written together: until a line
   *  comes `patience` after the last writing, or `flush`, or `close`. Whole lines are written, so an end at any moment leaves
   *  no half ones. */
  append(line: object): Promise<void>;
  /** All lines so far are on their way to the disk when the promise is done: before anything that relies on them. */
  flush(): Promise<void>;
  /** All lines so far are on the disk, power cut or not, when the promise is done. @returns the length of the file in bytes */
  sync(): Promise<number>;
  close(): Promise<void>;
}

/** Milliseconds; a writing of its own for each line takes longer than a short epoch does. */
const patience = 100;

/** @param keep  how many bytes stay of a file that is there already, all where it is not given */
export async function openJournal(path: string, keep?: number): Promise<Journal> {
  const file = await open(path, 'a');
  if (keep !== undefined) await file.truncate(keep);
  let waiting = '';
  let written = Number.NEGATIVE_INFINITY;
  async function flush(): Promise<void> {
    const text = waiting;
    waiting = '';
    written = performance.now();
    if (text !== '') await file.appendFile(text);
  }
  return {
    async append(line) {
      waiting += `${JSON.stringify(line)}\n`;
      if (performance.now() - written >= patience) await flush();
    },
    flush,
    async sync() {
      await flush();
      await file.datasync();
      return (await file.stat()).size;
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
