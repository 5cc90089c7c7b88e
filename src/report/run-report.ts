import { thinned } from '../evaluation/curves.ts';
import type { Divergence, EpochLine, LayerNorms } from '../results/journal.ts';
import type { TrainSummary } from '../results/summary.ts';
import { shellWord } from '../text.ts';
import { type Axis, type Chart, chartHtml, type Mark, type Series } from './charts.ts';
import { escapeHtml, htmlPage, htmlTable } from './html.ts';
import { type Judged, judgedHtml, mostPoints, partsTable, type ShownImages } from './judged.ts';
import { pageScript, reloading } from './page-script.ts';
import { count, plural } from './table.ts';
import { diagnosisWords, durationText, flags } from './train-summary.ts';

/** The page of a run, report.html: a function from values to text. */

/** An epoch as a journal of any version has it. */
export type StoredEpoch = Omit<EpochLine, 'layers'> & { layers: Omit<LayerNorms, 'examples'>[] | null };

export interface RunReport {
  /** the run's name */
  title: string;
  /** of the run, as the user would type it */
  folder: string;
  classes: { positive: string; negative: string };
  /** interrupted: before there was a model */
  state: 'training' | 'ended' | 'diverged' | 'interrupted' | 'failed';
  /** when the page was written, for people */
  written: string;
  /** null while it trains, and where it diverged */
  summary: TrainSummary | null;
  /** epochs that were asked for */
  wanted: number;
  /** of the final training, or of the last fold while there is none */
  epochs: readonly StoredEpoch[];
  /** which fold those are of */
  fold: number | null;
  diverged: Divergence | null;
  /** what broke it off; null in any other state */
  failure: Failure | null;
  /** the part whose answers are shown; null while it trains */
  judged: Judged | null;
  images: ShownImages | null;
  weights: WeightImages | null;
  /** fields that are not the default, PATH=VALUE */
  changes: readonly string[];
  config: object;
  /** versions, seed, time: what and how much */
  facts: readonly (readonly [string, string])[];
}

/** What broke a training off, other than the user. */
export interface Failure {
  /** a sentence, or a line for each thing that is wrong */
  message: string;
  /** whether --resume can do better than come to the same end */
  canResume: boolean;
}

/** First-layer weights, as pictures. */
export interface WeightImages {
  text: string;
  images: { source: string; text: string }[];
}

/** Seconds until a page of a training asks for its next state. */
const reloadSeconds = 10;

