import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderConfig, readJson, run, temporaryFolder, writeClasses, writeJson } from './pictures.ts';

/** A run may be given to others: it tells nothing of the folders that it was made in. */

let folder: string;
const oddName = 'Zürich 4711';
const at = (...names: string[]) => join(folder, oddName, ...names);
beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(at());
  await writeClasses(at('pictures'), 12);
  await cp(at('pictures', 'cat', '00.png'), at('pictures', 'loose.png')); // what is passed over is told
  await cp(at('pictures', 'cat', '01.png'), at('pictures', 'thing', 'copy.png')); // so is a copy
  await writeFile(at('pictures', 'cat', '99.png'), 'no picture'); // and what can't be read
  await writeJson(at('c.json'), folderConfig({ training: { epochs: 3 } }));
});
afterAll(() => rm(folder, { recursive: true }));

/** The files of a folder that hold a text, in UTF-8 or as JSON writes it. */
async function filesWith(path: string, text: string): Promise<string[]> {
  const names = await readdir(path);
  const contents = await Promise.all(names.map((name) => readFile(join(path, name))));
  return names.filter((_, i) => contents[i]!.includes(text) || contents[i]!.includes(JSON.stringify(text).slice(1, -1)));
}

test('a run holds no absolute path, and its model no path at all', async () => {
  await run(0, ['train', '-c', 'c.json', '-o', 'run', '-q'], { cwd: at() });
  const { warnings } = await readJson<{ warnings: string[] }>(at('run', 'summary.json'));
  for (const told of ['loose.png', 'copy.png', '99.png']) expect(warnings.join('\n')).toContain(told);
  expect(await filesWith(at('run'), folder)).toEqual([]);
  expect(await filesWith(at('run'), oddName)).toEqual([]);
  const told = '\\"pictures\\":'; // how many told from when on to abstain
  const model = (await readFile(at('run', 'model.safetensors'), 'latin1')).replaceAll(told, '');
  for (const word of ['pictures', '.png', 'c.json']) expect(model).not.toContain(word);
});

test('an absolute path that the user wrote stays where it was written: in the config, and what is told of its pictures', async () => {
  await run(0, ['train', '-c', 'c.json', '-o', 'absolute', '-q', '--set', `data.source.path=${at('pictures')}`], { cwd: at() });
  expect((await filesWith(at('absolute'), folder)).sort()).toEqual([
    'checkpoint.safetensors',
    'config.json',
    'report.html',
    'summary.json',
  ]);
  expect(await filesWith(at('absolute'), oddName)).not.toContain('model.safetensors');
});

test('a search and a packed file hold none either', async () => {
  const search = { trials: 2, parameters: { 'training.learningRate': { uniform: [0.01, 0.02] } } };
  await writeJson(at('t.json'), { ...folderConfig({ training: { epochs: 2 } }), search });
  await run(0, ['tune', '-c', 't.json', '-o', 'search', '--jobs', '1', '-q'], { cwd: at() });
  expect(await filesWith(at('search'), folder)).toEqual([]);
  await mkdir(at('packed'));
  await run(0, ['data', 'pack', at('pictures'), '--out', 'packed/p.safetensors', '-q'], { cwd: at() });
  expect(await filesWith(at('packed'), folder)).toEqual([]);
  expect(await filesWith(at('packed'), oddName)).toEqual([]);
});
