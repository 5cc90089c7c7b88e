import { exp, log, sigmoid } from '../elementary.ts';
import type { Interval } from '../results/metrics.ts';
import { studentQuantile } from './statistics.ts';

export { holm } from './paired.ts';

/** Two treatments of the same pictures by networks of the same seeds. */
export interface Judged {
  /** baseline[s][i] is 1 where the network of seed s is right on picture i, else 0 */
  baseline: readonly Uint8Array[];
  /** the same of the treatment, with the same seeds and pictures */
  treatment: readonly Uint8Array[];
  /** of each picture, above 0: for balanced accuracy those of which classes weigh the same */
  weights?: Float64Array;
}

export interface Gain {
  /** accuracy of the treatment − accuracy of the baseline, over all seeds */
  gain: number;
  /** null from fewer than three seeds */
  interval: Interval | null;
  /** two-sided: the smallest 1 − level whose interval leaves out 0; null from fewer than three seeds */
  p: number | null;
  standardError: number | null;
}

/** Of fewer seeds nobody knows how much seeds differ. */
export const leastSeeds = 3;

/** To the pictures half a one is added that the treatment gains with every seed, and half a one that it loses, so that a few pictures on which all
 *  agree are not taken for certainty. @see Bonett & Price 2012, who add two for one pair of answers */
const pseudoPicture = 0.5;

/**
 * What a treatment gains over the baseline for other pictures and other seeds than these. With the differences d_si (seed s, picture i)
 * = μ + seed_s + picture_i + rest_si, and mean squares M of the two-way table,
 *
 *     Var d̄ ≈ M_seeds / (SN) + max(0, M_pictures − M_rest) / (SN)
 *     half² = t²(S − 1) M_seeds / (SN) + t²(N − 1) max(0, M_pictures − M_rest) / (SN)
 *
 * Each source of variation has the t of its own degrees of freedom: with few seeds that are alike by chance it stays honest where
 * Satterthwaite's common degrees of freedom do not (docs/diagnose.md has the simulation).
 * Accuracies near 1 have room below and hardly any above: a config that is right on 97% has no seeds with 104%, but may have some with 85%. So the seeds'
 * part of the half width is that of two accuracies, each reaching as far as the same distance on the scale of log odds does where that is farther (`reach`).
 * With weights, of mean 1, w_i (d_si − d̄) stands for d_si − d̄, as in the variance of a ratio.
 * @param level  of the interval
 * @see Howe 1974; Graybill & Wang 1980, for the sum of two variances; Owen 2007, for pictures crossed with seeds; Zou & Donner 2008, for the difference of two whose intervals are asymmetric
 */
export function gainOf(judged: Judged, level = 0.95): Gain {
  return concluded(componentsOf(judged), noPrior, level);
}

/**
 * What each of several treatments gains over the same baseline: intervals are those of `gainOf`, and p, which is to be corrected for their number, knows more. From three seeds
 * nobody knows how much seeds differ, but from three seeds of a dozen treatments: the mean square of seeds of each is drawn towards what M_seeds / M_rest comes to over
 * all of them, which counts as `mostPrior` degrees of freedom more. They are no more since the baseline's own luck is in all of these ratios. A treatment whose own interval
 * holds 0 keeps its own p: none is called sure against it.
 * @param judged  with as many seeds as each has; of one alone this is `gainOf`
 * @see Smyth 2004, for variances drawn towards each other
 */
export function gainsOf(judged: readonly Judged[], level = 0.95): Gain[] {
  const all = judged.map(componentsOf);
  const told = all.filter(({ seeds, rest }) => seeds >= leastSeeds && rest > 0);
  const freedom = told.reduce((sum, { seeds }) => sum + seeds - 1, 0);
  const ratio = told.reduce((sum, one) => sum + ((one.seeds - 1) * one.ofSeeds) / one.rest, 0) / freedom;
  const prior = told.length < 2 ? noPrior : { ratio: Math.max(1, ratio), freedom: mostPrior * (1 - 1 / told.length) };
  return all.map((one) => {
    const own = concluded(one, noPrior, level);
    return own.p === null || own.p > 1 - level ? own : { ...own, p: concluded(one, prior, level).p };
  });
}

const mostPrior = 4;

/** What other treatments say of M_seeds / M_rest, and as how many degrees of freedom that counts. */
interface Prior {
  ratio: number;
  freedom: number;
}
const noPrior: Prior = { ratio: 1, freedom: 0 };

