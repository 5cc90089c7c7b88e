import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Pages as a browser shows them. */

const usual = ['chromium', 'chromium-browser', 'google-chrome'].map((name) => `/usr/bin/${name}`);
/** CHROMIUM names another than the usual ones. */
const executablePath = [process.env['CHROMIUM'] ?? '', ...usual].find((path) => path !== '' && existsSync(path));

export const withoutChromium = executablePath === undefined;
if (withoutChromium) console.warn('tests of pages are skipped: no Chromium in /usr/bin, and CHROMIUM names none');

export const widths = [360, 800, 1600] as const;

/** One for all tests of a file. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
}

/** A window, and what goes wrong in it. */
export interface Tab {
  page: Page;
  /** Opens a page from the disk, as a user does. @returns what a page may not do, as it comes: errors, words in the console,
   *  requests of anything but itself and what stands in it */
  open(file: string): Promise<string[]>;
}

/** @param options.window  such as that of a phone */
export async function openTab(
  browser: Browser,
  { scripts = true, window = {} }: { scripts?: boolean; window?: BrowserContextOptions } = {},
): Promise<Tab> {
  const context = await browser.newContext({ javaScriptEnabled: scripts, ...window });
  const page = await context.newPage();
  let [own, faults]: [string, string[]] = ['', []];
  page.on('console', (message) => faults.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const url = request.url();
    if (url !== own && !url.startsWith('data:')) faults.push(`request: ${url}`);
  });
  page.on('requestfailed', (request) => faults.push(`failed: ${request.url().slice(0, 80)}`));
  return {
    page,
    async open(file) {
      faults = [];
      own = pathToFileURL(file).href;
      await page.goto(own);
      return faults;
    },
  };
}

/** Pixels by which a page is wider than its window: what would have to be scrolled sideways. */
export const tooWide = (page: Page) =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

/** Names of pictures that did not load. */
export const missingImages = (page: Page) =>
  page.evaluate<string[]>('[...document.images].filter((one) => one.naturalWidth === 0).map((one) => one.alt)');

/** All that a reader finds, what is hidden left out. */
export const textOf = (page: Page) => page.evaluate<string>('document.body.innerText');

/** Cells of a table by the words at the head of row and column; the first table whose head has the column. */
export async function cellsOf(page: Page, column: string): Promise<Record<string, string>> {
  const tables = await page.evaluate<string[][][]>(
    '[...document.querySelectorAll("table")].map((table) => [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent)))',
  );
  const table = tables.find(([head]) => head?.includes(column));
  if (table === undefined) throw new Error(`expected a table with a column ${column}`);
  const at = table[0]!.indexOf(column);
  return Object.fromEntries(table.slice(1).map((row) => [row[0]!, row[at]!]));
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds wrong, in the colours that the page has now. @param rules  all where absent */
export async function axeFaults(page: Page, rules?: readonly string[]): Promise<string[]> {
  // the debugger runs it in the page, whose own policy lets no other script in
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(`${axeSource};0`);
  const options = rules === undefined ? {} : { runOnly: { type: 'rule', values: rules } };
  return page.evaluate<string[]>(
    `axe.run(document, ${JSON.stringify({ ...options, resultTypes: ['violations'] })}).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 200))))`,
  );
}

/** The file that a link leads to. */
export const fileOfLink = (href: string, page: string): string => fileURLToPath(new URL(href, pathToFileURL(page)));
