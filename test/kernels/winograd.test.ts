import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canPool, hasLargeTiles, isWinograd, transformedLength } from '../../src/kernels/convolution.ts';
import { type Floats, precisions } from '../../src/kernels/kernels.ts';
import { referenceKernels } from '../../src/kernels/reference.ts';
import {
  winogradConvolve,
  winogradGradInput,
  winogradGradWeights,
  winogradLargeTiles,
} from '../../src/kernels/reference-winograd.ts';
import { simdKernels } from '../../src/kernels/simd/simd-kernels.ts';

/** Winograd's transform: the bits of its plain reference, and about the numbers of the convolution that it stands for. */

const shapes = fc
  .record({
    height: fc.integer({ min: 1, max: 9 }),
    width: fc.integer({ min: 1, max: 9 }),
    channels: fc.integer({ min: 8, max: 21 }),
    filters: fc.integer({ min: 8, max: 21 }),
    top: fc.integer({ min: 0, max: 2 }),
    left: fc.integer({ min: 0, max: 2 }),
    bottom: fc.integer({ min: 0, max: 2 }),
    right: fc.integer({ min: 0, max: 2 }),
    count: fc.integer({ min: 1, max: 5 }),
    seed: fc.integer({ min: 1, max: 1e6 }),
  })
  .map(({ bottom, right, ...shape }) => {
    const { height, width, channels, top, left } = shape;
    const out = { outHeight: height + top + bottom - 2, outWidth: width + left + right - 2 };
    return { ...shape, windows: { height, width, channels, size: 3, stride: 1, top, left, ...out } };
  })
  .filter(({ windows, filters }) => Math.min(windows.outHeight, windows.outWidth) > 0 && isWinograd({ windows, filters }));

/** Shapes that large tiles fit. */
const wholeShapes = fc
  .record({
    rows: fc.integer({ min: 2, max: 4 }),
    columns: fc.integer({ min: 2, max: 4 }),
    channels: fc.constantFrom(8, 16, 24),
    filters: fc.constantFrom(8, 16, 24),
    top: fc.integer({ min: 0, max: 2 }),
    left: fc.integer({ min: 0, max: 2 }),
    count: fc.integer({ min: 1, max: 5 }),
    seed: fc.integer({ min: 1, max: 1e6 }),
  })
  .map(({ rows, columns, channels, top, left, ...shape }) => {
    const out = { outHeight: 4 * rows, outWidth: 4 * columns };
    // the windows reach over the other edges by what is left of two
    const sides = { height: out.outHeight + top, width: out.outWidth + left };
    return { ...shape, windows: { ...sides, channels, size: 3, stride: 1, top, left, ...out } };
  })
  .filter(hasLargeTiles);

type Shape = typeof shapes extends fc.Arbitrary<infer T> ? T : never;

/** Numbers of all sizes, so that another order of a sum shows. */
function noise(length: number, seed: number): Float64Array {
  let x = seed;
  return Float64Array.from({ length }, () => {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
    return x / 2 ** 30 - 1;
  });
}

const cases = (['float32', 'float64'] as const).flatMap((precision) =>
  [1, 3].map((threads) => ({ precision, threads, kernels: simdKernels(precision, threads) })),
);

