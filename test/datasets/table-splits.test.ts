import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkConfig, type LoadedConfig } from '../../src/config/load.ts';
import { findDuplicates } from '../../src/data/duplicates.ts';
import type { Examples } from '../../src/data/examples.ts';
import { findAll } from '../../src/data/inspection/findings.ts';
import { type ImageTable, nameOf, summarize, tabulateImages } from '../../src/data/inspection/image-table.ts';
import { type SplitName, splitNames } from '../../src/data/split.ts';
import { compareSplits, sampleSplits } from '../../src/datasets/drift.ts';
import { openData } from '../../src/datasets/open.ts';
import { prepareData } from '../../src/datasets/prepare.ts';
import { splitsOfTable, type TableSplits } from '../../src/datasets/table-splits.ts';
import { temporaryFolder } from '../cli/pictures.ts';
import { put, putScenes, scene } from '../data/inspection/pictures.ts';

/** 50 pictures, of which 4 are copies and one is broken; and as many others. */
let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
  await putScenes(join(root, 'all'), 23);
  await put(join(root, 'all'), {
    'cat/copy-a.jpg': await scene(0).jpeg().toBuffer(),
    'cat/copy-b.png': await scene(0).resize(60, 60).png().toBuffer(),
    'cat/broken.jpg': Buffer.from('text'),
    'noncat/copy.png': await scene(1).flop().png().toBuffer(),
    'noncat/copy-2.png': await scene(3).png().toBuffer(),
  });
  for (let i = 0; i < 25; i++) {
    await put(join(root, 'test'), {
      [`cat/${i}.png`]: await scene(200 + 2 * i)
        .linear(0.8, 0)
        .png()
        .toBuffer(),
    });
    if (i % 4 > 0) continue;
    await put(join(root, 'test'), {
      [`noncat/${i}.png`]: await scene(201 + 2 * i)
        .linear(0.8, 0)
        .png()
        .toBuffer(),
    });
  }
});
beforeAll(async () => {
  for (const [c, [name, count]] of Object.entries({ bird: 8, cat: 14, dog: 25 }).entries())
    for (let i = 0; i < count; i++) await put(join(root, 'many'), { [`${name}/${i}.png`]: await pngOf(500 + 3 * i + c) });
  await put(join(root, 'many'), {
    'bird/wrong.png': await pngOf(502), // it is dog/0.png
    'cat/broken.png': Buffer.from('text'),
    'dog/copy.jpg': await scene(505).jpeg().toBuffer(),
    'dog/copy-2.png': await scene(508).resize(60, 60).png().toBuffer(),
  });
});
const pngOf = (index: number) => scene(index).png().toBuffer();
afterAll(() => rm(root, { recursive: true }));

const folder = (path: string) => ({ type: 'folder', path });
const all = { source: folder('all') };
const many = { source: { ...folder('many'), positive: 'cat' } };
const load = (data: object, seed = 3): LoadedConfig => ({
  config: checkConfig({ seed, data: { imageSize: 32, ...data } }, 'test'),
  folder: root,
  file: 'test',
});

async function inspected(
  loaded: LoadedConfig,
): Promise<TableSplits & { seen: ImageTable; findings: ReturnType<typeof findAll> }> {
  const { sources, classes, preprocessing } = await openData(loaded, false);
  const seen = await tabulateImages(sources, { classes, preprocessing });
  const clusters = findDuplicates(seen.perceptualHashes);
  const parts = await splitsOfTable(seen, clusters, loaded.config);
  return { seen, ...parts, findings: findAll(seen, clusters, parts.splitOf) };
}

