import { open } from 'node:fs/promises';

/** A file of JSON lines that grows. */
export interface Journal {
  /** Appends a line. Where lines come quickly, as those of short epochs do, they wait to be written together: until a line
   *  comes `patience` after the last writing, or `flush`, or `close`. Whole lines are written, so an end at any moment leaves
   *  no half ones. */
  append(line: object): Promise<void>;
  /** All lines so far are on their way to the disk when the promise is done: before anything that relies on them. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds; a writing of its own for each line takes longer than a short epoch does. */
const patience = 100;

export async function openJournal(path: string): Promise<Journal> {
  const file = await open(path, 'a');
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
    async close() {
      try {
        await flush();
      } finally {
        await file.close();
      }
    },
  };
}
