// How an exported model answers elsewhere than in nn: what Pillow's resizing does to the answers, and what onnxruntime makes of ONNX.
//   npm run build && node bench/exports.mjs MODEL PHOTOS [WIDTHxHEIGHT]     a model or run, and a folder with photographs, in folders or not;
//   with a size they are made JPEGs of that size first, the middle of each enlarged, so that they are as phones take them
// Pillow, by the very text of docs/exports.md, makes of 200 photographs PNGs of the network's size; nn predict answers for them and for the originals.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadSharp } from '../dist/data/image.js';
import { readImage } from '../dist/data/sources/files.js';

const most = 200;
const python = '/usr/bin/python3';
const root = fileURLToPath(new URL('..', import.meta.url));
const nn = (...words) => run(process.execPath, [join(root, 'bin/nn.js'), ...words]);

function run(command, words, code = 0) {
  const { status, stdout, stderr } = spawnSync(command, words, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status !== code) throw new Error(`${command} ${words.join(' ')}: ${stderr}`);
  return stdout;
}

/** The quantile of sorted numbers. */
const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];

function differences(name, a, b) {
  const sizes = a.map(({ p }, i) => Math.abs(p - b[i].p)).sort((x, y) => x - y);
  const others = a.filter(({ label }, i) => label !== b[i].label).length;
  const figures = [quantile(sizes, 0.5), quantile(sizes, 0.95), sizes.at(-1)].map((size) => size.toPrecision(2));
  console.log(
    `${name}: |Δp| median ${figures[0]}, 95th percentile ${figures[1]}, largest ${figures[2]}; ${others} of ${a.length} another answer`,
  );
}

const answers = (model, files) =>
  nn('predict', '--model', model, '--json', ...files)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const [model, photos, size] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'nn-exports-'));
try {
  const names = (await readdir(photos, { recursive: true })).filter((name) => /\.(jpe?g|png)$/i.test(name)).sort();
  const step = names.length / most;
  const files = Array.from({ length: Math.min(most, names.length) }, (_, i) =>
    join(photos, names[Math.floor(i * Math.max(1, step))]),
  );
  console.log(`${files.length} photographs, ${cpus()[0].model}`);
  if (size !== undefined) {
    const [width, height] = size.split('x').map(Number);
    for (const [i, file] of files.entries()) {
      files[i] = join(folder, `${i}.jpg`);
      await loadSharp()(file).resize({ width, height, fit: 'cover' }).jpeg({ quality: 90 }).toFile(files[i]);
    }
  }
  const own = answers(model, files);

  nn('export', '--model', model, '--out', join(folder, 'model.npz'));
  const page = await readFile(join(root, 'docs/exports.md'), 'utf8');
  const [, script] = /```python\n(import json[\s\S]*?)```/.exec(page);
  const resizing = script.slice(0, script.indexOf('def p_of'));
  const save = 'for i, file in enumerate(sys.argv[3:]): Image.fromarray(pixels(file)).save(f"{sys.argv[2]}/{i}.png")\n';
  await writeFile(join(folder, 'resize.py'), resizing + save);
  await writeFile(join(folder, 'answer.py'), script);
  run(python, [join(folder, 'resize.py'), join(folder, 'model.npz'), folder, ...files]);
  const squares = files.map((_, i) => join(folder, `${i}.png`));
  differences("Pillow's squares, in nn", own, answers(model, squares));

  const { network, preprocessing } = JSON.parse(nn('model', 'show', model, '--json'));
  const bytes = [];
  for (const [i, file] of files.entries()) {
    const [a, b] = await Promise.all([file, squares[i]].map((path) => readImage(path, preprocessing)));
    for (const [k, byte] of a.pixels.entries()) bytes.push(Math.abs(byte - b.pixels[k]));
  }
  const mean = bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length;
  const largest = bytes.reduce((most, byte) => Math.max(most, byte), 0);
  console.log(`their bytes: a mean difference of ${mean.toFixed(2)}, at most ${largest} of 255`);

  const { layers } = network;
  if (layers.every(({ type }) => type === undefined || type === 'dense')) {
    const rows = run(python, [join(folder, 'answer.py'), join(folder, 'model.npz'), ...files])
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    const found = rows.map(([, label, p]) => ({ label, p: Number(p) }));
    differences('the whole Python of the page', own, found);
  }

  for (const format of ['onnx', 'npz', 'json']) {
    const file = join(folder, `checked.${format}`);
    nn('export', '--model', model, '--out', file);
    console.log(nn('export', '--check', file).trim().replace(folder, ''));
  }
} finally {
  await rm(folder, { recursive: true });
}
