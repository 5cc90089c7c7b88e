import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ImageTransform, identityTransform, referenceImages } from '../../src/kernels/image-transform.ts';
import { inScope, type Kernels, type Precision, precisions } from '../../src/kernels/kernels.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';
import { namedRandom } from '../../src/random.ts';

const kinds: [string, Kernels][] = (Object.keys(precisions) as Precision[]).flatMap((precision) => [
  [`${precision}, one thread`, simdKernels(precision, 1)],
  [`${precision}, one thread, narrow`, simdKernels(precision, 1, 'strict', false)],
  [`${precision}, three threads`, simdKernels(precision, 3)],
]);

/** Numbers of every kind: small fractions, halves and quarters, at which colours lie between two bytes, and none. */
const numbers = (most: number) =>
  fc.oneof(
    fc.double({ min: -most, max: most, noNaN: true }),
    fc.integer({ min: -4 * most, max: 4 * most }).map((k) => k / 4),
  );
const maybe = (value: fc.Arbitrary<number>, none: number) => fc.oneof(fc.constant(none), value);
const transformOf: fc.Arbitrary<ImageTransform> = fc.record({
  xx: maybe(numbers(3), 1),
  xy: maybe(numbers(3), 0),
  yx: maybe(numbers(3), 0),
  yy: maybe(numbers(3), 1),
  right: maybe(numbers(40), 0),
  down: maybe(numbers(40), 0),
  saturation: maybe(fc.double({ min: 0, max: 2, noNaN: true }), 1),
  contrast: maybe(fc.double({ min: 0, max: 2, noNaN: true }), 1),
  red: maybe(numbers(255), 0),
  green: maybe(numbers(255), 0),
  blue: maybe(numbers(255), 0),
});

interface Batch {
  side: number;
  transforms: ImageTransform[];
  seed: number;
  /** whether the pictures lie where the kernels read them */
  pinned: boolean;
}
const batches: fc.Arbitrary<Batch> = fc.record({
  side: fc.integer({ min: 1, max: 24 }),
  transforms: fc.array(transformOf, { minLength: 1, maxLength: 6 }),
  seed: fc.integer({ min: 0, max: 1000 }),
  pinned: fc.boolean(),
});

const guard = 77;

/** What kernels make of a batch, and of the bytes before and behind it. */
function transformed(kernels: Kernels | null, { side, transforms, seed, pinned }: Batch): Uint8Array {
  const features = side * side * 3;
  const random = namedRandom(seed, 'images');
  const images = 4;
  const pixels = Uint8Array.from({ length: images * features }, () => random.integer(255));
  const indices = Int32Array.from(transforms, () => random.integer(images - 1));
  const make = (pin: (bytes: Uint8Array) => Uint8Array, { transformImages } = kernels ?? referenceImages) => {
    const whole = pin(new Uint8Array((transforms.length + 2) * features).fill(guard));
    const out = whole.subarray(features, (transforms.length + 1) * features);
    transformImages({ bytes: pin(pixels), indices, side, transforms, out });
    return whole.slice();
  };
  return kernels === null || !pinned ? make((bytes) => bytes) : inScope(kernels, (scope) => make(scope.pin));
}

describe.each(kinds)('images by the kernels in %s', (_, kernels) => {
  test('are those of the reference, byte for byte', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        expect(Buffer.compare(transformed(kernels, batch), transformed(null, batch))).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  test('are those of the reference at the size of a training', () => {
    const random = namedRandom(1, 'transforms');
    const near = (most: number) => (2 * random.uniform() - 1) * most;
    const transforms = Array.from({ length: 70 }, () => ({
      ...{ xx: 1 + near(0.2), xy: near(0.3), yx: near(0.3), yy: 1 + near(0.2), right: near(6), down: near(6) },
      ...{ saturation: 1 + near(0.5), contrast: 1 + near(0.5), red: near(30), green: near(30), blue: near(30) },
    }));
    const batch = { side: 64, transforms, seed: 5, pinned: true };
    expect(Buffer.compare(transformed(kernels, batch), transformed(null, batch))).toBe(0);
  });

  test('round what lies between two bytes up, as Math.round does, however near it comes to that', () => {
    // right of a 1 lies a 0, so that a shift by s leaves 1 − s
    const bytes = Uint8Array.from([1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0]);
    const shifts = [0.5, 0.5 + 2 ** -53, 0.5 - 2 ** -54, 0.5 + 2 ** -30, 0.5 - 2 ** -30, 0.5 + 1e-5, 0.5 - 1e-5];
    const transforms = shifts.map((shift) => ({ ...identityTransform, right: -shift }));
    const indices = new Int32Array(shifts.length);
    const out = new Uint8Array(12 * shifts.length);
    kernels.transformImages({ bytes, indices, side: 2, transforms, out });
    const expected = new Uint8Array(out.length);
    referenceImages.transformImages({ bytes, indices, side: 2, transforms, out: expected });
    expect(out).toEqual(expected);
    expect([0, 3, 4].map((i) => out[12 * i])).toEqual([1, 0, 1]);
  });

  test('are the reference’s also where pixels come from farther than the kernels count', () => {
    const far = { ...identityTransform, xx: 1e9, yy: -3e11, right: 0.25 };
    const batch = { side: 5, transforms: [far, identityTransform], seed: 1, pinned: false };
    expect(transformed(kernels, batch)).toEqual(transformed(null, batch));
  });

  test('flip pictures as the reference does, with colours and without', () => {
    const flips = [1, -1].flatMap((xx) =>
      [1, -1].flatMap((yy) => [1, 1.5].map((contrast) => ({ ...identityTransform, xx, yy, contrast }))),
    );
    for (const side of [1, 2, 7, 16]) {
      const batch = { side, transforms: flips, seed: 4, pinned: true };
      expect(transformed(kernels, batch)).toEqual(transformed(null, batch));
    }
  });

  test('leave pictures that nothing becomes of as they are', () => {
    const batch = { side: 7, transforms: [identityTransform, identityTransform], seed: 3, pinned: true };
    const out = transformed(kernels, batch);
    expect(out.slice(147, 441).every((value) => value === guard)).toBe(false);
    expect(out).toEqual(transformed(null, batch));
    expect([...out.slice(0, 147), ...out.slice(441)].every((value) => value === guard)).toBe(true);
  });

  test('refuse pictures that there are not', () => {
    const options = { bytes: new Uint8Array(12), indices: Int32Array.of(1), side: 2, transforms: [identityTransform] };
    expect(() => kernels.transformImages({ ...options, out: new Uint8Array(12) })).toThrow('among the 1 rows');
    const none = { ...options, indices: Int32Array.of(0), out: new Uint8Array(11) };
    expect(() => kernels.transformImages(none)).toThrow('at least 12 numbers');
  });
});