export function runReportHtml(report: RunReport): string {
  const { title, state, summary, judged, classes, images } = report;
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p class="soft">${escapeHtml(stateText(report))}</p>`,
    ...verdictHtml(report),
    ...(summary === null ? [] : [partsHtml(summary, classes)]),
    ...curvesHtml(report),
    ...(summary?.diagnosis ? remediesHtml(summary.diagnosis, report) : []),
    ...(judged === null ? [] : judgedHtml(judged, classes, images)),
    ...weightsHtml(report.weights),
    ...normsHtml(report.epochs),
    ...dataHtml(summary),
    ...configHtml(report),
  ];
  return htmlPage(`nn: ${title}`, body, state === 'training' ? `${pageScript}\n${reloading(reloadSeconds)}` : pageScript);
}

const stopTexts = {
  finished: 'Trained',
  early: 'Stopped early',
  time: 'Out of time',
  interrupted: 'Interrupted',
} as const satisfies Record<TrainSummary['stopped'], string>;

function stateText({ state, summary, epochs, wanted, written, fold, diverged }: RunReport): string {
  const last = epochs.at(-1)?.epoch ?? 0;
  if (state === 'interrupted')
    return `Interrupted in fold ${fold ?? 1}, after ${plural(last, 'epoch')} of ${count(wanted)}. ${written}`;
  if (state === 'failed') return `Broken off after ${plural(last, 'epoch')} of ${count(wanted)}. ${written}`;
  if (state === 'training') {
    const where = fold === null ? '' : `fold ${fold}, `;
    return `In training: ${where}epoch ${count(last)} of ${count(wanted)}, as of ${written}. This page shows the newest state every ${reloadSeconds} seconds; without scripts, reload it.`;
  }
  if (state === 'diverged')
    return `Diverged in epoch ${count(diverged?.epoch ?? last)} of ${count(wanted)}. The weights before it are kept. ${written}`;
  const { stopped, epochs: done, seconds, parameters } = summary!;
  return `${stopTexts[stopped]} after ${plural(done, 'epoch')} of ${count(wanted)}, in ${seconds.toFixed(1)} s: ${plural(parameters, 'parameter')}. ${written}`;
}

/** What came of it, in a sentence, and what must be known first. */
function verdictHtml({ summary, state, diverged, failure, classes, folder }: RunReport): string[] {
  const verdict = (text: string, isBad: boolean, more: readonly string[] = []) => [
    `<p class="verdict${isBad ? ' bad' : ''}">${text}</p>`,
    ...more.map((one) => `<p>${escapeHtml(one)}</p>`),
  ];
  if (state === 'training') return [];
  if (state === 'diverged') {
    if (diverged === null) return verdict('The training diverged.', true);
    const { what, layer, tensor, learningRate, proposedRate } = diverged;
    const advice =
      proposedRate === null
        ? 'It broke before any step, so that the learning rate is not to blame: look at the inputs and at how the first weights are drawn.'
        : `Try a learning rate of ${[proposedRate].flat().join(', ')}.`;
    return verdict(
      `<strong>The training diverged</strong>: ${escapeHtml(what)}, in ${escapeHtml(tensor)} of layer ${layer}, at a learning rate of ${learningRate}.`,
      true,
      [advice],
    );
  }
  const resumed = `It goes on with: nn train --resume ${shellWord(folder)}`;
  if (state === 'interrupted')
    return verdict('<strong>There is no model yet</strong>: cross-validation comes first.', true, [resumed]);
  if (failure !== null)
    return verdict(
      `<strong>The training was broken off</strong>: ${escapeHtml(failure.message)}`,
      true,
      failure.canResume ? [resumed] : [],
    );
  const again = summary!.stopped === 'interrupted' ? [resumed] : [];
  if (summary!.diagnosis === null)
    return verdict(
      '<strong>How good it is on other pictures is not known</strong>: there is no dev and no test part.',
      true,
      again,
    );
  const { headline, measured, isSound, more } = diagnosisWords(summary!.diagnosis, { metrics: summary!.metrics, classes });
  const glosses = Object.entries(verdictGlosses).flatMap(([words, gloss]) =>
    summary!.diagnosis!.verdict.includes(words) ? [gloss] : [],
  );
  const head = `<strong>${escapeHtml(capital(headline))}.</strong> ${escapeHtml(measured)}`;
  return verdict(head, !isSound, [...glosses, ...more, ...again]);
}

/** The first letter of a sentence; a command stays as it is typed. */
const capital = (text: string) => (text.startsWith('nn ') ? text : text.charAt(0).toUpperCase() + text.slice(1));

/** What the course's words mean, for who has forgotten. */
const verdictGlosses = {
  bias: 'High bias: it does not even do well on the pictures that it was trained on, against the error that is thought possible (diagnosis.targetError).',
  variance: 'High variance: it overfits, and does much better on the pictures that it was trained on than on others.',
};

const partNames = ['train', 'dev', 'test'] as const;

function partsHtml({ metrics, examples, folds }: TrainSummary, classes: RunReport['classes']): string {
  const parts = partNames.flatMap((name) => {
    const own = metrics[name];
    return own === null ? [] : [{ name, metrics: own, ...examples[name] }];
  });
  const inFolds =
    folds === undefined
      ? ''
      : htmlTable(
          [
            ['fold', 'accuracy', 'cost'],
            ...folds.accuracy.values.map((value, i) => [
              String(i + 1),
              `${(value * 100).toFixed(1)}%`,
              folds.cost.values[i]!.toFixed(4),
            ]),
            ['mean', `${(folds.accuracy.mean * 100).toFixed(1)}%`, folds.cost.mean.toFixed(4)],
          ],
          'Cross-validation: each fold judged by a training that did not see it.',
        );
  const honest =
    metrics.dev && metrics.test ? '<p class="soft">Of these, test is the honest figure: nothing was chosen by it.</p>' : '';
  return `${partsTable(parts, classes)}${honest}${inFolds}`;
}

/** Cost and accuracy by epoch, and the rate under them. */
function curvesHtml(report: RunReport): string[] {
  const { epochs, summary, diverged, fold } = report;
  if (epochs.length === 0) return ['<p>No epoch is finished yet.</p>'];
  const marks = marksOf(summary, diverged, epochs);
  const rates = epochs.map(({ learningRate }) => learningRate);
  const changing = rates.some((rate) => rate !== rates[0]);
  const charts = [costChart(epochs, marks), accuracyChart(epochs, marks), ...(changing ? [rateChart(epochs)] : [])];
  const last = epochs.at(-1)!.epoch;
  const best =
    summary !== null && summary.bestEpoch !== summary.epochs
      ? ` The weights of epoch ${count(summary.bestEpoch)} are kept: its dev cost is the least.`
      : '';
  return [
    '<h2>Learning curve</h2>',
    `<p class="soft">${fold === null ? '' : `Fold ${fold}. `}${plural(last, 'epoch')}.${best}${changing ? '' : ` The learning rate is ${rates[0]} throughout.`} Train is measured batch by batch, while the weights move, with dropout and augmentation if any; the table above is of the weights that are kept.</p>`,
    `<div class="charts">${charts.map(chartHtml).join('')}</div>`,
  ];
}

function marksOf(summary: TrainSummary | null, diverged: Divergence | null, epochs: readonly StoredEpoch[]): Mark[] {
  const stopped =
    summary?.stopped === 'early'
      ? 'stopped early'
      : summary?.stopped === 'time'
        ? 'out of time'
        : summary?.stopped === 'interrupted'
          ? 'interrupted'
          : null;
  const isBest = summary !== null && summary.bestEpoch > 0 && summary.bestEpoch !== summary.epochs;
  return [
    ...(isBest ? [{ x: summary.bestEpoch, text: `best: ${count(summary.bestEpoch)}` }] : []),
    ...(stopped !== null && !isBest ? [{ x: summary!.epochs, text: stopped }] : []),
    ...(diverged ? [{ x: Math.min(diverged.epoch, epochs.at(-1)!.epoch), text: 'diverged', kind: 'bad' as const }] : []),
  ];
}

const byEpoch: Axis = { label: 'epoch', format: 'whole' };
type Point = [x: number, y: number];

function lineOf(name: string, style: Series['style'], points: readonly Point[], keep: readonly number[]): Series[] {
  if (points.length === 0) return [];
  const at = keep.map((x) => points.findIndex(([epoch]) => epoch === x)).filter((i) => i >= 0);
  const kept = thinned(
    points.map(([, y]) => y),
    mostPoints,
    at,
  );
  return [{ name, style, points: kept.map((i) => points[i]!) }];
}

/** A range that a linear axis would squash. */
const wideRange = 30;

function costChart(epochs: readonly StoredEpoch[], marks: readonly Mark[]): Chart {
  const keep = marks.map(({ x }) => x);
  const train = epochs.map(({ epoch, cost }): Point => [epoch, cost]);
  const dev = epochs.flatMap(({ epoch, dev }): Point[] => (dev === null ? [] : [[epoch, dev.cost]]));
  const values = [...train, ...dev].map(([, y]) => y).filter(Number.isFinite);
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = values.reduce((a, b) => Math.max(a, b), 0);
  const [begin, end] = [train[0]!, train.at(-1)!];
  const text = (cost: number) => (Number.isFinite(cost) ? cost.toPrecision(4) : 'no number');
  const least = dev.reduce((a, b) => (b[1] < a[1] ? b : a), dev[0] ?? [0, 0]);
  const ofDev =
    dev.length === 0
      ? ''
      : ` On dev it goes from ${text(dev[0]![1])} to ${text(dev.at(-1)![1])}, and is least, ${text(least[1])}, after epoch ${least[0]}.`;
  return {
    name: 'cost',
    title: 'Cost',
    summary: `On train the cost goes from ${text(begin[1])} in epoch ${begin[0]} to ${text(end[1])} in epoch ${end[0]}.${ofDev}`,
    x: byEpoch,
    y: { label: 'cost, without L2', scale: low > 0 && high / low > wideRange ? 'log' : 'linear' },
    series: [...lineOf('train', 1, train, keep), ...lineOf('dev', 2, dev, keep)],
    marks,
  };
}

function accuracyChart(epochs: readonly StoredEpoch[], marks: readonly Mark[]): Chart {
  const keep = marks.map(({ x }) => x);
  const train = epochs.map(({ epoch, train }): Point => [epoch, train.accuracy]);
  const dev = epochs.flatMap(({ epoch, dev }): Point[] => (dev === null ? [] : [[epoch, dev.accuracy]]));
  const share = (value: number) => `${(value * 100).toFixed(1)}%`;
  const ofDev = dev.length === 0 ? '' : ` On dev it ends at ${share(dev.at(-1)![1])}.`;
  return {
    name: 'accuracy',
    title: 'Accuracy',
    summary: `On train the accuracy goes from ${share(train[0]![1])} to ${share(train.at(-1)![1])}.${ofDev}`,
    x: byEpoch,
    y: { label: 'share of right answers', format: 'percent' },
    series: [...lineOf('train', 1, train, keep), ...lineOf('dev', 2, dev, keep)],
    marks,
  };
}

function rateChart(epochs: readonly StoredEpoch[]): Chart {
  const points = epochs.map(({ epoch, learningRate }): Point => [epoch, learningRate]);
  return {
    name: 'rate',
    title: 'Learning rate',
    summary: `From ${points[0]![1]} to ${points.at(-1)![1]}.`,
    x: byEpoch,
    y: { label: 'of the first layer, at the end of the epoch' },
    series: lineOf('learning rate', 3, points, []),
  };
}

/** The remedies, as commands to copy. */
function remediesHtml({ remedies }: NonNullable<TrainSummary['diagnosis']>, { folder }: RunReport): string[] {
  if (remedies.length === 0) return [];
  const command = (set: readonly string[]) => `nn train --config ${shellWord(`${folder}/config.json`)} ${flags(set)}`;
  return [
    '<h2>What to try next</h2>',
    '<p class="soft">The most promising first. Each is advice from what was measured here, not a promise: train with one, and compare.</p>',
    ...remedies.flatMap((remedy) => [
      `<h3>${escapeHtml(capital(remedy.title))}</h3>`,
      `<p>${escapeHtml(capital(remedy.why))}${escapeHtml(durationText(remedy))}</p>`,
      ...(remedy.set.length === 0 ? [] : [`<pre data-copy tabindex="0">${escapeHtml(command(remedy.set))}</pre>`]),
    ]),
  ];
}

function weightsHtml(weights: WeightImages | null): string[] {
  if (weights === null) return [];
  return [
    '<h2>What the first layer looks for</h2>',
    `<p class="soft">${escapeHtml(weights.text)}</p>`,
    `<div class="pictures squares">${weights.images.map(({ source, text }) => `<figure><img src="${source}" alt="${escapeHtml(text)}"><figcaption>${escapeHtml(text)}</figcaption></figure>`).join('')}</div>`,
  ];
}

type Norms = NonNullable<StoredEpoch['layers']>[number];

/** Gradients and activations, layer by layer: where they vanish or explode. */
function normsHtml(epochs: readonly StoredEpoch[]): string[] {
  const measured = epochs.flatMap(({ epoch, layers }) => (layers === null ? [] : [{ epoch, layers }]));
  const last = measured.at(-1);
  if (last === undefined) return [];
  const { length } = last.layers;
  const shown =
    length <= 4 ? Array.from({ length }, (_, l) => l) : [0, Math.round(length / 3), Math.round((2 * length) / 3), length - 1];
  const chart = (name: string, title: string, summary: string, label: string, value: (norms: Norms) => number): Chart => ({
    name,
    title,
    summary,
    x: byEpoch,
    y: { label, scale: 'log' },
    series: shown.flatMap((l, i) =>
      lineOf(
        `layer ${l + 1}`,
        (i + 1) as Series['style'],
        measured.map(({ epoch, layers }): Point => [epoch, value(layers[l]!)]).filter(([, y]) => y > 0),
        [],
      ),
    ),
  });
  const { layers: final } = last;
  const ends = (value: (norms: Norms) => number) =>
    shown.map((l) => `layer ${l + 1}: ${value(final[l]!).toPrecision(3)}`).join(', ');
  const rows = final.map((norms, l) => [
    `${l + 1}${l === length - 1 ? ' (output)' : ''}`,
    norms.gradientNorm.toPrecision(3),
    norms.updateNorm.toPrecision(3),
    norms.weightNorm.toPrecision(3),
    norms.activationSize.toPrecision(3),
    `${(norms.zeros * 100).toFixed(1)}%`,
  ]);
  return [
    '<h2>Inside the network</h2>',
    '<p class="soft">Gradients that shrink from layer to layer vanish, those that grow explode; outputs that are all 0 belong to dead units.</p>',
    `<div class="charts">${chartHtml(chart('gradients', 'Gradient norm', `At the end: ${ends((norms) => norms.gradientNorm)}.`, '‖dW‖ of the last step of an epoch', (norms) => norms.gradientNorm))}${chartHtml(chart('activations', 'Size of activations', `At the end: ${ends((norms) => norms.activationSize)}.`, '√ of the mean square of the outputs', (norms) => norms.activationSize))}</div>`,
    htmlTable(
      [['layer', '‖dW‖', '‖ΔW‖', '‖W‖', 'activations', 'zeros'], ...rows],
      `Of the last step of epoch ${count(last.epoch)}, whichever weights are kept. ‖ΔW‖: what the step changed; zeros: outputs that are 0; the output layer gives logits.`,
    ),
  ];
}

function dataHtml(summary: TrainSummary | null): string[] {
  if (summary === null) return [];
  const { warnings } = summary;
  return [
    '<h2>Data, and what was noticed</h2>',
    ...(warnings.length === 0
      ? [
          '<p>No duplicates across parts, and no parts that differ. What training does not try is whether size, colour or border alone tell the classes apart.</p>',
        ]
      : [`<ul>${warnings.map((warning) => `<li>${escapeHtml(warning)}</li>`).join('')}</ul>`]),
    '<p class="soft"><code>nn data inspect</code> tries that, and looks for wrong labels, near duplicates and pictures that are none.</p>',
  ];
}

function configHtml({ changes, config, facts }: RunReport): string[] {
  return [
    '<h2>Config</h2>',
    ...(changes.length === 0
      ? ['<p>All fields have their defaults.</p>']
      : ['<p class="soft">What is not the default:</p>', `<pre tabindex="0">${changes.map(escapeHtml).join('\n')}</pre>`]),
    `<details><summary>The whole config</summary><pre tabindex="0">${JSON.stringify(config, null, 2).split('\n').map(escapeHtml).join('\n')}</pre></details>`,
    htmlTable([[], ...facts.map((fact) => [...fact])]),
  ];
}
