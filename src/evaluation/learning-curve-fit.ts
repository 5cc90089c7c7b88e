import { exp, log } from '../elementary.ts';
import type { Interval } from '../results/metrics.ts';
import { sampleOf, studentQuantile, Z } from './statistics.ts';

/** The errors of trainings on one share of the training pictures. */
export interface SharePoint {
  /** how many pictures each trained on */
  pictures: number;
  /** of each seed, 0 to 1 */
  errors: readonly number[];
}

export interface CurveOptions {
  /** of all intervals */
  level?: number;
  /** how many pictures the errors are of: their number limits what is known of other pictures. Without it intervals are of these pictures */
  judgedOn?: number;
}

/** An accuracy, and where it lies. */
export interface Foretold {
  accuracy: number;
  interval: Interval;
}

/** How many pictures an accuracy takes; `most` is null where the interval has no upper end. */
export type PicturesNeeded =
  | { pictures: number; interval: readonly [number, number | null] }
  /** the upper end of the curve does not come to it */
  | 'out of reach'
  /** the curve does not come to it, but its upper end does */
  | 'unknown';

/** The whole, foretold from the smaller shares. */
export interface HeldOut {
  foretold: Foretold;
  observed: number;
  /** whether the interval, with the noise of as many trainings, holds what was observed */
  within: boolean;
}

export interface Curve {
  /** what it tends to */
  asymptote: Foretold;
  /** of error(n) = asymptote + scale · n^−exponent, the best fit */
  exponent: number;
  accuracyAt(pictures: number): Foretold;
  picturesFor(accuracy: number): PicturesNeeded;
  /** null with fewer than four shares */
  heldOut: HeldOut | null;
}

/** Why a curve says nothing. */
export type Silence =
  /** fewer than three shares, or fewer than two trainings of each */
  | 'too few'
  /** errors that no falling power law explains */
  | 'no power law'
  /** the smaller shares did not foretell the whole */
  | 'foretold wrong'
  /** twice the pictures could come to almost anything */
  | 'too wide';

export type CurveFit = { says: true; curve: Curve } | { says: false; reason: Silence; curve: Curve | null };

/** An interval wider than this at twice the pictures says nothing. */
const widest = 0.2;
/** Errors that chance makes so seldom are none of a power law. */
const misfit = 0.01;
/** Nobody gathers more than so many times the pictures. */
const furthest = 1000;

/**
 * Fits error(n) = a + b n^−c with a ≥ 0, b ≥ 0 and c in [0.05, 2], by least squares weighted by the variance of each share's mean. Intervals are profile
 * likelihood: a value belongs to one where some curve has it whose squares are no more than t² above the least. With four shares and three
 * parameters a curve's ends are far from normal; this needs neither a normal approximation nor random numbers.
 * @param points  shares of the pictures in any order, two or more trainings each
 * @see Hestness et al. 2017 for the law; Venzon & Moolgavkar 1988 for the intervals
 */
export function fitLearningCurve(points: readonly SharePoint[], options: CurveOptions = {}): CurveFit {
  const shares = [...points].sort((a, b) => a.pictures - b.pictures);
  if (shares.length < 3 || shares.some(({ errors }) => errors.length < 2)) return { says: false, reason: 'too few', curve: null };
  const fit = profile(shares, options);
  const last = shares.at(-1)!;
  const heldOut = shares.length < 4 ? null : heldOutOf(shares, options);
  const curve: Curve = { ...curveOf(fit, last.pictures, options), heldOut };
  const [low, high] = curve.accuracyAt(2 * last.pictures).interval;
  const reason = fit.misfits
    ? 'no power law'
    : heldOut?.within === false
      ? 'foretold wrong'
      : high - low > widest
        ? 'too wide'
        : null;
  return reason === null ? { says: true, curve } : { says: false, reason, curve };
}

/** Sums that a weighted line e = a + b x needs, x = (n / largest)^−c, for one exponent. */
interface Line {
  exponent: number;
  /** of the best a ≥ 0, b ≥ 0 */
  a: number;
  b: number;
  squares: number;
  sums: { w: number; wx: number; wxx: number; we: number; wxe: number; wee: number };
}

