import * as check from '../checks.ts';
import { type SplitName, splitNames } from '../data/split.ts';
import {
  type Answers,
  answers,
  type Bias,
  type Imbalance,
  mostTimes,
  type Side,
  sides,
  verdicts,
} from '../evaluation/diagnosis.ts';
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
  examples: Record<SplitName, { total: number; positive: number }>;
  metrics: Record<SplitName, Metrics | null>;
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
  remedies: Remedy[];
  /** which answer that is; null where it tells pictures apart. This and what follows is absent in a summary of 0.1.0 */
  answers?: Answers | null;
  /** the smaller of unequal classes, where accuracy hides how it fares */
  imbalance?: Imbalance | null;
  /** the cost on train of a network that sees nothing */
  guessing?: number;
  worseThanGuessing?: boolean;
}

export interface Remedy {
  title: string;
  why: string;
  set: string[];
  /** a training with it, in trainings as this one; null where it changes no field. Absent in a summary of 0.1.0, as what follows */
  timesAsLong?: number | null;
  /** of one that takes very much longer: what else makes it as many steps in less time */
  affordable?: { set: string[]; timesAsLong: number } | null;
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
    Object.fromEntries(splitNames.map((part) => [part, check.fields({ total: check.count, positive: check.count })])),
  ),
  metrics: check.fields(
    Object.fromEntries(
      splitNames.map((part) => [
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
      remedies: check.list(
        check.fields({
          title: check.text,
          why: check.text,
          set: check.list(check.text),
          timesAsLong: check.optional(check.orNull(check.duration)),
          affordable: check.optional(check.orNull(check.fields({ set: check.list(check.text), timesAsLong: check.duration }))),
        }),
      ),
      answers: check.optional(check.orNull(check.oneOf(answers))),
      imbalance: check.optional(check.orNull(check.fields({ positive: check.flag, share: check.number, error: check.number }))),
      guessing: check.optional(check.number),
      worseThanGuessing: check.optional(check.flag),
    }),
  ),
  warnings: check.list(check.text),
}) as (value: unknown) => value is TrainSummary;

interface Classes {
  positive: string;
  negative: string;
}

type Style = (style: 'bold' | 'dim' | 'green' | 'yellow', text: string) => string;

/** The summary for people. */
export function trainText(summary: TrainSummary, classes: Classes, style: Style): Lines {
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
  if (summary.diagnosis) lines.push(diagnosisText(summary.diagnosis, { metrics, classes, style }), '');
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

interface Told {
  metrics: TrainSummary['metrics'];
  classes: Classes;
  style: Style;
}

/** The diagnosis in a sentence, and what to do about it. */
export function diagnosisText(diagnosis: Diagnosis, told: Told): Lines {
  const { verdict, comparedWith, collapsed, worseThanGuessing, imbalance } = diagnosis;
  const { style } = told;
  const isSound = verdict === 'neither' && !collapsed && !worseThanGuessing && !imbalance;
  const lines = [
    `${style('bold', 'Diagnosis')}: ${style(isSound ? 'green' : 'yellow', headline(diagnosis, told))}. ${sentence(diagnosis, told)}`,
    ...(collapsed ? ['  It gives every training picture the same answer: nothing was learnt. Mend that first.'] : []),
    ...(imbalance ? [`  ${imbalanceSentence(imbalance, diagnosis, told)}`] : []),
  ];
  if (comparedWith === 'test')
    lines.push('  There is no dev part, so this looked at test: choose nothing by it, or test no longer tells the truth.');
  for (const remedy of diagnosis.remedies) {
    const { title, why, set, affordable } = remedy;
    lines.push(`  - ${title}: ${why}${durationText(remedy)}`);
    if (set.length > 0) lines.push(`      ${flags(set)}`);
    if (affordable) lines.push(`      with ${flags(affordable.set)} as well about ${times(affordable.timesAsLong)} as long`);
  }
  return lines;
}

const flags = (set: readonly string[]) => set.map((change) => `--set ${shellWord(change)}`).join(' ');

/** What takes about as long needs no word. */
const worthTelling = 1.5;

function durationText({ timesAsLong = null }: Remedy): string {
  return timesAsLong !== null && timesAsLong >= worthTelling ? ` (takes about ${times(timesAsLong)} as long)` : '';
}

const times = (factor: number) => (factor === 2 ? 'twice' : `${count(factor)} times`);

/** The worst first: what a cost above that of guessing says of bias and variance is nothing, and one answer for all says little. */
function headline({ verdict, worseThanGuessing, answers, imbalance }: Diagnosis, { metrics, classes }: Told): string {
  if (worseThanGuessing) return 'worse than guessing';
  if (answers) return `it always answers ${onlyAnswer(metrics, classes)}, the ${answers}`;
  if (verdict === 'neither' && imbalance) return 'the smaller class is not learnt';
  return verdictTitle(verdict);
}

function onlyAnswer({ train }: TrainSummary['metrics'], { positive, negative }: Classes): string {
  const { tp, fp } = train!.confusion;
  return tp + fp === 0 ? negative : positive;
}

function sentence(diagnosis: Diagnosis, { metrics }: Told): string {
  const { worseThanGuessing, guessing = Number.NaN, collapsed } = diagnosis;
  if (worseThanGuessing) {
    return `Its cost on train is ${metrics.train!.cost.toPrecision(4)}, and that of a network that sees nothing ${guessing.toPrecision(4)}.`;
  }
  return collapsed ? `So its accuracy on train is that class's share, ${percent(metrics.train!.accuracy)}.` : measured(diagnosis);
}

/** What accuracy hides, and the figures that do not. */
function imbalanceSentence(
  { positive, share, error }: Imbalance,
  { comparedWith }: Diagnosis,
  { metrics, classes }: Told,
): string {
  const name = positive ? classes.positive : classes.negative;
  const parts = ['train', comparedWith] as const;
  const each = (value: (of: Metrics) => string) => parts.map((part) => `${value(metrics[part]!)} on ${part}`).join(', ');
  const balanced = each(({ balancedAccuracy }) => (balancedAccuracy === null ? 'unknown' : percent(balancedAccuracy)));
  const auc = each(({ rocAuc }) => rocAuc?.toFixed(2) ?? 'unknown');
  return (
    `Imbalance: ${name} is ${percent(share)} of train, and ${percent(error)} of it is wrong there; accuracy hardly shows that. ` +
    `Balanced accuracy (guessing: 50%) is ${balanced}; ROC AUC (guessing: 0.5) ${auc}.`
  );
}

/** The measured differences, in words, and how sure they are. */
function measured({ avoidableBias, variance, comparedWith, targetError, ...sureness }: Diagnosis): string {
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
