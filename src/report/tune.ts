import { csvField } from '../data/text-files.ts';
import type { RankedTrial, TuneSummary } from '../results/tuning.ts';
import type { Lines } from '../text.ts';
import { count, percent, percentRange, plural, table } from './table.ts';

/** Rows that people are shown; the files hold all. */
const shown = 10;

export function tuneText({ output, best, metric, trials, earlier, seconds, ranking }: TuneSummary): Lines {
  const names = fieldsOf(ranking);
  const header = ['rank', 'trial', 'cost', 'accuracy', '95% interval', 'epochs', ...shortNames(names)];
  const rows = ranking
    .slice(0, shown)
    .map(({ rank, trial, cost, accuracy, accuracyInterval, epochs, set }) => [
      String(rank),
      String(trial),
      cost === null ? 'failed' : cost.toFixed(4),
      accuracy === null ? '' : percent(accuracy),
      accuracyInterval === null ? '' : percentRange(accuracyInterval),
      String(epochs),
      ...set.map((one) => shortValue(valueText(one))),
    ]);
  const [first] = ranking;
  return [
    `${plural(trials, 'trial')}${earlier > 0 ? `, ${plural(earlier, 'training')} of them from before,` : ''} in ${seconds.toFixed(0)} s, ranked by ${metric} on dev`,
    '',
    table([header, ...rows], '  '),
    ...(ranking.length > shown ? [`  … ${count(ranking.length - shown)} more in ${output}/ranking.csv`] : []),
    '',
    best === null
      ? `  Every trial failed. The first: ${first!.error}`
      : [
          `  The best is ready to train: nn train --config ${best}`,
          `  It was chosen among ${plural(trials, 'trial')} on the same dev part, so its dev figures flatter it (trial ${first!.trial}): believe test.`,
        ],
  ];
}

const columns = [
  'rank',
  'trial',
  'epochs',
  'cost',
  'accuracy',
  'bestEpoch',
  'seconds',
  'error',
] as const satisfies (keyof RankedTrial)[];

/** A row per trial, best first, with a column for each field that was varied. */
export function rankingCsv(ranking: readonly RankedTrial[]): string {
  const names = fieldsOf(ranking);
  const rows = ranking.map((trial) => [...columns.map((column) => trial[column]), ...trial.set.map(valueText)]);
  return [[...columns, ...names], ...rows].map((row) => row.map(csvField).join(',')).join('\n');
}

/** The fields that were varied. */
export function fieldsOf(ranking: readonly RankedTrial[]): string[] {
  return ranking[0]?.set.map((set) => set.slice(0, set.indexOf('='))) ?? [];
}

/** Of PATH=VALUE the value, as JSON. */
export const valueText = (set: string) => set.slice(set.indexOf('=') + 1);

/** training.learningRate becomes learningRate; where two fields end alike, they keep as much as tells them apart. */
export function shortNames(paths: readonly string[]): string[] {
  const ending = (path: string, parts: number) => path.split('.').slice(-parts).join('.');
  return paths.map((path) => {
    for (let parts = 1; ; parts++) {
      const short = ending(path, parts);
      if (short === path || paths.filter((other) => ending(other, parts) === short).length === 1) return short;
    }
  });
}

export function shortValue(text: string): string {
  const value = Number(text);
  const short =
    text !== '' && Number.isFinite(value) && !Number.isInteger(value) ? value.toPrecision(4) : text.replace(/^"|"$/g, '');
  return short.length > 40 ? `${short.slice(0, 39)}…` : short;
}
