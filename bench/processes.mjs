// Competitors that are a whole process from its start to its end: what a user waits for.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { logits, probability } from '../dist/classifier/classifier.js';
import { checkConfig } from '../dist/config/load.js';
import { decodeImage } from '../dist/data/decode.js';
import { normalizers } from '../dist/data/normalize.js';
import { kernelsFor } from '../dist/kernels/select.js';
import { parametersOver } from '../dist/nn/network.js';
import { saveClassifier } from '../dist/run/model-file.js';
import { networkOf } from '../dist/training/config-network.js';
import { everyHundredth } from './answer.mjs';
import { reasonIn } from './child.mjs';
import { courseFile, writePicture } from './data.mjs';
import { configOf, firstValues } from './ours/config.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const nn = join(root, 'bin/nn.js');

/** @returns rows like those of competitors.mjs; `words` are given to Node, `check(stdout)` gives numbers to compare with `wanted` */
export async function processesOf(job, folder, environment) {
  const rows = { start: startRows, 'J1-whole': trainRows }[job.name];
  return rows ? (await rows(job, folder)).map((row) => ({ ...row, begin: async () => begin(row, environment) })) : [];
}

function begin({ words, check }, env) {
  const ask = async ({ job }) => {
    if (job) return { note: '' };
    const started = performance.now();
    const { stdout } = await run(process.execPath, words, { cwd: root, env, maxBuffer: 2 ** 26 }).catch(({ stderr }) => {
      throw new Error(reasonIn(stderr));
    });
    return { ms: performance.now() - started, check: check(stdout) };
  };
  return { is: `Node ${process.version}`, ask, end: async () => {} };
}

/** What a command takes beside what Node and sharp take for the same: the answer must be that of the library. */
async function startRows(job, folder) {
  const picture = await writePicture(folder, 'one.jpg');
  const pixels = await decodeImage(picture, preprocessing);
  const { model, p } = await saveModel(job, folder, pixels);
  const decode = `require('sharp')(${JSON.stringify(picture)}).resize(64, 64).raw().toBuffer().then(({ length }) => console.log(length))`;
  const predict = [nn, 'predict', '--model', model, '--json', picture];
  return [
    { label: 'node: sharp decodes one.jpg', words: ['-e', decode], check: Number, wanted: pixels.length },
    { label: 'nn predict one.jpg', words: predict, check: (text) => JSON.parse(text).p, wanted: p },
    { label: 'node -e 0', words: ['-e', '0'], check: (text) => Number(text === ''), wanted: 1 },
    { label: 'nn --help', words: [nn, '--help'], check: (text) => Number(text.includes('Usage: nn')), wanted: 1 },
  ].map(({ check, wanted, ...row }) => ({ ...row, check: (text) => [check(text)], wanted: [wanted] }));
}

const preprocessing = { imageSize: 64, fit: 'cover' };

/** A model that nobody trained answers as fast. @returns its file, and the p that the library gives for the pixels */
async function saveModel(job, folder, pixels) {
  const config = checkConfig(configOf({ ...job, m: 1, batch: 1, rate: 1 }, { form: 'auto' }, 1), job.name);
  const { precision } = config;
  const kernels = kernelsFor(precision);
  const network = networkOf(config, job.features);
  const first = firstValues(job, folder);
  const parameters = parametersOver(network, kernels.floats(first.length));
  parameters.values.set(first);
  const map = normalizers.scale.fit(pixels, job.features);
  const p = probability(logits({ network, parameters, map }, kernels, pixels)[0]);
  const classes = { positive: 'cat', negative: 'noncat' };
  const rest = { precision, preprocessing, normalize: 'scale', classes, threshold: 0.5, loss: 'crossEntropy' };
  const model = join(folder, 'start.safetensors');
  await saveClassifier(model, { network, parameters, map, ...rest });
  return { model, p };
}

/** `nn train` as the README has it: reading, training, saving and judging. */
async function trainRows(job, folder) {
  const output = join(folder, 'run');
  const sets = ['train', 'test'].flatMap((part) => ['--set', `data.${part}.path=${courseFile(part)}`]);
  const words = [
    nn,
    'train',
    '--config',
    join(root, 'configs/course-four-layer.json'),
    ...sets,
    '--output',
    output,
    '--force',
    '--json',
  ];
  const check = () => {
    const lines = readFileSync(join(output, 'journal.jsonl'), 'utf8').trim().split('\n');
    return everyHundredth(lines.map((line) => JSON.parse(line).cost));
  };
  if (!job.reference)
    return [{ label: 'nn train, the whole process', missing: 'needs the course’s files in ../shared/data, which are not here' }];
  return [{ label: 'nn train, the whole process', words, check, exact: true, rounds: 5 }];
}
