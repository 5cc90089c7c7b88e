import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { nn } from '../cli.ts';
import { folderConfig, readJson, run, temporaryFolder, writeClasses, writeJson } from './pictures.ts';

type SplitName = 'train' | 'dev' | 'test';
interface Metrics {
  accuracy: number;
  accuracyInterval: [number, number];
  error: number;
  baseline: number;
  precision: number | null;
  recall: number | null;
  confusion: Record<'tp' | 'fp' | 'fn' | 'tn', number>;
}
interface Row {
  file: string;
  truth: string;
  label: string;
  p: number;
  confidence: number;
  correct: boolean;
  path: string | null;
}
type Judged = Metrics & { rows: Row[]; worst: Row[] };

let folder: string;
let metrics: Record<SplitName, Metrics>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeClasses(join(folder, 'pictures'), 25);
  // too few epochs for a perfect model: its errors are of interest here
  await writeJson(join(folder, 'c.json'), folderConfig({ training: { epochs: 8, learningRate: 0.005 } }));
  await run(0, ['train', '-c', 'c.json', '-o', 'model', '-q'], { cwd: folder });
  metrics = (await readJson<{ metrics: typeof metrics }>(join(folder, 'model', 'summary.json'))).metrics;
});
afterAll(() => rm(folder, { recursive: true }));

const evaluate = (code: number, words: string[], options: Partial<Parameters<typeof nn>[1]> = {}) =>
  run(code, ['evaluate', '--model', join(folder, 'model'), ...words], { cwd: folder, ...options });
const judged = async (words: string[], options: Partial<Parameters<typeof nn>[1]> = {}) =>
  JSON.parse((await evaluate(0, ['--json', ...words], options)).stdout) as Judged;

describe("the run's own data", () => {
  test.each(['train', 'dev', 'test'] as const)('--split %s repeats the figures of the training, to the bit', async (part) => {
    expect(await judged(['--split', part])).toEqual(metrics[part]);
  });

  test('test is the default', async () => {
    expect(await judged([])).toEqual(metrics.test);
  });

  test('--split all is the three together', async () => {
    const { confusion } = await judged(['--split', 'all']);
    for (const key of ['tp', 'fp', 'fn', 'tn'] as const) {
      expect(confusion[key]).toBe(metrics.train.confusion[key] + metrics.dev.confusion[key] + metrics.test.confusion[key]);
    }
  });

  test('from another working directory, through latest, and by the model file', async () => {
    const cwd = join(folder, 'runs');
    for (const model of ['latest', '../model', '../model/model.safetensors', join(folder, 'model')]) {
      expect(JSON.parse((await run(0, ['evaluate', '--json', '-m', model], { cwd })).stdout), model).toEqual(metrics.test);
    }
    expect(JSON.parse((await run(0, ['evaluate', '--json'], { cwd: folder })).stdout)).toEqual(metrics.test);
  });

  test('a part that the run does not have: exit 3, and which it has', async () => {
    const words = ['-c', 'c.json', '-o', 'two-parts', '-q', '--set', 'data.split={"test":0.2}'];
    await run(0, ['train', ...words], { cwd: folder, env: { NN_RUNS: 'elsewhere' } });
    const { stderr } = await run(3, ['evaluate', '-m', 'two-parts', '--split', 'dev'], { cwd: folder });
    expect(stderr).toMatch(/--split dev: .*train and test/);
  });
});

