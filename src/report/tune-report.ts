import type { SearchConfig } from '../config/schema.ts';
import {
  certainBelow,
  type Importance,
  leastTrials,
  parameterImportance,
  type SearchedParameter,
} from '../evaluation/importance.ts';
import type { RangeName } from '../nn/search-ranges.ts';
import type { RankedTrial, TrialResult, TuneSummary } from '../results/tuning.ts';
import { shellWord } from '../text.ts';
import { type Axis, type Chart, chartHtml, type Series } from './charts.ts';
import { escapeHtml, htmlPage, htmlTable } from './html.ts';
import { pageScript } from './page-script.ts';
import { count, percent, percentRange, plural } from './table.ts';
import { flags } from './train-summary.ts';
import { fieldsOf, shortNames, shortValue, valueText } from './tune.ts';

/** The page of a search: a function from its trials to text. */
export interface TuneReport {
  title: string;
  summary: TuneSummary;
  /** all trainings, those of early rungs too */
  results: readonly TrialResult[];
  parameters: SearchConfig['parameters'];
  /** of a whole training */
  epochs: number;
  /** the search's config, as the user would type it */
  config: string;
  /** of each searched field its value in that config, as JSON; undefined where it has none */
  own: readonly (string | undefined)[];
  /** versions, seed, machine */
  facts: readonly (readonly [string, string])[];
}

/** Trials in the table, and commands to copy below it. */
const mostShown = 20;
const mostCommands = 5;

export function tuneReportHtml(report: TuneReport): string {
  const { title, summary, facts } = report;
  const { trials, ranking, metric, strategy, seconds } = summary;
  return htmlPage(
    `nn tune: ${title}`,
    [
      `<h1>${escapeHtml(title)}</h1>`,
      `<p class="soft">${plural(trials, 'trial')} (${strategy} search) in ${seconds.toFixed(0)} s${summary.earlier > 0 ? `, ${plural(summary.earlier, 'training')} of them from before` : ''}, ranked by ${metric} on dev.</p>`,
      verdictHtml(summary),
      `<p>${escapeHtml(countsText(report))}</p>`,
      ...(ranking.some(({ cost }) => cost !== null)
        ? [
            '<h2>The search</h2>',
            `<div class="charts">${chartHtml(progressChart(report))}</div>`,
            ...importanceHtml(report),
            ...parametersHtml(report),
          ]
        : []),
      ...trialsHtml(report),
      ...failuresHtml(ranking),
      '<h2>Made by</h2>',
      htmlTable([[], ...facts.map((fact) => [...fact])]),
    ],
    pageScript,
  );
}

function verdictHtml({ ranking, untuned, metric, trials }: TuneSummary): string {
  const [best] = ranking;
  if (best === undefined || best.cost === null) return '<p class="verdict bad"><strong>No trial succeeded.</strong></p>';
  const figures = (of: Pick<RankedTrial, 'cost' | 'accuracy' | 'accuracyInterval'>) =>
    `cost ${of.cost!.toFixed(4)}, accuracy ${percent(of.accuracy!)} (95% interval ${percentRange(of.accuracyInterval!)})`;
  const gain = untuned?.cost == null ? null : metric === 'cost' ? untuned.cost - best.cost : best.accuracy! - untuned.accuracy!;
  const before =
    untuned === null
      ? 'What the config that was not tuned comes to is not known.'
      : untuned.cost === null
        ? 'The config that was not tuned diverges.'
        : `The config that was not tuned: ${figures(untuned)}${gain! > 0 ? '.' : ': no trial is better.'}`;
  return [
    `<p class="verdict${gain !== null && gain <= 0 ? ' bad' : ''}"><strong>Trial ${best.trial} is the best</strong> on dev: ${figures(best)}. ${before}</p>`,
    `<p>It was chosen among ${plural(trials, 'trial')} on the same dev part, so these figures flatter it: believe test.</p>`,
  ].join('');
}

/** What became of the trials. */
function countsText({ summary: { ranking, trials }, epochs }: TuneReport): string {
  const failed = ranking.filter(({ cost }) => cost === null).length;
  const early = ranking.filter((trial) => trial.cost !== null && trial.epochs < epochs).length;
  return [
    `${count(trials - failed - early)} of ${plural(trials, 'trial')} trained to the end (${plural(epochs, 'epoch')})`,
    ...(early > 0 ? [`${count(early)} ended at an earlier rung`] : []),
    `${failed === 0 ? 'none' : count(failed)} diverged.`,
  ].join('; ');
}

type Point = [x: number, y: number];

/** A range that a linear axis would squash. */
const wideRange = 30;
/** Tukey's outer fence: so many interquartile ranges above the upper quartile. */
const farOut = 3;
/** Of the axis, below the least and above the largest value. */
const margin = 0.05;

