import { checkConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { UserError } from '../errors.ts';
import { durationOf } from '../training/work.ts';
import type { Options } from './run-trainings.ts';
import type { DiagnosisSetup } from './setup.ts';
import { changesOf, type Treatment, treatments } from './treatments.ts';

/** What of all treatments a config can be given. */

/** Something that is tried. */
export interface Arm {
  treatment: Omit<Treatment, 'set' | 'group'>;
  set: string[];
  /** the treatments that a combination is made of; one for each other */
  parts: string[];
}

export interface LeftOut {
  id: string;
  title: string;
  reason: string;
}

/** Every treatment that changes something, and can be trained. */
export function possibleArms({ setup, refusal }: Pick<Options, 'setup' | 'refusal'>): { arms: Arm[]; leftOut: LeftOut[] } {
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

export function configWith({ loaded: { config, file } }: DiagnosisSetup, set: readonly string[]): Config {
  const { search: _, ...rest } = config;
  return checkConfig(rest, file, set);
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