describe('a run that was moved', () => {
  beforeAll(async () => {
    await mkdir(join(folder, 'far', 'away'), { recursive: true });
    await cp(join(folder, 'model'), join(folder, 'copy'), { recursive: true });
    await rename(join(folder, 'copy'), join(folder, 'far', 'away', 'moved'));
  });
  const words = (...more: string[]) => ['evaluate', '--json', '--model', join('far', 'away', 'moved'), ...more];

  test('asks for --data', async () => {
    const { stdout, stderr } = await run(3, words(), { cwd: folder });
    expect(stderr).toMatch(/pictures.*\n.*--data/);
    expect(JSON.parse(stdout).error).toMatchObject({ code: 3, hint: expect.stringContaining('--data') });
  });

  test.each(['train', 'dev', 'test'] as const)('with --data has the same figures: %s', async (part) => {
    const { stdout } = await run(0, words('--data', 'pictures', '--split', part), { cwd: folder });
    expect(JSON.parse(stdout)).toEqual(metrics[part]);
  });

  test('finds the pictures by what is in them, under whatever name', async () => {
    for (const name of ['cat', 'thing']) {
      await mkdir(join(folder, 'renamed', name, 'sub'), { recursive: true });
      for (let i = 0; i < 25; i++) {
        const from = join(folder, 'pictures', name, `${String(i).padStart(2, '0')}.png`);
        await cp(from, join(folder, 'renamed', name, i % 2 ? 'sub' : '', `p${(i * 7) % 25}.png`));
      }
    }
    const asked = words('--data', 'renamed', '--split', 'test');
    const { stdout } = await run(0, asked, { cwd: folder });
    expect(JSON.parse(stdout)).toEqual(metrics.test);
    const text = await run(
      0,
      asked.filter((word) => word !== '--json'),
      { cwd: folder },
    );
    expect(text.stdout).toMatch(/test of .*moved, from renamed/);
  });

  test('with data that are not those of the run: exit 3, and what is missing', async () => {
    await writeClasses(join(folder, 'others'), 2);
    const { stderr } = await run(3, words('--data', 'others', '--split', 'test'), { cwd: folder });
    expect(stderr).toMatch(/others: .*10 pictures.*not there, such as (cat|thing)\/\d\d\.png\n.*--split all/);
  });
});

