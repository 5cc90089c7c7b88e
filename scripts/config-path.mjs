// How far a config travels in `nn train`, and how many calls a picture's bytes pass on their way to a training step.
//
// The config's way: from src/commands/train.ts down the imports, every file with a function that takes a config, whole or in part: a parameter whose type
// names `Config`, `LoadedConfig`, or something with such a field of its own (`TrainingJob`). Names are those under which it is taken: each parameter, or each
// property that the parameter's pattern takes out of it. A name counts once a file.
//
// The bytes' way: the calls that stand in `byteCalls`, from the file that decodes to the kernel; each entry names a function and the file that defines it, and must be found there.
import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const src = process.argv[2] ?? fileURLToPath(new URL('../src', import.meta.url));
const start = 'commands/train.ts';
const imported = /(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+\.ts)'/g;

/** Files that are reached from one by imports. */
function reachedFrom(first) {
  const files = new Map();
  const visit = (name) => {
    if (files.has(name)) return;
    const text = readFileSync(join(src, name), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    files.set(name, text);
    for (const [, path] of text.matchAll(imported)) visit(posix.join(dirname(name), path));
  };
  visit(first);
  return files;
}

/** Parameters, as `name: Type` or `{ a, b: c }: Type`, of types that are or hold a config. */
function parametersOf(text, types) {
  const pattern = new RegExp(
    String.raw`(\w+|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})\??:\s*(?:readonly\s+)?(?:Pick<|Omit<|Readonly<)?(?:${types.join('|')})\b`,
    'g',
  );
  return [...text.matchAll(pattern)].flatMap(([, found]) => namesIn(found));
}

function namesIn(pattern) {
  if (!pattern.startsWith('{')) return [pattern];
  return [...pattern.matchAll(/(\w+)(?=\s*[,}=])/g)].map(([, name]) => name);
}

/** Interfaces and types with a field that is a config. */
function holdersIn(files) {
  const holders = new Set(['Config', 'LoadedConfig']);
  for (const text of files.values()) {
    for (const [, name, body] of text.matchAll(/interface (\w+)[^{]*\{([^}]*)\}/g)) {
      if (/:\s*(Config|LoadedConfig)\b/.test(body)) holders.add(name);
    }
  }
  return [...holders];
}

const files = reachedFrom(start);
const types = holdersIn(files);
const onTheWay = [...files]
  .map(([name, text]) => ({ name, names: [...new Set(parametersOf(text, types))] }))
  .filter(({ names }) => names.length > 0);
const names = onTheWay.reduce((sum, { names }) => sum + names.length, 0);
console.log(`The config of nn train is taken in ${onTheWay.length} files, under ${names} names:`);
for (const { name, names } of onTheWay) console.log(`  ${name}: ${names.join(', ')}`);
console.log(types.join(' '));
