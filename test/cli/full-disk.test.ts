import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { binPath, type Finished, nn } from '../cli.ts';
import { folderConfig, listing, run, temporaryFolder, writeClasses, writeJson } from './pictures.ts';
import { type SmallDisk, smallDisk, withoutDisk } from './small-disk.ts';
import { expectSameRun, hasLines, signalled } from './stopped.ts';

/** Every command that writes, on a disk that is full: a tiny one in memory where that may be mounted, and everywhere a bound on
 *  the size of a file. What is lost is nothing but time. */

let folder: string;
const at = (...names: string[]) => join(folder, ...names);
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeClasses(at('pictures'), 12);
  // an absolute path, so that runs on another disk have the same config
  const data = { source: { type: 'folder', path: at('pictures') } };
  await writeJson(at('c.json'), folderConfig({ data, training: { epochs: 200 } }));
  await writeJson(at('t.json'), {
    ...folderConfig({ training: { epochs: 3 } }),
    search: { trials: 3, parameters: { 'training.learningRate': { logUniform: [0.001, 0.1] } } },
  });
  await run(0, ['train', '-c', 'c.json', '-o', 'whole', '-q'], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true }));

const partials = async (path: string) => (await listing(path)).filter((name) => name.endsWith('.partial'));

/** Runs `nn` where no file may grow beyond so many KiB: writing more fails with EFBIG, as it does with ENOSPC on a full disk. */
function withinFileSize(kilobytes: number, words: readonly string[]): Promise<Finished> {
  const script = `ulimit -f ${kilobytes}; exec "$@"`;
  const child = spawn('bash', ['-c', script, 'bash', process.execPath, binPath, ...words], {
    cwd: folder,
    env: { ...process.env, NN_CACHE: 'off' },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr })));
}

