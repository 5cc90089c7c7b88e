import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run, temporaryFolder, writeJson, writePicture } from '../cli/pictures.ts';
import { fileOfLink, missingImages, openBrowser, openTab, type Tab, textOf, tooWide, withoutChromium } from './browser.ts';

/** Names of files, folders and classes that would be markup, scripts, addresses or other directions of writing. */

const positive = `<b onclick="document.title='owned'">cat&amp;${'unbroken'.repeat(8)}`;
const negative = `no'cat"><script>document.title='owned'<\u2215script>`;
const turned = '\u202egnp.exe\u202c';
const names = [
  `<img src=x onerror="document.title='owned'">.png`,
  `"><script>document.title='owned'<\u2215script>.png`,
  "javascript:document.title='owned'.png",
  `${turned}.png`,
  'a#b?c%20d.png',
  '100%.png',
  'Ärger mit 猫 und 🐈.png',
  `' onmouseover='document.title="owned"'.png`,
  ' beginning and end .png',
  '&lt;&#x3c;.png',
  'data:text,html.png',
  `${'unbroken'.repeat(20)}.png`,
];
/** As a page shows them: a mark that turns writing around is no text. */
const shown = (name: string) => name.replaceAll(/[\u202e\u202c]/g, '\ufffd');

let folder: string;
let browser: Browser | undefined;
let tab: Tab;
const source = `pictures <i>&"#?%41 ü`;
const output = `run <u>&'#?%41 ü`;

describe.skipIf(withoutChromium || process.platform === 'win32')('names', () => {
  beforeAll(async () => {
    folder = await temporaryFolder();
    for (const [c, of] of [positive, negative].entries()) {
      await mkdir(join(folder, source, of), { recursive: true });
      for (const [i, name] of names.entries()) await writePicture(join(folder, source, of, name), { index: i, cat: c === 0 });
    }
    const data = { source: { type: 'folder', path: source, positive }, imageSize: 8, split: { test: 12 } };
    await writeJson(join(folder, 'c.json'), { data, training: { epochs: 1, learningRate: 1e-9 } });
    await run(0, ['train', '-c', 'c.json', '-o', output, '-q'], { cwd: folder });
    await mkdir(join(folder, 'pages', '# ?'), { recursive: true });
    const words = ['--data', source, '--report', 'pages/# ?/all.html', '--threshold', '1', '-q'];
    await run(0, ['evaluate', '--model', output, ...words], { cwd: folder });
    browser = await openBrowser();
    tab = await openTab(browser);
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });

  const pages = [join(output, 'report.html'), join('pages', '# ?', 'all.html')];

  test.each(pages)('%s: names are text, and nothing else', async (file) => {
    const faults = await tab.open(join(folder, file));
    const { page } = tab;
    for (const width of [360, 1000]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await tooWide(page)).toBe(0);
    }
    const text = await textOf(page);
    expect(text).toContain(positive);
    expect(text).toContain(negative);
    const links = await page.locator('figcaption a').allTextContents();
    expect(links.length).toBeGreaterThan(8);
    const known = [positive, negative].flatMap((of) => names.map((name) => shown(`${of}/${name}`)));
    for (const link of links) expect(known).toContain(link);
    expect(
      await page.evaluate('document.querySelectorAll("b, i, u, main script, [onerror], [onclick], [onmouseover]").length'),
    ).toBe(await page.locator('i.swatch').count());
    for (const element of await page.locator('figcaption a').all()) await element.hover();
    expect(await page.title()).not.toBe('owned');
    expect(await missingImages(page)).toEqual([]);
    expect(faults).toEqual([]);
    expect(await readFile(join(folder, file), 'utf8')).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
  });

  test.each(pages)('%s: each link leads to the picture of its name', async (file) => {
    await tab.open(join(folder, file));
    const links = await tab.page.evaluate<[string, string][]>(
      '[...document.querySelectorAll("figcaption a")].map((link) => [link.textContent, link.href])',
    );
    const seen = new Set<string>();
    for (const [name, href] of links) {
      const path = fileOfLink(href, join(folder, file));
      expect((await stat(path)).isFile()).toBe(true);
      expect(shown(path)).toBe(join(folder, source, name));
      seen.add(name);
    }
    expect(seen.size).toBeGreaterThan(8);
  });

  test('a click on a link opens the picture', async () => {
    await tab.open(join(folder, pages[1]!));
    const link = tab.page.locator('figcaption a', { hasText: 'a#b?c%20d.png' }).first();
    await link.click();
    expect(decodeURIComponent(new URL(tab.page.url()).pathname)).toMatch(/a#b\?c%20d\.png$/);
    expect(await missingImages(tab.page)).toEqual([]);
  });
});
