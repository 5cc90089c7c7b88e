/** Lines drawn in braille: each character is four dots high and two wide, and needs no colour. */
export interface Grid {
  /** characters */
  columns: number;
  /** characters */
  rows: number;
}

/** A dot: column from the left, row from the top. */
export type Dot = readonly [x: number, y: number];

/** Draws each list of dots as one line, from dot to dot.
 *  @returns [rows][columns] the dots of each character, for `brailleCharacter`; 0 where there are none */
export function brailleLines(lines: readonly (readonly Dot[])[], { columns, rows }: Grid): number[][] {
  const cells = Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
  const dot = (x: number, y: number) => {
    const row = cells[y >> 2]!;
    row[x >> 1] = row[x >> 1]! | dotBits[y & 3]![x & 1]!;
  };
  for (const points of lines) {
    for (const [i, [x, y]] of points.entries()) {
      const [fromX, fromY] = points[Math.max(0, i - 1)]!;
      const steps = Math.max(Math.abs(x - fromX), Math.abs(y - fromY), 1);
      for (let k = 0; k <= steps; k++)
        dot(Math.round(fromX + ((x - fromX) * k) / steps), Math.round(fromY + ((y - fromY) * k) / steps));
    }
  }
  return cells;
}

export function brailleCharacter(dots: number): string {
  return String.fromCodePoint(blank + dots);
}

/** The first braille character, without dots. */
const blank = 0x2800;
/** The bit of each dot of a character: [row][column]. */
const dotBits = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;
