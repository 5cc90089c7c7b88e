import { type Confusion, confusionOf } from './metrics.ts';

/** What a threshold chosen on dev may make as large as it can be. Each is a quotient of whole numbers, so that equals are equal. */
export const thresholdCriteria = {
  accuracy: ({ tp, fp, fn, tn }: Confusion) => (tp + tn) / (tp + fp + fn + tn),
  balancedAccuracy: ({ tp, fp, fn, tn }: Confusion) => (tp * (tn + fp) + tn * (tp + fn)) / (2 * (tp + fn) * (tn + fp)),
  f1: ({ tp, fp, fn }: Confusion) => (2 * tp) / (2 * tp + fp + fn),
  youden: ({ tp, fp, fn, tn }: Confusion) => (tp * tn - fp * fn) / ((tp + fn) * (tn + fp)),
} as const;

export type ThresholdCriterion = keyof typeof thresholdCriteria;

/** The threshold of the best value: ½, or a middle between two neighbours of 0, the probabilities and 1; of equals the
 *  one nearest to ½, and of two as near the larger.
 *  @param p       of labelled pictures of both classes
 *  @param labels  1 for the positive class, 0 for the other */
export function chooseThreshold(p: Float64Array, labels: Uint8Array, criterion: ThresholdCriterion): number {
  const value = thresholdCriteria[criterion];
  const order = Array.from(p.keys()).sort((a, b) => p[b]! - p[a]!);
  const counts = confusionOf(p, labels, 1); // all called negative
  let best = { threshold: 0.5, value: value(confusionOf(p, labels, 0.5)) };
  const consider = (above: number, below: number) => {
    if (above === below) return;
    const middle = (above + below) / 2;
    const threshold = middle < above ? middle : below; // neighbours so close that their middle is rounded up
    const now = value(counts);
    const nearer = Math.abs(threshold - 0.5) < Math.abs(best.threshold - 0.5);
    if (now > best.value || (now === best.value && nearer)) best = { threshold, value: now };
  };
  consider(1, p[order[0]!]!);
  for (const [rank, i] of order.entries()) {
    // one picture more is called positive
    if (labels[i] === 1) {
      counts.tp++;
      counts.fn--;
    } else {
      counts.fp++;
      counts.tn--;
    }
    const next = order[rank + 1];
    consider(p[i]!, next === undefined ? 0 : p[next]!);
  }
  return best.threshold;
}
