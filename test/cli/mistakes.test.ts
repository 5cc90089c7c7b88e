import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { numberOption, wordOption } from '../../src/commands/options.ts';
import { folderConfig, run, temporaryFolder, writeClasses, writeJson } from './pictures.ts';

/** What people type, and the sentence that helps them. Mistakes within a config are in test/config/config.test.ts. */

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeClasses(join(folder, 'pictures'), 10);
  await writeJson(join(folder, 'c.json'), folderConfig({ training: { epochs: 1 } }));
  await run(0, ['train', '-c', 'c.json', '-o', 'run', '-q'], { cwd: folder });
  await mkdir(join(folder, 'alone'));
  await cp(join(folder, 'run', 'model.safetensors'), join(folder, 'alone', 'model.safetensors'));
});
afterAll(() => rm(folder, { recursive: true }));

test.each<[string, number, RegExp]>([
  ['train -c c.json --epochs 10', 2, /unknown option '--epochs' \(did you mean --set training\.epochs=10\?\)/],
  ['train -c c.json --lr 0.1', 2, /\(did you mean --set training\.learningRate=0\.1\?\)/],
  ['train -c c.json --batch-size=32', 2, /\(did you mean --set training\.batchSize=32\?\)/],
  ['train -c c.json --optimizer sgd', 2, /\(did you mean --set training\.optimizer\.name=gradientDescent\?\)/],
  ['train -c c.json --layers 20', 2, /\(did you mean --set 'model\.layers=\[\{"units":20\}\]'\?\)/],
  ['tune -c c.json --data photos', 2, /\(did you mean --set data\.source\.path=photos\?\)/],
  ['predict --epochs 3 x.png', 2, /unknown option '--epochs'\n/],
  ['train -c c.json --set epochs=5', 2, /--set epochs=5: .*\(did you mean --set training\.epochs=5\?\)/],
  ['train -c c.json --set training.epochs = 5', 2, /No spaces stand around "=": --set training\.epochs=5\./],
  ['train -c c.json --set training.epochs= 5', 2, /No spaces stand around "=": --set training\.epochs=5\./],
  ['train -c c.json --set training.epochs =5', 2, /No spaces stand around "=": --set training\.epochs=5\./],
  ['train -c c.json training.epochs=5', 2, /Is it --set training\.epochs=5\?/],
  ['train c.json', 2, /expected nothing but options, found c\.json\nIs it --config c\.json\?/],
  ['train pictures', 2, /nn config init pictures --out my\.json.*--set data\.source\.path=pictures/],
  ['evaluate pictures', 2, /Is it --data pictures\?/],
  ['data inspect my photos', 2, /expected one operand, found my photos\nA name with spaces stands in quotes: 'my photos'/],
  ['predict', 2, /For example: nn predict photo\.jpg/],
  ['eval', 2, /did you mean "evaluate"/],
  ['evaluate --model run --split validation', 2, /\(did you mean "dev"\?\)/],
  ['evaluate --model run --fail-below 85', 2, /\(did you mean 0\.85\?\)/],
  ['data inspect nothing', 3, /nothing: expected pictures, found: no such file or folder\nWhat is wanted is a folder/],
  ['data inspect pictures/cat/00.png', 3, /For single pictures: nn predict pictures\/cat\/00\.png/],
  ['data inspect c.json', 3, /Is it a config\? --config c\.json/],
  ['data inspect run/model.safetensors', 3, /in a file that calls itself "cat-nn model"/],
  ['predict --model pictures/cat/00.png pictures', 4, /00\.png: expected a safetensors file, found a PNG picture/],
  ['predict --model c.json pictures', 4, /c\.json: expected a safetensors file, found JSON/],
  ['evaluate --model alone', 3, /found no config\.json beside it\n.*nn evaluate --model alone\/model\.safetensors --data photos/],
  ['evaluate --model alone --data pictures --split test', 3, /found no split\.csv beside it\nWithout --split/],
  ['train --resume run/model.safetensors', 2, /expected the folder of a run, found a file/],
])('nn %s', async (words, code, message) => {
  const { stderr, stdout } = await run(code, words.split(' '), { cwd: folder });
  expect(stderr).toMatch(message);
  expect(stdout).toBe('');
});

describe('a number', () => {
  const share = numberOption('--x', { low: 0, high: 1 });
  test.each<[string, string]>([
    ['85', '0.85'],
    ['85%', '0.85'],
    ['85 %', '0.85'],
    ['0,85', '0.85'],
    ['100', '1'],
  ])('%s is meant as %s', (text, meant) => {
    expect(() => share(text)).toThrow(`found ${JSON.stringify(text)} (did you mean ${meant}?)`);
  });

  test('that is like none is told what is wanted alone', () => {
    for (const text of ['x', '', '850', '-1'])
      expect(() => share(text)).toThrow(/^--x: expected a number from 0 to 1, found "[^"]*"$/);
    expect(() => numberOption('--n', { low: 1, high: 9, whole: true })('1.5')).toThrow(/whole number from 1 to 9, found "1\.5"$/);
  });
});

test('a word that is like one of some is told as that one, whatever other tools call it', () => {
  const part = wordOption('--split', ['train', 'dev', 'test', 'all']);
  expect(part('dev')).toBe('dev');
  for (const text of ['validation', 'val', 'Dev', 'dve']) expect(() => part(text)).toThrow(/\(did you mean "dev"\?\)$/);
  expect(() => part('everything')).toThrow(/^--split: expected train, dev, test, all, found "everything"$/);
});
