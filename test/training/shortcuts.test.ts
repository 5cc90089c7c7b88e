import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { wilsonInterval } from '../../src/evaluation/statistics.ts';
import {
  leastOfClass,
  type ShortcutName,
  type ShortcutStudy,
  scoreShortcuts,
  shortcutEnds,
  shortcuts,
  studyShortcuts,
} from '../../src/training/shortcuts.ts';
import { put, scene, surveyOf } from '../data/inspection/pictures.ts';

const names = Object.keys(shortcuts) as ShortcutName[];
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-shortcuts-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Scenes of both classes, those of cats changed. */
async function plant(each: number, change: (picture: Sharp, index: number) => Promise<Buffer>, extension = 'png') {
  for (let i = 0; i < each; i++) {
    await put(folder, {
      [`cat/${i}.${extension}`]: await change(scene(2 * i), i),
      [`noncat/${i}.png`]: await scene(2 * i + 1)
        .png()
        .toBuffer(),
    });
  }
}

/** The shortcuts that tell the classes apart. */
async function strong(): Promise<string[]> {
  const survey = await surveyOf(folder);
  const study = await studyShortcuts(survey, Array.from(Array(survey.count).keys()), 1);
  return scoreShortcuts(study!, null).flatMap(({ name, warning }) => (warning === null ? [] : [name]));
}

describe('a shortcut that is planted is found, and no other', () => {
  test('none', async () => {
    await plant(40, (picture) => picture.png().toBuffer());
    expect(await strong()).toEqual([]);
  });

  test('one class is always larger', async () => {
    await plant(40, (picture, i) =>
      picture
        .resize(100 + (i % 3), 100 + (i % 3))
        .png()
        .toBuffer(),
    );
    expect(await strong()).toEqual(['size']);
  });

  test('one class is of one of many sizes: neither larger nor smaller', async () => {
    const side = (i: number) => 40 + 10 * (i % 9);
    for (let i = 0; i < 45; i++) {
      const other = side(i) === 80 ? 85 : side(i);
      await put(folder, {
        [`cat/${i}.png`]: await scene(2 * i)
          .png()
          .toBuffer(), // 80 × 80
        [`noncat/${i}.png`]: await scene(2 * i + 1)
          .resize(other, other)
          .png()
          .toBuffer(),
      });
    }
    expect(await strong()).toEqual(['size']);
  });

  test('one class is of another format', async () => {
    await plant(40, (picture) => picture.jpeg({ quality: 100 }).toBuffer(), 'jpg');
    expect(await strong()).toEqual(['format']);
  });

  test('one class has a thin frame', async () => {
    const frame = { top: 1, bottom: 1, left: 1, right: 1, background: '#123456' };
    const framed = async (picture: Sharp) =>
      sharp(await picture.resize(78, 78).png().toBuffer())
        .extend(frame)
        .png()
        .toBuffer();
    await plant(40, framed);
    expect(await strong()).toEqual(['border']);
  });

  test('one class is bluer: colour, border and thumbnail all show it', async () => {
    await plant(40, (picture) => picture.linear([0.6, 0.6, 0.6], [0, 0, 100]).png().toBuffer());
    expect(await strong()).toEqual(['colour', 'border', 'thumbnail']);
  });
});

test('too few pictures of a class are not tried', async () => {
  await plant(leastOfClass - 1, (picture) => picture.png().toBuffer());
  const survey = await surveyOf(folder);
  expect(await studyShortcuts(survey, Array.from(Array(survey.count).keys()), 1)).toBeNull();
});

test('pictures that are left out are not looked at', async () => {
  await plant(22, (picture) => picture.resize(100, 100).png().toBuffer());
  const survey = await surveyOf(folder);
  const distinct = Array.from(Array(survey.count).keys()).filter((i) => i % 22 !== 0);
  const study = await studyShortcuts(survey, distinct, 1);
  expect([...study!.indices]).toEqual(distinct);
  expect([...study!.labels]).toEqual([...Array(21).fill(1), ...Array(21).fill(0)]);
});

