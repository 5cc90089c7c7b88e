import { stripVTControlCharacters, styleText } from 'node:util';
import type { Style } from '../commands/command.ts';
import { commands } from '../commands/commands.ts';
import { type Lines, linesOf, oneLine } from '../text.ts';

/** The one way for words to a stream of this process: whatever is in a text, what comes from outside commands no terminal, turns no
 *  direction of writing, and begins no line or column of its own. */
export interface Writer {
  /** Lines for people or of JSON. */
  lines(text: Lines): void;
  /** A line of columns, with tabs between them and none within them. */
  row(cells: readonly string[]): void;
  /** A format that has rules of its own for what stands in a text, such as CSV: as it is. */
  exact(text: string): void;
  /** Words that `lines` shows in a style, where it shows any. */
  style(style: Style, text: string): string;
}

export interface Manners {
  /** whether styles are shown */
  styled?: boolean;
  /** whether lines are broken between words where the terminal ends */
  wrapped?: boolean;
  /** characters of a line */
  longest?: number;
}

/** Of words to a person beside the results: they may hold a text from outside of any length. */
export const stderrManners: Manners = { wrapped: true, longest: 2000 };

/** What is written to, as `process.stdout` is. */
export type Stream = Pick<NodeJS.WriteStream, 'write'> & Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>>;

export function writerTo(stream: Stream, { styled = false, wrapped = false, longest }: Manners = {}): Writer {
  const write = (text: string) => void stream.write(`${text}\n`);
  const marks = styled ? styleMarks() : undefined;
  const columns = () => (wrapped && stream.isTTY === true && stream.columns ? stream.columns : Number.POSITIVE_INFINITY);
  const finished = (line: string) => {
    const plain = oneLine(line);
    const whole = longest !== undefined && plain.length > longest ? `${plain.slice(0, longest - 1)}…` : plain;
    return wrapLine(marks?.show(whole) ?? whole, columns());
  };
  return {
    lines: (text) => write(linesOf(text).flatMap(finished).join('\n')),
    row: (cells) => write(cells.map(oneLine).join('\t')),
    exact: write,
    style: (style, text) => marks?.put(style, text) ?? text,
  };
}

/** What stands around words in a style until they are written: a text from outside can't know it, and so brings no style in. */
function styleMarks() {
  const mark = crypto.randomUUID();
  const marked = new RegExp(`${mark}(\\w+):(.*?)${mark}`, 'g');
  return {
    put: (style: Style, text: string) => `${mark}${style}:${text}${mark}`,
    show: (line: string) =>
      line.replace(marked, (_, style: Style, text: string) => styleText(style, text, { validateStream: false })),
  };
}

const firstWords = commands.map(({ name }) => name.split(' ')[0]).join('|');
/** Where a command begins that is to be copied: it goes on to the end of its line, and is left to the terminal, which copies it whole. */
const commandStart = new RegExp(`(?<=^|\\s)(nn (${firstWords})\\b|cp -)|^--set `);

/** Breaks a line between the columns of a table or, where there are none or they are too wide, between words. What follows the first line
 *  begins two columns further in, where that is indented. */
export function wrapLine(line: string, columns: number): string[] {
  if (width(line) <= columns) return [line];
  const indent = /^ */.exec(line)![0];
  const further = indent === '' ? '' : `${indent}  `;
  const text = line.slice(indent.length);
  const at = text.search(commandStart);
  const cells = (at < 0 ? text : text.slice(0, at).trimEnd()).split(/(?<=\S)(?= {2})/);
  const pieces = cells.flatMap((cell) =>
    cells.length > 1 && width(further + cell.trim()) <= columns ? [cell] : cell.split(/(?<=\S)(?= )/),
  );
  if (at >= 0) pieces.push(` ${text.slice(at)}`);
  const lines = [''];
  for (const piece of pieces) {
    const margin = lines.length === 1 ? indent : further;
    const current = lines.at(-1)!;
    if (current === '') lines[lines.length - 1] = piece.trimStart();
    else if (width(margin + current + piece) <= columns) lines[lines.length - 1] = current + piece;
    else lines.push(piece.trimStart());
  }
  return lines.map((one, i) => (i === 0 ? indent : further) + one);
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}
