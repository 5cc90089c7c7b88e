import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeFolder, readPlainFile, reasonAt } from '../../src/data/disk.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-disk-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('a folder is made', () => {
  test('with those above it, and again without harm', async () => {
    const path = join(folder, 'a', 'b', 'c');
    await makeFolder(path, 0o700);
    await makeFolder(path);
    const { mode } = await stat(path);
    if (process.platform !== 'win32') expect(mode & 0o777).toBe(0o700);
    await Promise.all([1, 2, 3].map(() => makeFolder(join(folder, 'd', 'e'))));
    expect((await stat(join(folder, 'd', 'e'))).isDirectory()).toBe(true);
  });

  test('not where a file is in the way', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(makeFolder(join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeFolder(join(folder, 'file', 'a'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  test.skipIf(process.platform !== 'linux')('not where the system will have none, and without waiting', async () => {
    await expect(makeFolder('/proc/nn-test/a')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test.skipIf(process.platform === 'win32')(
  'the words for what is not there tell of backslashes and of bytes that are no UTF-8',
  async () => {
    const reasonOf = (path: string) =>
      readPlainFile(path).then(
        () => 'read',
        (error) => reasonAt(path, error),
      );
    expect(await reasonOf('nowhere/a.png')).toBe('no such file or folder');
    expect(await reasonOf('nowhere\\a.png')).toBe(
      'no such file or folder: a backslash is a letter of a name here, folders end in /',
    );
    expect(await reasonOf('caf\ufffd.png')).toBe('its name is not UTF-8: rename it');
    expect(await reasonOf('.')).toBe('it is a folder');
  },
);
