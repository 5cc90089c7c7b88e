import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { referenceImages } from '../../src/kernels/image-transform.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import { namedRandom } from '../../src/random.ts';

const image = (side: number, at: (y: number, x: number, channel: number) => number) =>
  Uint8Array.from({ length: side * side * 3 }, (_, k) => at(Math.floor(k / (3 * side)), Math.floor(k / 3) % side, k % 3));
describe.each([
  ['the reference', referenceImages],
  ['float32', kernelsFor('float32')],
  ['float64', kernelsFor('float64')],
] as const)('an image that is made smaller by %s', (_, { shrinkImages }) => {
  function shrunk(bytes: Uint8Array, side: number, smaller: number): Uint8Array {
    const out = new Uint8Array(smaller * smaller * 3);
    shrinkImages({ bytes, indices: null, count: 1, side, smaller, out });
    return out;
  }
  // by hand: 4 pixels to 2, a filter 4 wide about 1 and 3, with weights 1/8, 3/8, 3/8, 1/8 of which the edge cuts one off: 3/7, 3/7, 1/7
  test('by half: weights 3, 3 and 1 at an edge', () => {
    const line = [7, 14, 70, 140];
    const [left, right] = [(3 * 7 + 3 * 14 + 70) / 7, (14 + 3 * 70 + 3 * 140) / 7];
    const out = shrunk(
      image(4, (_, x) => line[x]!),
      4,
      2,
    );
    expect([...out.subarray(0, 6)]).toEqual([left, left, left, right, right, right].map((value) => Math.floor(value + 0.5)));
    const turned = shrunk(
      image(4, (y) => line[y]!),
      4,
      2,
    );
    expect([...turned.subarray(0, 3), ...turned.subarray(6, 9)]).toEqual([...out.subarray(0, 6)]);
  });

  test('from 5 to 3 as the formula has it', () => {
    const out = shrunk(
      image(5, (y, x, c) => (y * 37 + x * 59 + c * 83) % 256),
      5,
      3,
    );
    const scale = 5 / 3;
    const weight = (i: number, j: number) => Math.max(0, 1 - Math.abs(j + 0.5 - (i + 0.5) * scale) / scale);
    const row = (i: number) =>
      [0, 1, 2, 3, 4].map((j) => weight(i, j) / [0, 1, 2, 3, 4].reduce((sum, k) => sum + weight(i, k), 0));
    const expected = image(3, (y, x, c) => {
      let sum = 0;
      for (let j = 0; j < 5; j++) for (let k = 0; k < 5; k++) sum += row(y)[j]! * row(x)[k]! * ((j * 37 + k * 59 + c * 83) % 256);
      return Math.round(sum);
    });
    expect([...out]).toEqual([...expected]);
  });

  test('of one colour keeps it, and no byte leaves the range of the image', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 20 }),
        fc.integer({ min: 1, max: 19 }),
        fc.nat(255),
        fc.infiniteStream(fc.nat(255)),
        (from, less, byte, bytes) => {
          const to = Math.min(less, from - 1);
          expect(
            new Set(
              shrunk(
                image(from, () => byte),
                from,
                to,
              ),
            ),
          ).toEqual(new Set([byte]));
          const noise = image(from, () => bytes.next().value);
          const out = shrunk(noise, from, to);
          expect(Math.min(...out)).toBeGreaterThanOrEqual(Math.min(...noise));
          expect(Math.max(...out)).toBeLessThanOrEqual(Math.max(...noise));
        },
      ),
    );
  });

  test('is the same alone and among others, wherever it stands', () => {
    const images = [11, 5, 3].map((step) => image(6, (y, x, c) => (y * step + x * 31 + c) % 256));
    const bytes = Uint8Array.from(images.flatMap((one) => [...one]));
    const out = new Uint8Array(2 * 4 * 4 * 3);
    shrinkImages({ bytes, indices: Int32Array.of(2, 0), count: 2, side: 6, smaller: 4, out });
    expect([...out]).toEqual([...shrunk(images[2]!, 6, 4), ...shrunk(images[0]!, 6, 4)]);
  });

  test('is that of the reference, to the byte', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 70 }), fc.integer({ min: 1, max: 69 }), fc.nat(9), (side, less, seed) => {
        const [smaller, random] = [Math.min(less, side - 1), namedRandom(seed, 'shrink test')];
        const bytes = Uint8Array.from({ length: 2 * side * side * 3 }, () => random.integer(255));
        const [found, expected] = [0, 1].map(() => new Uint8Array(2 * smaller * smaller * 3)) as [Uint8Array, Uint8Array];
        const options = { bytes, indices: null, count: 2, side, smaller };
        shrinkImages({ ...options, out: found });
        referenceImages.shrinkImages({ ...options, out: expected });
        expect(found).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });
});
