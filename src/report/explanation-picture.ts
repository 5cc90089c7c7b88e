import type { Rectangle } from '../data/image.ts';
import { colourBound, colourOf, mapSquare, overlaySquare } from './explanation-map.ts';
import { pasteSquare, shortened, svgFrame, svgOver, svgText, whiteCanvas } from './pixel-canvas.ts';

export interface ExplainedPicture {
  name: string;
  label: string;
  p: number;
  positive: string;
  /** (side, side, 3) bytes as the network sees them */
  pixels: Uint8Array;
  /** (side, side) */
  map: Float64Array;
  /** how it was made, in a few words */
  method: string;
  /** what it can't tell, a sentence each */
  limits: readonly string[];
}

/** Small squares are enlarged by a whole factor, so that each of their pixels stays a square. */
const leastPanel = 288;
const margin = 24;
const gap = 16;
const titleHeight = 72;
const barHeight = 12;
const lineHeight = 15;
/** Of the fonts of a title and of a name, in bold and not, a character is about so wide. */
const titleCharacter = 11;
const nameCharacter = 5.9;

/** The picture, its map and both laid over each other, with a scale of the colours: pixels, and an SVG of the same size to lay over them. */
export function drawExplanation(picture: ExplainedPicture): { canvas: Rectangle; texts: string } {
  const { name, label, p, positive, pixels, map, method } = picture;
  const side = Math.sqrt(map.length);
  const factor = Math.max(1, Math.ceil(leastPanel / side));
  const panel = side * factor;
  const width = 2 * margin + 3 * panel + 2 * gap;
  const limits = picture.limits.flatMap((sentence) => wrapped(sentence, (width - 2 * margin) / nameCharacter));
  const scaleTop = margin + titleHeight + panel + 12;
  const limitsTop = scaleTop + barHeight + 44;
  const canvas = whiteCanvas(width, limitsTop + limits.length * lineHeight + margin - lineHeight);
  const bound = colourBound(map);
  const squares = [
    { title: 'the picture, as the network sees it', square: pixels },
    { title: `for and against ${positive}`, square: mapSquare(map, bound) },
    { title: 'both', square: overlaySquare(pixels, map, bound) },
  ];
  const left = (i: number) => margin + i * (panel + gap);
  const top = margin + titleHeight;
  for (const [i, { square }] of squares.entries()) pasteSquare(canvas, square, { side, factor, left: left(i), top });
  const texts = [
    svgText(margin, margin + 14, 'title', shortened(name, width - 2 * margin, titleCharacter)),
    svgText(
      margin,
      margin + 38,
      'section',
      shortened(`${label}, P(${positive}) = ${p.toFixed(4)}`, width - 2 * margin, titleCharacter),
    ),
    ...squares.flatMap(({ title }, i) => [
      svgText(left(i), top - 8, 'name', shortened(title, panel)),
      svgFrame(left(i), top, panel),
    ]),
    svgText(margin, scaleTop + barHeight, 'name', shortened(method, panel)),
    ...colourScale(canvas, { left: left(1), top: scaleTop, width: panel, bound, positive }),
    ...limits.map((line, i) => svgText(margin, limitsTop + i * lineHeight, 'name', line)),
  ];
  return { canvas, texts: svgOver(canvas, texts) };
}

/** Draws the colours from −bound to bound. @returns what is written below them */
function colourScale(
  canvas: Rectangle,
  { left, top, width, bound, positive }: { left: number; top: number; width: number; bound: number; positive: string },
): string[] {
  for (let x = 0; x < width; x++) {
    const colour = colourOf(bound * ((2 * x) / (width - 1) - 1), bound).map(Math.round);
    for (let y = 0; y < barHeight; y++) canvas.pixels.set(colour, ((top + y) * canvas.width + left + x) * 3);
  }
  const below = top + barHeight + 13;
  const end = bound.toPrecision(2);
  const word = shortened(positive, width / 3);
  return [
    svgFrame(left, top, width, barHeight),
    svgText(left, below, 'name', `−${end} or less`),
    svgText(left + width / 2, below, 'name middle', '0'),
    svgText(left + width, below, 'name end', `${end} or more`),
    svgText(left, below + 13, 'name', `against ${word}`),
    svgText(left + width, below + 13, 'name end', `for ${word}`),
  ];
}

/** A sentence in lines of at most so many characters. */
function wrapped(sentence: string, most: number): string[] {
  const lines: string[] = [];
  for (const word of sentence.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
