import type { MeasuredCurve, MeasuredDiagnosis, MeasuredMeter, MeasuredSuspects } from '../results/experiments.ts';
import { shellWord } from '../text.ts';
import { type Chart, chartHtml } from './charts.ts';
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
import { gainsChart } from './gains-chart.ts';
import { escapeHtml, htmlPage, htmlTable } from './html.ts';
import { pageScript } from './page-script.ts';
import { count, percent, plural } from './table.ts';
import { flags } from './train-summary.ts';

/** The page of a diagnosis: a function from its result to text. */

/** A suspect picture as networks see it. */
export interface SuspectImage {
  /** a data: URL of its square */
  source: string;
  /** a path relative to the page; null where it is no file */
  href: string | null;
}

export interface DiagnosisReport {
  title: string;
  found: MeasuredDiagnosis;
  /** of the first suspects, in their order */
  images: readonly SuspectImage[];
  /** versions, seed, machine */
  facts: readonly (readonly [string, string])[];
}

export function diagnosisReportHtml({ title, found, images, facts }: DiagnosisReport): string {
  const { trainings, earlier, seconds, leftOut, undone } = found;
  const paragraphs = (lines: readonly string[]) => lines.map((line) => `<p>${escapeHtml(line)}</p>`);
  const list = (heading: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [`<h2>${heading}</h2>`, `<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`];
  return htmlPage(
    `nn diagnose: ${title}`,
    [
      `<h1>${escapeHtml(title)}</h1>`,
      `<p class="soft">${plural(trainings, 'training')}${earlier > 0 ? `, ${count(earlier)} of them from before,` : ''} in ${seconds.toFixed(0)} s.</p>`,
      ...paragraphs(firstLine(found)),
      `<p class="verdict bad"><strong>${escapeHtml(headlineOf(found))}.</strong> ${escapeHtml(verdictWords(found).join(' '))}</p>`,
      ...paragraphs([baselineText(found)]),
      ...proposalHtml(found),
      ...remediesHtml(found),
      ...list(
        'Left out',
        leftOut.map(({ title: what, reason }) => `${what}: ${reason}`),
      ),
      ...curveHtml(found),
      ...meterHtml(found),
      ...suspectsHtml(found, images),
      ...list('Left undone', undone),
      '<h2>Made by</h2>',
      htmlTable([[], ...facts.map((fact) => [...fact])]),
    ],
    pageScript,
  );
}

function proposalHtml(found: MeasuredDiagnosis): string[] {
  const { proposal } = found;
  const head = '<h2>What to do</h2>';
  const next = nextWords(found).flatMap(({ text, command }) => [
    `<p>${escapeHtml(text)}</p>`,
    ...(command === null ? [] : [`<pre data-copy tabindex="0">${escapeHtml(command)}</pre>`]),
  ]);
  if (proposal === null) return [head, ...next];
  const rows = proposalWords(found).map(({ figure, means }) => [figure, means]);
  return [
    head,
    `<p><strong>${escapeHtml(proposal.title)}</strong>: train the config with it.</p>`,
    `<pre data-copy tabindex="0">${escapeHtml(`nn train --config ${shellWord(proposal.config)}`)}</pre>`,
    `<p class="soft">The same as ${escapeHtml(`nn train --config ${shellWord(found.config)} ${flags(proposal.set)}`)}</p>`,
    htmlTable([['gain', 'measured'], ...rows], 'What it gains over the config as it is, with 95% intervals.'),
    ...proposalDoubt(found).map((text) => `<p class="alarm">${escapeHtml(text)}</p>`),
    ...next,
  ];
}

function remediesHtml(found: MeasuredDiagnosis): string[] {
  const { remedies, baseline } = found;
  if (remedies.length === 0) return [];
  const head = ['', 'gain', '95% interval', 'verdict', 'time', 'accuracy', 'error on train', 'seeds'];
  const trainErrorOf = ({ trainError }: { trainError: number | null }) =>
    trainError === null ? 'diverged' : percent(trainError);
  const asItIs = [
    'the config as it is',
    '',
    '',
    '',
    '1 ×',
    percent(baseline.accuracy),
    trainErrorOf(baseline),
    count(baseline.seeds),
  ];
  const rows = remedies.map((remedy) => [
    remedy.title,
    points(remedy.gain),
    remedy.interval === null ? '' : pointsRange(remedy.interval),
    remedy.effect,
    timesText(remedy),
    percent(remedy.accuracy),
    trainErrorOf(remedy),
    count(remedy.seeds),
  ]);
  const meanings = remedies.map(({ title, why, set }) => [title, why, shortened(set.join(' '))]);
  return [
    '<h2>What was tried</h2>',
    `<p class="soft">${escapeHtml(tableNote(found))}</p>`,
    `<div class="charts">${gainsChart(remedies)}</div>`,
    `<div class="tight">${htmlTable([head, asItIs, ...rows])}</div>`,
    htmlTable([['', 'what it does', 'changes'], ...meanings]),
  ];
}

/** Layers as JSON may be long; diagnosis.json has them whole. */
const longestChange = 60;
const shortened = (text: string) => (text.length <= longestChange ? text : `${text.slice(0, longestChange - 1)}…`);

function curveHtml(found: MeasuredDiagnosis): string[] {
  const { curve } = found;
  if (curve === null) return [];
  return [
    '<h2>What more pictures would give</h2>',
    ...curveWords(found).map((line) => `<p>${escapeHtml(line)}</p>`),
    `<div class="charts">${chartHtml(curveChart(curve))}</div>`,
  ];
}

function curveChart({ points: measured, foretold }: MeasuredCurve): Chart {
  const whole = measured.at(-1)!;
  const ends = (values: readonly number[]): [number, number] => [Math.min(...values), Math.max(...values)];
  const most = foretold.at(-1)?.pictures ?? whole.pictures;
  const ahead: [number, number][] = foretold.map(({ pictures, accuracy }) => [pictures, accuracy]);
  const words = [
    ...measured.map(({ pictures, accuracy }) => `${count(pictures)} pictures: ${percent(accuracy)}`),
    ...foretold.map(({ pictures, accuracy }) => `${count(pictures)} foretold: ${percent(accuracy)}`),
  ];
  return {
    name: 'more-pictures',
    title: 'Accuracy by training pictures',
    summary: `${words.join('; ')}.`,
    x: { label: 'pictures to train on', scale: 'log', domain: [measured[0]!.pictures / 1.2, most * 1.2] },
    y: { label: 'accuracy', format: 'percent' },
    series: [
      { name: 'measured, mean of seeds', points: measured.map(({ pictures, accuracy }) => [pictures, accuracy]), style: 1 },
      {
        name: 'lowest to highest seed',
        points: measured.map(({ pictures, accuracy }) => [pictures, accuracy]),
        intervals: measured.map(({ accuracies }) => ends(accuracies)),
        style: 1,
        dots: true,
      },
      ...(foretold.length === 0
        ? []
        : [
            { name: 'foretold', points: [[whole.pictures, whole.accuracy] as const, ...ahead], style: 2 as const },
            {
              name: '95% interval',
              points: ahead,
              intervals: foretold.map(({ interval }) => interval),
              style: 2 as const,
              dots: true,
            },
          ]),
    ],
  };
}

function meterHtml({ meter }: MeasuredDiagnosis): string[] {
  if (meter === null) return [];
  return [
    '<h2>How lucky the division is</h2>',
    ...meterWords({ meter }).map((line) => `<p>${escapeHtml(line)}</p>`),
    `<div class="charts">${chartHtml(meterChart(meter))}</div>`,
  ];
}

function meterChart({ accuracies, present, mean }: MeasuredMeter): Chart {
  const sorted = accuracies.toSorted((a, b) => a - b);
  const place = sorted.filter((accuracy) => accuracy < present).length;
  const end = sorted.length + 1;
  return {
    name: 'divisions',
    title: 'The same config on other divisions',
    summary: `Accuracies of ${plural(sorted.length, 'other division')} from ${percent(sorted[0]!)} to ${percent(sorted.at(-1)!)}; the present one has ${percent(present)}.`,
    x: { label: 'divisions, from the lowest accuracy to the highest', domain: [0, end], format: 'whole' },
    y: { label: 'accuracy', format: 'percent' },
    series: [
      { name: 'another division', points: sorted.map((accuracy, i) => [i + 1, accuracy]), style: 1, dots: true },
      { name: 'the present one', points: [[place + 0.5, present]], style: 2, dots: true },
    ],
    guide: { from: [0, mean], to: [end, mean], text: 'mean of the others' },
  };
}

function suspectsHtml({ suspects }: MeasuredDiagnosis, images: readonly SuspectImage[]): string[] {
  if (suspects === null) return [];
  const shown = images.map((image, i) => suspectHtml(suspects.list[i]!, image));
  const rest = suspects.list.length - shown.length;
  return [
    '<h2>Labels that may be wrong</h2>',
    ...suspectWords({ suspects }).map((line) => `<p>${escapeHtml(line)}</p>`),
    ...(shown.length === 0 ? [] : [`<div class="pictures squares">${shown.join('')}</div>`]),
    ...(rest > 0 ? [`<p class="soft">… and ${count(rest)} more in diagnosis.json.</p>`] : []),
  ];
}

function suspectHtml(
  { name, part, label, says, confidence }: MeasuredSuspects['list'][number],
  { source, href }: SuspectImage,
): string {
  const words = `labelled ${label}, all say ${says}`;
  const title = href === null ? escapeHtml(name) : `<a href="${escapeHtml(href)}">${escapeHtml(name)}</a>`;
  return `<figure><img src="${source}" alt="${escapeHtml(`${name}: ${words}`)}"><figcaption>${title} (${part})<br>${escapeHtml(words)}<br>confidence ${percent(confidence)}</figcaption></figure>`;
}
