import { checkConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { UserError } from '../errors.ts';
import { leastSeeds, raceDecision } from '../evaluation/gain.ts';
import { chooseByHalves } from '../evaluation/honest-gain.ts';
import type { Experiment } from '../results/experiments.ts';
import { durationOf, timesOfOneMore } from '../training/work.ts';
import { accuracyOf, type Comparison, compareAll, compareTreatments, rightOf, seedsDone } from './evidence.ts';
import type { Experiments } from './experiments.ts';
import { type DiagnosisSetup, freshSeedOf, seedOf, trainingOf, weightsOf } from './setup.ts';
import type { Phase, TimePlan } from './time-plan.ts';
import { changesOf, combinationTitle, combined, promisingTitle, type Treatment, treatments } from './treatments.ts';

/** The experiments of a diagnosis, in order. What is run depends on results alone, and on time where that is limited: who goes on from an
 *  earlier session, or merges those of several machines, comes to the same. */

/** Seeds of the config and of every treatment, where none are asked for. By three, ten points on 300 pictures are found once in three to five times, by
 *  five nearly always (docs/diagnose.md). */
const ordinarySeeds = 5;
/** As many treatments are tried as there is time for with so many seeds each: some of them fall behind and need no more. */
const seedsToBegin = 4;
/** More seeds than this are for who asks for them. */
const mostSeeds = 10;
export const curveShares = [1 / 8, 1 / 4, 1 / 2] as const;
/** A network that trains on fewer pictures says nothing of more. */
const leastOfShare = 8;
const otherDivisions = 20;

/** Something that is tried. */
export interface Arm {
  treatment: Omit<Treatment, 'set' | 'group'>;
  set: string[];
  /** the treatments that a combination is made of; one for each other */
  parts: string[];
}

/** What is to be held against the config as it is, with fresh seeds. */
export interface Proposal {
  arm: Arm;
  /** what each half of the pictures that judge would have chosen; null where nothing is better there than the config as it is */
  chosen: readonly [Arm | null, Arm | null];
}

export interface Findings {
  arms: Arm[];
  combination: Arm | null;
  leftOut: { id: string; title: string; reason: string }[];
  proposal: Proposal | null;
  /** seeds of the last trainings */
  freshSeeds: number;
  /** what there was no time for, in sentences */
  undone: string[];
}

export interface Options {
  setup: DiagnosisSetup;
  experiments: Experiments;
  time: TimePlan;
  /** told of each phase with how many trainings it is at most */
  begins(phase: Phase | 'baseline', trainings: number): void;
  /** whether the config with some changes can be trained; else why not */
  refusal(config: Config): string | null;
}

export async function diagnose(options: Options): Promise<Findings> {
  const { setup, experiments, time } = options;
  const undone: string[] = [];
  const seeds = setup.seeds ?? ordinarySeeds;
  await baseline(options, Math.min(seeds, leastSeeds));
  const first = await candidates(options, possible(options), 'treatments');
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
  const { arms } = possible(options);
  const sets = [[], ...arms.map(({ set }) => set)];
  return [
    ...ofSeeds(setup, seeds).flatMap((seed) => sets.map((set) => trainingOf(set, seed))),
    ...curveExperiments(setup, seeds),
    ...divisionExperiments(setup),
  ];
}

const ofSeeds = (setup: DiagnosisSetup, seeds: number, from = 0) =>
  Array.from({ length: seeds - from }, (_, i) => seedOf(setup, from + i));

/** Seconds of one more training: measured, else by what is counted of it beside the config as it is. */
function secondsOf(
  { setup, experiments }: Pick<Options, 'setup' | 'experiments'>,
  { set, share }: { set: readonly string[]; share: number },
): number {
  const own = experiments.moreSecondsOf(set);
  if (own !== null) return own * share;
  const { config } = setup.loaded;
  return (experiments.moreSecondsOf([]) ?? 0) * timesOfOneMore(config, set, setup.pictures) * share;
}

/** Seconds that trainings take together, on all workers. */
function wallSeconds(options: Options, jobs: readonly Experiment[]): number {
  const open = jobs.filter((job) => options.experiments.find(job) === undefined).map((job) => secondsOf(options, job));
  const sum = open.reduce((total, seconds) => total + seconds, 0);
  return Math.max(sum / options.experiments.jobs, ...open, 0);
}

/** @param reserve  seconds at the end that are kept for what is more important */
async function run(options: Options, phase: Phase, jobs: readonly Experiment[], reserve = 0): Promise<void> {
  const { experiments, time, begins } = options;
  const open = jobs.filter((job) => experiments.find(job) === undefined);
  if (open.length === 0) return;
  begins(phase, open.length);
  const left = () => Math.min(time.left(phase), time.left('final') - reserve);
  await experiments.run(open, (job) => !time.isLimited || secondsOf(options, job) <= left());
}

async function baseline(options: Options, seeds: number): Promise<void> {
  const { setup, experiments, begins } = options;
  const jobs = ofSeeds(setup, seeds).map((seed) => trainingOf([], seed));
  const open = jobs.filter((job) => experiments.find(job) === undefined);
  if (open.length === 0) return;
  begins('baseline', open.length);
  await experiments.run(open);
}

type LeftOut = Findings['leftOut'][number];

/** Every treatment that changes something, and can be trained. */
function possible({ setup, refusal }: Pick<Options, 'setup' | 'refusal'>): { arms: Arm[]; leftOut: LeftOut[] } {
  const { config } = setup.loaded;
  const leftOut: LeftOut[] = [];
  const arms = treatments.flatMap((treatment): Arm[] => {
    const { id, title, why, family } = treatment;
    const set = changesOf(config, setup.setting, treatment.set);
    if (set === null) return [];
    const reason = refusal(configWith(setup, set)) ?? (setup.isTimed ? null : tooLong(setup, set));
    if (reason === null) return [{ treatment: { id, title, why, family }, set, parts: [id] }];
    leftOut.push({ id, title, reason });
    return [];
  });
  return { arms, leftOut };
}

/** Without a limit of time nobody waits for one remedy longer than for all others together. */
const mostTimesAsLong = 25;

function tooLong({ loaded: { config }, pictures }: DiagnosisSetup, set: readonly string[]): string | null {
  const { timesAsLong } = durationOf(config, set, pictures, config.training.epochs);
  if (timesAsLong === null || timesAsLong <= mostTimesAsLong) return null;
  return `a training takes about ${Math.round(timesAsLong)} times as long: with --minutes it is tried where it fits`;
}

function configWith({ loaded: { config, file } }: DiagnosisSetup, set: readonly string[]): Config {
  const { search: _, ...rest } = config;
  return checkConfig(rest, file, set);
}

interface Candidates {
  /** tried, with one seed at least */
  arms: Arm[];
  /** of them, those that get more seeds */
  lasting: Arm[];
  /** those that there is no time for */
  late: Arm[];
  leftOut: LeftOut[];
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

/** Seconds for the trainings of treatments in a phase: in the last one half of what is left, since what helps is to be measured again. */
const roomOf = ({ time }: Pick<Options, 'time'>, phase: Phase) => (phase === 'more' ? time.left(phase) / 2 : time.left(phase));

/** Those that there is time for, plain ones first: for their seeds, and to be measured again at the end. Where that leaves some out, more of them are tried
 *  with one seed each, and the others go to those that gained most by it: a dear remedy may be the one that helps. */
async function candidates(
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
  await run(options, phase, [trainingOf([], seed), ...once.map(({ set }) => trainingOf(set, seed))]);
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
    const fits = wall <= room && secondsToMeasureAgain(options, arm) <= mostAgain;
    if (!fits) return false;
    jobs.push(...own);
    dearest = dear;
    return true;
  });
}

