import { animals } from './animals.ts';
import { cats } from './cats.ts';
import type { Coat } from './coat.ts';
import type { Pen } from './pen.ts';
import { things } from './things.ts';

/** Draws a figure in the box −50 … 50, its ground at y = 46. */
export type Drawing = (pen: Pen, coat: Coat) => string;

export type DrawnLabel = 'cat' | 'noncat';

/** Pictures without a figure, made of scenery alone. */
const scenery = { landscape: () => '', scribble: () => '' };

/** All that can be drawn. */
export const kinds = {
  ...labelled('cat', cats),
  ...labelled('noncat', animals),
  ...labelled('noncat', things),
  ...labelled('noncat', scenery),
};
export type Kind = keyof typeof kinds;

function labelled<Name extends string>(label: DrawnLabel, drawings: Record<Name, Drawing>) {
  const entries = Object.entries<Drawing>(drawings).map(([name, draw]) => [name, { label, draw }]);
  return Object.fromEntries(entries) as Record<Name, { label: DrawnLabel; draw: Drawing }>;
}