/** An axis on which costs can be told apart: those far out, of trainings that all but diverged, are not shown at their height.
 *  @returns cap  the largest cost that is */
export function costAxis(costs: readonly number[]): Pick<Required<Axis>, 'domain' | 'scale'> & { cap: number } {
  const sorted = costs.toSorted((a, b) => a - b);
  const quartile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  const fence = quartile(0.75) + farOut * (quartile(0.75) - quartile(0.25));
  const cap = sorted.findLast((cost) => cost <= fence) ?? sorted.at(-1)!;
  const least = sorted[0]!;
  const isWide = least > 0 && cap / least > wideRange;
  const [low, high] = isWide ? [Math.log(least), Math.log(cap)] : [least, cap];
  const beyond = margin * (high - low || Math.abs(high) || 1);
  const ends = [low - beyond, high + beyond].map((end) => (isWide ? Math.exp(end) : end)) as [number, number];
  return { domain: ends, scale: isWide ? 'log' : 'linear', cap };
}

/** What lies above the axis stands at its upper end, in a shape of its own. */
function series(name: string, style: Series['style'], points: readonly Point[]): Series[] {
  return points.length === 0 ? [] : [{ name, style, points, dots: true }];
}

const above = (cap: number, points: readonly Point[]) =>
  series(
    `above ${shortValue(String(cap))}`,
    4,
    points.filter(([, y]) => y > cap),
  );
const within = (cap: number, points: readonly Point[]) => points.filter(([, y]) => y <= cap);

/** Of dev, by which trials are ranked. */
const metrics = {
  cost: { label: 'cost on dev', figureOf: ({ cost }) => cost, isBetter: (a, b) => a < b, text: (value) => value.toFixed(4) },
  accuracy: {
    label: 'accuracy on dev',
    format: 'percent',
    figureOf: ({ accuracy }) => accuracy,
    isBetter: (a, b) => a > b,
    text: (value) => percent(value),
  },
} as const satisfies Record<
  SearchConfig['metric'],
  {
    label: string;
    format?: Axis['format'];
    figureOf(trial: Pick<RankedTrial, 'cost' | 'accuracy'>): number | null;
    isBetter(a: number, b: number): boolean;
    text(value: number): string;
  }
>;

/** The best so far, trial by trial: of whole trainings alone, since a short one's figures are another thing. */
function progressChart({ summary: { ranking, metric, untuned }, epochs }: TuneReport): Chart {
  const { label, figureOf, isBetter, text, ...axis } = metrics[metric as SearchConfig['metric']];
  const most = Math.max(...ranking.flatMap((trial) => (trial.cost === null ? [] : [trial.epochs])));
  const whole = ranking
    .filter((trial) => trial.epochs === most && figureOf(trial) !== null)
    .toSorted((a, b) => a.trial - b.trial);
  const points = whole.map((trial): Point => [trial.trial, figureOf(trial)!]);
  const best: Point[] = [];
  for (const [trial, value] of points) {
    const before = best.at(-1)?.[1];
    if (before !== undefined) best.push([trial, before]);
    if (before === undefined || isBetter(value, before)) best.push([trial, value]);
  }
  const last = Math.max(...ranking.map(({ trial }) => trial));
  if (best.length > 0) best.push([last, best.at(-1)![1]]);
  const plain = untuned === null ? null : figureOf(untuned);
  const values = [...points.map(([, y]) => y), ...(plain === null ? [] : [plain])];
  const { cap, ...shown } = metric === 'cost' ? costAxis(values) : { cap: Number.POSITIVE_INFINITY };
  const after = most < epochs ? `, after ${plural(most, 'epoch')}` : '';
  return {
    name: 'progress',
    title: 'The best so far',
    summary: `By trial the best ${label} goes from ${text(best[0]![1])} to ${text(best.at(-1)![1])}, with trial ${ranking[0]!.trial}.${plain === null ? '' : ` The config that was not tuned has ${text(plain)}.`}`,
    x: { label: 'trial', format: 'whole', ...(last > 0 ? { domain: [0, last] as const } : {}) },
    y: { label: `${label}${after}`, ...shown, ...axis },
    series: [
      { name: 'best so far', points: within(cap, best), style: 1 },
      ...series('a trial', 2, within(cap, points)),
      ...above(cap, points),
    ],
    ...(plain === null
      ? {}
      : { guide: { from: [0, plain] as const, to: [Math.max(last, 1), plain] as const, text: 'not tuned' } }),
  };
}

interface DrawnRange {
  axis: Axis;
  /** where a value stands on the axis */
  place(value: unknown): number;
}

/** 1 − 0.9 is 0.1. */
const rounded = (value: number) => Number(value.toPrecision(12));

