import {
  type Answers,
  averagePrecision,
  calibrationBins,
  countsAbove,
  histogramOf,
  operatingPoints,
  thinned,
} from '../evaluation/curves.ts';
import type { Interval, StoredMetrics } from '../results/metrics.ts';
import { type Chart, chartHtml, type Series } from './charts.ts';
import { captionHtml, escapeHtml, htmlTable } from './html.ts';
import { thresholdSteps } from './page-script.ts';
import { count, percent, percentRange, plural } from './table.ts';

/** The sections of a report on one part that was judged: confusion, threshold, curves, calibration, and its pictures. */

interface Classes {
  positive: string;
  negative: string;
}

export interface Judged {
  /** such as dev, or the name of a source */
  name: string;
  metrics: StoredMetrics;
  threshold: number;
  answers: Answers;
}

/** A picture as the network sees it, with its answer. */
export interface AnsweredImage {
  name: string;
  /** a data: URL of its square */
  source: string;
  /** a path relative to the page; null where it is no file */
  href: string | null;
  truth: string;
  label: string;
  p: number;
}

/** Pictures that are worth looking at. */
export interface ShownImages {
  /** of all pictures of the part, how many are wrong */
  errors: number;
  /** the most confident errors, worst first */
  wrong: AnsweredImage[];
  /** those nearest to the threshold */
  unsure: AnsweredImage[];
  /** confident and right, of each class */
  right: AnsweredImage[];
}

/** At most so many points of a curve. */
export const mostPoints = 1000;
const histogramBins = 20;

export function judgedHtml(judged: Judged, classes: Classes, images: ShownImages | null): string[] {
  const { name } = judged;
  return [
    `<h2>What it gets right and wrong on ${escapeHtml(name)}</h2>`,
    thresholdHtml(judged, classes),
    `<div class="charts">${[histogramChart(judged, classes), calibrationChart(judged), ...rankingCharts(judged)].map(chartHtml).join('')}</div>`,
    ...(images === null ? [] : imagesHtml(images, judged)),
  ];
}

/** The figures of `nn evaluate` for any threshold: those of the model's own stand there without a script. */
function thresholdHtml({ metrics, threshold, answers }: Judged, { positive, negative }: Classes): string {
  const { tp, fp, fn, tn } = metrics.confusion;
  const grid = Array.from({ length: thresholdSteps + 1 }, (_, step) => step / thresholdSteps);
  const data = { ...countsAbove(answers, grid), positives: tp + fn, negatives: fp + tn, own: threshold };
  const cell = (name: string, text: string) => `<td class="figure" data-figure="${name}">${text}</td>`;
  const row = (title: string, name: string, text: string, meaning: string) =>
    `<tr><th scope="row">${title}</th>${cell(name, text)}<td class="soft">${escapeHtml(meaning)}</td></tr>`;
  const digits = (value: number | null | undefined) => (value == null ? 'not defined' : value.toFixed(4));
  const own = shownThreshold(threshold);
  return [
    `<div class="threshold" data-threshold="${escapeHtml(JSON.stringify(data))}">`,
    `<div hidden><label for="threshold">Threshold: p above <output>${own}</output> counts as ${escapeHtml(positive)}</label>`,
    `<input id="threshold" type="range" min="0" max="${thresholdSteps}" value="${Math.round(threshold * thresholdSteps)}">`,
    '<button type="button">Back to the model’s threshold</button></div>',
    `<div class="scroll" tabindex="0"><table>${captionHtml(`Confusion; the model’s own threshold is ${own}`)}`,
    `<thead><tr><td></td><th scope="col">called ${escapeHtml(positive)}</th><th scope="col">called ${escapeHtml(negative)}</th></tr></thead>`,
    `<tbody><tr><th scope="row">is ${escapeHtml(positive)}</th>${cell('tp', String(tp))}${cell('fn', String(fn))}</tr>`,
    `<tr><th scope="row">is ${escapeHtml(negative)}</th>${cell('fp', String(fp))}${cell('tn', String(tn))}</tr></tbody></table></div>`,
    '<div class="scroll" tabindex="0"><table><tbody>',
    row('accuracy', 'accuracy', percent(metrics.accuracy), 'of all, the share that is right'),
    row('95% interval', 'accuracyInterval', percentRange(metrics.accuracyInterval), 'of the accuracy, for pictures like these'),
    row('precision', 'precision', digits(metrics.precision), `of those called ${positive}, the share that are`),
    row('recall', 'recall', digits(metrics.recall), `of those that are ${positive}, the share called so`),
    row(
      'specificity',
      'specificity',
      digits(fp + tn === 0 ? null : tn / (fp + tn)),
      `of those that are ${negative}, the share called so`,
    ),
    row('F1', 'f1', digits(metrics.f1), 'harmonic mean of precision and recall'),
    '</tbody></table></div></div>',
  ].join('');
}

