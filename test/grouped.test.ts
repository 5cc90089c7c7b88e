import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteText, byteTexts, grouped } from '../src/text.ts';

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

test('bytes are told in the unit that fits', () => {
  const texts = [0, 999, 1000, 999_900, 1_000_000, 1.5e9, 2e12, 1e18].map(byteText);
  expect(texts).toEqual(['0 bytes', '999 bytes', '1.0 kB', '999.9 kB', '1.0 MB', '1.5 GB', '2.0 TB', '1000000.0 TB']);
});

test('two sizes of which one is too much never read the same', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -5, max: 5 })), (one, more) => {
      const [a, b] = [Math.abs(one), Math.abs(one + more)].map((n) => n % 1e12) as [number, number];
      fc.pre(a !== b);
      const [first, second] = byteTexts(a, b);
      expect(first).not.toBe(second);
    }),
  );
  expect(byteTexts(1_040_000_000, 1_030_000_000)).toEqual(['1,040,000,000 bytes', '1,030,000,000 bytes']);
});
