import { differenceInterval, type Interval, wilsonInterval } from './intervals.ts';

export const verdicts = ['high bias', 'high variance', 'high bias and high variance', 'neither'] as const;
export type Verdict = (typeof verdicts)[number];

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

export interface Bias {
  verdict: Verdict;
  /** train error − targetError */
  avoidableBias: number;
  /** dev error − train error */
  variance: number;
  /** 95% intervals of both */
  intervals: Record<Side, Interval>;
  /** those whose interval holds both sides of their threshold: what the verdict says of them could be chance */
  unsure: Side[];
  /** whether there are none */
  certain: boolean;
  /** times as many pictures, wrong in the same shares, that would leave none; null where more than `mostTimes` would not */
  enough: number | null;
}

/** The two that a verdict is made of. */
export const sides = ['avoidableBias', 'variance'] as const;
export type Side = (typeof sides)[number];
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
