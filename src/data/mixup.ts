import { log, sigmoid } from '../elementary.ts';
import type { Random } from '../random.ts';

/** How the images of a batch are mixed: image i becomes λ of itself and 1 − λ of another.
 *  @see Zhang et al. 2018, "mixup: Beyond empirical risk minimization" */
export interface Mixing {
  /** λ, ½ to 1: the larger share is an image's own, which of a pair with this and 1 − λ in turn is no choice at all */
  lambda: number;
  /** which image of the batch the other is, for each; it may be itself */
  partners: Int32Array;
}

/** One λ from Beta(α, α) for a batch of `count`, and a permutation of it. @param alpha  above 0 */
export function drawMixing(random: Random, alpha: number, count: number): Mixing {
  const lambda = drawBeta(random, alpha);
  return { lambda: Math.max(lambda, 1 - lambda), partners: random.permutation(count) };
}

/** From Beta(α, α): X / (X + Y) with X and Y from Gamma(α), by their logarithms, which do not vanish where α is small. */
export function drawBeta(random: Random, alpha: number): number {
  const x = drawLogGamma(random, alpha);
  return sigmoid(x - drawLogGamma(random, alpha));
}

/** ln of a number from Gamma(α): ln Gamma(α + 1) + ln(U) / α.
 *  @see Marsaglia & Tsang 2000, "A simple method for generating gamma variables" */
function drawLogGamma(random: Random, alpha: number): number {
  const d = alpha + 1 - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const root = 1 + c * x;
    if (root <= 0) continue;
    const v = root * root * root;
    if (log(1 - random.uniform()) >= (x * x) / 2 + d - d * v + d * log(v)) continue;
    return log(d * v) + log(1 - random.uniform()) / alpha;
  }
}

/** round(λ · own + (1 − λ) · other), on bytes.
 *  @param places  where the images stand in `bytes`; null where image i is at i
 *  @param out     [partners.length, features] */
export function mixImages(
  { bytes, places, features }: { bytes: Uint8Array; places: Int32Array | null; features: number },
  { lambda, partners }: Mixing,
  out: Uint8Array,
): void {
  const start = (i: number) => (places === null ? i : places[i]!) * features;
  for (const [i, partner] of partners.entries()) {
    const [own, other, to] = [start(i), start(partner), i * features];
    for (let k = 0; k < features; k++) {
      out[to + k] = Math.floor(lambda * bytes[own + k]! + (1 - lambda) * bytes[other + k]! + 0.5);
    }
  }
}

/** The labels of mixed images: 0 and 1 where both halves of a pair have that label; 2 where its own, larger share has 0 and the other 1; 3 the other way
 *  round. */
export function mixLabels(labels: Uint8Array, { partners }: Mixing, out: Uint8Array): void {
  for (const [i, partner] of partners.entries()) out[i] = labels[i]! + (labels[i] === labels[partner] ? 0 : 2);
}

/** What belongs to the labels 0 to 3 of mixed images, where it belongs to 0 and 1 of single ones: their mean, by the shares. */
export function mixShares([negative, positive]: readonly [number, number], lambda: number): [number, number, number, number] {
  const mean = (own: number, other: number) => lambda * own + (1 - lambda) * other;
  return [negative, positive, mean(negative, positive), mean(positive, negative)];
}
