import type { DiagnosisShard, Experiment, MeasuredDiagnosis } from '../results/experiments.ts';
import { type Lines, shellWord } from '../text.ts';
import {
  baselineText,
  curveWords,
  firstLine,
  headlineOf,
  meterWords,
  nextWords,
  points,
  pointsRange,
  proposalDoubt,
  proposalWords,
  suspectWords,
  tableNote,
  timesText,
  verdictWords,
} from './diagnosis-words.ts';
import { count, percent, plural, table } from './table.ts';
import { flags } from './train-summary.ts';

type Style = (style: 'bold' | 'dim' | 'green' | 'yellow', text: string) => string;

/** Of a list of pictures, on a terminal. */
const mostListed = 14;

/** What a diagnosis found, for people: the verdict first, then what speaks for it. */
export function diagnosisText(found: MeasuredDiagnosis, style: Style): Lines {
  const section = (title: string, lines: readonly Lines[]): Lines[] =>
    lines.length === 0 ? [] : [style('bold', title), ...lines, ''];
  const indented = (lines: readonly string[]) => lines.map((line) => `  ${line}`);
  const { remedies, leftOut, undone, trainings, earlier, seconds } = found;
  return [
    ...firstLine(found),
    `${style('bold', 'Verdict')}: ${style('yellow', headlineOf(found))}.`,
    ...indented(verdictWords(found)),
    '',
    baselineText(found),
    '',
    ...section(
      'What was tried',
      remedies.length === 0 ? ['  Nothing.'] : [table(remedyRows(found), '  ', isRight), ...indented([tableNote(found)])],
    ),
    ...section(
      'Left out',
      leftOut.map(({ title, reason }) => `  ${title}: ${reason}`),
    ),
    ...section('What to do', proposalLines(found)),
    ...section('More pictures', indented(curveWords(found))),
    ...section('Luck of the division', indented(meterWords(found))),
    ...section('Suspect labels', [...indented(suspectWords(found)), ...suspectLines(found)]),
    ...section('Left undone', indented(undone)),
    `${plural(trainings, 'training')}${earlier > 0 ? `, ${count(earlier)} of them from before,` : ''} in ${seconds.toFixed(0)} s: ${found.output}`,
  ];
}

function remedyRows({ remedies }: MeasuredDiagnosis): string[][] {
  const rows = remedies.map((remedy) => [
    remedy.title,
    points(remedy.gain),
    remedy.interval === null ? '' : pointsRange(remedy.interval),
    remedy.effect,
    timesText(remedy),
  ]);
  return [['', 'gain', '95% interval', 'verdict', 'time'], ...rows];
}

/** Gains and times stand to the right. */
const isRight = (cell: string) => /^([+−][\d.]+|[\d.]+ ×|gain|time)$/.test(cell);

function proposalLines(found: MeasuredDiagnosis): Lines[] {
  const { proposal } = found;
  const next = nextWords(found).flatMap(({ text, command }) => [`  ${text}`, ...(command === null ? [] : [`    ${command}`])]);
  if (proposal === null) return next;
  return [
    `  ${proposal.title}: ${flags(proposal.set)}`,
    ...proposalWords(found).map(({ figure, means }) => `    ${figure} ${means}.`),
    ...proposalDoubt(found).map((text) => `    ${text}`),
    `    nn train --config ${shellWord(proposal.config)}`,
    ...next,
  ];
}

function suspectLines({ suspects }: MeasuredDiagnosis): Lines[] {
  if (suspects === null || suspects.list.length === 0) return [];
  const rows = suspects.list
    .slice(0, mostListed)
    .map(({ name, part, label, says, confidence }) => [name, part, `labelled ${label}`, `all say ${says}`, percent(confidence)]);
  const rest = suspects.list.length - rows.length;
  return [table(rows, '    '), ...(rest > 0 ? [`    … and ${count(rest)} more in diagnosis.json`] : [])];
}

/** What is being tried, beside a bar. @param title  of the changes */
export function experimentText(title: string, { seed, share, division, readsTest }: Experiment): string {
  return [
    title,
    `seed ${seed}`,
    ...(share < 1 ? [`1/${Math.round(1 / share)} of train`] : []),
    ...(division > 0 ? [`division ${division}`] : []),
    ...(readsTest ? ['test'] : []),
  ].join(', ');
}

/** What a shard did. */
export function shardText({ output, shard, shards, trainings, seconds }: DiagnosisShard): Lines {
  return [
    `${plural(trainings, 'training')} of shard ${shard}/${shards} in ${seconds.toFixed(0)} s: ${output}`,
    `With the others: nn diagnose --merge ${shellWord(output)} …`,
  ];
}
