import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { processExists, removeStaleFiles } from '../../src/data/disk.ts';
import { UserError } from '../../src/errors.ts';
import { writeFileAtomically, writePiecesAtomically } from '../../src/run/atomic-write.ts';
import { openFilesIn } from './open-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-atomic-'));
});
afterEach(() => rm(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const text = (name: string) => readFile(at(name), 'utf8');

/** More than Linux ever gives to a process. */
const nobody = 2 ** 22 + 1;

describe('a file that is written whole or not at all', () => {
  test('has all its pieces in their order, and nothing else stands beside it', async () => {
    async function* pieces() {
      yield 'one ';
      yield Buffer.from('two ');
      yield 'é';
    }
    await writePiecesAtomically(at('file'), pieces());
    expect(await text('file')).toBe('one two é');
    expect(await readdir(folder)).toEqual(['file']);
    expect(await openFilesIn(folder)).toEqual([]);
  });

  test('takes the place of the one before, which goes where it is told', async () => {
    await writeFileAtomically(at('file'), 'first', { previous: at('before') });
    expect(await readdir(folder)).toEqual(['file']); // there was none before
    await writeFileAtomically(at('file'), 'second', { previous: at('before') });
    expect([await text('before'), await text('file')]).toEqual(['first', 'second']);
    await writeFileAtomically(at('file'), 'third');
    expect([await text('before'), await text('file')]).toEqual(['first', 'third']);
  });

  test.each([
    ['a mistake in the program', new TypeError('not a function')],
    ["one of Node's own errors", Object.assign(new RangeError('out of range'), { code: 'ERR_OUT_OF_RANGE' })],
    ['a refusal of what makes them', new UserError('model', 'the split is damaged', { hint: 'Make it again.' })],
  ])('stays what it was while its pieces come, and where %s ends them, which is thrown on', async (_, end) => {
    await writeFile(at('file'), 'old');
    async function* pieces() {
      yield 'half';
      expect(await text('file')).toBe('old');
      expect(await readdir(folder)).toContain(`.file.${process.pid}.partial`);
      throw end;
    }
    await expect(writePiecesAtomically(at('file'), pieces(), { previous: at('before') })).rejects.toBe(end);
    expect(await readdir(folder)).toEqual(['file']);
    expect(await text('file')).toBe('old');
  });

  test('is an error where the one before cannot be moved away, and both stay', async () => {
    await writeFile(at('file'), 'old');
    await mkdir(at('before'));
    expect((await refusal(writeFileAtomically(at('file'), 'new', { previous: at('before') }))).message).toContain(
      "can't be written",
    );
    expect((await readdir(folder)).sort()).toEqual(['before', 'file']);
    expect(await text('file')).toBe('old');
  });

  test('is an error where there is no folder for it', async () => {
    const error = await refusal(writeFileAtomically(at('gone/file'), 'new'));
    expect(error.exitCode).toBe(3);
    expect(error.message).toBe(`${at('gone/file')}: can't be written: no such file or folder`);
    expect(error.cause).toBeInstanceOf(Error);
  });
});

describe('what dead processes left of a file', () => {
  test('is taken away, and nothing that is called otherwise', async () => {
    const left = [`file.${nobody}.partial`, `file.${nobody}.dead.partial`];
    const others = [
      'file',
      `file.${process.pid}.partial`,
      `file.${nobody}`,
      `file.${nobody}.partial.txt`,
      `file.${nobody}.other.partial`,
      `file.x${nobody}.partial`,
      `file..${nobody}.partial`,
      'file.partial',
      `files.${nobody}.partial`,
      `elif.${nobody}.partial`,
      `my.file.${nobody}.partial`,
    ];
    for (const name of [...left, ...others]) await writeFile(at(name), '');
    await removeStaleFiles(folder, 'file');
    expect((await readdir(folder)).sort()).toEqual([...others].sort());
  });

  test('a process is told from one that is not there, also one that may not be asked', () => {
    expect(processExists(process.pid)).toBe(true);
    expect(processExists(nobody)).toBe(false);
    const asked = vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('not yours'), { code: 'EPERM' });
    });
    expect(processExists(nobody)).toBe(true);
    asked.mockRestore();
  });
});

async function refusal(act: Promise<unknown>): Promise<UserError> {
  const error = await act.then(
    () => undefined,
    (found: unknown) => found,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}