describe('rows', () => {
  test('--predictions has the same p as nn predict, to the bit', async () => {
    const { rows } = await judged(['--split', 'all', '--predictions']);
    const predicted = (await run(0, ['predict', '--json', '-m', 'model', 'pictures'], { cwd: folder })).stdout
      .trimEnd()
      .split('\n');
    const byFile = new Map(predicted.map((line) => JSON.parse(line) as Row).map(({ file, p, label }) => [file, { p, label }]));
    expect(rows).toHaveLength(50);
    for (const { file, p, label } of rows) expect({ p, label }).toEqual(byFile.get(join('pictures', file)));
  });

  test('give the metrics again', async () => {
    const { rows, ...figures } = await judged(['--split', 'all', '--predictions', '--threshold', '0.52']);
    const count = (truth: string, label: string) => rows.filter((row) => row.truth === truth && row.label === label).length;
    expect(figures.confusion).toEqual({
      tp: count('cat', 'cat'),
      fp: count('thing', 'cat'),
      fn: count('cat', 'thing'),
      tn: count('thing', 'thing'),
    });
    const correct = rows.filter((row) => row.correct).length;
    expect(figures.accuracy).toBe(correct / 50);
    expect(figures.error).toBeCloseTo(1 - correct / 50, 12);
    expect(figures.baseline).toBe(0.5);
    for (const { p, label, truth, confidence, correct, file } of rows) {
      expect(label).toBe(p > 0.52 ? 'cat' : 'thing');
      expect(correct).toBe(label === truth);
      expect(confidence).toBe(label === 'cat' ? p : 1 - p);
      expect(file.split('/')[0]).toBe(truth);
    }
  });

  test('--csv has them too', async () => {
    const { rows } = await judged(['--predictions']);
    const lines = (await evaluate(0, ['--csv'])).stdout.trimEnd().split('\n');
    expect(lines[0]).toBe('file,truth,label,p,confidence,correct,path');
    expect(lines.slice(1)).toEqual(rows.map((row) => Object.values(row).join(',')));
  });

  test.each<[string, () => string[]]>([
    ["the run's own data", () => ['--split', 'all']],
    ['a folder', () => ['--data', 'pictures']],
    ['a folder by its whole path', () => ['--data', join(folder, 'pictures')]],
    ['a table', () => ['--data', 'some.csv']],
  ])('name files as nn predict does, so that one pipes into the other: of %s', async (_, words) => {
    await writeFile(join(folder, 'some.csv'), 'path,label\npictures/cat/00.png,cat\npictures/thing/03.png,thing\n');
    const { rows } = await judged([...words(), '--predictions']);
    const input = rows.map(({ path }) => `${path}\n`).join('');
    const predicted = (await run(0, ['predict', '--json', '-m', 'model', '@-'], { cwd: folder, input })).stdout;
    const lines = predicted.trimEnd().split('\n').map((line) => JSON.parse(line) as Row); // biome-ignore format: a chain of calls
    expect(lines.map(({ file, p, label }) => ({ file, p, label }))).toEqual(
      rows.map(({ path, p, label }) => ({ file: path, p, label })),
    );
    if (words()[1] !== join(folder, 'pictures') && words()[1] !== 'pictures') return;
    const named = (await run(0, ['predict', '--json', '-m', 'model', words()[1]!], { cwd: folder })).stdout;
    const files = named.trimEnd().split('\n').map((line) => (JSON.parse(line) as Row).file); // biome-ignore format: a chain of calls
    expect(rows.map(({ path }) => path).sort()).toEqual(files.sort());
  });

  test('have no path where a picture is no file', async () => {
    await run(0, ['data', 'pack', 'pictures', '--out', 'packed.safetensors', '--size', '16', '-q'], { cwd: folder });
    const { rows } = await judged(['--data', 'packed.safetensors', '--predictions']);
    expect(new Set(rows.map(({ path }) => path))).toEqual(new Set([null]));
    const { stdout } = await evaluate(0, ['--data', 'packed.safetensors', '--csv']);
    expect(stdout.split('\n')[1]).toMatch(/,(true|false),$/);
  });

  test('--worst names the most confident errors, worst first, by paths that can be opened', async () => {
    const split = ['--split', 'all', '--threshold', '0.55'];
    const { rows, worst } = await judged([...split, '--predictions', '--worst', '3']);
    const errors = rows.filter(({ correct }) => !correct).sort((a, b) => b.confidence - a.confidence);
    expect(errors.length).toBeGreaterThan(3);
    expect(worst.map(({ confidence }) => confidence)).toEqual(errors.slice(0, 3).map(({ confidence }) => confidence));
    for (const { file } of worst) await readFile(join(folder, file));
    const { stdout } = await evaluate(0, [...split, '--worst', '3']);
    const listed = stdout.trimEnd().split('\n').slice(-3);
    for (const [i, { file, truth, label }] of worst.entries()) {
      for (const word of [file, `is ${truth}`, `called ${label}`]) expect(listed[i]).toContain(word);
    }
  });

  test('--worst says so where there are no errors', async () => {
    await mkdir(join(folder, 'certain'));
    const cats = (await judged(['--split', 'all', '--predictions'])).rows.filter(({ truth }) => truth === 'cat');
    const things = (await judged(['--split', 'all', '--predictions'])).rows.filter(({ truth }) => truth === 'thing');
    const [cat] = cats.sort((a, b) => b.p - a.p);
    const [thing] = things.sort((a, b) => a.p - b.p);
    await writeFile(
      join(folder, 'certain', 'two.csv'),
      `path,label\n../pictures/${cat!.file},cat\n../pictures/${thing!.file},thing\n`,
    );
    const { stdout } = await evaluate(0, [
      '--data',
      'certain/two.csv',
      '--worst',
      '3',
      '--threshold',
      String((cat!.p + thing!.p) / 2),
    ]);
    expect(stdout).toMatch(/No errors\.\n$/);
  });
});

test('a picture that stands in the sources of two parts leaves the rows of a part in their order', async () => {
  const words = [
    '-c',
    'c.json',
    '-o',
    'twice',
    '-q',
    '--set',
    'data={"train":{"type":"folder","path":"pictures"},"test":{"type":"folder","path":"exam"},"imageSize":16}',
  ];
  await writeClasses(join(folder, 'exam'), 3, { from: 24 }); // the last pictures of `pictures`, and two that are new
  await run(0, ['train', ...words], { cwd: folder });
  const rows = (
    JSON.parse((await run(0, ['evaluate', '-m', 'twice', '--json', '--predictions'], { cwd: folder })).stdout) as Judged
  ).rows;
  const split = (await readFile(join(folder, 'twice', 'split.csv'), 'utf8')).trimEnd().split('\n');
  const names = split.filter((line) => line.endsWith(',test')).map((line) => join('exam', line.split(',')[0]!));
  const predicted = await run(0, ['predict', '-m', 'twice', '--json', ...names], { cwd: folder });
  const ps = predicted.stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as Row).p);
  expect(rows.map(({ p }) => p)).toEqual(ps);
});

