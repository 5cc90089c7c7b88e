// Packs nn, installs the tarball into a folder that is thrown away, and tries what is installed: each command, the library's examples, and its
// types. `dist/` must be built. Another version of Node: npx -p node@24 node scripts/smoke-package.mjs. Exits 1, with what failed, where anything does.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const place = mkdtempSync(join(tmpdir(), 'nn-package-'));
const work = join(place, 'lib/work');

/** All that may be in the tarball: what runs, its types, what people read. */
const expectedFiles =
  /^(bin\/(nn\.js|package\.json)|dist\/(bundle\/[\w.-]+\.js|kernels\/[\w-]+\.wasm|types\/[\w./-]+\.d\.ts|completion\/nn\.\w+|page\/page\.js|third-party\.txt)|configs\/[\w-]+\.json|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
/** Bytes of the tarball: it was 0.56 MB when this was set. Twice as many are no accident. */
const mostBytes = 1.2e6;

const config = {
  data: { source: { type: 'folder', path: 'photos' }, imageSize: 16 },
  model: { layers: [{ units: 4 }] },
  training: { epochs: 4 },
  search: { trials: 2, parameters: { 'training.learningRate': { logUniform: [0.001, 0.1] } } },
};

const json = (text) => void JSON.parse(text);
const has = (wanted) => (text) => {
  if (!wanted.test(text)) throw new Error(`expected ${wanted} in what is printed`);
};
const nothing = has(/^$/);
const file = (path, start) => () => {
  if (!readFileSync(join(work, path)).subarray(0, start.length).equals(Buffer.from(start, 'latin1')))
    throw new Error(`expected ${start} in ${path}`);
};

/** For each command what is typed, in this order, and what is to come of it: the exit code (0 where none is named) and a check of stdout. A command
 *  without a row fails the test below. */
const rows = [
  ['data draw', ['data', 'draw', '--out', 'photos', '--count', '40', '--size', '32'], has(/cat/)],
  ['data draw', ['data', 'draw', '--out', 'others', '--count', '12', '--size', '32', '--seed', '5'], has(/cat/)],
  ['data fetch', ['data', 'fetch', 'course', '--from', 'nothing-here'], nothing, 3],
  ['data inspect', ['data', 'inspect', 'photos', '--json'], json],
  ['data preview', ['data', 'preview', 'photos', '--out', 'sheet.png'], file('sheet.png', '\x89PNG')],
  ['data clean', ['data', 'clean', 'photos', '--out', 'remove.csv'], file('remove.csv', 'action')],
  ['data pack', ['data', 'pack', 'photos', '--out', 'packed.safetensors', '--size', '16'], has(/packed/)],
  ['gradient-check', ['gradient-check', '--config', 'config.json', '--json'], json],
  ['graph', ['graph', '--config', 'config.json'], has(/relu/)],
  ['graph', ['graph', '--config', 'config.json', '--format', 'svg'], has(/<svg/)],
  ['train', ['train', '--config', 'config.json', '--dry-run', '--json'], json],
  ['train', ['train', '--config', 'config.json', '--output', 'runs/one', '--json'], json],
  ['train', ['train', '--config', 'config.json', '--output', 'runs/two', '--seed', '2'], has(/test/)],
  ['train', ['train', '--resume', 'runs/two', '--set', 'training.epochs=6', '--json'], json],
  ['tune', ['tune', '--config', 'config.json', '--output', 'runs/search', '--report', 'search.html', '--json'], json],
  [
    'diagnose',
    ['diagnose', '--config', 'config.json', '--minutes', '0.1', '--output', 'runs/why', '--report', 'why.html', '--json'],
    json,
  ],
  ['predict', ['predict', 'photos', '--json'], (text) => text.trim().split('\n').forEach(json)],
  ['predict', ['predict', 'config.json'], nothing, 3],
  ['evaluate', ['evaluate', '--data', 'others', '--report', 'others.html', '--json'], json],
  ['explain', ['explain', 'photo.png', '--out', 'why.png'], file('why.png', '\x89PNG')],
  ['export', ['export', '--out', 'cat.npz'], has(/16 pictures that nn drew/)],
  ['export', ['export', '--check', 'cat.npz', '--json'], json],
  ['export', ['export', '--out', 'cat.html', '--json'], json],
  ['export', ['export', '--check', 'cat.html', '--json'], json],
  ['export', ['export', '--out', 'cat.onnx', '--json'], json],
  ['export', ['export', '--check', 'cat.onnx'], nothing, 2],
  ['model show', ['model', 'show', 'runs/one', '--json'], json],
  ['runs', ['runs', '--json'], json],
  ['runs show', ['runs', 'show', 'one'], has(/accuracy/)],
  ['runs compare', ['runs', 'compare', 'one', 'two', '--html', 'compared.html'], has(/one/)],
  ['config init', ['config', 'init', 'photos', '--out', 'first.json'], has(/^first\.json\n$/)],
  ['config check', ['config', 'check', 'config.json'], has(/pictures/)],
  ['config show', ['config', 'show', 'config.json'], has(/"training"/)],
  ['config schema', ['config', 'schema'], has(/"nn config"/)],
  ['completion', ['completion', 'bash'], has(/^complete .* nn$/m)],
];

let failed = 0;
/** A failure is told, and the rest still runs. */
function step(name, run) {
  const begun = performance.now();
  try {
    run();
    console.log(`ok    ${name} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}\n  ${error.message.replaceAll('\n', '\n  ')}`);
  }
}

const environment = { ...process.env, NN_RUNS: 'runs', NN_CACHE: join(place, 'cache') };
delete environment.NN_MODEL;

/** @throws where it does not exit as expected. @returns what it printed */
function run(command, words, { code = 0, cwd = work } = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    cwd,
    env: environment,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (error) throw error;
  if (status !== code)
    throw new Error(`${[command, ...words].join(' ')}: expected exit ${code}, found ${status}\n${stdout}${stderr}`);
  return stdout;
}

function pack() {
  const [made] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', place], { cwd: root }));
  const others = made.files.map(({ path }) => path).filter((path) => !expectedFiles.test(path));
  if (others.length > 0) throw new Error(`what need not be in the tarball: ${others.join(', ')}`);
  if (made.size > mostBytes) throw new Error(`expected at most ${mostBytes} bytes, found ${made.size}`);
  console.log(`      ${made.filename}: ${made.files.length} files, ${made.size} bytes, unpacked ${made.unpackedSize}`);
  tarball = join(place, made.filename);
}
let tarball;

/** @throws where npm has to build or warns, or where a command has no row */
function install() {
  const options = ['--prefix', place, '--no-audit', '--no-fund', '--prefer-offline'];
  const { status, stderr } = spawnSync('npm', ['install', '-g', tarball, ...options], { encoding: 'utf8' });
  if (status !== 0 || /warn/i.test(stderr)) throw new Error(stderr);
  mkdirSync(work);
  writeFileSync(join(work, 'config.json'), JSON.stringify(config));
  writeFileSync(join(work, 'notes.txt'), 'no picture');
}

async function everyCommandHasARow() {
  const { commands } = await import('../dist/commands/commands.js');
  const without = commands.map(({ name }) => name).filter((name) => !rows.some(([command]) => command === name));
  step('every command has a row', () => {
    if (without.length > 0) throw new Error(`add one for: ${without.join(', ')} (rows of ${fileURLToPath(import.meta.url)})`);
  });
}

function tryCommands() {
  const nn = join(place, 'bin/nn');
  step('nn --help', () => has(/Exit codes/)(run(nn, ['--help'])));
  for (const [, words, check, code] of rows) {
    step(`nn ${words.join(' ')}`, () => check(run(nn, words, { code })));
    if (words[1] === 'draw') cpSync(join(work, 'photos/cat', readdirSync(join(work, 'photos/cat'))[0]), join(work, 'photo.png'));
  }
}

/** The examples of docs/library.md run, one after the other, and pass the strictest checks of TypeScript. */
function tryLibrary() {
  const page = readFileSync(join(root, 'docs/library.md'), 'utf8');
  const examples = [...page.matchAll(/^```js\n([\s\S]*?)^```/gm)].map(([, code]) => code);
  if (examples.length < 4) throw new Error(`expected the examples of docs/library.md, found ${examples.length}`);
  cpSync(join(work, 'photo.png'), join(work, 'photo.jpg')); // its bytes say what it is
  for (const [i, code] of examples.entries()) {
    writeFileSync(join(work, `example-${i + 1}.mjs`), code);
    writeFileSync(join(work, `example-${i + 1}.mts`), code);
    step(`docs/library.md, example ${i + 1}`, () => has(/./)(run(process.execPath, [`example-${i + 1}.mjs`])));
  }
  step('require()', () => has(/function/)(run(process.execPath, ['-e', "console.log(typeof require('cat-nn').train)"])));
  symlinkSync(join(root, 'node_modules/@types'), join(work, 'types'), 'junction');
  const options = {
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
  };
  const compilerOptions = { ...options, target: 'es2023', module: 'nodenext', types: ['node'], typeRoots: ['types'] };
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.mts'] }));
  const tsc = join(root, 'node_modules/.bin/tsc');
  step('the examples and the types of the package pass tsc --strict', () => run(tsc, ['-p', '.']));
  writeFileSync(join(work, 'wrong.mts'), "import { train } from 'cat-nn';\ntrain({ data: { imageSize: 'large' } });\n");
  step('a wrong config does not', () => has(/imageSize|string/)(run(tsc, ['-p', '.'], { code: 1 })));
}

/** Medians of starts in turns: the installed nn is to start as quickly as the one that is built here. */
function tryStart() {
  const starts = { built: join(root, 'bin/nn.js'), installed: join(place, 'lib/node_modules/cat-nn/bin/nn.js') };
  const times = { built: [], installed: [] };
  for (let i = 0; i < 7; i++) {
    for (const [name, path] of Object.entries(starts)) {
      const begun = performance.now();
      run(process.execPath, [path, '--help']);
      times[name].push(performance.now() - begun);
    }
  }
  const [built, installed] = Object.values(times).map((list) => list.sort((a, b) => a - b)[3]);
  console.log(`      nn --help: built ${built.toFixed(0)} ms, installed ${installed.toFixed(0)} ms`);
  if (installed > 1.5 * built + 100) throw new Error('the installed nn starts more slowly');
}

try {
  step('npm pack', pack);
  step('npm install -g of the tarball', install);
  if (failed === 0) {
    await everyCommandHasARow();
    step('it starts as quickly', tryStart);
    tryCommands();
    tryLibrary();
    for (const version of process.argv.slice(2))
      tryCommands(`Node ${version}`, ['npx', '--yes', '-p', `node@${version}`, 'node']);
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}
console.log(failed === 0 ? `The package holds under Node ${process.version}.` : `${failed} failed.`);
process.exitCode = failed === 0 ? 0 : 1;
