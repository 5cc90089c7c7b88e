import { expect, test } from 'vitest';
import { type SplitRow, splitChanges } from '../../src/run/split-file.ts';

const row = (name: string, change: Partial<SplitRow> = {}): SplitRow => ({
  name,
  hash: `of ${name}`,
  label: 1,
  part: 'train',
  ...change,
});
const rows = ['a', 'b', 'c', 'd'].map((name) => row(name));

test.each<[string, SplitRow[], string | null]>([
  ['the same', [...rows], null],
  ['another content', [row('a', { hash: 'x' }), ...rows.slice(1)], '1 changed (a)'],
  ['another label', [row('a', { label: 0 }), ...rows.slice(1)], '1 changed (a)'],
  ['one less', rows.slice(1), '1 missing (a)'],
  ['one more', [...rows, row('e')], '1 new (e)'],
  ['a copy more', [...rows, row('a')], '1 new (a)'],
  ['another name', [row('z', { hash: 'of a' }), ...rows.slice(1)], '1 missing (a), 1 new (z)'],
  ['another order', rows.toReversed(), 'the same ones, divided or ordered in another way'],
  ['another part', [row('a', { part: 'dev' }), ...rows.slice(1)], 'the same ones, divided or ordered in another way'],
  ['none', [], '4 missing (a, b, c, d)'],
])('%s', (_, now, expected) => {
  expect(splitChanges(rows, now)).toBe(expected);
});

test('many pictures under other names are compared in moments', { timeout: 10_000 }, () => {
  const many = (word: string) => Array.from({ length: 100_000 }, (_, i) => row(`${word} ${i}`));
  expect(splitChanges(many('old'), many('new'))).toMatch(/^100000 missing \(old 0, .*\), 100000 new \(new 0, /);
});

test('many names are cut short', () => {
  const many = Array.from({ length: 9 }, (_, i) => row(`new ${i}`));
  expect(splitChanges(rows, [...rows, ...many.slice(0, 5)])).toBe('5 new (new 0, new 1, new 2, new 3, new 4)');
  expect(splitChanges(rows, [...rows, ...many])).toBe('9 new (new 0, new 1, new 2, new 3, new 4, …)');
});
