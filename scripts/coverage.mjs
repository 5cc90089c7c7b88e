// Which lines of src the tests have run, from what `npm run coverage` left: in Vitest's own process, and in those that tests started, which
// ran dist/. One line for CI; with --missing before it every line that nothing ran.
import { readdir, readFile } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = new URL('../dist/', import.meta.url).href;
const folder = join(root, 'coverage');

const inTests = await linesInTests();
const inProcesses = await linesInProcesses();

const missing = [];
let [all, byTests] = [0, 0];
for (const [file, lines] of inTests) {
  for (const [line, ran] of lines) {
    all++;
    if (ran) byTests++;
    else if (!inProcesses.has(`${file}:${line}`)) missing.push(`${file}:${line}`);
  }
}
if (process.argv.includes('--missing')) for (const place of missing) console.log(place);
const share = (count) => `${((100 * count) / all).toFixed(1)}%`;
const run = all - missing.length;
console.log(
  `line coverage of src: ${share(run)} (${run} of ${all} lines), ${share(byTests)} without the processes that tests start`,
);

/** Of each file the lines on which a statement starts, and whether one of them ran. */
async function linesInTests() {
  const files = Object.values(JSON.parse(await readFile(join(folder, 'in-process.json'), 'utf8')));
  return new Map(
    files.map(({ path, statementMap, s }) => {
      const lines = new Map();
      for (const [id, { start }] of Object.entries(statementMap)) {
        lines.set(start.line, (lines.get(start.line) ?? false) || s[id] > 0);
      }
      return [relative(root, path), lines];
    }),
  );
}

/** The lines of src, as file:line, that some process ran. A process that was killed has told nothing. */
async function linesInProcesses() {
  const built = new Map();
  const ran = new Set();
  for (const name of await readdir(join(folder, 'processes'))) {
    const { result } = JSON.parse(await readFile(join(folder, 'processes', name), 'utf8'));
    for (const { url, functions } of result) {
      if (!url.startsWith(dist)) continue;
      if (!built.has(url)) built.set(url, await readBuilt(url));
      const lines = built.get(url);
      for (const [i, count] of countsOf(lines, functions).entries()) if (count > 0) ran.add(lines[i].place);
    }
  }
  return ran;
}

/** The lines of a built file in their order: where the first thing on them stands, and which line of src it comes from. */
async function readBuilt(url) {
  const text = await readFile(fileURLToPath(url), 'utf8');
  const map = new SourceMap(JSON.parse(await readFile(fileURLToPath(`${url}.map`), 'utf8')));
  const lines = [];
  let offset = 0;
  for (const [number, line] of text.split('\n').entries()) {
    const column = line.search(/[^\s}]/); // a brace belongs to the block that it ends
    const { originalSource, originalLine } = column < 0 ? {} : map.findEntry(number, column);
    if (originalSource !== undefined) {
      const source = fileURLToPath(new URL(originalSource, url));
      lines.push({ offset: offset + column, place: `${relative(root, source)}:${originalLine + 1}` });
    }
    offset += line.length + 1;
  }
  return lines;
}

/** How often each line ran: what the innermost range around it says. */
function countsOf(lines, functions) {
  const counts = new Int32Array(lines.length);
  const ranges = functions.flatMap(({ ranges }) => ranges);
  ranges.sort((a, b) => b.endOffset - b.startOffset - (a.endOffset - a.startOffset));
  for (const { startOffset, endOffset, count } of ranges) {
    for (let i = firstFrom(lines, startOffset); i < lines.length && lines[i].offset < endOffset; i++) counts[i] = count;
  }
  return counts;
}

/** The first line that begins at an offset or behind it. */
function firstFrom(lines, offset) {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle].offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
