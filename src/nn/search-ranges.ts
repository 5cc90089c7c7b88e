import { exp, log } from '../elementary.ts';
import type { Random } from '../random.ts';

/** A way of drawing a hyperparameter. */
export interface Range {
  summary: string;
  /** @param bounds  [a, b], or the choices */
  draw(random: Random, bounds: readonly unknown[]): unknown;
  /** what is wrong with the bounds, or null */
  refuse(bounds: readonly unknown[]): string | null;
}

const between = (random: Random, a: number, b: number) => a + (b - a) * random.uniform();
const logBetween = (random: Random, a: number, b: number) => exp(between(random, log(a), log(b)));
const ordered = ([a, b]: readonly unknown[], low: number, high: number) =>
  (a as number) >= low && (b as number) <= high && (a as number) <= (b as number)
    ? null
    : `expected two numbers from ${low} to ${high}, the smaller first`;

/** Random search draws each field from one of these. Where a factor matters, the logarithm is drawn uniformly (the notes). */
const entries = {
  uniform: {
    summary: 'any number of [a, b]',
    draw: (random, [a, b]) => between(random, a as number, b as number),
    refuse: (bounds) => ordered(bounds, -Number.MAX_VALUE, Number.MAX_VALUE),
  },
  logUniform: {
    summary: 'a number of [a, b] whose logarithm is uniform: learning rates, λ',
    draw: (random, [a, b]) => logBetween(random, a as number, b as number),
    refuse: (bounds) => ordered(bounds, Number.MIN_VALUE, Number.MAX_VALUE),
  },
  oneMinusLog: {
    summary: 'a number of [a, b] for which the logarithm of 1 − it is uniform: β from 0.9 to 0.999',
    draw: (random, [a, b]) => 1 - logBetween(random, 1 - (b as number), 1 - (a as number)),
    refuse: (bounds) => ordered(bounds, 0, 1 - Number.EPSILON),
  },
  integer: {
    summary: 'a whole number of [a, b], both included',
    draw: (random, [a, b]) => (a as number) + random.integer((b as number) - (a as number)),
    refuse: (bounds) =>
      bounds.every(Number.isInteger) ? ordered(bounds, -(2 ** 31), 2 ** 31) : 'expected two whole numbers, the smaller first',
  },
  choice: {
    summary: 'one of a list of values of any kind',
    draw: (random, choices) => choices[random.integer(choices.length - 1)],
    refuse: () => null,
  },
} satisfies Record<string, Range>;

export type RangeName = keyof typeof entries;
export const ranges: Record<RangeName, Range> = entries;
