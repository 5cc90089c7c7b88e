// Which lines of src the tests have run, from what `npm run coverage` left: in Vitest's own process, and in those that tests started, which
// ran dist/. One line for CI; with --missing before it every line that nothing ran.
import { readdir, readFile } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = new URL('../dist/', import.meta.url).href;
const folder = join(root, 'coverage');

/** Processes that were killed, or had no room, as they wrote down what they ran. */
let cutOff = 0;
const inTests = await linesInTests();
const inProcesses = await pointsInProcesses();

const missing = [];
let [all, byTests] = [0, 0];
for (const [file, lines] of inTests) {
  for (const [line, { ran, columns }] of lines) {
    all++;
    if (ran) byTests++;
    else if (!columns.some((column) => ranInProcess(file, line, column))) missing.push(`${file}:${line}`);
  }
}
if (process.argv.includes('--missing')) for (const place of missing) console.log(place);
const share = (count) => `${((100 * count) / all).toFixed(1)}%`;
const run = all - missing.length;
console.log(
  `line coverage of src: ${share(run)} (${run} of ${all} lines), ${share(byTests)} without the processes that tests start` +
    (cutOff > 0 ? `; ${cutOff} of these were killed as they told what they ran` : ''),
);

/** Of each file the lines on which statements start: in which columns, and whether one of them ran. */
async function linesInTests() {
  const files = Object.values(JSON.parse(await readFile(join(folder, 'in-process.json'), 'utf8')));
  return new Map(
    files.map(({ path, statementMap, s }) => {
      const lines = new Map();
      for (const [id, { start }] of Object.entries(statementMap)) {
        const { ran, columns } = lines.get(start.line) ?? { ran: false, columns: [] };
        lines.set(start.line, { ran: ran || s[id] > 0, columns: [...columns, start.column] });
      }
      return [relative(root, path), lines];
    }),
  );
}

/** Whether a process ran a statement: the first point of the build's source map at its start or behind it, on its line. */
function ranInProcess(file, line, column) {
  const points = inProcesses.get(`${file}:${line}`) ?? [];
  return points.find((point) => point.column >= column)?.ran ?? false;
}

/** The points of the source maps of what processes ran, by file:line, in the order of their columns. A process that was killed has
 *  told nothing. */
async function pointsInProcesses() {
  const built = new Map();
  for (const name of await readdir(join(folder, 'processes'))) {
    for (const { url, functions } of told(await readFile(join(folder, 'processes', name), 'utf8'))) {
      if (!url.startsWith(dist)) continue;
      if (!built.has(url)) built.set(url, await readBuilt(url));
      const points = built.get(url);
      for (const [i, count] of countsOf(points, functions).entries()) points[i].ran ||= count > 0;
    }
  }
  const byLine = new Map();
  for (const point of [...built.values()].flat()) byLine.set(point.line, [...(byLine.get(point.line) ?? []), point]);
  for (const points of byLine.values()) points.sort((a, b) => a.column - b.column);
  return byLine;
}

function told(text) {
  try {
    return JSON.parse(text).result;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    cutOff++;
    return [];
  }
}

/** The points of a built file in their order: where they stand in it, and where in src. */
async function readBuilt(url) {
  const text = await readFile(fileURLToPath(url), 'utf8');
  if (!text.includes('//# sourceMappingURL=')) return []; // a bundle that only leads on to others
  const map = new SourceMap(JSON.parse(await readFile(fileURLToPath(`${url}.map`), 'utf8')));
  const points = [];
  let start = 0;
  for (const [number, line] of text.split('\n').entries()) {
    for (let column = 0; column < line.length; column++) {
      const { generatedLine, generatedColumn, originalSource, originalLine, originalColumn } = map.findEntry(number, column);
      if (generatedLine !== number || generatedColumn !== column) continue; // none begins here
      const file = relative(root, fileURLToPath(new URL(originalSource, url)));
      points.push({ offset: start + column, line: `${file}:${originalLine + 1}`, column: originalColumn, ran: false });
    }
    start += line.length + 1;
  }
  return points;
}

/** How often each point ran: what the innermost range around it says. */
function countsOf(points, functions) {
  const counts = new Int32Array(points.length);
  const ranges = functions.flatMap(({ ranges }) => ranges);
  ranges.sort((a, b) => b.endOffset - b.startOffset - (a.endOffset - a.startOffset));
  for (const { startOffset, endOffset, count } of ranges) {
    for (let i = firstFrom(points, startOffset); i < points.length && points[i].offset < endOffset; i++) counts[i] = count;
  }
  return counts;
}

/** The first point that begins at an offset or behind it. */
function firstFrom(points, offset) {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
