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

/** SVG text: numbers are written short, so that a drawing is small and reads the same on every machine. */

/** The side of the square that everything is drawn in; the viewBox is 0 0 canvas canvas. */
export const canvas = 128;

/** A colour as #rrggbb. */
export type Colour = string;

/** A template tag: numbers with at most two decimals, lists joined, text as it is. */
export function svg(parts: TemplateStringsArray, ...values: (string | number | readonly string[])[]): string {
  return parts.reduce((text, part, i) => text + piece(values[i - 1]!) + part);
}

/** Content moved to (x, y), turned by `turn` degrees and then scaled; a negative `flip` mirrors it left to right. */
export function placed(content: string, place: { x: number; y: number; scale?: number; turn?: number; flip?: number }): string {
  const { x, y, scale = 1, turn = 0, flip = 1 } = place;
  return svg`<g transform="translate(${x} ${y})rotate(${turn})scale(${scale * flip} ${scale})">${content}</g>`;
}

/** A part and its mirror image: drawn with side −1 (left) and with side 1 (right). */
export function bothSides(part: (side: -1 | 1) => string): string {
  return part(-1) + part(1);
}

export function rectangle(x: number, y: number, width: number, height: number, fill: Colour): string {
  return svg`<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"/>`;
}

/** Any number of lines in one element: many elements are slow to render. */
export function lines(path: string, colour: Colour, width: number): string {
  return svg`<path d="${path}" fill="none" stroke="${colour}" stroke-width="${width}"/>`;
}

/** The colour `share` of the way from one to another, share in [0, 1]. */
export function mix(from: Colour, to: Colour, share: number): Colour {
  const [a, b] = [bytesOf(from), bytesOf(to)];
  const mixed = a.map((byte, i) => Math.round(byte + (b[i]! - byte) * share));
  return `#${mixed.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** Brightness of a colour as the eye weighs it, in [0, 255].
 *  @see ITU-R BT.601 */
export function brightness(colour: Colour): number {
  const [red, green, blue] = bytesOf(colour);
  return 0.299 * red! + 0.587 * green! + 0.114 * blue!;
}

function bytesOf(colour: Colour): number[] {
  return [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
}

function piece(value: string | number | readonly string[]): string {
  if (typeof value === 'number') return String(Math.round(value * 100) / 100);
  return typeof value === 'string' ? value : value.join('');
}
