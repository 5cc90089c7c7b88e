import { leastTrials, parameterImportance, type SearchedParameter } from '../evaluation/importance.ts';
import type { RankedTrial, TuneSummary } from '../results/tuning.ts';
import { shellWord } from '../text.ts';
import { chartHtml } from './charts.ts';
import { escapeHtml, htmlPage, htmlTable } from './html.ts';
import { pageScript } from './page-script.ts';
import { count, percent, percentRange, plural } from './table.ts';
import { flags } from './train-summary.ts';
import { fieldsOf, shortNames, shortValue, valueText } from './tune.ts';
import { importanceChart, parameterChart, progressChart, rangeOf, type TuneReport } from './tune-charts.ts';

/** The page of a search: a function from its trials to text. */

/** Trials in the table, and commands to copy below it. */
const mostShown = 20;
const mostCommands = 5;

export function tuneReportHtml(report: TuneReport): string {
  const { title, summary, facts } = report;
  const { trials, ranking, metric, strategy, seconds } = summary;
  return htmlPage(
    `nn tune: ${title}`,
    [
      `<h1>${escapeHtml(title)}</h1>`,
      `<p class="soft">${plural(trials, 'trial')} (${strategy} search) in ${seconds.toFixed(0)} s${summary.earlier > 0 ? `, ${plural(summary.earlier, 'training')} of them from before` : ''}, ranked by ${metric} on dev.</p>`,
      verdictHtml(summary),
      `<p>${escapeHtml(countsText(report))}</p>`,
      ...(ranking.some(({ cost }) => cost !== null)
        ? [
            '<h2>The search</h2>',
            `<div class="charts">${chartHtml(progressChart(report))}</div>`,
            ...importanceHtml(report),
            ...parametersHtml(report),
          ]
        : []),
      ...trialsHtml(report),
      ...failuresHtml(ranking),
      '<h2>Made by</h2>',
      htmlTable([[], ...facts.map((fact) => [...fact])]),
    ],
    pageScript,
  );
}

function verdictHtml({ ranking, untuned, metric, trials }: TuneSummary): string {
  const [best] = ranking;
  if (best === undefined || best.cost === null) return '<p class="verdict bad"><strong>No trial succeeded.</strong></p>';
  const figures = (of: Pick<RankedTrial, 'cost' | 'accuracy' | 'accuracyInterval'>) =>
    `cost ${of.cost!.toFixed(4)}, accuracy ${percent(of.accuracy!)} (95% interval ${percentRange(of.accuracyInterval!)})`;
  const gain = untuned?.cost == null ? null : metric === 'cost' ? untuned.cost - best.cost : best.accuracy! - untuned.accuracy!;
  const before =
    untuned === null
      ? 'What the config that was not tuned comes to is not known.'
      : untuned.cost === null
        ? 'The config that was not tuned diverges.'
        : `The config that was not tuned: ${figures(untuned)}${gain! > 0 ? '.' : ': no trial is better.'}`;
  return [
    `<p class="verdict${gain !== null && gain <= 0 ? ' bad' : ''}"><strong>Trial ${best.trial} is the best</strong> on dev: ${figures(best)}. ${before}</p>`,
    `<p>It was chosen among ${plural(trials, 'trial')} on the same dev part, so these figures flatter it: believe test.</p>`,
  ].join('');
}

/** What became of the trials. */
function countsText({ summary: { ranking, trials }, epochs }: TuneReport): string {
  const failed = ranking.filter(({ cost }) => cost === null).length;
  const early = ranking.filter((trial) => trial.cost !== null && trial.epochs < epochs).length;
  return [
    `${count(trials - failed - early)} of ${plural(trials, 'trial')} trained to the end (${plural(epochs, 'epoch')})`,
    ...(early > 0 ? [`${count(early)} ended at an earlier rung`] : []),
    `${failed === 0 ? 'none' : count(failed)} failed.`,
  ].join('; ');
}

function parametersHtml(report: TuneReport): string[] {
  const charts = Object.entries(report.parameters).map(([path, range], i) => parameterChart(report, path, rangeOf(range), i));
  return [
    '<h2>Cost by parameter</h2>',
    '<p class="soft">A point is a trial; all other parameters vary along with the one that is shown. Trials that failed have no cost and are no points; those far out stand at the upper end. Points over a choice are spread sideways, so that they can be told apart.</p>',
    `<div class="charts">${charts.map(chartHtml).join('')}</div>`,
  ];
}

