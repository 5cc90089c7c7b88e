import { execFile, spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { maximumPixels, minimumSide } from '../../src/data/image-errors.ts';
import { binPath, type Finished } from '../cli.ts';
import { busyJpeg, picture, pngBomb, solidPng } from './pictures.ts';

/** Files that break programs, seen from the command line. Each is named with its reason; the rest is used. */

const goodOfEachClass = 12;
const config = {
  // the few good pictures are copies of each other in many formats
  data: { source: { type: 'folder', path: 'pictures' }, imageSize: 16, duplicates: 'ignore' },
  model: { layers: [{ units: 3 }] },
  training: { epochs: 2, learningRate: 0.01 },
};

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'nn-hostile-'));
  await chmod(root, 0o777); // another user runs nn in here
  for (const name of ['cat', 'noncat']) {
    const folder = join(root, 'clean', name);
    await mkdir(folder, { recursive: true });
    for (let i = 0; i < goodOfEachClass; i++) {
      const shade = name === 'cat' ? 200 - 5 * i : 40 + 5 * i;
      const file = picture(20, 16, (row, column) => [shade, (row * 9) % 256, (column * 7 + i) % 256]).png();
      await writeFile(join(folder, `picture-${i}.png`), await file.toBuffer());
    }
  }
  await mkdir(join(root, 'clean', 'cat', 'x.png'));
  await writeFile(join(root, 'clean', 'cat', 'x.png', 'inside.png'), await solidPng([190, 90, 20]));
  await cp(join(root, 'clean'), join(root, 'pictures'), { recursive: true });
  await addBadFiles(join(root, 'pictures', 'cat'));
  await writeFile(join(root, 'my.json'), JSON.stringify(config));
  const clean = { ...config, data: { ...config.data, source: { type: 'folder', path: 'clean' } } };
  await writeFile(join(root, 'clean.json'), JSON.stringify(clean));
  await writeFile(join(root, 'refuse-locked.mjs'), refuseLocked);
});
afterAll(async () => {
  await chmod(join(root, 'pictures', 'cat', 'locked folder'), 0o755);
  await rm(root, { recursive: true, force: true });
});

/** What is wrong with a file, and the reason that must be given. */
const bad: Record<string, string> = {
  'bomb.png': `more than ${maximumPixels.toLocaleString('en')} pixels`,
  'broken link.png': 'no such file or folder',
  'cut off.jpg': 'the file is cut off or damaged',
  'empty.jpg': 'the file is empty',
  'locked folder': 'permission denied',
  'locked.png': 'permission denied',
  'text.jpg': 'not a picture in a format that can be read',
  'tiny.png': `200×${minimumSide - 1} pixels: a side is below the minimum of ${minimumSide}`,
};

async function addBadFiles(folder: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  const jpeg = await busyJpeg();
  await writeFile(at('bomb.png'), pngBomb(30_000, 30_000));
  await symlink('nothing.png', at('broken link.png'));
  await writeFile(at('cut off.jpg'), jpeg.subarray(0, jpeg.length / 2));
  await writeFile(at('empty.jpg'), '');
  await mkdir(at('locked folder'));
  await writeFile(join(at('locked folder'), 'a.png'), await solidPng([1, 2, 3]));
  await chmod(at('locked folder'), 0o000);
  await writeFile(at('locked.png'), await solidPng([1, 2, 3]), { mode: 0o000 });
  await writeFile(at('text.jpg'), 'not a picture at all');
  const tiny = picture(200, minimumSide - 1, () => [5, 5, 5]).png();
  await writeFile(at('tiny.png'), await tiny.toBuffer());
}

/** Where nobody but root can read this project, and root can read all: the same refusals, injected. */
const refuseLocked = `
  import fs from 'node:fs/promises';
  import { syncBuiltinESMExports } from 'node:module';
  for (const call of ['readFile', 'readdir']) {
    const real = fs[call];
    fs[call] = async (path, ...rest) => {
      if (String(path).includes('locked')) throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
      return real(path, ...rest);
    };
  }
  syncBuiltinESMExports();
`;

const nobody = { uid: 65534, gid: 65534 };
const asRoot = process.getuid?.() === 0;
const nobodyReadsProject = () => spawnSync(process.execPath, [binPath, '--version'], { ...nobody, cwd: '/' }).status === 0;

/** Runs nn as a user whom permissions stop. */
let asUser: { uid?: number; gid?: number; options?: string } | undefined;
function run(...words: string[]): Promise<Finished> {
  asUser ??= !asRoot
    ? {}
    : nobodyReadsProject()
      ? nobody
      : { options: `--import=${pathToFileURL(join(root, 'refuse-locked.mjs'))}` };
  const { options, ...identity } = asUser;
  const { NN_RUNS: _, NN_MODEL: __, FORCE_COLOR: ___, ...env } = process.env;
  if (options !== undefined) env['NODE_OPTIONS'] = options;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [binPath, ...words], { cwd: root, env, ...identity }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr }),
    );
  });
}

