import { leastSeeds, raceDecision } from '../evaluation/gain.ts';
import { chooseByHalves } from '../evaluation/honest-gain.ts';
import type { Experiment } from '../results/experiments.ts';
import { type Arm, configWith, type LeftOut, possibleArms } from './arms.ts';
import { type Candidates, candidates, seedsToBegin } from './candidates.ts';
import { accuracyOf, type Comparison, compareAll, compareTreatments, rightOf, seedsDone } from './evidence.ts';
import type { Experiments } from './experiments.ts';
import { type Options, ofSeeds, roomOf, runTrainings, secondsToMeasureAgain, wallSeconds } from './run-trainings.ts';
import { type DiagnosisSetup, freshSeedOf, seedOf, trainingOf, weightsOf } from './setup.ts';
import type { Phase } from './time-plan.ts';
import { combinationTitle, combined, promisingTitle, treatments } from './treatments.ts';

/** The experiments of a diagnosis, in order. What is run depends on results alone, and on time where that is limited: who goes on from an
 *  earlier session, or merges those of several machines, comes to the same. */

/** Seeds of the config and of every treatment, where none are asked for. Where seeds differ strongly, ten points on 300 pictures are found by three of them once in four times,
 *  by five three times in four (docs/diagnose.md). */
const ordinarySeeds = 5;
/** More seeds than this are for who asks for them. */
const mostSeeds = 10;
export const curveShares = [1 / 8, 1 / 4, 1 / 2] as const;
/** A network that trains on fewer pictures says nothing of more. */
const leastOfShare = 8;
const otherDivisions = 20;

/** What is to be held against the config as it is, with fresh seeds. */
export interface Proposal {
  arm: Arm;
  /** what each half of the pictures that judge would have chosen; null where nothing is better there than the config as it is */
  chosen: readonly [Arm | null, Arm | null];
}

export interface Findings {
  arms: Arm[];
  combination: Arm | null;
  leftOut: LeftOut[];
  proposal: Proposal | null;
  /** seeds of the last trainings */
  freshSeeds: number;
  /** what there was no time for, in sentences */
  undone: string[];
}

export async function diagnose(options: Options): Promise<Findings> {
  const { setup, experiments, time } = options;
  const undone: string[] = [];
  const seeds = setup.seeds ?? ordinarySeeds;
  await baseline(options, Math.min(seeds, leastSeeds));
  const first = await candidates(options, possibleArms(options), 'treatments');
  await rounds(options, { arms: first.lasting, phase: 'treatments' }, undone);
  const early = await combine(options, { arms: first.arms, phase: 'combination', of: helping }, undone);
  await curve(options, undone);
  await divisions(options, { reserve: secondsOfProposal(options, { arms: first.arms, combination: early }) }, undone);
  const { arms, leftOut } = await tryMore(options, first, undone);
  const combination = early ?? (await combineLate(options, { arms, isMore: arms.length > first.arms.length }, undone));
  const all = combination === null ? arms : [...arms, combination];
  const proposal = propose(options, all, compareAll(setup, experiments, { arms, combination }));
  const freshSeeds = proposal === null ? 0 : await measureAgain(options, { proposal, seeds }, undone);
  if (time.isLimited && arms.length === 0)
    undone.push('No remedy was tried: so few minutes are too short for one. Give it more --minutes.');
  return { arms, combination, leftOut, proposal, freshSeeds, undone };
}

/** The trainings that depend on no result: what several machines may divide among them. */
export function fixedExperiments(options: Pick<Options, 'setup' | 'refusal'>): Experiment[] {
  const { setup } = options;
  const seeds = setup.seeds ?? ordinarySeeds;
  const { arms } = possibleArms(options);
  const sets = [[], ...arms.map(({ set }) => set)];
  return [
    ...ofSeeds(setup, seeds).flatMap((seed) => sets.map((set) => trainingOf(set, seed))),
    ...curveExperiments(setup, seeds),
    ...divisionExperiments(setup),
  ];
}

