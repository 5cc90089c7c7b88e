import { sigmoid } from '../elementary.ts';

/** Halvings that come to neighbours among doubles, with some to spare. */
const mostHalvings = 64;

/**
 * The temperature T > 0 of the least log loss of p = σ(z / T), over labelled pictures. With β = 1/T the loss is convex in β, and its derivative
 * (1/m) Σ (σ(βz) − y) z rises: its zero is put between two powers of 2, and then halved down to neighbouring doubles.
 * @param logits  z, finite
 * @param labels  1 for the positive class, 0 for the other
 * @returns null where no temperature is best: none of the answers is wrong, so that the loss falls for ever as T does; or they are no better than
 *          guessing, so that it falls for ever as T rises
 * @see Guo et al. 2017, section 4.2
 */
export function fitTemperature(logits: ArrayLike<number>, labels: Uint8Array): number | null {
  const slope = (beta: number) => {
    let sum = 0;
    for (let i = 0; i < labels.length; i++) sum += (sigmoid(beta * logits[i]!) - labels[i]!) * logits[i]!;
    return sum;
  };
  const isWrong = (y: number, i: number) => (y === 1 ? logits[i]! < 0 : logits[i]! > 0);
  if (slope(0) >= 0 || !labels.some(isWrong)) return null;
  let high = 1;
  while (slope(high) < 0 && Number.isFinite(high)) high *= 2;
  if (!Number.isFinite(high)) return null; // what is wrong says so little that no number is large enough to make it count
  let low = high / 2;
  while (slope(low) > 0) low /= 2;
  for (let halvings = 0; halvings < mostHalvings; halvings++) {
    const middle = (low + high) / 2;
    if (slope(middle) > 0) high = middle;
    else low = middle;
  }
  const temperature = 1 / low;
  return Number.isFinite(temperature) && temperature > 0 ? temperature : null;
}