interface Profile {
  lines: Line[];
  best: Line;
  largest: number;
  /** a curve counts whose squares are at most this */
  bound: number;
  /** the variance of one training at the whole */
  variance: number;
  /** t of the level */
  t: number;
  misfits: boolean;
}

const exponents = Array.from({ length: 64 }, (_, i) => exp(log(0.05) + (log(2 / 0.05) * i) / 63));

function profile(shares: readonly SharePoint[], { level = 0.95, judgedOn }: CurveOptions): Profile {
  const largest = shares.at(-1)!.pictures;
  const { variances, freedom } = variancesOf(shares, judgedOn);
  const rows = shares.map(({ pictures, errors }, i) => ({
    size: log(pictures / largest),
    error: sampleOf(errors).mean,
    weight: errors.length / variances[i]!,
  }));
  const lines = exponents.map((exponent) => lineOf(rows, exponent));
  const best = lines.reduce((least, line) => (line.squares < least.squares ? line : least));
  const spare = Math.max(1, shares.length - 3);
  const t = studentQuantile(1 - level, freedom);
  // where the curve fits worse than the seeds differ, it is the fit that says how far off it may be
  const inflation = Math.max(1, (freedom + best.squares) / (freedom + spare));
  const limit = studentQuantile(misfit, freedom) ** 2 * spare;
  return {
    lines,
    best,
    largest,
    bound: best.squares + t * t * inflation,
    variance: variances.at(-1)! * inflation,
    t,
    misfits: best.squares > limit,
  };
}

/** The variance of one training of each share, drawn towards that of all since few seeds tell little; at least that of rounding to whole pictures. */
function variancesOf(shares: readonly SharePoint[], judgedOn = 1000): { variances: number[]; freedom: number } {
  const samples = shares.map(({ errors }) => sampleOf(errors));
  const freedom = samples.reduce((sum, { count }) => sum + count - 1, 0);
  const pooled = samples.reduce((sum, { count, variance }) => sum + (count - 1) * variance, 0) / freedom;
  const least = 1 / (12 * judgedOn ** 2);
  const variances = samples.map(({ count, variance }) =>
    Math.max(least, ((count - 1) * variance + priorFreedom * pooled) / (count - 1 + priorFreedom)),
  );
  return { variances, freedom };
}

/** As many degrees of freedom the variance of all shares counts beside a share's own. */
const priorFreedom = 4;

function lineOf(rows: readonly { size: number; error: number; weight: number }[], exponent: number): Line {
  const sums = { w: 0, wx: 0, wxx: 0, we: 0, wxe: 0, wee: 0 };
  for (const { size, error, weight } of rows) {
    const x = exp(-exponent * size);
    sums.w += weight;
    sums.wx += weight * x;
    sums.wxx += weight * x * x;
    sums.we += weight * error;
    sums.wxe += weight * x * error;
    sums.wee += weight * error * error;
  }
  const determinant = sums.w * sums.wxx - sums.wx * sums.wx;
  let b = (sums.w * sums.wxe - sums.wx * sums.we) / determinant;
  let a = (sums.we - b * sums.wx) / sums.w;
  if (b < 0) [a, b] = [sums.we / sums.w, 0];
  else if (a < 0) [a, b] = [0, sums.wxe / sums.wxx];
  return { exponent, a, b, squares: squaresOf(sums, a, b), sums };
}

/** Σ w (e − a − b x)² */
function squaresOf({ w, wx, wxx, we, wxe, wee }: Line['sums'], a: number, b: number): number {
  return Math.max(0, wee - 2 * a * we - 2 * b * wxe + a * a * w + 2 * a * b * wx + b * b * wxx);
}

/** Least and greatest error a + b x among the curves of one exponent that count; null where none does. The curves are an ellipse in a and b, cut by
 *  a ≥ 0 and b ≥ 0: the ends lie on it, or where it meets an axis. */