const bounded = ([a, b]: readonly unknown[]): Pick<Axis, 'domain'> => (a === b ? {} : { domain: [a as number, b as number] });

/** The axis of each kind of range: logarithmic where the range is. */
const axes: Record<RangeName, (label: string, bounds: readonly unknown[]) => DrawnRange> = {
  uniform: (label, bounds) => ({ axis: { label, ...bounded(bounds) }, place: Number }),
  logUniform: (label, bounds) => ({ axis: { label, scale: 'log', ...bounded(bounds) }, place: Number }),
  oneMinusLog: (label, bounds) => ({
    axis: { label: `1 − ${label}`, scale: 'log', ...bounded(bounds.map((bound) => rounded(1 - (bound as number)))) },
    place: (value) => 1 - (value as number),
  }),
  integer: (label, bounds) => ({ axis: { label, format: 'whole', ...bounded(bounds) }, place: Number }),
  choice: (label, choices) => {
    const texts = choices.map((choice) => JSON.stringify(choice));
    return { axis: { label, categories: texts.map(shortValue) }, place: (value) => texts.indexOf(JSON.stringify(value)) };
  },
};

const rangeOf = (range: SearchConfig['parameters'][string]) => Object.entries(range)[0] as [RangeName, readonly unknown[]];

/** Of −0.5 to 0.5, an even spread whatever the trials. */
const sideways = (trial: number) => ((trial * 0.618034) % 1) - 0.5;
/** How much of a category's room the points of its trials take. */
const spreadShare = 0.4;

function parametersHtml(report: TuneReport): string[] {
  const charts = Object.entries(report.parameters).map(([path, range], i) => parameterChart(report, path, rangeOf(range), i));
  return [
    '<h2>Cost by parameter</h2>',
    '<p class="soft">A point is a trial; all other parameters vary along with the one that is shown. Trials that diverged have no cost and are no points; those far out stand at the upper end. Points over a choice are spread sideways, so that they can be told apart.</p>',
    `<div class="charts">${charts.map(chartHtml).join('')}</div>`,
  ];
}

function parameterChart(
  { summary: { ranking }, epochs }: TuneReport,
  path: string,
  [kind, bounds]: [RangeName, readonly unknown[]],
  i: number,
): Chart {
  const { axis, place } = axes[kind](path, bounds);
  const at = (trial: RankedTrial): Point => [
    place(JSON.parse(valueText(trial.set[i]!))) + (axis.categories ? spreadShare * sideways(trial.trial) : 0),
    trial.cost!,
  ];
  const done = ranking.filter(({ cost }) => cost !== null);
  const [best, ...others] = done as [RankedTrial, ...RankedTrial[]];
  const { cap, ...shown } = costAxis(done.map(({ cost }) => cost!));
  const isWhole = (trial: RankedTrial) => trial.epochs >= epochs;
  const points = (of: (trial: RankedTrial) => boolean) => within(cap, others.filter(of).map(at));
  const far = done.filter(({ cost }) => cost! > cap).length;
  const ofFar = far === 0 ? '' : ` ${plural(far, 'trial')} with a larger cost than ${cap.toFixed(4)} stand at the upper end.`;
  return {
    name: `parameter-${i + 1}`,
    title: path,
    summary: `Cost on dev against ${path} for ${plural(done.length, 'trial')}. The best, trial ${best.trial}, has ${shortValue(valueText(best.set[i]!))} and a cost of ${best.cost!.toFixed(4)}.${ofFar}`,
    x: axis,
    y: { label: 'cost on dev', ...shown },
    series: [
      ...series('a trial', 1, points(isWhole)),
      ...series(
        'ended at an earlier rung',
        3,
        points((trial) => !isWhole(trial)),
      ),
      ...series('the best', 2, [at(best)]),
      ...above(cap, done.map(at)),
    ],
  };
}

/** Of the first rung, where all trials have as many epochs. */
export function searchedParameters({
  results,
  parameters,
  summary: { metric },
}: Pick<TuneReport, 'results' | 'parameters' | 'summary'>): {
  costs: number[];
  searched: SearchedParameter[];
} {
  const first = results.filter(({ rung }) => rung === 0);
  const costs = first.map(({ score }) =>
    score === null ? Number.POSITIVE_INFINITY : metric === 'accuracy' ? -score.accuracy : score.cost,
  );
  const searched = Object.entries(parameters).map(([name, range], i): SearchedParameter => {
    const isChoice = rangeOf(range)[0] === 'choice';
    const values = first.map(({ set }) => valueText(set[i]!));
    return { name, kind: isChoice ? 'choice' : 'number', values: isChoice ? values : values.map(Number) };
  });
  return { costs, searched };
}

