import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as hdf5 from 'h5wasm/node';
import { run, writeJson } from '../cli/pictures.ts';
import { hasLines, signalled } from '../cli/stopped.ts';

/** Trainings of every kind, each of a moment. */

const drawn = (count: number) => ({ type: 'drawn', count });
const small = { source: drawn(60), imageSize: 12 };
const withDev = { ...small, split: { dev: 15, test: 15 } };
const hidden = { layers: [{ units: 6 }] };

const configs = {
  logistic: { data: withDev, training: { epochs: 60 } },
  deep: {
    data: { ...small, source: drawn(120), split: { dev: 30, test: 30 } },
    model: { layers: [{ units: 8 }, { units: 6, activation: 'tanh' }, { units: 5 }, { units: 4 }] },
    training: { epochs: 60, batchSize: 16, optimizer: { name: 'adam' }, schedule: { name: 'cosine' }, threshold: 'f1' },
  },
  'only test': { data: { ...small, split: { test: 20 } }, training: { epochs: 40 } },
  'neither dev nor test': { data: { train: small.source, imageSize: 12 }, training: { epochs: 30 } },
  folds: { data: { ...small, split: { folds: 3, test: 12 } }, training: { epochs: 20 } },
  early: {
    data: withDev,
    model: hidden,
    training: { epochs: 5000, learningRate: 0.1, earlyStopping: { patience: 10 } },
  },
  diverged: { data: withDev, model: hidden, training: { epochs: 20, learningRate: 1e30 } },
  collapsed: { data: withDev, training: { epochs: 3, threshold: 0.99 } },
} as const;
export type Kind = keyof typeof configs;
export const kinds = Object.keys(configs) as Kind[];

/** Trains in `folder/<kind>`. */
export async function train(folder: string, kind: Kind): Promise<void> {
  await writeJson(join(folder, `${kind}.json`), configs[kind]);
  await run(kind === 'diverged' ? 5 : 0, ['train', '-c', `${kind}.json`, '-o', kind, '--threads', '1', '-q'], { cwd: folder });
}

/** A training without an end, until a signal comes. */
export async function trainUntil(
  folder: string,
  name: string,
  signal: 'SIGTERM' | 'SIGKILL',
  changes: object = {},
): Promise<void> {
  const training = { epochs: 10_000_000, batchSize: 8, checkpointMinutes: 0 };
  await writeJson(join(folder, `${name}.json`), { data: withDev, model: hidden, training, ...changes });
  const journal = join(folder, name, 'journal.jsonl');
  const moment = async (ended: () => boolean) => {
    await hasLines(journal, 3, ended);
    const page = () => readFile(join(folder, name, 'report.html'), 'utf8').catch(() => '');
    while (!ended() && !(await page()).includes('<figure class="chart"')) await sleep(20);
  };
  await signalled(['train', '-c', `${name}.json`, '-o', name, '--threads', '1'], folder, { signal, moment });
}

/** Pixels that stay in their packed file. */
export async function trainStreamed(folder: string): Promise<void> {
  await run(0, ['data', 'draw', '--out', 'drawn', '--count', '60', '--size', '12', '-q'], { cwd: folder });
  await run(0, ['data', 'pack', 'drawn', '--out', 'packed.safetensors', '--size', '12', '-q'], { cwd: folder });
  const source = { type: 'packed', path: 'packed.safetensors' };
  const data = { source, imageSize: 12, memory: 0, split: { dev: 15, test: 15 } };
  await writeJson(join(folder, 'streamed.json'), { data, model: hidden, training: { epochs: 10, batchSize: 8 } });
  await run(0, ['train', '-c', 'streamed.json', '-o', 'streamed', '-q'], { cwd: folder });
}

/** Files of HDF5 as the course's are. @returns nothing: `course.h5` is in the folder */
export async function writeHdf5(folder: string): Promise<void> {
  await hdf5.ready;
  const [m, side] = [20, 12];
  const file = new hdf5.File(join(folder, 'course.h5'), 'w');
  const pixels = Uint8Array.from({ length: m * side * side * 3 }, (_, i) => (i * 7919) % 251);
  file.create_dataset({ name: 'train_set_x', data: pixels, shape: [m, side, side, 3] });
  const labels = BigInt64Array.from({ length: m }, (_, i) => BigInt(i % 2));
  file.create_dataset({ name: 'train_set_y', data: labels, shape: [m], dtype: '<q' });
  file.create_dataset({ name: 'list_classes', data: ['noncat', 'cat'], shape: [2], dtype: 'S6' });
  file.close();
}

/** A run of a version before reports (test/golden/README.md), as `old/run`. */
export async function copyOldRun(folder: string): Promise<void> {
  await cp(fileURLToPath(new URL('../golden/run-version-1', import.meta.url)), join(folder, 'old'), { recursive: true });
}
