import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contentHash, contentSet } from '../../src/data/content-hash.ts';

test('holds what was added, and nothing else, whenever it is asked', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(400), fc.boolean())), (steps) => {
      const [set, plain] = [contentSet(), new Set<number>()];
      for (const [n, adds] of steps) {
        const hash = contentHash(Buffer.from(`${n}`));
        if (adds) {
          set.add(hash);
          plain.add(n);
        } else expect(set.has(hash)).toBe(plain.has(n));
      }
      for (let n = 0; n <= 400; n++) expect(set.has(contentHash(Buffer.from(`${n}`)))).toBe(plain.has(n));
    }),
  );
});

test('grows beyond its first room', () => {
  const hashes = Array.from({ length: 5000 }, (_, n) => contentHash(Buffer.from(`${n}`)));
  const set = contentSet();
  for (const hash of hashes.slice(0, 3000)) set.add(hash);
  expect(hashes.filter((hash) => set.has(hash))).toEqual(hashes.slice(0, 3000));
});

test('what is no hash is in none, though it was added', () => {
  const set = contentSet();
  for (const text of ['', 'x', 'ghij', '00ff']) set.add(text);
  expect(['', 'x', 'ghij', '00ff'].map((text) => set.has(text))).toEqual([false, false, false, true]);
});
