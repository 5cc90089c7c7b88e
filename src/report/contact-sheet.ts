import type { Rectangle } from '../data/image.ts';
import { escapeHtml, htmlImage, htmlPage, htmlTable } from './html.ts';
import { count, plural } from './table.ts';

/** Pictures as the network sees them, by part and class. */
export interface ContactSheet {
  title: string;
  /** side of the squares, in pixels */
  side: number;
  sections: SheetSection[];
}

export interface SheetSection {
  /** such as "train · cat" */
  title: string;
  /** pictures that there are, of which some are shown */
  total: number;
  pictures: SheetImage[];
}

export interface SheetImage {
  name: string;
  /** side · side · 3 bytes each: first as decoded, then as augmented */
  squares: Uint8Array[];
}

/** Pixels of the sheet. Small squares are enlarged by a whole factor, so that each of their pixels stays a square. */
const leastSquare = 96;
/** So that titles have room. */
const leastWidth = 480;
const gap = 6;
const margin = 20;
const gutter = 84;
const titleHeight = 40;
const nameHeight = 16;
/** Of a font of 10 pixels a character is about so wide. */
const characterWidth = 6.1;

/** The sheet as pixels, and its texts and frames as an SVG of the same size to lay over them. */
export function drawSheet({ title, side, sections }: ContactSheet): { canvas: Rectangle; texts: string } {
  const factor = Math.max(1, Math.ceil(leastSquare / side));
  const square = side * factor;
  const columns = Math.max(1, ...sections.map(({ pictures }) => pictures.length));
  const rowsOf = ({ pictures }: SheetSection) => Math.max(1, ...pictures.map(({ squares }) => squares.length));
  const width = Math.max(leastWidth, 2 * margin + gutter + columns * (square + gap));
  const heights = sections.map((section) => titleHeight + rowsOf(section) * (square + gap) + nameHeight);
  const height = 2 * margin + titleHeight + heights.reduce((sum, one) => sum + one, 0);
  const canvas: Rectangle = { width, height, pixels: new Uint8Array(width * height * 3).fill(255) };
  const texts = [text(margin, margin + 18, 'title', title)];
  let top = margin + titleHeight;
  for (const [s, section] of sections.entries()) {
    const shown = `<tspan class="name" dx="10">${shownOf(section)}</tspan>`;
    texts.push(`<text x="${margin}" y="${top + 24}" class="section">${escapeHtml(section.title)}${shown}</text>`);
    const first = top + titleHeight - 6;
    for (const row of Array(rowsOf(section)).keys())
      texts.push(text(margin, first + row * (square + gap) + square / 2, 'name', rowTitle(row)));
    for (const [column, { name, squares }] of section.pictures.entries()) {
      const left = margin + gutter + column * (square + gap);
      for (const [row, pixels] of squares.entries()) {
        const above = first + row * (square + gap);
        paste(canvas, pixels, { side, factor, left, top: above });
        texts.push(frame(left, above, square));
      }
      texts.push(text(left, first + rowsOf(section) * (square + gap) + 7, 'name', shortened(name, square)));
    }
    top += heights[s]!;
  }
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">`,
    `<style>${svgStyle}</style>`,
    ...texts,
    '</svg>',
  ];
  return { canvas, texts: svg.join('') };
}

const svgStyle =
  'rect{fill:none;stroke:#d5dbe1}text{font-family:"DejaVu Sans","Helvetica Neue",Arial,sans-serif;fill:#1b2430}' +
  '.title{font-size:18px;font-weight:bold}.section{font-size:14px;font-weight:bold}.name{font-size:10px;fill:#566273}';

function text(x: number, y: number, kind: string, content: string): string {
  return `<text x="${x}" y="${y}" class="${kind}">${escapeHtml(content)}</text>`;
}

/** Around a square, so that a white one is seen. */
function frame(x: number, y: number, side: number): string {
  return `<rect x="${x - 0.5}" y="${y - 0.5}" width="${side + 1}" height="${side + 1}"/>`;
}

function rowTitle(row: number): string {
  return row === 0 ? 'as decoded' : `augmented ${row}`;
}

function shownOf({ pictures, total }: SheetSection): string {
  return pictures.length === total ? plural(total, 'picture') : `${pictures.length} of ${plural(total, 'picture')}`;
}

/** The end of a name says more than its start. */
function shortened(name: string, width: number): string {
  const most = Math.floor(width / characterWidth);
  const characters = Array.from(name);
  return characters.length <= most ? name : `…${characters.slice(1 - most).join('')}`;
}

function paste(
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

/** The sheet as a page. @param files  of each square its PNG file */
export function sheetHtml({ title, side, sections }: ContactSheet, files: ReadonlyMap<Uint8Array, Uint8Array>): string {
  const shown = side * Math.max(1, Math.ceil(leastSquare / side));
  const image = (square: Uint8Array, name: string) => htmlImage(files.get(square)!, 'png', name, { width: shown, height: shown });
  const figure = ({ name, squares }: SheetImage) =>
    `<figure class="column">${squares.map((square, row) => image(square, `${name}, ${rowTitle(row)}`)).join('')}<figcaption>${escapeHtml(name)}</figcaption></figure>`;
  const varies = sections.some(({ pictures }) => pictures.some(({ squares }) => squares.length > 1));
  const rows = varies
    ? 'on top as decoded, below as augmentation makes it in the first epochs'
    : 'as decoded, without augmentation';
  const counts = sections.map(({ title, total, pictures }) => [title, count(total), count(pictures.length)]);
  return htmlPage(`nn data preview: ${title}`, [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p>Squares of ${side} × ${side} pixels, as the network sees them: ${rows}.</p>`,
    htmlTable([['', 'pictures', 'shown'], ...counts]),
    ...sections.flatMap((section) => [
      `<h2>${escapeHtml(section.title)}</h2>`,
      `<p class="soft">${shownOf(section)}</p>`,
      `<div class="groups">${section.pictures.map(figure).join('')}</div>`,
    ]),
  ]);
}