describe('a shortcut beside a model', () => {
  /** 100 pictures, 60 of them positive; each shortcut is right on the first so many. */
  const study = (correct: number): Pick<ShortcutStudy, 'indices' | 'labels' | 'right'> => ({
    indices: Int32Array.from(Array(100).keys()),
    labels: Uint8Array.from({ length: 100 }, (_, i) => (i < 60 ? 1 : 0)),
    right: Object.fromEntries(
      names.map((name) => [name, Uint8Array.from({ length: 100 }, (_, i) => (i < correct ? 1 : 0))]),
    ) as ShortcutStudy['right'],
  });
  const modelRight = (correct: number) => Array.from({ length: 100 }, (_, i): 0 | 1 => (i < correct ? 1 : 0));

  test('has its accuracy, interval and baseline', () => {
    const scores = scoreShortcuts(study(75), null);
    expect(scores.map(({ name }) => name)).toEqual(names);
    for (const { accuracy, accuracyInterval, baseline } of scores) {
      expect({ accuracy, accuracyInterval, baseline }).toEqual({
        accuracy: 0.75,
        accuracyInterval: wilsonInterval(75, 100),
        baseline: 0.6,
      });
    }
  });

  // the baseline is 60 of 100
  test.each([
    { shortcut: 75, model: 78, warns: true }, // gains 15 of 18 points
    { shortcut: 75, model: 90, warns: false }, // gains 15 of 30 points
    { shortcut: 75, model: 70, warns: true }, // is better than the model
    { shortcut: 64, model: 64, warns: false }, // may be no better than the baseline
    { shortcut: 92, model: 100, warns: true }, // strong whatever the model does
    { shortcut: 75, model: 60, warns: false }, // the model is no better than the baseline
    { shortcut: 75, model: 66, warns: false }, // may be no better
    { shortcut: 75, model: 30, warns: false }, // is worse
    { shortcut: 92, model: 53, warns: true }, // strong, though the model has learnt nothing
  ])('right on $shortcut, the model on $model: warns $warns', ({ shortcut, model, warns }) => {
    for (const { warning } of scoreShortcuts(study(shortcut), modelRight(model))) expect(warning !== null).toBe(warns);
  });

  test('a model that is better by little, though for certain, has hardly learnt anything to hold a shortcut against', () => {
    const many = (correct: number) => Uint8Array.from({ length: 10_000 }, (_, i) => (i < correct ? 1 : 0));
    const right = Object.fromEntries(names.map((name) => [name, many(5_400)])) as ShortcutStudy['right'];
    const large = { indices: Int32Array.from(Array(10_000).keys()), labels: many(5_000), right };
    const warns = (correct: number) =>
      scoreShortcuts(large, [...many(correct)] as (0 | 1)[]).some(({ warning }) => warning !== null);
    expect([warns(5_300), warns(5_499), warns(5_501), warns(9_000)]).toEqual([false, false, false, false]);
    expect(warns(5_500)).toBe(true); // gains 500, and a shortcut 400 of them
  });

  test('is judged on the pictures that the model can be asked for', () => {
    const asked = modelRight(100).map((right, i) => (i < 20 ? null : right)); // 40 positive and 40 others are left
    const { accuracy, baseline } = scoreShortcuts(study(60), asked)[0]!;
    expect({ accuracy, baseline }).toEqual({ accuracy: 40 / 80, baseline: 0.5 });
  });
});

test('the ends of a shortcut are the pictures of each class with the largest and the least logits, each picture once', () => {
  const [indices, labels] = [Int32Array.from([10, 11, 12, 13, 14, 15, 16]), Uint8Array.from([1, 1, 1, 1, 0, 0, 0])];
  const logits = Object.fromEntries(
    names.map((name) => [name, Float64Array.from([3, -2, 5, 1, -4, 2, -1])]),
  ) as ShortcutStudy['logits'];
  expect(shortcutEnds({ indices, labels, logits }, 'border', 2)).toEqual([
    { label: 1, like: 1, images: [12, 10] },
    { label: 1, like: 0, images: [11, 13] },
    { label: 0, like: 1, images: [15, 16] },
    { label: 0, like: 0, images: [14] },
  ]);
});