const method =
  'How it is measured: the trials are put into groups by one parameter (up to eight of equal size, or a group for each choice), and the share of the variance of their ranks is taken that the groups explain, less what they explain by chance on average; diverged trials rank last. By chance: how often ranks that are shuffled reach as much, times the number of parameters; below 5% it is called certain. ' +
  'What it cannot tell: parameters that matter only together with others, values outside the ranges, and, of few trials, small effects.';

function importanceHtml(report: TuneReport): string[] {
  const { costs, searched } = searchedParameters(report);
  const found = parameterImportance(costs, searched);
  const head = '<h2>Which parameters matter</h2>';
  if (found === null)
    return [head, `<p>Too few trials to tell: there are ${count(costs.length)}, and it takes ${leastTrials}.</p>`];
  const rows = found.toSorted((a, b) => b.share - a.share).map((one) => [one.name, percent(one.share), percent(one.chance)]);
  return [
    head,
    `<p class="soft">${method}</p>`,
    `<div class="charts">${chartHtml(importanceChart(found))}${htmlTable([['', 'importance', 'by chance'], ...rows], `Of ${plural(costs.length, 'trial')}.`)}</div>`,
  ];
}

const isCertain = ({ chance }: Importance) => chance < certainBelow;

function importanceChart(found: readonly Importance[]): Chart {
  const points = (of: (one: Importance) => boolean) => found.flatMap((one, i): Point[] => (of(one) ? [[i, one.share]] : []));
  return {
    name: 'importance',
    title: 'Importance of each parameter',
    summary: found
      .map((one) => `${one.name}: ${percent(one.share)}, ${isCertain(one) ? 'certain' : 'could be chance'}`)
      .join('; '),
    x: { label: 'parameter', categories: shortNames(found.map(({ name }) => name)) },
    y: { label: 'share of the variance of ranks', domain: [0, 1], format: 'percent' },
    series: [
      { name: 'certain', points: points(isCertain), style: 1, dots: true },
      { name: 'could be chance', points: points((one) => !isCertain(one)), style: 2, dots: true },
    ],
  };
}

function trialsHtml({ summary: { ranking, untuned, output, best }, config, own }: TuneReport): string[] {
  const figures = ({ cost, accuracy, accuracyInterval, epochs }: Omit<RankedTrial, 'rank' | 'trial' | 'set'>) => [
    cost === null ? 'diverged' : cost.toFixed(4),
    accuracy === null ? '' : percent(accuracy),
    accuracyInterval === null ? '' : percentRange(accuracyInterval),
    count(epochs),
  ];
  const head = ['rank', 'trial', 'cost', 'accuracy', '95% interval', 'epochs', ...shortNames(fieldsOf(ranking))];
  const plain = [
    '',
    'not tuned',
    ...(untuned === null ? ['not trained', '', '', ''] : figures(untuned)),
    ...own.map((value) => (value === undefined ? '' : shortValue(value))),
  ];
  const rows = ranking
    .slice(0, mostShown)
    .map((trial) => [
      count(trial.rank),
      String(trial.trial),
      ...figures(trial),
      ...trial.set.map((one) => shortValue(valueText(one))),
    ]);
  const rest = ranking.length - rows.length;
  const commands = ranking.filter(({ cost }) => cost !== null).slice(0, mostCommands);
  const command = (set: readonly string[]) => `nn train --config ${shellWord(config)}${set.length > 0 ? ` ${flags(set)}` : ''}`;
  const block = (title: string, text: string) => [`<h3>${title}</h3>`, `<pre data-copy tabindex="0">${escapeHtml(text)}</pre>`];
  return [
    '<h2>The best trials</h2>',
    htmlTable([head, plain, ...rows], 'Figures of dev. The first row is the config as it is without the search.'),
    ...(rest > 0 ? [`<p class="soft">… and ${count(rest)} more in ${escapeHtml(output)}/ranking.csv.</p>`] : []),
    ...(best === null ? [] : ['<p>To train one of them:</p>']),
    ...commands.flatMap(({ trial, rank, set }) => block(`Trial ${trial}, rank ${rank}`, command(set))),
    ...block('The config that was not tuned', command([])),
  ];
}

const mostFailures = 20;

function failuresHtml(ranking: readonly RankedTrial[]): string[] {
  const failed = ranking.filter(({ cost }) => cost === null);
  if (failed.length === 0) return [];
  const rows = failed
    .slice(0, mostFailures)
    .map(({ trial, error, set }) => [String(trial), error ?? '', ...set.map((one) => shortValue(valueText(one)))]);
  return [
    '<h2>Trials that diverged</h2>',
    `<p>${count(failed.length)} of ${plural(ranking.length, 'trial')}${rows.length < failed.length ? `; the first ${rows.length}` : ''}. Where they have a value in common, leave it out of the range.</p>`,
    htmlTable([['trial', 'why', ...shortNames(fieldsOf(failed))], ...rows]),
  ];
}
