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
  /** false where a 95% interval holds both sides of a threshold: the verdict could be chance */
  certain: boolean;
}

/** Is the network too small, or does it know its pictures by heart? From the errors on train and on pictures that it
 *  never saw. The notes' three cases, and the fourth, are tests. */
export function diagnose(train: Score, other: Score, { targetError, highBias, highVariance }: Thresholds): Bias {
  const share = ({ errors, total }: Score) => ({ share: errors / total, interval: wilsonInterval(errors, total) });
  const trainError = share(train);
  const otherError = share(other);
  const avoidableBias = trainError.share - targetError;
  const variance = otherError.share - trainError.share;
  const biased = avoidableBias > highBias;
  const varied = variance > highVariance;
  const straddles = ([low, high]: Interval, threshold: number) => low <= threshold && high > threshold;
  return {
    verdict: biased && varied ? 'high bias and high variance' : biased ? 'high bias' : varied ? 'high variance' : 'neither',
    avoidableBias,
    variance,
    certain:
      !straddles(trainError.interval, targetError + highBias) &&
      !straddles(differenceInterval(otherError, trainError), highVariance),
  };
}
