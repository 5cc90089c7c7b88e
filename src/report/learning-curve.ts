import type { CurvePoint } from '../results/journal.ts';
import { brailleCharacter, brailleLines, type Dot } from './braille.ts';
import { columns, margin, pointer } from './plot.ts';
import { count, percent } from './table.ts';

/** One run among others that are drawn over each other. */
export interface LetteredCurve {
  /** one character, which stands on its line */
  letter: string;
  curve: readonly CurvePoint[];
}

/** Cost and accuracy by epoch, on train as a line and on dev as single signs, in characters.
 *  @param curve      epochs ascending
 *  @param bestEpoch  is pointed at: the one whose weights are kept; null where none is yet
 *  @returns lines of 72 columns at most; none where there is no epoch */
export function learningCurveText(curve: readonly CurvePoint[], bestEpoch: number | null): string[] {
  if (curve.length === 0) return [];
  const [first, last] = [curve[0]!.epoch, curve.at(-1)!.epoch];
  const axis = { first, last, marked: bestEpoch === last ? null : bestEpoch }; // the end needs no line
  const hasDev = curve.some(({ dev }) => dev !== null);
  const legend = hasDev ? `${brailleCharacter(0x12).repeat(2)} train  ${devSign} dev` : 'on train';
  const series = (value: (at: { cost: number; accuracy: number }) => number): Series[] => [
    { points: curve.map(({ epoch, cost, train }) => ({ x: epoch, y: value({ cost, accuracy: train.accuracy }) })) },
    { points: curve.flatMap(({ epoch, dev }) => (dev === null ? [] : [{ x: epoch, y: value(dev) }])), signs: devSign },
  ];
  const kept = bestEpoch === null || bestEpoch < first || bestEpoch > last ? null : bestEpoch;
  return [
    ...panelText({ title: `cost      ${legend}`, rows: 10, series: series(({ cost }) => cost), label: costLabel }, axis),
    ...panelText({ title: 'accuracy', rows: 7, series: series(({ accuracy }) => accuracy), label: shareLabel }, axis),
    ...epochAxis(axis),
    ...(kept === null ? [] : [pointer(placeOf(kept, axis, columns), `epoch ${count(kept)} is kept`)]),
  ];
}

const devSign = 'o';

/** The curves of several runs over each other, each with its letter along its line: the cost on train, and on dev where it is known.
 *  @returns lines of 72 columns at most; none where no run has an epoch */
export function overlaidCurvesText(runs: readonly LetteredCurve[]): string[] {
  const epochs = runs.flatMap(({ curve }) => curve.map(({ epoch }) => epoch));
  if (epochs.length === 0) return [];
  const axis = { first: epochs.reduce((a, b) => Math.min(a, b)), last: epochs.reduce((a, b) => Math.max(a, b)), marked: null };
  const series = (value: (point: CurvePoint) => number | null): Series[] =>
    runs.map(({ letter, curve }, i) => ({
      points: curve.flatMap((point) => {
        const y = value(point);
        return y === null ? [] : [{ x: point.epoch, y }];
      }),
      letter: { text: letter, offset: Math.floor(((i + 0.5) * letterSpacing) / runs.length) },
    }));
  const panels = [
    { title: 'cost on train', rows: 10, series: series(({ cost }) => cost), label: costLabel },
    { title: 'cost on dev', rows: 10, series: series(({ dev }) => dev?.cost ?? null), label: costLabel },
    { title: 'accuracy on dev', rows: 7, series: series(({ dev }) => dev?.accuracy ?? null), label: shareLabel },
  ].filter((panel) => panel.series.some(({ points }) => points.length > 0));
  return [...panels.flatMap((panel) => panelText(panel, axis)), ...epochAxis(axis)];
}

/** Columns from one letter of a line to its next. */
const letterSpacing = 12;
/** Columns from one sign of a point to the next: what stands between shows through. */
const signSpacing = 2;
/** A cost so many times the first is drawn at the top edge: what breaks would press all else flat. */
const highestCost = 4;

const costLabel = (cost: number) => (cost === 0 ? '0' : cost.toPrecision(3));
const shareLabel = (share: number) => percent(share, 0);

interface Series {
  /** x ascending */
  points: readonly { x: number; y: number }[];
  /** what stands where the points are, in place of a line */
  signs?: string;
  /** what stands along the line, so many columns from the left first */
  letter?: { text: string; offset: number };
}

interface Panel {
  title: string;
  rows: number;
  series: readonly Series[];
  /** of the axis: a number in seven characters or fewer */
  label(value: number): string;
}

interface Axis {
  first: number;
  last: number;
  /** an epoch at which a line stands upright */
  marked: number | null;
}

