import { assurance, leastAnswers, wantedAccuracy } from '../evaluation/abstention.ts';
import type { Evaluation } from '../results/evaluation.ts';
import type { Abstention } from '../results/metrics.ts';
import { count, percent, percentRange } from './table.ts';

/** What `nn predict --abstain` does, or why it can't, in words that go on after a colon. */
export function abstentionText(abstention: Abstention): string {
  const { confidence, pictures, answered, right } = abstention;
  if (confidence === null) return `not possible: ${withoutBound(abstention)}`;
  return `answers of a confidence of ${confidenceText(confidence)} or more are right at least ${share(wantedAccuracy)} of the time, with ${share(assurance)} assurance; on dev those are ${count(answered)} of ${count(pictures)}, ${count(right)} of them right`;
}

/** Why there is no bound. */
export function withoutBound({ pictures }: Abstention): string {
  if (pictures === 0) return 'there was no dev part that could tell';
  if (pictures < leastAnswers)
    return `dev has ${count(pictures)} pictures, and ${leastAnswers} right answers are the least that can tell`;
  return `of the ${count(pictures)} pictures of dev, even those of the most confident answers are not right often enough to tell`;
}

/** What abstaining would have made of the pictures that a model is evaluated on. */
export function abstainingText(
  { confidence, answered, accuracy, accuracyInterval }: NonNullable<Evaluation['abstaining']>,
  total: number,
): string {
  const rest =
    accuracy === null || accuracyInterval === null
      ? ''
      : `, ${percent(accuracy)} of them right (${percentRange(accuracyInterval)})`;
  return `nn predict --abstain would answer ${count(answered)} of these ${count(total)} pictures${rest}: those of a confidence of ${confidenceText(confidence)} or more.`;
}

const share = (value: number) => `${Math.round(100 * value)}%`;

/** With enough digits that it is not taken for 1. */
function confidenceText(confidence: number): string {
  return confidence > 0.9999 ? `1 − ${(1 - confidence).toPrecision(2)}` : confidence.toFixed(4);
}
