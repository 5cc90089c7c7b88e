import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exitCodes } from '../../src/errors.ts';
import { namedRandom } from '../../src/random.ts';
import { nn } from '../cli.ts';
import { someOf } from '../thorough.ts';
import { folderConfig, listing, run, temporaryFolder, writeClasses, writeJson } from './pictures.ts';
import { expectSameRun, signalled } from './stopped.ts';

/** Signals at random moments: whatever a command was at, its exit code is that of the contract and nothing half-made is left. */

let folder: string;
const at = (...names: string[]) => join(folder, ...names);
const search = { trials: 6, parameters: { 'training.learningRate': { logUniform: [0.001, 0.1] } } };
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeClasses(at('pictures'), 12);
  await writeJson(at('c.json'), folderConfig({ training: { epochs: 3000, batchSize: 4 } }));
  await writeJson(at('t.json'), { ...folderConfig({ training: { epochs: 200 } }), search });
  await run(0, ['train', '-c', 'c.json', '-o', 'whole', '-q'], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true }));

/** NN_SIGNALS_SEED gives other moments. */
const seed = Number(process.env['NN_SIGNALS_SEED'] ?? 1);
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const codes = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated, SIGHUP: exitCodes.hungUp };
const onWindows = process.platform === 'win32';

test.each(someOf(signals))(
  '%s at a random moment of a training: it goes on to the same bytes',
  { skip: onWindows },
  async (signal) => {
    const output = `run-${signal}`;
    const wait = 300 + namedRandom(seed, signal).integer(1500);
    const { code, signal: by } = await signalled(['train', '-c', 'c.json', '-o', output], folder, {
      signal,
      moment: () => sleep(wait),
    });
    // before the program listens a signal ends it by itself; after its end there is nothing to stop
    if (by === null) expect([codes[signal], exitCodes.done]).toContain(code);
    else expect(by).toBe(signal);
    expect((await listing(folder)).filter((name) => /partial|run\.lock/.test(name))).toEqual([]);
    const begun = existsSync(at(output, 'config.json'));
    await run(0, ['train', ...(begun ? ['--resume', output] : ['-c', 'c.json', '-o', output]), '-q'], { cwd: folder });
    await expectSameRun(at(output), at('whole'));
  },
);

test.each([
  ['data pack', (out: string) => ['data', 'pack', 'pictures', '--out', `${out}.safetensors`, '--size', '512'], '.safetensors'],
  ['data draw', (out: string) => ['data', 'draw', '--out', out, '--count', '400', '--size', '128'], '/labels.csv'],
  ['predict', () => ['predict', '-m', 'whole', ...Array<string>(200).fill('pictures')], null],
] as const)(
  'a signal at a random moment of nn %s leaves a whole result or none',
  { skip: onWindows },
  async (name, words, result) => {
    const signal = signals[namedRandom(seed, name).integer(2)]!;
    const wait = 300 + namedRandom(seed, name, 1).integer(700);
    const { code, signal: by } = await signalled(words('broken'), folder, { signal, moment: () => sleep(wait) });
    if (by === null) expect([codes[signal], exitCodes.done]).toContain(code);
    expect((await listing(folder)).filter((file) => /\.drawing|\.lock$/.test(file))).toEqual([]);
    if (result === null) return;
    if (code === exitCodes.done) expect(existsSync(at(`broken${result}`))).toBe(true);
    if (existsSync(at(`broken${result}`))) await expectWhole('broken', words);
    // also between the moment that the result is whole and the end of the process
    await signalled(words('late'), folder, { signal, moment: (ended) => present(at(`late${result}`), ended) });
    await expectWhole('late', words);
  },
);

async function present(file: string, ended: () => boolean): Promise<void> {
  while (!existsSync(file) && !ended()) await sleep(1);
}

/** Whether what came of a command is what comes of it undisturbed. */
async function expectWhole(output: string, words: (output: string) => string[]): Promise<void> {
  await run(0, [...words('undisturbed'), '--force'], { cwd: folder });
  expect(await contents(output)).toEqual(await contents('undisturbed'));
}

