import { cosPi, power } from '../elementary.ts';

/** The numbers of a schedule; each names those that it takes. */
export interface ScheduleOptions {
  decay: number;
  rate: number;
  every: number;
  factor: number;
  warmup: number;
}

/** Where a training is when it takes a step. */
export interface SchedulePlace {
  /** epochs completed, from 0 */
  t: number;
  /** of the whole training */
  epochs: number;
  /** steps completed, from 0: k */
  step: number;
  /** of the whole training: S */
  steps: number;
}

/** How the learning rate changes: α = α₀ · factor(place). */
export interface Schedule {
  summary: string;
  defaults: Partial<ScheduleOptions>;
  /** whether rates depend on where the training ends: then it has no more epochs than it began with */
  needsEnd: boolean;
  factor(place: SchedulePlace, options: ScheduleOptions): number;
}

const entries = {
  none: { summary: 'α₀ throughout', defaults: {}, needsEnd: false, factor: () => 1 },
  inverseTime: {
    summary: 'α₀ / (1 + decay · t)',
    defaults: { decay: 0.01 },
    needsEnd: false,
    factor: ({ t }, { decay }) => 1 / (1 + decay * t),
  },
  exponential: {
    summary: 'α₀ · rateᵗ',
    defaults: { rate: 0.99 },
    needsEnd: false,
    factor: ({ t }, { rate }) => power(rate, t),
  },
  step: {
    summary: 'α₀ · factor^⌊t / every⌋',
    defaults: { every: 10, factor: 0.5 },
    needsEnd: false,
    factor: ({ t }, { every, factor }) => power(factor, Math.floor(t / every)),
  },
  cosine: {
    summary: 'α₀ (1 + cos(πt / epochs)) / 2',
    defaults: {},
    needsEnd: true,
    factor: ({ t, epochs }) => (1 + cosPi(t / epochs)) / 2,
  },
  /** @see Smith & Topin 2019, with a cosine up and a cosine down in place of lines */
  oneCycle: {
    summary:
      'step by step, k of S from 0, with w = ⌈warmup · S⌉: α₀ (1 − cos(π(k + 1) / w)) / 2 while k < w, then α₀ (1 + cos(π(k − w) / (S − w))) / 2',
    defaults: { warmup: 0.2 },
    needsEnd: true,
    factor({ step: k, steps }, { warmup }) {
      const w = Math.ceil(warmup * steps);
      return k < w ? (1 - cosPi((k + 1) / w)) / 2 : (1 + cosPi((k - w) / (steps - w))) / 2;
    },
  },
} satisfies Record<string, Schedule>;

export type ScheduleName = keyof typeof entries;
export const schedules: Record<ScheduleName, Schedule> = entries;

/** A schedule, with what the config says of its numbers. */
export type ScheduleChoice = { name: ScheduleName } & { [K in keyof ScheduleOptions]?: number | undefined };

const unused: ScheduleOptions = { decay: 0, rate: 1, every: 1, factor: 1, warmup: 0 };

/** α of a step. */
export function scheduledRate(start: number, { name, ...own }: ScheduleChoice, place: SchedulePlace): number {
  const { factor, defaults } = schedules[name];
  return start * factor(place, { ...unused, ...defaults, ...(own as Partial<ScheduleOptions>) });
}
