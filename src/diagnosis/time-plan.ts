/** How the minutes of a diagnosis are divided. */

/** What is done one after the other, and the share of the time at which each has ended: what one leaves, the next ones have. */
export const phases = {
  treatments: 0.5,
  combination: 0.6,
  curve: 0.7,
  meter: 0.8,
  final: 1,
  /** where nothing helps, and so nothing is measured again: what was left out, in the time that is left */
  more: 1,
} as const;
export type Phase = keyof typeof phases;

export interface TimePlan {
  isLimited: boolean;
  /** seconds until a phase is to end */
  left(phase: Phase): number;
  /** seconds of a phase alone, were the ones before to take all of theirs */
  own(phase: Phase): number;
}

/** Nothing but counts decides. */
export const unlimited: TimePlan = {
  isLimited: false,
  left: () => Number.POSITIVE_INFINITY,
  own: () => Number.POSITIVE_INFINITY,
};

/** @param seconds  in all
 *  @param passed   seconds since the beginning */
export function timePlan(seconds: number, passed: () => number): TimePlan {
  const names = Object.keys(phases) as Phase[];
  return {
    isLimited: true,
    left: (phase) => phases[phase] * seconds - passed(),
    own: (phase) => seconds * (phases[phase] - (phases[names[names.indexOf(phase) - 1]!] ?? 0)),
  };
}
