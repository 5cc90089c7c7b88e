import { execFileSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { UserError } from '../../src/errors.ts';
import type { TrialResult } from '../../src/results/tuning.ts';
import { lockName } from '../../src/run/lock.ts';
import { openSearch, readSearchConfig, readTrials, searchFiles, writeConfig } from '../../src/run/search-folder.ts';
import { openFilesIn } from './open-files.ts';

const failed = (trial: number, set = 'training.l2=0'): TrialResult => ({
  ...{ trial, rung: 0, epochs: 5, set: [set], score: null, error: 'diverged', seconds: 1 },
});
const line = (...of: Parameters<typeof failed>) => `${JSON.stringify(failed(...of))}\n`;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nn-search-'));
});
afterEach(() => rm(root, { recursive: true }));

/** A config whose pictures lie beside it. */
async function config({ trials = 4, epochs = 5, highest = 0.1 }: { trials?: number; epochs?: number; highest?: number } = {}) {
  const search = { trials, parameters: { 'training.learningRate': { logUniform: [0.001, highest] } } };
  const content = { data: { source: { type: 'folder', path: 'pictures' } }, training: { epochs }, search };
  await writeFile(join(root, 'c.json'), JSON.stringify({ $schema: './schema.json', ...content }));
  return loadConfig(join(root, 'c.json'));
}
const place = () => join(root, 'deep', 'search');
const journal = () => join(place(), searchFiles.journal);
const open = async (change = {}) => openSearch(place(), await config(change));

async function refusal(act: () => Promise<unknown>): Promise<UserError> {
  const error = await act().then(
    () => undefined,
    (found: unknown) => found,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

describe('the folder of a search', () => {
  test('is made, with a config that leads to the same pictures, and knows of no trials yet', async () => {
    const search = await open();
    await search.close();
    expect(search.path).toBe(place());
    expect(search.known).toEqual([]);
    expect((await readdir(place())).sort()).toEqual([searchFiles.config, searchFiles.journal].sort());
    const found = await readSearchConfig(place());
    expect(found.config.data.source).toMatchObject({ path: '../../pictures' });
    expect(found.config).not.toHaveProperty('$schema');
    expect(found.config.search).toMatchObject({ trials: 4 });
  });

  test('is refused where a pipe, or a folder, stands in the place of its trials, and given free', async () => {
    await (await open()).close();
    for (const [make, reason] of [
      [() => mkdir(journal()), 'it is a folder'],
      ...(process.platform === 'win32' ? [] : [[() => execFileSync('mkfifo', [journal()]), 'a pipe'] as const]),
    ] as const) {
      await rm(journal(), { recursive: true });
      await make();
      const error = await refusal(open);
      expect(error.exitCode).toBe(3);
      expect(error.message).toBe(`${journal()}: can't be written: ${reason}`);
      expect((await refusal(() => readTrials(place()))).message).toContain(reason);
      expect((await readdir(place())).sort()).toEqual([searchFiles.config, searchFiles.journal].sort());
      expect(await openFilesIn(root)).toEqual([]);
    }
  });

  test('is given free also where its trials cannot be closed', { skip: process.platform !== 'linux' }, async () => {
    const search = await open();
    for (const number of await readdir('/proc/self/fd')) {
      const path = await readlink(join('/proc/self/fd', number)).catch(() => ''); // that of the listing itself is closed by now
      if (path === journal()) closeSync(Number(number)); // what it is to close is closed already
    }
    await expect(search.close()).rejects.toMatchObject({ code: 'EBADF' });
    expect(await readdir(place())).not.toContain(lockName);
  });

  test('has a line for each trial, and an interrupted search goes on behind them', async () => {
    const first = await open();
    for (const trial of [1, 2]) await first.append(failed(trial));
    await first.close();
    expect(await readFile(journal(), 'utf8')).toBe(line(1) + line(2));
    const second = await open();
    expect(second.known).toEqual([failed(1), failed(2)]);
    await second.append(failed(3));
    await second.close();
    expect(await openFilesIn(root)).toEqual([]);
    expect(await readTrials(place())).toEqual([failed(1), failed(2), failed(3)]);
  });

  test.each(['{"trial":2', line(2).trimEnd(), 'é', ' '])(
    'loses a last line without an end, as a kill leaves it, and no other: %j',
    async (cut) => {
      await (await open()).close();
      await writeFile(journal(), `${line(1, 'note=é')}${cut}`);
      const search = await open();
      expect(search.known).toEqual([failed(1, 'note=é')]);
      await search.append(failed(3));
      await search.close();
      expect(await readFile(journal(), 'utf8')).toBe(line(1, 'note=é') + line(3));
    },
  );

  test('takes up a search that asks for more trials, and refuses one that asks for something else', async () => {
    await (await open()).close();
    await (await open({ trials: 9 })).close();
    expect((await readSearchConfig(place())).config.search).toMatchObject({ trials: 4 }); // it stays what it began with
    expect((await refusal(() => open({ highest: 1 }))).message).toContain('expected the search that this config describes');
    const error = await refusal(() => open({ epochs: 6 }));
    expect(error.exitCode).toBe(2);
    expect(error.message).toBe(
      `--output ${place()}: expected the search that this config describes, found another in ${join(place(), searchFiles.config)}`,
    );
    expect(error.hint).toMatch(/^Name another folder, or go on/);
    expect((await readSearchConfig(place())).config.training.epochs).toBe(5);
  });

  test('is refused where a file stands', async () => {
    await mkdir(join(root, 'deep'));
    await writeFile(place(), '');
    const error = await refusal(open);
    expect(error.exitCode).toBe(2);
    expect(error.message).toMatch(/^--output .*: expected a folder that can be written, found: /);
    expect(error.cause).toBeInstanceOf(Error);
  });
});

describe('the trials of a search', () => {
  const read = async (text: string) => {
    await mkdir(place(), { recursive: true });
    await writeFile(journal(), text);
    return readTrials(place());
  };

  test('are none where there is no journal, or an empty one', async () => {
    expect(await readTrials(place())).toEqual([]);
    expect(await read('')).toEqual([]);
  });

  test('are read without the line that is being written', async () => {
    expect(await read(`${line(1)}\n${line(2)}{"tri`)).toEqual([failed(1), failed(2)]);
  });

  test.each(['not JSON', '{"trial":1}', 'null'])('are refused with the line that is none of them: %s', async (other) => {
    const error = await refusal(() => read(`${line(1)}${other}\n${line(2)}`));
    expect(error.exitCode).toBe(3);
    expect(error.message).toBe(`${journal()}, line 2: expected a trial of nn tune, found ${other}`);
  });

  test('are refused without the whole of a long line', async () => {
    const error = await refusal(() => read(`${'x'.repeat(1000)}\n`));
    expect(error.message.endsWith(`found ${'x'.repeat(40)}`)).toBe(true);
  });

  test('that cannot be read are an error with the reason', async () => {
    await mkdir(journal(), { recursive: true });
    const error = await refusal(() => readTrials(place()));
    expect(error.exitCode).toBe(3);
    expect(error.message).toMatch(new RegExp(`^${journal()}: expected the trials of a search, found: `));
    expect(error.cause).toBeInstanceOf(Error);
  });
});

test('a config that is written elsewhere leads to the same pictures from there', async () => {
  const loaded = await config();
  await writeConfig(join(root, 'best.json'), loaded, join(root, 'a', 'b'));
  const text = await readFile(join(root, 'best.json'), 'utf8');
  expect(JSON.parse(text).data.source.path).toBe('../../pictures');
  expect(text.endsWith('}\n')).toBe(true);
});
