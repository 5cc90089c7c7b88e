import type { Interval } from '../results/metrics.ts';
import { wilsonInterval } from './statistics.ts';

/** What answers look like beyond one threshold: curves, counts and calibration, from p and labels alone. */

/** Answers of a model, and the truth. */
export interface Answers {
  /** (m)  probability of the positive class */
  p: Float64Array;
  /** (m)  1 for the positive class, 0 for the other */
  labels: Uint8Array;
}

/** Examples of each class that are called positive, at each of some thresholds. */
export interface CountsAbove {
  tp: number[];
  fp: number[];
}

/** @param thresholds  ascending; p > threshold counts as positive */
export function countsAbove({ p, labels }: Answers, thresholds: readonly number[]): CountsAbove {
  const above = (label: number) => {
    const sorted = p.filter((_, i) => labels[i] === label).sort();
    let upTo = 0;
    return thresholds.map((threshold) => {
      while (upTo < sorted.length && sorted[upTo]! <= threshold) upTo++;
      return sorted.length - upTo;
    });
  };
  return { tp: above(1), fp: above(0) };
}

/** A point of ROC and precision-recall for each p that was given, from the highest threshold to the lowest. */
export interface OperatingPoint {
  /** recall: tp / (tp + fn) */
  truePositiveRate: number;
  /** fp / (fp + tn) */
  falsePositiveRate: number;
  precision: number;
}

/** @returns empty where a class is missing, for which neither curve is defined */
export function operatingPoints({ p, labels }: Answers): OperatingPoint[] {
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const negatives = labels.length - positives;
  if (positives === 0 || negatives === 0) return [];
  const order = Array.from(p.keys()).sort((a, b) => p[b]! - p[a]!);
  const points: OperatingPoint[] = [];
  let [tp, fp] = [0, 0];
  for (const [rank, i] of order.entries()) {
    if (labels[i] === 1) tp++;
    else fp++;
    const isLastOfTie = rank === order.length - 1 || p[order[rank + 1]!] !== p[i];
    if (isLastOfTie)
      points.push({ truePositiveRate: tp / positives, falsePositiveRate: fp / negatives, precision: tp / (tp + fp) });
  }
  return points;
}

/** The area under precision-recall as a step function: Σ (R_k − R_(k−1)) P_k; null without points.
 *  @see scikit-learn, average_precision_score */
export function averagePrecision(points: readonly OperatingPoint[]): number | null {
  if (points.length === 0) return null;
  let [area, before] = [0, 0];
  for (const { truePositiveRate, precision } of points) {
    area += (truePositiveRate - before) * precision;
    before = truePositiveRate;
  }
  return area;
}

/** Answers whose p lies in one tenth of 0 to 1. */
export interface CalibrationBin {
  count: number;
  /** the mean of p */
  predicted: number;
  /** the share that is positive */
  observed: number;
  /** of `observed`: 95%, Wilson */
  interval: Interval;
}

/** Bins of equal width, those without answers left out. */
export function calibrationBins({ p, labels }: Answers, bins = 10): CalibrationBin[] {
  const count = new Float64Array(bins);
  const [sum, positive] = [new Float64Array(bins), new Float64Array(bins)];
  for (let i = 0; i < p.length; i++) {
    const bin = binOf(p[i]!, bins);
    count[bin]! += 1;
    sum[bin]! += p[i]!;
    positive[bin]! += labels[i]!;
  }
  return Array.from(count.keys()).flatMap((bin) => {
    const n = count[bin]!;
    if (n === 0) return [];
    const observed = positive[bin]! / n;
    return [{ count: n, predicted: sum[bin]! / n, observed, interval: wilsonInterval(positive[bin]!, n) }];
  });
}

/** How many answers of the negative and of the positive class lie in each of so many bins of p. */
export function histogramOf({ p, labels }: Answers, bins: number): { negative: number[]; positive: number[] } {
  const found = { negative: Array<number>(bins).fill(0), positive: Array<number>(bins).fill(0) };
  for (let i = 0; i < p.length; i++) found[labels[i] === 1 ? 'positive' : 'negative'][binOf(p[i]!, bins)]! += 1;
  return found;
}

const binOf = (p: number, bins: number) => Math.min(bins - 1, Math.floor(p * bins));

/** Which points of a curve are drawn, at most so many: of each stretch the lowest and the highest, so that no extreme is lost.
 *  @param keep  indices that are kept whatever they are
 *  @returns ascending */
export function thinned(y: readonly number[], most: number, keep: readonly number[] = []): number[] {
  if (y.length <= most) return Array.from(y.keys());
  const kept = new Set([0, y.length - 1, ...keep]);
  const stretches = Math.floor((most - kept.size) / 2);
  for (let s = 0; s < stretches; s++) {
    const [first, end] = [Math.floor((s * y.length) / stretches), Math.floor(((s + 1) * y.length) / stretches)];
    let [low, high] = [first, first];
    for (let i = first; i < end; i++) {
      if (Number.isNaN(y[i])) continue;
      if (!(y[low]! <= y[i]!)) low = i; // also where the first is no number
      if (!(y[high]! >= y[i]!)) high = i;
    }
    kept.add(low).add(high);
  }
  return [...kept].sort((a, b) => a - b);
}