/** One that was chosen by its score has sixteen digits. */
const shownThreshold = (threshold: number) => Number(threshold.toPrecision(4));

function histogramChart({ answers, threshold }: Judged, { positive, negative }: Classes): Chart {
  const { positive: of, negative: others } = histogramOf(answers, histogramBins);
  const steps = (counts: readonly number[]) =>
    counts.flatMap((n, bin): [number, number][] => [
      [bin / histogramBins, n],
      [(bin + 1) / histogramBins, n],
    ]);
  const beyond = (counts: readonly number[], is: (bin: number) => boolean) =>
    counts.reduce((sum, n, bin) => sum + (is(bin) ? n : 0), 0);
  const low = beyond(others, (bin) => bin < histogramBins / 2);
  const high = beyond(of, (bin) => bin >= histogramBins / 2);
  return {
    name: 'histogram',
    title: 'Answers by class',
    summary: `${high} of the ${count(beyond(of, () => true))} pictures of ${positive} have p of 0.5 or more; ${low} of the ${count(beyond(others, () => true))} of ${negative} less.`,
    x: { label: `p, the probability of ${positive}`, domain: [0, 1] },
    y: { label: 'pictures', format: 'whole' },
    series: [
      { name: `is ${negative}`, points: steps(others), style: 2, filled: true },
      { name: `is ${positive}`, points: steps(of), style: 1, filled: true },
    ],
    marks: [{ x: threshold, text: 'threshold' }],
  };
}

function calibrationChart({ answers }: Judged): Chart {
  const bins = calibrationBins(answers);
  const interval = ({ interval: [low, high] }: { interval: Interval }): [number, number] => [low, high];
  return {
    name: 'calibration',
    title: 'Calibration: is p what it says?',
    summary: `Of pictures grouped by p, the share that is positive: ${bins.map(({ predicted, observed, count: n }) => `p about ${predicted.toFixed(2)}: ${percent(observed)} of ${n}`).join('; ')}.`,
    x: { label: 'p that was given, mean of its tenth', domain: [0, 1] },
    y: { label: 'share that is positive, with 95% interval', domain: [0, 1], format: 'percent' },
    series: [
      {
        name: 'observed',
        points: bins.map(({ predicted, observed }) => [predicted, observed]),
        intervals: bins.map(interval),
        style: 1,
        dots: true,
      },
    ],
    guide: { from: [0, 0], to: [1, 1], text: 'perfectly calibrated' },
  };
}

