import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/load.ts';
import { sourceAtPath } from '../../src/data/sources/sources.ts';
import { openData } from '../../src/datasets/open.ts';
import { prepareData } from '../../src/datasets/prepare.ts';
import { temporaryFolder, writeClasses } from '../cli/pictures.ts';
import { zipOf } from '../data/archives.ts';
import { put } from '../data/inspection/pictures.ts';
import { solidPng } from '../data/pictures.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => rm(folder, { recursive: true }));

async function configOf(path: string) {
  return { config: checkConfig({ data: { source: await sourceAtPath(path) } }, 'c.json'), folder, file: 'c.json' };
}

/** The folders that somebody gave, in the place of classes. */
test.each([
  ['train and val', ['train', 'val']],
  ['train, dev and test', ['train', 'dev', 'test']],
  ['Training and Test', ['Test', 'Training']],
])('where folders are parts (%s) and no classes, looking at them says what training says', async (_, parts) => {
  const picture = await solidPng([10, 20, 30]);
  const names = parts.flatMap((part) => [`${part}/cat/0.png`, `${part}/dog/0.png`]);
  await put(join(folder, 'photos'), Object.fromEntries(names.map((name) => [name, picture])));
  await writeFile(join(folder, 'photos.zip'), zipOf(names.map((name) => ({ name, data: picture }))));
  for (const name of ['photos', 'photos.zip']) {
    const loaded = await configOf(join(folder, name));
    const refusalOf = (work: Promise<unknown>) =>
      work.then(
        () => 'nothing',
        ({ message, hint, kind }) => ({ message, hint, kind }),
      );
    const trained = await refusalOf(prepareData(loaded, { strict: false }));
    expect(trained).toMatchObject({
      hint: expect.stringMatching(/^These look like parts, not classes: give each its own source/),
    });
    expect(await refusalOf(openData(loaded, true))).toEqual(trained);
  }
});

test('other two folders are looked at, whatever they are called', async () => {
  await writeClasses(join(folder, 'photos'), 1);
  expect((await openData(await configOf(join(folder, 'photos')), true)).classes).toEqual({ positive: 'cat', negative: 'thing' });
  await put(join(folder, 'others'), { 'ripe/0.png': await solidPng([1, 2, 3]), 'testing rig/0.png': await solidPng([1, 2, 4]) });
  expect((await openData(await configOf(join(folder, 'others')), true)).classes).toEqual({
    positive: 'testing rig',
    negative: 'ripe',
  });
});
