import { describe, expect, test } from 'vitest';
import { namedRandom } from '../../src/random.ts';
import { shortNames } from '../../src/report/tune.ts';
import { costAxis, type TuneReport } from '../../src/report/tune-charts.ts';
import { tuneReportHtml } from '../../src/report/tune-report.ts';
import type { RankedTrial, TrialResult } from '../../src/results/tuning.ts';
import { expectAlone, faultsIn } from './well-formed.ts';

const evil = `<script>alert("1")</script>'&\u202e`;
const harmless = '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;\ufffd';

/** A search in which the learning rate alone decides; above `breaks` trials diverge. */
function search(trials: number, { breaks = 10, word = 'relu' } = {}): TuneReport {
  const random = namedRandom(2, 'search');
  const results = Array.from({ length: trials }, (_, trial): TrialResult => {
    const [exponent, l2] = [random.uniform() * 4 - 4, random.uniform() * 2];
    const rate = 10 ** exponent;
    const set = [
      `training.learningRate=${rate}`,
      `training.l2=${l2}`,
      `training.optimizer.beta1=${1 - 10 ** (-1 - 2 * random.uniform())}`,
      `model.layers.0.units=${2 + random.integer(6)}`,
      `model.layers.0.activation=${JSON.stringify(random.integer(1) === 0 ? word : 'tanh')}`,
    ];
    const score = {
      cost: 0.3 + (exponent + 2) ** 2 / 10,
      accuracy: 0.75,
      accuracyInterval: [0.7, 0.8] as [number, number],
      bestEpoch: 9,
    };
    const failed = rate > breaks;
    return {
      trial,
      rung: 0,
      epochs: 9,
      set,
      score: failed ? null : score,
      error: failed ? `diverged ${word}` : null,
      seconds: 1,
    };
  });
  const ranked = results.toSorted((a, b) => (a.score?.cost ?? 1e9) - (b.score?.cost ?? 1e9));
  const ranking = ranked.map(
    ({ trial, epochs, score, seconds, error, set }, i): RankedTrial => ({
      ...{ rank: i + 1, trial, epochs, seconds, error, set },
      ...(score ?? { cost: null, accuracy: null, accuracyInterval: null, bestEpoch: null }),
    }),
  );
  const untuned = {
    epochs: 9,
    cost: 0.4321,
    accuracy: 0.654,
    accuracyInterval: [0.6, 0.7] as [number, number],
    bestEpoch: 9,
    seconds: 1,
    error: null,
  };
  return {
    title: 'search',
    summary: {
      output: 'runs/s',
      best: 'runs/s/best.json',
      strategy: 'random',
      metric: 'cost',
      trials,
      earlier: 0,
      seconds: 3,
      ranking,
      untuned,
    },
    results,
    parameters: {
      'training.learningRate': { logUniform: [0.0001, 1] },
      'training.l2': { uniform: [0, 2] },
      'training.optimizer.beta1': { oneMinusLog: [0.9, 0.999] },
      'model.layers.0.units': { integer: [2, 8] },
      'model.layers.0.activation': { choice: [word, 'tanh'] },
    },
    epochs: 9,
    config: 'runs/s/config.json',
    own: ['"auto"', '0', '0.9', '4', '"relu"'],
    facts: [['seed', '1']],
  };
}

const chartOf = (page: string, name: string) =>
  new RegExp(`<figure class="chart" data-chart="${name}">.*?</figure>`).exec(page)![0];
const points = (chart: string) => chart.match(/<circle class="s1"|<path class="point s\d"/g)!.length;
const axisOf = (chart: string) => JSON.parse(/data-x="([^"]*)"/.exec(chart)![1]!.replaceAll('&quot;', '"')) as unknown[];