function placeOf(epoch: number, { first, last }: Axis, cells: number): number {
  return last > first ? Math.round(((epoch - first) / (last - first)) * (cells - 1)) : 0;
}

/** The title, and the rows under it with the largest and the least number beside. */
function panelText({ title, rows, series, label }: Panel, axis: Axis): string[] {
  const { low, high, isCut } = rangeOf(series);
  const down = (y: number) => {
    const within = Math.min(high, Number.isFinite(y) ? y : high);
    return Math.round((high > low ? (high - within) / (high - low) : 0.5) * (4 * rows - 1));
  };
  const lines = series.map(({ points, signs }) =>
    signs === undefined ? points.map(({ x, y }): Dot => [placeOf(x, axis, 2 * columns), down(y)]) : [],
  );
  const cells = brailleLines(lines, { columns, rows });
  const marks = new Map<string, string>();
  for (const one of series) for (const { column, row, text } of marksOf(one, axis, down)) placeMark(marks, { column, row }, text);
  const upright = axis.marked === null ? null : placeOf(axis.marked, axis, columns);
  const drawn = cells.map((row, i) => {
    const edge = i === 0 ? label(high) : i === rows - 1 ? label(low) : null;
    const texts = row.map(
      (dots, column) => marks.get(`${i} ${column}`) ?? (dots > 0 ? brailleCharacter(dots) : column === upright ? '┊' : ' '),
    );
    return `${(edge ?? '').padStart(margin - 1)} ${edge === null ? '│' : '┤'}${texts.join('')}`.trimEnd();
  });
  return [`${' '.repeat(margin + 1)}${title}${isCut ? '  (higher ones stand at the top)' : ''}`, ...drawn];
}

/** The numbers at the edges. Costs far above the first are cut off. */
function rangeOf(series: readonly Series[]): { low: number; high: number; isCut: boolean } {
  const values = series.flatMap(({ points }) => points.map(({ y }) => y)).filter(Number.isFinite);
  if (values.length === 0) return { low: 0, high: 1, isCut: false };
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const firsts = series.flatMap(({ points }) => points.slice(0, 1).map(({ y }) => y)).filter(Number.isFinite);
  const bound = highestCost * Math.max(...firsts, low);
  const isCut = bound > low && high > bound;
  return { low, high: isCut ? bound : high, isCut };
}

interface Mark {
  column: number;
  row: number;
  text: string;
}

/** Signs where points are, or letters along a line and at its end. */
function marksOf({ points, signs, letter }: Series, axis: Axis, down: (y: number) => number): Mark[] {
  const at = ({ x, y }: { x: number; y: number }) => ({ column: placeOf(x, axis, columns), row: down(y) >> 2 });
  if (signs !== undefined) {
    const spaced: Mark[] = [];
    for (const [i, point] of points.entries()) {
      const { column, row } = at(point);
      const isNext = spaced.length === 0 || column >= spaced.at(-1)!.column + signSpacing;
      if (isNext || i === points.length - 1 || point.x === axis.marked) spaced.push({ column, row, text: signs });
    }
    return spaced;
  }
  if (letter === undefined || points.length === 0) return [];
  const end = at(points.at(-1)!);
  const marks: Mark[] = [];
  for (let column = letter.offset; column < end.column; column += letterSpacing) {
    const next = points.findIndex((point) => at(point).column >= column);
    if (next < 0 || (next === 0 && at(points[0]!).column > column)) continue;
    marks.push({ column, row: down(between(points, next, column, axis)) >> 2, text: letter.text });
  }
  return [...marks, { ...end, text: letter.text }];
}

/** The height of a line at a column, from the two points around it. */
function between(points: Series['points'], next: number, column: number, axis: Axis): number {
  const [a, b] = [points[Math.max(0, next - 1)]!, points[next]!];
  const [from, to] = [placeOf(a.x, axis, columns), placeOf(b.x, axis, columns)];
  return to > from ? a.y + ((b.y - a.y) * (column - from)) / (to - from) : b.y;
}

/** Lines that end in one place stand with their letters beside each other. */
function placeMark(marks: Map<string, string>, { column, row }: { column: number; row: number }, text: string): void {
  let free = column;
  while (free > 0 && (marks.get(`${row} ${free}`) ?? text) !== text) free--;
  marks.set(`${row} ${free}`, text);
}

/** The axis, and the first and the last epoch under it. */
function epochAxis({ first, last }: Axis): string[] {
  const [from, to] = [count(first), last > first ? count(last) : ''];
  const room = columns - from.length - to.length;
  const title = 'epoch'.padStart(Math.floor((room + 'epoch'.length) / 2)).padEnd(room);
  return [`${' '.repeat(margin)}└${'─'.repeat(columns)}`, `${' '.repeat(margin + 1)}${from}${title}${to}`.trimEnd()];
}
