import { exp, log, sigmoid, softplus } from '../elementary.ts';
import type { Confusion, Metrics } from '../results/metrics.ts';
import { wilsonInterval } from './statistics.ts';

/** How answers are judged. */
export interface EvaluationOptions {
  /** p > threshold counts as positive */
  threshold: number;
  /** the loss of one example, from its logit */
  loss: (z: number, y: number) => number;
}

/** Judges answers against the truth.
 *  @param logits  one a picture
 *  @param labels  1 for the positive class, 0 for the other
 *  @throws RangeError on no pictures at all */
export function computeMetrics(logits: ArrayLike<number>, labels: Uint8Array, options: EvaluationOptions): Metrics {
  let positive = 0;
  for (const label of labels) positive += label;
  const accumulator = metricAccumulator([labels.length - positive, positive], options);
  accumulator.add(logits, labels);
  return accumulator.metrics();
}

/** Judges answers piece by piece: of each no more is kept than its probability, which its rank among the others needs. */
export interface MetricAccumulator {
  /** The next answers, in the order of the pictures. */
  add(logits: ArrayLike<number>, labels: Uint8Array): void;
  /** @throws RangeError on no pictures at all */
  metrics(): Metrics;
}

/** @param counts  pictures of the negative and of the positive class */
export function metricAccumulator(counts: readonly [number, number], { threshold, loss }: EvaluationOptions): MetricAccumulator {
  const p = counts.map((count) => new Float64Array(count)) as [Float64Array, Float64Array];
  const filled = [0, 0];
  const confusion: Confusion = { tp: 0, fp: 0, fn: 0, tn: 0 };
  let [cost, logLoss, brier] = [0, 0, 0];
  return {
    add(logits, labels) {
      for (let i = 0; i < labels.length; i++) {
        const [z, y] = [logits[i]!, labels[i] as 0 | 1];
        const value = sigmoid(z);
        p[y][filled[y]!++] = value;
        count(confusion, value > threshold, y);
        cost += loss(z, y);
        logLoss += softplus(y === 1 ? -z : z);
        brier += (value - y) * (value - y);
      }
    },
    metrics() {
      const n = filled[0]! + filled[1]!;
      if (n === 0) throw new RangeError('metrics of no pictures');
      const { tp, fp, fn, tn } = confusion;
      return {
        accuracy: (tp + tn) / n,
        accuracyInterval: wilsonInterval(tp + tn, n),
        baseline: Math.max(tp + fn, fp + tn) / n,
        error: (fp + fn) / n,
        balancedAccuracy: tp + fn === 0 || fp + tn === 0 ? null : (tp / (tp + fn) + tn / (fp + tn)) / 2,
        cost: cost / n,
        precision: ratio(tp, tp + fp),
        recall: ratio(tp, tp + fn),
        recallInterval: tp + fn === 0 ? null : wilsonInterval(tp, tp + fn),
        specificity: ratio(tn, fp + tn),
        specificityInterval: fp + tn === 0 ? null : wilsonInterval(tn, fp + tn),
        f1: ratio(2 * tp, 2 * tp + fp + fn),
        rocAuc: aucOf(p[0].sort(), p[1].sort()),
        logLoss: logLoss / n,
        brier: brier / n,
        confusion,
      };
    },
  };
}

function count(confusion: Confusion, positive: boolean, label: number): void {
  if (label === 1) confusion[positive ? 'tp' : 'fn']++;
  else confusion[positive ? 'fp' : 'tn']++;
}

/** The logit of a probability: ln(p / (1 − p)). */
export function logit(p: number): number {
  return log(p / (1 - p));
}

/** The logit of the mean of two probabilities, from their logits: ln((2e^(a+b) + e^a + e^b) / (2 + e^a + e^b)), which is
 *  ln((σ(a) + σ(b)) / (σ(−a) + σ(−b))), without overflow. */
export function meanLogit(a: number, b: number): number {
  if (a === b) return a; // infinite ones too
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  const most = Math.max(high, a + b);
  const above = most + log(2 * exp(a + b - most) + exp(a - most) + exp(b - most));
  const least = Math.max(0, high);
  const below = least + log(2 * exp(-least) + exp(low - least) + exp(high - least));
  return above - below;
}

export function confusionOf(p: Float64Array, labels: Uint8Array, threshold: number): Confusion {
  const confusion: Confusion = { tp: 0, fp: 0, fn: 0, tn: 0 };
  for (let i = 0; i < labels.length; i++) count(confusion, p[i]! > threshold, labels[i]!);
  return confusion;
}

/** The probability that a positive picture gets a higher p than a negative one, ties counting half; null where
 *  a class is missing. Mann and Whitney's U over the number of pairs, from both classes sorted, so in n log n. */
export function rocAuc(p: Float64Array, labels: Uint8Array): number | null {
  const [negatives, positives] = [0, 1].map((label) => p.filter((_, i) => labels[i] === label).sort());
  return aucOf(negatives!, positives!);
}

/** @param negatives  ascending, as `positives` */
function aucOf(negatives: Float64Array, positives: Float64Array): number | null {
  if (positives.length === 0 || negatives.length === 0) return null;
  let below = 0; // negatives with a lower p than the positive in question
  let upTo = 0; // with a lower or the same
  let wins = 0;
  for (const value of positives) {
    while (below < negatives.length && negatives[below]! < value) below++;
    while (upTo < negatives.length && negatives[upTo]! <= value) upTo++;
    wins += (below + upTo) / 2;
  }
  return wins / (positives.length * negatives.length);
}

function ratio(a: number, b: number): number | null {
  return b === 0 ? null : a / b;
}

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
