import type { FloatBatch, Floats, GramBatch } from './kernels.ts';

/** The products of a batch as ordinary inputs of a layer, whose weights are the coefficients. */
export function gramValues({ gram: products, indices, count, features }: GramBatch): FloatBatch {
  if (indices === null) return { kind: 'floats', values: products, count, features };
  const values = products.slice(0, count * features);
  for (let i = 0; i < count; i++) {
    const from = indices[i]! * features;
    values.set(products.subarray(from, from + features), i * features);
  }
  return { kind: 'floats', values, count, features };
}

/** The gradient of the coefficients: example i is a training picture, and so a vector; its dZ falls on that vector's.
 *  @param dZ  (n_1, m) example after example
 *  @param out (n_1, w), overwritten (0 for every vector that is not in the batch), or with `adds` added to */
export function gramGradient(
  { indices, count, features }: GramBatch,
  dZ: Floats,
  units: number,
  out: Floats,
  adds: boolean,
): void {
  if (!adds) out.fill(0, 0, units * features);
  for (let i = 0; i < count; i++) {
    const vector = indices === null ? i : indices[i]!;
    for (let u = 0; u < units; u++) {
      const at = u * features + vector;
      out[at] = out[at]! + dZ[i * units + u]!;
    }
  }
}
