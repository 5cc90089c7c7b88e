import type { Confusion, Interval } from '../results/metrics.ts';
import type { Answers, Bias, Imbalance, Side } from '../results/summary.ts';
import { differenceInterval, wilsonInterval } from './statistics.ts';

export interface Thresholds {
  /** the error that is thought possible */
  targetError: number;
  highBias: number;
  highVariance: number;
}

/** Wrong answers out of all. */
export interface Score {
  errors: number;
  total: number;
}

/** The two that a verdict is made of. */
const sides = ['avoidableBias', 'variance'] as const satisfies Side[];
/** More pictures than so many times those that there are are not proposed. */
export const mostTimes = 100;

/** Is the network too small, or does it know its pictures by heart? From the errors on train and on pictures that it
 *  never saw. The notes' three cases, and the fourth, are tests. */
export function diagnose(train: Score, other: Score, { targetError, highBias, highVariance }: Thresholds): Bias {
  const shareOf = ({ errors, total }: Score) => errors / total;
  const avoidableBias = shareOf(train) - targetError;
  const variance = shareOf(other) - shareOf(train);
  const limits = { avoidableBias: highBias, variance: highVariance };
  const biased = avoidableBias > highBias;
  const varied = variance > highVariance;
  /** Both intervals, were there so many times as many pictures. */
  const intervalsOf = (times: number): Record<Side, Interval> => {
    const scaled = ({ errors, total }: Score) => {
      const interval = wilsonInterval(errors * times, total * times);
      return { share: errors / total, interval };
    };
    const [low, high] = scaled(train).interval;
    return { avoidableBias: [low - targetError, high - targetError], variance: differenceInterval(scaled(other), scaled(train)) };
  };
  const straddles = ([low, high]: Interval, limit: number) => low <= limit && high > limit;
  const unsureOf = (intervals: Record<Side, Interval>) => sides.filter((side) => straddles(intervals[side], limits[side]));
  const intervals = intervalsOf(1);
  const unsure = unsureOf(intervals);
  let enough = 1;
  while (enough <= mostTimes && unsureOf(intervalsOf(enough)).length > 0) enough++;
  return {
    verdict: biased && varied ? 'high bias and high variance' : biased ? 'high bias' : varied ? 'high variance' : 'neither',
    avoidableBias,
    variance,
    intervals,
    unsure,
    certain: unsure.length === 0,
    enough: enough > mostTimes ? null : enough,
  };
}

/** The one answer that a model gives to every picture.
 *  @param train  on the pictures that it was trained on
 *  @returns null where it tells pictures apart; of classes that are equal either is the larger */
export function onlyAnswerOf({ tp, fp, fn, tn }: Confusion): Answers | null {
  const [positives, negatives] = [tp + fn, fp + tn];
  if (tp + fp === 0) return negatives >= positives ? 'larger class' : 'smaller class';
  if (fn + tn === 0) return positives >= negatives ? 'larger class' : 'smaller class';
  return null;
}

/** Of classes that are nearer to equal than this, accuracy tells of both. */
const unequal = 0.25;

/** @returns null where classes are not far from equal, or the smaller one fares no worse than bias and variance allow */
export function imbalanceOf(train: Confusion, other: Confusion, limits: Thresholds): Imbalance | null {
  const [positives, negatives] = [train.tp + train.fn, train.fp + train.tn];
  const positive = positives < negatives;
  const share = Math.min(positives, negatives) / (positives + negatives);
  const errorIn = ({ tp, fp, fn, tn }: Confusion): Score =>
    positive ? { errors: fn, total: tp + fn } : { errors: fp, total: fp + tn };
  const [own, others] = [errorIn(train), errorIn(other)].map(({ errors, total }) => ({
    share: errors / total,
    interval: wilsonInterval(errors, total),
  })) as [ShareOfErrors, ShareOfErrors];
  // half of each, as balanced accuracy counts a class; of few others the difference may be chance
  const isBiased = own.share / 2 - limits.targetError > limits.highBias;
  const isVaried = (others.share - own.share) / 2 > limits.highVariance && differenceInterval(others, own)[0] > 0;
  return share <= unequal && (isBiased || isVaried) ? { positive, share, error: own.share } : null;
}

type ShareOfErrors = { share: number; interval: Interval };
