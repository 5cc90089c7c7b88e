import type { BigIntStats } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { resolve } from 'node:path';

/** Says without reading a file that its content is what it was: while this stays the same, so does the content. Beside path, size and
 *  time of modification it holds which file it is (device, inode) and when that was last changed in any way. The latter only the system
 *  sets; the former are what `mv`, `cp -p`, `tar`, `rsync -t`, `unzip` and `touch` give to other contents.
 *  @param now  in ms since 1970
 *  @returns undefined where that can't be said, and contents have to be compared: nothing is there, it changed just now, or its
 *           file system keeps no change time that can be relied on */
export async function fileValidator(path: string, now = Date.now()): Promise<string | undefined> {
  const status = await stat(path, { bigint: true }).catch(() => undefined); // reading it will say why
  if (status === undefined || !isSettled(status, now) || !keepsChangeTime(status, await fileSystemOf(path, status)))
    return undefined;
  const { dev, ino, size, mtimeNs, ctimeNs } = status;
  return JSON.stringify([resolve(path), ...[dev, ino, size, mtimeNs, ctimeNs].map(String)]);
}

/** A file that was changed less than this before, in ms, may be changed again without another time: the coarsest clock of a file system that
 *  is in use ticks every two seconds. So may one whose time lies ahead, since the clock was set back. */
const settledAfter = 2000;

function isSettled({ ctimeNs }: Pick<BigIntStats, 'ctimeNs'>, now: number): boolean {
  return Number(ctimeNs / 1_000_000n) <= now - settledAfter;
}

/** Linux file systems on a disk or in memory of this machine that keep a change time, by the number that `statfs` gives. Not those of a network,
 *  which may answer from what they knew a minute ago, nor FAT, exFAT and what programs serve (sshfs, rclone): their change time is the time of
 *  modification by another name. */
const withChangeTime = new Map([
  [0xef53, 'ext2, ext3, ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0xca451a4e, 'bcachefs'],
  [0x2fc12fc1, 'zfs'],
  [0xf2f52010, 'f2fs'],
  [0x01021994, 'tmpfs'],
  [0x794c7630, 'overlayfs'],
]);

/** Whether the change time of a file can be relied on. Where the file system is not known, it can if it is later than the time of modification: then
 *  it is another time, which was not set by whoever set that one back.
 *  @param fileSystem  the number of `statfs`; undefined where the system gives none of use */
export function keepsChangeTime(
  { mtimeNs, ctimeNs }: Pick<BigIntStats, 'mtimeNs' | 'ctimeNs'>,
  fileSystem: number | undefined,
): boolean {
  return fileSystem === undefined ? ctimeNs > mtimeNs : withChangeTime.has(fileSystem);
}

/** By device: it does not change while something is mounted. */
const fileSystems = new Map<bigint, number>();

async function fileSystemOf(path: string, { dev }: Pick<BigIntStats, 'dev'>): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined; // macOS numbers them anew at every start, Windows not at all
  const known = fileSystems.get(dev);
  if (known !== undefined) return known;
  const type = await statfs(path).then(
    ({ type }) => type >>> 0,
    () => 0, // none that is known
  );
  fileSystems.set(dev, type);
  return type;
}
