import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NormalizerName, normalizers } from '../../src/data/normalize.ts';
import type { InputScaling } from '../../src/kernels/kernels.ts';

/** x = scale · byte + shift, for all examples. */
function applied({ scale, shift }: InputScaling, pixels: Uint8Array): number[][] {
  const n = scale.length;
  const rows: number[][] = [];
  for (let at = 0; at < pixels.length; at += n) rows.push([...pixels.slice(at, at + n)].map((x, k) => x * scale[k]! + shift[k]!));
  return rows;
}

const fitted = (name: NormalizerName, rows: number[][]) => {
  const pixels = Uint8Array.from(rows.flat());
  return applied(normalizers[name].fit(pixels, rows[0]!.length), pixels);
};

const average = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const deviation = (values: number[]) => Math.sqrt(average(values.map((x) => (x - average(values)) ** 2)));
const column = (rows: number[][], k: number) => rows.map((row) => row[k]!);

/** Two pictures of two pixels; the red of the second pixel is constant, its green is always 0. */
const two = [
  [10, 20, 30, 40, 0, 60],
  [30, 20, 50, 40, 0, 100],
];

/** What each entry makes of them, by hand. */
const byHand: Record<NormalizerName, number[][]> = {
  scale: two.map((row) => row.map((x) => x / 255)),
  // means 20, 20, 40, 40, 0 (counts as 1), 80
  mean: [
    [10 / 20, 1, 30 / 40, 1, 0, 60 / 80],
    [30 / 20, 1, 50 / 40, 1, 0, 100 / 80],
  ],
  // σ 10, 0 (counts as 1), 10, 0, 0, 20
  standardize: [
    [-1, 0, -1, 0, 0, -1],
    [1, 0, 1, 0, 0, 1],
  ],
  // red 10 40 30 40: mean 30, σ² (400 + 100 + 0 + 100)/4 = 150; green 20 0 20 0: 10, 100; blue 30 60 50 100: 60, 650
  standardizeChannels: [
    [-20 / Math.sqrt(150), 1, -30 / Math.sqrt(650), 10 / Math.sqrt(150), -1, 0],
    [0, 1, -10 / Math.sqrt(650), 10 / Math.sqrt(150), -1, 40 / Math.sqrt(650)],
  ],
  none: two,
};

const names = Object.keys(normalizers) as NormalizerName[];

describe.each(names)('normalize: %s', (name) => {
  test('makes of two pictures what the formula gives by hand', () => {
    const found = fitted(name, two);
    for (const [i, row] of byHand[name].entries()) {
      for (const [k, x] of row.entries()) expect(found[i]![k], `picture ${i}, feature ${k}`).toBeCloseTo(x, 12);
    }
  });

  test('gives finite inputs for any pictures, also where every byte is the same', () => {
    fc.assert(
      fc.property(pictures, (rows) => {
        expect(fitted(name, rows).flat().every(Number.isFinite)).toBe(true);
      }),
    );
    for (const byte of [0, 1, 255]) {
      expect(
        fitted(name, [Array(12).fill(byte), Array(12).fill(byte)])
          .flat()
          .every(Number.isFinite),
      ).toBe(true);
    }
  });

  test('has a summary, for help and the JSON Schema', () => {
    expect(normalizers[name].summary).not.toBe('');
  });
});

/** Two to thirty pictures of four pixels. */
const pictures = fc.array(fc.array(fc.nat(255), { minLength: 12, maxLength: 12 }), { minLength: 2, maxLength: 30 });

test('scale takes 0 to 0 and 255 to 1, whatever the pictures are', () => {
  fc.assert(
    fc.property(pictures, (rows) => {
      const map = normalizers.scale.fit(Uint8Array.from(rows.flat()), 12);
      expect(applied(map, new Uint8Array(12))[0]).toEqual(Array(12).fill(0));
      for (const x of applied(map, new Uint8Array(12).fill(255))[0]!) expect(x).toBeCloseTo(1, 15);
    }),
  );
});

test('none leaves every byte as it is', () => {
  fc.assert(
    fc.property(pictures, (rows) => {
      expect(fitted('none', rows)).toEqual(rows);
    }),
  );
});

test('mean gives each feature a mean of 1, and 0 where it is always 0', () => {
  fc.assert(
    fc.property(pictures, (rows) => {
      const inputs = fitted('mean', rows);
      for (let k = 0; k < 12; k++) {
        expect(average(column(inputs, k))).toBeCloseTo(column(rows, k).some((x) => x > 0) ? 1 : 0, 9);
      }
    }),
  );
});

test('standardize gives each feature mean 0 and variance 1, and 0 where it never changes', () => {
  fc.assert(
    fc.property(pictures, (rows) => {
      const inputs = fitted('standardize', rows);
      for (let k = 0; k < 12; k++) {
        const constant = new Set(column(rows, k)).size === 1;
        expect(average(column(inputs, k))).toBeCloseTo(0, 9);
        expect(deviation(column(inputs, k))).toBeCloseTo(constant ? 0 : 1, 9);
      }
    }),
  );
});

test('standardizeChannels gives each colour mean 0 and variance 1 over all its pixels, with one map per colour', () => {
  fc.assert(
    fc.property(pictures, (rows) => {
      const pixels = Uint8Array.from(rows.flat());
      const { scale, shift } = normalizers.standardizeChannels.fit(pixels, 12);
      const inputs = applied({ scale, shift }, pixels);
      for (let channel = 0; channel < 3; channel++) {
        const of = (all: number[][]) => all.flatMap((row) => row.filter((_, k) => k % 3 === channel));
        const constant = new Set(of(rows)).size === 1;
        expect(average(of(inputs))).toBeCloseTo(0, 9);
        expect(deviation(of(inputs))).toBeCloseTo(constant ? 0 : 1, 9);
        expect(new Set(scale.filter((_, k) => k % 3 === channel)).size).toBe(1);
        expect(new Set(shift.filter((_, k) => k % 3 === channel)).size).toBe(1);
      }
    }),
  );
});

test('a constant feature keeps σ 1 to the bit, though many pictures are summed', () => {
  for (const byte of [0, 7, 85, 255]) {
    const map = normalizers.standardize.fit(new Uint8Array(3 * 100_003).fill(byte), 3);
    expect([...map.scale]).toEqual([1, 1, 1]);
    expect([...map.shift].map((value) => value + byte)).toEqual([0, 0, 0]);
  }
});
