import { expect, test } from 'vitest';
import { differences, differingFields } from '../../src/config/json-schema.ts';

test.each([
  [{ a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 }, []],
  [{ a: 1 }, { a: 2 }, [{ field: 'a', before: 1, now: 2 }]],
  [{ a: { b: 1 } }, { a: { b: 1, c: null } }, [{ field: 'a.c', before: undefined, now: null }]],
  [{ a: { b: [{ c: 1 }] } }, { a: { b: [{ c: 3 }] } }, [{ field: 'a.b.0.c', before: 1, now: 3 }]],
  [{ a: [1] }, { a: { 0: 1 } }, [{ field: 'a', before: [1], now: { 0: 1 } }]],
  [{ a: { name: 'adam', beta1: 0.9 } }, { a: 'adam' }, [{ field: 'a', before: { name: 'adam', beta1: 0.9 }, now: 'adam' }]],
])('%j and %j differ in %j', (before, now, expected) => {
  expect(differences(before, now)).toEqual(expected);
});

test.each([
  [[], []],
  [[{ a: 1 }], []],
  [
    [
      { a: 1, b: 2 },
      { a: 1, b: 3 },
      { a: 4, b: 2 },
    ],
    ['b', 'a'],
  ],
  // what one of them lacks is one field, though others differ within it
  [[{ a: [{ b: 1 }] }, { a: [{ b: 2 }] }, { a: [] }], ['a.0']],
  [
    [
      { a: { b: 1 }, ab: 1 },
      { a: 2, ab: 2 },
    ],
    ['a', 'ab'],
  ],
])('the fields in which some of %j differ are %j', (values, expected) => {
  expect(differingFields(values)).toEqual(expected);
});