describe('where no file may grow', { skip: process.platform === 'win32' }, () => {
  test('a training says what could not be written, and --resume comes to the bytes of one that had room', async () => {
    const { code, stderr } = await withinFileSize(16, ['train', '-c', 'c.json', '-o', 'narrow']);
    expect(code, stderr).toBe(3);
    expect(stderr).toMatch(
      /^warning: .*can't be written: .*\. Training goes on without new checkpoints until one can be written$/m,
    );
    expect(stderr).toMatch(/^nn: .*journal\.jsonl: can't be written: the file is larger than the system allows$/m);
    expect(await partials(at('narrow'))).toEqual([]);
    expect(await listing(at('narrow'))).not.toContain('run.lock');
    await run(0, ['train', '--resume', 'narrow', '-q'], { cwd: folder });
    await expectSameRun(at('narrow'), at('whole'));
  });

  test.each([
    [
      'data pack',
      ['data', 'pack', 'pictures', '--out', 'p.safetensors'],
      ['p.safetensors.partial', 'p.safetensors.partial.list'],
    ],
    ['data draw', ['data', 'draw', '--out', 'drawn', '--count', '3', '--size', '256'], []],
    ['tune', ['tune', '-c', 't.json', '-o', 'search', '--jobs', '1'], []],
  ])('nn %s leaves no result that is not whole', async (_, words, kept) => {
    const before = await listing(folder);
    const { code, stderr } = await withinFileSize(1, words);
    expect(code, stderr).toBe(3);
    expect(stderr).toMatch(/can't be written: the file is larger than the system allows/);
    const left = (await listing(folder)).filter((name) => !before.includes(name));
    expect(left.filter((name) => !['drawn', 'search'].includes(name))).toEqual(kept);
    const { code: again } = await nn(words, { cwd: folder });
    expect(again).toBe(0);
    expect(await partials(folder)).toEqual([]);
  });

  test('decoded pictures that find no room are a warning, and the model is the same', async () => {
    const words = ['train', '-c', 'c.json', '--set', 'training.epochs=2', '--set', 'data.imageSize=64'];
    const script = 'ulimit -f 64; exec "$@"';
    const env = { ...process.env, NN_CACHE: at('cache') };
    const narrow = ['-c', script, 'bash', process.execPath, binPath, ...words, '-o', 'uncached', '--dry-run'];
    const child = spawn('bash', narrow, { cwd: folder, env });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
    expect(stderr).toMatch(/this cache takes no more decoded pictures: the file is larger than the system allows/);
    expect(await partials(at('cache'))).toEqual([]);
  });
});

const diskKilobytes = 4096;

describe('a disk that is full', () => {
  let disk: SmallDisk | null;
  beforeAll(async () => {
    disk = await smallDisk(diskKilobytes);
  });
  afterAll(() => disk?.remove());
  /** The path of the disk, for tests that are skipped without one. */
  const disked = (context: { skip: (note: string) => never }) => disk?.path ?? context.skip(withoutDisk);
  /** Leaves so many KiB free. */
  const fill = async (path: string, left: number) => {
    const { bavail, bsize } = await statfs(path);
    await writeFile(join(path, 'filler'), Buffer.alloc(bavail * bsize - left * 1024));
  };

  test('and has room again in the midst of a training costs it nothing', async (context) => {
    const path = disked(context);
    const output = join(path, 'later');
    const words = ['train', '-c', 'c.json', '--set', 'training.epochs=4000']; // long enough to go on when there is room
    await run(0, [...words, '-o', 'long', '-q'], { cwd: folder });
    await fill(path, 40);
    const { code, stderr } = await signalled([...words, '-o', output], folder, {
      signal: 'SIGCONT', // changes nothing: the moment alone is wanted
      moment: async (ended) => {
        await hasLines(join(output, 'journal.jsonl'), 20, ended);
        await rm(join(path, 'filler'));
      },
    });
    if (code === 3)
      await run(0, ['train', '--resume', output, '-q'], { cwd: folder }); // it ended before there was room
    else expect(code, stderr).toBe(0);
    await expectSameRun(output, at('long'));
    await rm(output, { recursive: true });
  });

  test('to the end of a training: it says so, and --resume comes to the same bytes', async (context) => {
    const path = disked(context);
    const output = join(path, 'run');
    await fill(path, 40);
    const { stderr } = await run(3, ['train', '-c', 'c.json', '-o', output], { cwd: folder });
    expect(stderr).toMatch(/^nn: .*can't be written: no space left on the disk$/m);
    expect(await partials(path)).toEqual([]);
    await rm(join(path, 'filler'));
    await run(0, ['train', '--resume', output, '-q'], { cwd: folder });
    await expectSameRun(output, at('whole'));
    await rm(output, { recursive: true });
  });

  test('from the start of a training to its end: the trained model is kept elsewhere', async (context) => {
    const path = disked(context);
    const output = join(path, 'never');
    await mkdir(at('elsewhere'));
    await fill(path, 16); // for the run's lock, config and split
    const env = { TMPDIR: at('elsewhere') };
    const { stderr } = await run(3, ['train', '-c', 'c.json', '-o', output, '-q'], { cwd: folder, env });
    const kept = /^The trained model is kept in (.*)$/m.exec(stderr)?.[1];
    expect(kept, stderr).toBeDefined();
    expect(await readFile(kept!)).toEqual(await readFile(at('whole', 'model.safetensors')));
    expect(await partials(path)).toEqual([]);
    await rm(join(path, 'filler'));
    await rm(output, { recursive: true });
  });

  test('while trials are written: what was finished is kept, and the same command goes on', async (context) => {
    const path = disked(context);
    const output = join(path, 'search');
    const words = ['tune', '-c', 't.json', '-o', output, '--jobs', '1'];
    await run(0, [...words, '--trials', '1'], { cwd: folder });
    await fill(path, 8); // for the lock, and some trials
    const { stderr } = await run(3, [...words, '--trials', '60'], { cwd: folder });
    expect(stderr).toMatch(/^nn: .*trials\.jsonl: can't be written: no space left on the disk$/m);
    await rm(join(path, 'filler'));
    const { stderr: again } = await run(0, words, { cwd: folder });
    expect(again).toMatch(/going on after \d+ finished training/);
    await rm(output, { recursive: true });
  });
});

describe('standard output on a full device', { skip: !existsSync('/dev/full') }, () => {
  const toFull = (words: readonly string[]) =>
    new Promise<{ code: number | null; stderr: string }>((resolve) => {
      const child = spawn('bash', ['-c', 'exec "$@" > /dev/full', 'bash', process.execPath, binPath, ...words], { cwd: folder });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      child.on('close', (code) => resolve({ code, stderr }));
    });

  test.each([
    ['help', ['--help']],
    ['answers', ['predict', '-m', 'whole', 'pictures']],
    ['a summary', ['evaluate', '-m', 'whole']],
  ])('%s that can not be written is an error', async (_, words) => {
    const { code, stderr } = await toFull(words);
    expect(code).toBe(3);
    expect(stderr).toContain('nn: standard output: no space left on the disk');
  });

  test('a training keeps its run all the same', async () => {
    const { code } = await toFull(['train', '-c', 'c.json', '-o', 'unsaid', '-q']);
    expect(code).toBe(3);
    await expectSameRun(at('unsaid'), at('whole'));
  });
});
