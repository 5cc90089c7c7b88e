import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  balancedShare,
  configOf,
  type DataFacts,
  firstChoices,
  longMost,
  type Recipe,
  type RecipeName,
  recipeFor,
  ruleFor,
  rulesByNumber,
  sides,
  trainingReasons,
} from '../../src/config/first-config.ts';
import { checkConfig } from '../../src/config/load.ts';
import { networkOf } from '../../src/training/plan.ts';
import { stagesOf } from '../../src/training/stages.ts';
import { configsPath } from '../cli.ts';

const recipes: RecipeName[] = ['conv-photos', 'conv-photos-small', 'photos'];
const read = (name: RecipeName) => JSON.parse(readFileSync(`${configsPath}/${name}.json`, 'utf8')) as Recipe;

const facts = (changes: Partial<DataFacts> = {}): DataFacts => ({
  pictures: 600,
  copies: 0,
  ofSmallerClass: Math.floor((changes.pictures ?? 600) / 2),
  positive: { name: 'cat', reason: 'the class called cat', isDefault: true },
  negative: 'noncat',
  shorterSide: 300,
  longShare: 0,
  packedSide: null,
  sourceFields: ['source'],
  takesFit: true,
  ...changes,
});
const choose = (changes: Partial<DataFacts> = {}) => {
  const found = facts(changes);
  return firstChoices(found, read(recipeFor(found).value));
};
const choiceOf = (choices: ReturnType<typeof choose>, field: string) => choices.find((one) => one.field === field);

describe('the rules by number of pictures', () => {
  test.each(Object.entries(rulesByNumber))('of %s begin at 0, go up, and say why', (_, rules) => {
    expect(rules[0]!.from).toBe(0);
    for (const [i, { from, reason }] of rules.entries()) {
      if (i > 0) expect(from).toBeGreaterThan(rules[i - 1]!.from);
      expect(reason).toMatch(/^\S.{10,90}$/);
      expect(ruleFor<unknown>(rules, from)).toBe(rules[i]);
      if (i > 0) expect(ruleFor<unknown>(rules, from - 1)).toBe(rules[i - 1]);
    }
  });
});

test.each<[what: string, changes: Partial<DataFacts>, field: string, value: unknown, isWritten: boolean]>([
  ['few pictures are folded', { pictures: 100 }, 'data.split', { folds: 5, test: 0.2 }, true],
  ['but not where a class has too few', { pictures: 100, ofSmallerClass: 6 }, 'data.split', 'auto', false],
  ['hundreds are divided', { pictures: 200 }, 'data.split', { train: 0.7, dev: 0.15, test: 0.15 }, true],
  ['thousands as ever', { pictures: 2000 }, 'data.split', 'auto', false],
  ['train and test alone: dev is cut', { sourceFields: ['train', 'test'] }, 'data.split', { dev: 0.15 }, true],
  [
    'a positive class that nobody would guess is written',
    { positive: { name: 'dog', reason: 'so', isDefault: false } },
    'data.source.positive',
    'dog',
    true,
  ],
  [
    'of each part',
    { sourceFields: ['train', 'dev'], positive: { name: 'dog', reason: 'so', isDefault: false } },
    'data.dev.positive',
    'dog',
    true,
  ],
  ['large pictures', {}, 'data.imageSize', 64, false],
  ['small ones are not enlarged', { shorterSide: 50 }, 'data.imageSize', 48, true],
  ['but to the least side', { shorterSide: 20 }, 'data.imageSize', 32, true],
  ['packed ones stay', { packedSide: 96 }, 'data.imageSize', 96, true],
  ['long ones are padded', { longShare: longMost }, 'data.source.fit', 'contain', true],
  ['copies are told', { copies: 3 }, 'data.duplicates', 'keepTogether', false],
  ['classes alike', { pictures: 1000, ofSmallerClass: 1000 * balancedShare }, 'training.classWeight', 'none', false],
  ['classes that differ', { pictures: 1000, ofSmallerClass: 1000 * balancedShare - 1 }, 'training.classWeight', 'balanced', true],
  ['of few pictures the last epoch is kept', { pictures: 1999 }, 'training.earlyStopping', false, false],
  ['of many the best', { pictures: 2000 }, 'training.earlyStopping', { patience: 120 }, true],
  ['few dev pictures set no p right', { pictures: 599 }, 'training.calibrate', false, false],
  ['more do', { pictures: 600 }, 'training.calibrate', true, true],
  ['a great many see fewer epochs', { pictures: 60_000 }, 'training.epochs', 24, true],
  [
    'smaller images go with the side',
    { shorterSide: 32 },
    'training.progressive',
    [
      { side: 16, until: 0.5 },
      { side: 24, until: 0.75 },
    ],
    true,
  ],
])('%s', (_, changes, field, value, isWritten) => {
  const choice = choiceOf(choose(changes), field);
  expect(choice).toMatchObject({ value });
  expect(choice!.isDefault !== true).toBe(isWritten);
});

test.each<[Partial<DataFacts>, string]>([
  [{}, 'data.source.fit'],
  [{ longShare: 1, takesFit: false }, 'data.source.fit'],
  [{}, 'data.duplicates'],
  [{ sourceFields: ['train', 'dev', 'test'] }, 'data.split'],
])('of %j nothing is said about %s', (changes, field) => {
  expect(choiceOf(choose(changes), field)).toBeUndefined();
});

describe('whatever the pictures are', () => {
  const counts = [20, 149, 150, 700, 1500, 2000, 12_000, 60_000];
  const sizes: Partial<DataFacts>[] = [
    ...sides.map((shorterSide) => ({ shorterSide })),
    ...[8, 16, 28, 100].map((packedSide) => ({ packedSide })),
  ];
  const rows = counts.flatMap((pictures) => sizes.map((size) => ({ pictures, ...size })));

  test.each(rows)('%j: the config is one that can train, and every choice says why', (changes) => {
    const choices = choose(changes);
    for (const { field, reason } of choices) expect(reason, field).toMatch(/^\S.{7,110}$/);
    expect(new Set(choices.map(({ field }) => field)).size).toBe(choices.length);
    const config = checkConfig(configOf(choices, { source: { type: 'folder', path: 'photos' } }), 'first');
    const side = changes.packedSide ?? config.data.imageSize;
    const network = networkOf(config, side * side * 3);
    expect(network.layers.length).toBeGreaterThan(1);
    const { progressive, epochs } = config.training;
    expect(() => stagesOf(progressive, network, { epochs, normalize: config.data.normalize })).not.toThrow();
  });
});

test.each(recipes)('every field of the training of configs/%s.json has its reason', (name) => {
  const own = Object.keys(read(name).training).filter((key) => !['epochs', 'progressive'].includes(key));
  expect(own.filter((key) => !(key in trainingReasons))).toEqual([]);
});

test('what is so by itself is not written, and what the caller gave as sources stays as it was', () => {
  const sources = { source: { type: 'folder', path: 'photos' } };
  const choices = [
    { field: 'data.source.positive', value: 'dog', reason: 'so' },
    { field: 'data.imageSize', value: 64, reason: 'so', isDefault: true },
    { field: 'training.epochs', value: 3, reason: 'so' },
  ];
  expect(configOf(choices, sources)).toEqual({
    data: { source: { type: 'folder', path: 'photos', positive: 'dog' } },
    training: { epochs: 3 },
  });
  expect(sources).toEqual({ source: { type: 'folder', path: 'photos' } });
});
