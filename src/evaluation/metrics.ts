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
  recall: number | null;
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

/** Judges answers against the truth.
 *  @param logits     one a picture
 *  @param labels     1 for the positive class, 0 for the other
 *  @param options.threshold  p > threshold counts as positive
 *  @param options.loss       the loss of one example, from its logit
 *  @throws RangeError on no pictures at all */
export function measure(
  logits: ArrayLike<number>,
  labels: Uint8Array,
  options: { threshold: number; loss: (z: number, y: number) => number },
): Metrics {
  const n = labels.length;
  if (n === 0) throw new RangeError('metrics of no pictures');
  const p = (i: number) => sigmoid(logits[i]!); // made again where it is wanted: a number for each of millions is memory
  const confusion = countConfusion(p, labels, options.threshold);
  const { tp, fp, fn, tn } = confusion;
  const mean = (value: (i: number) => number) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += value(i);
    return sum / n;
  };
  return {
    accuracy: (tp + tn) / n,
    accuracyInterval: wilsonInterval(tp + tn, n),
    baseline: Math.max(tp + fn, fp + tn) / n,
    error: (fp + fn) / n,
    balancedAccuracy: tp + fn === 0 || fp + tn === 0 ? null : (tp / (tp + fn) + tn / (fp + tn)) / 2,
    cost: mean((i) => options.loss(logits[i]!, labels[i]!)),
    precision: ratio(tp, tp + fp),
    recall: ratio(tp, tp + fn),
    f1: ratio(2 * tp, 2 * tp + fp + fn),
    rocAuc: aucOf(p, labels),
    logLoss: mean((i) => softplus(labels[i] === 1 ? -logits[i]! : logits[i]!)),
    brier: mean((i) => (p(i) - labels[i]!) * (p(i) - labels[i]!)),
    confusion,
  };
}

/** The logit of a probability: ln(p / (1 − p)). */
export function logit(p: number): number {
  return log(p / (1 - p));
}

export function confusionOf(p: Float64Array, labels: Uint8Array, threshold: number): Confusion {
  return countConfusion((i) => p[i]!, labels, threshold);
}

function countConfusion(p: (i: number) => number, labels: Uint8Array, threshold: number): Confusion {
  const confusion = { tp: 0, fp: 0, fn: 0, tn: 0 };
  for (let i = 0; i < labels.length; i++) {
    const positive = p(i) > threshold;
    if (labels[i] === 1) confusion[positive ? 'tp' : 'fn']++;
    else confusion[positive ? 'fp' : 'tn']++;
  }
  return confusion;
}

/** The probability that a positive picture gets a higher p than a negative one, ties counting half; null where
 *  a class is missing. Mann and Whitney's U over the number of pairs, from both classes sorted, so in n log n. */
export function rocAuc(p: Float64Array, labels: Uint8Array): number | null {
  return aucOf((i) => p[i]!, labels);
}

function aucOf(p: (i: number) => number, labels: Uint8Array): number | null {
  const [negatives, positives] = [0, 1].map((label) => sortedWhere(p, labels, label)) as [Float64Array, Float64Array];
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

function sortedWhere(p: (i: number) => number, labels: Uint8Array, label: number): Float64Array {
  let count = 0;
  for (const one of labels) if (one === label) count++;
  const out = new Float64Array(count);
  let at = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] === label) out[at++] = p(i);
  return out.sort();
}

function ratio(a: number, b: number): number | null {
  return b === 0 ? null : a / b;
}
