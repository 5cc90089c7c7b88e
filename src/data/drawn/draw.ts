import { namedRandom } from '../../random.ts';
import { decodeHere } from '../decode.ts';
import type { Preprocessing } from '../image.ts';
import { minimumSide } from '../image-errors.ts';
import { animals, cats } from './animals.ts';
import { type Coat, coatOf, furColours } from './coat.ts';
import { brightness, type Colour, canvas, type Pen, penFrom, placed, svg } from './pen.ts';
import { addGrain, calm, distractors, landscapes, occluders, sceneColours, scenes, scribbles, veil } from './scenery.ts';
import { things } from './things.ts';

/** What sets the difficulties apart. Accuracy on 1,600 further pictures after training on 1,200 at 64 × 64, over three seeds;
 *  measured once, with NumPy and scikit-learn (README has what `nn` itself reaches, and the commands):
 *
 *  |                                        | easy    | hard    |
 *  | -------------------------------------- | ------- | ------- |
 *  | logistic regression on the mean colour | 51–52%  | 52%     |
 *  | logistic regression on all pixels      | 83–86%  | 61–62%  |
 *  | one hidden layer of 64, Adam           | 95–97%  | 64–67%  |
 *
 *  With 9,000 training pictures the same network reaches 76% on hard. */
export const difficulties = {
  easy: 'one figure in the middle of a calm background, few kinds of non-cats',
  hard: 'every kind, off the middle, over busy backgrounds, partly hidden, in varying light, with blur and noise',
} as const;
export type Difficulty = keyof typeof difficulties;

/** Draws a figure in the box −50 … 50, its ground at y = 46. */
export type Drawing = (pen: Pen, coat: Coat) => string;

export type SyntheticLabel = 'cat' | 'noncat';

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

function labelled<Name extends string>(label: SyntheticLabel, drawings: Record<Name, Drawing>) {
  const entries = Object.entries<Drawing>(drawings).map(([name, draw]) => [name, { label, draw }]);
  return Object.fromEntries(entries) as Record<Name, { label: SyntheticLabel; draw: Drawing }>;
}

export interface DrawOptions {
  seed: number;
  /** which picture, counted from 0 */
  index: number;
  difficulty: Difficulty;
}

export interface SyntheticImage {
  svg: string;
  label: SyntheticLabel;
  /** what is to be seen: 'cat sitting', 'rabbit face' */
  kind: Kind;
  /** the noise that renderImage adds; deviation in bytes */
  grain: { seed: number; deviation: number };
}

/** Draws picture `index`. It depends on the options alone: no picture needs another one drawn before it. */
export function drawImage({ seed, index, difficulty }: DrawOptions): SyntheticImage {
  const pen = penFrom(namedRandom(seed, 'drawn', index));
  const label = drawLabel(pen);
  return drawKind(pen, pen.pick(kindsOf(difficulty, label)), difficulty);
}

/** The label of picture `index`, without drawing it. Cats and others are equally likely. */
export function syntheticLabel({ seed, index }: DrawOptions): SyntheticLabel {
  return drawLabel(penFrom(namedRandom(seed, 'drawn', index)));
}

/** Draws a picture of one kind. */
export function drawKind(pen: Pen, kind: Kind, difficulty: Difficulty): SyntheticImage {
  const variation = variations[difficulty];
  const content = compose(pen, kind, variation);
  return {
    svg: svg`<svg xmlns="http://www.w3.org/2000/svg" ${sides(canvas)} viewBox="0 0 ${canvas} ${canvas}">${content}</svg>`,
    label: kinds[kind].label,
    kind,
    grain: { seed: pen.whole(0, 2 ** 32 - 1), deviation: pen.between(...variation.noise) },
  };
}

/** The kinds of picture that a difficulty has under a label. */
export function kindsOf(difficulty: Difficulty, label: SyntheticLabel): readonly Kind[] {
  return kindsByDifficulty[difficulty].filter((kind) => kinds[kind].label === label);
}

/** The pixels of a picture as the network sees them: the same scene at every size, with noise of that size's own.
 *  @returns imageSize · imageSize · 3 bytes, RGB */
export async function renderImage(image: SyntheticImage, preprocessing: Preprocessing): Promise<Uint8Array> {
  // rendered at the size that is wanted: sharper above the canvas's own, faster below it
  const sized = image.svg.replace(sides(canvas), sides(Math.max(minimumSide, preprocessing.imageSize)));
  return addGrain(await decodeHere(Buffer.from(sized), preprocessing), image.grain);
}

const kindsByDifficulty: Record<Difficulty, readonly Kind[]> = {
  easy: [
    ...(['cat face', 'cat sitting', 'cat walking', 'cat lying'] as const),
    ...(['rabbit face', 'bear face', 'dog sitting', 'bird', 'fish', 'house', 'cup', 'tree', 'car'] as const),
  ],
  hard: Object.keys(kinds) as Kind[],
};

const variations: Record<Difficulty, Variation> = {
  easy: { contrast: 60, darker: 0.5, scale: [0.9, 1.1], shift: 7, turn: 3, busy: false, veil: 0, blur: [0, 0], noise: [2, 6] },
  hard: {
    contrast: 45,
    darker: 0.8,
    scale: [0.8, 1.2],
    shift: 12,
    turn: 8,
    busy: true,
    veil: 0.35,
    blur: [0.5, 1.1],
    noise: [2, 10],
  },
};

function drawLabel(pen: Pen): SyntheticLabel {
  return pen.chance(0.5) ? 'cat' : 'noncat';
}

function sides(length: number): string {
  return `width="${length}" height="${length}"`;
}

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
