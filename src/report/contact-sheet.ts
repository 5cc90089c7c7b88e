import type { Rectangle } from '../data/image.ts';
import { escapeHtml, htmlImage, htmlPage, htmlTable } from './html.ts';
import { pasteSquare, shortened, svgFrame, svgOver, svgText, whiteCanvas } from './pixel-canvas.ts';
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

/** The sheet as pixels, and its texts and frames as an SVG of the same size to lay over them. */
export function drawSheet({ title, side, sections }: ContactSheet): { canvas: Rectangle; texts: string } {
  const factor = Math.max(1, Math.ceil(leastSquare / side));
  const square = side * factor;
  const columns = Math.max(1, ...sections.map(({ pictures }) => pictures.length));
  const rowsOf = ({ pictures }: SheetSection) => Math.max(1, ...pictures.map(({ squares }) => squares.length));
  const width = Math.max(leastWidth, 2 * margin + gutter + columns * (square + gap));
  const heights = sections.map((section) => titleHeight + rowsOf(section) * (square + gap) + nameHeight);
  const height = 2 * margin + titleHeight + heights.reduce((sum, one) => sum + one, 0);
  const canvas = whiteCanvas(width, height);
  const texts = [svgText(margin, margin + 18, 'title', title)];
  let top = margin + titleHeight;
  for (const [s, section] of sections.entries()) {
    const shown = `<tspan class="name" dx="10">${shownOf(section)}</tspan>`;
    texts.push(`<text x="${margin}" y="${top + 24}" class="section">${escapeHtml(section.title)}${shown}</text>`);
    const first = top + titleHeight - 6;
    for (const row of Array(rowsOf(section)).keys())
      texts.push(svgText(margin, first + row * (square + gap) + square / 2, 'name', rowTitle(row)));
    for (const [column, { name, squares }] of section.pictures.entries()) {
      const left = margin + gutter + column * (square + gap);
      for (const [row, pixels] of squares.entries()) {
        const above = first + row * (square + gap);
        pasteSquare(canvas, pixels, { side, factor, left, top: above });
        texts.push(svgFrame(left, above, square));
      }
      texts.push(svgText(left, first + rowsOf(section) * (square + gap) + 7, 'name', shortened(name, square)));
    }
    top += heights[s]!;
  }
  return { canvas, texts: svgOver(canvas, texts) };
}

function rowTitle(row: number): string {
  return row === 0 ? 'as decoded' : `augmented ${row}`;
}

function shownOf({ pictures, total }: SheetSection): string {
  return pictures.length === total ? plural(total, 'picture') : `${pictures.length} of ${plural(total, 'picture')}`;
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