function concluded({ gain, mean, seeds, pictures, ...squares }: Components, prior: Prior, level: number): Gain {
  if (seeds < leastSeeds || pictures < 2) return { gain, interval: null, p: null, standardError: null };
  const cells = seeds * (pictures + 2 * pseudoPicture);
  const own = seeds - 1;
  const freedom = squares.rest > 0 ? own + prior.freedom : own;
  const ofSeeds = (own * squares.ofSeeds + (freedom - own) * prior.ratio * squares.rest) / freedom;
  const bySeeds = ofSeeds / cells;
  const byPictures = Math.max(0, squares.ofPictures - squares.rest) / cells;
  /** downwards the treatment may be worse and the baseline better than they seem; upwards the other way */
  const half = (alpha: number, direction: Direction) => {
    const ofSeedsAlone = studentQuantile(alpha, freedom) * Math.sqrt(bySeeds);
    const ofPicturesAlone = studentQuantile(alpha, pictures - 1) * Math.sqrt(byPictures);
    const ofTreatment = reach(squares.treatment, ofSeedsAlone, direction);
    const ofBaseline = reach(squares.baseline, ofSeedsAlone, direction === 1 ? -1 : 1);
    return Math.sqrt(ofTreatment ** 2 + ofBaseline ** 2 + ofPicturesAlone ** 2);
  };
  return {
    gain,
    interval: [Math.max(-1, mean - half(1 - level, -1)), Math.min(1, mean + half(1 - level, 1))],
    p: whereHalfIs(Math.abs(mean), (alpha) => half(alpha, mean > 0 ? -1 : 1)),
    standardError: Math.sqrt(bySeeds + byPictures),
  };
}

type Direction = -1 | 1;

/** How far an accuracy may lie from what it seems, in one direction, of the half width of a difference: its part of that, or the same on the scale of log odds, where
 *  that is farther. ln(p / (1 − p)) has the slope 1 / (p (1 − p)). */
function reach({ accuracy, part }: Side, half: number, direction: Direction): number {
  const own = Math.sqrt(part) * half;
  const logit = log(accuracy / (1 - accuracy));
  const byOdds = sigmoid(logit + (direction * own) / (accuracy * (1 - accuracy)));
  return Math.max(own, direction * (byOdds - accuracy));
}

/** Of mean 1. */
function weightsOf({ weights }: Judged, pictures: number): Float64Array {
  if (weights === undefined) return new Float64Array(pictures).fill(1);
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / pictures;
  return weights.map((weight) => weight / mean);
}

interface Table {
  gain: number;
  /** Σ_i w_i x_si of each seed: of the answers of the baseline, of those of the treatment, and of their differences */
  baselineSums: number[];
  treatmentSums: number[];
  seedSums: number[];
  /** Σ_s d_si of each picture */
  pictureSums: Float64Array;
}

