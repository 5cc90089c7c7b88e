import { grouped, oneLine } from '../text.ts';

/** A cell that stands to the right: a number, or a share of a hundred. */
export const isFigure = (cell: string) => /^-?[\d.,]+%?$/.test(cell);

/** Rows as aligned columns, two spaces apart, a line each; numbers (and what looks like them) to the right. */
export function table(rows: readonly (readonly string[])[], indent = ''): string[] {
  const shown = rows.map((row) => row.map(oneLine));
  const widths = shown.reduce<number[]>((w, row) => row.map((cell, i) => Math.max(w[i] ?? 0, cell.length)), []);
  return shown.map((row) => {
    const cells = row.map((cell, i) => (isFigure(cell) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)));
    return `${indent}${cells.join('  ')}`.trimEnd();
  });
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
