// Makes dist/bundle of src: what bin/nn.js and the processes that nn starts load. Forty files with the small libraries in them load in
// half the time of 269 (docs/decisions/0028-bundle.md). And dist/page/page.js: the script of the page that nn export writes.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
/** What npm installs beside nn. */
const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));

/** The files in which a process, or a program that imports nn, begins. What several of them share, and what is imported when it is needed, becomes files beside them. */
const starts = {
  nn: 'src/cli/main.ts',
  library: 'src/library/library.ts',
  'trial-worker': 'src/training/trial-worker.ts',
  'decoding-worker': 'src/data/decoding-worker.ts',
};

/** sharp is machine code, h5wasm WebAssembly with files of its own, and onnxruntime comes from users: they stay where npm puts them. */
const external = [/^node:/, 'sharp', /^h5wasm/, /^onnxruntime/];

/** What `nn` needs before it knows which command is meant, and other starts share, in one file: each file has to be found, read and linked before the first word. */
const first =
  /\/src\/(errors|text|machine-memory|own-files|config\/nearest|cli\/writer|commands\/commands|data\/decode-turns)\.ts$/;

/** @param input  the file in which each begins, by the name of what is made of it
 *  @param dir     where they go, from the folder of package.json. What another build left there is removed, but not before the new files are
 *                 there: the same sources give the same names, and who runs meanwhile misses nothing */
export async function bundle(input, dir) {
  // a source that the schema knows anyway need not be a file of its own
  const checks = { ineffectiveDynamicImport: false };
  const build = await rolldown({ cwd: root, input, external, platform: 'node', checks });
  const { output } = await build.write({
    dir,
    format: 'esm',
    sourcemap: true,
    chunkFileNames: '[name]-[hash].js',
    comments: { legal: true, annotation: false, jsdoc: false }, // a third of what is read at the start, else
    codeSplitting: { groups: [{ name: 'first', test: first }] },
  });
  await build.close();
  const made = new Set(output.map(({ fileName }) => fileName));
  const folder = join(root, dir);
  for (const name of await readdir(folder)) if (!made.has(name)) await rm(join(folder, name));
  return output;
}

/** Licences under which the code of others may stand in a bundle, if its text stands beside it. */
const permissive = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Apache-2.0'];

/** They put something of their own into what they make: a standard library into dist/kernels, helpers into dist/bundle. */
const compilers = ['assemblyscript', 'rolldown'];

/** What of others a bundle took in: name, version, licence and its text.
 *  @throws where a licence is not among the permissive ones, or its text is missing */
async function thirdParty(output) {
  const inPackage = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;
  const modules = output.flatMap(({ moduleIds = [] }) => moduleIds.map((id) => id.replaceAll('\\', '/')));
  const folders = new Set(modules.flatMap((id) => inPackage.exec(id)?.[0] ?? []));
  for (const compiler of compilers) folders.add(join(root, 'node_modules', compiler));
  const parts = await Promise.all([...folders].map(partOf));
  return parts.sort((a, b) => (a.title < b.title ? -1 : 1));
}

async function partOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const files = (await readdir(folder)).filter((one) => /^(licen[cs]e|notice)/i.test(one));
  const licences = license.split(/[()\s]+/).filter((one) => !['', 'AND', 'OR'].includes(one)); // as SPDX joins them
  if (!licences.every((one) => permissive.includes(one))) {
    throw new Error(`${name}: expected a licence of ${permissive.join(', ')}, found ${license}`);
  }
  if (Object.hasOwn(dependencies, name))
    throw new Error(`${name}: expected it in devDependencies, since it stands in the bundle`);
  if (!files.some((one) => /^licen/i.test(one)))
    throw new Error(`${name}: expected the text of its licence in ${folder}, found none`);
  const texts = await Promise.all(files.sort().map((one) => readFile(join(folder, one), 'utf8')));
  return { title: `${name} ${version} (${license})`, text: texts.map((text) => text.trim()).join('\n\n') };
}

function noticesText(parts) {
  const rule = '-'.repeat(80);
  const head = [
    'Code of others that stands in dist/bundle and dist/kernels, and its licences. Made by scripts/bundle.mjs of what it took in.',
    'sharp, h5wasm and libheif-js do not stand in it: npm installs them beside it, with their own licences.',
    '',
    ...parts.map(({ title }) => `  ${title}`),
  ];
  return [...head, ...parts.flatMap(({ title, text }) => ['', rule, title, rule, '', text]), ''].join('\n');
}

/** What a page can't have. Its script takes from src what answers for a picture, to the same bits as nn; all else has to fall away. */
const hosts = {
  name: 'hosts',
  resolveId: (id) => (external.some((one) => id.match(one)) ? { id, external: true, moduleSideEffects: false } : null),
};

/** The script of exported pages, in one file and without an import: `nnPage` in what runs it. */
export async function bundlePage(file) {
  const input = 'src/page/browser/main.ts';
  const build = await rolldown({
    cwd: root,
    input,
    plugins: [hosts],
    platform: 'browser',
    treeshake: { moduleSideEffects: false },
  });
  const { output } = await build.generate({ format: 'iife', name: 'nnPage', minify: true, comments: false });
  await build.close();
  const [{ code }] = output;
  const foreign = code.match(/\b(require|import|Buffer|process)\b[^"'`]{0,40}|<\/?script/);
  if (foreign !== null) throw new Error(`the script of the page holds what it can't have: ${foreign[0]}`);
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), code);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const output = await bundle(starts, 'dist/bundle');
  await writeFile(join(root, 'dist/third-party.txt'), noticesText(await thirdParty(output)));
  await bundlePage('dist/page/page.js');
}
