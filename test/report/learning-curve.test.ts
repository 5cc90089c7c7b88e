import { describe, expect, test } from 'vitest';
import { learningCurveText, overlaidCurvesText } from '../../src/report/learning-curve.ts';
import type { CurvePoint } from '../../src/results/journal.ts';

interface Epoch {
  cost?: number;
  accuracy?: number;
  dev?: CurvePoint['dev'];
}

/** Epochs from 1 on. */
const curveOf = (count: number, epoch: (i: number) => Epoch): CurvePoint[] =>
  Array.from({ length: count }, (_, i) => {
    const { cost = 1, accuracy = 0.5, dev = null } = epoch(i);
    return { epoch: i + 1, cost, train: { accuracy }, dev };
  });

/** The rows of each plot, without the numbers on their axes. */
function panels(lines: readonly string[]): string[][] {
  const found: string[][] = [];
  for (const line of lines) {
    const row = /^.{9}[│┤](.*)$/.exec(line)?.[1];
    if (row === undefined) found.push([]);
    else found.at(-1)!.push(row);
  }
  return found.filter((rows) => rows.length > 0);
}

const at = (rows: readonly string[], row: number, column: number) => rows[row]?.[column] ?? ' ';
const isDrawn = (sign: string) => /[⠁-⣿]/.test(sign);
/** The rows, from the top, in which a sign stands, with its columns. */
const places = (rows: readonly string[], sign: string) =>
  rows.flatMap((line, row) => [...line].flatMap((one, column) => (one === sign ? [[row, column]] : [])));

/** The cost on train falls from 1 to 0 in a straight line, that on dev stays ½; accuracies rise from ½ to 1, and stay ¾. */
const straight = curveOf(101, (i) => ({ cost: 1 - i / 100, accuracy: 0.5 + i / 200, dev: { cost: 0.5, accuracy: 0.75 } }));

describe('a learning curve', () => {
  test('has lines of 72 columns at most, plain characters, and the largest and least number of both plots', () => {
    const lines = learningCurveText(straight, 51);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(72);
    expect(lines.join('')).not.toMatch(/\p{Cc}/u); // no colour, nothing that commands a terminal
    const numbers = lines.flatMap((line) => /^ *(\S+) ┤/.exec(line)?.[1] ?? []);
    expect(numbers).toEqual(['1.00', '0', '100%', '50%']);
    expect(lines.find((line) => /^ +1 +epoch +101$/.test(line))).toHaveLength(72);
  });

  test('has train as a line and dev as signs, each where its numbers are', () => {
    const [cost, accuracy] = panels(learningCurveText(straight, null)) as [string[], string[]];
    expect([cost.length, accuracy.length]).toEqual([10, 7]);
    expect([at(cost, 0, 0), at(cost, 9, 61), at(accuracy, 6, 0), at(accuracy, 0, 61)].every(isDrawn)).toBe(true);
    expect([at(cost, 9, 0), at(cost, 0, 61), at(accuracy, 0, 0), at(accuracy, 6, 61)]).toEqual([' ', ' ', ' ', ' ']);
    // ½ lies in the middle: of 40 dots, rounded, in the 21st, which is in the sixth row; ¾ of ½ to 1 in the 15th of 28, in the fourth
    for (const [row] of places(cost, 'o')) expect(row).toBe(5);
    for (const [row] of places(accuracy, 'o')) expect(row).toBe(3);
    expect(places(cost, 'o').map(([, column]) => column)).toEqual(Array.from({ length: 31 }, (_, i) => 2 * i).concat(61));
  });

  test('points at the epoch whose weights are kept', () => {
    const lines = learningCurveText(straight, 51);
    // half way: 61 columns lie between the first epoch and the last
    expect(lines.at(-1)).toBe(`${' '.repeat(10 + 31)}▲ epoch 51 is kept`);
    const [cost] = panels(lines) as [string[]];
    for (const [, column] of places(cost, '┊')) expect(column).toBe(31);
    expect(places(cost, '┊').length).toBeGreaterThanOrEqual(7);
    expect(learningCurveText(straight, null).join('')).not.toMatch(/[▲┊]/);
    expect(learningCurveText(straight, 102).join('')).not.toMatch(/[▲┊]/);
  });

  test('without dev says that it is of train alone', () => {
    const text = learningCurveText(
      curveOf(5, (i) => ({ cost: 5 - i })),
      5,
    ).join('\n');
    expect(text).toContain('cost      on train');
    expect(panels(text.split('\n')).flat().join('')).not.toContain('o');
  });

  test('of dev that is evaluated now and then has a sign for each time', () => {
    const sparse = curveOf(62, (i) => ({ dev: i % 20 === 19 ? { cost: 2, accuracy: 0.5 } : null }));
    const [cost] = panels(learningCurveText(sparse, null)) as [string[]];
    expect(places(cost, 'o')).toEqual([19, 39, 59].map((column) => [0, column]));
  });

  test('is not pressed flat by a cost that breaks, nor by one that is no number', () => {
    const broken = curveOf(10, (i) => ({ cost: i === 9 ? 1e30 : i === 8 ? Number.POSITIVE_INFINITY : 1 - i / 20 }));
    const lines = learningCurveText(broken, null);
    expect(lines.find((line) => line.includes('┤'))).toMatch(/^ +4\.00 ┤/); // four times the first
    expect(lines[0]).toContain('(higher ones stand at the top)');
    expect(learningCurveText(straight, null).join('')).not.toContain('higher ones');
    const [cost] = panels(lines) as [string[]];
    expect(isDrawn(at(cost, 0, 61))).toBe(true);
    expect(isDrawn(at(cost, 8, 0))).toBe(true);
  });

  test('of one epoch is a dot, and of none is nothing', () => {
    expect(learningCurveText([], null)).toEqual([]);
    const one = learningCurveText(
      curveOf(1, () => ({ dev: { cost: 1, accuracy: 1 } })),
      1,
    );
    expect(one.at(-1)).toBe(`${' '.repeat(10)}▲ epoch 1 is kept`);
    expect(places(panels(one)[0]!, 'o')).toHaveLength(1);
  });
});