/** Each bad file stands on a line of its own with its reason, and no stack of calls anywhere. */
function expectNamed(stderr: string, prefix: string): void {
  const lines = stderr.split('\n');
  for (const [name, reason] of Object.entries(bad)) {
    const naming = lines.filter((line) => line.includes(`${prefix}${name}: ${reason}`));
    expect(naming, `${name}: ${reason}\n${stderr}`).toHaveLength(1);
  }
  expect(stderr).not.toMatch(/\.[jt]s:\d+/);
}

const total = 2 * goodOfEachClass + 1;

describe.skipIf(process.platform === 'win32')('a folder with files that break programs', () => {
  test('is trained on: each is named with its reason on stderr, the rest is used', async () => {
    const { code, stdout, stderr } = await run('train', '--config', 'my.json', '--output', 'run', '--json');
    expectNamed(stderr, 'cat/');
    expect(code).toBe(0);
    const summary = JSON.parse(stdout);
    const { train, dev, test: tested } = summary.examples;
    expect(train.total + dev.total + tested.total).toBe(total);
    expect(train.positive + dev.positive + tested.positive).toBe(goodOfEachClass + 1);
    const split = await readFile(join(root, 'run', 'split.csv'), 'utf8');
    expect(split).toContain('cat/x.png/inside.png');
    for (const name of Object.keys(bad)) expect(split).not.toContain(name);
    expect(summary.warnings.join('\n')).toContain(`${Object.keys(bad).length} pictures could not be read`);
  });

  test('gives the model, to the byte, that the folder without them gives', async () => {
    const { code, stderr } = await run('train', '--config', 'clean.json', '--output', 'clean-run', '-q');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const models = await Promise.all(['run', 'clean-run'].map((name) => readFile(join(root, name, 'model.safetensors'))));
    expect(models[0]!.equals(models[1]!)).toBe(true);
  });

  test('is refused with --strict, exit 3: every one of them is named, and nothing is written', async () => {
    const { code, stdout, stderr } = await run('train', '--config', 'my.json', '--output', 'strict-run', '--strict');
    expect(code).toBe(3);
    expect(stdout).toBe('');
    expectNamed(stderr, 'cat/');
    await expect(readFile(join(root, 'strict-run', 'config.json'))).rejects.toThrow(/ENOENT/);
  });

  test('is judged by evaluate: each is named, the rest is judged; refused with --strict', async () => {
    const words = ['evaluate', '--model', 'run', '--data', 'pictures', '--json'];
    const { code, stdout, stderr } = await run(...words);
    expect(code).toBe(0);
    expectNamed(stderr, 'cat/');
    const { tp, fp, fn, tn } = JSON.parse(stdout).confusion;
    expect(tp + fp + fn + tn).toBe(total);
    expect((await run(...words, '--strict')).code).toBe(3);
  });

  test('is answered by predict, exit 7: good ones with a probability, bad ones with their error', async () => {
    const { code, stdout, stderr } = await run('predict', '--model', 'run', '--json', 'pictures');
    expect(code).toBe(7);
    expectNamed(stderr, 'pictures/cat/');
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const failed = rows.filter((row) => row.error !== null);
    const answered = rows.filter((row) => row.error === null);
    expect(Object.fromEntries(failed.map((row) => [row.file, row.error]))).toEqual(
      Object.fromEntries(Object.entries(bad).map(([name, reason]) => [`pictures/cat/${name}`, reason])),
    );
    for (const row of failed) expect([row.label, row.p, row.confidence]).toEqual([null, null, null]);
    expect(answered.map(({ file }) => file)).toContain('pictures/cat/x.png/inside.png');
    expect(answered).toHaveLength(total);
    for (const row of answered) expect(row.p > 0 && row.p < 1).toBe(true);
  });

  test('is cleaned of what is damaged alone: what may not be read, or is too much or too little, is looked at', async () => {
    expect((await run('data', 'clean', 'pictures', '--out', 'list.csv', '-q')).code).toBe(0);
    const rows = (await readFile(join(root, 'list.csv'), 'utf8')).split('\n').slice(1);
    const proposed = Object.keys(bad).map((name) => [name, rows.find((row) => row.includes(`,cat/${name},`))?.split(',')[0]]);
    const damaged = ['broken link.png', 'cut off.jpg', 'empty.jpg', 'text.jpg'];
    expect(proposed).toEqual(Object.keys(bad).map((name) => [name, damaged.includes(name) ? 'remove' : 'look']));
  });

  test('has bad files that are bad, one by one, also when they are named outright: exit 3', async () => {
    for (const name of ['empty.jpg', 'text.jpg', 'bomb.png', 'broken link.png', 'locked.png']) {
      const { code, stdout, stderr } = await run('predict', '--model', 'run', `pictures/cat/${name}`);
      expect(code, name).toBe(3);
      expect(stdout).toBe('');
      expect(stderr).toContain(`pictures/cat/${name}: ${bad[name]}`);
    }
  });
});
