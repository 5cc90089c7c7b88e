import { log, sigmoid, softplus } from '../elementary.ts';
import { type Interval, wilsonInterval } from './intervals.ts';

/** The names and the order of the JSON output. A metric that is not defined (no positives, say) is null. */
export interface Metrics {
  accuracy: number;
  /** 95%, Wilson */
  accuracyInterval: Interval;
  /** the accuracy of always answering the larger class */
  baseline: number;
  error: number;
  /** the mean of the accuracies within each class */
  balancedAccuracy: number | null;
  /** the loss that training used, unweighted, without L2 */
  cost: number;
  precision: number | null;
  /** the share of the positive class that is called so */
  recall: number | null;
  /** 95%, Wilson */
  recallInterval: Interval | null;
  /** the share of the negative class that is called so */
  specificity: number | null;
  /** 95%, Wilson */
  specificityInterval: Interval | null;
  f1: number | null;
  rocAuc: number | null;
  logLoss: number;
  brier: number;
  confusion: Confusion;
}

export interface Confusion {
  tp: number;
  fp: number;
  fn: number;
  tn: number;
}

/** How answers are judged. */
export interface Judging {
  /** p > threshold counts as positive */
  threshold: number;
  /** the loss of one example, from its logit */
  loss: (z: number, y: number) => number;
}

/** Judges answers against the truth.
 *  @param logits  one a picture
 *  @param labels  1 for the positive class, 0 for the other
 *  @throws RangeError on no pictures at all */
export function measure(logits: ArrayLike<number>, labels: Uint8Array, judging: Judging): Metrics {
  let positive = 0;
  for (const label of labels) positive += label;
  const tally = tallyOf([labels.length - positive, positive], judging);
  tally.add(logits, labels);
  return tally.metrics();
}

/** Judges answers piece by piece: of each no more is kept than its probability, which its rank among the others needs. */
export interface Tally {
  /** The next answers, in the order of the pictures. */
  add(logits: ArrayLike<number>, labels: Uint8Array): void;
  /** @throws RangeError on no pictures at all */
  metrics(): Metrics;
}

/** @param counts  pictures of the negative and of the positive class */
export function tallyOf(counts: readonly [number, number], { threshold, loss }: Judging): Tally {
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
