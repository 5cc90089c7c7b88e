import { mkdir, mkdtemp, readdir, readFile, readlink, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, isAbsolute, join, relative, resolve } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Examples } from '../../src/data/examples.ts';
import { UserError } from '../../src/errors.ts';
import { findExamples } from '../../src/library/run-part.ts';
import { numpyRandom } from '../../src/random.ts';
import { defaultModel, latestName, runsFolder, shownPath } from '../../src/run/places.ts';
import { createRun, linkLatest, readRunConfig, runFiles, runName, writeSummary } from '../../src/run/run-folder.ts';
import { readSplit, type SplitRow, writeSplit } from '../../src/run/split-file.ts';

let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'nn-runs-')));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Writes a config and loads it. */
async function config(data: object, folder = join(root, 'configs')) {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'my.json'), JSON.stringify({ $schema: './schema.json', data }));
  return loadConfig(join(folder, 'my.json'));
}

const drawn = { source: { type: 'drawn', count: 20 } };

async function refusal(act: () => Promise<unknown>): Promise<UserError> {
  const error = await act().then(
    () => undefined,
    (found: unknown) => found,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

describe('a new run', () => {
  test('makes its folder, whole, with its config and an empty journal', async () => {
    const path = join(root, 'deep', 'er', 'run');
    await (await createRun(path, await config(drawn), false)).close();
    expect((await readdir(path)).sort()).toEqual([runFiles.config, runFiles.journal]);
    expect(await readFile(join(path, runFiles.journal), 'utf8')).toBe('');
  });

  test('may stand in a folder with other things', async () => {
    const path = join(root, 'run');
    await mkdir(path);
    await writeFile(join(path, 'notes.txt'), 'mine');
    await (await createRun(path, await config(drawn), true)).close();
    expect(await readFile(join(path, 'notes.txt'), 'utf8')).toBe('mine');
  });

  test.each(Object.values(runFiles))('is refused where %s of another stands, and harms nothing', async (name) => {
    const path = join(root, 'run');
    await mkdir(path);
    await writeFile(join(path, name), 'old');
    const loaded = await config(drawn);
    const error = await refusal(() => createRun(path, loaded, false));
    expect(error.exitCode).toBe(2);
    expect(error.message).toContain(`found one that holds ${name}`);
    expect(error.hint).toMatch(/--force/);
    expect(await readFile(join(path, name), 'utf8')).toBe('old');
    expect(await readdir(path)).toEqual([name]);
  });

  test('takes the place of another by force, of which nothing is left', async () => {
    const path = join(root, 'run');
    await mkdir(path);
    for (const name of Object.values(runFiles)) await writeFile(join(path, name), 'old');
    await writeFile(join(path, 'notes.txt'), 'mine');
    await (await createRun(path, await config(drawn), true)).close();
    expect((await readdir(path)).sort()).toEqual([runFiles.config, runFiles.journal, 'notes.txt'].sort());
    expect(await readFile(join(path, runFiles.journal), 'utf8')).toBe('');
    expect((await readRunConfig(path)).config.data.source).toMatchObject({ type: 'drawn', count: 20 });
  });

  test('is refused where a file stands', async () => {
    await writeFile(join(root, 'file'), '');
    const loaded = await config(drawn);
    for (const place of ['file', 'file/run']) {
      const error = await refusal(() => createRun(join(root, place), loaded, true));
      expect(error.exitCode).toBe(2);
      expect(error.message).toMatch(/^--output .*: expected a folder that can be written, found: /);
    }
  });

  test('keeps its summary as JSON', async () => {
    await writeSummary(root, { run: 'x', warnings: ['a "b"'] });
    expect(JSON.parse(await readFile(join(root, runFiles.summary), 'utf8'))).toEqual({ run: 'x', warnings: ['a "b"'] });
  });
});

describe("a run's config", () => {
  /** The absolute places that a config's sources mean. */
  async function placesOf(run: string): Promise<string[]> {
    const { config: found, folder } = await readRunConfig(run);
    return (['source', 'train', 'dev', 'test'] as const).flatMap((part) => {
      const source = found.data[part];
      return source && 'path' in source ? [resolve(folder, source.path)] : [];
    });
  }

  test('leads to the same pictures from the folder of the run', async () => {
    const loaded = await config({ source: { type: 'folder', path: '../pictures' } });
    for (const place of ['run', 'a/b/c/run', 'configs/run', 'pictures/run']) {
      await (await createRun(join(root, place), loaded, false)).close();
      expect(await placesOf(join(root, place))).toEqual([join(root, 'pictures')]);
    }
  });

  test('leads to the same pictures of every part', async () => {
    const loaded = await config({
      train: { type: 'csv', path: 'train.csv' },
      dev: { type: 'hdf5', path: '../dev.h5' },
      test: { type: 'folder', path: '.' },
    });
    await (await createRun(join(root, 'run'), loaded, false)).close();
    const wanted = [join(root, 'configs', 'train.csv'), join(root, 'dev.h5'), join(root, 'configs')];
    expect(await placesOf(join(root, 'run'))).toEqual(wanted);
    const text = await readFile(join(root, 'run', runFiles.config), 'utf8');
    expect(text).not.toContain(root);
    expect(text).not.toContain('\\\\');
  });

  test('keeps an absolute path as the user wrote it', async () => {
    const path = join(root, 'pictures', '..', 'pictures');
    await (await createRun(join(root, 'run'), await config({ source: { type: 'folder', path } }), false)).close();
    const { config: found } = await readRunConfig(join(root, 'run'));
    expect(found.data.source).toMatchObject({ path });
  });

  test('may be moved with its pictures', async () => {
    const loaded = await config({ source: { type: 'folder', path: '../pictures' } }, join(root, 'all', 'configs'));
    await (await createRun(join(root, 'all', 'run'), loaded, false)).close();
    await rename(join(root, 'all'), join(root, 'moved'));
    expect(await placesOf(join(root, 'moved', 'run'))).toEqual([join(root, 'moved', 'pictures')]);
  });

  test('leads to its pictures also through `latest`, however deep the run lies', async () => {
    const loaded = await config({ source: { type: 'folder', path: '../pictures' } });
    const run = join(root, 'elsewhere', 'very', 'deep', 'run');
    await (await createRun(run, loaded, false)).close();
    await linkLatest(join(root, 'runs'), run);
    expect(await placesOf(join(root, 'runs', latestName))).toEqual([join(root, 'pictures')]);
  });

  test('leads to its pictures when the run was made through a link', async () => {
    const loaded = await config({ source: { type: 'folder', path: '../pictures' } });
    await mkdir(join(root, 'far', 'away'), { recursive: true });
    await symlink(join(root, 'far', 'away'), join(root, 'runs'), 'junction');
    await (await createRun(join(root, 'runs', 'one'), loaded, false)).close();
    expect(await placesOf(join(root, 'runs', 'one'))).toEqual([join(root, 'pictures')]);
    expect(await placesOf(join(root, 'far', 'away', 'one'))).toEqual([join(root, 'pictures')]);
  });

  test('has every default, so that it means the same in a later version', async () => {
    const loaded = await config(drawn);
    await (await createRun(join(root, 'run'), loaded, false)).close();
    const text = JSON.parse(await readFile(join(root, 'run', runFiles.config), 'utf8'));
    expect(text.training.epochs).toBe(100);
    expect(text.data.normalize).toBe('standardizeChannels');
    expect(text.defaults).toBe('0.2.0');
    expect(text.seed).toBe(1);
    expect(text).not.toHaveProperty('$schema');
    const { $schema: _, ...wanted } = loaded.config;
    expect((await readRunConfig(join(root, 'run'))).config).toEqual(wanted);
  });

  test('that is missing is an error', async () => {
    expect((await refusal(() => readRunConfig(join(root, 'nothing')))).message).toMatch(/no such file or folder/);
  });
});

describe('latest', () => {
  const latest = () => join(root, 'runs', latestName);
  const where = async () => realpath(latest());

  async function makeRun(...parts: string[]): Promise<string> {
    const path = join(root, ...parts);
    await mkdir(path, { recursive: true });
    return path;
  }

  test('leads to the newest run, and from one to the next', async () => {
    for (const name of ['one', 'two']) {
      const run = await makeRun('runs', name);
      await linkLatest(join(root, 'runs'), run);
      expect(await where()).toBe(run);
    }
    expect((await readdir(join(root, 'runs'))).sort()).toEqual(['latest', 'one', 'two']);
  });

  test.skipIf(process.platform === 'win32')('is relative, so that the runs can be moved', async () => {
    await linkLatest(join(root, 'runs'), await makeRun('runs', 'one'));
    expect(isAbsolute(await readlink(latest()))).toBe(false);
    await rename(join(root, 'runs'), join(root, 'moved'));
    expect(await realpath(join(root, 'moved', latestName))).toBe(join(root, 'moved', 'one'));
  });

  test('leads to a run wherever it is, and its folder is made', async () => {
    const run = await makeRun('some', 'where', 'else');
    await linkLatest(join(root, 'runs'), run);
    expect(await where()).toBe(run);
  });

  test('leads to a run that is named relative to the working directory', async () => {
    const run = await makeRun('some', 'run');
    await linkLatest(relative(process.cwd(), join(root, 'runs')), relative(process.cwd(), run));
    expect(await where()).toBe(run);
  });

  test('leads to the run when the runs folder is itself a link', async () => {
    const run = await makeRun('some', 'run');
    await makeRun('far', 'away', 'runs');
    await symlink(join(root, 'far', 'away', 'runs'), join(root, 'runs'), 'junction');
    await linkLatest(join(root, 'runs'), run);
    expect(await where()).toBe(run);
  });

  test('leads to the run when the run was named by it', async () => {
    const run = await makeRun('runs', 'one');
    await linkLatest(join(root, 'runs'), run);
    await linkLatest(join(root, 'runs'), latest());
    expect(await where()).toBe(run);
  });

  test('leads to the runs folder where that is the run', async () => {
    const run = await makeRun('runs');
    await linkLatest(run, run);
    expect(await where()).toBe(run);
  });

  test('replaces a link that leads nowhere', async () => {
    const run = await makeRun('runs', 'two');
    await symlink('gone', latest(), 'junction');
    await linkLatest(join(root, 'runs'), run);
    expect(await where()).toBe(run);
  });

  test('leads to one of them when many runs end at once', async () => {
    const runs = await Promise.all(Array.from({ length: 20 }, (_, i) => makeRun('runs', `${i}`)));
    await Promise.all(runs.map((run) => linkLatest(join(root, 'runs'), run)));
    expect(runs).toContain(await where());
    expect((await readdir(join(root, 'runs'))).sort()).toEqual([...runs.map((run) => basename(run)), latestName].sort());
  });

  test('does not replace a folder of the user', async () => {
    const run = await makeRun('runs', 'one');
    await writeFile(join(await makeRun('runs', latestName), 'mine'), '');
    const error = await refusal(() => linkLatest(join(root, 'runs'), run));
    expect(error.message).toMatch(/something that is not a link stands there/);
    expect(error.exitCode).toBe(3);
    expect(error.cause).toBeInstanceOf(Error);
    expect((await readdir(join(root, 'runs'))).sort()).toEqual(['latest', 'one']);
  });
});

describe('names', () => {
  test('of a run are those of its config and the time', () => {
    const now = new Date('2026-11-22T21:05:30.123Z');
    expect(runName('configs/quickstart.json', now)).toBe('quickstart-2026-11-22T21-05-30');
    expect(runName('C:\\configs\\My Own.JSON', now)).toBe('My Own-2026-11-22T21-05-30');
    expect(runName('a/b/my.json.old.json', now)).toBe('my.json.old-2026-11-22T21-05-30');
  });

  test('of the runs folder comes from the environment, else it is runs', () => {
    expect(runsFolder({})).toBe('runs');
    expect(runsFolder({ NN_RUNS: '' })).toBe('runs');
    expect(runsFolder({ NN_RUNS: 'x' })).toBe('x');
  });

  test('of the model: NN_MODEL, else the run to which latest leads', async () => {
    const runs = join(root, 'some-runs');
    expect(await defaultModel({ NN_RUNS: runs, NN_MODEL: 'y' })).toBe('y');
    expect(await defaultModel({ NN_RUNS: runs })).toBe(join(runs, 'latest')); // not there: whoever reads it says so
    for (const run of [join(root, 'far', 'run'), join(runs, 'one')]) await mkdir(run, { recursive: true });
    await linkLatest(runs, join(root, 'far', 'run'));
    expect(await defaultModel({ NN_RUNS: runs })).toBe(join(root, 'far', 'run'));
    await linkLatest(runs, join(runs, 'one'));
    expect(await defaultModel({ NN_RUNS: runs })).toBe(join(runs, 'one'));
  });

  test('of places are told from the working folder, or from the root', () => {
    expect(shownPath('.')).toBe('.');
    expect(shownPath(resolve('runs', 'one'))).toBe(join('runs', 'one'));
    expect(shownPath(join('runs', '..', '..x'))).toBe('..x');
    expect(shownPath('..')).toBe(resolve('..'));
    expect(shownPath(join('..', 'other', 'run'))).toBe(resolve('..', 'other', 'run'));
  });
});

const classes = { positive: 'cat', negative: 'noncat' };

/** Examples without pixels: only who they are matters here. */
function examplesOf(rows: readonly { name: string; hash: string; label: 0 | 1 }[]): Examples {
  return {
    features: 0,
    pixels: new Uint8Array(),
    labels: Uint8Array.from(rows, ({ label }) => label),
    names: rows.map(({ name }) => name),
    hashes: rows.map(({ hash }) => hash),
  };
}

describe('split.csv', () => {
  const hash = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((n) => n.toString(16).padStart(32, '0'));
  const label = fc.constantFrom(0 as const, 1 as const);
  const name = fc.oneof(
    fc.string({ minLength: 1, unit: 'grapheme' }),
    fc.string({ minLength: 1, unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', "'", '\\', ';', '\t', '#') }),
  );
  const part = fc.array(fc.record({ name, hash, label }), { maxLength: 8 });

  test('gives back what was written, whatever the pictures and classes are called', async () => {
    await fc.assert(
      fc.asyncProperty(part, part, part, name, name, async (train, dev, test_, positive, negative) => {
        fc.pre(positive !== negative);
        const named = { positive, negative };
        const parts = { train: examplesOf(train), dev: examplesOf(dev), test: examplesOf(test_) };
        await writeSplit(root, parts, named);
        const wanted = [
          ...train.map((row) => ({ ...row, part: 'train' })),
          ...dev.map((row) => ({ ...row, part: 'dev' })),
          ...test_.map((row) => ({ ...row, part: 'test' })),
        ];
        expect(await readSplit(root, named)).toEqual(wanted);
      }),
      { numRuns: 60 },
    );
  });

  test('is a table that other programs read', async () => {
    const rows = [
      { name: 'cat/a.png', hash: 'aa', label: 1 as const },
      { name: 'x, "y".png', hash: 'bb', label: 0 as const },
    ];
    await writeSplit(root, { train: examplesOf(rows) }, classes);
    expect(await readFile(join(root, runFiles.split), 'utf8')).toBe(
      'name,hash,label,part\ncat/a.png,aa,cat,train\n"x, ""y"".png",bb,noncat,train\n',
    );
  });

  test('that is not there, or another table, is refused', async () => {
    const error = await refusal(() => readSplit(root, classes));
    expect(error.exitCode).toBe(4);
    expect(error.message).toMatch(/expected the parts of a run, found: no such file or folder/);
    for (const text of [
      'name,hash,label,part\na,b,cat,elsewhere\n',
      'name,hash,label,part\na,b,dog,train\n',
      'name,hash,label,part\na,,cat,train\n',
      'path,label\na,cat\n',
      'name,hash,label,part\na,b\n',
      'name,hash,label,part\n"a,b,cat,train\n',
    ]) {
      await writeFile(join(root, runFiles.split), text);
      expect((await refusal(() => readSplit(root, classes))).exitCode).toBe(4);
    }
  });
});

describe("a run's pictures are found by their content", () => {
  const row = (i: number): SplitRow => ({ name: `old/${i}.png`, hash: `h${i}`, label: i % 2 === 0 ? 1 : 0, part: 'test' });
  const what = { part: 'test', where: 'the data' };
  const findIn = async (rows: Parameters<typeof findExamples>[0], examples: Examples) => [
    ...(await findExamples(rows, [examples], what))[0]!,
  ];

  test('in whichever set they are', async () => {
    const [first, second] = [examplesOf([row(1), row(5)]), examplesOf([row(4), row(2), row(1)])];
    const found = await findExamples([row(1), row(2), row(1), row(4)], [first, second], what);
    expect(found.map((some) => [...some])).toEqual([[0], [1, 2, 0]]);
  });

  test('wherever they lie now, and in the order of the run', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.nat(), async (count, seed) => {
        const rows = Array.from({ length: count }, (_, i) => row(i));
        const order = numpyRandom(seed).permutation(count + 5);
        const examples = examplesOf(Array.from(order, (i) => ({ ...row(i), name: `new/${seed}-${i}.jpg` })));
        const found = [...(await findExamples(rows, [examples], what))[0]!];
        expect(found.map((i) => examples.hashes[i])).toEqual(rows.map(({ hash }) => hash));
        expect(found.map((i) => examples.labels[i])).toEqual(rows.map(({ label }) => label));
      }),
    );
  });

  test('each once, where a picture stands in the data several times', async () => {
    const twins = [row(1), { ...row(1), name: 'old/twin.png' }, row(2)];
    expect(await findIn(twins, examplesOf(twins))).toEqual([0, 1, 2]);
  });

  test('again, where there were two of it and one was taken away', async () => {
    const twins = [row(1), { ...row(1), name: 'old/twin.png' }];
    expect(await findIn(twins, examplesOf([row(2), row(1)]))).toEqual([1, 1]);
  });

  test('not under the other label', async () => {
    const both = [{ ...row(1), label: 1 as const }, row(1)];
    expect(await findIn([row(1)], examplesOf(both))).toEqual([1]);
    await expect(findIn([row(1)], examplesOf([both[0]!]))).rejects.toThrow(UserError);
  });

  test('or it is said how many are missing, and one of them by name', async () => {
    let error: unknown;
    try {
      await findIn([row(1), row(2), row(3)], examplesOf([row(2)]));
    } catch (found) {
      error = found;
    }
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).exitCode).toBe(3);
    expect((error as UserError).message).toBe(
      "the data: expected the 3 pictures of the run's test part, 2 are not there, such as old/1.png",
    );
    expect((error as UserError).hint).toMatch(/--data/);
  });
});