describe('the page of a search', () => {
  const report = search(40);
  const page = tuneReportHtml(report);

  test('is well-formed, and needs nothing beside it', () => {
    expect(faultsIn(page)).toEqual([]);
    expectAlone(page);
  });

  test('draws the cost of every trial against each parameter, logarithmic where its range is', () => {
    for (const i of [1, 2, 3, 4, 5]) expect(points(chartOf(page, `parameter-${i}`))).toBe(40);
    expect([1, 2, 3, 4].map((i) => axisOf(chartOf(page, `parameter-${i}`)).slice(0, 3))).toEqual([
      ['log', 0.0001, 1],
      ['linear', 0, 2],
      ['log', 0.1, 0.001], // 1 − β, so that β grows to the right
      ['linear', 2, 8],
    ]);
    expect(chartOf(page, 'parameter-5')).toMatch(/>relu<\/text>.*>tanh<\/text>/);
  });

  test('says that the learning rate matters, and that nothing else is beyond chance', () => {
    const rows = [...page.matchAll(/<td>([\w.]+)<\/td><td class="figure">([\d.]+)%<\/td><td class="figure">([\d.]+)%<\/td>/g)];
    expect(rows.map(([, name]) => name)).toHaveLength(5);
    expect(rows[0]![1]).toBe('learningRate');
    expect(Number(rows[0]![2])).toBeGreaterThan(60);
    expect(rows.map(([, , , chance]) => Number(chance) < 5)).toEqual([true, false, false, false, false]);
    expect(page).toContain('What it cannot tell:');
  });

  test('of too few trials says that', () => {
    const few = tuneReportHtml(search(19));
    expect(few).toContain('Too few trials to tell: there are 19, and it takes 20.');
    expect(few).not.toContain('data-chart="importance"');
  });

  test('has the best trials as commands, and the config that was not tuned as the first row', () => {
    const [best] = report.summary.ranking;
    const commands = [...page.matchAll(/<pre data-copy tabindex="0">([^<]*)<\/pre>/g)].map(([, text]) =>
      text!.replaceAll('&#39;', "'"),
    );
    expect(commands).toHaveLength(6);
    expect(commands[0]).toBe(
      `nn train --config runs/s/config.json ${best!.set.map((one) => (one.includes('"') ? `--set '${one.replaceAll('"', '&quot;')}'` : `--set ${one}`)).join(' ')}`,
    );
    expect(commands[5]).toBe('nn train --config runs/s/config.json');
    const first = /<tbody><tr>(?:<td[^>]*><\/td>)<td>not tuned<\/td>(.*?)<\/tr>/.exec(page)![1]!;
    expect(
      first
        .replace(/<[^>]*>/g, ' ')
        .split(/\s+/)
        .filter(Boolean),
    ).toEqual('0.4321 65.4% 60.0% to 70.0% 9 auto 0 0.9000 4 relu'.split(' '));
    expect(tuneReportHtml({ ...report, summary: { ...report.summary, untuned: null } })).toContain('not trained');
  });

  test('counts trials that diverged, and names them', () => {
    const broken = search(40, { breaks: 0.1 });
    const failed = broken.summary.ranking.filter(({ error }) => error !== null).length;
    expect(failed).toBeGreaterThan(3);
    const page = tuneReportHtml(broken);
    expect(page).toContain(`${40 - failed} of 40 trials trained to the end (9 epochs); ${failed} failed.`);
    expect(page.match(/<td>diverged relu<\/td>/g)).toHaveLength(failed);
    expect(points(chartOf(page, 'parameter-1'))).toBe(40 - failed);
    const none = tuneReportHtml(search(3, { breaks: 0 }));
    expect(none).toContain('No trial succeeded.');
    expect(none).not.toContain('<svg');
    expect(faultsIn(none)).toEqual([]);
  });

  test('the best so far never rises, and ends at the best', () => {
    const chart = chartOf(page, 'progress');
    const [, d] = /<path class="line s1"[^>]* d="([^"]*)"/.exec(chart)!;
    const heights = [...d!.matchAll(/,([\d.]+)/g)].map(([, y]) => Number(y));
    expect(heights).toEqual(heights.toSorted((a, b) => a - b)); // pixels count downwards
    expect(chart).toContain(`to ${report.summary.ranking[0]!.cost!.toFixed(4)}, with trial ${report.summary.ranking[0]!.trial}.`);
    expect(chart).toContain('not tuned');
  });

  test('takes names as text', () => {
    const named = search(40, { word: evil, breaks: 0.5 });
    const page = tuneReportHtml({
      ...named,
      title: evil,
      own: [...named.own.slice(0, 4), JSON.stringify(evil)],
      facts: [[evil, evil]],
    });
    expect(faultsIn(page)).toEqual([]);
    expectAlone(page);
    expect(page).toContain(`<h1>${harmless}</h1>`);
    expect(page).not.toContain('\u202e');
  });

  test('of successive halving tells short trainings from whole ones', () => {
    const ranking = report.summary.ranking.map((trial, i) => ({ ...trial, epochs: i < 13 ? 9 : 3 }));
    const page = tuneReportHtml({ ...report, summary: { ...report.summary, strategy: 'halving', ranking } });
    expect(page).toContain('13 of 40 trials trained to the end (9 epochs); 27 ended at an earlier rung; none failed.');
    expect(points(chartOf(page, 'progress'))).toBe(13);
    expect(points(chartOf(page, 'parameter-1'))).toBe(40);
  });
});

test('costs that are far out do not squash the others', () => {
  const near = Array.from({ length: 30 }, (_, i) => 0.5 + i / 100);
  const { cap, scale, domain } = costAxis([...near, 4000, 1e9]);
  expect({ cap, scale }).toEqual({ cap: 0.79, scale: 'linear' });
  expect(domain[0]).toBeLessThan(0.5);
  expect(domain[1]).toBeLessThan(0.85);
  expect(costAxis([0.1, 0.1]).domain).toEqual([0.095, 0.10500000000000001]);
  expect(costAxis(Array.from({ length: 30 }, (_, i) => 10 ** (i / 10))).scale).toBe('log');
});

test('short names tell fields apart', () => {
  expect(shortNames(['training.l2', 'model.layers.0.units', 'model.layers.1.units'])).toEqual(['l2', '0.units', '1.units']);
  expect(shortNames(['a.b', 'b'])).toEqual(['a.b', 'b']);
});
