import { leastSeeds } from '../evaluation/gain.ts';
import type { Experiment } from '../results/experiments.ts';
import type { Arm, LeftOut } from './arms.ts';
import { accuracyOf, rightOf, seedsDone } from './evidence.ts';
import { type Options, ofSeeds, roomOf, runTrainings, secondsOf, secondsToMeasureAgain, wallSeconds } from './run-trainings.ts';
import { seedOf, trainingOf } from './setup.ts';
import type { Phase } from './time-plan.ts';

/** Which treatments are tried, where there is no time for all of them. */

/** As many treatments are tried as there is time for with so many seeds each: some of them fall behind and need no more. */
export const seedsToBegin = 4;

export interface Candidates {
  /** tried, with one seed at least */
  arms: Arm[];
  /** of them, those that get more seeds */
  lasting: Arm[];
  /** those that there is no time for */
  late: Arm[];
  leftOut: LeftOut[];
}

/** Those that there is time for, plain ones first: for their seeds, and to be measured again at the end. Where that leaves some out, more of them are tried
 *  with one seed each, and the others go to those that gained most by it: a dear remedy may be the one that helps. */
export async function candidates(
  options: Options,
  { arms, leftOut }: Pick<Candidates, 'arms' | 'leftOut'>,
  phase: Phase,
): Promise<Candidates> {
  const { setup, time } = options;
  if (!time.isLimited) return { arms, lasting: arms, late: [], leftOut };
  const seeds = setup.seeds ?? seedsToBegin;
  const whole = fitting(options, arms, { seeds, phase });
  // whoever gains most by one seed, be it the dearest, is to have enough of them for an interval
  const once = whole.length === arms.length ? whole : fitting(options, arms, { seeds: 1, phase, seedsOfOne: leastSeeds });
  if (once.length <= whole.length)
    return { arms: whole, lasting: whole, ...leavingOut(options, { arms, leftOut }, { of: whole, seeds }) };
  const seed = seedOf(setup, 0);
  await runTrainings(options, phase, [trainingOf([], seed), ...once.map(({ set }) => trainingOf(set, seed))]);
  const tried = once.filter(({ set }) => seedsDone(setup, options.experiments, set) > 0);
  const lasting = fitting(options, byFirstSeed(options, tried), { seeds: Math.min(seeds, leastSeeds), phase });
  return { arms: tried, lasting, ...leavingOut(options, { arms, leftOut }, { of: tried, seeds: 1 }) };
}

/** Arms that a phase has time for with so many seeds each, as many of the first as possible.
 *  @param of.seedsOfOne  that the dearest of them is to have in any case */
function fitting(
  options: Options,
  arms: readonly Arm[],
  { seeds, phase, seedsOfOne = seeds }: { seeds: number; phase: Phase; seedsOfOne?: number },
): Arm[] {
  const { setup, time } = options;
  const room = roomOf(options, phase);
  const jobsOf = (set: readonly string[], to: number, from = 0): Experiment[] =>
    ofSeeds(setup, to, from).map((seed) => trainingOf(set, seed));
  const secondsOfOne = (set: readonly string[]) => secondsOf(options, { set, share: 1 });
  // what the meter leaves where something is to be measured again
  const mostAgain = phase === 'more' ? room : time.own('meter') + time.own('final');
  const jobs = jobsOf([], Math.max(seeds, seedsOfOne));
  let dearest: readonly string[] = [];
  return arms.filter((arm) => {
    const own = jobsOf(arm.set, seeds);
    const dear = secondsOfOne(arm.set) > secondsOfOne(dearest) ? arm.set : dearest;
    const wall = wallSeconds(options, [...jobs, ...own, ...jobsOf(dear, Math.max(seeds, seedsOfOne), seeds)]);
    const fits = wall <= room && secondsToMeasureAgain(options, arm.set) <= mostAgain;
    if (!fits) return false;
    jobs.push(...own);
    dearest = dear;
    return true;
  });
}

/** The largest gain by the first seed first. */
function byFirstSeed({ setup, experiments }: Pick<Options, 'setup' | 'experiments'>, arms: readonly Arm[]): Arm[] {
  const accuracy = ({ set }: Arm) => accuracyOf(setup, rightOf(setup, experiments, set, 1)[0]!, setup.evaluationLabels);
  return arms.toSorted((a, b) => accuracy(b) - accuracy(a));
}

/** What there is no time for. @param tried.of  what there is time for, with so many seeds */
function leavingOut(
  options: Options,
  { arms, leftOut }: Pick<Candidates, 'arms' | 'leftOut'>,
  { of, seeds }: { of: readonly Arm[]; seeds: number },
): Pick<Candidates, 'late' | 'leftOut'> {
  const late = arms.filter((arm) => !of.includes(arm));
  const reasons = late.map(({ treatment: { id, title }, set }) => {
    const each = durationText(secondsOf(options, { set, share: 1 }));
    return { id, title, reason: `no time: ${seeds === 1 ? 'a training' : `${seeds} trainings`} of about ${each}` };
  });
  return { late, leftOut: [...leftOut, ...reasons] };
}

const durationText = (seconds: number) =>
  seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} minutes`;
