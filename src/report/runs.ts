import { csvField } from '../data/text-files.ts';
import type { Ended, RunDetails, RunEntry, RunList } from '../results/runs.ts';
import { type Lines, shellWord } from '../text.ts';
import { learningCurveText } from './learning-curve.ts';
import { fieldsOf, settingText } from './setting.ts';
import { count, leftTable, percent, plural, table } from './table.ts';
import { trainText } from './train-summary.ts';

type Style = Parameters<typeof trainText>[2];

const endedText: Record<Ended, string> = {
  finished: 'finished',
  early: 'stopped early',
  time: 'out of time',
  interrupted: 'interrupted',
  diverged: 'diverged',
  unfinished: 'unfinished',
  running: 'running',
  unreadable: 'unreadable',
};

/** A row a run, and below what is wrong with some. */
export function runListText({ runs, latest, differing, entries }: RunList): Lines {
  if (entries.length === 0) return `No runs in ${runs} yet: nn train makes one.`;
  const header = [
    'run',
    'written (UTC)',
    'network',
    'epochs',
    'ended',
    'dev',
    'test',
    ...(entries.length > 1 ? ['differs in'] : []),
  ];
  const shown = differing.filter((field) => !inNetwork.test(field));
  const rows = entries.map((entry) => [
    entry.name,
    entry.when === null ? '' : entry.when.slice(0, 16).replace('T', ' '),
    entry.network ?? '',
    epochsText(entry),
    endedText[entry.ended],
    shareText(entry.dev),
    shareText(entry.test),
    ownSettings(entry, shown, entries),
  ]);
  const problems = entries.flatMap(({ name, problem }) => (problem === null ? [] : [`${name}: ${problem}`]));
  return [
    table([header, ...rows], '  '),
    '',
    ...problems,
    ...(latest === null ? [] : [`latest is ${latest}: what is meant where no run is named.`]),
  ];
}

/** What the column of the network says already. */
const inNetwork = /^model\.layers\.\d+(\.units|\.filters)?$/;

function epochsText({ epochs, planned }: Pick<RunEntry, 'epochs' | 'planned'>): string {
  if (epochs === null) return '';
  return planned === null || planned === epochs ? count(epochs) : `${count(epochs)} of ${count(planned)}`;
}

/** 72.0% (58 to 83): the accuracy and its 95% interval. */
function shareText(share: RunEntry['dev']): string {
  if (share === null) return '';
  const [low, high] = share.accuracyInterval;
  return `${percent(share.accuracy)} (${(low * 100).toFixed(0)} to ${(high * 100).toFixed(0)})`;
}

/** Fields that are named of a run; --csv and --json have all. */
const mostSettings = 4;

/** What is so in more than half of the runs is not said. */
function ownSettings({ settings }: RunEntry, fields: readonly string[], entries: readonly RunEntry[]): string {
  const text = (of: RunEntry['settings'], field: string) => JSON.stringify(of[field]);
  const own = fields.filter((field) => {
    const alike = entries.filter((other) => text(other.settings, field) === text(settings, field)).length;
    return 2 * alike <= entries.length;
  });
  const words = own.slice(0, mostSettings).map((field) => `${field.replace(/^[^.]*\./, '')}=${settingText(settings[field])}`);
  return [...words, ...(own.length > mostSettings ? [`and ${own.length - mostSettings} more`] : [])].join(' ');
}

const columns = [
  'name',
  'run',
  'when',
  'ended',
  'problem',
  'network',
  'parameters',
  'epochs',
  'planned',
  'bestEpoch',
  'seconds',
] as const;
const shareColumns = ['Accuracy', 'Low', 'High'] as const;
const parts = ['dev', 'test'] as const;

/** A row a run, with a column for each field in which configs differ, its value as JSON. */
export function runListCsv({ differing, entries }: RunList): string {
  const header = [...columns, ...parts.flatMap((part) => shareColumns.map((column) => `${part}${column}`)), ...differing];
  const rows = entries.map((entry) => [
    ...columns.map((column) => entry[column]),
    ...parts.flatMap((part) => {
      const share = entry[part];
      return share === null ? [null, null, null] : [share.accuracy, ...share.accuracyInterval];
    }),
    ...differing.map((field) => JSON.stringify(entry.settings[field])),
  ]);
  return [header, ...rows].map((row) => row.map(csvField).join(',')).join('\n');
}

/** A run for people: its summary, its learning curve, and its config as far as it is not the default. */
export function runText(details: RunDetails, classes: { positive: string; negative: string }, style: Style): Lines {
  const { name, network, ended, problem, summary, config, curve, bestEpoch, warnings } = details;
  const drawn = learningCurveText(curve, bestEpoch);
  const fields = config === null ? [] : fieldsOf(config).map(([field, value]) => [field, settingText(value)]);
  return [
    `${style('bold', name)}: ${network ?? 'a network that is not known'}, ${endedText[ended]}`,
    ...(problem === null ? [] : [problem]),
    ...(summary === null ? [soFar(details)] : trainText(summary, classes, style)),
    ...(ended === 'interrupted' || ended === 'unfinished' ? [`Go on with: nn train --resume ${shellWord(details.run)}`] : []),
    ...(drawn.length === 0 ? [] : ['', ...drawn]),
    ...(fields.length === 0 ? [] : ['', 'Its config, as far as it is not the default:', leftTable(fields, '  ')]),
    ...(warnings.length === 0 ? [] : ['', ...warnings]),
  ];
}

/** Before there is a summary. */
function soFar({ epochs, planned, curve }: RunDetails): string {
  if (epochs === null) return 'How far it came is not known.';
  const last = [...curve].reverse().find(({ dev }) => dev !== null)?.dev ?? null;
  const dev = last === null ? '' : `; accuracy on dev ${percent(last.accuracy)} when it was last evaluated`;
  return `${plural(epochs, 'epoch')}${planned === null ? '' : ` of ${count(planned)}`}${dev}`;
}
