import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configsPath, nn } from '../cli.ts';
import { folderConfig, readJson, run, temporaryFolder, writeClasses, writeJson, writePicture } from './pictures.ts';

let cwd: string;
beforeAll(async () => {
  cwd = await temporaryFolder();
  await writeClasses(join(cwd, 'pictures'), 10);
  for (const part of ['train', 'val']) await writeClasses(join(cwd, 'parts', part), 8, { from: part === 'val' ? 20 : 30 });
  for (const [name, count, from] of [
    ['ok', 6, 40],
    ['damaged', 18, 60],
  ] as const) {
    await mkdir(join(cwd, 'uneven', name), { recursive: true });
    for (let i = 0; i < count; i++)
      await writePicture(join(cwd, 'uneven', name, `${i}.png`), { index: from + i, cat: name === 'ok', side: 70 });
  }
  await writeJson(join(cwd, 'c.json'), folderConfig({ training: { epochs: 3 } }));
  await mkdir(join(cwd, 'deep', 'er'), { recursive: true });
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

/** As far as these tests look into it. */
interface Written {
  $schema: string;
  data: Record<string, Record<string, unknown>>;
}
const read = (name: string) => readJson<Written>(join(cwd, name));

describe('nn config init', () => {
  test('writes a config that trains as it stands, says why, and never overwrites', async () => {
    const { stdout, stderr } = await run(0, ['config', 'init', 'pictures', '--out', 'first.json'], { cwd });
    expect(stdout).toBe('first.json\n');
    expect(stderr).toContain('pictures: 20 pictures (10 cat, 10 thing), png, 20 × 20 pixels\n');
    expect(stderr).toMatch(/\n {2}data\.imageSize +32 +the shorter side of half of the pictures has 20 pixels or fewer\n/);
    expect(stderr).toContain('\nNext: nn train --config first.json');
    const columns = stderr.split('\n').filter((line) => /^ {2}(data|model|training)\./.test(line));
    expect(columns.length).toBeGreaterThan(10);
    await run(
      0,
      ['train', '-c', 'first.json', '-o', 'first', '-q', '--set', 'training.epochs=2', '--set', 'training.progressive=[]'],
      { cwd },
    );
    const before = await readFile(join(cwd, 'first.json'), 'utf8');
    const again = await run(2, ['config', 'init', 'pictures', '--out', 'first.json'], { cwd });
    expect(again.stderr).toMatch(/--out first\.json: expected a name that is free, found a file/);
    expect(again.stderr).not.toContain('reading');
    expect(await readFile(join(cwd, 'first.json'), 'utf8')).toBe(before);
  });

  test('a link that leads nowhere is no free name either', async () => {
    await symlink('nowhere', join(cwd, 'link.json'));
    await run(2, ['config', 'init', 'pictures', '--out', 'link.json'], { cwd });
    await expect(readFile(join(cwd, 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('paths start at the folder of the file, the schema among them, from wherever it is called', async () => {
    await run(0, ['config', 'init', '../pictures', '--out', 'er/there.json', '-q'], { cwd: join(cwd, 'deep') });
    const config = await read('deep/er/there.json');
    expect(config.data.source).toEqual({ type: 'folder', path: '../../pictures' });
    const schema = resolve(cwd, 'deep/er', config.$schema);
    expect(schema).toBe(resolve(configsPath, 'schema.json'));
    await run(0, ['config', 'check', 'deep/er/there.json'], { cwd });
  });

  test('without --out the config alone is on stdout', async () => {
    const { stdout } = await run(0, ['config', 'init', 'pictures', '-q'], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ data: { source: { path: 'pictures' } }, training: { batchSize: 32 } });
  });

  test('classes of other names: the likelier one is positive, or the one that is named; the smaller is weighted up', async () => {
    const choicesOf = async (...words: string[]) =>
      JSON.parse((await run(0, ['config', 'init', 'uneven', '--json', '-q', ...words], { cwd })).stdout);
    const found = await choicesOf();
    expect(found.config.data.source.positive).toBe('damaged');
    expect(found.config.training.classWeight).toBe('balanced');
    expect((await choicesOf('--positive', 'ok')).classes).toEqual({ positive: 'ok', negative: 'damaged' });
    await run(2, ['config', 'init', 'uneven', '--positive', 'cat'], { cwd });
  });

  test('of more than two classes cat is written as the positive one', async () => {
    for (const [i, name] of ['bird', 'cat', 'dog'].entries()) {
      await mkdir(join(cwd, 'many', name), { recursive: true });
      for (let k = 0; k < 6; k++)
        await writePicture(join(cwd, 'many', name, `${k}.png`), { index: 200 + 10 * i + k, cat: name === 'cat' });
    }
    const { stdout } = await run(0, ['config', 'init', 'many', '--json', '-q'], { cwd });
    const { classes, config } = JSON.parse(stdout);
    expect({ classes, positive: config.data.source.positive }).toEqual({
      classes: { positive: 'cat', negative: 'noncat' },
      positive: 'cat',
    });
  });

  test('a folder for each part is a source for each part', async () => {
    await run(0, ['config', 'init', 'parts', '--out', 'parts.json', '-q'], { cwd });
    const { data } = await read('parts.json');
    expect(data).toMatchObject({ train: { type: 'folder', path: 'parts/train' }, dev: { path: 'parts/val' } });
    expect(data).not.toHaveProperty('split');
    const { stdout } = await run(0, ['config', 'check', 'parts.json'], { cwd });
    expect(stdout).toMatch(/train +16 +8 +8\n +dev +16 +8 +8\n/);
  });

  test('a packed file keeps its side and its positive class', async () => {
    await run(0, ['data', 'pack', 'pictures', '--size', '16', '--out', 'p.safetensors', '-q'], { cwd });
    await run(0, ['config', 'init', 'p.safetensors', '--out', 'packed.json', '-q'], { cwd });
    expect((await read('packed.json')).data).toMatchObject({ source: { type: 'packed' }, imageSize: 16 });
    await run(0, ['config', 'check', 'packed.json', '-q'], { cwd });
  });

  test("what can't be is refused in time", async () => {
    const three = join(cwd, 'three');
    await writeClasses(three, 3);
    expect((await run(3, ['config', 'init', 'three'], { cwd })).stderr).toMatch(
      /expected 5 or more different pictures .* found 3/,
    );
    await rename(join(three, 'cat'), join(three, 'dog'));
    await mkdir(join(three, 'bird'));
    await writePicture(join(three, 'bird', '0.png'), { index: 90, cat: false });
    expect((await run(3, ['config', 'init', 'three'], { cwd })).stderr).toContain('--positive NAME');
    expect((await run(2, ['config', 'init', 'pictures', '--out', 'no/where.json'], { cwd })).stderr).toContain(
      'found none called no',
    );
    await run(3, ['config', 'init', 'nowhere'], { cwd });
  });
});

describe('nn config check', () => {
  test('says what nn train --dry-run says, with --set', async () => {
    const set = ['--set', 'training.batchSize=4'];
    const planned = (text: string) => JSON.stringify({ ...JSON.parse(text), estimatedSeconds: 0 });
    const dry = await run(0, ['train', '-c', 'c.json', '--dry-run', '--json', ...set], { cwd });
    const checked = await run(0, ['config', 'check', 'c.json', '--json', ...set], { cwd });
    expect(planned(checked.stdout)).toBe(planned(dry.stdout));
    expect(JSON.parse(checked.stdout).batch).toBe(4);
  });

  test.each([
    ['a field that is none', ['--set', 'training.epoch=3'], 2, /did you mean .*epochs/],
    ['pictures that are not there', ['--set', 'data.source.path=nowhere'], 3, /nowhere/],
  ])('refuses %s', async (_, words, code, why) => {
    expect((await run(code, ['config', 'check', 'c.json', ...words], { cwd })).stderr).toMatch(why);
  });
});

describe('nn config show', () => {
  test('prints what a run would keep: it re-runs unchanged, and shows as itself', async () => {
    const { stdout } = await run(0, ['config', 'show', 'c.json', '--set', 'training.optimizer.name=adam'], { cwd });
    await writeFile(join(cwd, 'resolved.json'), stdout);
    expect(JSON.parse(stdout).training.optimizer).toEqual({ name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
    expect((await run(0, ['config', 'show', 'resolved.json'], { cwd })).stdout).toBe(stdout);
    await run(0, ['train', '-c', 'c.json', '-o', 'a', '-q', '--set', 'training.optimizer.name=adam'], { cwd });
    await run(0, ['train', '-c', 'resolved.json', '-o', 'b', '-q'], { cwd });
    for (const file of ['config.json', 'model.safetensors'])
      expect((await readFile(join(cwd, 'a', file))).equals(await readFile(join(cwd, 'b', file))), file).toBe(true);
  });

  test('its paths start at the working folder', async () => {
    const { stdout } = await run(0, ['config', 'show', '../../c.json'], { cwd: join(cwd, 'deep', 'er') });
    expect(JSON.parse(stdout).data.source.path).toBe('../../pictures');
  });
});

describe('nn config schema', () => {
  test('is configs/schema.json, printed or written', async () => {
    const schema = await readFile(join(configsPath, 'schema.json'), 'utf8');
    expect((await run(0, ['config', 'schema'], { cwd })).stdout).toBe(schema);
    await run(0, ['config', 'schema', '--out', 'schema.json'], { cwd });
    expect(await readFile(join(cwd, 'schema.json'), 'utf8')).toBe(schema);
    expect(dirname(configsPath)).not.toBe(cwd);
  });
});

test('nn config alone and a word that is none are answered as those of nn data are', async () => {
  expect(await nn(['config'], { cwd })).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/init[\s\S]*check[\s\S]*show[\s\S]*schema/),
  });
  expect((await nn(['config', 'chekc'], { cwd })).stderr).toContain('(did you mean "config check"?)');
});