describe('curves over each other', () => {
  const flat = (cost: number, epochs = 50) => curveOf(epochs, () => ({ cost }));

  test('have their letters along their lines, and at their ends', () => {
    const lines = overlaidCurvesText([
      { letter: 'A', curve: flat(3) },
      { letter: 'B', curve: flat(1, 25) },
    ]);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(72);
    const [cost, ...others] = panels(lines) as [string[]];
    expect(others).toEqual([]); // no run has dev
    for (const [row] of places(cost, 'A')) expect(row).toBe(0);
    for (const [row] of places(cost, 'B')) expect(row).toBe(9);
    // B ends after 24 of 49 steps: 24/49 · 61 = 29.9
    expect(places(cost, 'B').at(-1)).toEqual([9, 30]);
    expect(places(cost, 'A').at(-1)).toEqual([0, 61]);
    expect(places(cost, 'A').length).toBeGreaterThanOrEqual(5);
    expect(isDrawn(at(cost, 9, 31))).toBe(false);
  });

  test('that end in one place have their letters beside each other', () => {
    const curve = flat(1);
    const [cost] = panels(overlaidCurvesText(['A', 'B', 'C'].map((letter) => ({ letter, curve })))) as [string[]];
    const ends = ['A', 'B', 'C'].map((letter) => places(cost, letter).at(-1)![1]!);
    expect([...ends].sort((a, b) => b - a)).toEqual([61, 60, 59]);
  });

  test('show dev, where any of them has it', () => {
    const curve = curveOf(3, () => ({ dev: { cost: 1, accuracy: 0.5 } }));
    const lines = overlaidCurvesText([
      { letter: 'A', curve: flat(1, 3) },
      { letter: 'B', curve },
    ]);
    for (const title of ['cost on train', 'cost on dev', 'accuracy on dev']) expect(lines.join('\n')).toContain(title);
    expect(panels(lines)).toHaveLength(3);
    expect(places(panels(lines)[1]!, 'A')).toEqual([]);
    expect(overlaidCurvesText([{ letter: 'A', curve: [] }])).toEqual([]);
  });
});
