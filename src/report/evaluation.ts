import type { Metrics } from '../evaluation/metrics.ts';
import { count, percent, percentRange, plural, table } from './table.ts';

/** The answer for one labelled picture. */
export interface PredictionRow {
  file: string;
  truth: string;
  label: string;
  /** of the positive class */
  p: number;
  /** of the label that was given */
  confidence: number;
  correct: boolean;
}

interface Setting {
  title: string;
  classes: { positive: string; negative: string };
  threshold: number;
  style: (style: 'bold' | 'dim', text: string) => string;
}

/** The metrics of one part, for people. */
export function evaluationText(metrics: Metrics, { title, classes, threshold, style }: Setting): string {
  const { tp, fp, fn, tn } = metrics.confusion;
  const maybe = (value: number | null) => (value === null ? 'not defined' : value.toFixed(4));
  const { positive, negative } = classes;
  return [
    `${style('bold', title)}: ${count(tp + fp + fn + tn)} pictures`,
    '',
    table(
      [
        ['accuracy', percent(metrics.accuracy), `95% interval ${percentRange(metrics.accuracyInterval)}`],
        ['larger class', percent(metrics.baseline), 'the accuracy of always answering it'],
        ['cost', metrics.cost.toFixed(4), ''],
        ['precision', maybe(metrics.precision), `of the pictures called ${positive}, the share that are`],
        ['recall', maybe(metrics.recall), `of the pictures of ${positive}, the share that was found`],
        ['F1', maybe(metrics.f1), ''],
        ['ROC AUC', maybe(metrics.rocAuc), `a ${positive} gets a higher P than a ${negative} so often`],
        ['log loss', metrics.logLoss.toFixed(4), ''],
        ['Brier', metrics.brier.toFixed(4), ''],
      ],
      '  ',
    ),
    '',
    table(
      [
        [`P > ${threshold}`, `called ${positive}`, `called ${negative}`],
        [`is ${positive}`, count(tp), count(fn)],
        [`is ${negative}`, count(fp), count(tn)],
      ],
      '  ',
    ),
  ].join('\n');
}

/** @param worst  the most confident errors, worst first
 *  @param total  of all errors */
export function worstText(worst: readonly PredictionRow[], total: number): string {
  if (total === 0) return '\nNo errors.';
  const lines = worst.map(({ file, truth, label, p }) => [file, `is ${truth}`, `called ${label}`, `P ${p.toFixed(4)}`]);
  return `\nThe most confident of ${plural(total, 'error')}:\n${table(lines, '  ')}`;
}
