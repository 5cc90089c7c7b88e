import { namedRandom } from '../../random.ts';
import { decodeHere, type Preprocessing } from '../image.ts';
import { minimumSide } from '../image-traps.ts';
import { compose, type Variation } from './compose.ts';
import { type DrawnLabel, type Kind, kinds } from './kinds.ts';
import { addGrain } from './light.ts';
import { type Pen, penFrom } from './pen.ts';
import { canvas, svg } from './svg.ts';

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

export type { DrawnLabel };

export interface DrawOptions {
  seed: number;
  /** which picture, counted from 0 */
  index: number;
  difficulty: Difficulty;
}

export interface DrawnPicture {
  svg: string;
  label: DrawnLabel;
  /** what is to be seen: 'cat sitting', 'rabbit face' */
  kind: Kind;
  /** the noise that renderPicture adds; deviation in bytes */
  grain: { seed: number; deviation: number };
}

/** Draws picture `index`. It depends on the options alone: no picture needs another one drawn before it. */
export function drawPicture({ seed, index, difficulty }: DrawOptions): DrawnPicture {
  const pen = penFrom(namedRandom(seed, 'drawn', index));
  const label = drawLabel(pen);
  return drawKind(pen, pen.pick(kindsOf(difficulty, label)), difficulty);
}

/** The label of picture `index`, without drawing it. Cats and others are equally likely. */
export function drawnLabel({ seed, index }: DrawOptions): DrawnLabel {
  return drawLabel(penFrom(namedRandom(seed, 'drawn', index)));
}

/** Draws a picture of one kind. */
export function drawKind(pen: Pen, kind: Kind, difficulty: Difficulty): DrawnPicture {
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
export function kindsOf(difficulty: Difficulty, label: DrawnLabel): readonly Kind[] {
  return drawnKinds[difficulty].filter((kind) => kinds[kind].label === label);
}

/** The pixels of a picture as the network sees them: the same scene at every size, with noise of that size's own.
 *  @returns imageSize · imageSize · 3 bytes, RGB */
export async function renderPicture(picture: DrawnPicture, preprocessing: Preprocessing): Promise<Uint8Array> {
  // rendered at the size that is wanted: sharper above the canvas's own, faster below it
  const sized = picture.svg.replace(sides(canvas), sides(Math.max(minimumSide, preprocessing.imageSize)));
  return addGrain(await decodeHere(Buffer.from(sized), preprocessing), picture.grain);
}

const drawnKinds: Record<Difficulty, readonly Kind[]> = {
  easy: [
    ...(['cat face', 'cat sitting', 'cat walking', 'cat lying'] as const),
    ...(['rabbit face', 'bear face', 'dog sitting', 'bird', 'fish', 'house', 'cup', 'tree', 'car'] as const),
  ],
  hard: Object.keys(kinds) as Kind[],
};

const variations: Record<Difficulty, Variation> = {
  easy: {
    contrast: 60,
    darker: 0.5,
    scale: [0.9, 1.1],
    shift: 7,
    turn: 3,
    busy: false,
    veil: 0,
    blur: [0, 0],
    noise: [2, 6],
  },
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

function drawLabel(pen: Pen): DrawnLabel {
  return pen.chance(0.5) ? 'cat' : 'noncat';
}

function sides(length: number): string {
  return `width="${length}" height="${length}"`;
}
