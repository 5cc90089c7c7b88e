import {
  chmodSync,
  copyFileSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fileValidator, keepsChangeTime } from '../../src/data/file-validator.ts';
import { temporaryFolder } from '../cli/pictures.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** All files have this time, as those from one archive may. */
const time = new Date('2020-01-01T00:00:00Z');
const write = (path: string, content: string) => {
  writeFileSync(path, content);
  utimesSync(path, time, time);
};
/** `cp -p`: the file that is there is written over, and gets the other's time. */
const copyOver = (from: string, to: string) => {
  copyFileSync(from, to);
  utimesSync(to, time, time);
};

/** `mv`: rename(2) does nothing, and leaves both, where they are links to the same file. */
const move = (from: string, to: string) => {
  renameSync(from, to);
  rmSync(from, { force: true });
};

/** What people and programs do with files that leaves them their names, sizes and times. */
const replacements: Record<string, (at: { a: string; b: string; aside: string }) => void> = {
  'exchanged with mv': ({ a, b, aside }) => {
    move(a, aside);
    move(b, a);
    move(aside, b);
  },
  'replaced with mv': ({ a, b, aside }) => {
    copyOver(b, aside);
    move(aside, a);
  },
  'replaced with cp -p': ({ a, b }) => copyOver(b, a),
  'written over and touched (touch -r, tar -x, unzip -o)': ({ a, b }) => write(a, readFileSync(b, 'utf8')),
  'removed and written anew': ({ a, b }) => {
    const content = readFileSync(b, 'utf8');
    rmSync(a);
    write(a, content);
  },
  'replaced by a hard link': ({ a, b, aside }) => {
    linkSync(b, aside);
    move(aside, a);
  },
  'written over through a hard link': ({ a, b, aside }) => {
    linkSync(a, aside);
    copyOver(b, aside);
    rmSync(aside);
  },
  'replaced by a symbolic link': ({ a, b }) => {
    rmSync(a);
    symlinkSync(b, a);
  },
  'without any change': () => {},
  'given other rights': ({ a }) => chmodSync(a, statSync(a).mode & 0o777 & ~0o100),
};
const ways = Object.keys(replacements).filter((way) => process.platform !== 'win32' || !way.includes('symbolic'));

/** Waits until the clock that files are stamped by has moved on: where a machine is busy, a tick of it may be late. */
async function nextTick(): Promise<void> {
  const probe = join(folder, 'clock');
  const now = () => {
    writeFileSync(probe, '');
    return statSync(probe, { bigint: true }).ctimeNs;
  };
  const begun = now();
  while (now() <= begun) await sleep(5);
}

/** Long after its change. */
const later = () => Date.now() + 60_000;

test.each(ways)('a file that was %s: the same validator means the same content', async (way) => {
  const at = { a: join(folder, 'a.tif'), b: join(folder, 'b.tif'), aside: join(folder, 'aside.tif') };
  write(at.a, 'first');
  write(at.b, 'other');
  const before = await fileValidator(at.a, later());
  expect(before).toBeDefined();
  await nextTick();
  replacements[way]!(at);
  const isSame = readFileSync(at.a, 'utf8') === 'first';
  expect(statSync(at.a)).toMatchObject({ size: 5, mtime: time });
  if (!isSame) expect(await fileValidator(at.a, later())).not.toBe(before);
  if (way === 'without any change') expect(await fileValidator(at.a, later())).toBe(before);
});

test('no series of such changes, in any number of files, makes an old validator true of another content', async () => {
  const names = ['a', 'b', 'c'];
  const steps = fc.array(
    fc.tuple(
      fc.constantFrom(...ways.filter((way) => !way.includes('symbolic'))),
      fc.constantFrom(...names),
      fc.constantFrom(...names),
    ),
    {
      minLength: 3,
      maxLength: 8,
    },
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (chosen) => {
      const place = join(folder, `${run++}`);
      await mkdir(place);
      const pathOf = (name: string) => join(place, `${name}.tif`);
      for (const name of names) write(pathOf(name), `file ${name}`);
      const contents = new Map<string, string>();
      const look = async () => {
        for (const name of names) {
          const validator = await fileValidator(pathOf(name), later());
          if (validator === undefined) continue;
          const content = readFileSync(pathOf(name), 'utf8');
          expect(contents.get(validator) ?? content).toBe(content);
          contents.set(validator, content);
        }
      };
      await look();
      for (const [way, first, second] of chosen) {
        if (first === second) continue;
        await nextTick();
        replacements[way]!({ a: pathOf(first), b: pathOf(second), aside: pathOf('aside') });
        await look();
      }
    }),
    { numRuns: 15 },
  );
});

test('a link has the validator of what it leads to', async () => {
  const link = join(folder, 'link.tif');
  write(join(folder, 'a.tif'), 'first');
  write(join(folder, 'b.tif'), 'other');
  symlinkSync('a.tif', link);
  const before = await fileValidator(link, later());
  rmSync(link);
  symlinkSync('b.tif', link);
  expect(await fileValidator(link, later())).not.toBe(before);
});

test.each([
  ['changed just now', 1000, true],
  ['changed in the future, since the clock was set back', -3_600_000, true],
  ['changed long ago', 10_000, false],
])('a file that was %s', async (_, age, isUntold) => {
  const path = join(folder, 'a.tif');
  write(path, 'first');
  expect((await fileValidator(path, statSync(path).ctimeMs + age)) === undefined).toBe(isUntold);
});

test('nothing there: undefined', async () => {
  expect(await fileValidator(join(folder, 'none.tif'), later())).toBeUndefined();
});

describe('a change time is relied on', () => {
  test.each([
    ['on ext4, whatever it is', 0xef53, 5n, 5n, true],
    ['on tmpfs with a time of modification in the future', 0x01021994, 9n, 5n, true],
    ['on FAT never: it is the time of modification', 0x4d44, 5n, 5n, false],
    ['on FAT never, not where it is later either', 0x4d44, 5n, 9n, false],
    ['on NFS never: it may be a minute old', 0x6969, 5n, 9n, false],
    ['on what user space serves never (sshfs, rclone, exFAT)', 0x65735546, 5n, 9n, false],
    ['on what is not known never', 0, 5n, 9n, false],
    ['without a known file system where it is later than the time of modification', undefined, 5n, 9n, true],
    ['but not where it may be that time by another name', undefined, 5n, 5n, false],
    ['nor where it lies before it, as the year 1601 of Windows', undefined, 5n, -11_644_473_600_000_000_000n, false],
  ])('%s', (_, fileSystem, mtimeNs, ctimeNs, expected) => {
    expect(keepsChangeTime({ mtimeNs, ctimeNs }, fileSystem)).toBe(expected);
  });
});
