import { mostTimes } from '../evaluation/diagnosis.ts';
import type { Imbalance, Side, StoredDiagnosis, TrainSummary, Verdict } from '../results/summary.ts';
import { type Lines, shellWord } from '../text.ts';
import { abstentionText } from './abstention.ts';
import { count, percent, percentRange, plural, table } from './table.ts';

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
    ...(summary.temperature === undefined
      ? []
      : [`Calibrated on ${summary.folds ? 'all folds' : 'dev'}: P = σ(z / ${summary.temperature.toPrecision(4)}).`]),
    '',
    table([header, ...rows], '  '),
    '',
  ];
  if (summary.diagnosis) {
    lines.push(diagnosisText(summary.diagnosis, { metrics, classes, style }));
    if (summary.diagnosis.remedies.some(({ set }) => set.length > 0))
      lines.push(`  Which of these help here, and how much: nn diagnose --config ${shellWord(`${summary.run}/config.json`)}`);
    lines.push('');
  }
  if (summary.abstention && summary.abstention.pictures > 0)
    lines.push(`To answer only where it is sure, nn predict --abstain: ${abstentionText(summary.abstention)}.`, '');
  lines.push(
    table(
      [
        ['model', summary.model],
        ['run', summary.run],
        ...(summary.report ? [['report', `${summary.run}/${summary.report}`]] : []),
        ['next', 'nn predict PICTURE; nn export --out page.html, a page that answers in any browser'],
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

interface Setting {
  metrics: TrainSummary['metrics'];
  classes: Classes;
  style: Style;
}

/** The diagnosis in words: a headline, what was measured, and what must be known of it. */
export function diagnosisWords(diagnosis: StoredDiagnosis, setting: Omit<Setting, 'style'>) {
  const { verdict, comparedWith, collapsed, worseThanGuessing, imbalance, learntLater } = diagnosis;
  return {
    isSound: verdict === 'neither' && !collapsed && !worseThanGuessing && !imbalance,
    headline: headline(diagnosis, setting),
    measured: sentence(diagnosis, setting),
    more: [
      ...(collapsed ? ['It gives every training picture the same answer: nothing was learnt. Mend that first.'] : []),
      ...(learntLater
        ? [
            'Later epochs learnt the training pictures, while dev got worse: the bias is what early stopping left, not what the network can’t do.',
          ]
        : []),
      ...(imbalance ? [imbalanceSentence(imbalance, diagnosis, setting)] : []),
      ...(comparedWith === 'test'
        ? ['There is no dev part, so this looked at test: choose nothing by it, or test no longer tells the truth.']
        : []),
    ],
  };
}

/** The diagnosis in a sentence, and what to do about it. */
export function diagnosisText(diagnosis: StoredDiagnosis, setting: Setting): Lines {
  const { style } = setting;
  const { isSound, headline, measured, more } = diagnosisWords(diagnosis, setting);
  const lines = [
    `${style('bold', 'Diagnosis')}: ${style(isSound ? 'green' : 'yellow', headline)}. ${measured}`,
    ...more.map((text) => `  ${text}`),
  ];
  for (const remedy of diagnosis.remedies) {
    const { title, why, set, affordable } = remedy;
    lines.push(`  - ${title}: ${why}${durationText(remedy)}`);
    if (set.length > 0) lines.push(`      ${flags(set)}`);
    if (affordable) lines.push(`      with ${flags(affordable.set)} as well about ${times(affordable.timesAsLong)} as long`);
  }
  return lines;
}

export const flags = (set: readonly string[]) => set.map((change) => `--set ${shellWord(change)}`).join(' ');

/** What takes about as long needs no word. */
const worthTelling = 1.5;

export function durationText({ timesAsLong = null }: StoredDiagnosis['remedies'][number]): string {
  return timesAsLong !== null && timesAsLong >= worthTelling ? ` (takes about ${times(timesAsLong)} as long)` : '';
}

const times = (factor: number) => (factor === 2 ? 'twice' : `${count(factor)} times`);

/** The worst first: what a cost above that of guessing says of bias and variance is nothing, and one answer for all says little. */
function headline(
  { verdict, worseThanGuessing, answers, imbalance }: StoredDiagnosis,
  { metrics, classes }: Omit<Setting, 'style'>,
): string {
  if (worseThanGuessing) return 'worse than guessing';
  if (answers) return `it always answers ${onlyAnswer(metrics, classes)}, the ${answers}`;
  if (verdict === 'neither' && imbalance) return 'the smaller class is not learnt';
  return verdictTitle(verdict);
}

function onlyAnswer({ train }: TrainSummary['metrics'], { positive, negative }: Classes): string {
  const { tp, fp } = train!.confusion;
  return tp + fp === 0 ? negative : positive;
}

function sentence(diagnosis: StoredDiagnosis, { metrics }: Omit<Setting, 'style'>): string {
  const { worseThanGuessing, guessing = Number.NaN, collapsed } = diagnosis;
  if (worseThanGuessing) {
    return `Its cost on train is ${metrics.train!.cost.toPrecision(4)}, and that of a network that sees nothing ${guessing.toPrecision(4)}.`;
  }
  return collapsed ? `So its accuracy on train is that class's share, ${percent(metrics.train!.accuracy)}.` : measured(diagnosis);
}

type Measured = NonNullable<TrainSummary['metrics']['train']>;

/** What accuracy hides, and the figures that do not. */
function imbalanceSentence(
  { positive, share, error }: Imbalance,
  { comparedWith }: StoredDiagnosis,
  { metrics, classes }: Omit<Setting, 'style'>,
): string {
  const name = positive ? classes.positive : classes.negative;
  const parts = ['train', comparedWith] as const;
  const each = (value: (of: Measured) => string) => parts.map((part) => `${value(metrics[part]!)} on ${part}`).join(', ');
  const balanced = each(({ balancedAccuracy = null }) => (balancedAccuracy === null ? 'unknown' : percent(balancedAccuracy)));
  const auc = each(({ rocAuc }) => rocAuc?.toFixed(2) ?? 'unknown');
  return (
    `Imbalance: ${name} is ${percent(share)} of train, and ${percent(error)} of it is wrong there; accuracy hardly shows that. ` +
    `Balanced accuracy (guessing: 50%) is ${balanced}; ROC AUC (guessing: 0.5) ${auc}.`
  );
}

/** The measured differences, in words, and how sure they are. */
function measured({ avoidableBias, variance, comparedWith, targetError, ...sureness }: StoredDiagnosis): string {
  const points = (share: number) => `${Math.abs(share * 100).toFixed(1)} points`;
  const bias = `The error on train is ${points(avoidableBias)} ${avoidableBias < 0 ? 'below' : 'above'} the target of ${percent(targetError, 0)}`;
  const spread = `that on ${comparedWith} is ${points(variance)} ${variance < 0 ? 'below' : 'above'} train's`;
  return `${bias}, ${spread}.${doubt(sureness)}`;
}

const sideNames: Record<Side, string> = { avoidableBias: 'the bias', variance: 'the variance' };

/** What could be chance, and how many pictures would tell. */
function doubt({ intervals, unsure, enough }: Pick<StoredDiagnosis, 'intervals' | 'unsure' | 'enough'>): string {
  if (unsure.length === 0) return '';
  const points = (share: number) => (share * 100).toFixed(1);
  const each = unsure.map((side) => `${sideNames[side]} (${intervals[side].map(points).join(' to ')} points)`);
  const more = enough === null ? `more than ${mostTimes} times as many` : `some ${enough} times as many`;
  return ` These are too few pictures to tell whether ${each.join(' or ')} is high: ${more} would.`;
}

function verdictTitle(verdict: Verdict): string {
  return verdict === 'neither' ? 'neither high bias nor high variance' : verdict;
}
