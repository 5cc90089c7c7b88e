import { cp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderConfig, run, temporaryFolder, writeClasses, writeJson } from './pictures.ts';

let cwd: string;
beforeAll(async () => {
  cwd = await temporaryFolder();
  await writeClasses(join(cwd, 'pictures'), 10);
  await cp(join(cwd, 'pictures', 'thing'), join(cwd, 'pictures', 'dog'), { recursive: true });
  for (let i = 0; i < 10; i++) await rm(join(cwd, 'pictures', i < 5 ? 'dog' : 'thing', `0${i}.png`)); // none is there twice
  await writeJson(join(cwd, 'c.json'), folderConfig({ training: { epochs: 3 } }));
});
afterAll(() => rm(cwd, { recursive: true }));

test('three folders: refused with the words to write; with them cat against the others, to the same bits from a packed file', async () => {
  const refused = await run(3, ['train', '-c', 'c.json', '-o', 'run'], { cwd });
  expect(refused.stderr).toMatch(
    /pictures: expected two classes, found 3: cat, dog, thing\n.*"positive": "cat".*--set data\.source\.positive=/,
  );
  const trained = await run(0, ['train', '-c', 'c.json', '-o', 'run', '--set', 'data.source.positive=cat'], { cwd });
  expect(trained.stderr).toContain('c.json: cat against all other classes together, dog, thing');
  expect(trained.stdout).toMatch(/pictures +cat +noncat +accuracy/);
  const split = await readFile(join(cwd, 'run', 'split.csv'), 'utf8');
  expect(split).toMatch(/\ndog\/\d+\.png,[0-9a-f]{32},noncat,(train|dev|test)\n/);
  await run(0, ['data', 'pack', 'pictures', '--positive', 'cat', '--size', '16', '-o', 'p.safetensors'], { cwd });
  const source = { type: 'packed', path: 'p.safetensors' };
  await run(0, ['train', '-c', 'c.json', '-o', 'packed', '-q', '--set', `data.source=${JSON.stringify(source)}`], { cwd });
  for (const file of ['split.csv', 'model.safetensors'])
    expect((await readFile(join(cwd, 'packed', file))).equals(await readFile(join(cwd, 'run', file))), file).toBe(true);
});

test('the other folders may be called otherwise when it is judged', async () => {
  await cp(join(cwd, 'pictures'), join(cwd, 'renamed'), { recursive: true });
  await rename(join(cwd, 'renamed', 'dog'), join(cwd, 'renamed', 'wolf'));
  const { stdout } = await run(0, ['evaluate', '-m', 'run', '--data', 'renamed', '--json'], { cwd });
  expect(JSON.parse(stdout)).toMatchObject({ trainedOn: 12, nearCopies: 0 });
});
