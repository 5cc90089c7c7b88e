import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { lockFolder, lockName, type Owner, refuseLocked } from '../../src/run/lock.ts';
import { binPath } from '../cli.ts';

let folder: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-lock-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  await rm(folder, { recursive: true });
});

/** Another process that wants the folder, and what it says: "held", or why not. It stays. */
function contender(): { child: ChildProcess; word: Promise<string> } {
  const module = pathToFileURL(join(binPath, '..', '..', 'dist', 'run', 'lock.js')).href;
  const code = `const { lockFolder } = await import(${JSON.stringify(module)});
    await lockFolder(${JSON.stringify(folder)}).then(() => console.log('held'), (error) => console.log(error.message));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return { child, word: once(child.stdout.setEncoding('utf8'), 'data').then(([text]) => text as string) };
}

/** Another process that has the folder. */
async function holder(): Promise<ChildProcess> {
  const { child, word } = contender();
  expect(await word).toBe('held\n');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function refusal(act: () => Promise<unknown>): Promise<UserError> {
  const error = await act().then(
    () => undefined,
    (found: unknown) => found,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

const owner = async () => JSON.parse(await readFile(join(folder, lockName), 'utf8')) as Owner;
const write = async (change: Partial<Owner>) =>
  writeFile(join(folder, lockName), JSON.stringify({ ...(await owner()), ...change }));

test('a lock is given back, and nothing is left', async () => {
  const lock = await lockFolder(folder);
  expect(await readdir(folder)).toEqual([lockName]);
  expect((await owner()).pid).toBe(process.pid);
  await lock.release();
  expect(await readdir(folder)).toEqual([]);
  await (await lockFolder(folder)).release();
});

describe('a folder that another process has', () => {
  test('is refused, with that process, and stays its own', async () => {
    const child = await holder();
    for (const act of [() => lockFolder(folder), () => refuseLocked(folder)]) {
      const error = await refusal(act);
      expect(error.exitCode).toBe(2);
      expect(error.message).toMatch(
        new RegExp(
          `${folder}: expected a folder that nobody else trains in, found process ${child.pid} on \\S+ in it since \\d{4}-`,
        ),
      );
      expect(error.hint).toContain(`kill ${child.pid}`);
    }
    expect((await owner()).pid).toBe(child.pid);
  });

  test('is free once that process is dead, though it said no goodbye', async () => {
    await kill(await holder());
    expect(await readdir(folder)).toEqual([lockName]);
    await refuseLocked(folder);
    const lock = await lockFolder(folder);
    expect((await owner()).pid).toBe(process.pid);
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test('is free where another process has the number of the dead one by now', {
    skip: process.platform !== 'linux',
  }, async () => {
    await holder();
    await write({ began: `${(await owner()).began!.split(' ')[0]} 1` });
    await (await lockFolder(folder)).release();
  });

  test('on another machine is refused, with what to do where it is dead', async () => {
    await kill(await holder());
    await write({ host: 'elsewhere' });
    const error = await refusal(() => lockFolder(folder));
    expect(error.message).toContain('on elsewhere');
    expect(error.hint).toContain(join(folder, lockName));
  });

  test('without a beginning is judged by its number alone', async () => {
    const child = await holder();
    await write({ began: null });
    expect((await refusal(() => lockFolder(folder))).message).toContain(String(child.pid));
    await kill(child);
    await (await lockFolder(folder)).release();
  });
});

test.each(['', '{"pid":', '{}', '[1]', 'null', '{"pid":-1,"host":"a","since":"b"}'])(
  'a lock that names nobody, as a power cut may leave it, is taken over: %j',
  async (text) => {
    await writeFile(join(folder, lockName), text);
    await (await lockFolder(folder)).release();
    expect(await readdir(folder)).toEqual([]);
  },
);

test('what a process left behind that was killed while it asked is taken away, what a living one writes is not', async () => {
  const child = await holder();
  const living = `${lockName}.${process.ppid}.partial`;
  for (const name of [`${lockName}.${child.pid}.partial`, `${lockName}.${child.pid}.dead.partial`, living, 'mine.partial'])
    await writeFile(join(folder, name), '');
  await kill(child);
  await (await lockFolder(folder)).release();
  expect((await readdir(folder)).sort()).toEqual(['mine.partial', living]);
});

test('of several processes that want a folder whose owner is dead, one gets it', async () => {
  await kill(await holder());
  const words = await Promise.all(Array.from({ length: 4 }, () => contender().word));
  expect(words.filter((word) => word === 'held\n')).toHaveLength(1);
  expect(words.filter((word) => word.includes('nobody else trains in'))).toHaveLength(3);
  expect(await readdir(folder)).toEqual([lockName]);
});
