import * as check from '../checks.ts';
import { type PartName, partNames } from '../data/split.ts';
import { type Bias, mostTimes, type Side, sides, verdicts } from '../evaluation/diagnosis.ts';
import type { Metrics } from '../evaluation/metrics.ts';
import { type Lines, shellWord } from '../lines.ts';
import { count, percent, percentRange, plural, table } from './table.ts';

/** The object of `nn train --json` and of summary.json: its names are a contract. */
export interface TrainSummary {
  run: string;
  model: string;
  seed: number;
  seconds: number;
  epochs: number;
  bestEpoch: number;
  stopped: 'finished' | 'early' | 'time' | 'interrupted';
  parameters: number;
  /** p above it is positive */
  threshold: number;
  examples: Record<PartName, { total: number; positive: number }>;
  metrics: Record<PartName, Metrics | null>;
  /** cross-validation on the training pictures: what each fold's training made of the pictures it did not see */
  folds?: { count: number; accuracy: Spread; cost: Spread; bestEpochs: number[] };
  diagnosis: Diagnosis | null;
  warnings: string[];
}

/** A mean, its standard deviation, and what they are of. */
export interface Spread {
  mean: number;
  spread: number;
  values: number[];
}

export interface Diagnosis extends Bias {
  /** every training picture gets the same answer */
  collapsed: boolean;
  targetError: number;
  comparedWith: 'dev' | 'test';
  remedies: { title: string; why: string; set: string[] }[];
}

const spread = check.fields({ mean: check.number, spread: check.number, values: check.list(check.number) });

/** Whether JSON is a summary: summary.json may have been damaged, or edited. */
export const isSummary = check.fields({
  run: check.text,
  model: check.text,
  seed: check.count,
  seconds: check.duration,
  epochs: check.count,
  bestEpoch: check.count,
  stopped: (value) => Object.hasOwn(stoppedText, String(value)),
  parameters: check.count,
  examples: check.fields(
    Object.fromEntries(partNames.map((part) => [part, check.fields({ total: check.count, positive: check.count })])),
  ),
  metrics: check.fields(
    Object.fromEntries(
      partNames.map((part) => [
        part,
        check.orNull(
          check.fields({ accuracy: check.number, accuracyInterval: check.interval, baseline: check.number, cost: check.number }),
        ),
      ]),
    ),
  ),
  folds: check.optional(check.fields({ count: check.count, accuracy: spread, cost: spread })),
  diagnosis: check.orNull(
    check.fields({
      verdict: check.oneOf(verdicts),
      avoidableBias: check.number,
      variance: check.number,
      intervals: check.fields(Object.fromEntries(sides.map((side) => [side, check.interval]))),
      unsure: check.list(check.oneOf(sides)),
      certain: check.flag,
      enough: check.orNull(check.count),
      collapsed: check.flag,
      targetError: check.number,
      comparedWith: check.oneOf(['dev', 'test']),
      remedies: check.list(check.fields({ title: check.text, why: check.text, set: check.list(check.text) })),
    }),
  ),
  warnings: check.list(check.text),
}) as (value: unknown) => value is TrainSummary;

type Style = (style: 'bold' | 'dim' | 'green' | 'yellow', text: string) => string;

/** The summary for people. */
export function trainText(summary: TrainSummary, classes: { positive: string; negative: string }, style: Style): Lines {
  const { metrics, examples } = summary;
  const parts = (['train', 'dev', 'test'] as const).filter((part) => metrics[part] !== null);
  const rows = parts.map((part) => {
    const { accuracy, accuracyInterval, baseline, cost } = metrics[part]!;
    const { total, positive } = examples[part];
    return [
      part,
      count(total),
      count(positive),
      count(total - positive),
      percent(accuracy),
      percentRange(accuracyInterval),
      percent(baseline),
      cost.toFixed(4),
    ];
  });
  const header = ['', 'pictures', classes.positive, classes.negative, 'accuracy', '95% interval', 'larger class', 'cost'];
  const lines: Lines[] = [
    `${stoppedText[summary.stopped]} after ${plural(summary.epochs, 'epoch')} in ${summary.seconds.toFixed(1)} s: ${plural(summary.parameters, 'parameter')}`,
    ...(summary.bestEpoch === summary.epochs
      ? []
      : [`The weights of epoch ${count(summary.bestEpoch)} are kept: its dev cost is the least.`]),
    ...(summary.folds ? [foldsText(summary.folds)] : []),
    '',
    table([header, ...rows], '  '),
    '',
  ];
  if (summary.diagnosis) lines.push(diagnosisText(summary.diagnosis, style), '');
  lines.push(
    table(
      [
        ['model', summary.model],
        ['run', summary.run],
      ],
      '  ',
    ),
  );
  return lines;
}

const stoppedText = { finished: 'Trained', early: 'Stopped early', time: 'Out of time', interrupted: 'Interrupted' } as const;

function foldsText({ count: n, accuracy, cost }: NonNullable<TrainSummary['folds']>): string {
  const values = accuracy.values.map((value) => percent(value)).join(', ');
  return `${n} folds: accuracy ${percent(accuracy.mean)} ± ${percent(accuracy.spread)} (${values}), cost ${cost.mean.toFixed(4)} ± ${cost.spread.toFixed(4)}`;
}

/** The diagnosis in a sentence, and what to do about it. */
export function diagnosisText(diagnosis: Diagnosis, style: Style): Lines {
  const { verdict, comparedWith } = diagnosis;
  const lines = [
    `${style('bold', 'Diagnosis')}: ${style(verdict === 'neither' ? 'green' : 'yellow', verdictTitle(verdict))}. ${diagnosisSentence(diagnosis)}`,
    ...(diagnosis.collapsed ? ['  It gives every training picture the same answer: nothing was learnt. Mend that first.'] : []),
  ];
  if (comparedWith === 'test')
    lines.push('  There is no dev part, so this looked at test: choose nothing by it, or test no longer tells the truth.');
  for (const { title, why, set } of diagnosis.remedies) {
    lines.push(`  - ${title}: ${why}`);
    if (set.length > 0) lines.push(`      ${set.map((change) => `--set ${shellWord(change)}`).join(' ')}`);
  }
  return lines;
}

/** The measured differences, in words, and how sure they are. */
function diagnosisSentence({ avoidableBias, variance, comparedWith, targetError, ...sureness }: Diagnosis): string {
  const points = (share: number) => `${Math.abs(share * 100).toFixed(1)} points`;
  const bias = `The error on train is ${points(avoidableBias)} ${avoidableBias < 0 ? 'below' : 'above'} the target of ${percent(targetError, 0)}`;
  const spread = `that on ${comparedWith} is ${points(variance)} ${variance < 0 ? 'below' : 'above'} train's`;
  return `${bias}, ${spread}.${doubt(sureness)}`;
}

const sideNames: Record<Side, string> = { avoidableBias: 'the bias', variance: 'the variance' };

/** What could be chance, and how many pictures would tell. */
function doubt({ intervals, unsure, enough }: Pick<Diagnosis, 'intervals' | 'unsure' | 'enough'>): string {
  if (unsure.length === 0) return '';
  const points = (share: number) => (share * 100).toFixed(1);
  const each = unsure.map((side) => `${sideNames[side]} (${intervals[side].map(points).join(' to ')} points)`);
  const more = enough === null ? `more than ${mostTimes} times as many` : `some ${enough} times as many`;
  return ` These are too few pictures to tell whether ${each.join(' or ')} is high: ${more} would.`;
}

function verdictTitle(verdict: Bias['verdict']): string {
  return verdict === 'neither' ? 'neither high bias nor high variance' : verdict;
}
