import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** docs/architecture.md, "Invariants"; the order of imports is the linter's (biome.json). */

const src = fileURLToPath(new URL('../src', import.meta.url));
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.includes('generated'))
  .map((name) => ({ name: name.replaceAll('\\', '/'), text: readFileSync(join(src, name), 'utf8') }));

/** The files whose code, comments left out, has something. */
function filesWith(pattern: RegExp): string[] {
  const code = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  return files.filter(({ text }) => pattern.test(code(text))).map(({ name }) => name);
}

test('there are files to look at', () => {
  expect(files.length).toBeGreaterThan(30);
  expect(filesWith(/export function/).length).toBeGreaterThan(20);
});

/** `npm run structure`, which refuses circles of imports. */
describe('structure', () => {
  const script = fileURLToPath(new URL('../scripts/structure.mjs', import.meta.url));
  const run = (...words: string[]) => spawnSync(process.execPath, [script, ...words], { encoding: 'utf8' });
  const { folders, total, chain, circles, wrong } = JSON.parse(run('--json').stdout) as {
    folders: Record<string, { files: number; lines: number }>;
    total: { files: number; lines: number };
    chain: string[];
    circles: string[][];
    wrong: string[];
  };

  test('every file and line is counted', () => {
    const lines = files.reduce((sum, { text }) => sum + text.split('\n').length - 1, 0);
    expect(total).toEqual({ files: files.length, lines });
    expect(Object.values(folders).reduce((sum, { files }) => sum + files, 0)).toBe(files.length);
    expect(chain[0]).toBe('cli/main.ts');
  });

  test('imports go one way', () => {
    expect(wrong).toEqual([]);
  });

  test('no file imports itself by way of others, of types either', () => {
    expect(circles).toEqual([]);
    expect(run().status).toBe(0);
  });
});

test.each([
  ['sharp', ['data/image.ts']],
  ['h5wasm/node', ['data/sources/hdf5.ts']],
  ['libheif-js/libheif-wasm/libheif.js', ['data/heif.ts']],
  ['yauzl', ['data/archive/zip.ts']],
  ['commander', ['cli/main.ts']],
  ['pbf', ['export/onnx/messages.ts']],
  ['fflate', ['export/npz.ts']],
  ['cli-progress', ['cli/progress.ts']],
])('%s is imported in one place', (library, places) => {
  expect(filesWith(new RegExp(`(from|import\\(|createRequire.*\\() ?'${library}'`)).sort()).toEqual(places);
});

test('zod is imported in config/ and results/; results are types, and loaded where JSON of a file is read', () => {
  const places = filesWith(/from 'zod'/).filter((name) => !name.startsWith('results/'));
  expect(places.sort()).toEqual(['config/issues.ts', 'config/schema.ts']);
  expect(filesWith(/^import (?!type)[^;]*'\.[^']*\/results\//m)).toEqual([]);
  const readers = filesWith(/import\('\.[^']*\/results\//);
  expect(readers.sort()).toEqual([
    'export/description.ts',
    'library/resume.ts',
    'run/experiment-folder.ts',
    'run/read-journal.ts',
    'run/read-run.ts',
    'run/search-folder.ts',
  ]);
});

test('sharp, h5wasm and libheif are loaded when they are needed, not before', () => {
  expect(filesWith(/^import (?!type).*'(sharp|h5wasm|libheif-js)/m)).toEqual([]);
});

test('onnxruntime is named in one file, which loads it when a file of ONNX is checked: it is no dependency of nn', () => {
  expect(filesWith(/'onnxruntime-/)).toEqual(['export/onnx/runtime.ts']);
  expect(filesWith(/^import (?!type).*'onnxruntime-/m)).toEqual([]);
});

test('only cli/ writes to the streams or sets an exit code', () => {
  const outside = filesWith(/process\.(stdout|stderr|exitCode)|console\./).filter((name) => !name.startsWith('cli/'));
  expect(outside).toEqual([]);
});

test('every word goes through the one writer, which makes what comes from outside harmless', () => {
  const fixed = ['cli/interruption.ts']; // what a bar took from the terminal is given back, and nothing else
  expect(filesWith(/(stdout|stderr|stream)\??\.write\(/)).toEqual([...fixed, 'cli/writer.ts'].sort());
});

test('nothing calls process.exit, and nothing but random.ts draws', () => {
  expect(filesWith(/process\.exit\(/)).toEqual([]);
  expect(filesWith(/Math\.random/)).toEqual([]);
});

test('nothing but nn data fetch talks to a network, and nothing tells anybody anything', () => {
  const network =
    /from 'node:(https?|http2|net|dgram|tls|dns)(\/promises)?'|(?<!function )\bfetch\(|WebSocket|EventSource|sendBeacon/;
  expect(filesWith(network)).toEqual(['data/download.ts']);
  expect(filesWith(/'\.[^']*\/download\.ts'/)).toEqual(['data/fetch-course.ts']);
  expect(filesWith(/'\.[^']*\/fetch-course\.ts'/)).toEqual(['commands/data-fetch.ts']);
});

test("nothing that runs loads the host's languages, which takes 20 ms", () => {
  expect(filesWith(/toLocale|Intl\.|localeCompare/)).toEqual([]);
});

test("no result goes through the host's exp, log or tanh", () => {
  const numerical = /^(kernels|nn|evaluation|classifier|random\.ts|datasets|training)/;
  const host = filesWith(/Math\.(exp|expm1|log|log1p|log2|log10|tanh|sinh|cosh|pow|cbrt)\(/).filter((name) =>
    numerical.test(name),
  );
  expect(host).toEqual([]);
});

test('file names say what is in them', () => {
  expect(files.map(({ name }) => name).filter((name) => /(utils?|helpers?|common|manager|misc)/i.test(name))).toEqual([]);
});
