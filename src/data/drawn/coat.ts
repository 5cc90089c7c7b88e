import { brightness, type Colour, mix, type Pen, svg } from './pen.ts';

/** The colours of one figure. Cats and all others draw theirs from the same lists: colour must not tell them apart. */
export interface Coat {
  base: Colour;
  light: Colour;
  dark: Colour;
  /** outlines, mouths */
  line: Colour;
  /** markings on the base */
  mark: Colour;
  /** noses and the insides of ears */
  skin: Colour;
  eye: Colour;
  markings: Markings;
  /** what a body is filled with: the base, shaded from top to bottom */
  fill: string;
  /** the definition that fill refers to; belongs in the picture once */
  definition: string;
}

/** Markings over a body, drawn over the box (x, y, width, height) and clipped to the body. */
const markings = {
  plain: () => '',
  striped: (pen: Pen, { mark }: Coat, { x, y, width, height }: Box) =>
    pen.many(5, (i) => {
      const at = x + ((i + pen.between(0.2, 0.8)) * width) / 5;
      const bend = pen.between(2, 5);
      return svg`<path d="M${at} ${y - 2}q${bend} ${height / 4} ${-bend / 2} ${height * pen.between(0.4, 0.6)}" fill="none" stroke="${mark}" stroke-width="${pen.between(2.5, 4)}" stroke-linecap="round"/>`;
    }),
  spotted: (pen: Pen, { mark }: Coat, { x, y, width, height }: Box) =>
    pen.many(7, () => {
      const [cx, cy] = [x + width * pen.between(0.05, 0.95), y + height * pen.between(0.05, 0.95)];
      return svg`<ellipse cx="${cx}" cy="${cy}" rx="${pen.between(2.5, 5)}" ry="${pen.between(2, 4)}" fill="${mark}" stroke="none"/>`;
    }),
  patched: (pen: Pen, { mark }: Coat, { x, y, width, height }: Box) =>
    pen.many(2, (i) => {
      const [cx, cy] = [x + width * (0.2 + 0.6 * i + pen.between(-0.15, 0.15)), y + height * pen.between(0, 0.6)];
      return svg`<ellipse cx="${cx}" cy="${cy}" rx="${width * pen.between(0.2, 0.3)}" ry="${height * pen.between(0.25, 0.4)}" fill="${mark}" stroke="none"/>`;
    }),
  bibbed: (_pen: Pen, { light }: Coat, { x, y, width, height }: Box) =>
    svg`<ellipse cx="${x + width / 2}" cy="${y + height * 0.85}" rx="${width * 0.32}" ry="${height * 0.45}" fill="${light}" stroke="none"/>`,
};
export type Markings = keyof typeof markings;

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const furColours: readonly Colour[] = [
  '#26242a',
  '#46464e',
  '#7d8087',
  '#b2b4b8',
  '#f0eee8',
  '#e8d0a8',
  '#d6803a',
  '#a85428',
  '#704c34',
  '#4a3226',
  '#c4a070',
  '#68768a',
];
const eyeColours: readonly Colour[] = ['#b8c83c', '#e0b030', '#68b060', '#70b0d8', '#c88828'];
const skinColours: readonly Colour[] = ['#e8a0a0', '#d88888', '#c07070', '#e8b4a8'];

export function coatOf(pen: Pen, base: Colour): Coat {
  const isDark = brightness(base) < 90;
  const id = pen.name();
  const light = mix(base, '#ffffff', isDark ? pen.between(0.25, 0.75) : pen.between(0.4, 0.8));
  const dark = mix(base, '#000000', pen.between(0.25, 0.4));
  return {
    base,
    light,
    dark,
    line: mix(base, isDark ? '#000000' : '#201410', 0.6),
    mark: isDark ? mix(base, '#d0a070', pen.between(0.25, 0.5)) : mix(base, '#2a1a10', pen.between(0.35, 0.6)),
    skin: pen.pick(skinColours),
    eye: pen.pick(eyeColours),
    markings: pen.pick(Object.keys(markings) as Markings[]),
    fill: `url(#${id})`,
    definition: svg`<linearGradient id="${id}" x2="0" y2="1"><stop stop-color="${mix(base, '#ffffff', 0.12)}"/><stop offset="1" stop-color="${mix(base, '#000000', 0.2)}"/></linearGradient>`,
  };
}

/** A closed path in the coat's colour with its markings on it.
 *  @param box  where the markings go: about the path's bounding box */
export function furred(pen: Pen, coat: Coat, path: string, box: Box): string {
  const outline = svg`<path d="${path}" fill="${coat.fill}"/>`;
  const marks = markings[coat.markings](pen, coat, box);
  if (marks === '') return outline;
  const id = pen.name();
  return svg`${outline}<clipPath id="${id}"><path d="${path}"/></clipPath><g clip-path="url(#${id})">${marks}</g>`;
}

/** A thick line with an outline: a tail, an arm.
 *  @param width  in the units of the figure */
export function limb(path: string, width: number, colour: Colour, line: Colour): string {
  const stroke = (w: number, c: Colour) =>
    svg`<path d="${path}" fill="none" stroke="${c}" stroke-width="${w}" stroke-linecap="round"/>`;
  return stroke(width + 2.2, line) + stroke(width, colour);
}
