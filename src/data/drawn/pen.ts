import type { Random } from '../../random.ts';

/** What a drawing takes its choices from: one seeded stream, used up in the order of drawing. */
export interface Pen {
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** A whole number in [low, high], both included. */
  whole(low: number, high: number): number;
  chance(probability: number): boolean;
  /** One of the items, each equally likely. */
  pick<T>(items: readonly T[]): T;
  /** As many parts as asked for, each drawn anew. */
  many(count: number, part: (index: number) => string): string;
  /** A name for a gradient or a clip path that nothing else in the picture has. */
  name(): string;
}

export function penFrom(random: Random): Pen {
  let names = 0;
  return {
    between: (low, high) => low + (high - low) * random.uniform(),
    whole: (low, high) => low + random.integer(high - low),
    chance: (probability) => random.uniform() < probability,
    pick: (items) => items[random.integer(items.length - 1)]!,
    many: (count, part) => Array.from({ length: count }, (_, i) => part(i)).join(''),
    name: () => `n${names++}`,
  };
}