async function baseline(options: Options, seeds: number): Promise<void> {
  const { setup, experiments, begins } = options;
  const jobs = ofSeeds(setup, seeds).map((seed) => trainingOf([], seed));
  const open = jobs.filter((job) => experiments.find(job) === undefined);
  if (open.length === 0) return;
  begins('baseline', open.length);
  await experiments.run(open);
}

/** Where nothing helps there is nothing to measure again: the time for that goes to what was left out. */
async function tryMore(options: Options, first: Candidates, undone: string[]): Promise<Pick<Candidates, 'arms' | 'leftOut'>> {
  const { setup, experiments } = options;
  const sets = first.arms.map(({ set }) => set);
  const isHelped = compareTreatments(setup, experiments, sets).some(({ effect }) => effect === 'helps');
  if (isHelped || first.late.length === 0) return first;
  const more = await candidates(options, { arms: first.late, leftOut: [] }, 'more');
  if (more.lasting.length > 0) await rounds(options, { arms: more.lasting, phase: 'more' }, undone);
  const stillOut = new Set(more.late.map(({ treatment }) => treatment.id));
  const isLate = ({ id }: LeftOut) => first.late.some(({ treatment }) => treatment.id === id) && !stillOut.has(id);
  return { arms: [...first.arms, ...more.arms], leftOut: first.leftOut.filter((one) => !isLate(one)) };
}

/** What the last trainings will take, of what helps until now. */
function secondsOfProposal(options: Options, found: { arms: readonly Arm[]; combination: Arm | null }): number {
  const { setup, experiments } = options;
  const all = found.combination === null ? found.arms : [...found.arms, found.combination];
  const proposal = propose(options, all, compareAll(setup, experiments, found));
  return proposal === null ? 0 : secondsToMeasureAgain(options, proposal.arm.set);
}

/** All treatments with one seed after the other. Who can't win any more gets no more seeds. */
async function rounds(
  options: Options,
  { arms, phase }: { arms: readonly Arm[]; phase: Phase },
  undone: string[],
): Promise<void> {
  const { setup, experiments, time } = options;
  // what is tried late gets no more seeds than it was given time for: the rest is for measuring again
  const ofTime = phase === 'more' ? seedsToBegin : mostSeeds;
  const most = setup.seeds ?? (time.isLimited ? ofTime : ordinarySeeds);
  let alive = [...arms];
  for (let round = 0; round < most; round++) {
    const seed = seedOf(setup, round);
    const jobs = [trainingOf([], seed), ...alive.map(({ set }) => trainingOf(set, seed))];
    const isExtra = setup.seeds === null && round >= leastSeeds;
    if (time.isLimited && isExtra && wallSeconds(options, jobs) > roomOf(options, phase)) break;
    await runTrainings(options, phase, jobs);
    const behind = alive.filter(({ set }) => seedsDone(setup, experiments, set) <= round);
    if (behind.length > 0 && !isExtra)
      undone.push(`After ${plural(round, 'seed')} there was no time for more of: ${titles(behind)}.`);
    if (seedsDone(setup, experiments, []) <= round) break;
    alive = alive.filter((arm) => !behind.includes(arm));
    if (setup.isRaced && round + 1 >= leastSeeds && round + 1 < most)
      alive = stillRacing(setup, experiments, alive, round + 1, most);
  }
}

const plural = (n: number, one: string) => `${n} ${one}${n === 1 ? '' : 's'}`;
const titles = (arms: readonly Arm[]) => arms.map(({ treatment }) => treatment.title).join(', ');

/** Of treatments that are ahead of the config, those that may still be the best of all, or that help as it looks, and so may be part of what helps
 *  together. Who is dropped is called helpful by no later seed: the test of those that stay is none the laxer for it. */
