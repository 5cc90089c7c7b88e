import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { openJournal } from '../../src/run/journal.ts';
import { openFilesIn } from './open-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'nn-journal-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(path(name), 'utf8');

describe('a journal', () => {
  test('writes the first line at once, and one that comes a while after the last', async () => {
    const journal = await openJournal(path('slow'));
    await journal.append({ epoch: 1, dev: null });
    expect(read('slow')).toBe('{"epoch":1,"dev":null}\n');
    await sleep(150);
    await journal.append({ epoch: 2 });
    expect(read('slow')).toBe('{"epoch":1,"dev":null}\n{"epoch":2}\n');
    await journal.close();
  });

  test('is never a pipe, which nobody may read', { skip: process.platform === 'win32' }, async () => {
    execFileSync('mkfifo', [path('pipe')]);
    await expect(openJournal(path('pipe'))).rejects.toMatchObject({
      kind: 'data',
      message: `${path('pipe')}: can't be written: a pipe`,
    });
    expect(await openFilesIn(folder)).toEqual([]);
  });

  test('that cannot be cut to its length is an error, and closed', { skip: process.platform !== 'linux' }, async () => {
    await expect(openJournal('/dev/full', 10)).rejects.toThrow("/dev/full: can't be written");
    expect(await openFilesIn('/dev/full')).toEqual([]);
  });

  test('writes lines that come quickly together: whole ones, in their order, each once', async () => {
    const journal = await openJournal(path('quick'));
    const count = 20_000;
    let writings = 0;
    let before = '';
    for (let epoch = 1; epoch <= count; epoch++) {
      await journal.append({ epoch });
      if (epoch % 100 !== 0) continue;
      const now = read('quick');
      expect(now.endsWith('\n')).toBe(true);
      if (now !== before) writings++;
      before = now;
    }
    await journal.close();
    expect(writings).toBeLessThan(100);
    const lines = read('quick').trimEnd().split('\n');
    expect(lines).toEqual(Array.from({ length: count }, (_, i) => JSON.stringify({ epoch: i + 1 })));
  });

  test('has every line on flush and on close, and goes on where it ended', async () => {
    const journal = await openJournal(path('flushed'));
    for (const epoch of [1, 2, 3]) await journal.append({ epoch });
    await journal.flush();
    expect(read('flushed')).toBe('{"epoch":1}\n{"epoch":2}\n{"epoch":3}\n');
    await journal.append({ epoch: 4 });
    await journal.close();
    const again = await openJournal(path('flushed'));
    await again.append({ epoch: 5 });
    await again.close();
    expect(await openFilesIn(folder)).toEqual([]);
    expect(read('flushed')).toBe([1, 2, 3, 4, 5].map((epoch) => `{"epoch":${epoch}}\n`).join(''));
  });

  test('is cut to the bytes that are wanted of it, and says how many it has', async () => {
    const journal = await openJournal(join(folder, 'cut'));
    await journal.append({ epoch: 1 });
    const bytes = await journal.sync();
    expect(bytes).toBe('{"epoch":1}\n'.length);
    expect(read('cut')).toHaveLength(bytes);
    await journal.append({ epoch: 2 });
    await journal.close();
    writeFileSync(join(folder, 'cut'), `${read('cut')}{"epo`); // as a kill may leave it
    const again = await openJournal(join(folder, 'cut'), bytes);
    await again.append({ epoch: 22 });
    expect(await again.sync()).toBe('{"epoch":1}\n{"epoch":22}\n'.length);
    await again.close();
    expect(read('cut')).toBe('{"epoch":1}\n{"epoch":22}\n');
  });

  test('that finds no room keeps its lines, and says so to whoever relies on them', {
    skip: !existsSync('/dev/full'),
  }, async () => {
    const journal = await openJournal('/dev/full');
    await journal.append({ epoch: 1 });
    await expect(journal.flush()).rejects.toMatchObject({
      message: "/dev/full: can't be written: no space left on the disk",
      exitCode: 3,
      cause: expect.any(Error),
    });
    await expect(journal.sync()).rejects.toThrow('no space left');
    await expect(journal.close()).rejects.toThrow('no space left');
  });
});
