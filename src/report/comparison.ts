import type { ComparedRun, Pair, PairTest, RunComparison } from '../results/runs.ts';
import type { Lines } from '../text.ts';
import { overlaidCurvesText } from './learning-curve.ts';
import { settingText } from './setting.ts';
import { count, leftTable, percent, percentRange, plural } from './table.ts';

type Style = (style: 'bold' | 'yellow', text: string) => string;

/** Runs beside each other, for people. */
export function comparisonText(comparison: RunComparison, style: Style): Lines {
  const { part, runs, differing, pairs, warnings } = comparison;
  const letters = runs.map(({ letter }) => letter);
  const fields = differing.map(({ field, values }) => [field, ...values.map(settingText)]);
  const curves = overlaidCurvesText(runs);
  return [
    leftTable(
      runs.map(({ letter, name, network }) => [letter, name, network ?? '']),
      '  ',
    ),
    '',
    fields.length === 0
      ? 'Their configs are the same.'
      : [style('bold', 'Where their configs differ'), leftTable([['', ...letters], ...fields], '  ')],
    '',
    style('bold', `Beside each other, on ${part}`),
    leftTable([['', ...letters], ...figures(runs, part)], '  '),
    '',
    ...pairs.flatMap((pair) => [pairText(pair, comparison), '']),
    ...(curves.length === 0 ? [] : [...curves, '']),
    ...warnings.map((text) => `${style('yellow', 'Mind')}: ${text}`),
  ];
}

type Row = [name: string, value: (run: ComparedRun) => string];

/** What is set side by side, a row a figure: of `part`, of train, and what the training took. */
export function figures(runs: readonly ComparedRun[], part: RunComparison['part']): string[][] {
  const of = (
    name: string,
    value: (metrics: NonNullable<ComparedRun['metrics']['dev']>) => string,
    from: typeof part = part,
  ): Row => [name, ({ metrics }) => (metrics[from] === null ? 'none' : value(metrics[from]))];
  const decimals = (value: number | null | undefined) => value?.toFixed(4) ?? 'not defined';
  const rows: Row[] = [
    of('accuracy', ({ accuracy }) => percent(accuracy)),
    of('95% interval', ({ accuracyInterval }) => percentRange(accuracyInterval)),
    of('larger class', ({ baseline }) => percent(baseline)),
    of('cost', ({ cost }) => decimals(cost)),
    of('precision', ({ precision }) => decimals(precision)),
    of('recall', ({ recall }) => decimals(recall)),
    of('F1', ({ f1 }) => decimals(f1)),
    of('ROC AUC', ({ rocAuc }) => decimals(rocAuc)),
    of('Brier', ({ brier }) => decimals(brier)),
    of('accuracy on train', ({ accuracy }) => percent(accuracy), 'train'),
    of('cost on train', ({ cost }) => decimals(cost), 'train'),
    ['threshold', ({ threshold }) => String(Number(threshold.toPrecision(4)))],
    ['epochs', ({ epochs }) => count(epochs)],
    ['epoch that is kept', ({ bestEpoch }) => count(bestEpoch)],
    ['parameters', ({ parameters }) => count(parameters)],
    ['seconds', ({ seconds }) => seconds.toFixed(1)],
  ];
  return rows.map(([name, value]) => [name, ...runs.map(value)]);
}

/** What two runs differ by, and whether it could be chance. */
export function pairText({ first, second, test, untested }: Pair, { runs, part, pairs }: RunComparison): Lines {
  const [a, b] = [runs[first]!.letter, runs[second]!.letter];
  if (test === null)
    return `${a} and ${b} can't be tested against each other: ${untested}. A difference may be one of the pictures, not of the classifiers.`;
  const tests = pairs.filter((pair) => pair.test !== null).length;
  const { pictures, difference, differenceInterval } = test;
  const [low, high] = differenceInterval.map(points);
  const size = `${b} − ${a} on the same ${plural(pictures, 'picture')} of ${part}: ${points(difference)} points of accuracy`;
  return [`${size} (95% interval ${low} to ${high})`, `  ${testText(test, [a, b], tests)}`, ...tooFewText(test)];
}

/** +2.5 for 0.025. */
const points = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(share * 100).toFixed(1)}`;

/** McNemar's test in words: "B is right on 12 pictures where A is wrong, A on 5: could be chance".
 *  @param tests  among how many it is */
export function testText(test: PairTest, [a, b]: readonly [string, string], tests: number): string {
  const { onlyFirst, onlySecond, pValue, adjustedP, beyondChance } = test;
  if (onlyFirst + onlySecond === 0) return `${a} and ${b} are right on the same pictures, and wrong on the same.`;
  const [more, less, most, least] = onlyFirst > onlySecond ? [a, b, onlyFirst, onlySecond] : [b, a, onlySecond, onlyFirst];
  const counts = `${more} is right on ${plural(most, 'picture')} where ${less} is wrong, ${less} on ${count(least)}`;
  const corrected = tests > 1 ? `, ${probability(adjustedP)} as one of ${tests} tests, after Holm` : '';
  return `${counts}: ${beyondChance ? 'more than chance' : 'could be chance'} (McNemar's exact test: ${probability(pValue)}${corrected})`;
}

function probability(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${Number(p.toPrecision(2))}`;
}

/** So many pictures, all in favour of one, are the fewest that are less probable than 5%: 2 / 2⁶ = 3%. */
const fewest = 6;

function tooFewText({ onlyFirst, onlySecond }: PairTest): string[] {
  const differing = onlyFirst + onlySecond;
  if (differing === 0 || differing >= fewest) return [];
  return [
    `  Whatever they were, ${plural(differing, 'such picture')} could be chance: only from ${fewest} on can this test tell more.`,
  ];
}
