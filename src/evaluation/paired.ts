import type { Interval } from '../results/metrics.ts';
import { wilsonInterval } from './statistics.ts';

/** Two classifiers that answered for the same pictures: how often each of them was right. */
export interface PairedCounts {
  bothRight: number;
  /** right by the first alone */
  onlyFirst: number;
  /** right by the second alone */
  onlySecond: number;
  bothWrong: number;
}

/**
 * McNemar's exact test, two-sided: how probable it is that chance alone, a fair coin for each picture that one of two classifiers alone
 * gets right, divides them at least as unevenly. p = 2 Σ_{k ≤ m} C(n, k) / 2ⁿ, at most 1, with n = b + c and m = min(b, c); 1 for n = 0.
 * @param b  pictures that the first alone gets right
 * @param c  pictures that the second alone gets right
 * @see McNemar 1947; Fagerland, Lydersen & Laake 2013, equation 3 (the exact conditional test)
 */
export function mcnemarExact(b: number, c: number): number {
  const n = b + c;
  const least = Math.min(b, c);
  if (2 * least >= n - 1) return 1; // the two tails meet, or overlap in the middle
  // C(n, k) over that in the middle, by ratios of neighbours: nothing overflows, and what underflows adds nothing
  const middle = Math.floor(n / 2);
  let [sum, tail] = [0, 0];
  for (let k = middle, weight = 1; k >= 0 && weight > 0; weight *= k / (n - k + 1), k--) {
    sum += k < n - k ? 2 * weight : weight; // C(n, n − k) is as large
    if (k <= least) tail += 2 * weight;
  }
  return Math.min(1, tail / sum);
}

/**
 * Newcombe's 95% interval of the difference of two shares of the same n things, b and c of which are in one share alone: second − first
 * = (c − b) / n. The Wilson intervals of both are put together as differences of independent shares are, less what their correlation φ
 * takes away: δ² = x² − 2φxy + y² with the distances x, y from the shares to the ends that lie apart. φ = (ad − bc) / √(product of the
 * four sums), where ad > bc with max(ad − bc − n/2, 0) for its numerator; 0 where a sum is 0.
 * @see Newcombe 1998, Statistics in Medicine 17:2635–2650, method 10
 */
export function pairedDifferenceInterval({ bothRight: a, onlyFirst: b, onlySecond: c, bothWrong: d }: PairedCounts): Interval {
  const n = a + b + c + d;
  const [first, second] = [(a + b) / n, (a + c) / n];
  const [low1, high1] = wilsonInterval(a + b, n);
  const [low2, high2] = wilsonInterval(a + c, n);
  const phi = correlation(a, b, c, d);
  const distance = (x: number, y: number) => Math.sqrt(Math.max(0, x * x - 2 * phi * x * y + y * y));
  const difference = (c - b) / n;
  return [difference - distance(second - low2, high1 - first), difference + distance(high2 - second, first - low1)];
}

function correlation(a: number, b: number, c: number, d: number): number {
  const product = a * d - b * c;
  const numerator = product > 0 ? Math.max(product - (a + b + c + d) / 2, 0) : product;
  const sums = (a + b) * (c + d) * (a + c) * (b + d);
  return sums === 0 ? 0 : numerator / Math.sqrt(sums);
}

/**
 * Holm's correction of the p-values of several tests: the i-th smallest of m times m − i + 1, at most 1, and none below a smaller one's.
 * @returns in the order of the p-values
 * @see Holm 1979
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((i, j) => pValues[i]! - pValues[j]!);
  const adjusted = new Array<number>(pValues.length);
  let least = 0;
  for (const [rank, i] of order.entries()) {
    least = Math.max(least, Math.min(1, (pValues.length - rank) * pValues[i]!));
    adjusted[i] = least;
  }
  return adjusted;
}
