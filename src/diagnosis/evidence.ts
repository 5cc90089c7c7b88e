import { UserError } from '../errors.ts';
import { type Gain, gainsOf, type Judged } from '../evaluation/gain.ts';
import { holm } from '../evaluation/paired.ts';
import type { Experiment, ExperimentResult } from '../results/experiments.ts';
import { type Answers, unpackAnswers, unpackBits } from '../training/answers.ts';
import type { Experiments } from './experiments.ts';
import { type DiagnosisSetup, seedOf, trainingOf, weightsOf } from './setup.ts';

/** What experiments say of treatments. */

/** The answers of an experiment; null where it has not run. A training that diverged knows nothing: it answers the class that is larger in train.
 *  @throws UserError (data) where the file holds answers for other pictures */
export function answersOf(setup: DiagnosisSetup, experiments: Experiments, job: Experiment): Answers | null {
  const result = experiments.find(job);
  if (result === undefined) return null;
  const rows = job.division === 0 ? null : setup.evaluationRows(job.division);
  const labels = rows === null ? setup.evaluationLabels : Uint8Array.from(rows, (row) => setup.labels[row]!);
  if (result.judged === null) return blindAnswers(setup, labels);
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
export function blindAnswers({ labels, pictures: { train } }: DiagnosisSetup, judged: Uint8Array): Answers {
  const share = labels.subarray(0, train).reduce((sum, label) => sum + label, 0) / train;
  const larger = share > 0.5 ? 1 : 0;
  return { p: new Float64Array(judged.length).fill(share), right: Uint8Array.from(judged, (label) => Number(label === larger)) };
}

/** How many of the first seeds have run with some changes. */
export function seedsDone(setup: DiagnosisSetup, experiments: Experiments, set: readonly string[]): number {
  let done = 0;
  while (experiments.find(trainingOf(set, seedOf(setup, done))) !== undefined) done++;
  return done;
}

/** Right answers of the first seeds, [seed][picture]. */
export function rightOf(setup: DiagnosisSetup, experiments: Experiments, set: readonly string[], seeds: number): Uint8Array[] {
  return Array.from({ length: seeds }, (_, i) => answersOf(setup, experiments, trainingOf(set, seedOf(setup, i)))!.right);
}

/** The share of right answers, both classes alike where the setup says so. */
export function accuracyOf(setup: DiagnosisSetup, right: Uint8Array, labels: Uint8Array): number {
  const weights = weightsOf(labels, setup);
  if (weights === undefined) return right.reduce((sum, one) => sum + one, 0) / right.length;
  return right.reduce((sum, one, i) => sum + one * weights[i]!, 0) / right.length;
}

export type Effect = 'helps' | 'hurts' | 'could be chance' | 'too few seeds';

/** How sure an effect must be. */
export const significance = 0.05;

/** What one treatment gains, and what is left of that where many are tried. */
export interface Comparison extends Gain {
  /** corrected for the number of treatments; null without p */
  corrected: number | null;
  effect: Effect;
  seeds: number;
}

/** Holds treatments against the config as it is, each with the seeds that both have, and corrects for their number.
 *  @param sets  of each the changes */
export function compareTreatments(
  setup: DiagnosisSetup,
  experiments: Experiments,
  sets: readonly (readonly string[])[],
): Comparison[] {
  const judged = sets.map((set) => judgedWith(setup, experiments, set));
  const gains = gainsOf(judged);
  const tested = gains.filter(({ p }) => p !== null);
  // what fell behind before it had a p was chosen from, too
  const unknown = gains.filter(({ p }) => p === null).map(() => 1);
  const corrected = holm([...tested.map(({ p }) => p!), ...unknown]);
  return gains.map((gain, i) => {
    const own = gain.p === null ? null : corrected[tested.indexOf(gain)]!;
    return { ...gain, seeds: judged[i]!.baseline.length, corrected: own, effect: effectOf(gain, own) };
  });
}

/** The same, and behind it what their combination gains, if there is one: it counts as one test more than all of them. */
export function compareAll(
  setup: DiagnosisSetup,
  experiments: Experiments,
  { arms, combination }: { arms: readonly { set: readonly string[] }[]; combination: { set: readonly string[] } | null },
): Comparison[] {
  const sets = arms.map(({ set }) => set);
  const comparisons = compareTreatments(setup, experiments, sets);
  if (combination === null) return comparisons;
  const judged = [...sets, combination.set].map((set) => judgedWith(setup, experiments, set));
  const gain = gainsOf(judged).at(-1)!;
  const corrected = gain.p === null ? null : Math.min(1, gain.p * judged.length);
  return [...comparisons, { ...gain, seeds: judged.at(-1)!.baseline.length, corrected, effect: effectOf(gain, corrected) }];
}

function judgedWith(setup: DiagnosisSetup, experiments: Experiments, set: readonly string[]): Judged {
  const seeds = Math.min(seedsDone(setup, experiments, set), seedsDone(setup, experiments, []));
  const weights = weightsOf(setup.evaluationLabels, setup);
  const [baseline, treatment] = [rightOf(setup, experiments, [], seeds), rightOf(setup, experiments, set, seeds)];
  return { baseline, treatment, ...(weights && { weights }) };
}

function effectOf({ gain, p }: Gain, corrected: number | null): Effect {
  if (p === null || corrected === null) return 'too few seeds';
  if (corrected >= significance) return 'could be chance';
  return gain > 0 ? 'helps' : 'hurts';
}
