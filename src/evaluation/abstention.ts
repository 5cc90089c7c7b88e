import type { Abstention } from '../results/metrics.ts';
import { binomialTail } from './statistics.ts';

/** The share of answers that is to be right. */
export const wantedAccuracy = 0.95;
/** How sure that is to be: 1 − the probability that answers of the bound are right less often. */
export const assurance = 0.95;
/** The least number of answers, all right, that tells so much: 0.95ⁿ ≤ 0.05. */
export const leastAnswers = 59;

/**
 * The least confidence whose answers are right with the wanted accuracy, by tests in a fixed order: thresholds on a grid that no answer chose, from the
 * most confident down, each held against the binomial distribution, until the first that fails. Because every test stands before the next in an order
 * that no label chose, the whole errs no more often than one of them. The first is where a fixed share of the pictures is answered, since of fewer nothing can be said.
 * @param confidence  of each answer: p of the label that was given
 * @param correct  1 where the answer is right, else 0
 * @see Clopper & Pearson 1934; Geifman & El-Yaniv 2017; Angelopoulos et al. 2021, fixed sequence testing
 */
export function abstentionBound(confidence: Float64Array, correct: Uint8Array): Abstention {
  const pictures = confidence.length;
  const first = Math.max(leastAnswers, Math.ceil(pictures * firstShare));
  const found: Abstention = { confidence: null, unanswered: null, pictures, answered: 0, right: 0 };
  const order = Array.from(confidence.keys()).sort((a, b) => confidence[b]! - confidence[a]!);
  let [answered, right] = [0, 0];
  for (const threshold of grid) {
    const before = answered;
    while (answered < pictures && confidence[order[answered]!]! >= threshold) right += correct[order[answered++]!]!;
    if (answered < first || answered === before) continue; // too few, or the answers of the last test
    if (binomialTail(right, answered, wantedAccuracy) > 1 - assurance) break;
    Object.assign(found, { confidence: threshold, unanswered: 1 - answered / pictures, answered, right });
  }
  return found;
}

/** The first test is of this share of the pictures or more: of fewer, one wrong answer ends it too often. */
const firstShare = 1 / 3;

/** From 1 to 10 in twenty equal ratios. */
const steps = [1, 1.12, 1.26, 1.41, 1.58, 1.78, 2, 2.24, 2.51, 2.82, 3.16, 3.55, 3.98, 4.47, 5.01, 5.62, 6.31, 7.08, 7.94, 8.91];

/** Confidences from 1 down to 0. Those near 1 are dense, as those of a network are: 1 − c in equal ratios, then in half percents. */
const grid: readonly number[] = (() => {
  const doubts = [0];
  for (let power = 1e-16; power < 0.09; power *= 10) doubts.push(...steps.map((step) => power * step));
  for (let percent = 20; percent <= 200; percent++) doubts.push(percent / 200);
  return doubts.map((doubt) => 1 - doubt);
})();
