import { describe, expect, test } from 'vitest';
import { drawBeta, drawMixing, mixImages, mixLabels, mixShares } from '../../src/data/mixup.ts';
import { namedRandom } from '../../src/random.ts';

describe('numbers from Beta(α, α)', () => {
  test.each([0.05, 0.2, 1, 4, 100])('have its mean ½, its variance 1 / (4 (2α + 1)) and its symmetry: α = %d', (alpha) => {
    const random = namedRandom(1, 'test beta');
    const n = 20_000;
    const draws = Array.from({ length: n }, () => drawBeta(random, alpha));
    expect(draws.every((value) => value >= 0 && value <= 1)).toBe(true);
    const variance = 1 / (4 * (2 * alpha + 1));
    const mean = draws.reduce((sum, value) => sum + value, 0) / n;
    const spread = draws.reduce((sum, value) => sum + (value - 0.5) ** 2, 0) / n;
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(variance / n));
    // the fourth central moment of a Beta is at most 3 variance²
    expect(Math.abs(spread - variance)).toBeLessThan(4 * Math.sqrt((2 * variance ** 2) / n));
  });

  test('α = 1 is uniform', () => {
    const random = namedRandom(2, 'test beta');
    const counts = new Array(10).fill(0);
    for (let i = 0; i < 20_000; i++) counts[Math.floor(10 * drawBeta(random, 1))]++;
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(4 * Math.sqrt(2000));
  });

  test('α so small that both gammas vanish gives 0 or 1, and never no number', () => {
    const random = namedRandom(3, 'test beta');
    const draws = Array.from({ length: 200 }, () => drawBeta(random, 1e-5));
    expect(draws.every((value) => value === 0 || value === 1 || (value > 0 && value < 1))).toBe(true);
    expect(draws.filter((value) => value > 0.5).length).toBeGreaterThan(60);
    expect(draws.filter((value) => value < 0.5).length).toBeGreaterThan(60);
  });
});

test('a mixing has a λ of ½ or more, and each image of the batch as the other of one', () => {
  for (let step = 0; step < 50; step++) {
    const { lambda, partners } = drawMixing(namedRandom(1, 'mixup', step), 0.4, 9);
    expect(lambda).toBeGreaterThanOrEqual(0.5);
    expect(lambda).toBeLessThanOrEqual(1);
    expect([...partners].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  }
});

describe('by hand: λ = 0.7, the first with the second, the second with itself, the third with the first', () => {
  const mixing = { lambda: 0.7, partners: Int32Array.of(1, 1, 0) };

  test('bytes are rounded to the nearest, halves upwards', () => {
    const bytes = Uint8Array.of(0, 255, 10, /**/ 10, 5, 255, /**/ 255, 0, 5);
    const out = new Uint8Array(9);
    mixImages({ bytes, places: null, features: 3 }, mixing, out);
    // 0.7·0 + 0.3·10 = 3, 0.7·255 + 0.3·5 = 180, 0.7·10 + 0.3·255 = 83.5; as they were; 178.5, 76.5, 0.7·5 + 0.3·10 = 6.5
    expect([...out]).toEqual([3, 180, 84, 10, 5, 255, 179, 77, 7]);
  });

  test('images that stand elsewhere are found there', () => {
    const bytes = Uint8Array.of(9, 200, 9, 100, 0);
    const out = new Uint8Array(3);
    mixImages({ bytes, places: Int32Array.of(3, 1, 4), features: 1 }, mixing, out);
    expect([...out]).toEqual([130, 200, 30]);
  });

  test('labels say which pair it is, and shares are its mean', () => {
    const out = new Uint8Array(3);
    mixLabels(Uint8Array.of(0, 1, 1), mixing, out);
    expect([...out]).toEqual([2, 1, 3]);
    const shares = mixShares([0.1, 0.9], 0.75);
    for (const [k, expected] of [0.1, 0.9, 0.3, 0.7].entries()) expect(shares[k]).toBeCloseTo(expected, 15);
  });
});
