import type { ComparedRun, RunComparison } from '../results/runs.ts';
import { linesOf } from '../text.ts';
import { type Chart, chartHtml, type Series } from './charts.ts';
import { figures, pairText } from './comparison.ts';
import { escapeHtml, htmlPage, htmlTable } from './html.ts';
import { pageScript } from './page-script.ts';
import { settingText } from './setting.ts';

/** Series of a chart: more lines than these nobody tells apart. */
const mostLines = 4;

/** Runs beside each other, as a page. */
export function comparisonReportHtml(comparison: RunComparison): string {
  const { part, runs, differing, pairs, warnings } = comparison;
  const letters = runs.map(({ letter }) => letter);
  const sentences = pairs.flatMap((pair) => linesOf(pairText(pair, comparison)));
  const shown = runs.slice(0, mostLines);
  return htmlPage(
    `nn runs compare: ${runs.map(({ name }) => name).join(', ')}`,
    [
      '<h1>Runs compared</h1>',
      htmlTable([
        ['', 'run', 'network', 'ended'],
        ...runs.map(({ letter, name, network, ended }) => [letter, name, network ?? '', ended]),
      ]),
      ...sentences.map((text, i) => `<p class="${i === 0 ? 'verdict' : ''}">${escapeHtml(text.trim())}</p>`),
      ...warnings.map((text) => `<p class="alarm">${escapeHtml(text)}</p>`),
      `<h2>Beside each other, on ${part}</h2>`,
      htmlTable([['', ...letters], ...figures(runs, part)]),
      '<h2>Where their configs differ</h2>',
      differing.length === 0
        ? '<p>Their configs are the same.</p>'
        : htmlTable([['field', ...letters], ...differing.map(({ field, values }) => [field, ...values.map(settingText)])]),
      '<h2>Learning curves</h2>',
      ...(runs.length > mostLines ? [`<p class="soft">Of the first ${mostLines} runs.</p>`] : []),
      `<div class="charts">${[...curves(shown, 'train'), ...curves(shown, 'dev')].map(chartHtml).join('')}</div>`,
    ],
    pageScript,
  );
}

type Point = [x: number, y: number];

/** Cost and accuracy of one part by epoch, a line a run; none where no run has any. */
function curves(runs: readonly ComparedRun[], part: 'train' | 'dev'): Chart[] {
  const chart = (
    name: string,
    title: string,
    label: string,
    points: (run: ComparedRun) => Point[],
    format?: 'percent',
  ): Chart[] => {
    const series = runs.flatMap(({ letter }, i): Series[] => {
      const own = points(runs[i]!).filter(([, y]) => Number.isFinite(y));
      return own.length === 0 ? [] : [{ name: letter, style: (i + 1) as Series['style'], points: own }];
    });
    if (series.length === 0) return [];
    const ends = series.map(({ name, points }) => `${name} ends at ${points.at(-1)![1].toPrecision(4)}`);
    return [
      {
        name: `${part}-${name}`,
        title,
        summary: `${ends.join(', ')}.`,
        x: { label: 'epoch', format: 'whole' },
        y: { label, ...(format === undefined ? {} : { format }) },
        series,
      },
    ];
  };
  const of = (run: ComparedRun, value: (point: ComparedRun['curve'][number]) => number | null | undefined): Point[] =>
    run.curve.flatMap((point): Point[] => {
      const y = value(point);
      return y == null ? [] : [[point.epoch, y]];
    });
  const isTrain = part === 'train';
  return [
    ...chart('cost', `Cost on ${part}`, 'cost, without L2', (run) =>
      of(run, (point) => (isTrain ? point.cost : point.dev?.cost)),
    ),
    ...chart(
      'accuracy',
      `Accuracy on ${part}`,
      'share of right answers',
      (run) => of(run, (point) => point[part]?.accuracy),
      'percent',
    ),
  ];
}
