import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as hdf5 from 'h5wasm/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import { allPixels, isStored } from '../../src/data/pixels.ts';
import { scratchIn } from '../../src/data/scratch.ts';
import { splitNames } from '../../src/data/split.ts';
import { prepareData } from '../../src/datasets/prepare.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { splitRows } from '../../src/run/split-file.ts';
import { fit } from '../../src/training/fit.ts';
import { planTraining, prepareFit } from '../../src/training/plan.ts';
import { listing, temporaryFolder, writeClasses } from '../cli/pictures.ts';
import { zipOf } from '../data/archives.ts';
import { noisePictures } from './problems.ts';

/** Pictures of any source may stay on the disk: the parts are the same, and training comes to the same bits. */

const side = 16;
const each = 15;

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeClasses(join(folder, 'pictures'), each);
  const names = (await listing(join(folder, 'pictures'))).filter((name) => name.endsWith('.png'));
  const files = await Promise.all(
    names.map(async (name) => ({ name, data: await readFile(join(folder, 'pictures', name)), method: 0 })),
  );
  await writeFile(join(folder, 'pictures.zip'), zipOf(files));
  await writeFile(join(folder, 'pictures', 'cat', '05.png'), 'not a picture'); // every later one moves up a place
  const rows = names.map((name) => `pictures/${name},${name.split('/')[0]}`);
  await writeFile(join(folder, 'pictures.csv'), ['path,label', ...rows, ''].join('\n'));
  await writeHdf5();
  await writeCifar10();
});
afterAll(() => rm(folder, { recursive: true }));

async function writeHdf5(): Promise<void> {
  await hdf5.ready;
  const { pixels, labels } = noisePictures(2 * each, { side: 20 });
  const file = new hdf5.File(join(folder, 'pictures.h5'), 'w');
  file.create_dataset({ name: 'x', data: pixels, shape: [2 * each, 20, 20, 3] });
  file.create_dataset({ name: 'y', data: BigInt64Array.from(labels, BigInt), shape: [2 * each], dtype: '<q' });
  file.close();
}

async function writeCifar10(): Promise<void> {
  const place = join(folder, 'cifar-10-batches-bin');
  await mkdir(place);
  await writeFile(join(place, 'batches.meta.txt'), 'cat\ndog\nship\n');
  const { pixels } = noisePictures(2 * each, { side: 32 });
  const records = Array.from({ length: 2 * each }, (_, i) => [i % 3, ...pixels.subarray(i * 3072, (i + 1) * 3072)]);
  await writeFile(join(place, 'data_batch_1.bin'), Uint8Array.from(records.flat()));
}

async function trained(data: object, memory: number) {
  const config = checkConfig(
    { data: { imageSize: side, ...data, memory }, training: { epochs: 2, batchSize: 4, learningRate: 0.01, form: 'direct' } },
    'test',
  );
  const scratch = scratchIn([join(folder, 'scratch')]);
  const { splits: parts, failures } = await prepareData({ config, folder, file: 'test' }, { strict: false, scratch });
  const kernels = kernelsFor(config.precision);
  const options = await prepareFit(config, parts, planTraining(config, parts, kernels), kernels);
  for await (const _ of fit(options));
  const pixels = [];
  for (const part of splitNames) if (parts[part]) pixels.push(await allPixels(parts[part].pixels, parts[part].features));
  const stored = splitNames.map((part) => parts[part] && isStored(parts[part].pixels));
  scratch.close();
  return { stored, found: { weights: options.parameters.values, rows: await splitRows(parts), pixels, failures } };
}

const one = (source: object) => ({ source, split: { dev: 0.2, test: 0.2 } });

test.each<[string, object]>([
  ['a folder', one({ type: 'folder', path: 'pictures' })],
  ['a table', one({ type: 'csv', path: 'pictures.csv' })],
  ['an archive', one({ type: 'archive', path: 'pictures.zip' })],
  ['an HDF5 file', one({ type: 'hdf5', path: 'pictures.h5', positive: 'cat' })],
  ['CIFAR-10', one({ type: 'cifar10', path: 'cifar-10-batches-bin' })],
  ['drawn pictures', one({ type: 'drawn', count: 2 * each })],
  [
    'a source for each part',
    {
      train: { type: 'folder', path: 'pictures' },
      dev: { type: 'archive', path: 'pictures.zip' },
      test: { type: 'csv', path: 'pictures.csv' },
    },
  ],
])('%s: the same parts and the same bits on the disk as in memory', async (_, data) => {
  const held = await trained(data, 1024);
  const streamed = await trained(data, 0);
  expect(held.stored).toEqual([false, false, false]);
  expect(streamed.stored).toEqual([true, true, true]);
  expect(streamed.found).toEqual(held.found);
  expect(await listing(join(folder, 'scratch'))).toEqual([]);
});