function endsOf({ sums }: Line, x: number, bound: number): Interval | null {
  const { w, wx, wxx, we, wxe, wee } = sums;
  const determinant = w * wxx - wx * wx;
  const b0 = (w * wxe - wx * we) / determinant;
  const a0 = (we - b0 * wx) / w;
  const spare = bound - squaresOf(sums, a0, b0);
  if (spare < 0) return null;
  const ends: number[] = [];
  // the direction (Σ)⁻¹ (1, x) in which a + b x changes fastest on the ellipse
  const [da, db] = [(wxx - x * wx) / determinant, (x * w - wx) / determinant];
  const size = Math.sqrt(da + x * db);
  for (const sign of [-1, 1]) {
    const step = (sign * Math.sqrt(spare)) / size;
    const [a, b] = [a0 + step * da, b0 + step * db];
    if (a >= 0 && b >= 0) ends.push(a + b * x);
  }
  // on a = 0: wxx b² − 2 wxe b + wee ≤ bound; on b = 0 the same with w, we
  for (const b of rootsOf(wxx, wxe, wee - bound)) ends.push(b * x);
  for (const a of rootsOf(w, we, wee - bound)) ends.push(a);
  return ends.length === 0 ? null : [Math.min(...ends), Math.max(...ends)];
}

/** Where p z² − 2 q z + r ≤ 0 begins and ends, cut at 0; none where it is nowhere. */
function rootsOf(p: number, q: number, r: number): number[] {
  const root = Math.sqrt(q * q - p * r);
  if (Number.isNaN(root) || q + root < 0) return [];
  return [Math.max(0, (q - root) / p), (q + root) / p];
}

function curveOf(fit: Profile, largest: number, { judgedOn }: CurveOptions): Omit<Curve, 'heldOut'> {
  /** @param pictures  may be infinite */
  const accuracyAt = (pictures: number): Foretold => {
    const at = (exponent: number) => (pictures === Number.POSITIVE_INFINITY ? 0 : exp(-exponent * log(pictures / largest)));
    const error = fit.best.a + fit.best.b * at(fit.best.exponent);
    let [low, high] = [error, error];
    for (const line of fit.lines) {
      const ends = endsOf(line, at(line.exponent), fit.bound);
      if (ends) [low, high] = [Math.min(low, ends[0]), Math.max(high, ends[1])];
    }
    const chance = judgedOn === undefined ? 0 : (Z * Z * Math.max(error * (1 - error), 1 / judgedOn)) / judgedOn;
    const below = Math.sqrt((error - low) ** 2 + chance);
    const above = Math.sqrt((high - error) ** 2 + chance);
    return { accuracy: clamp(1 - error), interval: [clamp(1 - error - above), clamp(1 - error + below)] };
  };
  return {
    asymptote: accuracyAt(Number.POSITIVE_INFINITY),
    exponent: fit.best.exponent,
    accuracyAt,
    picturesFor: (accuracy) => picturesFor(accuracy, accuracyAt, largest),
  };
}

const clamp = (share: number) => Math.min(1, Math.max(0, share));

function picturesFor(accuracy: number, accuracyAt: (pictures: number) => Foretold, largest: number): PicturesNeeded {
  const first = (value: (foretold: Foretold) => number) =>
    leastWhere((n) => value(accuracyAt(n)) >= accuracy, largest * furthest);
  const least = first(({ interval }) => interval[1]);
  if (least === null) return 'out of reach';
  const pictures = first((foretold) => foretold.accuracy);
  if (pictures === null) return 'unknown';
  return { pictures, interval: [least, first(({ interval }) => interval[0])] };
}

/** The least whole number from 1 to `most` for which a condition holds that holds from there on; null where it does not. */
function leastWhere(holds: (n: number) => boolean, most: number): number | null {
  if (!holds(most)) return null;
  let [low, high] = [0, most];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** What the smaller shares say of the whole, and what it was. */
function heldOutOf(shares: readonly SharePoint[], options: CurveOptions): HeldOut {
  const whole = shares.at(-1)!;
  const smaller = shares.slice(0, -1);
  const fit = profile(smaller, options);
  // both are of the same pictures, so that only trainings differ
  const { accuracyAt } = curveOf(fit, smaller.at(-1)!.pictures, {});
  const foretold = accuracyAt(whole.pictures);
  const observed = 1 - sampleOf(whole.errors).mean;
  const noise = fit.t * Math.sqrt(fit.variance / whole.errors.length);
  const [low, high] = foretold.interval;
  const below = Math.sqrt((foretold.accuracy - low) ** 2 + noise ** 2);
  const above = Math.sqrt((high - foretold.accuracy) ** 2 + noise ** 2);
  const within = observed >= foretold.accuracy - below && observed <= foretold.accuracy + above;
  return { foretold, observed, within };
}