describe('the report for people', () => {
  test('has the accuracy, its interval, the larger class and the confusion matrix', async () => {
    const { stdout, stderr } = await evaluate(0, []);
    const { accuracy, accuracyInterval, confusion } = metrics.test;
    const percent = (share: number) => `${(share * 100).toFixed(1)}%`;
    expect(stderr).toBe('');
    expect(stdout).toMatch(new RegExp(`accuracy +${percent(accuracy)} .*${accuracyInterval.map(percent).join(' to ')}`));
    expect(stdout).toMatch(/larger class +50\.0%/);
    expect(stdout).toMatch(
      new RegExp(`is cat +${confusion.tp} +${confusion.fn}\n +is thing +${confusion.fp} +${confusion.tn}\n`),
    );
  });
});

describe('gates', () => {
  test.each([
    ['--fail-below', 'accuracy'],
    ['--fail-below-lower', 'the lower end'],
  ])('%s: exit 6 below it, the report stands all the same', async (flag, what) => {
    const value = flag === '--fail-below' ? metrics.test.accuracy : metrics.test.accuracyInterval[0];
    expect((await evaluate(0, [flag, String(value)])).stderr).toBe('');
    const missed = await evaluate(6, [flag, String(value + 1e-9), '--json']);
    expect(JSON.parse(missed.stdout)).toEqual(metrics.test);
    expect(missed.stderr).toContain(flag);
    expect(missed.stderr).toContain(what);
    expect((await evaluate(6, [flag, String(value + 1e-9), '-q'])).stderr).toContain(flag);
  });
});

describe('other data', () => {
  test('a folder is judged whole', async () => {
    const [whole, parts] = [
      await judged(['--data', 'pictures', '--predictions']),
      await judged(['--split', 'all', '--predictions']),
    ];
    expect(whole.confusion).toEqual(parts.confusion);
    const byName = (rows: Row[]) => [...rows].sort((a, b) => (a.file < b.file ? -1 : 1));
    expect(whole.rows).toHaveLength(50);
    expect(byName(whole.rows)).toEqual(byName(parts.rows));
  });

  test('a CSV may lie anywhere: its paths start at it', async () => {
    const { rows } = await judged(['--predictions']);
    await mkdir(join(folder, 'tables'));
    const lines = rows.map(({ file, truth }) => `"${join('..', 'pictures', file)}",${truth}`);
    await writeFile(join(folder, 'tables', 'test.csv'), ['path,label', ...lines, ''].join('\n'));
    const expected = { ...metrics.test, trainedOn: 0, nearCopies: 0, unseen: metrics.test };
    expect(await judged(['--data', 'tables/test.csv'])).toEqual(expected);
    expect(await judged(['--data', '../tables/test.csv'], { cwd: join(folder, 'pictures') })).toEqual(expected);
  });

  test('the class that is not the positive one may have another name', async () => {
    await cp(join(folder, 'pictures'), join(folder, 'dogs'), { recursive: true });
    await rename(join(folder, 'dogs', 'thing'), join(folder, 'dogs', 'dog'));
    expect(await judged(['--data', 'dogs'])).toEqual(await judged(['--data', 'pictures']));
  });

  test.each([
    [
      'classes that the model does not know',
      'strangers',
      /strangers: expected the model's classes, cat and thing, found bird and dog/,
    ],
    ['a place that is not there', 'nowhere', /nowhere: expected pictures, found: no such file or folder$/m],
    ['a table that is not there', 'nowhere.csv', /nowhere\.csv: .*no such file/],
    ['another kind of file', 'c.json', /c\.json: expected a folder/],
    ['a table without the columns', 'wrong.csv', /wrong\.csv.*path/],
  ])('%s: exit 3', async (_, data, why) => {
    for (const name of ['bird', 'dog'])
      await cp(join(folder, 'pictures', 'cat'), join(folder, 'strangers', name), { recursive: true });
    await writeFile(join(folder, 'wrong.csv'), 'file,class\na.png,cat\n');
    const { stdout, stderr } = await evaluate(3, ['--data', data, '--json']);
    expect(stderr).toMatch(why);
    expect(JSON.parse(stdout).error.message).toMatch(why);
  });

  test('a picture that cannot be read is named and left out; --strict refuses', async () => {
    await cp(join(folder, 'pictures'), join(folder, 'torn'), { recursive: true });
    await writeFile(join(folder, 'torn', 'cat', 'torn.png'), '');
    const { stdout, stderr } = await evaluate(0, ['--data', 'torn', '--json']);
    expect(JSON.parse(stdout)).toEqual(await judged(['--data', 'pictures']));
    expect(stderr).toMatch(/^warning: .*cat\/torn\.png: .*empty/);
    expect((await evaluate(3, ['--data', 'torn', '--strict'])).stderr).toContain('cat/torn.png');
  });

  test('a model without its run is judged by --data alone', async () => {
    await mkdir(join(folder, 'lone'));
    await cp(join(folder, 'model', 'model.safetensors'), join(folder, 'lone', 'm.safetensors'));
    const words = ['evaluate', '--json', '-m', join('lone', 'm.safetensors')];
    const { stdout } = await run(0, [...words, '--data', 'pictures'], { cwd: folder });
    const unknown = { trainedOn: null, nearCopies: null, unseen: null }; // nobody knows what it was trained on
    expect(JSON.parse(stdout)).toEqual({ ...(await judged(['--data', 'pictures'])), ...unknown });
    expect((await run(3, words, { cwd: folder })).stderr).toContain('--data');
  });

  test('no absolute path of this machine is in a model', async () => {
    expect(isAbsolute(folder)).toBe(true);
    expect((await readFile(join(folder, 'model', 'model.safetensors'))).includes(folder)).toBe(false);
  });
});

