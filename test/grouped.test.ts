import fc from 'fast-check';
import { expect, test } from 'vitest';
import { grouped } from '../src/grouped.ts';

test('numbers are grouped as the host would group them', () => {
  const numbers = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.integer({ min: -100_000, max: 100_000 }).map((n) => n / 8),
  );
  fc.assert(
    fc.property(numbers, (n) => {
      fc.pre(!Object.is(n, -0));
      expect(grouped(n)).toBe(n.toLocaleString('en'));
    }),
  );
  for (const n of [0, 999, 1000, 12288, 123_456.5, -1000]) expect(grouped(n)).toBe(n.toLocaleString('en'));
});
