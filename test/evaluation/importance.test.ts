import { describe, expect, test } from 'vitest';
import {
  certainBelow,
  leastTrials,
  parameterImportance,
  ranksOf,
  type SearchedParameter,
} from '../../src/evaluation/importance.ts';
import { namedRandom } from '../../src/random.ts';
import { someOf } from '../thorough.ts';

/** Trials whose two numbers and choice are drawn independently. */
function drawn(n: number, seed: number) {
  const random = namedRandom(seed, 'trials');
  const numbers = () => Array.from({ length: n }, () => random.uniform());
  const [a, b, noise] = [numbers(), numbers(), numbers()];
  const choice = Array.from({ length: n }, () => ['relu', 'tanh', 'sigmoid'][random.integer(2)]!);
  const parameters: SearchedParameter[] = [
    { name: 'a', kind: 'number', values: a },
    { name: 'b', kind: 'number', values: b },
    { name: 'choice', kind: 'choice', values: choice },
  ];
  return { a, b, choice, noise, parameters };
}

type Drawn = ReturnType<typeof drawn>;
const planted: [string, string, (one: Drawn, i: number) => number][] = [
  ['a slope', 'a', ({ a, noise }, i) => a[i]! + 0.2 * noise[i]!],
  ['a valley', 'a', ({ a, noise }, i) => (a[i]! - 0.5) ** 2 + 0.05 * noise[i]!],
  ['a choice', 'choice', ({ choice, noise }, i) => (choice[i] === 'tanh' ? 0 : 1) + noise[i]!],
  ['failures alone', 'b', ({ b, noise }, i) => (b[i]! > 0.6 ? Number.POSITIVE_INFINITY : noise[i]!)],
];

// with 20 trials a parameter that matters much may be missed; then nothing is claimed
describe.each([
  { n: 20, least: 7 },
  { n: 60, least: 10 },
  { n: 200, least: 10 },
])('of $n trials', ({ n, least }) => {
  test.each(someOf(planted))(`%s is found in ${least} of 10 searches, and nothing else`, (_, name, cost) => {
    let [right, wrong] = [0, 0];
    for (let seed = 0; seed < 10; seed++) {
      const one = drawn(n, seed);
      const costs = Array.from({ length: n }, (_, i) => cost(one, i));
      const certain = parameterImportance(costs, one.parameters)!.filter(({ chance }) => chance < certainBelow);
      right += certain.filter((each) => each.name === name).length;
      wrong += certain.filter((each) => each.name !== name).length;
    }
    expect(right).toBeGreaterThanOrEqual(least);
    expect(wrong).toBeLessThanOrEqual(2); // of 20, of which one in 20 is expected at most
  });

  test('where nothing matters, nothing is found but by chance, and shares are near 0', () => {
    const alarms = Array.from({ length: 20 }, (_, seed) => {
      const { noise, parameters } = drawn(n, seed);
      return parameterImportance(noise, parameters)!;
    });
    expect(alarms.filter((found) => found.some(({ chance }) => chance < certainBelow)).length).toBeLessThanOrEqual(4);
    const shares = alarms.flatMap((found) => found.map(({ share }) => share));
    expect(shares.reduce((a, b) => a + b, 0) / shares.length).toBeLessThan(0.1);
  });
});

test('the share is that of an analysis of variance by hand', () => {
  // ranks 0 … 19; ten of each choice: the lower ten, the upper ten. η² = 20 · 5² / 665, since Σ (r − 9.5)² = (20³ − 20) / 12
  const costs = Array.from({ length: 20 }, (_, i) => i * i);
  const values = costs.map((_, i) => (i < 10 ? 'x' : 'y'));
  const [found] = parameterImportance(costs, [{ name: 'c', kind: 'choice', values }])!;
  expect(found!.share).toBeCloseTo(1 - (1 - (20 * 25) / 665) * (19 / 18), 12);
  expect(found!.chance).toBeCloseTo(1 / 2001, 12); // of 184,756 divisions two are as good
});

test('does not depend on the order of trials, nor on how far a bad cost is out', () => {
  const { a, parameters } = drawn(40, 3);
  const costs = a.map((value) => value ** 2);
  const wild = a.map((value) => (value > 0.5 ? value * 1e12 : value));
  const shares = (of: readonly number[]) => parameterImportance(of, parameters)!.map(({ share }) => share);
  expect(shares(wild)).toEqual(shares(costs));
  const turned = parameters.map((one) => ({ ...one, values: [...one.values].reverse() }));
  const back = parameterImportance([...costs].reverse(), turned)!.map(({ share }) => share);
  for (const [i, share] of shares(costs).entries()) expect(back[i]).toBeCloseTo(share, 10);
});

test('says nothing of too few trials, and 0 where all are alike', () => {
  const { parameters } = drawn(leastTrials - 1, 1);
  expect(parameterImportance(Array(leastTrials - 1).fill(0), parameters)).toBeNull();
  const alike = parameterImportance(Array(leastTrials).fill(1), drawn(leastTrials, 1).parameters)!;
  expect(alike.map(({ share, chance }) => [share, chance])).toEqual([
    [0, 1],
    [0, 1],
    [0, 1],
  ]);
});

test('ranks share the mean of their places', () => {
  expect([...ranksOf([5, 1, 5, Number.POSITIVE_INFINITY, 2])]).toEqual([2.5, 0, 2.5, 4, 1]);
});
