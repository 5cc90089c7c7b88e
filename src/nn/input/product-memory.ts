import { createHash } from 'node:crypto';
import type { InputScaling } from '../../kernels/kernels.ts';

/** Inner products of images with each other, which depend on nothing that a search tries: its trainings on the same images make them once. */
export interface ProductMemory {
  /** @param pictures  the images whose products they are
   *  @param make      where they are not known; nobody may write into what it gives */
  productsOf(pictures: Pictures, make: () => Float64Array): Float64Array;
  /** seconds that making those took which were asked for since the last call, and of these the ones that were spent since then */
  spent(): { once: number; now: number };
}

interface Pictures {
  /** [m, n_x] and [m′, n_x] */
  left: Uint8Array;
  right: Uint8Array;
  scaling: InputScaling;
}

interface Known {
  products: Float64Array;
  /** that making them took */
  seconds: number;
}

/** @param mostBytes  of all that is kept: what was asked for longest ago goes first */
export function productMemory(mostBytes: number): ProductMemory {
  const known = new Map<string, Known>();
  let [once, now] = [0, 0];
  return {
    productsOf: (pictures, make) => {
      const key = digestOf(pictures);
      const found = known.get(key) ?? timed(make);
      once += found.seconds;
      if (!known.has(key)) now += found.seconds;
      known.delete(key); // the last one asked for stands last
      known.set(key, found);
      keepWithin(known, mostBytes);
      return found.products;
    },
    spent: () => {
      const spent = { once, now };
      [once, now] = [0, 0];
      return spent;
    },
  };
}

function timed(make: () => Float64Array): Known {
  const began = performance.now();
  const products = make();
  return { products, seconds: (performance.now() - began) / 1000 };
}

function keepWithin(known: Map<string, Known>, mostBytes: number): void {
  let bytes = [...known.values()].reduce((sum, { products }) => sum + products.byteLength, 0);
  for (const [key, { products }] of known) {
    if (bytes <= mostBytes) return;
    known.delete(key);
    bytes -= products.byteLength;
  }
}

/** Of what the products are made of: images of two trainings may be equal without being the same array. */
function digestOf({ left, right, scaling }: Pictures): string {
  const hash = createHash('sha256');
  for (const part of [left, right, scaling.scale, scaling.shift]) hash.update(`${part.length} `).update(part);
  return hash.digest('base64');
}