/** Of the first rung, where all trials have as many epochs. */
function searchedParameters({
  results,
  parameters,
  summary: { metric },
}: Pick<TuneReport, 'results' | 'parameters' | 'summary'>): {
  costs: number[];
  searched: SearchedParameter[];
} {
  const first = results.filter(({ rung }) => rung === 0);
  const costs = first.map(({ score }) =>
    score === null ? Number.POSITIVE_INFINITY : metric === 'accuracy' ? -score.accuracy : score.cost,
  );
  const searched = Object.entries(parameters).map(([name, range], i): SearchedParameter => {
    const isChoice = rangeOf(range)[0] === 'choice';
    const values = first.map(({ set }) => valueText(set[i]!));
    return { name, kind: isChoice ? 'choice' : 'number', values: isChoice ? values : values.map(Number) };
  });
  return { costs, searched };
}

const method =
  'How it is measured: the trials are put into groups by one parameter (up to eight of equal size, or a group for each choice), and the share of the variance of their ranks is taken that the groups explain, less what they explain by chance on average; failed trials rank last. By chance: how often ranks that are shuffled reach as much, times the number of parameters; below 5% it is called certain. ' +
  'What it cannot tell: parameters that matter only together with others, values outside the ranges, and, of few trials, small effects.';

function importanceHtml(report: TuneReport): string[] {
  const { costs, searched } = searchedParameters(report);
  const found = parameterImportance(costs, searched);
  const head = '<h2>Which parameters matter</h2>';
  if (found === null)
    return [head, `<p>Too few trials to tell: there are ${count(costs.length)}, and it takes ${leastTrials}.</p>`];
  const names = shortNames(found.map(({ name }) => name));
  const rows = found
    .map((one, i) => ({ ...one, name: names[i]! }))
    .sort((a, b) => b.share - a.share)
    .map(({ name, share, chance }) => [name, percent(share), percent(chance)]);
  return [
    head,
    `<p class="soft">${method}</p>`,
    `<div class="charts">${chartHtml(importanceChart(found))}${htmlTable([['', 'importance', 'by chance'], ...rows], `Of ${plural(costs.length, 'trial')}.`)}</div>`,
  ];
}

function trialsHtml({ summary: { ranking, untuned, output, best }, config, own }: TuneReport): string[] {
  const figures = ({ cost, accuracy, accuracyInterval, epochs }: Omit<RankedTrial, 'rank' | 'trial' | 'set'>) => [
    cost === null ? 'failed' : cost.toFixed(4),
    accuracy === null ? '' : percent(accuracy),
    accuracyInterval === null ? '' : percentRange(accuracyInterval),
    count(epochs),
  ];
  const head = ['rank', 'trial', 'cost', 'accuracy', '95% interval', 'epochs', ...shortNames(fieldsOf(ranking))];
  const plain = [
    '',
    'not tuned',
    ...(untuned === null ? ['not trained', '', '', ''] : figures(untuned)),
    ...own.map((value) => (value === undefined ? '' : shortValue(value))),
  ];
  const rows = ranking
    .slice(0, mostShown)
    .map((trial) => [
      count(trial.rank),
      String(trial.trial),
      ...figures(trial),
      ...trial.set.map((one) => shortValue(valueText(one))),
    ]);
  const rest = ranking.length - rows.length;
  const commands = ranking.filter(({ cost }) => cost !== null).slice(0, mostCommands);
  const command = (set: readonly string[]) => `nn train --config ${shellWord(config)}${set.length > 0 ? ` ${flags(set)}` : ''}`;
  const block = (title: string, text: string) => [`<h3>${title}</h3>`, `<pre data-copy tabindex="0">${escapeHtml(text)}</pre>`];
  return [
    '<h2>The best trials</h2>',
    '<p class="soft">Figures of dev. The first row is the config as it is without the search.</p>',
    `<div class="tight">${htmlTable([head, plain, ...rows])}</div>`,
    ...(rest > 0 ? [`<p class="soft">… and ${count(rest)} more in ${escapeHtml(output)}/ranking.csv.</p>`] : []),
    ...(best === null ? [] : ['<p>To train one of them:</p>']),
    ...commands.flatMap(({ trial, rank, set }) => block(`Trial ${trial}, rank ${rank}`, command(set))),
    ...block('The config that was not tuned', command([])),
  ];
}

const mostFailures = 20;

function failuresHtml(ranking: readonly RankedTrial[]): string[] {
  const failed = ranking.filter(({ cost }) => cost === null);
  if (failed.length === 0) return [];
  const rows = failed
    .slice(0, mostFailures)
    .map(({ trial, error, set }) => [String(trial), error ?? '', ...set.map((one) => shortValue(valueText(one)))]);
  return [
    '<h2>Trials that failed</h2>',
    `<p>${count(failed.length)} of ${plural(ranking.length, 'trial')}${rows.length < failed.length ? `; the first ${rows.length}` : ''}. Where they have a value in common, leave it out of the range.</p>`,
    htmlTable([['trial', 'why', ...shortNames(fieldsOf(failed))], ...rows]),
  ];
}
