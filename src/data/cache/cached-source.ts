import { contentHash } from '../hash.ts';
import type { Source } from '../source.ts';
import type { DecodeCache } from './decode-cache.ts';

/** The same source, whose pictures are decoded only where the cache does not have them: found by stamp without a look into
 *  the file, else by the hash of its content.
 *  @param compareContents  read every file and believe no stamp: what is compared with an earlier state is what is there now */
export function cachedSource(source: Source, cache: DecodeCache | undefined, compareContents = false): Source {
  const { decoding } = source;
  if (cache === undefined || decoding === undefined) return source;
  return {
    ...source,
    read: async (index, preprocessing) => {
      const shelf = await cache.shelf(decoding.kind, preprocessing);
      const stamp = await decoding.stamp(index); // before the file is read: what is written in between has another time
      const known = stamp === undefined || compareContents ? undefined : shelf.contentOf(stamp);
      const kept = known === undefined ? undefined : await shelf.read(known);
      if (kept !== undefined) return { pixels: kept, hash: known! };
      const original = await source.original(index);
      if (!('file' in original)) return source.read(index, preprocessing);
      const content = contentHash(original.file);
      const pixels = (await shelf.read(content)) ?? (await decoding.decode(original.file, index, preprocessing));
      await shelf.keep({ stamp, content, pixels });
      return { pixels, hash: content };
    },
  };
}
