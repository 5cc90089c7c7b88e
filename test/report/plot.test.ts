import { describe, expect, test } from 'vitest';
import { type Plot, plotText } from '../../src/report/plot.ts';

const titles = { xTitle: 'learning rate', yTitle: 'cost' };
const decades = (from: number, to: number, each = 10) =>
  Array.from({ length: (to - from) * each + 1 }, (_, k) => 10 ** (from + k / each));
/** The rows of the curve, without the numbers on the axis. */
const curve = (text: string) => text.split('\n').flatMap((line) => /^.{9}[│┤](.*)$/.exec(line)?.[1] ?? []);
/** The row, from the top, in which each column of characters has dots. */
const rowsOf = (text: string, column: number) =>
  curve(text).flatMap((line, row) => (/[⠁-⣿]/.test(line[column] ?? ' ') ? [row] : []));
const drawn = (plot: Omit<Plot, keyof typeof titles>) => plotText({ ...titles, ...plot }).join('\n');

describe('a plot', () => {
  test('has lines of 72 columns at most, plain characters, and a number at top and bottom', () => {
    const x = decades(-10, 2);
    const lines = plotText({
      ...titles,
      x,
      y: x.map((_, i) => 0.7 + (i === 60 ? 1e6 : 0)),
      mark: { x: 100, text: 'proposed: 100' },
    });
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(72);
    const text = lines.join('\n');
    expect(text).not.toMatch(/\p{Cc}(?<!\n)/u); // no escape sequences: it needs no colour
    expect(text).toMatch(/^ *1\.0e\+6 ┤/m);
    expect(text).toMatch(/^ +0\.7000 ┤/m);
    expect(text).toContain('learning rate');
  });

  test('falls where the numbers fall, and rises where they rise', () => {
    const x = decades(-4, 0);
    const text = drawn({ x, y: x.map((_, i) => Math.abs(i - 20)) });
    const left = rowsOf(text, 0)[0]!;
    const middle = rowsOf(text, 31).at(-1)!;
    const right = rowsOf(text, 61)[0]!;
    expect(left).toBe(0);
    expect(middle).toBe(15);
    expect(right).toBe(0);
  });

  test('has an axis of powers of ten, each as far from the next', () => {
    const lines = plotText({ ...titles, x: decades(-4, 0), y: decades(-4, 0) });
    const axis = lines.find((line) => line.includes('└'))!;
    const ticks = [...axis.matchAll(/┬/g)].map(({ index }) => index);
    expect(ticks).toHaveLength(5);
    for (const [i, tick] of ticks.slice(1).entries()) expect(tick - ticks[i]!).toBeOneOf([15, 16]);
    expect(lines[lines.indexOf(axis) + 1]!.trim().split(/ +/)).toEqual(['1e-4', '1e-3', '1e-2', '1e-1', '1e0']);
  });

  test('names as many powers of ten as have room', () => {
    const lines = plotText({ ...titles, x: decades(-30, 0, 2), y: decades(-30, 0, 2) });
    const labels = lines[lines.findIndex((line) => line.includes('└')) + 1]!.trim().split(/ +/);
    expect(labels[0]).toBe('1e-30');
    for (const label of labels) expect(label).toMatch(/^1e-?\d+$/);
    expect(labels.length).toBeGreaterThan(4);
  });

  test('cuts off what is above its top, and what is no number', () => {
    const x = decades(-2, 0);
    const y = x.map((_, i) => (i > 15 ? Number.POSITIVE_INFINITY : i > 10 ? 1e9 : 1));
    const text = drawn({ x, y, top: 2 });
    expect(text).toMatch(/^ +2\.000 ┤/m);
    expect(rowsOf(text, 61)).toEqual([0]);
    expect(rowsOf(text, 0)).toEqual([15]);
  });

  test('points at a place on the axis, with its words on the side that has room', () => {
    const at = (x: number) => {
      const lines = plotText({ ...titles, x: decades(-2, 0), y: decades(-2, 0), mark: { x, text: 'here' } });
      return lines.find((line) => line.includes('▲'))!;
    };
    expect(at(0.01)).toBe(`${' '.repeat(10)}▲ here`);
    expect(at(1)).toBe(`${' '.repeat(10 + 61 - 5)}here ▲`);
  });

  test('has single points where they are, beyond the ends of the curve too, and at the top where they have no value', () => {
    const lines = curve(
      drawn({
        x: decades(-2, 0),
        y: decades(-2, 0).map(() => 5),
        points: [
          { x: 0.001, y: 1 },
          { x: 10, y: null },
          { x: 0.1, y: 10 },
        ],
      }),
    );
    expect([...lines[15]!].indexOf('●')).toBe(0);
    expect([...lines[0]!].indexOf('×')).toBe(61);
    expect([...lines[0]!].indexOf('●')).toBeOneOf([30, 31]);
  });

  test('of one value that never changes is a flat line', () => {
    const text = drawn({ x: [1, 10, 100], y: [3, 3, 3] });
    const rows = curve(text).flatMap((line, row) => (/[⠁-⣿]/.test(line) ? [row] : []));
    expect(rows).toHaveLength(1);
  });
});
