import type { ExplanationRow } from '../results/explanation.ts';
import type { Lines } from '../text.ts';
import { percent } from './table.ts';

type Method = ExplanationRow['method'];
/** A row of a picture that could be read. */
export type Explained = {
  [Key in keyof ExplanationRow]: Key extends 'label' | 'p' | 'logit' | 'map'
    ? NonNullable<ExplanationRow[Key]>
    : ExplanationRow[Key];
};

/** How a map was made and what its numbers are, in a few words. */
export const methodTitles: Record<Method, string> = {
  gradient: 'gradient × input: parts of the logit',
  occlusion: 'occlusion: by how much covering lowers P',
};

/** What a map can't tell, a sentence each. */
export function limitsOf(method: Method, positive: string): string[] {
  return [
    `The map shows what this network goes by, not what makes a ${positive}: a background that came with ${positive} in training speaks for it too.`,
    ...limits[method],
  ];
}

const limits: Record<Method, readonly string[]> = {
  gradient: [
    'A gradient says what a tiny change of one pixel does to the logit. With hidden layers pixels act together: a larger change, or several, may do otherwise.',
    'Single pixels are noisy: look at areas. A part is 0 wherever the input is 0 (the training mean, or black where normalisation subtracts none), whatever is to be seen there.',
  ],
  occlusion: [
    'Each square is covered alone: of two places of which one is enough neither shows, and what is much larger than a square hardly does.',
    'A covered square is itself something that no training picture has, and the network may answer to its edges.',
  ],
};

/** One picture for people: the answer, a coarse map in characters, and where what is strongest lies. */
export function explanationText(
  row: Explained,
  { positive, style }: { positive: string; style: (style: 'bold' | 'dim', text: string) => string },
): Lines {
  const cells = coarse(row.map);
  return [
    `${style('bold', row.file)}: ${row.label}, P(${positive}) = ${row.p.toFixed(4)}`,
    '',
    ...characters(cells).map((line) => `  ${line}`),
    '',
    `  # much for ${positive}, + some; = much against, - some; . little`,
    `  for ${positive}: ${placesOf(cells, 1)}; against: ${placesOf(cells, -1)}`,
    `  ${explanationWords(row)}`,
    '',
  ];
}

/** What the map adds up to, or what covering did. */
export function explanationWords(row: Words): string {
  return (row.occlusion === null ? sumText : occlusionText)(row);
}

type Words = Pick<Explained, 'logit' | 'parts' | 'bias' | 'remainder'> & {
  occlusion: Pick<NonNullable<Explained['occlusion']>, 'square' | 'fill' | 'differences'> | null;
};

function sumText({ logit, parts, bias, remainder }: Words): string {
  const isLinear = Math.abs(remainder!) <= 1e-4 * Math.max(1, Math.abs(logit));
  const rest = isLinear ? '' : `, remainder ${signed(remainder!)}: the network is not linear`;
  return `logit ${signed(logit)} = parts ${signed(parts!)}, bias ${signed(bias!)}${rest}`;
}

/** Where P hardly changes, it says nothing of what the logit does. */
const hardly = 0.005;

function occlusionText({ occlusion }: Words): string {
  const { square, differences, fill } = occlusion!;
  const all = differences.flat();
  const [falls, rises] = [Math.max(0, ...all), Math.max(0, ...all.map((value) => -value))];
  const what = `covering ${square} × ${square} pixels with ${fillWords[fill]} lowers P by ${falls.toFixed(4)} at most, and raises it by ${rises.toFixed(4)}`;
  return Math.max(falls, rises) < hardly ? `${what}: hardly anything, the logits in --json show more` : what;
}

const fillWords = { 'training mean': 'the training mean', black: 'black' } as const;

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
}

/** Cells in each direction: a multiple of three, so that thirds are made of whole cells. */
const mostCells = 12;

/** The map in fewer, larger cells: the mean of each. A map of fewer pixels stays as it is. */
function coarse(map: readonly (readonly number[])[]): number[][] {
  const side = map.length;
  const cells = Math.min(mostCells, side);
  const first = (i: number) => Math.floor((i * side) / cells);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return Array.from({ length: cells }, (_, i) =>
    Array.from({ length: cells }, (_, j) =>
      mean(map.slice(first(i), first(i + 1)).flatMap((row) => row.slice(first(j), first(j + 1)))),
    ),
  );
}

/** From this share of the strongest cell on a cell is much, or some. */
const [much, some] = [0.5, 0.15];

/** A line a row; cells have a space between them, since characters are about twice as high as wide. */
function characters(cells: readonly (readonly number[])[]): string[] {
  const most = Math.max(...cells.flat().map(Math.abs)) || 1;
  const characterOf = (value: number) => {
    const size = Math.abs(value) / most;
    if (size < some) return '.';
    return value > 0 ? (size < much ? '+' : '#') : size < much ? '-' : '=';
  };
  return cells.map((row) => row.map(characterOf).join(' '));
}

const thirds = [
  ['upper left', 'upper middle', 'upper right'],
  ['middle left', 'centre', 'middle right'],
  ['lower left', 'lower middle', 'lower right'],
] as const;

/** The two thirds by thirds of the picture that have most of one sign, with their share of it: "centre 41%, upper left 20%". */
function placesOf(cells: readonly (readonly number[])[], sign: 1 | -1): string {
  const sums = new Map<string, number>();
  let total = 0;
  const third = (i: number) => Math.floor((3 * i) / cells.length);
  for (const [i, row] of cells.entries()) {
    for (const [j, value] of row.entries()) {
      const size = Math.max(0, sign * value);
      const place = thirds[third(i)]![third(j)]!;
      sums.set(place, (sums.get(place) ?? 0) + size);
      total += size;
    }
  }
  if (total === 0) return 'nothing';
  const strongest = [...sums].filter(([, sum]) => sum > 0).sort(([, a], [, b]) => b - a);
  return strongest
    .slice(0, 2)
    .map(([place, sum]) => `${place} ${percent(sum / total, 0)}`)
    .join(', ');
}