function table({ baseline, treatment }: Judged, weights: Float64Array): Table {
  const pictureSums = new Float64Array(weights.length);
  for (const [s, right] of baseline.entries())
    for (let i = 0; i < weights.length; i++) pictureSums[i]! += treatment[s]![i]! - right[i]!;
  const sumsOf = (rows: readonly Uint8Array[]) =>
    rows.map((row) => weights.reduce((sum, weight, i) => sum + weight * row[i]!, 0));
  const [baselineSums, treatmentSums] = [sumsOf(baseline), sumsOf(treatment)];
  const seedSums = treatmentSums.map((sum, s) => sum - baselineSums[s]!);
  return { gain: sumOf(seedSums) / (baseline.length * weights.length), baselineSums, treatmentSums, seedSums, pictureSums };
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** One of the two that are held against each other. */
interface Side {
  /** above 0 and below 1, by the pseudo-pictures */
  accuracy: number;
  /** the share of the variance of both by seeds that is its own */
  part: number;
}

/** @param sums  Σ_i w_i right_si of each seed, of both; `size` pictures with the pseudo-pictures, on half of which either is right */
function sidesOf(sums: readonly [readonly number[], readonly number[]], size: number): [Side, Side] {
  const squares = sums.map((own) => {
    const mean = sumOf(own) / own.length;
    return sumOf(own.map((sum) => (sum - mean) ** 2));
  });
  const all = sumOf(squares);
  return [0, 1].map((k) => ({
    accuracy: (sumOf(sums[k]!) / sums[k]!.length + pseudoPicture) / size,
    part: all > 0 ? squares[k]! / all : 0.5,
  })) as [Side, Side];
}

interface Components {
  gain: number;
  /** of the differences, with the pseudo-pictures */
  mean: number;
  seeds: number;
  pictures: number;
  /** mean squares */
  ofSeeds: number;
  ofPictures: number;
  rest: number;
  baseline: Side;
  treatment: Side;
}

/** The mean squares of the two-way table of differences, with the pseudo-pictures. */
function componentsOf(judged: Judged): Components {
  const { baseline, treatment } = judged;
  const [seeds, pictures] = [baseline.length, baseline[0]?.length ?? 0];
  const weights = weightsOf(judged, pictures);
  const { gain, seedSums, pictureSums, ...sums } = table(judged, weights);
  const size = pictures + 2 * pseudoPicture;
  const mean = (gain * pictures) / size;
  const pseudo = pseudoPicture * ((1 - mean) ** 2 + (1 + mean) ** 2);
  let [ofSeeds, ofPictures, all] = [0, pseudo * seeds, pseudo * seeds];
  for (const sum of seedSums) ofSeeds += size * (sum / size - mean) ** 2;
  for (let i = 0; i < pictures; i++) {
    const square = weights[i]! ** 2;
    ofPictures += seeds * square * (pictureSums[i]! / seeds - mean) ** 2;
    for (let s = 0; s < seeds; s++) all += square * (treatment[s]![i]! - baseline[s]![i]! - mean) ** 2;
  }
  const rest = Math.max(0, all - ofSeeds - ofPictures) / ((seeds - 1) * (pictures - 1));
  const [ofBaseline, ofTreatment] = sidesOf([sums.baselineSums, sums.treatmentSums], size);
  return {
    gain,
    mean,
    seeds,
    pictures,
    ofSeeds: ofSeeds / (seeds - 1),
    ofPictures: ofPictures / (size - 1),
    rest,
    baseline: ofBaseline,
    treatment: ofTreatment,
  };
}

/** The alpha at which the interval's half width is `size`: a half width falls as alpha rises. The zero of half − size over ln alpha, by regula falsi
 *  that halves the value of an end that stays (Illinois). */
function whereHalfIs(size: number, half: (alpha: number) => number): number {
  if (size === 0) return 1;
  const at = (x: number) => ({ x, value: half(exp(x)) - size });
  let [low, high] = [at(-3), { x: 0, value: -size }];
  while (low.value < 0 && low.x > leastLog) [high, low] = [low, at(3 * low.x)];
  if (low.value < 0) return 0;
  let last = low;
  for (let i = 0; i < mostSteps && high.x - low.x > closeEnough; i++) {
    const next = at((low.x * high.value - high.x * low.value) / (high.value - low.value));
    const isLow = next.value > 0;
    if (isLow === last.value > 0) {
      if (isLow) high = { ...high, value: high.value / 2 };
      else low = { ...low, value: low.value / 2 };
    }
    if (isLow) low = next;
    else high = next;
    if (Math.abs(next.x - last.x) < closeEnough) return exp(next.x);
    last = next;
  }
  return exp(high.x);
}

/** A p below e^this is 0. */
const leastLog = -600;
const closeEnough = 1e-9;
const mostSteps = 200;

/** Accuracies of treatments that race. */
export interface Race {
  /** accuracies[t][s] of treatment t with seed s; all have run with the same seeds, two or more */
  accuracies: readonly (readonly number[])[];
  /** how probable it may be, over all decisions of the race, that the best is dropped */
  error?: number;
  /** how many decisions there are in all */
  decisions?: number;
}

/**
 * Which treatments may still win. Those stay whose mean is behind the leader's by no more than chance explains: t √(2 σ² / S), where σ² is
 * what is left of the accuracies once each treatment's and each seed's mean are taken out, over (T − 1)(S − 1) degrees of freedom, and t belongs
 * to `error`, one-sided, divided by the decisions and by the T − 1 that are held against the leader.
 * @returns of each treatment, whether it goes on
 * @see Maron & Moore 1994 on racing; Birattari et al. 2002 on blocks
 */
export function raceDecision({ accuracies, error = 0.05, decisions = 1 }: Race): boolean[] {
  const [count, seeds] = [accuracies.length, accuracies[0]?.length ?? 0];
  if (count < 2 || seeds < 2) return accuracies.map(() => true);
  const means = accuracies.map((row) => meanOf(row));
  const seedMeans = accuracies[0]!.map((_, s) => meanOf(accuracies.map((row) => row[s]!)));
  const all = meanOf(means);
  let squares = 0;
  for (const [t, row] of accuracies.entries())
    for (const [s, accuracy] of row.entries()) squares += (accuracy - means[t]! - seedMeans[s]! + all) ** 2;
  const freedom = (count - 1) * (seeds - 1);
  const t = studentQuantile((2 * error) / (decisions * (count - 1)), freedom);
  const behind = t * Math.sqrt((2 * squares) / freedom / seeds);
  const best = Math.max(...means);
  return means.map((mean) => best - mean <= behind);
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