describe('the pictures of a part alone are read', () => {
  const own = (code: number, words: string[], cwd: string) =>
    run(code, ['evaluate', '-m', 'run', '--json', ...words], { cwd, env: { NN_CACHE: 'off' } });
  let cwd: string;
  let judgedBefore: Judged;
  beforeAll(async () => {
    cwd = join(folder, 'alone');
    await writeClasses(join(cwd, 'pictures'), 12);
    await writeJson(join(cwd, 'c.json'), folderConfig({ training: { epochs: 2 } }));
    await run(0, ['train', '-c', 'c.json', '-o', 'run', '-q'], { cwd });
    judgedBefore = JSON.parse((await own(0, ['--predictions'], cwd)).stdout) as Judged;
    // whoever reads a picture of another part says so
    for (const name of await otherNames()) await writeFile(join(cwd, 'pictures', name), 'not a picture');
  });

  const rowsOfSplit = async () =>
    (await readFile(join(cwd, 'run', 'split.csv'), 'utf8'))
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',') as [string, string, string, SplitName]);
  const otherNames = async () => (await rowsOfSplit()).filter(([, , , part]) => part !== 'test').map(([name]) => name);

  test('the others may be gone', async () => {
    const { stdout, stderr } = await own(0, ['--predictions'], cwd);
    expect(stderr).not.toContain('not a picture');
    expect(JSON.parse(stdout)).toEqual(judgedBefore);
    await own(0, ['--strict'], cwd);
    expect((await own(3, ['--split', 'dev'], cwd)).stderr).toMatch(/pictures of the run's dev part, .* \(not a picture/);
  });

  test('one that goes by another name is found by its content, one whose name another took as well', async () => {
    const names = (await rowsOfSplit()).filter(([, , , part]) => part === 'test').map(([name]) => join(cwd, 'pictures', name));
    const cats = names.filter((name) => name.includes('/cat/'));
    await rename(cats[0]!, join(cwd, 'pictures', 'cat', 'moved.png'));
    await rename(cats[1]!, join(cwd, 'pictures', 'cat', 'changed.png'));
    await cp(join(folder, 'pictures', 'cat', '20.png'), cats[1]!);
    const { stdout, stderr } = await own(0, ['--predictions'], cwd);
    expect(stderr).not.toContain('not a picture');
    const { rows, ...figures } = JSON.parse(stdout) as Judged;
    const { rows: before, ...expected } = judgedBefore;
    expect(figures).toEqual(expected);
    expect(rows.map(({ p }) => p)).toEqual(before.map(({ p }) => p));
    expect(rows.map(({ file }) => file)).toEqual(expect.arrayContaining(['cat/moved.png', 'cat/changed.png']));
  });
});