/** ROC and precision-recall; none where a class is missing. */
function rankingCharts({ answers, metrics }: Judged): Chart[] {
  const points = operatingPoints(answers);
  if (points.length === 0) return [];
  const area = averagePrecision(points)!;
  const share = answers.labels.reduce((sum, label) => sum + label, 0) / answers.labels.length;
  const line = (name: string, at: [number, number][]): Series => {
    const kept = thinned(
      at.map(([, y]) => y),
      mostPoints,
    );
    return { name, points: kept.map((i) => at[i]!), style: 1 };
  };
  const roc: [number, number][] = [
    [0, 0],
    ...points.map((one): [number, number] => [one.falsePositiveRate, one.truePositiveRate]),
  ];
  const recall: [number, number][] = points.map((one) => [one.truePositiveRate, one.precision]);
  const auc = metrics.rocAuc === null ? 'not defined' : metrics.rocAuc.toFixed(4);
  return [
    {
      name: 'roc',
      title: `ROC: area ${auc}`,
      summary: `How many positives are found against how many negatives are called so, over all thresholds. The area under it is ${auc}; guessing has 0.5.`,
      x: { label: 'false positive rate', domain: [0, 1], format: 'percent' },
      y: { label: 'true positive rate (recall)', domain: [0, 1], format: 'percent' },
      series: [line('this model', roc)],
      guide: { from: [0, 0], to: [1, 1], text: 'guessing' },
    },
    {
      name: 'precision-recall',
      title: `Precision and recall: area ${area.toFixed(4)}`,
      summary: `Precision against recall, over all thresholds. The area under it (average precision) is ${area.toFixed(4)}; guessing has ${share.toFixed(4)}, the share of positives.`,
      x: { label: 'recall', domain: [0, 1], format: 'percent' },
      y: { label: 'precision', domain: [0, 1], format: 'percent' },
      series: [line('this model', recall)],
      guide: { from: [0, share], to: [1, share], text: 'guessing' },
    },
  ];
}

function imagesHtml({ errors, wrong, unsure, right }: ShownImages, { name, answers }: Judged): string[] {
  const section = (id: string, title: string, text: string, images: readonly AnsweredImage[]) =>
    images.length === 0
      ? []
      : [
          `<h3 id="${id}">${title}</h3>`,
          `<p class="soft">${escapeHtml(text)}</p>`,
          `<div class="pictures squares">${images.map(imageHtml).join('')}</div>`,
        ];
  const total = answers.labels.length;
  const no = errors === 0 ? [`<p>No picture of ${escapeHtml(name)} is wrong.</p>`] : [];
  return [
    ...no,
    ...section(
      'errors',
      'Most confident errors',
      `${plural(errors, 'picture')} of ${count(total)} ${errors === 1 ? 'is' : 'are'} wrong; ${wrong.length < errors ? `the ${wrong.length} worst` : 'all of them'}, worst first. Look for what they have in common, and for wrong labels.`,
      wrong,
    ),
    ...section(
      'unsure',
      'Least sure answers',
      'The pictures nearest to the threshold: a little more or less would turn them.',
      unsure,
    ),
    ...section('right', 'Right answers', 'Some that it is surest of, to compare with.', right),
  ];
}

function imageHtml({ name, source, href, truth, label, p }: AnsweredImage): string {
  const isWrong = truth !== label;
  const shown = escapeHtml(name);
  const title = href === null ? shown : `<a href="${escapeHtml(href)}">${shown}</a>`;
  const words = isWrong ? `is ${truth}, called ${label}` : `is ${truth}`;
  return `<figure><img src="${source}" alt="${escapeHtml(`${name}: ${words}`)}"><figcaption>${title}<br>${escapeHtml(words)}<br>p ${p.toFixed(4)}</figcaption></figure>`;
}

/** A table of the parts beside each other. */
export function partsTable(
  parts: readonly { name: string; metrics: StoredMetrics; total: number; positive: number }[],
  classes: Classes,
): string {
  // what a phone shows first comes first
  const head = [
    '',
    'accuracy',
    '95% interval',
    'larger class',
    'cost',
    'ROC AUC',
    'pictures',
    classes.positive,
    classes.negative,
  ];
  const rows = parts.map(({ name, metrics, total, positive }) => [
    name,
    percent(metrics.accuracy),
    percentRange(metrics.accuracyInterval),
    percent(metrics.baseline),
    metrics.cost.toFixed(4),
    metrics.rocAuc?.toFixed(4) ?? '',
    count(total),
    count(positive),
    count(total - positive),
  ]);
  return htmlTable([head, ...rows], 'Larger class: the accuracy of always answering it.');
}
