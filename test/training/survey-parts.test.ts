import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkConfig, type LoadedConfig } from '../../src/config/load.ts';
import { findDuplicates } from '../../src/data/duplicates.ts';
import type { Examples } from '../../src/data/examples.ts';
import { findAll } from '../../src/data/inspection/findings.ts';
import { nameOf, type Survey, survey } from '../../src/data/inspection/survey.ts';
import { type PartName, partNames } from '../../src/data/split.ts';
import { compareParts, seeParts } from '../../src/training/differences.ts';
import { openData } from '../../src/training/open-data.ts';
import { prepareData } from '../../src/training/prepare.ts';
import { partsOfSurvey, type SurveyParts } from '../../src/training/survey-parts.ts';
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
afterAll(() => rm(root, { recursive: true }));

const folder = (path: string) => ({ type: 'folder', path });
const all = { source: folder('all') };
const load = (data: object, seed = 3): LoadedConfig => ({
  config: checkConfig({ seed, data: { imageSize: 32, ...data } }, 'test'),
  folder: root,
  file: 'test',
});

async function inspected(loaded: LoadedConfig): Promise<SurveyParts & { seen: Survey; findings: ReturnType<typeof findAll> }> {
  const { sources, classes, preprocessing } = await openData(loaded, false);
  const seen = await survey(sources, { classes, preprocessing });
  const clusters = findDuplicates(seen.prints);
  const parts = await partsOfSurvey(seen, clusters, loaded.config);
  return { seen, ...parts, findings: findAll(seen, clusters, parts.partOf) };
}

describe('a survey has the parts that training has, and training’s words for how they differ', () => {
  test.each<[string, object]>([
    ['one source, split by itself', all],
    ['shares', { ...all, split: { dev: 0.3, test: 0.3 } }],
    ['by hash', { ...all, split: { dev: 0.3, test: 0.3, method: 'hash' } }],
    ['some pictures left out', { ...all, split: { train: 20, test: 10 } }],
    ['folds and a test part', { ...all, split: { folds: 3, test: 0.2 } }],
    ['copies not looked for', { ...all, split: 'auto', duplicates: 'ignore' }],
    ['drawn pictures', { source: { type: 'drawn', count: 60 } }],
    ['parts that are given', { train: folder('all'), test: folder('test') }],
    ['dev cut from train', { train: folder('all'), test: folder('test'), split: { dev: 0.3 } }],
  ])('%s', async (_, data) => {
    const loaded = load(data);
    const { parts, notes, classes } = await prepareData(loaded, { strict: false });
    const { seen, partOf, differences, notes: said } = await inspected(loaded);
    const found = new Map<PartName | null, string[]>();
    for (let i = 0; i < seen.count; i++) found.set(partOf(i), [...(found.get(partOf(i)) ?? []), nameOf(seen, i)]);
    for (const part of partNames) expect(found.get(part)).toEqual((parts[part] as Examples | undefined)?.names);
    expect(differences).toEqual(compareParts(await seeParts(parts, 32, loaded.config.seed), classes));
    expect(notes).toEqual(expect.arrayContaining(said));
  });
});

test('what training would refuse to split is a note, and the pictures are looked at all the same', async () => {
  const { partOf, notes, findings } = await inspected(load({ ...all, split: { dev: 40, test: 40 } }));
  expect(notes).toEqual([expect.stringMatching(/^data\.split: expected enough pictures for train, dev, test/)]);
  expect(partOf(0)).toBeNull();
  expect(findings.map(({ kind }) => kind)).toContain('nearDuplicate');
});
