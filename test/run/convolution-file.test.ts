import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { logits } from '../../src/classifier/classifier.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import type { Layer, Network } from '../../src/nn/build.ts';
import { initialParameters } from '../../src/nn/network.ts';
import { numpyRandom } from '../../src/random.ts';
import { encodeClassifier, loadClassifier } from '../../src/run/model-file.ts';
import { conv, dense } from '../nn/networks.ts';

/** Model files of networks with layers other than dense. */

const output = dense(1, { activation: 'sigmoid' });
const side = 8;
const kernels = kernelsFor('float32');

function classifierOf(layers: readonly Layer[]) {
  const network: Network = { inputs: side * side * 3, layers: [...layers, output] };
  return {
    network,
    parameters: initialParameters(network, kernels, numpyRandom(1)),
    precision: 'float32' as const,
    preprocessing: { imageSize: side, fit: 'cover' as const },
    normalize: 'scale' as const,
    scaling: { scale: new Float64Array(network.inputs).fill(1 / 255), shift: new Float64Array(network.inputs) },
    classes: { positive: 'cat', negative: 'noncat' },
    threshold: 0.5,
    loss: 'crossEntropy' as const,
  };
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-conv-file-'));
});
afterAll(() => rm(folder, { recursive: true }));

const all: Layer[] = [
  conv(4, { stride: 2, batchNorm: true, padding: 'valid' }),
  { type: 'residual', layers: [conv(4), { type: 'residual', layers: [conv(4)], activation: 'tanh' }], activation: 'relu' },
  { type: 'maxPool', size: 2, stride: 1 },
  { type: 'averagePool', size: 2, stride: 2 },
  { type: 'globalAveragePool', keepProb: 0.5 },
];

test('layers of every kind come back, and answer to the same bits', async () => {
  const classifier = classifierOf(all);
  const file = join(folder, 'all.safetensors');
  await writeFile(file, encodeClassifier(classifier));
  const loaded = (await loadClassifier(file)).classifier;
  expect(loaded.network).toEqual(classifier.network);
  const pixels = Uint8Array.from({ length: 3 * classifier.network.inputs }, (__, i) => (i * 31) % 256);
  expect(logits(loaded, kernels, pixels)).toEqual(logits(classifier, kernels, pixels));
});

test.each([
  [[dense(3)] as Layer[], '"version":"1"'],
  [[conv(2)] as Layer[], '"version":"2"'],
])('a program that knows version 1 alone reads no layers that it does not know', (layers, version) => {
  expect(Buffer.from(encodeClassifier(classifierOf(layers))).toString('latin1')).toContain(version);
});

/** A file whose description is changed as text, of the same length, with its checksum left out. */
async function changed(from: string, to: string): Promise<string> {
  const file = join(folder, 'changed.safetensors');
  await writeFile(file, encodeClassifier(classifierOf(all)));
  const text = (await readFile(file)).toString('latin1');
  expect(text).toContain(from);
  const without = text.replace(/"sha256":"\w+"/, (found) => `"sha255":"${found.slice(10, -1)}"`);
  await writeFile(file, Buffer.from(without.replace(from, to.padEnd(from.length)), 'latin1'));
  return file;
}

describe('a description that can’t be', () => {
  test.each([
    ['"stride\\":2', '"stride\\":9', /stride|fit each other|shape/],
    ['"type\\":\\"maxPool\\"', '"type\\":\\"maxPoll\\"', /type/],
    ['"padding\\":\\"valid\\"', '"padding\\":\\"vaild\\"', /padding/],
    ['"kernel\\":3', '"kernel\\":0', /kernel: expected a whole number from 1 to 64/],
  ])('%s as %s is refused with exit 4', async (from, to, message) => {
    await expect(loadClassifier(await changed(from, to))).rejects.toMatchObject({
      kind: 'model',
      message: expect.stringMatching(message),
    });
  });

  test('blocks nested without an end', async () => {
    let nested: Layer = conv(3);
    for (let i = 0; i < 5; i++) nested = { type: 'residual', layers: [nested], activation: 'linear' };
    const file = join(folder, 'nested.safetensors');
    await writeFile(file, encodeClassifier(classifierOf([conv(3), nested])));
    await expect(loadClassifier(file)).rejects.toMatchObject({ kind: 'model' });
  });
});
