import type { Config } from '../config/schema.ts';
import { leastSeeds } from '../evaluation/gain.ts';
import type { Experiment } from '../results/experiments.ts';
import { timesOfOneMore } from '../training/work.ts';
import type { Experiments } from './experiments.ts';
import { type DiagnosisSetup, seedOf } from './setup.ts';
import type { Phase, TimePlan } from './time-plan.ts';

/** Trainings of a diagnosis, within the time that there is. */

export interface Options {
  setup: DiagnosisSetup;
  experiments: Experiments;
  time: TimePlan;
  /** told of each phase with how many trainings it is at most */
  begins(phase: Phase | 'baseline', trainings: number): void;
  /** whether the config with some changes can be trained; else why not */
  refusal(config: Config): string | null;
}

export const ofSeeds = (setup: DiagnosisSetup, seeds: number, from = 0) =>
  Array.from({ length: seeds - from }, (_, i) => seedOf(setup, from + i));

/** Seconds of one more training: measured, else by what is counted of it beside the config as it is. */
export function secondsOf(
  { setup, experiments }: Pick<Options, 'setup' | 'experiments'>,
  { set, share }: { set: readonly string[]; share: number },
): number {
  const own = experiments.moreSecondsOf(set);
  if (own !== null) return own * share;
  const { config } = setup.loaded;
  return (experiments.moreSecondsOf([]) ?? 0) * timesOfOneMore(config, set, setup.pictures) * share;
}

/** Seconds that trainings take together, on all workers. */
export function wallSeconds(options: Options, jobs: readonly Experiment[]): number {
  const open = jobs.filter((job) => options.experiments.find(job) === undefined).map((job) => secondsOf(options, job));
  const sum = open.reduce((total, seconds) => total + seconds, 0);
  return Math.max(sum / options.experiments.jobs, ...open, 0);
}

/** @param reserve  seconds at the end that are kept for what is more important */
export async function runTrainings(options: Options, phase: Phase, jobs: readonly Experiment[], reserve = 0): Promise<void> {
  const { experiments, time, begins } = options;
  const open = jobs.filter((job) => experiments.find(job) === undefined);
  if (open.length === 0) return;
  begins(phase, open.length);
  const left = () => Math.min(time.left(phase), time.left('final') - reserve);
  await experiments.run(open, (job) => !time.isLimited || secondsOf(options, job) <= left());
}

/** Seconds for the trainings of treatments in a phase: in the last one half of what is left, since what helps is to be measured again. */
export const roomOf = ({ time }: Pick<Options, 'time'>, phase: Phase) =>
  phase === 'more' ? time.left(phase) / 2 : time.left(phase);

/** For the least seeds of the config and of what would be proposed. */
export const secondsToMeasureAgain = (options: Options, set: readonly string[]): number =>
  (leastSeeds * (secondsOf(options, { set, share: 1 }) + secondsOf(options, { set: [], share: 1 }))) / options.experiments.jobs;
