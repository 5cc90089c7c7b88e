import { UserError } from '../errors.ts';
import { type Gain, gainsOf, type Judged } from '../evaluation/gain.ts';
import { holm } from '../evaluation/paired.ts';
import type { Experiment, ExperimentResult } from '../results/experiments.ts';
import { type Answers, unpackAnswers, unpackBits } from '../training/answers.ts';
import type { Lab } from './lab.ts';
import { type Question, seedOf, trainingOf, weightsOf } from './question.ts';

/** What experiments say of treatments. */

/** The answers of an experiment; null where it has not run. A training that diverged knows nothing: it answers the class that is larger in train.
 *  @throws UserError (data) where the file holds answers for other pictures */
export function answersOf(question: Question, lab: Lab, job: Experiment): Answers | null {
  const result = lab.find(job);
  if (result === undefined) return null;
  const rows = job.division === 0 ? null : question.judgedRows(job.division);
  const labels = rows === null ? question.judgedLabels : Uint8Array.from(rows, (row) => question.labels[row]!);
  if (result.judged === null) return blindAnswers(question, labels);
  const answers = unpackAnswers(result.judged);
  if (answers?.right.length !== labels.length) throw damaged(labels.length, answers);
  return answers;
}

/** The same for test, with the labels that it was judged by. */
export function testAnswersOf(result: ExperimentResult): (Answers & { labels: Uint8Array }) | null {
  if (result.test === null) return null;
  const answers = unpackAnswers(result.test);
  const labels = answers && unpackBits(result.test.labels, answers.right.length);
  if (answers === null || labels === null) throw damaged(null, answers);
  return { ...answers, labels };
}

function damaged(expected: number | null, found: Answers | null): UserError {
  const pictures = expected === null ? 'answers' : `answers for ${expected} pictures`;
  const what = found === null ? 'none that can be read' : `some for ${found.right.length}`;
  return new UserError('data', `the experiments of the diagnosis: expected ${pictures}, found ${what}`, {
    hint: 'Diagnose anew, with another --output.',
  });
}

/** Of a network that sees nothing. */
export function blindAnswers({ labels, pictures: { train } }: Question, judged: Uint8Array): Answers {
  const share = labels.subarray(0, train).reduce((sum, label) => sum + label, 0) / train;
  const larger = share > 0.5 ? 1 : 0;
  return { p: new Float64Array(judged.length).fill(share), right: Uint8Array.from(judged, (label) => Number(label === larger)) };
}

/** How many of the first seeds have run with some changes. */
export function seedsDone(question: Question, lab: Lab, set: readonly string[]): number {
  let done = 0;
  while (lab.find(trainingOf(set, seedOf(question, done))) !== undefined) done++;
  return done;
}

/** Right answers of the first seeds, [seed][picture]. */
export function rightOf(question: Question, lab: Lab, set: readonly string[], seeds: number): Uint8Array[] {
  return Array.from({ length: seeds }, (_, i) => answersOf(question, lab, trainingOf(set, seedOf(question, i)))!.right);
}

/** The share of right answers, both classes alike where the question asks so. */
export function accuracyOf(question: Question, right: Uint8Array, labels: Uint8Array): number {
  const weights = weightsOf(labels, question);
  if (weights === undefined) return right.reduce((sum, one) => sum + one, 0) / right.length;
  return right.reduce((sum, one, i) => sum + one * weights[i]!, 0) / right.length;
}

export type Effect = 'helps' | 'hurts' | 'could be chance' | 'too few seeds';

/** How sure an effect must be. */
export const significance = 0.05;

/** What one treatment gains, and what is left of that where many are tried. */
export interface Judgement extends Gain {
  /** corrected for the number of treatments; null without p */
  corrected: number | null;
  effect: Effect;
  seeds: number;
}

/** Holds treatments against the config as it is, each with the seeds that both have, and corrects for their number.
 *  @param sets  of each the changes */
export function judge(question: Question, lab: Lab, sets: readonly (readonly string[])[]): Judgement[] {
  const judged = sets.map((set) => judgedWith(question, lab, set));
  const gains = gainsOf(judged);
  const tested = gains.filter(({ p }) => p !== null);
  const corrected = holm(tested.map(({ p }) => p!));
  return gains.map((gain, i) => {
    const own = gain.p === null ? null : corrected[tested.indexOf(gain)]!;
    return { ...gain, seeds: judged[i]!.baseline.length, corrected: own, effect: effectOf(gain, own) };
  });
}

/** What one more gains that was put together of those: it counts as one test more than all of them.
 *  @param others  the changes of those that were tried before */
export function judgeCombination(
  question: Question,
  lab: Lab,
  set: readonly string[],
  others: readonly (readonly string[])[],
): Judgement {
  const judged = [...others, set].map((one) => judgedWith(question, lab, one));
  const gain = gainsOf(judged).at(-1)!;
  const corrected = gain.p === null ? null : Math.min(1, gain.p * judged.length);
  return { ...gain, seeds: judged.at(-1)!.baseline.length, corrected, effect: effectOf(gain, corrected) };
}

function judgedWith(question: Question, lab: Lab, set: readonly string[]): Judged {
  const seeds = Math.min(seedsDone(question, lab, set), seedsDone(question, lab, []));
  const weights = weightsOf(question.judgedLabels, question);
  const [baseline, treatment] = [rightOf(question, lab, [], seeds), rightOf(question, lab, set, seeds)];
  return { baseline, treatment, ...(weights && { weights }) };
}

function effectOf({ gain, p }: Gain, corrected: number | null): Effect {
  if (p === null || corrected === null) return 'too few seeds';
  if (corrected >= significance) return 'could be chance';
  return gain > 0 ? 'helps' : 'hurts';
}
