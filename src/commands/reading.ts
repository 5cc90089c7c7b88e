import { type DecodeCache, withCache } from '../data/cache/decode-cache.ts';
import { cachePlace, scratchFolders } from '../data/cache/place.ts';
import type { Failure } from '../data/load.ts';
import { type Scratch, scratchIn } from '../data/scratch.ts';
import type { Context, Progress } from './command.ts';

/** What a path on the command line may be that names pictures with their labels. */
export const sourcePaths =
  'a folder with one sub-folder per class, a ZIP or tar of one, a .csv, an .h5, a packed .safetensors, or CIFAR-10';

/** Shows how far the reading of each source is, and stops it when the user does. */
export function readProgress(context: Context): (source: string, done: number, total: number) => void {
  let current: { source: string; bar: Progress } | undefined;
  return (source, done, total) => {
    if (context.signal.aborted) {
      current?.bar.stop();
      throw context.signal.reason;
    }
    if (current?.source !== source) {
      current?.bar.stop();
      current = { source, bar: context.progress('reading', total) };
    }
    current.bar.update(done, source);
    if (done === total) current.bar.stop();
  };
}

/** Where decoded pictures are kept. */
export interface DecodedPlaces {
  cache: DecodeCache | undefined;
  /** as long as the process lives, unless it is closed before */
  scratch: Scratch;
}

/** Does work with the cache of decoded pictures that the environment names, if it names one. */
export function withDecoded<T>(context: Context, work: (places: DecodedPlaces) => Promise<T>): Promise<T> {
  const { environment } = context;
  const scratch = scratchIn(scratchFolders(environment));
  return withCache(
    cachePlace(environment),
    (text) => context.warn(text),
    (cache) => work({ cache, scratch }),
  );
}

/** Names every picture that could not be read, with its reason. @returns a warning for the summary, if any */
export function warnOfFailures(context: Context, failures: readonly Failure[]): string[] {
  for (const { name, reason } of failures) context.warn(`${name}: ${reason}`);
  if (failures.length === 0) return [];
  const listed = failures.slice(0, 10).map(({ name, reason }) => `${name} (${reason})`);
  return [
    `${failures.length} pictures could not be read and were left out: ${listed.join(', ')}${failures.length > 10 ? ', …' : ''}`,
  ];
}
