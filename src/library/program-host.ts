import { scratchFolders } from '../data/cache/decode-cache.ts';
import { scratchIn } from '../data/scratch.ts';
import type { JournalLine } from '../results/journal.ts';
import type { Host } from './host.ts';
import { readingTitle } from './reading.ts';

/** What a program wants to know of what it has done. */
export interface Listening {
  signal: AbortSignal;
  warning(text: string): void;
  note?(text: string): void;
  /** @param source  what is read
   *  @param done    pictures of it */
  reading?(source: string, done: number, total: number): void;
  journalled?(line: JournalLine): void;
}

/** At most so many times a second a program is told how far reading is. */
const readingsASecond = 10;

/** Does work for a program: nothing is written to a terminal, and no file stays open.
 *  @throws the signal's reason where it is aborted already */
export async function withProgramHost<Result>(
  { signal, warning, note = () => {}, reading = () => {}, journalled }: Listening,
  work: (host: Host) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const scratch = scratchIn(scratchFolders(process.env));
  const host: Host = {
    environment: process.env,
    verbose: false,
    signal,
    scratch,
    note,
    warn: warning,
    complain: warning,
    progress: (title, total) => (title === readingTitle ? readingProgress(reading, total) : { update: () => {}, stop: () => {} }),
    ...(journalled && { journalled }),
  };
  try {
    return await work(host);
  } finally {
    scratch.close();
  }
}

function readingProgress(reading: NonNullable<Listening['reading']>, total: number): ReturnType<Host['progress']> {
  let told = Number.NEGATIVE_INFINITY;
  return {
    update(done, source = '') {
      const now = performance.now();
      if (done < total && now - told < 1000 / readingsASecond) return;
      told = now;
      reading(source, done, total);
    },
    stop: () => {},
  };
}
