import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command } from '../../src/commands/evaluate.ts';
import { UserError } from '../../src/errors.ts';
import { wilsonInterval } from '../../src/evaluation/statistics.ts';
import type { PredictionRow } from '../../src/results/evaluation.ts';
import type { Metrics } from '../../src/results/metrics.ts';
import { folderConfig, readJson, run, temporaryFolder, writeClasses, writeJson } from '../cli/pictures.ts';
import { put, scene } from '../data/inspection/pictures.ts';
import { listeningContext } from './context.ts';

/** Pictures of one class alone, of more than two, and some that the run was trained on. */

let folder: string;
let metrics: Record<'train' | 'dev' | 'test', Metrics>;
const at = (...path: string[]) => join(folder, ...path);
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeClasses(at('pictures'), 25);
  await writeJson(at('c.json'), folderConfig({ training: { epochs: 8, learningRate: 0.005 } }));
  await run(0, ['train', '-c', 'c.json', '-o', 'model', '-q'], { cwd: folder });
  metrics = (await readJson<{ metrics: typeof metrics }>(at('model', 'summary.json'))).metrics;
});
afterAll(() => rm(folder, { recursive: true }));

type Values = Parameters<typeof command.run>[1];

interface Judged extends Metrics {
  trainedOn: number | null;
  nearCopies: number | null;
  unseen: Metrics | null;
  rows: PredictionRow[];
}

/** Between the answers of this model: it calls some pictures cat, others not. */
const threshold = 0.55;

async function evaluate(values: Values, json = true) {
  const { context, said } = listeningContext({ json });
  const data = values.data === undefined ? {} : { data: at(values.data) };
  const ended = await command.run(context, { model: at('model'), threshold, ...values, ...data }, []);
  return { ...said, ended, text: said.printed.join('\n') };
}

async function judge(values: Values): Promise<Judged & { warned: string[]; noted: string[] }> {
  const { text, warned, noted } = await evaluate(values);
  return { ...(JSON.parse(text) as Judged), warned, noted };
}

