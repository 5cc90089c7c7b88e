import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, open, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { binPath, type Finished, nn } from '../cli.ts';
import { folderConfig, listing, preload, run, temporaryFolder, writeClasses, writeJson } from './pictures.ts';
import { expectSameRun, hasLines } from './stopped.ts';

/** docs/reliability.md, "Faults": each of them made, and what a user meets. Full disks are full-disk.test.ts's, signals signals.test.ts's. */

const onWindows = process.platform === 'win32';
let folder: string;
const at = (...names: string[]) => join(folder, ...names);
beforeAll(async () => {
  folder = await temporaryFolder();
  await chmod(folder, 0o755);
  await writeClasses(at('pictures'), 12);
  await writeJson(at('c.json'), folderConfig());
  await run(0, ['train', '-c', 'c.json', '-o', 'whole', '-q'], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true }));

const noCache = { NN_CACHE: 'off' };

/** Runs `nn` as a user without rights: by itself where the tests are such a user's, else under another number. */
function withoutRights(words: readonly string[], cwd = folder, env: Record<string, string> = noCache): Finished {
  const other = process.getuid?.() === 0 ? { uid: 54_321, gid: 54_321 } : {};
  const { PATH = '' } = process.env;
  const options = { cwd, env: { PATH, ...env }, encoding: 'utf8', ...other } as const;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [binPath, ...words], options);
  return { code: status, signal, stdout, stderr };
}

/** Whether such a user can run the program at all: it may lie where nobody else looks. */
const cannotRun =
  onWindows ||
  spawnSync(process.execPath, [binPath, '--version'], { uid: process.getuid?.() === 0 ? 54_321 : (process.getuid?.() ?? 0) })
    .status !== 0;

