import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { html } from '../../src/export/html.ts';
import { type Embedded, embeddedId } from '../../src/page/embedded.ts';
import type { Prediction } from '../../src/results/evaluation.ts';
import type { ExplanationRow } from '../../src/results/explanation.ts';
import { randomClassifier } from '../classifier/classifiers.ts';
import { run, temporaryFolder, writeJson } from '../cli/pictures.ts';
import { exportedOf } from '../export/random-classifiers.ts';
import { conv } from '../nn/networks.ts';
import { axeFaults, openBrowser, openTab, type Tab, textOf, tooWide, withoutChromium } from './browser.ts';

/** The page of `nn export`, as somebody opens it who got it by mail. */

let folder: string;
let browser: Browser | undefined;
const at = (name: string) => join(folder, name);
const nnJson = async <Row>(...words: string[]) =>
  (await run(0, words, { cwd: folder })).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);

beforeAll(async () => {
  if (withoutChromium) return;
  folder = await temporaryFolder();
  const config = {
    data: { source: { type: 'drawn', count: 80, difficulty: 'easy' }, imageSize: 16, split: { dev: 20, test: 20 } },
    model: { layers: [{ type: 'conv', filters: 4, batchNorm: true }, { units: 6 }] },
    training: { epochs: 4, batchSize: 16, learningRate: 0.01, averageMirrored: true },
  };
  await writeJson(at('small.json'), config);
  const make = async () => {
    await run(0, ['train', '-c', 'small.json', '-o', 'run', '--threads', '1', '-q'], { cwd: folder });
    await run(0, ['export', '--model', 'run', '--out', 'cat.html', '-q'], { cwd: folder });
    await run(0, ['data', 'draw', '--out', 'drawn', '--count', '4', '--size', '16', '-q'], { cwd: folder });
    await run(0, ['data', 'draw', '--out', 'large', '--count', '1', '--size', '480', '-q'], { cwd: folder });
  };
  [browser] = await Promise.all([openBrowser(), make()]);
  const [picture] = await drawnIn('large');
  // as a phone has it: lying on its side, and larger than anything else
  const photo = sharp(picture).resize(1600, 1200, { fit: 'cover' }).withMetadata({ orientation: 6 });
  await photo.jpeg({ quality: 90 }).toFile(at('photo.jpg'));
  await sharp(picture).resize(300, 200, { fit: 'fill' }).ensureAlpha(0.4).png().toFile(at('glass.png'));
  await sharp(picture).resize(90, 240, { fit: 'fill' }).webp({ lossless: true }).toFile(at('tall.webp'));
  await writeFile(at('letter.jpg'), 'Dear reader');
});
afterAll(async () => {
  await browser?.close();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

/** Pictures that nn has drawn, in the order of their names. */
async function drawnIn(name: string): Promise<string[]> {
  const rows = await nnJson<Prediction>('predict', '--model', 'run', '--json', name);
  return rows.map(({ file }) => at(file));
}

/** Opens a page without a network, and waits for its self-test. @returns what it may not do */
async function openPage(tab: Tab, file = at('cat.html')): Promise<string[]> {
  await tab.page.context().setOffline(true);
  const faults = await tab.open(file);
  await tab.page.waitForSelector('[data-self-test]:not([data-self-test=running])');
  return faults;
}

interface Shown {
  name: string;
  state: string;
  p: number;
  logit: number;
  label: string;
}
/** The cards, once none of them is being read. */
async function shown({ page }: Tab): Promise<Shown[]> {
  // the page's own policy lets no text be evaluated in it but by the debugger
  await page.evaluate(`(async () => {
    while (document.querySelector('.card[data-state=reading]')) await new Promise(requestAnimationFrame);
  })()`);
  return page.evaluate<Shown[]>(`[...document.querySelectorAll('.card')].map(({ dataset, ...card }, i) => ({
    ...dataset, p: Number(dataset.p), logit: Number(dataset.logit), name: document.querySelectorAll('.card .name')[i].textContent }))`);
}
const choose = ({ page }: Tab, files: string[]) => page.setInputFiles('#choose', files);

/** Drops a file as the system's file manager does. @returns milliseconds until its answer is there */
async function drop({ page }: Tab, file: string, name: string): Promise<number> {
  const bytes = (await readFile(file)).toString('base64');
  return page.evaluate<number>(`(async () => {
    const files = new DataTransfer();
    files.items.add(new File([Uint8Array.from(atob(${JSON.stringify(bytes)}), (letter) => letter.charCodeAt(0))], ${JSON.stringify(name)}));
    const before = document.querySelectorAll('.card[data-state=answered]').length, start = performance.now();
    document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true }));
    while (document.querySelectorAll('.card[data-state=answered]').length === before) await new Promise(requestAnimationFrame);
    return performance.now() - start;
  })()`);
}

describe.skipIf(withoutChromium).each([
  ['a phone', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }],
  ['a desktop', { viewport: { width: 1280, height: 800 } }],
] as const)('on %s', (device, options) => {
  let tab: Tab;
  let faults: string[];
  beforeAll(async () => {
    tab = await openTab(browser!, { window: options });
    faults = await openPage(tab);
  });
  afterAll(() => tab.page.context().close());

  test('it opens from a file, tests itself, and asks for nothing', async () => {
    expect(await tab.page.getAttribute('#self-test', 'data-self-test')).toBe('passed');
    const text = await textOf(tab.page);
    expect(text).toContain('Passed: this browser answers for 16 carried pictures as nn did, to the last bit.');
    expect(text).toMatch(/[\d.]+% right, on 20 pictures that it was not trained on/);
    expect(text).toMatch(/\d% to [\d.]+% \(95% interval\)/);
    expect(text).toContain('Take a photograph'.repeat(device === 'a phone' ? 1 : 0));
    expect(await tab.page.isVisible('#camera')).toBe(device === 'a phone');
    expect(await tooWide(tab.page)).toBe(0);
    expect(faults).toEqual([]);
  });

  test('a dropped photograph is answered in under half a second, as nn predict answers', async () => {
    const [expected] = await nnJson<Prediction>('predict', '--model', 'run', '--json', 'photo.jpg');
    const times = [];
    for (let i = 0; i < 3; i++) times.push(await drop(tab, at('photo.jpg'), 'photo.jpg'));
    expect(Math.min(...times)).toBeLessThan(500);
    for (const { name, p, label } of await shown(tab)) {
      expect(name).toBe('photo.jpg');
      expect(Math.abs(p - expected!.p!)).toBeLessThan(0.01);
      expect(label).toBe(expected!.label);
    }
    await tab.page.click('#clear');
    expect(await shown(tab)).toEqual([]);
    expect(faults).toEqual([]);
  });

  test('several are a grid with their number; what is no picture says so', async () => {
    const files = ['photo.jpg', 'glass.png', 'tall.webp', 'letter.jpg'];
    await choose(tab, files.map(at));
    const cards = await shown(tab);
    const expected = await nnJson<Prediction>('predict', '--model', 'run', '--json', ...files.slice(0, 3));
    expect(cards.map(({ name, state }) => [name, state])).toEqual(files.map((file, i) => [file, i < 3 ? 'answered' : 'failed']));
    for (const [i, { p }] of expected.entries()) expect(Math.abs(cards[i]!.p - p!), files[i]).toBeLessThan(0.01);
    const summary = await tab.page.textContent('#summary');
    const cats = cards.filter(({ label }) => label === 'cat').length;
    expect(summary).toBe(`4 pictures at threshold 0.5: ${cats} cat, ${3 - cats} noncat, 1 could not be read.`);
    expect(await textOf(tab.page)).toContain('not a picture in a format that this browser reads');
    expect(await tooWide(tab.page)).toBe(0);
    await tab.page.click('#clear');
  });

  test('a picture of the network’s own size gets the bits of nn predict, and the map of nn explain', async () => {
    const files = await drawnIn('drawn');
    await choose(tab, files);
    const cards = await shown(tab);
    const expected = await nnJson<Prediction>('predict', '--model', 'run', '--json', ...files);
    expect(cards.map(({ p }) => p)).toEqual(expected.map(({ p }) => p));
    for (const method of ['occlusion', 'gradient'] as const) {
      const [row] = await nnJson<ExplanationRow>('explain', '--model', 'run', '--json', '--method', method, files[0]!);
      const values = method === 'occlusion' ? row!.occlusion!.differences.flat() : row!.map!.flat();
      const card = tab.page.locator('.card').first();
      if (method === 'occlusion') await card.locator('summary').click();
      else await card.locator('select').selectOption(method);
      const map = card.locator(`[data-method=${method}]`);
      expect(Number(await map.getAttribute('data-most'))).toBe(Math.max(...values));
      if (method === 'occlusion') expect(await map.textContent()).toContain(Math.max(0, ...values).toFixed(4));
    }
    expect(await tooWide(tab.page)).toBe(0);
    expect(faults).toEqual([]);
  });

  test.each(['light', 'dark'] as const)('axe-core finds nothing wrong with it, in %s', async (colorScheme) => {
    await tab.page.emulateMedia({ colorScheme });
    expect((await shown(tab)).length).toBeGreaterThan(0);
    expect(await axeFaults(tab.page)).toEqual([]);
  });

  test('the threshold decides the labels, until it is the model’s own again', async () => {
    const labels = async () => (await shown(tab)).map(({ label }) => label);
    const own = await labels();
    await tab.page.focus('#threshold');
    await tab.page.keyboard.press('End');
    expect(new Set(await labels())).toEqual(new Set(['noncat']));
    expect(await tab.page.textContent('#threshold-shown')).toBe('1.000');
    await tab.page.keyboard.press('Home');
    expect(new Set(await labels())).toEqual(new Set(['cat']));
    await tab.page.click('#threshold-reset');
    expect(await labels()).toEqual(own);
    expect(await tab.page.textContent('#threshold-shown')).toBe('0.5');
  });

  test('all of it can be reached by keyboard', async () => {
    const before = (await shown(tab)).length;
    await tab.page.focus('#choose');
    const reached: string[] = [];
    for (let i = 0; i < 8; i++) {
      await tab.page.keyboard.press('Tab');
      reached.push(
        await tab.page.evaluate<string>(
          'document.activeElement.id || document.activeElement.className || document.activeElement.tagName',
        ),
      );
    }
    expect(reached.slice(0, 2)).toEqual(device === 'a phone' ? ['camera', 'threshold'] : ['threshold', 'clear']);
    expect(reached).toEqual(expect.arrayContaining(['remove', 'SUMMARY']));
    await tab.page.locator('.card .remove').first().focus();
    await tab.page.keyboard.press('Enter');
    expect(await shown(tab)).toHaveLength(before - 1);
    expect(await tab.page.evaluate('document.activeElement.id')).toBe('choose');
  });

  test('who has no picture tries those that it carries', async () => {
    await tab.page.click('#clear');
    await tab.page.click('#samples');
    const page = await readFile(at('cat.html'), 'utf8');
    const [, json] = page.match(new RegExp(`id="${embeddedId}">(.*)</script>\n`))!;
    const { pictures } = JSON.parse(json!) as Embedded;
    expect((await shown(tab)).map(({ logit }) => logit)).toEqual(pictures.answers.map(({ logit }) => logit));
    expect(faults).toEqual([]);
  });
});

describe.skipIf(withoutChromium)('whatever is in it', () => {
  const hostile = '<img src=x onerror=alert(1)></script>\u202e';
  const write = async (name: string, changes: object = {}) => {
    const classifier = { ...randomClassifier({ side: 8, hidden: [conv(3)], precision: 'float64' }), ...changes };
    const bytes = await html.write(exportedOf(classifier, 3));
    await writeFile(at(name), bytes);
    return { file: at(name), text: Buffer.from(bytes).toString() };
  };

  test('names of classes and of files are text', async () => {
    const { file } = await write('names.html', { classes: { positive: hostile, negative: `not ${hostile}` } });
    const tab = await openTab(browser!);
    const faults = await openPage(tab, file);
    await drop(tab, at('glass.png'), `${hostile}.png`);
    await tab.page.locator('.card summary').click();
    await tab.page.waitForSelector('[data-method]');
    expect(await tab.page.textContent('.name')).toBe(`<img src=x onerror=alert(1)></script>\\u202e.png`);
    expect(await tab.page.evaluate('document.querySelectorAll("img").length')).toBe(0);
    expect(await textOf(tab.page)).not.toContain('\u202e');
    expect(faults).toEqual([]);
    await tab.page.context().close();
  });

  test('of a model whose training nobody has told, it says that it is not known how good it is', async () => {
    const { file, text } = await write('unknown.html');
    expect(text).toContain('Not known: no summary');
    const tab = await openTab(browser!, { scripts: false });
    expect(await tab.open(file)).toEqual([]);
    expect(await textOf(tab.page)).toContain('It needs JavaScript');
    await tab.page.context().close();
  });

  test('a page that answers otherwise says so, in words that can’t be missed', async () => {
    const { text } = await write('sound.html');
    const changed = text.replace(/"logit":-?[\d.]+/, '"logit":0.125').replace(/"p":[\d.]+/, '"p":0.53');
    await writeFile(at('changed.html'), changed);
    const tab = await openTab(browser!);
    await openPage(tab, at('changed.html'));
    expect(await tab.page.getAttribute('#self-test', 'data-self-test')).toBe('failed');
    expect(await tab.page.textContent('#warning')).toContain('Failed: this browser answers otherwise than nn did');
    await tab.page.context().close();
  });
});
