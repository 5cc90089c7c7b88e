import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TrainSummary } from '../../src/results/summary.ts';
import { readJson, run, temporaryFolder, writeJson } from '../cli/pictures.ts';
import { binPath } from '../cli.ts';
import { openBrowser, openTab, type Tab, textOf, withoutChromium } from './browser.ts';
import { trainUntil } from './runs.ts';

/** Pages of trainings that are going on, and of long ones. */

let folder: string;
let browser: Browser | undefined;

describe.skipIf(withoutChromium)('a training', () => {
  beforeAll(async () => {
    folder = await temporaryFolder();
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });

  /** Time goes on in the page when a test says so. */
  const stopClock = async (page: Page) => {
    await page.clock.install({ time: 0 });
    await page.clock.pauseAt(1000);
  };
  const epochOf = async ({ page }: Tab) =>
    Number(/In training: epoch ([\d,]+) of/.exec(await textOf(page))![1]!.replaceAll(',', ''));
  const wait = async (file: string, has: (page: string) => boolean) => {
    while (!has(await readFile(file, 'utf8').catch(() => ''))) await sleep(20);
  };

  test('that goes on shows its newest state every ten seconds, nothing of test, and rests when it has ended', async () => {
    const config = {
      data: { source: { type: 'drawn', count: 60 }, imageSize: 12, split: { dev: 15, test: 15 } },
      training: { epochs: 10_000_000, batchSize: 8, checkpointMinutes: 0 },
    };
    await writeJson(join(folder, 'going.json'), config);
    const child = spawn(process.execPath, [binPath, 'train', '-c', 'going.json', '-o', 'going', '--threads', '1'], {
      cwd: folder,
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    try {
      const file = join(folder, 'going', 'report.html');
      await wait(file, (page) => page.includes('<figure class="chart"'));
      const tab = await openTab(browser!);
      let loads = 0;
      tab.page.on('load', () => loads++);
      await stopClock(tab.page);
      const faults = await tab.open(file);
      const [first, old] = [await epochOf(tab), await readFile(file, 'utf8')];
      expect(await tab.page.locator('[data-figure], [data-threshold], .squares, .verdict').count()).toBe(0);
      const words = await tab.page.locator('h1, h2, h3, p, desc, td, th').allTextContents();
      expect(words.filter((text) => /\btest\b/.test(text))).toEqual([]);
      await wait(file, (page) => page !== old);
      await tab.page.clock.runFor(9000);
      expect(loads).toBe(1);
      const again = tab.page.waitForEvent('load');
      await tab.page.clock.runFor(2000);
      await again;
      expect(await epochOf(tab)).toBeGreaterThan(first);
      child.kill('SIGTERM');
      await ended;
      const last = tab.page.waitForEvent('load');
      await tab.page.clock.runFor(11_000);
      await last;
      const text = await textOf(tab.page);
      expect(text).toMatch(/^Interrupted after [\d,]+ epochs/m);
      expect(text).not.toContain('In training');
      const before = loads;
      await tab.page.clock.runFor(60_000);
      await tab.page.evaluate('document.dispatchEvent(new Event("visibilitychange"))');
      await tab.page.clock.runFor(60_000);
      expect(loads).toBe(before);
      expect(faults).toEqual([]);
      await tab.page.context().close();
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  });

  test('that is interrupted within its folds says so, and rests', async () => {
    const data = { source: { type: 'drawn', count: 60 }, imageSize: 12, split: { folds: 3 } };
    await trainUntil(folder, 'folds', 'SIGTERM', { data });
    const { page, open } = await openTab(browser!);
    let loads = 0;
    page.on('load', () => loads++);
    await stopClock(page);
    await open(join(folder, 'folds', 'report.html'));
    const text = await textOf(page);
    expect(text).toMatch(/^Interrupted in fold 1, after [\d,]+ epochs? of 10,000,000/m);
    expect(text).toContain('nn train --resume folds');
    await page.clock.runFor(60_000);
    expect(loads).toBe(1);
    await page.context().close();
  });

  describe('of 5,000 epochs', () => {
    let html: string;
    let summary: TrainSummary;
    let lines: { epoch: number; cost: number; dev: { cost: number }; train: { accuracy: number } }[];
    let tab: Tab;
    beforeAll(async () => {
      const config = {
        data: { source: { type: 'drawn', count: 48, difficulty: 'hard' }, imageSize: 6, split: { dev: 16, test: 8 } },
        training: { epochs: 5000, batchSize: 6, learningRate: 0.001, earlyStopping: { patience: 5000 } },
      };
      await writeJson(join(folder, 'long.json'), config);
      await run(0, ['train', '-c', 'long.json', '-o', 'long', '--threads', '1', '-q'], { cwd: folder });
      html = await readFile(join(folder, 'long', 'report.html'), 'utf8');
      summary = await readJson(join(folder, 'long', 'summary.json'));
      const journal = await readFile(join(folder, 'long', 'journal.jsonl'), 'utf8');
      lines = journal
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      tab = await openTab(browser!);
      await tab.open(join(folder, 'long', 'report.html'));
    });

    type AxisData = [kind: 'linear' | 'log', low: number, high: number, from: number, to: number];
    /** The points of a line as they are drawn, and where a value lies on an axis. */
    async function drawn(chart: string, name: string) {
      const [d, x, y] = await tab.page.evaluate<[string, string, string]>(`{
        const svg = document.querySelector('[data-chart="${chart}"] svg');
        [svg.querySelector('[data-name="${name}"]').getAttribute('d'), svg.dataset.x, svg.dataset.y];
      }`);
      const points = d
        .slice(1)
        .split('L')
        .map((pair) => pair.split(',').map(Number) as [number, number]);
      const placeOn = (data: string) => (value: number) => {
        const [kind, low, high, from, to] = JSON.parse(data) as AxisData;
        const share = kind === 'log' ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
        return from + share * (to - from);
      };
      return { points, across: placeOn(x), up: placeOn(y) };
    }

    test.each([
      ['cost', 'train', (line: (typeof lines)[number]) => line.cost],
      ['cost', 'dev', (line: (typeof lines)[number]) => line.dev.cost],
      ['accuracy', 'train', (line: (typeof lines)[number]) => line.train.accuracy],
    ] as const)(
      'draws %s on %s with 1,000 points at most, the extremes and the best epoch among them',
      async (chart, name, of) => {
        expect(lines).toHaveLength(5000);
        const { points, across, up } = await drawn(chart, name);
        expect(points.length).toBeLessThanOrEqual(1000);
        expect(points.length).toBeGreaterThan(400);
        const values = lines.map(of);
        const best = lines[summary.bestEpoch - 1]!;
        expect(summary.bestEpoch).toBeGreaterThan(1);
        expect(summary.bestEpoch).toBeLessThan(5000);
        const least = lines[values.indexOf(Math.min(...values))]!;
        const most = lines[values.indexOf(Math.max(...values))]!;
        for (const line of [lines[0]!, lines.at(-1)!, least, most, best]) {
          const [x, y] = [across(line.epoch), up(of(line))];
          const isThere = points.some(([px, py]) => Math.abs(px - x) < 0.02 && Math.abs(py - y) < 0.02);
          expect(isThere, `epoch ${line.epoch}`).toBe(true);
        }
      },
    );

    test('is below 400 KB without its pictures', () => {
      const pictures = /data:image\/png;base64,[\w+/=]+/g;
      expect(html.match(pictures)!.length).toBeGreaterThan(3);
      expect(Buffer.byteLength(html.replaceAll(pictures, ''))).toBeLessThan(400_000);
    });
  });
});
