import type { SearchConfig } from '../config/schema.ts';
import { certainBelow, type Importance } from '../evaluation/importance.ts';
import type { RangeName } from '../nn/search-ranges.ts';
import type { RankedTrial, TrialResult, TuneSummary } from '../results/tuning.ts';
import type { Axis, Chart, Series } from './charts.ts';
import { percent, plural } from './table.ts';
import { shortNames, shortValue, valueText } from './tune.ts';

/** The charts of a search's page: functions from trials to what `chartHtml` draws. */

/** What the page of a search is made of. */
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
export function progressChart({ summary: { ranking, metric, untuned }, epochs }: TuneReport): Chart {
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

export const rangeOf = (range: SearchConfig['parameters'][string]) => Object.entries(range)[0] as [RangeName, readonly unknown[]];

/** Of −0.5 to 0.5, an even spread whatever the trials. */
const sideways = (trial: number) => ((trial * 0.618034) % 1) - 0.5;
/** How much of a category's room the points of its trials take. */
const spreadShare = 0.4;

export function parameterChart(
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

const isCertain = ({ chance }: Importance) => chance < certainBelow;

export function importanceChart(found: readonly Importance[]): Chart {
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
