import { createHash } from 'node:crypto';

/** The first 128 bits of the SHA-256 of some bytes, in hex: enough to tell 10^15 pictures apart. */
export function contentHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

/** Contents, by their hashes. */
export interface ContentSet {
  has(hash: string): boolean;
}

/** A set of contents that grows, in eight bytes for each: by 52 bits of its hash one in 2^52 that is not there is taken for one that
 *  is, of a million sought among a million one in 4,500 times. */
export function contentSet(): ContentSet & { add(hash: string): void } {
  let keys = new Float64Array(1024);
  let count = 0;
  let isSorted = true;
  return {
    add(hash) {
      if (count === keys.length) {
        const larger = new Float64Array(2 * count);
        larger.set(keys);
        keys = larger;
      }
      keys[count++] = keyOf(hash);
      isSorted = false;
    },
    has(hash) {
      if (!isSorted) keys.subarray(0, count).sort();
      isSorted = true;
      const key = keyOf(hash);
      let [low, high] = [0, count];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (keys[middle]! < key) low = middle + 1;
        else high = middle;
      }
      return low < count && keys[low] === key;
    },
  };
}

/** The first 13 hexadecimal digits; what is none is like nothing, itself included. */
function keyOf(hash: string): number {
  return Number.parseInt(hash.slice(0, 13), 16);
}
