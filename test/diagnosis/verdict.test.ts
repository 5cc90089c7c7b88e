import { describe, expect, test } from 'vitest';
import { type Evidence, verdictOf } from '../../src/diagnosis/verdict.ts';

/** What experiments found → what is wrong. The words that readers see come from these codes alone. */

type Tried = Evidence['tried'][number];

const limits = { highBias: 0.05, highVariance: 0.05 };

const helps = (id: string, family: Tried['family'], gain: number): Tried => {
  const sure = { interval: [gain / 2, 1.5 * gain], p: 0.001, corrected: 0.01, effect: 'helps' } as const;
  const training = { seeds: 5, diverged: 0, accuracy: 0.8 + gain, trainError: 0, timesAsLong: 1 };
  return { id, family, title: id, why: '', set: [], gain, ...sure, ...training };
};
const couldBeChance = (id: string, family: Tried['family']): Tried => ({ ...helps(id, family, 0.01), effect: 'could be chance' });

/** A network that is right on 80% of others, and as wrong as is said on its own. */
const evidence = ({
  trainError = 0,
  diverged = 0,
  ...rest
}: Partial<Evidence> & { trainError?: number; diverged?: number }): Evidence => ({
  tried: [couldBeChance('l2', 'restraint')],
  baseline: { accuracy: 0.8, interval: [0.78, 0.82], trainError, seeds: 5, diverged, seconds: 1 },
  bias: trainError,
  variance: 0.2 - trainError,
  limits,
  curve: null,
  suspects: null,
  ...rest,
});

const noisyLabels: Evidence['suspects'] = {
  judged: 500,
  share: 0.1,
  p: 1e-6,
  expected: 4,
  error: 0.2,
  list: Array.from({ length: 40 }, suspect),
};

function suspect(_: unknown, row: number) {
  return { name: `${row}.png`, row, part: 'train' as const, label: 'cat', says: 'thing', confidence: 0.99, chance: 0.9 };
}

describe('what is at the root comes first', () => {
  test.each([
    {
      what: 'a smaller rate helps most',
      found: { tried: [helps('smaller-rate', 'steps', 0.1), helps('l2', 'restraint', 0.04)] },
      code: 'learning rate too high',
    },
    {
      what: 'a smaller rate helps most, a network that gets its own pictures wrong',
      found: { trainError: 0.15, tried: [helps('smaller-rate', 'steps', 0.1), helps('l2', 'restraint', 0.08)] },
      code: 'learning rate too high',
    },
    {
      what: 'a smaller rate helps a network that knows its own pictures by heart, and holding it back helps as well',
      found: { tried: [helps('smaller-rate', 'steps', 0.05), helps('early-stopping', 'restraint', 0.04)] },
      code: 'overfits',
    },
    { what: 'most trainings diverge', found: { diverged: 3, tried: [] }, code: 'learning rate too high' },
    {
      what: 'labels are wrong, and a smaller rate helps since it learns them later',
      found: { tried: [helps('smaller-rate', 'steps', 0.1)], suspects: noisyLabels },
      code: 'label noise',
    },
    {
      what: 'labels are wrong, which a network gets wrong that does not learn them by heart, and a smaller rate helps',
      found: { trainError: 0.12, tried: [helps('smaller-rate', 'steps', 0.1)], suspects: noisyLabels },
      code: 'label noise',
    },
    {
      what: 'few labels seem wrong of the many that networks contradict, and a larger network helps',
      found: { trainError: 0.15, tried: [helps('larger', 'size', 0.1)], suspects: { ...noisyLabels, share: 0.04 } },
      code: 'network too small',
    },
    {
      what: 'a larger network helps one that gets its own pictures wrong',
      found: { trainError: 0.15, tried: [helps('larger', 'size', 0.1)] },
      code: 'network too small',
    },
    {
      what: 'a larger network helps one that knows its own by heart',
      found: { tried: [helps('larger', 'size', 0.1)] },
      code: 'overfits',
    },
    {
      what: 'more epochs help',
      found: { trainError: 0.15, tried: [helps('longer', 'effort', 0.05)] },
      code: 'trained too little',
    },
    { what: 'nothing helps, and others come out far worse than its own', found: {}, code: 'too little data' },
    { what: 'nothing helps one that is as wrong on its own', found: { trainError: 0.18 }, code: 'nothing helps' },
    { what: 'there was no time', found: { tried: [] }, code: 'not enough time' },
  ])('$what: $code', ({ found, code }) => {
    expect(verdictOf(evidence(found)).code).toBe(code);
  });
});

test('what helps beyond the root is said as well, the most first', () => {
  const tried = [helps('longer', 'effort', 0.03), helps('larger', 'size', 0.08)];
  expect(verdictOf(evidence({ trainError: 0.15, tried }))).toMatchObject({
    code: 'network too small',
    also: ['trained too little'],
  });
});