describe('a folder that may not be written', { skip: cannotRun }, () => {
  beforeAll(async () => {
    await mkdir(at('closed'));
    await cp(at('whole'), at('closed', 'run'), { recursive: true });
    await chmod(at('closed', 'run'), 0o555);
    await chmod(at('closed'), 0o555);
  });
  afterAll(() => chmod(at('closed'), 0o755).then(() => chmod(at('closed', 'run'), 0o755)));

  test.each([
    ['train', ['train', '-c', '../c.json'], 2, /expected a folder that can be written, found: permission denied/],
    ['train --output', ['train', '-c', '../c.json', '-o', 'run', '--force'], 3, /run\.lock: can't be written: permission denied/],
    ['train --resume', ['train', '--resume', 'run'], 3, /run\.lock: can't be written: permission denied/],
    ['tune', ['tune', '-c', '../t.json'], 2, /expected a folder that can be written, found: permission denied/],
    ['data pack', ['data', 'pack', '../pictures', '--out', 'p.safetensors'], 3, /can't be written: permission denied/],
    ['data draw', ['data', 'draw', '--out', 'drawn', '--count', '2'], 3, /--out drawn: can't be written: permission denied/],
    ['data fetch', ['data', 'fetch', 'course', '--from', '..', '--to', 'course'], 3, /course: permission denied/],
  ] as const)('nn %s says so', async (_, words, code, says) => {
    await writeJson(at('t.json'), {
      ...folderConfig(),
      search: { parameters: { 'training.learningRate': { uniform: [0.01, 0.02] } } },
    });
    const before = await listing(at('closed'));
    const found = withoutRights(words, at('closed'));
    expect(found.stderr).toMatch(says);
    expect(found.code).toBe(code);
    expect(await listing(at('closed'))).toEqual(before);
  });

  test('a cache in it is a warning, and a user without a home has none', () => {
    const evaluate = ['evaluate', '-m', 'whole', '--data', 'pictures'];
    const closed = withoutRights(evaluate, folder, { NN_CACHE: at('closed', 'cache') });
    expect(closed.stderr).toMatch(/warning: .*this cache takes no more decoded pictures: permission denied/);
    const homeless = withoutRights(evaluate, folder, {});
    expect({ ...homeless, stderr: '' }).toEqual({ ...closed, stderr: '' });
    expect(homeless).toMatchObject({ code: 0, stderr: '' });
  });

  test('a picture and a folder that may not be read are named, and left out', async () => {
    await cp(at('pictures'), at('secret'), { recursive: true });
    await chmod(at('secret', 'cat', '03.png'), 0);
    await mkdir(at('secret', 'cat', 'more'), { mode: 0 });
    const { code, stderr } = withoutRights(['train', '-c', 'c.json', '--set', 'data.source.path=secret', '--dry-run']);
    expect(stderr).toMatch(/warning: cat\/03\.png: permission denied/);
    expect(stderr).toMatch(/warning: cat\/more: permission denied/);
    expect(code).toBe(0);
    await chmod(at('secret', 'cat', 'more'), 0o755);
  });
});

describe('what is no file', { skip: onWindows }, () => {
  beforeAll(async () => {
    await cp(at('pictures'), at('strange'), { recursive: true });
    execFileSync('mkfifo', [
      at('strange', 'cat', 'pipe.png'),
      ...['config', 'a.csv', 'a.zip', 'a.h5', 'a.safetensors'].map((name) => at(name)),
    ]);
    for (const [name, target] of [
      ['zero', '/dev/zero'],
      ['loop', 'loop.png'],
      ['nowhere', 'not-there'],
      ['up', '../..'],
    ]) {
      await symlink(target!, at('strange', 'cat', name === 'up' ? name : `${name}.png`));
    }
  });

  test('in a folder of pictures is named and left out: pipes, devices, links to themselves or to nowhere', async () => {
    const { stderr, stdout } = await run(0, ['data', 'pack', 'strange', '--out', 's.safetensors', '--json'], { cwd: folder });
    for (const text of [
      'pipe.png: not a file',
      'zero.png: not a file',
      'loop.png: a link that leads to itself',
      'nowhere.png: no such file',
    ])
      expect(stderr).toContain(`warning: cat/${text}`);
    expect(JSON.parse(stdout)).toMatchObject({ pictures: 24, unreadable: 4 });
  });

  test.concurrent.each([
    [
      'a config',
      ['train', '-c', 'config'],
      2,
      'config: expected a config file, found: a pipe that nobody writes to in 10 seconds',
    ],
    ['a model', ['predict', '-m', 'config', 'pictures'], 4, 'config: expected a model, found: a pipe that nobody writes to'],
    [
      'a list',
      ['predict', '-m', 'whole', '@config'],
      3,
      '@config: expected a list of paths, found: a pipe that nobody writes to',
    ],
    ['a table', ['data', 'pack', 'a.csv', '--out', 'x.safetensors'], 3, 'a.csv: expected a CSV file, found: a pipe that nobody'],
    [
      'an archive',
      ['data', 'pack', 'a.zip', '--out', 'x.safetensors'],
      3,
      'a.zip: expected an archive, found: a pipe or a device',
    ],
    ['HDF5', ['data', 'pack', 'a.h5', '--out', 'x.safetensors'], 3, 'a.h5: expected an HDF5 file, found: a pipe or a device'],
    [
      'packed',
      ['data', 'pack', 'a.safetensors', '--out', 'x.safetensors'],
      3,
      'a.safetensors: expected a file of packed pictures',
    ],
    ['no end', ['train', '-c', '/dev/zero'], 2, '/dev/zero: expected a config file, found: more than 4,194,304 bytes'],
    ['a picture', ['predict', '-m', 'whole', 'config'], 3, 'config: not a file'],
  ] as const)('never holds a command up: %s', async (_, words, code, says) => {
    const { stderr } = await run(code, words, { cwd: folder });
    expect(stderr).toContain(says);
  });

  test('but may give a config: what a shell writes as <(…)', async () => {
    const writer = open(at('config'), 'w').then(async (pipe) => {
      await pipe.writeFile('{"data": {"source": {"type": "folder",');
      await sleep(300);
      await pipe.writeFile(' "path": "pictures"}}}');
      await pipe.close();
    });
    const { stdout } = await run(0, ['train', '-c', 'config', '--dry-run', '--json'], { cwd: folder });
    await writer;
    expect(JSON.parse(stdout).examples.train.total).toBeGreaterThan(0);
  });
});

describe("a folder in the place of a run's file", () => {
  const full = (...names: string[]) => mkdir(at(...names, 'full'), { recursive: true });
  const checkpoint = 'checkpoint.safetensors';

  test.each<[string, (run: string) => Promise<unknown>, number, string]>([
    [
      'half of a config',
      (run) => full(run, '.config.json.1.partial'),
      2,
      '--resume RUN: expected a folder that can be written, found: it is a folder',
    ],
    [
      'the summary',
      (run) => rm(at(run, 'summary.json')).then(() => full(run, 'summary.json')),
      3,
      "summary.json: can't be removed: it is a folder",
    ],
    [
      'the newest checkpoint',
      async (run) => {
        await rm(at(run, 'summary.json'));
        await rename(at(run, checkpoint), at(run, 'checkpoint-previous.safetensors'));
        await full(run, checkpoint);
      },
      3,
      `${checkpoint}: can't be replaced by checkpoint-previous.safetensors: it is a folder`,
    ],
    [
      'the checkpoint before it',
      (run) => rm(at(run, 'summary.json')).then(() => full(run, 'checkpoint-previous.safetensors')),
      3,
      "checkpoint-previous.safetensors: can't be removed: it is a folder",
    ],
  ])('is named, and the run given free: %s', async (what, change, code, says) => {
    const name = `folder in ${what}`;
    await cp(at('whole'), at(name), { recursive: true });
    await change(name);
    const { stderr } = await run(code, ['train', '--resume', name], { cwd: folder });
    expect(stderr).toContain(says.replace('RUN', name));
    expect(await listing(at(name))).not.toContain('run.lock');
  });
});

describe("a pipe in the place of a run's file", { skip: onWindows }, () => {
  /** A copy of the run that is not finished, with a pipe in it. */
  const withPipe = async (file: string) => {
    const name = `pipe as ${file}`;
    await cp(at('whole'), at(name), { recursive: true });
    for (const old of ['summary.json', file]) await rm(at(name, old), { force: true });
    execFileSync('mkfifo', [at(name, file)]);
    return name;
  };

  test.each([
    ['checkpoint.safetensors', 'train --resume', 4, "checkpoint.safetensors: can't be read: a pipe or a device"],
    ['run.lock', 'train --resume', 3, "run.lock: can't be read: a pipe or a device"],
    ['split.csv', 'evaluate --model', 4, 'split.csv: expected the parts of a run, found: a pipe or a device'],
  ])('is refused: %s', async (file, command, code, says) => {
    const name = await withPipe(file);
    const { stderr } = await run(code, [...command.split(' '), name], { cwd: folder });
    expect(stderr).toContain(says);
    expect((await listing(at(name))).includes('run.lock')).toBe(file === 'run.lock');
  });

  test.each(['split.csv', 'summary.json'])('is replaced where --resume makes it again: %s', async (file) => {
    const name = await withPipe(file);
    await run(0, ['train', '--resume', name, '-q'], { cwd: folder });
    await expectSameRun(at(name), at('whole'));
  });
});

test('pictures that vanish or are cut off between listing and reading are named, and left out', async () => {
  await cp(at('pictures'), at('vanishing'), { recursive: true });
  const env = await preload(
    folder,
    `const fs = require('fs');
     const { readFile } = fs.promises;
     fs.promises.readFile = async (path, ...rest) => {
       if (/vanishing.*02\\.png$/.test(String(path))) fs.rmSync(path);
       if (/vanishing.*04\\.png$/.test(String(path))) fs.truncateSync(path, 300);
       return readFile(path, ...rest);
     };
     require('module').syncBuiltinESMExports();`,
  );
  const words = ['train', '-c', 'c.json', '--set', 'data.source.path=vanishing', '--dry-run', '--json'];
  const { stdout, stderr } = await run(0, words, { cwd: folder, env: { ...env, ...noCache } });
  for (const text of ['02.png: no such file or folder', '04.png: the file is cut off or damaged']) {
    expect(stderr).toContain(`warning: cat/${text}`);
    expect(stderr).toContain(`warning: thing/${text}`);
  }
  const { train, dev, test } = JSON.parse(stdout).examples;
  expect(train.total + dev.total + test.total).toBe(20);
});

test('a packed file that is cut off while training reads it: what is trained is kept, and goes on when it is back', async () => {
  await run(0, ['data', 'pack', 'pictures', '--out', 'packed.safetensors', '--size', '16', '-q'], { cwd: folder });
  await writeJson(at('stored.json'), {
    data: { source: { type: 'packed', path: 'packed.safetensors' }, imageSize: 16, memory: 0 },
    model: { layers: [{ units: 4 }] },
    training: { epochs: 1_000_000, learningRate: 0.02, form: 'direct', batchSize: 4, checkpointMinutes: 0 },
  });
  await cp(at('packed.safetensors'), at('copy'));
  const going = nn(['train', '-c', 'stored.json', '-o', 'cut'], { cwd: folder });
  let over = false;
  void going.then(() => (over = true));
  await hasLines(at('cut', 'journal.jsonl'), 3, () => over);
  await truncate(at('packed.safetensors'), 9000);
  const { code, stderr } = await going;
  expect(stderr).toMatch(/^nn: .*packed\.safetensors: expected a file that stays as it is while it is read, found it shorter$/m);
  expect(stderr).toMatch(/^Go on with: nn train --resume cut$/m);
  expect(code).toBe(3);
  const page = await readFile(at('cut', 'report.html'), 'utf8');
  expect(page).toMatch(/The training was broken off<\/strong>: .*packed\.safetensors: expected a file that stays as it is/);
  expect(page).toContain('It goes on with: nn train --resume cut');
  expect(page).not.toContain('In training');
  await rename(at('copy'), at('packed.safetensors'));
  const kill = { signal: 'SIGINT', after: /going on in epoch \d+/ } as const;
  await run(130, ['train', '--resume', 'cut', '-v'], { cwd: folder, kill });
});

describe('an odd place', () => {
  test('a working folder that was deleted', { skip: onWindows }, async () => {
    const script = `mkdir gone && cd gone && rmdir ../gone && exec "$0" "$@"`;
    const words = [binPath, 'train', '-c', at('c.json')];
    const { status, stderr } = spawnSync('sh', ['-c', script, process.execPath, ...words], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(stderr).toContain('nn: expected a working folder, found: no such file or folder');
    expect(status).toBe(2);
  });

  test('a runs folder that is a file', async () => {
    await writeFile(at('runs-file'), '');
    const { stderr } = await run(2, ['train', '-c', 'c.json'], { cwd: folder, env: { NN_RUNS: 'runs-file' } });
    expect(stderr).toMatch(
      /nn: runs-file.*: expected a folder that can be written, found: a part of the path is not a folder\n.*NN_RUNS/,
    );
  });

  test('a name that is too long', async () => {
    const { stderr } = await run(3, ['data', 'pack', 'pictures', '--out', `${'n'.repeat(400)}.safetensors`], { cwd: folder });
    expect(stderr).toMatch(/^nn: n+\.safetensors\.partial\.lock: can't be written: the name is too long$/m);
  });

  test('a name that is not UTF-8, and one with a line end', { skip: process.platform !== 'linux' }, async () => {
    await mkdir(at('named'));
    await cp(at('pictures', 'cat', '00.png'), at('named', 'two\nlines.png'));
    await cp(at('pictures', 'cat', '00.png'), at('named', 'plain.png'));
    execFileSync('bash', ['-c', `cp plain.png $'bad\\xff.png'`], { cwd: at('named') });
    const { stdout, stderr } = await run(7, ['predict', '-m', 'whole', '--json', 'named'], { cwd: folder });
    expect(stderr).toContain('its name is not UTF-8: rename it');
    const files = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).file as string);
    expect(files).toContain(join('named', 'two\nlines.png'));
  });
});

test('nobody who reads stdout or stderr is no reason to fail', { skip: onWindows }, async () => {
  const script = (rest: string) => `"$0" "$@" ${rest}`;
  const closedPipe = `2>&1 | true; exit "$\{PIPESTATUS[0]}"`;
  const words = [binPath, 'train', '-c', 'c.json', '-q'];
  for (const [i, rest] of ['>&- 2>&-', closedPipe].entries()) {
    const output = `unread-${i}`;
    const child = spawn('bash', ['-c', script(rest), process.execPath, ...words, '-o', output], { cwd: folder, stdio: 'ignore' });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
    await expectSameRun(at(output), at('whole'));
  }
});

test('a plan that is too large for the machine is refused before anything of it is taken', async () => {
  const words = ['train', '-c', 'c.json', '--set', 'model.layers=[{"units":100000},{"units":30000}]'];
  for (const more of [[], ['--dry-run'], ['-o', 'huge']]) {
    const { stderr } = await run(2, [...words, ...more], { cwd: folder });
    expect(stderr).toMatch(
      /^nn: expected a training within .* GB.*, found one that takes \d+\.\d GB:\n +\d+\.\d GB {2}\d+ parameters × 2/m,
    );
  }
  await expect(stat(at('huge'))).rejects.toThrow('ENOENT');
});

describe('limits of the system', { skip: process.platform !== 'linux' }, () => {
  // the line coverage that Node writes at its end takes memory of its own, which these limits do not leave
  const within = (limit: string, words: readonly string[]) => {
    const script = `unset NODE_V8_COVERAGE; ulimit ${limit}; exec "$0" "$@"`;
    return spawnSync('bash', ['-c', script, process.execPath, ...words], { cwd: folder, encoding: 'utf8' });
  };
  const tight: [string, RegExp][] = [
    ...[20, 22, 24, 26, 28, 32, 36, 40].map((files): [string, RegExp] => [
      `-n ${files}`,
      /^nn: .* files open at once .*\nRaise the limit: ulimit -n/m,
    ]),
    ...[0.8, 0.9, 1, 1.3, 1.7, 2.5, 4, 8, 10, 11, 11.4, 11.8, 12.1, 12.5].map((gigabytes): [string, RegExp] => [
      `-v ${gigabytes * 1e6}`,
      /^nn: expected (more memory|[\d.,]+ (bytes|.B) of addresses).*\nAddresses are not memory: .*ulimit -v unlimited/m,
    ]),
  ];

  test.each(tight)('ulimit %s: done, or a sentence that says what to raise; no trace, no signal', (limit, sentence) => {
    // Node itself does not start, or may end by itself before nn is asked
    if (within(limit, ['-e', 'Buffer.alloc(2 ** 26).fill(1)']).status !== 0) return;
    const output = `within${limit.replace(' ', '')}`;
    const words = [
      'train',
      '-c',
      'c.json',
      '-o',
      output,
      '--threads',
      '4',
      '--set',
      'model.layers=[{"units":64}]',
      '--set',
      'training.form=direct',
    ];
    const { status, signal, stderr } = within(limit, [binPath, ...words]);
    expect({ signal, trace: /^ +at /m.exec(stderr) }, stderr).toEqual({ signal: null, trace: null });
    if (status !== 0) {
      expect(status, stderr).toBe(2);
      expect(stderr).toMatch(sentence);
    }
  });

  test('that leave a picture no file or no memory say nothing of the picture', async () => {
    const { status, stderr } = within('-v 1500000', [binPath, 'data', 'clean', 'pictures', '--out', 'blamed.csv']);
    expect(status, stderr).toBe(2);
    await expect(stat(at('blamed.csv'))).rejects.toThrow('ENOENT');
  });
});

test('a thread of the kernels that ends between two pieces of work is missing, no more', async () => {
  // what a timer ends is never at work: this thread waits for its pieces meanwhile (test/kernels/threads.test.ts has one that dies there)
  const code = `const threads = require('worker_threads');
    threads.Worker = class extends threads.Worker { constructor(...words) { super(...words); setTimeout(() => this.terminate(), 500); } };
    require('module').syncBuiltinESMExports();`;
  const sets = ['model.layers=[{"units":300}]', 'training.form=direct', 'training.epochs=3000', 'training.maxMinutes=0.03'];
  const words = ['train', '-c', 'c.json', '-o', 'dying', '--threads', '2', ...sets.flatMap((set) => ['--set', set])];
  const { stderr } = await run(0, words, { cwd: folder, env: await preload(folder, code) });
  expect(stderr).toMatch(/a thread of the kernels has ended \(exit code 1\): the others do its work/);
});

test('nn data draw replaces nothing without --force, and mixes nothing with it', async () => {
  const draw = (count: number, ...more: string[]) => ['data', 'draw', '--out', 'drawn', '--count', String(count), '-q', ...more];
  await run(0, draw(4), { cwd: folder });
  const { stderr } = await run(2, draw(2), { cwd: folder });
  expect(stderr).toMatch(/--out drawn: expected a folder without cat, noncat, labels\.csv, found .*\n.*--force/);
  await run(0, draw(2, '--force'), { cwd: folder });
  expect((await listing(at('drawn'))).filter((name) => name.endsWith('.png'))).toHaveLength(2);
});
