import { UserError } from '../errors.ts';

/** Which images are decoded at the same time, here and in other processes. */

const running = new Set<Promise<unknown>>();
let lastAlone: Promise<unknown> = Promise.resolve();

/** Aborted when nobody waits for images any more, as after Ctrl-C: what other processes decode is given up. The script of an
 *  exported page, which schedules nothing, is bundled without it. */
export const stopDecoding = /* @__PURE__ */ new AbortController();

/** Thrown where an image takes so much memory that it has to be decoded while no other is. */
export class NeedsExclusiveDecoding extends Error {}

/** Decodes; what takes much memory, or fails among others for no reason of its own, is tried once more alone.
 *  @throws UserError, or whatever `decode` throws the second time */
export async function scheduleDecoding<T>(decode: (isAlone: boolean) => Promise<T>): Promise<T> {
  try {
    return await amongOthers(() => decode(false));
  } catch (error) {
    if (error instanceof UserError) throw error;
    return alone(() => decode(true));
  }
}

/** Starts work when none that must be alone runs or waits. */
async function amongOthers<T>(work: () => Promise<T>): Promise<T> {
  for (let seen: unknown; seen !== lastAlone; ) await (seen = lastAlone);
  const result = work();
  running.add(result);
  return result.finally(() => running.delete(result));
}

/** Runs work while no other runs. libvips has one place for the texts of its errors: an image that fails among others may get their
 *  reason, or none. Alone it gets its own. */
function alone<T>(work: () => Promise<T>): Promise<T> {
  const before = lastAlone;
  const result = (async () => {
    await before;
    await Promise.allSettled(running);
    return work();
  })();
  lastAlone = result.catch(() => {});
  return result;
}
