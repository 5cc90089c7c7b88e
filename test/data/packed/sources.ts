import { contentHash } from '../../../src/data/content-hash.ts';
import type { Source } from '../../../src/data/source.ts';
import { UserError } from '../../../src/errors.ts';
import { namedRandom } from '../../../src/random.ts';

/** A source of noise pictures that counts what is read of it. Picture i depends on i alone; every third is a cat.
 *  @param options.bad  indices that can't be read */
export function noiseSource(count: number, { bad = [] as number[], title = 'noise' } = {}): Source & { reads: number[] } {
  const reads: number[] = [];
  const pixelsOf = (i: number, length: number) => {
    const random = namedRandom(1, 'noise source', i);
    const tile = Uint8Array.from({ length: 191 }, () => random.uint32() >>> 24);
    return new Uint8Array(Buffer.alloc(length, tile));
  };
  return {
    title,
    count,
    classes: ['cat', 'dog'],
    name: (i) => `a folder/Bild ${i} – ä.png`,
    classOf: (i) => (i % 3 === 0 ? 0 : 1),
    read: async (i, { imageSize }) => {
      reads.push(i);
      if (bad.includes(i)) throw new UserError('data', 'the file is cut off');
      const pixels = pixelsOf(i, imageSize ** 2 * 3);
      return { pixels, hash: contentHash(pixelsOf(i, 192)) };
    },
    original: async (i) => ({ pixels: pixelsOf(i, 192), width: 8, height: 8 }),
    notes: [],
    reads,
  };
}
