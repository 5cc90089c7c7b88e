// What src is made of: lines and files of each folder, the deepest chain of imports, and circles, imports of types included. Exits 1 where
// there is a circle, or an import that goes the wrong way. With --json the same as one object.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../src', import.meta.url));
const generated = /\/generated\//;

/** Imports go to the right, or stay within a folder; a folder's neighbours in the same step know nothing of each other. */
const floors = [
  ['cli'],
  ['commands'],
  ['library'],
  ['export'],
  ['page'],
  ['diagnosis'],
  ['report', 'training'],
  ['run'],
  ['datasets'],
  ['config'],
  ['classifier'],
  ['data', 'nn', 'evaluation'],
  ['results', 'kernels', 'random.ts'],
  ['elementary.ts', 'machine-memory.ts', 'safetensors.ts'],
  ['checks.ts', 'errors.ts', 'own-files.ts'],
  ['text.ts'],
];
const folderOf = (name) => name.split('/')[0];
const floorOf = (name) => floors.findIndex((folders) => folders.includes(folderOf(name)));

/** Imports that do not go one way. */
function wrongWays() {
  const wrong = [...files].flatMap(([name, { imports }]) =>
    imports
      .filter((to) => folderOf(to) !== folderOf(name) && files.has(to))
      .filter((to) => floorOf(to) < 0 || floorOf(name) < 0 || floorOf(to) <= floorOf(name))
      .map((to) => `${name} imports ${to}`),
  );
  return wrong;
}

const imported = /(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+\.ts)'/g;

/** Of each file the files that it imports, and its lines; the assembly, which has another compiler, is counted alone. */
const files = new Map(
  readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !generated.test(name.split(sep).join('/')))
    .map((name) => [name.split(sep).join('/'), readFileSync(join(src, name), 'utf8')])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => [name, { lines: text.split('\n').length - 1, imports: importsOf(name, text) }]),
);

function importsOf(name, text) {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  return [...new Set([...code.matchAll(imported)].map(([, path]) => posix.join(dirname(name), path)))];
}

/** Files that import each other, in the groups of Tarjan's algorithm; a group comes after all that it imports. */
function groupsOf(graph) {
  const groups = [];
  const [index, low, stack] = [new Map(), new Map(), []];
  const visit = (name) => {
    index.set(name, index.size);
    low.set(name, index.get(name));
    stack.push(name);
    for (const next of graph.get(name).imports.filter((one) => graph.has(one))) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(name, Math.min(low.get(name), low.get(next)));
    }
    if (low.get(name) === index.get(name)) groups.push(stack.splice(stack.indexOf(name)));
  };
  for (const name of graph.keys()) if (!index.has(name)) visit(name);
  return groups;
}

/** The longest way down the imports, files that import each other as one step. */
function deepestChain(groups) {
  const chains = new Map();
  let deepest = [];
  for (const group of groups) {
    const below = group.flatMap((name) => files.get(name).imports).filter((name) => !group.includes(name) && files.has(name));
    const longest = below.map((name) => chains.get(name)).reduce((a, b) => (b.length > a.length ? b : a), []);
    const chain = [group.join(' ↔ '), ...longest];
    for (const name of group) chains.set(name, chain);
    if (chain.length > deepest.length) deepest = chain;
  }
  return deepest;
}

const groups = groupsOf(files);
const circles = groups.filter((group) => group.length > 1).map((group) => group.sort());
const wrong = wrongWays();
const chain = deepestChain(groups);
const folders = {};
for (const [name, { lines }] of files) {
  const folder = (folders[posix.dirname(name)] ??= { files: 0, lines: 0 });
  folder.files++;
  folder.lines += lines;
}
const total = Object.values(folders).reduce((sum, { files, lines }) => ({ files: sum.files + files, lines: sum.lines + lines }));

if (process.argv.includes('--json')) console.log(JSON.stringify({ folders, total, chain, circles, wrong }));
else {
  const row = (name, { files, lines }) => `${String(files).padStart(5)} ${String(lines).padStart(7)}  ${name}`;
  console.log(`files   lines  ${relative(process.cwd(), src) || src}`);
  for (const [folder, counts] of Object.entries(folders).sort()) console.log(row(folder === '.' ? './' : `${folder}/`, counts));
  console.log(row('in all', total));
  console.log(`\nThe deepest chain of imports, ${chain.length} files:\n  ${chain.join('\n  ')}`);
  console.log(circles.length === 0 ? '\nNo circle of imports.' : `\n${circles.length} circles of imports:`);
  for (const circle of circles) console.log(`  ${circle.join(' ↔ ')}`);
  console.log(wrong.length === 0 ? 'Imports go one way.' : `Imports that go the wrong way:\n  ${wrong.join('\n  ')}`);
}
process.exitCode = circles.length + wrong.length > 0 ? 1 : 0;
