import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packSource } from '../../src/data/packed/write.ts';
import { preload, run, temporaryFolder, writeJson } from '../cli/pictures.ts';
import { someOf } from '../thorough.ts';

/** V8's room for young objects at the end of a command: it only ever grows. */

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  const pixelsOf = (i: number) => new Uint8Array(48).fill(i % 256);
  const source = {
    title: 'shades',
    count: 60_000,
    classes: ['cat', 'noncat'],
    notes: [],
    name: (i: number) => `shade ${i}`,
    classOf: (i: number) => i % 2,
    read: async (i: number) => ({ pixels: pixelsOf(i), hash: i.toString(16).padStart(32, '0') }),
    original: async (i: number) => ({ pixels: pixelsOf(i), width: 4, height: 4 }),
  };
  const rest = { positive: undefined, description: 'shades', order: 'source', force: true, strict: true } as const;
  await packSource(source, { path: join(folder, 'shades.safetensors'), preprocessing: { imageSize: 4, fit: 'cover' }, ...rest });
  const data = { source: { type: 'packed', path: 'shades.safetensors' }, imageSize: 4, duplicates: 'ignore' };
  await writeJson(join(folder, 'c.json'), { data, training: { epochs: 1, batchSize: 1000, learningRate: 0.01 } });
});
afterAll(() => rm(folder, { recursive: true }));

/** In MiB. */
async function roomAfter(words: string[]): Promise<number> {
  const env = await preload(
    folder,
    `if (require('node:worker_threads').isMainThread) process.on('exit', () => {
       const { space_size } = require('node:v8').getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
       process.stderr.write('young ' + space_size / 2 ** 20 + '\\n');
     });`,
  );
  const { stderr } = await run(0, [...words, '-q'], { cwd: folder, env });
  return Number(/^young (.+)$/m.exec(stderr)?.[1]);
}

const train = ['train', '-c', 'c.json', '--output', 'run', '--force'];

test.each(
  someOf([
    ['packing', ['data', 'pack', 'shades.safetensors', '--out', 'again.safetensors', '--size', '4', '--force']],
    ['training on the disk', [...train, '--set', 'data.memory=0']],
  ] as [string, string[]][]),
)('it stays as it was at the start: %s', async (_, words) => {
  expect(await roomAfter(words)).toBeLessThanOrEqual(2);
});

test('it may grow where pictures are in memory', async () => {
  expect(await roomAfter(train)).toBeGreaterThan(2);
});