describe.each(cases)('$precision, $threads threads', ({ precision, kernels }) => {
  const numbers = (length: number, seed: number): Floats => precisions[precision].from(noise(length, seed));
  const room = (length: number) => new precisions[precision](length);

  /** What the kernels make of a shape, the reference of Winograd's transform, and the definition. */
  const madeOf = ({ windows, filters, count, seed }: Shape) => {
    const { height, width, channels, outHeight, outWidth } = windows;
    const [images, places, length] = [
      count * height * width * channels,
      count * outHeight * outWidth * filters,
      filters * 9 * channels,
    ];
    const values = numbers(images, seed);
    const weights = numbers(length, seed + 1);
    const dZ = numbers(places, seed + 2);
    const bias = seed % 2 ? numbers(filters, seed + 3) : null;
    const adds = seed % 3 > 0;
    const input = { kind: 'floats', values, count, features: height * width * channels } as const;
    const shape = { windows, filters };
    const results = () => ({ z: room(places).fill(0.5), dA: room(images).fill(0.5), dW: numbers(length, seed + 4) });
    const made = (own: typeof kernels) => {
      const { z, dA, dW } = results();
      own.convolve({ input, ...shape, weights, bias, out: z });
      own.convolveGradInput({ ...shape, count, dZ, weights, out: dA });
      own.convolveGradWeights({ input, ...shape, dZ, out: dW, adds });
      return { z, dA, dW };
    };
    const plain = results();
    winogradConvolve({ values, ...shape, count, weights, bias, out: plain.z, precision });
    winogradGradInput({ ...shape, count, dZ, weights, out: plain.dA, precision });
    winogradGradWeights({ values, ...shape, count, dZ, out: plain.dW, adds, precision });
    return { found: made(kernels), plain, expected: made(referenceKernels(precision)) };
  };

  test('has the bits of the plain reference, and the numbers of the convolution', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const { found, plain, expected } = madeOf(shape);
        expect(found).toEqual(plain);
        for (const name of ['z', 'dA', 'dW'] as const) expectClose(found[name], expected[name], precision === 'float32' ? 3 : 11);
      }),
      { numRuns: 8 },
    );
  });

  test('has the bits of the plain reference with large tiles, with what is done behind it, and the numbers of the convolution', () => {
    fc.assert(
      fc.property(wholeShapes, fc.boolean(), ({ windows, filters, count, seed }, relu) => {
        const { height, width, channels, outHeight, outWidth } = windows;
        const places = count * outHeight * outWidth * filters;
        const values = numbers(count * height * width * channels, seed);
        const weights = numbers(filters * 9 * channels, seed + 1);
        const bias = seed % 2 ? numbers(filters, seed + 3) : null;
        const transformed = room(transformedLength({ windows, filters }));
        kernels.transformFilters({ windows, filters, weights, out: transformed });
        const input = { kind: 'floats', values, count, features: height * width * channels } as const;
        const own = { input, windows, filters, weights, bias, relu };
        const made = (by: typeof kernels, pools: boolean) => {
          const out = room(pools ? places / 4 : places);
          by.convolve({ ...own, pools, transformed: by === kernels ? transformed : null, out });
          return out;
        };
        const plain = room(places);
        winogradLargeTiles({ values, windows, filters, count, weights, bias, relu, out: plain, precision });
        const found = made(kernels, false);
        expect(found).toEqual(plain);
        const sides = { size: 2, stride: 2, top: 0, left: 0, outHeight: outHeight / 2, outWidth: outWidth / 2 };
        const pooled = room(places / 4);
        const pool = { height: outHeight, width: outWidth, channels: filters, ...sides };
        referenceKernels(precision).maxPool({ values: plain, windows: pool, count, out: pooled });
        expect(made(kernels, true)).toEqual(pooled);
        for (const pools of [false, true])
          expectClose(made(kernels, pools), made(referenceKernels(precision), pools), precision === 'float32' ? 3 : 11);
      }),
      { numRuns: 6 },
    );
  });

  test('does ReLU and the pool behind a convolution of small tiles in the same pass, to the bit', () => {
    fc.assert(
      fc.property(shapes, fc.boolean(), ({ windows, filters, count, seed }, relu) => {
        const { height, width, channels, outHeight, outWidth } = windows;
        const places = count * outHeight * outWidth * filters;
        const values = numbers(count * height * width * channels, seed);
        const weights = numbers(filters * 9 * channels, seed + 1);
        const input = { kind: 'floats', values, count, features: height * width * channels } as const;
        const [plain, found] = [room(places), room(places)];
        const own = { windows, filters, weights, bias: null };
        winogradConvolve({ values, ...own, count, out: plain, precision });
        if (relu) for (const [i, z] of plain.entries()) if (z < 0) plain[i] = 0;
        kernels.convolve({ input, ...own, relu, out: found });
        expect(found).toEqual(plain);
        if (!canPool({ windows, filters })) return;
        const sides = { size: 2, stride: 2, top: 0, left: 0, outHeight: outHeight / 2, outWidth: outWidth / 2 };
        const [expected, pooled] = [room(places / 4), room(places / 4)];
        const pool = { height: outHeight, width: outWidth, channels: filters, ...sides };
        referenceKernels(precision).maxPool({ values: plain, windows: pool, count, out: expected });
        kernels.convolve({ input, ...own, relu, pools: true, out: pooled });
        expect(pooled).toEqual(expected);
      }),
      { numRuns: 12 },
    );
  });
});

function expectClose(found: Floats, expected: Floats, digits: number): void {
  for (let i = 0; i < expected.length; i++) expect(found[i]!).toBeCloseTo(expected[i]!, digits);
}
