import { link, open, readFile, readlink, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { discard, partialName, processExists, readPlainFile, removeStaleFiles } from '../data/disk.ts';
import { systemReason, UserError, unwritable } from '../errors.ts';

/** Of a run's folder, while a process trains in it. */
export const lockName = 'run.lock';

/** Who trains in a folder. */
export interface Owner {
  pid: number;
  /** the machine, and on Linux the space in which its process numbers count: a container has one of its own */
  host: string;
  /** when that process began, as the system counts it: another process may get the number of a dead one. Null where the
   *  system does not say */
  began: string | null;
  /** since when it holds the lock */
  since: string;
}

export interface Lock {
  release(): Promise<void>;
}

/** What a lock keeps for one process. */
export interface Locked {
  /** of the lock itself */
  path: string;
  /** how messages call it */
  title: string;
  expected: string;
}

const folderOf = (folder: string): Locked => ({
  path: join(folder, lockName),
  title: folder,
  expected: 'a folder that nobody else trains in',
});

/** Takes a folder for this process. A lock whose owner is dead is taken over.
 *  @throws UserError (usage) naming the owner, where another process has it; (data) where no lock can be written */
export function lockFolder(folder: string): Promise<Lock> {
  return takeLock(folderOf(folder));
}

/** The same for anything. */
export async function takeLock(locked: Locked): Promise<Lock> {
  const { path, title, expected } = locked;
  const own: Owner = {
    pid: process.pid,
    host: await hostNow(),
    began: await beginningOf(process.pid),
    since: new Date().toISOString(),
  };
  const text = `${JSON.stringify(own)}\n`;
  for (let tries = 0; tries < maximumTries; tries++) {
    const isPlaced = await placed(path, text);
    if (tries === 0 ? isPlaced : await isKept(path, text)) {
      await removeStaleFiles(dirname(path), basename(path));
      return { release: () => release(path, text) };
    }
    await removeDead(locked);
  }
  throw new UserError('usage', `${title}: expected ${expected}, found others who want it too`, {
    hint: 'Wait a moment and try again.',
  });
}

/** @throws UserError (usage) naming the owner, where another process trains in a folder */
export async function refuseLocked(folder: string): Promise<void> {
  const locked = folderOf(folder);
  const found = await read(locked.path);
  if (found !== null) await refuseLiving(ownerIn(found), locked);
}

/** Whether a process trains in a folder: one on another machine, of which nobody knows, counts as one that does. */
export async function isLocked(folder: string): Promise<boolean> {
  const found = await read(folderOf(folder).path);
  const owner = found === null ? null : ownerIn(found);
  return owner !== null && !(await isDead(owner));
}

async function refuseLiving(owner: Owner | null, locked: Locked): Promise<void> {
  if (owner !== null && !(await isDead(owner))) throw taken(locked, owner, owner.host === (await hostNow()));
}

/** Each time a dead owner was in the way, or another one was quicker. */
const maximumTries = 10;

/** Whether a lock is ours, and stays it, that a dead owner had: whoever saw that one too may move ours aside for it, and before it
 *  is put back somebody else may come. One that is slower about it than this waits is not seen. */
async function isKept(path: string, text: string): Promise<boolean> {
  await settled();
  return (await read(path)) === text;
}

/** What others are about to do with a lock is done. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 50));

/** Whether the lock was free, and is now ours: it appears with its content, or not at all. */
async function placed(path: string, text: string): Promise<boolean> {
  const aside = partialName(path);
  try {
    await writeNew(aside, text, 'w');
    try {
      await link(aside, path);
    } catch (error) {
      // another machine took it for something left behind: it asks again
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      if (!linkless.has(String((error as NodeJS.ErrnoException).code))) throw error;
      await writeNew(path, text, 'wx'); // a file system without hard links: there it may be seen empty for a moment
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw unwritable(path, error);
  } finally {
    await discard(aside);
  }
}

const linkless = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK']);

async function writeNew(path: string, text: string, flags: 'w' | 'wx'): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.writeFile(text);
    await handle.sync(); // a lock that a power cut empties would name nobody
  } finally {
    await handle.close();
  }
}

/** Takes a lock away whose owner is dead, and no other: it is moved aside first, looked at again, and put back where another
 *  process had just taken the folder over.
 *  @throws UserError (usage) where the owner lives */
async function removeDead(locked: Locked): Promise<void> {
  const { path } = locked;
  const found = await readSettled(path);
  if (found === null) return;
  await refuseLiving(ownerIn(found), locked);
  const moved = `${path}.${process.pid}.dead.partial`;
  try {
    await rename(path, moved);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return; // another was quicker
    throw new UserError('data', `${path}: can't be taken over: ${systemReason(error)}`, { cause: error });
  }
  if ((await read(moved)) !== found) await link(moved, path).catch(() => {}); // somebody's own: theirs, if it is still free
  await rm(moved, { force: true });
}

async function release(path: string, text: string): Promise<void> {
  if ((await read(path)) === text) await rm(path, { force: true });
}

async function read(path: string): Promise<string | null> {
  try {
    return (await readPlainFile(path)).toString();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new UserError('data', `${path}: can't be read: ${systemReason(error)}`, { cause: error });
  }
}

/** What a lock says, once whoever writes it has had time to. */
async function readSettled(path: string): Promise<string | null> {
  for (let tries = 0; ; tries++) {
    const text = await read(path);
    if (text === null || ownerIn(text) !== null || tries === 5) return text;
    await settled();
  }
}

/** null for what names nobody: a power cut may leave that. */
function ownerIn(text: string): Owner | null {
  try {
    const value = JSON.parse(text) as Partial<Owner> | null;
    const { pid, host, began, since } = value ?? {};
    const whole = Number.isSafeInteger(pid) && pid! > 0 && typeof host === 'string' && typeof since === 'string';
    return whole ? { pid: pid!, host, began: typeof began === 'string' ? began : null, since } : null;
  } catch {
    return null; // not JSON: cut off
  }
}

async function hostNow(): Promise<string> {
  const space = await readlink('/proc/self/ns/pid').catch(() => '');
  return space === '' ? hostname() : `${hostname()} ${space}`;
}

/** When a process began: the boot of the machine, and ticks since then. Empty for one that is dead but not yet buried by its
 *  parent; null where there is no such process, or no telling.
 *  @see man 5 proc, /proc/pid/stat */
async function beginningOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before may hold anything
    if (fields[0] === 'Z' || fields[0] === 'X') return '';
    return `${(await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()} ${fields[19]}`;
  } catch {
    return null; // another system, hidden, or no such process: `isDead` asks on
  }
}

/** Whether an owner is certainly dead; one on another machine never is. */
async function isDead({ pid, host, began }: Owner): Promise<boolean> {
  if (host !== (await hostNow())) return false;
  const found = await beginningOf(pid);
  if (found !== null && began !== null) return found !== began;
  return !processExists(pid);
}

function taken({ path, title, expected }: Locked, { pid, host, since }: Owner, here: boolean): UserError {
  const [machine] = host.split(' ');
  return new UserError('usage', `${title}: expected ${expected}, found process ${pid} on ${machine} in it since ${since}`, {
    hint: here
      ? `Wait for it, or stop it with Ctrl-C or kill ${pid}.`
      : `Whether it lives can't be seen from here. If it does not, remove ${path} and try again.`,
  });
}
