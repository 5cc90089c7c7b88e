import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CurvePoint } from '../../src/results/journal.ts';
import { readCurve, readLastLine, thinnedCurve } from '../../src/run/read-journal.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-journal-'));
});
afterAll(() => rm(folder, { recursive: true }));

const epoch = (n: number, more: object = {}) => ({
  epoch: n,
  cost: 1 / n,
  l2Cost: 0,
  train: { accuracy: 0.5 },
  dev: null,
  learningRate: 0.1,
  seconds: n,
  layers: null,
  ...more,
});
const point = (n: number): CurvePoint => ({ epoch: n, cost: 1 / n, train: { accuracy: 0.5 }, dev: null });
const diverged = {
  epoch: 3,
  step: 9,
  layer: 1,
  tensor: 'W1',
  learningRate: 1,
  proposedRate: 0.1,
  what: 'it broke',
  examples: [],
};
const write = (lines: readonly object[], end = '') =>
  writeFile(join(folder, 'journal.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join('') + end);

describe('the curve of a journal', () => {
  test('is that of the final training, without folds, and without a line that a kill cut off', async () => {
    await write([epoch(1, { fold: 1 }), epoch(1), epoch(2)], '{"epoch":3,"co');
    expect(await readCurve(folder, null)).toEqual([point(1), point(2)]);
  });

  test('ends where the training diverged, whatever names of pictures are told of it', async () => {
    await write([epoch(1), { diverged: { ...diverged, examples: ['a\u2028b\u2029c\rd'] } }]);
    expect(await readCurve(folder, null)).toEqual([point(1)]);
    expect(await readLastLine(folder)).toMatchObject({ diverged: { epoch: 3, examples: ['a\u2028b\u2029c\rd'] } });
  });

  test('of a journal with another line within it is refused, with the number of the line', async () => {
    await write([epoch(1), { epoch: 2, cost: 'low' }, epoch(3)]);
    await expect(readCurve(folder, null)).rejects.toMatchObject({ kind: 'data', message: expect.stringContaining('line 2') });
  });

  test('is empty where there is no journal', async () => {
    await rm(join(folder, 'journal.jsonl'));
    expect(await readCurve(folder, null)).toEqual([]);
    expect(await readLastLine(folder)).toBeNull();
  });
});

describe('the last line of a journal', () => {
  test('is found though it is longer than what is read first, and though a kill cut off another behind it', async () => {
    const norms = { gradientNorm: 1, updateNorm: 1, weightNorm: 1, activationMean: 0, activationSize: 1, zeros: 0 };
    const layers = Array.from({ length: 1000 }, () => norms); // 80 kB
    await write([epoch(1), epoch(2, { layers })], '{"epoch":3');
    expect(await readLastLine(folder)).toMatchObject({ epoch: 2 });
    await write([epoch(1)]);
    expect(await readLastLine(folder)).toMatchObject({ epoch: 1 });
  });

  test('is none where nothing whole is written', async () => {
    await write([], '{"epoch":1');
    expect(await readLastLine(folder)).toBeNull();
    await write([]);
    expect(await readLastLine(folder)).toBeNull();
  });
});

test('a long curve is thinned to 1,000 points that keep its ends, the best epoch, and all extremes', () => {
  const values = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 7, maxLength: 7 });
  const cases = fc.record({ values, length: fc.integer({ min: 1001, max: 5000 }), best: fc.nat() });
  fc.assert(
    fc.property(cases, ({ values, length, best: any }) => {
      const of = (i: number, k: number) => values[(i * k) % values.length]! * ((i * 7919) % 1009);
      const all = Array.from({ length }, (_, i): CurvePoint => {
        const dev = i % 3 === 0 ? { cost: of(i, 3), accuracy: of(i, 4) } : null;
        return { epoch: i + 1, cost: of(i, 1), train: { accuracy: of(i, 2) }, dev };
      });
      const best = 1 + (any % length);
      const some = thinnedCurve(all, best);
      expect(some.length).toBeLessThanOrEqual(1000);
      expect(some.map(({ epoch }) => epoch)).toEqual(some.map(({ epoch }) => epoch).sort((a, b) => a - b));
      for (const kept of [1, length, best]) expect(some.some(({ epoch }) => epoch === kept)).toBe(true);
      const measures: ((one: CurvePoint) => number[])[] = [
        ({ cost }) => [cost],
        ({ train }) => [train.accuracy],
        ({ dev }) => (dev === null ? [] : [dev.cost]),
        ({ dev }) => (dev === null ? [] : [dev.accuracy]),
      ];
      for (const measure of measures) {
        const [before, now] = [all.flatMap(measure), some.flatMap(measure)];
        expect([Math.min(...now), Math.max(...now)]).toEqual([Math.min(...before), Math.max(...before)]);
      }
    }),
    { numRuns: 30 },
  );
});
