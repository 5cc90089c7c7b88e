import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeFolder } from '../../src/data/disk.ts';

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