/** For the least seeds of the config and of what would be proposed. */
const secondsToMeasureAgain = (options: Options, { set }: Pick<Arm, 'set'>): number =>
  (leastSeeds * (secondsOf(options, { set, share: 1 }) + secondsOf(options, { set: [], share: 1 }))) / options.experiments.jobs;

/** What the last trainings will take, of what helps until now. */
function secondsOfProposal(options: Options, found: { arms: readonly Arm[]; combination: Arm | null }): number {
  const { setup, experiments } = options;
  const all = found.combination === null ? found.arms : [...found.arms, found.combination];
  const proposal = propose(options, all, compareAll(setup, experiments, found));
  return proposal === null ? 0 : secondsToMeasureAgain(options, proposal.arm);
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
    await run(options, phase, jobs);
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
const promising = 0.2;

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
  await run(options, phase, jobs);
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
  await run(options, 'curve', jobs);
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
  await run(options, 'meter', jobs, reserve);
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
  await run(options, 'final', last);
  const others = proposal.chosen.flatMap((arm) => (arm === null || arm.treatment.id === proposal.arm.treatment.id ? [] : [arm]));
  const again = freshSeeds.flatMap((seed) => others.map(({ set }) => trainingOf(set, seed)));
  await run(options, 'final', again);
  const isDone = (job: Experiment) => experiments.find(job) !== undefined;
  const done = freshSeeds.findIndex((_, i) => !last.slice(2 * i, 2 * i + 2).every(isDone));
  if (done >= 0) undone.push(`Only ${done} of ${seeds} fresh seeds, by which the proposal is measured again.`);
  if (!again.every(isDone)) undone.push('There was no time to measure by fresh seeds what half of the pictures chose.');
  return done < 0 ? seeds : done;
}

/** @returns why a config can't be trained; null where it can. @param check  throws a UserError where it can't */
export function refusalBy(check: (config: Config) => void): Options['refusal'] {
  return (config) => {
    try {
      check(config);
      return null;
    } catch (error) {
      if (error instanceof UserError) return error.lines[0]!;
      throw error;
    }
  };
}
