import { grouped, oneLine } from '../text.ts';

/** A cell that stands to the right: a number, or a share of a hundred. */
export const isFigure = (cell: string) => /^-?[\d.,]+%?$/.test(cell);

/** Rows as aligned columns, two spaces apart, a line each.
 *  @param isRight  which cells stand to the right: numbers, and what looks like them, where it is not given */
export function table(rows: readonly (readonly string[])[], indent = '', isRight = isFigure): string[] {
  const shown = rows.map((row) => row.map(oneLine));
  const widths = shown.reduce<number[]>((w, row) => row.map((cell, i) => Math.max(w[i] ?? 0, cell.length)), []);
  return shown.map((row) => {
    const cells = row.map((cell, i) => (isRight(cell) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)));
    return `${indent}${cells.join('  ')}`.trimEnd();
  });
}

/** Rows as `table` has them, with every cell to the left: where a column holds words and numbers. */
export function leftTable(rows: readonly (readonly string[])[], indent = ''): string[] {
  return table(rows, indent, () => false);
}

/** 0.7213 becomes 72.1%. */
export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)}%`;
}

export function percentRange([low, high]: readonly [number, number]): string {
  return `${percent(low)} to ${percent(high)}`;
}

export { grouped as count };

/** One of something, or several. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${grouped(n)} ${n === 1 ? one : many}`;
}
