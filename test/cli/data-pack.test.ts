import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { binPath, nn } from '../cli.ts';
import { isThorough } from '../thorough.ts';
import { folderConfig, temporaryFolder, writeClasses } from './pictures.ts';

let cwd: string;
beforeEach(async () => {
  cwd = await temporaryFolder();
});
afterEach(() => rm(cwd, { recursive: true }));

const run = (...words: string[]) => nn(words, { cwd });
const contentOf = async (path: string) =>
  createHash('sha256')
    .update(await readFile(join(cwd, path)))
    .digest('hex');

async function writeConfig(name: string, source: object): Promise<void> {
  const config = folderConfig() as { data: object };
  await writeFile(join(cwd, name), JSON.stringify({ ...config, data: { ...config.data, source } }));
}

test('a packed folder trains to the same model as the folder, and is evaluated', async () => {
  await writeClasses(join(cwd, 'pictures'), 20);
  await writeFile(join(cwd, 'pictures', 'cat', '05.png'), 'not a picture');
  await writeConfig('folder.json', { type: 'folder', path: 'pictures' });
  await writeConfig('packed.json', { type: 'packed', path: 'pictures.safetensors' });
  const packed = await run('data', 'pack', 'folder.json', '--out', 'pictures.safetensors', '--json');
  expect(packed).toMatchObject({ code: 0, stderr: expect.stringContaining('cat/05.png: not a picture') });
  expect(JSON.parse(packed.stdout)).toMatchObject({
    out: 'pictures.safetensors',
    pictures: 39,
    positive: 19,
    unreadable: 1,
    resumed: 0,
  });
  const trained = [];
  const sets = { folder: [], packed: [], read: ['--set', 'data.memory=0'] };
  for (const [name, set] of Object.entries(sets)) {
    const config = name === 'folder' ? 'folder.json' : 'packed.json';
    trained.push(await run('train', '--config', config, '--output', name, '--json', ...set));
    expect(trained.at(-1)).toMatchObject({ code: 0 });
  }
  const [fromFolder, fromPacked, fromDisk] = trained.map(({ stdout }) => JSON.parse(stdout));
  expect(fromPacked.metrics).toEqual(fromFolder.metrics);
  expect(fromDisk.metrics).toEqual(fromFolder.metrics);
  expect(await contentOf('read/model.safetensors')).toBe(await contentOf('folder/model.safetensors'));
  expect(await contentOf('read/split.csv')).toBe(await contentOf('folder/split.csv'));
  expect(await contentOf('packed/model.safetensors')).toBe(await contentOf('folder/model.safetensors'));
  expect(await contentOf('packed/split.csv')).toBe(await contentOf('folder/split.csv'));

  const own = JSON.parse((await run('evaluate', '--model', 'packed', '--json')).stdout);
  expect(own).toEqual(fromFolder.metrics.test);
  const read = await run('evaluate', '--model', 'read', '--json');
  expect(JSON.parse(read.stdout)).toEqual(own);
  const rows = async (model: string) => (await run('evaluate', '--model', model, '--csv', '--split', 'all')).stdout;
  expect(await rows('read')).toBe(await rows('packed'));
  const other = await run('evaluate', '--model', 'folder', '--data', 'pictures.safetensors', '--split', 'test', '--json');
  expect(JSON.parse(other.stdout)).toEqual(own);
});

test('refusals say what to do', async () => {
  await writeClasses(join(cwd, 'pictures'), 3);
  const pack = (...words: string[]) => run('data', 'pack', 'pictures', ...words);
  expect(await pack('--out', 'a.bin')).toMatchObject({ code: 2, stderr: expect.stringContaining('ends in .safetensors') });
  expect(await pack('--out', 'a.safetensors', '--part', 'dev')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('a config'),
  });
  expect(await pack('--out', 'a.safetensors', '--order', 'any')).toMatchObject({ code: 2 });
  expect(await pack('--out', 'a.safetensors', '--size', '16')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^a\.safetensors\t6 pictures\t3 positive\t\d+ bytes\n$/),
  });
  expect(await pack('--out', 'a.safetensors')).toMatchObject({ code: 2, stderr: expect.stringContaining('--force') });
  expect(await pack('--out', 'a.safetensors', '--size', '8', '--force')).toMatchObject({ code: 0 });
  expect(await pack('--out', 'none/a.safetensors')).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('no such file or folder'),
  });
  expect(await run('data', 'pack', 'nowhere', '--out', 'b.safetensors')).toMatchObject({ code: 3 });
  await writeConfig('packed.json', { type: 'packed', path: 'a.safetensors' });
  const other = await run('train', '--config', 'packed.json', '--set', 'data.imageSize=32', '--dry-run');
  expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('Set data.imageSize=8') });
});

test.skipIf(!isThorough)('a packing that is killed goes on where it was, to the same file', async () => {
  const source = { type: 'drawn', count: 150, seed: 2 };
  await writeFile(join(cwd, 'drawn.json'), JSON.stringify({ data: { source, imageSize: 320 } }));
  const words = ['data', 'pack', 'drawn.json', '--json', '--out'];
  const whole = await run(...words, 'whole.safetensors');
  expect(whole.code).toBe(0);

  expect((await stopped([...words, 'a.safetensors'], 'SIGKILL')).signal).toBe('SIGKILL');
  const interrupted = await stopped([...words, 'a.safetensors'], 'SIGINT');
  expect(interrupted).toMatchObject({ code: 130, stderr: expect.stringContaining('the same command goes on') });

  const rest = await run(...words, 'a.safetensors');
  expect(JSON.parse(rest.stdout)).toMatchObject({ pictures: 150 });
  expect(JSON.parse(rest.stdout).resumed).toBeGreaterThan(0);
  expect(await contentOf('a.safetensors')).toBe(await contentOf('whole.safetensors'));
});

/** Packs into a.safetensors, and sends a signal as soon as another group of pictures is on the disk. */
async function stopped(
  words: string[],
  signal: NodeJS.Signals,
): Promise<{ code: number | null; signal: string | null; stderr: string }> {
  const list = join(cwd, 'a.safetensors.partial.list');
  const bytes = () =>
    stat(list).then(
      ({ size }) => size,
      () => 0,
    );
  const child = spawn(process.execPath, [binPath, ...words], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const closed = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.on('close', (code, by) => resolve([code, by])),
  );
  const [before, settings] = [await bytes(), 1000]; // the first line alone is shorter than that
  while ((await bytes()) < before + settings && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill(signal);
  const [code, by] = await closed;
  return { code, signal: by, stderr };
}
