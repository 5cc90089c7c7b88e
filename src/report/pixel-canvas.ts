import type { Rectangle } from '../data/image.ts';
import { escapeHtml } from './html.ts';

/** Squares of pixels on a white canvas, and texts and frames as an SVG to lay over them. */

/** Of the font of names, of 10 pixels, a character is about so wide. */
const characterWidth = 6.1;

const svgStyle =
  'rect{fill:none;stroke:#d5dbe1}text{font-family:"DejaVu Sans","Helvetica Neue",Arial,sans-serif;fill:#1b2430}' +
  '.title{font-size:18px;font-weight:bold}.section{font-size:14px;font-weight:bold}.name{font-size:10px;fill:#566273}' +
  '.end{text-anchor:end}.middle{text-anchor:middle}';

export function whiteCanvas(width: number, height: number): Rectangle {
  return { width, height, pixels: new Uint8Array(width * height * 3).fill(255) };
}

/** @param elements  of `svgText` and `svgFrame` */
export function svgOver({ width, height }: Rectangle, elements: readonly string[]): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">`;
  return [head, `<style>${svgStyle}</style>`, ...elements, '</svg>'].join('');
}

/** @param kind  title, section or name; with end or middle behind it where x is not its start */
export function svgText(x: number, y: number, kind: string, content: string): string {
  return `<text x="${x}" y="${y}" class="${kind}">${escapeHtml(content)}</text>`;
}

/** Around a rectangle, so that a white one is seen. */
export function svgFrame(x: number, y: number, width: number, height = width): string {
  return `<rect x="${x - 0.5}" y="${y - 0.5}" width="${width + 1}" height="${height + 1}"/>`;
}

/** A name as long as there is room for: its end says more than its start. */
export function shortened(name: string, width: number, perCharacter = characterWidth): string {
  const most = Math.floor(width / perCharacter);
  const characters = Array.from(name);
  return characters.length <= most ? name : `…${characters.slice(1 - most).join('')}`;
}

/** Puts a square there, each of its pixels as factor · factor of the canvas.
 *  @param pixels  side · side · 3 */
export function pasteSquare(
  canvas: Rectangle,
  pixels: Uint8Array,
  { side, factor, left, top }: { side: number; factor: number; left: number; top: number },
): void {
  const line = new Uint8Array(side * factor * 3);
  for (let y = 0; y < side * factor; y++) {
    const from = Math.floor(y / factor) * side;
    for (let x = 0; x < side * factor; x++) {
      const at = (from + Math.floor(x / factor)) * 3;
      for (let c = 0; c < 3; c++) line[x * 3 + c] = pixels[at + c]!;
    }
    canvas.pixels.set(line, ((top + y) * canvas.width + left) * 3);
  }
}
