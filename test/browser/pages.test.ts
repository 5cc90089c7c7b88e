import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run, temporaryFolder, writeClasses } from '../cli/pictures.ts';
import { someOf } from '../thorough.ts';
import { axeFaults, missingImages, openBrowser, openTab, type Tab, textOf, tooWide, widths, withoutChromium } from './browser.ts';
import { copyOldRun, kinds, train, trainStreamed, trainUntil, writeHdf5 } from './runs.ts';

/** Every kind of page, at every width, in both colours, with scripts and without. */

let folder: string;
let browser: Browser | undefined;
let tabs: Record<'with' | 'without', Tab>;

const report = (run: string) => join(run, 'report.html');
/** What each page says of how the training went, or of what was judged. */
const pages: Record<string, { file: string; says: RegExp[]; charts: string[] }> = {
  logistic: page('logistic', [/^Trained after 60 epochs of 60/m, /on dev/], ['roc', 'calibration']),
  deep: page('deep', [/^Trained after 60 epochs of 60/m, /Inside the network/], ['rate', 'gradients', 'activations', 'roc']),
  'only test': page('only test', [/^Trained after 40 epochs of 40/m, /wrong on test/], ['roc']),
  'neither dev nor test': page(
    'neither dev nor test',
    [/How good it is on other pictures is not known/, /wrong on train/],
    ['roc'],
  ),
  folds: page('folds', [/^Trained after 20 epochs of 20/m, /Cross-validation: each fold judged/], ['roc']),
  early: page('early', [/^Stopped early after \d+ epochs of 5,000/m, /The weights of epoch \d+ are kept/], ['roc']),
  diverged: page('diverged', [/^Diverged in epoch \d+ of 20/m, /The training diverged/], []),
  collapsed: page('collapsed', [/^Trained after 3 epochs of 3/m, /every (training )?picture the same answer/], ['roc']),
  interrupted: page('interrupted', [/^Interrupted after [\d,]+ epochs of 10,000,000/m, /nn train --resume interrupted/], ['roc']),
  killed: page('killed', [/^In training: epoch [\d,]+ of 10,000,000, as of \d{4}-/m], []),
  streamed: page('streamed', [/^Trained after 10 epochs of 10/m], ['roc']),
  'a run’s test part': { file: 'test.html', says: [/^test of logistic$/m, /with 95% confidence/], charts: ['roc'] },
  'another folder': { file: 'folder.html', says: [/^photos$/m], charts: ['roc'] },
  'pictures of one class': { file: 'one.html', says: [/^one$/m, /not defined/], charts: ['histogram', 'calibration'] },
  'an HDF5 file': { file: 'hdf5.html', says: [/^course\.h5$/m], charts: ['roc'] },
  'a model of an older version': { file: 'old.html', says: [/^test of old\/run$/m], charts: ['roc'] },
};

function page(run: string, says: RegExp[], charts: string[]) {
  return { file: report(run), says, charts: ['cost', 'accuracy', ...charts] };
}

async function makePages(): Promise<void> {
  const evaluate = (model: string, file: string, ...words: string[]) =>
    run(0, ['evaluate', '--model', model, '--report', file, ...words, '-q'], { cwd: folder });
  const trainings = async () => {
    for (const kind of kinds) await train(folder, kind);
    await evaluate('logistic', 'test.html');
    await evaluate('deep', 'folder.html', '--data', 'photos');
    await evaluate('deep', 'one.html', '--data', 'one');
    await evaluate('logistic', 'hdf5.html', '--data', 'course.h5');
  };
  const others = async () => {
    await copyOldRun(folder);
    await evaluate('old/run', 'old.html');
    await trainUntil(folder, 'interrupted', 'SIGTERM');
    await trainUntil(folder, 'killed', 'SIGKILL');
    await trainStreamed(folder);
  };
  await writeClasses(join(folder, 'photos'), 6);
  await writeClasses(join(folder, 'one'), 6);
  await rm(join(folder, 'one', 'thing'), { recursive: true });
  await writeHdf5(folder);
  await Promise.all([trainings(), others()]);
}

describe.skipIf(withoutChromium)('pages', () => {
  beforeAll(async () => {
    folder = await temporaryFolder();
    [browser] = await Promise.all([openBrowser(), makePages()]);
    tabs = { with: await openTab(browser), without: await openTab(browser, { scripts: false }) };
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });

  describe.each(someOf(Object.entries(pages)))('%s', (_, { file, says, charts }) => {
    test.each(['with', 'without'] as const)('is whole on every screen, %s scripts', async (scripts) => {
      const { page, open } = tabs[scripts];
      const faults = await open(join(folder, file));
      for (const width of widths) {
        await page.setViewportSize({ width, height: 900 });
        expect(await tooWide(page), `at ${width} pixels`).toBe(0);
      }
      expect(await missingImages(page)).toEqual([]);
      const text = await textOf(page);
      for (const words of says) expect(text).toMatch(words);
      expect(text).not.toMatch(/undefined|NaN%|\bNn |\[object|&(amp|lt|quot|#39);/);
      // a long page begins with a list of its sections
      const sections = await page.locator('h2').evaluateAll((all) => all.map(({ id, textContent }) => [`#${id}`, textContent]));
      const listed = await page
        .locator('nav a')
        .evaluateAll((all) => all.map((link) => [link.getAttribute('href'), link.textContent]));
      expect(listed).toEqual(sections.length < 4 ? [] : sections);
      for (const name of charts) expect(await page.locator(`[data-chart="${name}"] svg`).count(), name).toBe(1);
      // without scripts a slider would do nothing
      const isJudged = charts.includes('roc') || charts.includes('histogram');
      expect(await page.locator('input:visible').count()).toBe(scripts === 'with' && isJudged ? 1 : 0);
      expect(faults).toEqual([]);
      if (scripts === 'without') return;
      // what axe-core finds wrong for who sees little or nothing
      await page.emulateMedia({ colorScheme: 'light' });
      expect(await axeFaults(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await axeFaults(page, ['color-contrast'])).toEqual([]);
    });

    test('draws nothing at places that are no numbers', async () => {
      const html = await readFile(join(folder, file), 'utf8');
      for (const [, d] of html.matchAll(/\sd="([^"]*)"/g)) expect(d).toMatch(/^[MLHVZ\d.,\s-]*$/);
      expect(html).not.toMatch(/(c[xy]|[xy][12]?)="(NaN|undefined|-?Infinity)"/);
    });
  });
});
