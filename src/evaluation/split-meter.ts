import type { Interval } from '../results/metrics.ts';
import { sampleOf, studentQuantile } from './statistics.ts';

/** Where the present division into train and dev falls among others of the same pictures. */
export interface SplitMeter {
  /** how many other divisions there are */
  count: number;
  /** how many of them come to less, and to the same */
  below: number;
  equal: number;
  /** 0 to 1: the share of the others that is below, those that are equal by half */
  quantile: number;
  mean: number;
  /** the standard deviation of the others: how far a figure from one division is from that of another */
  spread: number;
  /** the spread that as few dev pictures alone would make: √(p (1 − p) / n) */
  spreadByChance: number;
  /** of another division, 95%: mean ± t √(1 + 1/n) spread */
  range: Interval;
  /** the present − the mean */
  luck: number;
  /** 'typical' within the range */
  verdict: 'typical' | 'lucky' | 'unlucky';
}

/** @param others  the accuracies of three or more random divisions
 *  @param dev  how many pictures each accuracy is of
 *  @returns null with fewer than three */
export function splitMeter(present: number, others: readonly number[], dev: number): SplitMeter | null {
  if (others.length < leastDivisions) return null;
  const { count, mean, variance } = sampleOf(others);
  const spread = Math.sqrt(variance);
  const half = studentQuantile(0.05, count - 1) * spread * Math.sqrt(1 + 1 / count);
  const range: Interval = [Math.max(0, mean - half), Math.min(1, mean + half)];
  const below = others.filter((one) => one < present).length;
  const equal = others.filter((one) => one === present).length;
  return {
    count,
    below,
    equal,
    quantile: (below + equal / 2) / count,
    mean,
    spread,
    spreadByChance: Math.sqrt((mean * (1 - mean)) / dev),
    range,
    luck: present - mean,
    verdict: present > range[1] ? 'lucky' : present < range[0] ? 'unlucky' : 'typical',
  };
}

export const leastDivisions = 3;
