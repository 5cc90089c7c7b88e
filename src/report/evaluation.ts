import type { PredictionRow, Unseen } from '../results/evaluation.ts';
import type { Interval, Metrics } from '../results/metrics.ts';
import type { Lines } from '../text.ts';
import { count, percent, percentRange, plural, table } from './table.ts';

interface Setting {
  title: string;
  classes: { positive: string; negative: string };
  threshold: number;
  style: (style: 'bold' | 'dim', text: string) => string;
}

/** The metrics of one part, for people. */
export function evaluationText(metrics: Metrics, familiar: Unseen | null, setting: Setting): Lines {
  const { title, classes, threshold, style } = setting;
  const { tp, fp, fn, tn } = metrics.confusion;
  const { positive, negative } = classes;
  const sentence = trainedOnText(tp + fp + fn + tn, familiar);
  return [
    `${style('bold', title)}: ${count(tp + fp + fn + tn)} pictures`,
    '',
    figures(metrics, classes),
    '',
    table(
      [
        [`P > ${threshold}`, `called ${positive}`, `called ${negative}`],
        [`is ${positive}`, count(tp), count(fn)],
        [`is ${negative}`, count(fp), count(tn)],
      ],
      '  ',
    ),
    ...(sentence === null ? [] : ['', sentence]),
    ...(sentence === null || !familiar?.unseen ? [] : ['', figures(familiar.unseen, classes)]),
  ];
}

/** Of pictures of one class alone, no more than they tell. */
function figures(metrics: Metrics, { positive, negative }: Setting['classes']): Lines {
  const { tp, fp, fn, tn } = metrics.confusion;
  const ofBoth = tp + fn > 0 && fp + tn > 0;
  const found = (name: string, share: number | null, interval: Interval | null, of: string) =>
    share === null || interval === null
      ? []
      : [[name, share.toFixed(4), `95% interval ${percentRange(interval)}, of the pictures of ${of}, the share called so`]];
  const both = (name: string, value: number | null, what: string) =>
    ofBoth ? [[name, value === null ? 'not defined' : value.toFixed(4), what]] : [];
  return table(
    [
      ['accuracy', percent(metrics.accuracy), `95% interval ${percentRange(metrics.accuracyInterval)}`],
      ...(ofBoth ? [['larger class', percent(metrics.baseline), 'the accuracy of always answering it']] : []),
      ['cost', metrics.cost.toFixed(4), ''],
      ...both('precision', metrics.precision, `of the pictures called ${positive}, the share that are`),
      ...found('recall', metrics.recall, metrics.recallInterval, positive),
      ...found('specificity', metrics.specificity, metrics.specificityInterval, negative),
      ...both('F1', metrics.f1, ''),
      ...both('ROC AUC', metrics.rocAuc, `${positive} gets a higher P than ${negative} so often`),
      ['log loss', metrics.logLoss.toFixed(4), ''],
      ['Brier', metrics.brier.toFixed(4), ''],
    ],
    '  ',
  );
}

/** How many of the pictures the run was trained on, in a sentence; null where there are none, or nobody knows. */
export function trainedOnText(total: number, familiar: Unseen | null): string | null {
  if (!familiar?.trainedOn) return null;
  const { trainedOn, nearCopies, unseen } = familiar;
  if (unseen === null && !nearCopies) return `The run was trained on all of these pictures: the figures say little of others.`;
  const copies = nearCopies ? `, and ${plural(nearCopies, 'other is a near copy', 'others are near copies')} of such` : '';
  const rest = total - trainedOn - (nearCopies ?? 0);
  const others =
    unseen === null
      ? 'None is left to judge it by'
      : `On the other ${count(rest)} the accuracy is ${percent(unseen.accuracy)} (${percentRange(unseen.accuracyInterval)})`;
  return `The run was trained on ${count(trainedOn)} of these ${count(total)} pictures${copies}: what it knows by heart looks like success. ${others}.`;
}

/** @param worst  the most confident errors, worst first
 *  @param total  of all errors */
export function worstText(worst: readonly PredictionRow[], total: number): Lines {
  if (total === 0) return ['', 'No errors.'];
  const lines = worst.map(({ file, truth, label, p }) => [file, `is ${truth}`, `called ${label}`, `P ${p.toFixed(4)}`]);
  return ['', `The most confident of ${plural(total, 'error')}:`, table(lines, '  ')];
}
