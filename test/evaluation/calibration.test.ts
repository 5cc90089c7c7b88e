import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sigmoid, softplus } from '../../src/elementary.ts';
import { fitTemperature } from '../../src/evaluation/calibration.ts';
import { steps } from '../golden/golden.ts';

const lossAt = (temperature: number, z: ArrayLike<number>, y: Uint8Array) =>
  y.reduce((sum, label, i) => sum + softplus(label === 1 ? -z[i]! / temperature : z[i]! / temperature), 0) / y.length;

test('the temperature of forty logits is that of NumPy', () => {
  const golden = steps.temperature;
  const [z, y]: [number[], Uint8Array] = [golden.z.data, Uint8Array.from(golden.y.data)];
  const found = fitTemperature(z, y)!;
  expect(found).toBeCloseTo(golden.temperature, 10);
  expect(lossAt(found, z, y)).toBeCloseTo(golden['log loss'], 13);
  expect(lossAt(1, z, y)).toBeCloseTo(golden['log loss before'], 13);
});

test('three of four right at the same distance: p becomes ¾, by hand', () => {
  // σ(z/T) = ¾ where z/T = ln 3
  for (const z of [0.01, 1, 5, 400]) {
    const found = fitTemperature([z, z, -z, z], Uint8Array.of(1, 1, 0, 0))!;
    expect(found / (z / Math.log(3))).toBeCloseTo(1, 12);
    expect(sigmoid(z / found)).toBeCloseTo(0.75, 12);
  }
});

describe('for any answers', () => {
  const answers = fc.array(fc.tuple(fc.double({ min: -50, max: 50, noNaN: true }), fc.constantFrom(0, 1)), {
    minLength: 1,
    maxLength: 40,
  });

  test('no temperature about it has less log loss, and no side of ½ changes; where there is none, one end or the other has the least', () => {
    let fitted = 0;
    fc.assert(
      fc.property(answers, (rows) => {
        const [z, y] = [rows.map(([value]) => value), Uint8Array.from(rows, ([, label]) => label)];
        const found = fitTemperature(z, y);
        if (found === null) {
          const losses = [1e-3, 1, 1e3, 1e6].map((temperature) => lossAt(temperature, z, y));
          const least = Math.min(...losses);
          expect(Math.min(losses[0]!, losses[3]!)).toBeLessThanOrEqual(least + 1e-9);
          return;
        }
        fitted++;
        const least = lossAt(found, z, y);
        for (const factor of [1e-3, 0.5, 0.9, 0.999, 1.001, 1.1, 2, 1e3]) {
          expect(least).toBeLessThanOrEqual(lossAt(found * factor, z, y) * (1 + 1e-12) + 1e-15);
        }
      }),
      { numRuns: 400 },
    );
    expect(fitted).toBeGreaterThan(50);
  });

  test.each<[string, number[], number[]]>([
    ['all right', [2, -1, 3], [1, 0, 1]],
    ['all right, but for one that says nothing', [2, 0, 3], [1, 0, 1]],
    ['all wrong', [2, -1], [0, 1]],
    ['as wrong as right', [1, 1], [0, 1]],
    ['that say nothing', [0, 0], [0, 1]],
    ['that are so near to 0 that no number makes them count', [4e-320, 4e-320, -4e-320], [1, 1, 1]],
  ])('%s: none is best', (_, z, y) => {
    expect(fitTemperature(z, Uint8Array.from(y))).toBeNull();
  });
});
