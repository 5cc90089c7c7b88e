import { exp, log, log1p } from '../elementary.ts';
import type { Interval } from '../results/metrics.ts';

/** The 97.5th percentile of the standard normal distribution: 95% of it lies within ± this. */
export const Z = 1.959963984540054;

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

/** How many of some things are positive. */
export interface Share {
  positive: number;
  total: number;
}

/**
 * Fisher's exact test, two-sided: how probable a division of the positives among two samples is that is no more probable than
 * the one found, where chance alone divides them. P(k) = C(K, k) C(N − K, n − k) / C(N, n)
 * @see Fisher 1935
 */
export function fisherExact(a: Share, b: Share): number {
  const weights = hypergeometric(a.total, b.total, a.positive + b.positive);
  const found = weights.get(a.positive) ?? 0;
  let [sum, extreme] = [0, 0];
  for (const weight of weights.values()) {
    sum += weight;
    if (weight <= found * (1 + tie)) extreme += weight;
  }
  return Math.min(1, extreme / sum);
}

/** Two divisions are equally probable that differ by rounding alone. */
const tie = 1e-7;

/** P(k) of each k, over that of the most probable, from which they are computed by ratios of neighbours: nothing overflows, and
 *  those that underflow are left out. */
function hypergeometric(n: number, others: number, positives: number): Map<number, number> {
  const low = Math.max(0, positives - others);
  const high = Math.min(n, positives);
  const mode = Math.min(high, Math.max(low, Math.floor(((n + 1) * (positives + 1)) / (n + others + 2))));
  /** P(k + 1) / P(k) */
  const ratio = (k: number) => ((positives - k) * (n - k)) / ((k + 1) * (others - positives + k + 1));
  const weights = new Map([[mode, 1]]);
  for (let k = mode, weight = 1; k < high && weight > 0; k++) weights.set(k + 1, (weight *= ratio(k)));
  for (let k = mode, weight = 1; k > low && weight > 0; k--) weights.set(k - 1, (weight /= ratio(k - 1)));
  return weights;
}

/** What is known of a sample of numbers. */
export interface Sample {
  count: number;
  mean: number;
  /** unbiased: over count − 1 */
  variance: number;
}

export function sampleOf(values: ArrayLike<number>): Sample {
  const count = values.length;
  let [mean, squares] = [0, 0];
  for (let i = 0; i < count; i++) mean += values[i]! / count;
  for (let i = 0; i < count; i++) squares += (values[i]! - mean) ** 2;
  return { count, mean, variance: squares / (count - 1) };
}

/**
 * Welch's t test, two-sided: how probable means that differ at least so much are where both samples come from distributions of
 * one mean. t = (x̄ − ȳ) / √(s²ₓ/n + s²ᵧ/m), with the degrees of freedom of Welch and Satterthwaite. Of two or more numbers each.
 * @see Welch 1947
 */
export function welchTest(a: Sample, b: Sample): number {
  const [u, v] = [a.variance / a.count, b.variance / b.count];
  if (u + v === 0) return a.mean === b.mean ? 1 : 0;
  const freedom = (u + v) ** 2 / (u ** 2 / (a.count - 1) + v ** 2 / (b.count - 1));
  return studentTails((a.mean - b.mean) ** 2 / (u + v), freedom);
}

/** Cohen's d: the difference of two means in standard deviations, those of both samples weighing alike. Infinite where neither
 *  sample varies. @see Cohen 1988 */
export function deviationsApart(a: Sample, b: Sample): number {
  const difference = Math.abs(a.mean - b.mean);
  return difference === 0 ? 0 : difference / Math.sqrt((a.variance + b.variance) / 2);
}

/** P(|T| ≥ t) of Student's distribution: I_x(ν/2, ½) with x = ν / (ν + t²).
 *  @param square  t² */
export function studentTails(square: number, freedom: number): number {
  const ratio = square / freedom;
  return incompleteBeta({ x: 1 / (1 + ratio), rest: ratio / (1 + ratio) }, freedom / 2, 0.5);
}

/** The t for which P(|T| ≥ t) = alpha, by Newton's method on ln P as a function of ln t: that is concave, so after its first step it comes from
 *  above. Its slope is −2 t f(t) / P, with the density f. It begins where a normal distribution would have it at most.
 *  @param alpha  in (0, 1) */
export function studentQuantile(alpha: number, freedom: number): number {
  const [half, wanted] = [(freedom + 1) / 2, log(alpha)];
  const front = 2 * exp(logGamma(half) - logGamma(freedom / 2) - 0.5 * log(freedom * Math.PI));
  let s = log(-2 * wanted) / 2; // ln t
  for (let step = 1, i = 0; Math.abs(step) > 1e-13 && i < mostSteps; i++) {
    const t = exp(s);
    const tails = studentTails(t * t, freedom);
    const density = front * exp(-half * log1p((t * t) / freedom));
    step = ((log(tails) - wanted) * tails) / (t * density);
    s += step;
  }
  return exp(s);
}

/** Far more steps than Newton's method needs. */
const mostSteps = 200;

/** P(X ≥ k) of k or more successes among n, each of probability p: I_p(k, n − k + 1). */
export function binomialTail(k: number, n: number, p: number): number {
  if (k <= 0) return 1;
  return k > n ? 0 : incompleteBeta({ x: p, rest: 1 - p }, k, n - k + 1);
}

/** The regularized incomplete beta function I_x(a, b).
 *  @param at.rest  1 − x, with all its digits */
function incompleteBeta({ x, rest }: { x: number; rest: number }, a: number, b: number): number {
  if (rest === 0) return 1;
  if (x === 0) return 0;
  const front = exp(a * log(x) + b * log(rest) + logGamma(a + b) - logGamma(a) - logGamma(b));
  return x < (a + 1) / (a + b + 2)
    ? (front * betaFraction(x, a, b)) / a
    : Math.max(0, 1 - (front * betaFraction(rest, b, a)) / b);
}

/** The continued fraction of the incomplete beta function, from its start by the convergents' own recurrence.
 *  @see NIST Digital Library of Mathematical Functions, 8.17.22 */
function betaFraction(x: number, a: number, b: number): number {
  // numerators and denominators of the last two convergents, scaled so that the last denominator is 1
  let [p0, q0, p1, q1] = [0, 1, 1, 1];
  let before = 0;
  for (let j = 1; Math.abs(p1 - before) > closeEnough * p1; j++) {
    before = p1;
    const m = Math.floor(j / 2);
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    const d = j % 2 === 0 ? even : odd;
    const [p, q] = [p1 + d * p0, q1 + d * q0];
    [p0, q0, p1, q1] = [p1 / q, q1 / q, p / q, 1];
  }
  return p1;
}

/** Two neighbouring convergents, relative to their value. About √(larger of a and b) terms reach it. */
const closeEnough = 1e-15;

/** ln Γ(x) for x > 0: Stirling's series, for small x after Γ(x) = Γ(x + 1) / x. */
function logGamma(x: number): number {
  let product = 1;
  for (; x < 12; x++) product *= x;
  const inverse = 1 / (x * x);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)))) / x;
  return (x - 0.5) * log(x) - x + 0.5 * log(2 * Math.PI) + series - log(product);
}