describe('a survey has the parts that training has, and training’s words for how they differ', () => {
  test.each<[string, object]>([
    ['one source, split by itself', all],
    ['shares', { ...all, split: { dev: 0.3, test: 0.3 } }],
    ['by hash', { ...all, split: { dev: 0.3, test: 0.3, method: 'hash' } }],
    ['some pictures left out', { ...all, split: { train: 20, test: 10 } }],
    ['folds and a test part', { ...all, split: { folds: 3, test: 0.2 } }],
    ['copies not looked for', { ...all, split: 'auto', duplicates: 'ignore' }],
    ['more than two classes', many],
    ['more than two classes, and a test part cut from folds', { ...many, split: { folds: 3, test: 0.2 } }],
    ['more than two classes, and parts that are given', { train: many.source, test: folder('test'), split: { dev: 0.3 } }],
    ['drawn pictures', { source: { type: 'drawn', count: 60 } }],
    ['parts that are given', { train: folder('all'), test: folder('test') }],
    ['dev cut from train', { train: folder('all'), test: folder('test'), split: { dev: 0.3 } }],
  ])('%s', async (_, data) => {
    const loaded = load(data);
    const { splits: parts, notes, classes } = await prepareData(loaded, { strict: false });
    const { seen, splitOf, differences, notes: said } = await inspected(loaded);
    const found = new Map<SplitName | null, string[]>();
    for (let i = 0; i < seen.count; i++) found.set(splitOf(i), [...(found.get(splitOf(i)) ?? []), nameOf(seen, i)]);
    for (const part of splitNames) expect(found.get(part)).toEqual((parts[part] as Examples | undefined)?.names);
    expect(differences).toEqual(compareSplits(await sampleSplits(parts, 32, loaded.config.seed), classes));
    expect(notes).toEqual(expect.arrayContaining(said));
  });
});

test('what training would refuse to split is a note, and the pictures are looked at all the same', async () => {
  const { splitOf, notes, findings } = await inspected(load({ ...all, split: { dev: 40, test: 40 } }));
  expect(notes).toEqual([expect.stringMatching(/^data\.split: expected enough pictures for train, dev, test/)]);
  expect(splitOf(0)).toBeNull();
  expect(findings.map(({ kind }) => kind)).toContain('nearDuplicate');
});

test('of more than two classes, pictures go by the names that they have in their source', async () => {
  const { seen, findings, splitOf } = await inspected(load(many));
  const found = (kind: string) => findings.find((one) => one.kind === kind)?.groups.map(({ pictures }) => pictures);
  const labels = (kind: string) => found(kind)?.map((pictures) => pictures.map(({ name, label }) => `${name} ${label}`).sort());
  expect(labels('twoLabels')).toEqual([['bird/wrong.png bird', 'dog/0.png dog']]);
  expect(labels('unreadable')).toEqual([['cat/broken.png cat']]);
  expect(labels('nearDuplicate')).toEqual([
    ['dog/1.png dog', 'dog/copy.jpg dog'],
    ['dog/2.png dog', 'dog/copy-2.png dog'],
  ]);
  const { classes, parts } = summarize(seen, splitOf);
  expect(classes).toEqual({ cat: 14, bird: 9, dog: 27 });
  expect(Object.keys(classes)[0]).toBe('cat');
  for (const name of ['cat', 'bird', 'dog'])
    expect(splitNames.reduce((sum, part) => sum + parts![part]![name]!, 0)).toBe(classes[name]);
});

test('a copy in two sources is no picture of two labels, where the other source calls the negative class otherwise', async () => {
  await put(join(root, 'exam'), {
    'cat/a.png': await pngOf(501),
    'noncat/b.png': await pngOf(502),
    'noncat/c.png': await pngOf(900),
    'noncat/d.png': await pngOf(517), // it is dog/5.png
  });
  const { findings } = await inspected(load({ train: many.source, test: folder('exam') }));
  const names = (kind: string) =>
    findings.find((one) => one.kind === kind)?.groups.flatMap(({ pictures }) => pictures.map(({ name }) => name));
  expect(names('leak')).toEqual(expect.arrayContaining(['cat/0.png', 'cat/a.png', 'dog/5.png', 'noncat/d.png']));
  expect(names('twoLabels')).toEqual(expect.arrayContaining(['dog/0.png', 'bird/wrong.png', 'noncat/b.png']));
  expect(names('twoLabels')).not.toContain('cat/a.png');
});
