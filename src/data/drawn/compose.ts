import { distractors, occluders, scribbles } from './clutter.ts';
import { type Coat, coatOf, furColours } from './coat.ts';
import { type Kind, kinds } from './kinds.ts';
import { landscapes } from './landscapes.ts';
import { veil } from './light.ts';
import type { Pen } from './pen.ts';
import { calm, sceneColours, scenes } from './scenery.ts';
import { brightness, type Colour, canvas, placed, svg } from './svg.ts';

/** How much a difficulty varies what is not cat or non-cat. Lengths are in units of the canvas, 128 to a side. */
export interface Variation {
  /** the least difference in brightness between a figure and what is behind it, in bytes */
  contrast: number;
  /** probability that the figure is darker than what is behind it */
  darker: number;
  /** of the figure, which is about 100 units wide at 1; drawn between these */
  scale: readonly [number, number];
  /** the figure's middle is at most this far from the canvas's, along each side */
  shift: number;
  /** turned by at most so many degrees */
  turn: number;
  busy: boolean;
  /** strength of the light and shadow that lie over all, in [0, 1] */
  veil: number;
  /** probability of a blur, and its greatest standard deviation */
  blur: readonly [number, number];
  /** standard deviation of the noise, in bytes; drawn between these */
  noise: readonly [number, number];
}

/** The content of a picture of one kind, as SVG elements. */
export function compose(pen: Pen, kind: Kind, variation: Variation): string {
  const [base, behind] = contrasting(pen, variation);
  const coat = coatOf(pen, base);
  const figure = placedFigure(pen, kinds[kind].draw(pen, coat), coat, variation);
  const scene = variation.busy
    ? [busyScene(pen, kind, behind), figure, pen.chance(0.35) ? pen.pick(Object.values(occluders))(pen) : '']
    : [calm(pen, behind), figure];
  const lit = scene.join('') + (variation.veil > 0 ? veil(pen, variation.veil) : '');
  return blurred(pen, lit, variation);
}

function busyScene(pen: Pen, kind: Kind, colour: Colour): string {
  const scene = pen.pick(Object.values(kind === 'landscape' ? landscapes : scenes));
  return [
    scene(pen, colour),
    distractors(pen, pen.whole(0, 3)),
    kind === 'scribble' ? scribbles(pen, 6) : pen.chance(0.1) ? scribbles(pen, 1) : '',
  ].join('');
}

function placedFigure(pen: Pen, figure: string, coat: Coat, { scale, shift, turn }: Variation): string {
  // the mean of two: mostly near the middle
  const offset = () => (pen.between(-shift, shift) + pen.between(-shift, shift)) / 2;
  const place = {
    x: canvas / 2 + offset(),
    y: canvas / 2 + offset(),
    scale: pen.between(...scale),
    turn: pen.between(-turn, turn),
    flip: pen.pick([-1, 1]),
  };
  return svg`${coat.definition}<g stroke="${coat.line}" stroke-width="1.3" stroke-linejoin="round">${placed(figure, place)}</g>`;
}

function blurred(pen: Pen, content: string, { blur: [probability, most] }: Variation): string {
  if (!pen.chance(probability)) return content;
  const id = pen.name();
  const deviation = pen.between(0.3, most);
  return svg`<filter id="${id}"><feGaussianBlur stdDeviation="${deviation}"/></filter><g filter="url(#${id})">${content}</g>`;
}

/** A colour for the figure and one for what is behind it, drawn until they differ enough. */
function contrasting(pen: Pen, { contrast, darker }: Variation): [Colour, Colour] {
  const sign = pen.chance(darker) ? 1 : -1;
  for (;;) {
    const [figure, behind] = [pen.pick(furColours), pen.pick(sceneColours)];
    if (sign * (brightness(behind) - brightness(figure)) >= contrast) return [figure, behind];
  }
}
