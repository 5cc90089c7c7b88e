export type Interval = readonly [low: number, high: number];

/** The 97.5th percentile of the standard normal distribution: 95% of it lies within ± this. */
const Z = 1.959963984540054;

/** Wilson's 95% interval of a share: k of n. Right also near 0 and 1, and never outside them; of none it begins at 0, of all it
 *  ends at 1.
 *  @see Wilson 1927 */
export function wilsonInterval(k: number, n: number): Interval {
  const share = k / n;
  const square = (Z * Z) / n;
  const middle = share + square / 2;
  const half = Z * Math.sqrt((share * (1 - share)) / n + square / (4 * n));
  const low = k === 0 ? 0 : Math.max(0, (middle - half) / (1 + square));
  return [low, k === n ? 1 : Math.min(1, (middle + half) / (1 + square))];
}

/** Newcombe's 95% interval of the difference of two independent shares, a − b, from their Wilson intervals.
 *  @see Newcombe 1998, method 10 */
export function differenceInterval(a: { share: number; interval: Interval }, b: { share: number; interval: Interval }): Interval {
  const difference = a.share - b.share;
  const below = Math.sqrt((a.share - a.interval[0]) ** 2 + (b.interval[1] - b.share) ** 2);
  const above = Math.sqrt((a.interval[1] - a.share) ** 2 + (b.share - b.interval[0]) ** 2);
  return [difference - below, difference + above];
}
