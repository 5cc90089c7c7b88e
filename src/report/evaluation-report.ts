import type { Evaluation, Unseen } from '../results/evaluation.ts';
import { trainedOnText } from './evaluation.ts';
import { escapeHtml, htmlPage, htmlTable } from './html.ts';
import { type Judged, judgedHtml, partsTable, type ShownImages } from './judged.ts';
import { pageScript } from './page-script.ts';
import { percent, percentRange } from './table.ts';

/** The page of an evaluation: what `nn evaluate` says of one part, or of another source, and nothing of any other. */
export interface EvaluationReport {
  /** what was judged, such as "test of runs/mine" */
  title: string;
  model: string;
  classes: { positive: string; negative: string };
  judged: Judged & { metrics: Evaluation };
  images: ShownImages;
  /** how many of the pictures the run was trained on, where that is known */
  familiar: Unseen | null;
  facts: readonly (readonly [string, string])[];
}

export function evaluationReportHtml({ title, model, classes, judged, images, familiar, facts }: EvaluationReport): string {
  const { accuracy, accuracyInterval, baseline, logLoss, brier } = judged.metrics;
  const { labels } = judged.answers;
  const positive = labels.reduce((sum, label) => sum + label, 0);
  const sentence = trainedOnText(labels.length, familiar);
  const isAbove = accuracyInterval[0] > baseline;
  return htmlPage(
    `nn evaluate: ${title}`,
    [
      `<h1>${escapeHtml(title)}</h1>`,
      `<p class="soft">${escapeHtml(model)}</p>`,
      `<p class="verdict${isAbove ? '' : ' bad'}"><strong>${percent(accuracy)} right</strong>, and with 95% confidence ${percentRange(accuracyInterval)} of pictures like these. Always answering the larger class is right for ${percent(baseline)}${isAbove ? '.' : ': that is not beaten beyond chance.'}</p>`,
      ...(sentence === null ? [] : [`<p class="alarm">${escapeHtml(sentence)}</p>`]),
      partsTable([{ name: judged.name, metrics: judged.metrics, total: labels.length, positive }], classes),
      htmlTable([[], ['log loss', logLoss.toFixed(4)], ['Brier score', brier.toFixed(4)]]),
      ...judgedHtml(judged, classes, images),
      '<h2>Made by</h2>',
      htmlTable([[], ...facts.map((fact) => [...fact])]),
    ],
    pageScript,
  );
}
