import { cosPi, power } from '../elementary.ts';

/** The numbers of a schedule; each names those that it takes. */
export interface ScheduleOptions {
  decay: number;
  rate: number;
  every: number;
  factor: number;
}

/** How the learning rate falls: α = α₀ · factor(t), with t epochs completed, from 0. */
export interface Schedule {
  summary: string;
  defaults: Partial<ScheduleOptions>;
  factor(t: number, options: ScheduleOptions, epochs: number): number;
}

const entries = {
  none: { summary: 'α₀ throughout', defaults: {}, factor: () => 1 },
  inverseTime: { summary: 'α₀ / (1 + decay · t)', defaults: { decay: 0.01 }, factor: (t, { decay }) => 1 / (1 + decay * t) },
  exponential: { summary: 'α₀ · rateᵗ', defaults: { rate: 0.99 }, factor: (t, { rate }) => power(rate, t) },
  step: {
    summary: 'α₀ · factor^⌊t / every⌋',
    defaults: { every: 10, factor: 0.5 },
    factor: (t, { every, factor }) => power(factor, Math.floor(t / every)),
  },
  cosine: { summary: 'α₀ (1 + cos(πt / epochs)) / 2', defaults: {}, factor: (t, _, epochs) => (1 + cosPi(t / epochs)) / 2 },
} satisfies Record<string, Schedule>;

export type ScheduleName = keyof typeof entries;
export const schedules: Record<ScheduleName, Schedule> = entries;

/** A schedule, with what the config says of its numbers. */
export type ScheduleChoice = { name: ScheduleName } & { [K in keyof ScheduleOptions]?: number | undefined };

/** α of an epoch. @param t  epochs completed before it, from 0 */
export function scheduledRate(start: number, { name, ...own }: ScheduleChoice, t: number, epochs: number): number {
  const { factor, defaults } = schedules[name];
  return start * factor(t, { decay: 0, rate: 1, every: 1, factor: 1, ...defaults, ...(own as Partial<ScheduleOptions>) }, epochs);
}
