import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Evaluation } from '../../src/results/evaluation.ts';
import type { StoredMetrics } from '../../src/results/metrics.ts';
import type { TrainSummary } from '../../src/results/summary.ts';
import { readJson, run, temporaryFolder } from '../cli/pictures.ts';
import { someOf } from '../thorough.ts';
import { cellsOf, openBrowser, openTab, type Tab, withoutChromium } from './browser.ts';
import { type Kind, train } from './runs.ts';

/** The figures on a page are those of summary.json and of `nn evaluate`, whatever the threshold. */

let folder: string;
let browser: Browser | undefined;
let tab: Tab;

const percent = (share: number) => `${(share * 100).toFixed(1)}%`;
const range = ([low, high]: readonly [number, number]) => `${percent(low)} to ${percent(high)}`;
const digits = (value: number | null | undefined) => (typeof value === 'number' ? value.toFixed(4) : 'not defined');

/** What stands beside the slider, as `nn evaluate` says it. */
const figuresOf = ({ confusion: { tp, fp, fn, tn }, ...metrics }: StoredMetrics) => ({
  ...{ tp: String(tp), fp: String(fp), fn: String(fn), tn: String(tn) },
  accuracy: percent(metrics.accuracy),
  accuracyInterval: range(metrics.accuracyInterval),
  precision: digits(metrics.precision),
  recall: digits(metrics.recall),
  specificity: digits(metrics.specificity),
  f1: digits(metrics.f1),
});

const figuresShown = () =>
  tab.page.evaluate<Record<string, string>>(
    'Object.fromEntries([...document.querySelectorAll("[data-figure]")].map((cell) => [cell.dataset.figure, cell.textContent]))',
  );
const slider = () => tab.page.locator('[data-threshold] input');
const drag = (step: number) =>
  tab.page.evaluate(`{
    const input = document.querySelector('[data-threshold] input');
    input.value = ${step};
    input.dispatchEvent(new Event('input', { bubbles: true }));
  }`);
/** The left and the right end of a part of the histogram, in pixels. */
const endsOf = async (selector: string) => {
  const { x, width } = (await tab.page.locator(`[data-chart="histogram"] ${selector}`).boundingBox())!;
  return [x, x + width] as const;
};
const evaluate = async (model: string, ...words: string[]) =>
  JSON.parse((await run(0, ['evaluate', '--model', model, '--json', '-q', ...words], { cwd: folder })).stdout) as Evaluation;
const summaryOf = (name: string) => readJson<TrainSummary>(join(folder, name, 'summary.json'));

