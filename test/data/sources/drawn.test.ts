import { describe, expect, test } from 'vitest';
import { difficulties } from '../../../src/data/drawn/draw.ts';
import { loadExamples } from '../../../src/data/load.ts';
import { openSource } from '../../../src/data/sources/sources.ts';

const preprocessing = { imageSize: 16, fit: 'cover' } as const;
const options = { preprocessing, positive: undefined, strict: true };
const draw = async (count: number, seed: number, difficulty: keyof typeof difficulties = 'easy') =>
  loadExamples(await openSource({ type: 'drawn', count, seed, difficulty }), options);

describe.each(Object.keys(difficulties) as (keyof typeof difficulties)[])('drawn pictures, %s', (difficulty) => {
  test('are the same for the same seed', async () => {
    expect(await draw(12, 5, difficulty)).toEqual(await draw(12, 5, difficulty));
  });

  test('depend on the seed and their number alone: more of them change none', async () => {
    const few = await draw(6, 5, difficulty);
    const many = await draw(12, 5, difficulty);
    expect(many.examples.pixels.subarray(0, few.examples.pixels.length)).toEqual(few.examples.pixels);
    expect(many.examples.hashes.slice(0, 6)).toEqual(few.examples.hashes);
    expect([...many.examples.labels.slice(0, 6)]).toEqual([...few.examples.labels]);
  });

  test('differ from each other, and for another seed', async () => {
    const { examples } = await draw(12, 5, difficulty);
    const other = await draw(12, 6, difficulty);
    expect(new Set([...examples.hashes, ...other.examples.hashes]).size).toBe(24);
    expect(other.examples.pixels).not.toEqual(examples.pixels);
  });

  test('have a class each, cat or noncat, and both about equally often', async () => {
    const source = await openSource({ type: 'drawn', count: 1000, seed: 3, difficulty });
    expect(source.classes).toEqual(['cat', 'noncat']);
    const cats = Array.from({ length: 1000 }, (_, i) => source.classOf(i)).filter((index) => index === 0).length;
    // a fair coin gives 500 ± 15.8; six deviations
    expect(Math.abs(cats - 500)).toBeLessThan(95);
  });

  test('keep their class and hash at another size', async () => {
    const source = await openSource({ type: 'drawn', count: 3, seed: 5, difficulty });
    for (let i = 0; i < 3; i++) {
      const small = await source.read(i, preprocessing);
      const large = await source.read(i, { imageSize: 32, fit: 'cover' });
      expect(large.hash).toBe(small.hash);
      expect(large.pixels.length).toBe(32 * 32 * 3);
    }
  });
});

test('ten million of them are opened at once: nothing is kept', async () => {
  const source = await openSource({ type: 'drawn', count: 10_000_000, seed: 1, difficulty: 'easy' });
  expect(source.count).toBe(10_000_000);
  expect((await source.read(9_999_999, preprocessing)).pixels.length).toBe(16 * 16 * 3);
  expect(source.name(9_999_999)).not.toBe(source.name(9_999_998));
});
