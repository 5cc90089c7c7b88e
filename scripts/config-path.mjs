// How far a config travels in `nn train`, and how many calls a picture's bytes pass on their way to a training step: node scripts/config-path.mjs [SRC]
//
// The config's way: of all files that src/commands/train.ts reaches by imports, those with a function that takes a config, whole or in part: a parameter whose
// type names `Config` or `LoadedConfig`, or an interface with a field of such a type. Names are those under which it is taken: each parameter, or each property
// that the parameter's pattern takes out of it. A name counts once a file.
//
// The bytes' way: the functions of `byteCalls`, from the one that decodes a picture to the one that makes a step with it. Each must be declared in the file that is named.
import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const src = process.argv[2] ?? fileURLToPath(new URL('../src', import.meta.url));
const start = 'commands/train.ts';
const imported = /(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+\.ts)'/g;

const byteCalls = [
  ['data/decode.ts', 'decodeImage'],
  ['data/source.ts', 'readInOrder'],
  ['data/load.ts', 'openExamples'],
  ['datasets/prepare.ts', 'prepareData'],
  ['training/plan.ts', 'fitOptions'],
  ['training/trainable.ts', 'trainableOf'],
  ['datasets/samples.ts', 'bytesInMemory'],
  ['training/step.ts', 'trainStep'],
];

const codeOf = (name) => readFileSync(join(src, name), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

/** The code of files that are reached from one by imports. */
function reachedFrom(first) {
  const files = new Map();
  const visit = (name) => {
    if (files.has(name)) return;
    const code = codeOf(name);
    files.set(name, code);
    for (const [, path] of code.matchAll(imported)) visit(posix.join(dirname(name), path));
  };
  visit(first);
  return files;
}

/** The names of parameters, as `name: Type` or `{ a, b: c }: Type`, of types that are or hold a config. */
function namesIn(code, types) {
  const given = String.raw`(\w+|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})\??:\s*(?:readonly\s+)?(?:Pick<|Omit<|Readonly<)?(?:${types.join('|')})\b(?!\w)`;
  const patterns = [...code.matchAll(new RegExp(given, 'g'))].map(([, found]) => found);
  const names = patterns.flatMap((found) =>
    found.startsWith('{') ? [...found.matchAll(/(\w+)(?=\s*[,}=])/g)].map(([, name]) => name) : [found],
  );
  return [...new Set(names)];
}

/** A config, and interfaces with a field that is one. */
function typesIn(files) {
  const types = new Set(['Config', 'LoadedConfig']);
  for (const code of files.values()) {
    if (!/import[^;]*\bConfig\b|import[^;]*\bLoadedConfig\b/.test(code)) continue;
    for (const [, name, body] of code.matchAll(/interface (\w+)[^{]*\{([^}]*)\}/g)) {
      if (/:\s*(Config|LoadedConfig);/.test(body)) types.add(name);
    }
  }
  return [...types];
}

const files = reachedFrom(start);
const types = typesIn(files);
const onTheWay = [...files].map(([name, code]) => [name, namesIn(code, types)]).filter(([, names]) => names.length > 0);
const count = onTheWay.reduce((sum, [, names]) => sum + names.length, 0);
console.log(`The config of nn train is taken in ${onTheWay.length} files, under ${count} names (${types.join(', ')}):`);
for (const [name, names] of onTheWay) console.log(`  ${name}: ${names.join(', ')}`);

if (process.argv[2] === undefined) {
  console.log(`\nA picture's bytes come to a step through ${byteCalls.length} calls:`);
  for (const [file, name] of byteCalls) {
    const isThere = new RegExp(`function\\*? ${name}\\b`).test(codeOf(file));
    console.log(`  ${file}: ${name}${isThere ? '' : ' (not there)'}`);
    if (!isThere) process.exitCode = 1;
  }
}