function stillRacing(setup: DiagnosisSetup, experiments: Experiments, arms: Arm[], seeds: number, most: number): Arm[] {
  const ofSet = (set: readonly string[]) =>
    rightOf(setup, experiments, set, seeds).map((right) => accuracyOf(setup, right, setup.evaluationLabels));
  const accuracies = [ofSet([]), ...arms.map(({ set }) => ofSet(set))];
  const [, ...mayBeBest] = raceDecision({ accuracies, decisions: most - leastSeeds });
  const comparisons = compareTreatments(
    setup,
    experiments,
    arms.map(({ set }) => set),
  );
  return arms.filter((_, i) => {
    const { gain, p } = comparisons[i]!;
    return gain > 0 && (mayBeBest[i] || (p !== null && p < promising));
  });
}

/** Uncorrected: for what is to be tried further. */
export const promising = 0.2;

/** Treatments that are put together, and what that is called. */
interface Combining {
  title: string;
  takes(comparison: Comparison): boolean;
}
const helping: Combining = { title: combinationTitle, takes: ({ effect }) => effect === 'helps' };
/** None helps beyond chance: together they may gain enough to be told from it. It is one try more, and counts as one. */
const looking: Combining = { title: promisingTitle, takes: ({ gain, p }) => gain > 0 && p !== null && p < promising };

/** With what was tried late; and, where nothing helps by itself, of what looks best. */
async function combineLate(
  options: Options,
  { arms, isMore }: { arms: readonly Arm[]; isMore: boolean },
  undone: string[],
): Promise<Arm | null> {
  const { setup, experiments } = options;
  const sets = arms.map(({ set }) => set);
  const isHelped = compareTreatments(setup, experiments, sets).some(helping.takes);
  if (!isHelped) return combine(options, { arms, phase: 'more', of: looking }, undone);
  return isMore ? combine(options, { arms, phase: 'more', of: helping }, undone) : null;
}

/** Several at once, one of each group, where that is more than one. */
async function combine(
  options: Options,
  { arms, phase, of }: { arms: readonly Arm[]; phase: Phase; of: Combining },
  undone: string[],
): Promise<Arm | null> {
  const { setup, experiments, refusal, time } = options;
  const sets = arms.map(({ set }) => set);
  const comparisons = compareTreatments(setup, experiments, sets);
  const helpful = arms
    .map((arm, i) => ({ arm, ...comparisons[i]! }))
    .filter(of.takes)
    .sort((a, b) => b.gain - a.gain);
  const parts = helpful.map(({ arm }) => treatments.find(({ id }) => id === arm.treatment.id)!);
  const { config } = setup.loaded;
  const set = combined(config, parts, setup.setting, (changes) => configWith(setup, changes));
  const groups = new Set(parts.map(({ group }) => group));
  if (groups.size < 2) return null;
  const ids = [...groups].map((group) => parts.find((part) => part.group === group)!.id);
  const arm: Arm = {
    treatment: {
      id: 'combination',
      title: of.title,
      why: `${titles(helpful.map(({ arm }) => arm))}.`,
      family: parts[0]!.family,
    },
    set,
    parts: ids,
  };
  if (refusal(configWith(setup, set)) !== null) return null;
  const seeds = seedsDone(setup, experiments, []);
  const jobs = ofSeeds(setup, seeds).map((seed) => trainingOf(set, seed));
  if (time.isLimited && wallSeconds(options, jobs) > roomOf(options, phase)) {
    undone.push(`There was no time to try ${of.title}.`);
    return null;
  }
  await runTrainings(options, phase, jobs);
  return seedsDone(setup, experiments, set) >= Math.min(leastSeeds, seeds) ? arm : null;
}

function curveExperiments(setup: DiagnosisSetup, seeds: number): Experiment[] {
  const { train } = setup.pictures;
  const shares = curveShares.filter((share) => share * train >= leastOfShare);
  // small shares first: a curve needs those most
  return shares.flatMap((share) => ofSeeds(setup, seeds).map((seed) => ({ ...trainingOf([], seed), share })));
}