async function refusal(values: Values): Promise<UserError> {
  const error = await evaluate(values).catch((found: unknown) => found);
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

const total = ({ confusion: { tp, fp, fn, tn } }: Metrics) => tp + fp + fn + tn;

test('the model of these tests is one that errs', async () => {
  const { rows } = await judge({ data: 'pictures', predictions: true });
  for (const label of ['cat', 'thing'])
    expect(new Set(rows.filter((row) => row.label === label).map(({ correct }) => correct)).size).toBe(2);
});

describe('more than two classes', () => {
  test('the positive one stands against all the others together', async () => {
    await cp(at('pictures'), at('zoo'), { recursive: true });
    await mkdir(at('zoo', 'bird'));
    for (let i = 0; i < 25; i += 3) {
      const name = `${String(i).padStart(2, '0')}.png`;
      await rename(at('zoo', 'thing', name), at('zoo', 'bird', name));
    }
    const { confusion, rocAuc, noted, warned } = await judge({ data: 'zoo' });
    const plain = await judge({ data: 'pictures' });
    expect({ confusion, rocAuc }).toEqual({ confusion: plain.confusion, rocAuc: plain.rocAuc });
    expect(noted).toEqual([`${at('zoo')}: cat against all other classes together, bird, thing`]);
    expect(warned).toEqual(plain.warned); // of those that it was trained on
  });

  test.each<[string, string[], RegExp, RegExp]>([
    [
      'without the positive one',
      ['bird', 'dog', 'fish'],
      /expected the model's classes, cat and thing, found bird, dog, fish$/,
      /Call the class/,
    ],
    [
      'one of them called like all but cats together',
      ['cat', 'dog', 'noncat'],
      /expected no class called noncat, .* found noncat beside dog$/,
      /another name/,
    ],
    [
      'one of them called cat in other letters',
      ['Cat', 'cat', 'dog'],
      /expected one class called cat, found Cat as well$/,
      /same name/,
    ],
    [
      'which are parts',
      ['test', 'train', 'val'],
      /found test, train, val$/,
      /look like parts, not classes: give the folder of one of them to --data\./,
    ],
    ['of two, without the positive one', ['bird', 'dog'], /found bird and dog$/, /a folder or a label, cat here too\.$/],
    [
      'of one, which the model does not know',
      ['dog'],
      /found dog$/,
      /cat here too; or the one that it answers thing for thing\.$/,
    ],
  ])('%s: refused', async (name, classes, message, hint) => {
    for (const label of classes)
      await put(at('refused', name), { [`${label}/a.png`]: await readFile(at('pictures/cat/00.png')) });
    const error = await refusal({ data: join('refused', name) });
    expect(error.kind).toBe('data');
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  test('two that differ in their case alone are two, as in training', async () => {
    for (const label of ['cat', 'Cat'])
      await put(at('letters'), { [`${label}/a.png`]: await readFile(at('pictures/cat/00.png')) });
    expect(total(await judge({ data: 'letters' }))).toBe(2);
  });
});

describe('one class alone', () => {
  const figures = ['recall', 'specificity'] as const;
  let rows: PredictionRow[];
  beforeAll(async () => {
    ({ rows } = await judge({ data: 'pictures', predictions: true }));
    for (const name of ['cat', 'thing']) {
      await cp(at('pictures', name), at(`only-${name}`, name), { recursive: true });
      const lines = ['00', '01', '02', '03'].map((n) => `pictures/${name}/${n}.png,${name}\n`);
      await writeFile(at(`only-${name}.csv`), `path,label\n${lines.join('')}`);
    }
  });

  test.each(['cat', 'thing'])(
    '%s: the share of it that is called so, with its interval, and null for what is not defined',
    async (name) => {
      const [figure, absent] = name === 'cat' ? figures : figures.toReversed();
      for (const [data, count] of [
        [`only-${name}`, 25],
        [`only-${name}.csv`, 4],
      ] as const) {
        const own = rows.filter(({ truth, file }) => truth === name && Number(basename(file, '.png')) < count);
        const right = own.filter(({ correct }) => correct).length;
        const found = await judge({ data });
        expect(found).toMatchObject({
          accuracy: right / count,
          [figure!]: right / count,
          [`${figure}Interval`]: wilsonInterval(right, count),
        });
        expect(found).toMatchObject({ [absent!]: null, [`${absent}Interval`]: null, balancedAccuracy: null, rocAuc: null });
        const other = name === 'cat' ? 'thing' : 'cat';
        expect(found.warned[0]).toBe(
          `${at(data)}: all pictures are of ${name}, none of ${other}: unless some are missing, ${figure} is what they tell`,
        );
      }
    },
  );

  test.each(['cat', 'thing'])('%s: people are told no more than it tells', async (name) => {
    const { text } = await evaluate({ data: `only-${name}` }, false);
    const [figure, absent] = name === 'cat' ? figures : figures.toReversed();
    expect(text).toMatch(new RegExp(`${figure} +0\\.\\d{4} +95% interval .* of the pictures of ${name}, the share called so`));
    for (const word of [absent!, 'larger class', 'precision', 'F1', 'ROC AUC', 'not defined', 'NaN'])
      expect(text).not.toContain(word);
  });

  test('beside a folder that is empty, or has nothing that can be read: a warning names the class', async () => {
    for (const place of ['empty', 'torn']) {
      await cp(at('pictures', 'cat'), at(place, 'cat'), { recursive: true });
      await mkdir(at(place, 'thing'));
    }
    await writeFile(at('torn', 'thing', 'a.png'), '');
    for (const data of ['empty', 'torn']) {
      const { warned, recall, specificity } = await judge({ data });
      expect(warned.some((text) => text.startsWith(at(data)) && text.includes('thing'))).toBe(true);
      expect(recall).toBe((await judge({ data: 'only-cat' })).recall);
      expect(specificity).toBeNull();
    }
  });

  test('gates judge it by its accuracy', async () => {
    const { recall } = await judge({ data: 'only-cat' });
    expect((await evaluate({ data: 'only-cat', failBelow: recall! })).ended).toBeUndefined();
    const missed = await evaluate({ data: 'only-cat', failBelow: recall! + 1e-9 });
    expect([missed.ended, missed.complained]).toEqual(['gate', [expect.stringContaining(`accuracy is ${recall!.toFixed(4)}`)]]);
  });

  test('nothing that can be read at all is refused', async () => {
    await put(at('nothing'), { 'cat/a.png': Buffer.alloc(0) });
    const error = await refusal({ data: 'nothing' });
    expect(error.kind).toBe('data');
    expect(error.message).toMatch(
      /expected pictures, found none that can be read; the first of 1 that failed: cat\/a\.png: the file is empty/,
    );
  });
});

describe('pictures that the run was trained on', () => {
  test('are counted, and the figures of the others stand beside', async () => {
    const { trainedOn, nearCopies, unseen, warned, ...whole } = await judge({ data: 'pictures', threshold: 0.5 });
    expect([trainedOn, nearCopies]).toEqual([30, 0]);
    for (const key of ['tp', 'fp', 'fn', 'tn'] as const) {
      expect(whole.confusion[key]).toBe(metrics.train.confusion[key] + unseen!.confusion[key]);
      expect(unseen!.confusion[key]).toBe(metrics.dev.confusion[key] + metrics.test.confusion[key]);
    }
    expect(Object.keys(unseen!)).toEqual(Object.keys(metrics.test));
    const accuracy = `${(unseen!.accuracy * 100).toFixed(1)}%`;
    expect(warned).toEqual([
      expect.stringMatching(
        new RegExp(`^The run was trained on 30 of these 50 pictures: .* On the other 20 the accuracy is ${accuracy} \\(`),
      ),
    ]);
  });

  test('people read of them below the figures, and CSV has them beside', async () => {
    const { text, warned } = await evaluate({ data: 'pictures' }, false);
    expect(text).toMatch(/trained on 30 of these 50 pictures.*\n\n {2}accuracy/);
    expect(warned).toEqual([]);
    expect((await evaluate({ data: 'pictures', csv: true }, false)).warned).toEqual([
      expect.stringContaining('trained on 30 of these 50'),
    ]);
  });

  test('are counted among all parts of the run as well', async () => {
    const { trainedOn, nearCopies, unseen, warned } = await judge({ split: 'all', threshold: 0.5 });
    expect([trainedOn, nearCopies]).toEqual([30, null]); // copies stand in one part
    expect(total(unseen!)).toBe(20);
    expect(warned).toEqual([expect.stringContaining('trained on 30 of these 50')]);
  });

  test.each(['train', 'dev', 'test'] as const)("go without saying in one of the run's parts: --split %s", async (split) => {
    for (const more of [{}, { data: 'pictures' }]) {
      const { text, warned } = await evaluate({ split, threshold: 0.5, ...more });
      expect(JSON.parse(text)).toEqual(metrics[split]);
      expect(warned).toEqual([]);
    }
  });

  test('count under other names and labels; where there are no others, that is said', async () => {
    const split = (await readFile(at('model', 'split.csv'), 'utf8')).trimEnd().split('\n');
    const train = split.filter((line) => line.endsWith(',train')).map((line) => line.split(',')[0]!);
    for (const [i, name] of train.slice(0, 4).entries())
      await put(at('renamed'), { [`${i % 2 ? 'cat' : 'thing'}/new-${i}.png`]: await readFile(at('pictures', name)) });
    const { trainedOn, nearCopies, unseen, warned } = await judge({ data: 'renamed' });
    expect([trainedOn, nearCopies, unseen]).toEqual([4, 0, null]);
    expect(warned).toEqual(['The run was trained on all of these pictures: the figures say little of others.']);
  });

  test('none among them: all are the others, and nothing is said', async () => {
    await writeClasses(at('unknown'), 3, { from: 60 });
    const { trainedOn, nearCopies, unseen, warned, noted: _, ...whole } = await judge({ data: 'unknown' });
    expect([trainedOn, nearCopies, unseen, warned]).toEqual([0, 0, whole, []]);
  });

  test('gates judge the whole', async () => {
    const { accuracy, unseen } = await judge({ data: 'pictures' });
    expect(unseen!.accuracy).not.toBe(accuracy);
    expect((await evaluate({ data: 'pictures', failBelow: accuracy })).ended).toBeUndefined();
    expect((await evaluate({ data: 'pictures', failBelow: accuracy + 1e-9 })).ended).toBe('gate');
  });

  test('a model without its run: nobody knows', async () => {
    await cp(at('model', 'model.safetensors'), at('lone', 'm.safetensors'));
    expect(await judge({ model: at('lone', 'm.safetensors'), data: 'pictures' })).toMatchObject({
      trainedOn: null,
      nearCopies: null,
      unseen: null,
      warned: [],
    });
  });

  test('a damaged split.csv is told, and keeps nobody from judging other pictures', async () => {
    await cp(at('model'), at('spoilt'), { recursive: true });
    await writeFile(at('spoilt', 'split.csv'), 'name,hash,label,part\na.png,00,cow,train\n');
    const { warned, ...found } = await judge({ model: at('spoilt'), data: 'pictures' });
    expect(found).toMatchObject({ trainedOn: null, nearCopies: null, unseen: null });
    expect(warned).toEqual([
      expect.stringMatching(/split\.csv, picture 1: .* So nothing tells which of these pictures the model was trained on$/),
    ]);
  });
});

describe('near copies of pictures that the run was trained on', () => {
  beforeAll(async () => {
    const own = at('scenes');
    for (let i = 0; i < 24; i++) await put(own, { [`${i % 2 ? 'cat' : 'thing'}/${i}.png`]: await scene(i).png().toBuffer() });
    await writeJson(
      at('scenes.json'),
      folderConfig({ data: { source: { type: 'folder', path: 'scenes' }, imageSize: 32 }, training: { epochs: 2 } }),
    );
    await run(0, ['train', '-c', 'scenes.json', '-o', 'seen', '-q'], { cwd: folder });
    await cp(own, at('grown'), { recursive: true });
    const rows = (await readFile(at('seen', 'split.csv'), 'utf8')).trimEnd().split('\n').slice(1);
    const firstOf = (part: string) => rows.find((line) => line.endsWith(`,${part}`))!.split(',')[0]!;
    for (const part of ['train', 'test']) {
      const small = await sharp(at('scenes', firstOf(part)))
        .resize(60, 60)
        .jpeg()
        .toBuffer();
      await put(at('grown'), { [firstOf(part).replace(/\.png$/, '-copy.jpg')]: small });
    }
  });

  test('are told apart from both, and not among the others', async () => {
    const { trainedOn, nearCopies, unseen, warned, ...whole } = await judge({ model: at('seen'), data: 'grown' });
    expect(total(whole)).toBe(26);
    const train = (await readJson<{ examples: { train: { total: number } } }>(at('seen', 'summary.json'))).examples.train.total;
    expect([trainedOn, nearCopies, total(unseen!)]).toEqual([train, 1, 26 - train - 1]); // the copy of a test picture is unseen
    expect(warned[0]).toMatch(
      new RegExp(
        `trained on ${train} of these 26 pictures, and 1 other is a near copy of such: .* On the other ${26 - train - 1} `,
      ),
    );
  });

  test('alone: none is left to judge it by', async () => {
    const rows = (await readFile(at('seen', 'split.csv'), 'utf8')).trimEnd().split('\n');
    const name = rows.find((line) => line.endsWith(',train'))!.split(',')[0]!;
    for (const file of [name, name.replace(/\.png$/, '-copy.jpg')])
      await put(at('pair'), { [file]: await readFile(at('grown', file)) });
    const { trainedOn, nearCopies, unseen, warned } = await judge({ model: at('seen'), data: 'pair' });
    expect([trainedOn, nearCopies, unseen]).toEqual([1, 1, null]);
    expect(warned.at(-1)).toContain('None is left to judge it by.');
  });
});
