import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { UserError } from '../../src/errors.ts';
import { lockName } from '../../src/run/lock.ts';
import {
  createRun,
  journalBytes,
  newRunFolder,
  openRun,
  readRunConfig,
  refuseRun,
  runFiles,
  runOfModel,
  takeRun,
} from '../../src/run/run-folder.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nn-take-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const run = () => join(root, 'run');

async function config() {
  await writeFile(join(root, 'c.json'), JSON.stringify({ data: { source: { type: 'drawn', count: 20 } } }));
  return loadConfig(join(root, 'c.json'));
}

/** A run that was trained for two epochs. */
async function made(): Promise<void> {
  const created = await createRun(run(), await config(), false);
  for (const epoch of [1, 2]) await created.journal.append({ epoch });
  await created.close();
}

async function refusal(act: () => Promise<unknown>): Promise<UserError> {
  const error = await act().then(
    () => undefined,
    (found: unknown) => found,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

describe('the folder of a run', () => {
  test('is locked while it is open, by whoever made it or took it, and free afterwards', async () => {
    const created = await createRun(run(), await config(), false);
    expect(created.path).toBe(run());
    expect(await readdir(run())).toContain(lockName);
    expect((await refusal(() => takeRun(run()))).message).toContain(`process ${process.pid}`);
    expect((await refusal(async () => refuseRun(run(), await config(), true))).message).toContain(`process ${process.pid}`);
    await created.close();
    expect(await readdir(run())).not.toContain(lockName);
    const lock = await takeRun(run());
    expect(await readdir(run())).toContain(lockName);
    await lock.release();
  });

  test('is given free where it is refused', async () => {
    await made();
    const loaded = await config();
    await refusal(() => createRun(run(), loaded, false));
    expect(await readdir(run())).not.toContain(lockName);
  });

  test('is taken up with as much of its journal as is wanted', async () => {
    await made();
    expect(await journalBytes(run())).toBe('{"epoch":1}\n{"epoch":2}\n'.length);
    const opened = await openRun(run(), await takeRun(run()), '{"epoch":1}\n'.length);
    await opened.journal.append({ epoch: 22 });
    await opened.close();
    expect(await readFile(join(run(), runFiles.journal), 'utf8')).toBe('{"epoch":1}\n{"epoch":22}\n');
    expect(await readdir(run())).not.toContain(lockName);
  });

  test('has a journal of no bytes where there is none', async () => {
    expect(await journalBytes(root)).toBe(0);
  });

  test('is cleared of what was being written when a process was killed, and of nothing else', async () => {
    await made();
    const left = Object.values(runFiles).map((name) => `.${name}.1234.partial`);
    const others = ['.mine.1234.partial', `.${runFiles.model}.1234.txt`, `x.${runFiles.model}.1234.partial`, '.model.partial'];
    const before = await readdir(run());
    for (const name of [...left, ...others]) await writeFile(join(run(), name), '');
    await (await takeRun(run())).release();
    expect((await readdir(run())).sort()).toEqual([...before, ...others].sort());
  });

  test('is cleared of the same by whoever overwrites it', async () => {
    await made();
    await writeFile(join(run(), `.${runFiles.checkpoint}.1234.partial`), '');
    await (await createRun(run(), await config(), true)).close();
    expect((await readdir(run())).sort()).toEqual([runFiles.config, runFiles.journal]);
  });

  test('is refused to be taken up where there is no config in it, or no folder', async () => {
    await mkdir(run());
    await writeFile(join(run(), runFiles.model), '');
    for (const [path, found] of [
      [run(), 'no config.json in it'],
      [join(root, 'nowhere'), 'no such folder'],
    ] as const) {
      const error = await refusal(() => takeRun(path));
      expect(error.exitCode).toBe(2);
      expect(error.message).toBe(`--resume ${path}: expected the folder of a run, found ${found}`);
      expect(error.hint).toMatch(/^Name the folder that nn train made/);
    }
    await writeFile(join(root, 'file'), '');
    expect((await refusal(() => takeRun(join(root, 'file')))).message).toMatch(
      /^--resume .*: expected the folder of a run, found a file$/,
    );
  });

  test('is refused to a new run before anything is done, unless it is free or forced', async () => {
    await refuseRun(run(), await config(), false);
    await made();
    await refuseRun(run(), await config(), true);
    expect((await refusal(async () => refuseRun(run(), await config(), false))).message).toContain(
      `found one that holds ${runFiles.config}, `,
    );
  });

  test.each([
    ["the config, which is no run's", 'config.json', (data: object) => ({ data }), /config\.json, which is --config$/],
    [
      'a model to start from',
      'model.safetensors',
      (data: object) => ({ data, training: { startFrom: 'run/model.safetensors' } }),
      /model\.safetensors, which is training\.startFrom$/,
    ],
    [
      'a source',
      'split.csv',
      () => ({ data: { source: { type: 'csv', path: 'run/split.csv' } } }),
      /split\.csv, which is data\.source\.path$/,
    ],
  ])('replaces no input, by force or not: %s', async (_, name, configWith, message) => {
    const inRun = name === 'config.json';
    const file = inRun ? join(run(), name) : join(root, 'c.json');
    await mkdir(run());
    await writeFile(join(run(), name), '');
    await writeFile(file, JSON.stringify(configWith({ source: { type: 'drawn', count: 20 } })));
    const loaded = await loadConfig(file);
    for (const force of [true, false]) expect((await refusal(() => refuseRun(run(), loaded, force))).message).toMatch(message);
  });

  test('may go with its own config, trained anew, but not with one that a person has changed', async () => {
    await made();
    await refuseRun(run(), await readRunConfig(run(), ['training.epochs=7']), true);
    await writeFile(join(run(), runFiles.config), JSON.stringify({ data: { source: { type: 'drawn' } } }));
    const loaded = await readRunConfig(run());
    expect((await refusal(() => refuseRun(run(), loaded, true))).message).toMatch(/which is --config$/);
  });

  test('has a config that --set may change', async () => {
    await made();
    expect((await readRunConfig(run())).config.training.epochs).toBe(100);
    expect((await readRunConfig(run(), ['training.epochs=7'])).config.training.epochs).toBe(7);
  });

  test('is where its model lies', () => {
    expect(runOfModel(join(run(), runFiles.model))).toBe(run());
  });
});

test('a run that cannot be overwritten is an error, and is given free', async () => {
  await mkdir(join(run(), runFiles.model), { recursive: true });
  const loaded = await config();
  const error = await refusal(() => createRun(run(), loaded, true));
  expect(error.exitCode).toBe(2);
  expect(error.message).toMatch(/^--output .*: expected a folder that can be written, found: /);
  expect(error.cause).toBeInstanceOf(Error);
  expect(await readdir(run())).toEqual([runFiles.model]);
});

test('of many that want the same name at once each gets a folder of its own, and none what stands there', async () => {
  await mkdir(join(run(), '..'), { recursive: true });
  await writeFile(`${run()}-2`, '');
  await symlink('nowhere', `${run()}-4`);
  const taken = await Promise.all(Array.from({ length: 20 }, () => newRunFolder(run())));
  const free = Array.from({ length: 22 }, (_, i) => (i === 0 ? run() : `${run()}-${i + 1}`));
  expect(taken.sort()).toEqual(free.filter((path) => !/-[24]$/.test(path)).sort());
});

test('a folder that nn cannot make is an error that says how to name another', async () => {
  await writeFile(join(run(), '..', 'file'), '');
  const error = await refusal(() => newRunFolder(join(run(), '..', 'file', 'x')));
  expect(error.exitCode).toBe(2);
  expect(error.message).toMatch(/file[\\/]x: expected a folder that can be written, found: a part of the path is not a folder/);
  expect(error.hint).toContain('--output');
});