/** A hash of each file whose path begins so, by what follows. */
async function contents(beginning: string): Promise<[string, string][]> {
  const files = (await listing(folder)).filter((file) => file.startsWith(beginning) && extname(file) !== '');
  const hash = async (file: string) =>
    createHash('sha256')
      .update(await readFile(at(file)))
      .digest('hex');
  return Promise.all(files.map(async (file): Promise<[string, string]> => [file.slice(beginning.length), await hash(file)]));
}

const workers = () => {
  const listed = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  return listed.filter((line) => line.includes('trial-worker')).map((line) => Number(line.trim().split(' ')[0]));
};
/** Those that a search of this test started: others may run beside it. */
async function newWorker(before: ReadonlySet<number>, ended: () => boolean): Promise<number | undefined> {
  for (;;) {
    const found = workers().find((pid) => !before.has(pid) && isOurs(pid));
    if (found !== undefined || ended()) return found;
    await sleep(20);
  }
}
function isOurs(pid: number): boolean {
  try {
    return execFileSync('readlink', [`/proc/${pid}/cwd`], { encoding: 'utf8' }).trim() === folder;
  } catch {
    return false; // gone already
  }
}

const timeless = async (output: string) =>
  (JSON.parse(await readFile(at(output, 'ranking.json'), 'utf8')) as Record<string, unknown>[]).map(
    ({ seconds: _, ...rest }) => rest,
  );

test('a worker of a search that is killed is replaced, and the ranking is the same', {
  skip: process.platform !== 'linux',
}, async () => {
  await run(0, ['tune', '-c', 't.json', '-o', 'calm', '--jobs', '2', '-q'], { cwd: folder });
  let over = false;
  const going = nn(['tune', '-c', 't.json', '-o', 'killed', '--jobs', '2'], { cwd: folder });
  void going.then(() => (over = true));
  const victim = await newWorker(new Set(), () => over);
  process.kill(victim!, 'SIGKILL');
  const { code, stderr } = await going;
  expect(stderr).toMatch(/warning: a worker process ended with SIGKILL during trial \d; another one takes its place/);
  expect(code).toBe(0);
  expect(await timeless('killed')).toEqual(await timeless('calm'));
});

test('one that is killed again and again ends the search, which keeps what is finished', {
  skip: process.platform !== 'linux',
}, async () => {
  let over = false;
  const slow = ['--jobs', '1', '--set', 'training.epochs=1000000'];
  const going = nn(['tune', '-c', 't.json', '-o', 'hunted', ...slow], { cwd: folder });
  void going.then(() => (over = true));
  const seen = new Set<number>();
  for (let kills = 0; kills < 2; kills++) {
    const victim = await newWorker(seen, () => over);
    seen.add(victim!);
    process.kill(victim!, 'SIGKILL');
  }
  const { code, stderr } = await going;
  expect(stderr).toMatch(/^nn: .*found two that ended with SIGKILL during trial 0\n.*--jobs/m);
  expect(stderr).toMatch(/goes on with the very same trials/);
  expect(code).toBe(2);
  expect(await listing(at('hunted'))).toEqual(['config.json', 'split.csv', 'trials.jsonl']);
});

test('a second search in the same folder is refused, naming the first', async () => {
  const slow = ['tune', '-c', 't.json', '-o', 'shared', '--jobs', '1', '--set', 'training.epochs=1000000'];
  let over = false;
  const first = signalled(slow, folder, {
    signal: 'SIGTERM',
    moment: async (ended) => {
      while (!existsSync(at('shared', 'run.lock')) && !ended()) await sleep(20);
      const { stderr } = await run(2, slow, { cwd: folder });
      expect(stderr).toMatch(/shared: expected a folder that nobody else trains in, found process \d+/);
      over = true;
    },
  });
  expect((await first).code).toBe(exitCodes.terminated);
  expect(over).toBe(true);
});