async function curve(options: Options, undone: string[]): Promise<void> {
  const { setup, experiments } = options;
  const jobs = curveExperiments(setup, Math.min(seedsDone(setup, experiments, []), setup.seeds ?? ordinarySeeds));
  await runTrainings(options, 'curve', jobs);
  const missing = jobs.filter((job) => experiments.find(job) === undefined).length;
  if (missing > 0) undone.push(`${missing} of ${jobs.length} trainings of the learning curve.`);
}

export function divisionExperiments(setup: DiagnosisSetup): Experiment[] {
  if (!setup.isDivisible) return [];
  return Array.from({ length: otherDivisions }, (_, i) => ({ ...trainingOf([], seedOf(setup, 0)), division: i + 1 }));
}

async function divisions(options: Options, { reserve }: { reserve: number }, undone: string[]): Promise<void> {
  const { setup, experiments } = options;
  const jobs = divisionExperiments(setup);
  if (jobs.length === 0) undone.push('Other divisions: the pictures are more than memory should hold.');
  await runTrainings(options, 'meter', jobs, reserve);
  const missing = jobs.filter((job) => experiments.find(job) === undefined).length;
  if (missing > 0) undone.push(`${missing} of ${jobs.length} other divisions.`);
}

/** The best of what helps beyond chance; and what each half of the pictures would have chosen of all. */
function propose({ setup, experiments }: Options, arms: readonly Arm[], comparisons: readonly Comparison[]): Proposal | null {
  const helpful = arms.map((arm, i) => ({ arm, ...comparisons[i]! })).filter(({ effect }) => effect === 'helps');
  if (helpful.length === 0) return null;
  const { arm } = helpful.reduce((best, one) => (one.gain > best.gain ? one : best));
  const judged = arms.filter((_, i) => comparisons[i]!.seeds >= leastSeeds);
  const seeds = Math.min(...judged.map(({ set }) => seedsDone(setup, experiments, set)), seedsDone(setup, experiments, []));
  const weights = weightsOf(setup.evaluationLabels, setup);
  const { chosen } = chooseByHalves(setup.half, {
    baseline: rightOf(setup, experiments, [], seeds),
    treatments: judged.map(({ set }) => rightOf(setup, experiments, set, seeds)),
    ...(weights && { weights }),
  });
  const armOf = (index: number | null) => (index === null ? null : judged[index]!);
  return { arm, chosen: [armOf(chosen[0]), armOf(chosen[1])] };
}

/** The config and the proposal with seeds that chose nothing, on test too, which nothing has read before; and what the halves chose.
 *  @returns seeds that both have */
async function measureAgain(
  options: Options,
  { proposal, seeds }: { proposal: Proposal; seeds: number },
  undone: string[],
): Promise<number> {
  const { setup, experiments } = options;
  const freshSeeds = Array.from({ length: seeds }, (_, i) => freshSeedOf(setup, i));
  const { hasTest } = setup;
  const last = freshSeeds.flatMap((seed) =>
    [[], proposal.arm.set].map((set) => ({ ...trainingOf(set, seed), readsTest: hasTest })),
  );
  await runTrainings(options, 'final', last);
  const others = proposal.chosen.flatMap((arm) => (arm === null || arm.treatment.id === proposal.arm.treatment.id ? [] : [arm]));
  const again = freshSeeds.flatMap((seed) => others.map(({ set }) => trainingOf(set, seed)));
  await runTrainings(options, 'final', again);
  const isDone = (job: Experiment) => experiments.find(job) !== undefined;
  const done = freshSeeds.findIndex((_, i) => !last.slice(2 * i, 2 * i + 2).every(isDone));
  if (done >= 0) undone.push(`Only ${done} of ${seeds} fresh seeds, by which the proposal is measured again.`);
  if (!again.every(isDone)) undone.push('There was no time to measure by fresh seeds what half of the pictures chose.');
  return done < 0 ? seeds : done;
}
