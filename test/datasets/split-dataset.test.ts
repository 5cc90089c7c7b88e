import { expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import { prepareData } from '../../src/datasets/prepare.ts';

const drawn = (count: number, seed = 1) => ({ type: 'drawn', count, seed });
async function notesOf(data: object): Promise<readonly string[]> {
  const config = checkConfig({ data: { imageSize: 4, duplicates: 'ignore', ...data } }, 'test');
  const { notes } = await prepareData({ config, folder: '.', file: 'test' }, { strict: true });
  return notes.filter((note) => note.startsWith('data.split: '));
}

test('a training is told of pictures that its split leaves out', async () => {
  expect(await notesOf({ source: drawn(160), split: { train: 80, dev: 10, test: 10 } })).toEqual([
    expect.stringMatching(/^data.split: 60 of 160 pictures stand in no part .*"train": 0.8, "dev": 0.1, "test": 0.1/),
  ]);
  const byHash = { train: 0.5, dev: 0.2, test: 0.2, method: 'hash' };
  expect(await notesOf({ source: drawn(160), split: byHash })).toEqual([
    expect.stringMatching(/^data.split: \d+ of 160 pictures stand in no part \(train \d+, dev \d+, test \d+\)$/),
  ]);
});

test('and of a part that it drops, where there is one source alone', async () => {
  expect(await notesOf({ source: drawn(40), split: { dev: 0.2 } })).toEqual([expect.stringContaining('there is no test part')]);
  expect(await notesOf({ train: drawn(40), test: drawn(20, 2), split: { dev: 0.2 } })).toEqual([]);
  expect(await notesOf({ source: drawn(40) })).toEqual([]);
});