describe.skipIf(withoutChromium)('figures', () => {
  const parts: [Kind, 'train' | 'dev' | 'test'][] = [
    ['deep', 'dev'], // with a threshold that F1 chose, which is none of the slider's
    ['logistic', 'dev'],
    ['collapsed', 'dev'],
    ['only test', 'test'],
    ['neither dev nor test', 'train'],
    ['folds', 'test'],
  ];
  beforeAll(async () => {
    folder = await temporaryFolder();
    const trainings = async () => {
      for (const [kind] of parts) await train(folder, kind);
      await run(0, ['evaluate', '--model', 'deep', '--report', 'judged.html', '-q'], { cwd: folder });
    };
    [browser] = await Promise.all([openBrowser(), trainings()]);
    tab = await openTab(browser);
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });

  test.each(parts)('%s: the page opens with the figures of summary.json, those of %s beside the slider', async (kind, part) => {
    await tab.open(join(folder, kind, 'report.html'));
    const { metrics, examples, folds } = await summaryOf(kind);
    expect(await figuresShown()).toEqual(figuresOf(metrics[part]!));
    const own = (['train', 'dev', 'test'] as const).filter((name) => metrics[name] !== null);
    const columns: Record<string, (name: (typeof own)[number]) => string> = {
      pictures: (name) => String(examples[name].total),
      cat: (name) => String(examples[name].positive),
      noncat: (name) => String(examples[name].total - examples[name].positive),
      accuracy: (name) => percent(metrics[name]!.accuracy),
      '95% interval': (name) => range(metrics[name]!.accuracyInterval),
      'larger class': (name) => percent(metrics[name]!.baseline),
      cost: (name) => metrics[name]!.cost.toFixed(4),
      'ROC AUC': (name) => digits(metrics[name]!.rocAuc),
    };
    for (const [column, textOf] of Object.entries(columns))
      expect(await cellsOf(tab.page, column), column).toEqual(Object.fromEntries(own.map((name) => [name, textOf(name)])));
    expect(await tab.page.locator('[data-chart="roc"] h3').textContent()).toBe(`ROC: area ${digits(metrics[part]!.rocAuc)}`);
    if (folds === undefined) return;
    const inFolds = [...folds.accuracy.values, folds.accuracy.mean].map(percent);
    expect(Object.values(await cellsOf(tab.page, 'fold'))).toEqual(['1', '2', '3', 'mean']);
    expect(await tab.page.locator('table:has(th:text-is("fold")) tbody td:nth-child(2)').allTextContents()).toEqual(inFolds);
  });

  test('a page of nn evaluate opens with the figures of nn evaluate', async () => {
    await tab.open(join(folder, 'judged.html'));
    const metrics = await evaluate('deep');
    expect(await figuresShown()).toEqual(figuresOf(metrics));
    expect(Object.values(await cellsOf(tab.page, 'cost'))).toEqual([metrics.cost.toFixed(4)]);
    const [loss, brier] = ['log loss', 'Brier score'].map((name) => tab.page.locator(`tr:has(td:text-is("${name}")) td`).last());
    expect(await loss!.textContent()).toBe(metrics.logLoss.toFixed(4));
    expect(await brier!.textContent()).toBe(metrics.brier.toFixed(4));
  });

  test.each(someOf([0, 1, 137, 500, 502, 860, 999, 1000]))(
    'the slider at %d of 1000 says what nn evaluate --threshold does',
    async (step) => {
      await tab.open(join(folder, 'deep', 'report.html'));
      await drag(step);
      const threshold = step / 1000;
      expect(await figuresShown()).toEqual(figuresOf(await evaluate('deep', '--split', 'dev', '--threshold', String(threshold))));
      expect(await tab.page.locator('[data-threshold] output').textContent()).toBe(threshold.toFixed(3));
      const [left, right] = await endsOf('path.axis');
      const [begin, end] = await endsOf('.mark path');
      expect(Math.abs((begin + end) / 2 - (left + threshold * (right - left)))).toBeLessThan(3); // boxes have the width of strokes in them
    },
  );

  test('keys move the slider too, and a button brings the model’s own threshold back', async () => {
    await tab.open(join(folder, 'deep', 'report.html'));
    const first = await figuresShown();
    const own = await tab.page.locator('[data-threshold] output').textContent();
    await slider().focus();
    await tab.page.keyboard.press('Home');
    expect(await figuresShown()).toEqual(figuresOf(await evaluate('deep', '--split', 'dev', '--threshold', '0')));
    await tab.page.keyboard.press('ArrowRight');
    expect(await tab.page.locator('[data-threshold] output').textContent()).toBe('0.001');
    await tab.page.keyboard.press('End');
    expect(await figuresShown()).toEqual(figuresOf(await evaluate('deep', '--split', 'dev', '--threshold', '1')));
    expect(await figuresShown()).not.toEqual(first);
    await tab.page.keyboard.press('Tab');
    await tab.page.keyboard.press('Enter');
    expect(await figuresShown()).toEqual(first);
    expect(await tab.page.locator('[data-threshold] output').textContent()).toBe(own);
  });

  test('the pointer on a curve shows its values', async () => {
    await tab.open(join(folder, 'logistic', 'report.html'));
    const chart = tab.page.locator('[data-chart="cost"] svg');
    await chart.scrollIntoViewIfNeeded();
    const { x, y, width, height } = (await chart.boundingBox())!;
    await tab.page.mouse.move(x + width * 0.97, y + height / 2); // the right end of the axis: the last epoch
    const { cost } = (await readLast('logistic')) as { cost: number };
    expect(await tab.page.locator('[data-chart="cost"] .tip').textContent()).toMatch(/^epoch 60\ntrain /);
    const shown = Number(/train ([\d.]+)/.exec((await tab.page.locator('[data-chart="cost"] .tip').textContent())!)![1]);
    expect(Math.abs(shown / cost - 1)).toBeLessThan(0.01);
    await tab.page.mouse.move(0, 0);
    expect(await tab.page.locator('[data-chart="cost"] .tip').isVisible()).toBe(false);
  });
});

/** The last line of a journal. */
async function readLast(name: string): Promise<object> {
  const text = await readFile(join(folder, name, 'journal.jsonl'), 'utf8');
  return JSON.parse(text.trimEnd().split('\n').at(-1)!) as object;
}
