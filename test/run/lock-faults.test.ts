import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as files from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { lockFolder, lockName, type Owner, refuseLocked } from '../../src/run/lock.ts';
import { openFilesIn } from './open-files.ts';

/** What file systems, other processes and other systems do to a lock that this machine does not do by itself. */

vi.mock('node:fs/promises', { spy: true });
const real = await vi.importActual<typeof files>('node:fs/promises');
const { mkdir, mkdtemp, readdir, readFile, rm, writeFile } = real;

let folder: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-lock-faults-'));
});
afterEach(async () => {
  vi.mocked(files.link).mockReset();
  vi.mocked(files.rename).mockReset();
  vi.mocked(files.readFile).mockReset();
  vi.mocked(files.readlink).mockReset();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

const fails = (code: string) => Object.assign(new Error(`it fails with ${code}`), { code });
const lock = () => join(folder, lockName);
const owner = async () => JSON.parse(await readFile(lock(), 'utf8')) as Owner;

/** What the lock of this process says, with something changed. */
async function lockText(change: object): Promise<string> {
  const held = await lockFolder(folder);
  const text = JSON.stringify({ ...(await owner()), ...change });
  await held.release();
  return text;
}
/** Of a process that is dead, whatever had its number. */
const dead = () => lockText({ began: 'another boot 1' });

async function refusal(act: () => Promise<unknown>): Promise<UserError> {
  const error = await act().then(
    () => undefined,
    (found: unknown) => found,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

describe('a file system', () => {
  test.each(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'])(
    'without hard links, which says %s, has locks too',
    async (code) => {
      vi.mocked(files.link).mockRejectedValue(fails(code));
      const held = await lockFolder(folder);
      expect((await owner()).pid).toBe(process.pid);
      expect(await readdir(folder)).toEqual([lockName]);
      expect(await openFilesIn(folder)).toEqual([]);
      expect((await refusal(() => lockFolder(folder))).message).toContain(`process ${process.pid}`);
      await held.release();
      expect(await readdir(folder)).toEqual([]);
    },
  );

  test('that fails otherwise is an error with its reason, and nothing is left', async () => {
    vi.mocked(files.link).mockRejectedValue(fails('EIO'));
    const error = await refusal(() => lockFolder(folder));
    expect(error.exitCode).toBe(3);
    expect(error.message).toContain(`${lock()}: can't be written: `);
    expect(error.cause).toBeInstanceOf(Error);
    expect(await readdir(folder)).toEqual([]);
  });

  test('from which a dead lock cannot be taken is an error with its reason', async () => {
    await writeFile(lock(), await dead());
    vi.mocked(files.rename).mockRejectedValue(fails('EIO'));
    const error = await refusal(() => lockFolder(folder));
    expect(error.exitCode).toBe(3);
    expect(error.message).toContain(`${lock()}: can't be taken over: `);
    expect(error.cause).toBeInstanceOf(Error);
  });

  test('where something else stands in its place is an error with its reason', async () => {
    await mkdir(lock());
    for (const act of [() => lockFolder(folder), () => refuseLocked(folder)]) {
      const error = await refusal(act);
      expect(error.exitCode).toBe(3);
      expect(error.message).toContain(`${lock()}: can't be read: `);
      expect(error.cause).toBeInstanceOf(Error);
    }
  });
});

describe('another process', () => {
  test('that takes our half-made lock away is asked again', async () => {
    vi.mocked(files.link).mockRejectedValueOnce(fails('ENOENT'));
    await (await lockFolder(folder)).release();
    expect(files.link).toHaveBeenCalledTimes(2);
  });

  test('that does so again and again is given up on, with what to do', async () => {
    vi.mocked(files.link).mockRejectedValue(fails('ENOENT'));
    const error = await refusal(() => lockFolder(folder));
    expect(error.exitCode).toBe(2);
    expect(error.message).toBe(`${folder}: expected a folder that nobody else trains in, found others who want it too`);
    expect(error.hint).toBe('Wait a moment and try again.');
    expect(files.link).toHaveBeenCalledTimes(10);
  });

  test('that is quicker in taking a dead lock away is no error', async () => {
    await writeFile(lock(), await dead());
    vi.mocked(files.rename).mockImplementationOnce(async (path) => {
      await rm(path as string);
      throw fails('ENOENT');
    });
    await (await lockFolder(folder)).release();
  });

  test('that takes the folder over just before us keeps it', async () => {
    const another = await lockText({ pid: process.ppid, began: null });
    await writeFile(lock(), await dead());
    vi.mocked(files.rename).mockImplementationOnce(async (from, to) => {
      await writeFile(from as string, another);
      await real.rename(from, to);
    });
    expect((await refusal(() => lockFolder(folder))).message).toContain(`process ${process.ppid}`);
    expect(await readFile(lock(), 'utf8')).toBe(another);
    expect(await readdir(folder)).toEqual([lockName]);
  });

  test('that is in the folder by the time that we have taken it over keeps it', async () => {
    const another = await lockText({ pid: process.ppid, began: null });
    await writeFile(lock(), await dead());
    vi.mocked(files.link).mockImplementation(async (from, to) => {
      await real.link(from, to);
      if (String(to) === lock()) await writeFile(lock(), another); // ours was moved aside, and this one came before it was back
    });
    expect((await refusal(() => lockFolder(folder))).message).toContain(`process ${process.ppid}`);
    expect(await readFile(lock(), 'utf8')).toBe(another);
    expect(await readdir(folder)).toEqual([lockName]);
  });

  test('that takes ours for the dead one, and puts it back, leaves us the folder', async () => {
    await writeFile(lock(), await dead());
    let moved: string | undefined;
    vi.mocked(files.link).mockImplementation(async (from, to) => {
      if (moved !== undefined) {
        await real.link(moved, lock()); // now it is put back
        moved = undefined;
      }
      await real.link(from, to);
      moved = join(folder, 'moved'); // only now: before, the dead one's lock was in the way
      await real.rename(lock(), moved);
    });
    const held = await lockFolder(folder);
    expect((await owner()).pid).toBe(process.pid);
    await rm(join(folder, 'moved'));
    await held.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test('that is about to say who it is gets the time for it', async () => {
    const another = await lockText({ pid: process.ppid, began: null });
    await writeFile(lock(), '');
    const refused = refusal(() => lockFolder(folder));
    await sleep(120);
    await writeFile(lock(), another);
    expect((await refused).message).toContain(`process ${process.ppid}`);
  });

  test('that has the folder by now keeps it when we give ours back', async () => {
    const another = await lockText({ pid: process.ppid });
    const held = await lockFolder(folder);
    await writeFile(lock(), another);
    await held.release();
    expect(await readFile(lock(), 'utf8')).toBe(another);
  });
});

describe('an owner', () => {
  test.each<[string, object]>([
    ['no number', { pid: undefined }],
    ['the number 0', { pid: 0 }],
    ['half a number', { pid: 1.5 }],
    ['no machine', { host: undefined }],
    ['no time', { since: 5 }],
  ])('with %s is nobody', async (_, change) => {
    await writeFile(lock(), await lockText(change));
    await (await lockFolder(folder)).release();
  });

  test('whose beginning is no text is judged by its number', async () => {
    await writeFile(lock(), await lockText({ began: 5 }));
    expect((await refusal(() => lockFolder(folder))).message).toContain(`process ${process.pid}`);
  });

  test('that is dead but not yet buried is dead', { skip: process.platform !== 'linux' }, async () => {
    // before its child ends the shell becomes a process that never asks after it
    const parent = spawn('sh', ['-c', 'sleep 0.5 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    children.push(parent);
    const pid = Number(await once(parent.stdout.setEncoding('utf8'), 'data').then(([text]) => text as string));
    const fields = async () => (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ');
    while ((await fields())[0] !== 'Z') await sleep(5);
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    await writeFile(lock(), await lockText({ pid, began: `${boot} ${(await fields())[19]}` }));
    await (await lockFolder(folder)).release();
  });
});

test('on a system without /proc a process is told by its number, and a machine by its name', async () => {
  vi.mocked(files.readlink).mockRejectedValue(fails('ENOENT'));
  vi.mocked(files.readFile).mockImplementation(async (path, options) => {
    if (String(path).startsWith('/proc')) throw fails('ENOENT');
    return real.readFile(path as string, options as 'utf8');
  });
  const held = await lockFolder(folder);
  expect(await owner()).toMatchObject({ pid: process.pid, host: hostname(), began: null });
  expect((await refusal(() => lockFolder(folder))).message).toContain(`process ${process.pid} on ${hostname()} in it`);
  await held.release();
  await writeFile(lock(), await lockText({ pid: 2 ** 22 + 1 }));
  await (await lockFolder(folder)).release();
});
