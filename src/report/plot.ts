import { brailleCharacter, brailleLines } from './braille.ts';

/** A curve as text, for a terminal. */
export interface Plot {
  /** above 0, rising; drawn on a logarithmic axis */
  x: readonly number[];
  /** as many; what is not finite, or above `top`, is drawn at the top edge */
  y: readonly number[];
  xTitle: string;
  yTitle: string;
  /** the largest y that is shown; the largest of all where absent */
  top?: number;
  /** an x that is pointed at, and what is said of it */
  mark?: { x: number; text: string } | null;
  /** single points beside the curve: ● where they are, × at the top edge where y is null */
  points?: readonly { x: number; y: number | null }[];
}

const width = 72;
const height = 16;
/** Columns left of the axis: for the numbers on it. */
export const margin = 9;
/** Characters across, right of the axis. */
export const columns = width - margin - 1;

/** Draws a curve in braille, each character four dots high and two wide. It needs no colour.
 *  @returns lines of 72 columns at most */
export function plotText({ x, y, xTitle, yTitle, top, mark, points = [] }: Plot): string[] {
  const finite = [...y, ...points.flatMap((point) => point.y ?? [])].filter(Number.isFinite);
  const high = top ?? Math.max(...finite);
  const low = Math.min(...finite, high);
  const span = high > low ? high - low : 1;
  const wide = [x[0]!, x[x.length - 1]!, ...points.map((point) => point.x)].map(Math.log10);
  const [first, last] = [Math.min(...wide), Math.max(...wide)];
  const across = (value: number, cells: number) =>
    Math.round(last > first ? ((Math.log10(value) - first) / (last - first)) * (cells - 1) : 0);
  const down = (value: number) =>
    Math.round((1 - (Math.min(Number.isFinite(value) ? value : high, high) - low) / span) * (4 * height - 1));
  const dots = x.map((value, i) => [across(value, 2 * columns), down(y[i]!)] as const);
  const cells = brailleLines([dots], { columns, rows: height });
  const marked = mark ? across(mark.x, columns) : null;
  const single = new Map(
    points.map((point) => [
      `${point.y === null ? 0 : down(point.y) >> 2} ${across(point.x, columns)}`,
      point.y === null ? '×' : '●',
    ]),
  );
  const lines = cells.map((row, i) => {
    const label = i === 0 ? high : i === height - 1 ? high - span : i === height / 2 ? high - (span * i) / (height - 1) : null;
    const drawn = row.map((dots, column) => {
      const point = single.get(`${i} ${column}`);
      return point ?? (dots > 0 ? brailleCharacter(dots) : column === marked ? '┊' : ' ');
    });
    return `${(label === null ? '' : short(label)).padStart(margin - 1)} ${label === null ? '│' : '┤'}${drawn.join('')}`.trimEnd();
  });
  return [
    `${yTitle.padStart(margin)}`,
    ...lines,
    ...decadeAxis(first, last, (value) => across(value, columns)),
    ...(mark ? [pointer(marked!, mark.text)] : []),
    ' '.repeat(margin + 1) + xTitle.padStart(Math.floor((columns + xTitle.length) / 2)),
  ];
}

/** The axis with a tick at every power of ten, and as many of them named as have room. */
function decadeAxis(first: number, last: number, across: (value: number) => number): string[] {
  const exponents: number[] = [];
  for (let e = Math.ceil(first - 1e-9); e <= last + 1e-9; e++) exponents.push(e);
  const axis = new Array<string>(columns).fill('─');
  for (const e of exponents) axis[across(10 ** e)] = '┬';
  const room = exponents.length > 1 ? across(10 ** exponents[1]!) - across(10 ** exponents[0]!) : columns;
  const every = Math.ceil((longest(exponents) + 1) / Math.max(1, room));
  let labels = '';
  for (const e of exponents.filter((_, i) => i % every === 0)) {
    const text = `1e${e}`;
    const start = Math.min(margin + 1 + across(10 ** e) - (text.length >> 1), width - text.length);
    if (start > labels.length) labels = labels.padEnd(start) + text;
  }
  return [`${' '.repeat(margin)}└${axis.join('')}`, labels];
}

function longest(exponents: readonly number[]): number {
  return Math.max(0, ...exponents.map((e) => `1e${e}`.length));
}

/** ▲ below the axis, with a text on the side that has room. */
export function pointer(column: number, text: string): string {
  const room = columns - column - 2 >= text.length;
  const line = room ? `${' '.repeat(column)}▲ ${text}` : `${`${text} `.padStart(column)}▲`;
  return ' '.repeat(margin + 1) + line;
}

/** A number in seven characters or fewer. */
export function short(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 1e5 || size < 1e-4 ? value.toExponential(1) : value.toPrecision(size >= 1e4 ? 5 : 4);
}
