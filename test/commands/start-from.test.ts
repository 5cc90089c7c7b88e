import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { readTrainingFiles } from '../../src/library/reading.ts';
import { initialParameters } from '../../src/nn/network.ts';
import { numpyRandom } from '../../src/random.ts';
import { encodeClassifier } from '../../src/run/model-file.ts';
import { networkOf } from '../../src/training/plan.ts';

test('weights to start from go through the check of every model file: a flipped bit is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nn-start-'));
  const source = { type: 'drawn' };
  const training = { startFrom: 'start.safetensors' };
  const config = checkConfig({ data: { source, imageSize: 2 }, model: { layers: [{ units: 3 }] }, training }, 'c.json');
  const network = networkOf(config, 12);
  const parameters = initialParameters(network, kernelsFor('float32'), numpyRandom(1));
  const bytes = encodeClassifier({
    network,
    parameters,
    precision: 'float32',
    preprocessing: { imageSize: 2, fit: 'cover' },
    normalize: 'scale',
    scaling: { scale: new Float64Array(12).fill(1 / 255), shift: new Float64Array(12) },
    classes: { positive: 'cat', negative: 'noncat' },
    threshold: 0.5,
    loss: 'crossEntropy',
  });
  const read = async (file: Uint8Array) => {
    await writeFile(join(folder, 'start.safetensors'), file);
    return readTrainingFiles({ config, folder, file: 'c.json' }, network);
  };
  expect((await read(bytes)).initialWeights).toEqual(parameters.values);
  bytes[bytes.length - 1]! ^= 1; // the last byte is one of a weight or a bias
  const error = await read(bytes).catch((found: unknown) => found);
  expect(error).toMatchObject({ exitCode: 4, message: expect.stringMatching(/start\.safetensors: .*damaged/) });
  await rm(folder, { recursive: true });
});
