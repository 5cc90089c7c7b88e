import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Batch } from '../../src/kernels/kernels.ts';
import { referenceKernels } from '../../src/kernels/reference.ts';
import { namedRandom } from '../../src/random.ts';
import { largestError } from '../golden/golden.ts';

const kernels = referenceKernels('float64');

interface Case {
  units: number;
  features: number;
  count: number;
  seed: number;
}

const cases = fc.record({
  units: fc.integer({ min: 1, max: 9 }),
  features: fc.integer({ min: 1, max: 40 }),
  count: fc.integer({ min: 1, max: 11 }),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

const normals = (seed: number, name: string, length: number) => {
  const random = namedRandom(seed, name);
  return Float64Array.from({ length }, () => random.normal());
};

/** Pictures as bytes, in another order than they are asked for, and the numbers that they stand for. */
function byteRows({ features, count, seed }: Case): { rows: Batch; x: (i: number, k: number) => number } {
  const random = namedRandom(seed, 'bytes');
  const bytes = Uint8Array.from({ length: (count + 2) * features }, () => random.integer(255));
  const scaling = { scale: normals(seed, 'scale', features), shift: normals(seed, 'add', features) };
  const indices = random.permutation(count + 2).subarray(0, count);
  const rows: Batch = { kind: 'bytes', bytes, indices, count, features, scaling };
  return { rows, x: (i, k) => bytes[indices[i]! * features + k]! * scaling.scale[k]! + scaling.shift[k]! };
}

function floatRows({ features, count, seed }: Case): { rows: Batch; x: (i: number, k: number) => number } {
  const values = normals(seed, 'values', count * features);
  return { rows: { kind: 'floats', values, count, features }, x: (i, k) => values[i * features + k]! };
}

describe.each([
  ['bytes', byteRows],
  ['floats', floatRows],
])('of %s', (_, make) => {
  test('forward is W·X + b', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const { rows, x } = make(c);
        const { units, features, count, seed } = c;
        const weights = normals(seed, 'weights', units * features);
        const bias = normals(seed, 'bias', units);
        const out = new Float64Array(count * units);
        kernels.linear({ input: rows, weights, bias, units, out });
        const expected = Array.from({ length: count * units }, (_, at) => {
          const [i, u] = [Math.floor(at / units), at % units];
          let sum = bias[u]!;
          for (let k = 0; k < features; k++) sum += weights[u * features + k]! * x(i, k);
          return sum;
        });
        expect(largestError(out, expected)).toBeLessThan(1e-10);
      }),
    );
  });

  test('backwardWeights is dZ·Xᵀ', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const { rows, x } = make(c);
        const { units, features, count, seed } = c;
        const dZ = normals(seed, 'dZ', count * units);
        const out = new Float64Array(units * features).fill(7);
        kernels.linearGradWeights({ input: rows, dZ, units, out });
        const expected = Array.from({ length: units * features }, (_, at) => {
          const [u, k] = [Math.floor(at / features), at % features];
          let sum = 0;
          for (let i = 0; i < count; i++) sum += dZ[i * units + u]! * x(i, k);
          return sum;
        });
        expect(largestError(out, expected)).toBeLessThan(1e-10);
      }),
    );
  });
});

test('backwardInput is Wᵀ·dZ', () => {
  fc.assert(
    fc.property(cases, ({ units, features, count, seed }) => {
      const weights = normals(seed, 'weights', units * features);
      const dZ = normals(seed, 'dZ', count * units);
      const out = new Float64Array(count * features).fill(7);
      kernels.linearGradInput({ dZ, weights, units, features, count, out });
      const expected = Array.from({ length: count * features }, (_, at) => {
        const [i, k] = [Math.floor(at / features), at % features];
        let sum = 0;
        for (let u = 0; u < units; u++) sum += dZ[i * units + u]! * weights[u * features + k]!;
        return sum;
      });
      expect(largestError(out, expected)).toBeLessThan(1e-10);
    }),
  );
});

test('the sums of one example do not depend on how many share the call', () => {
  const c = { units: 3, features: 37, count: 9, seed: 4 };
  const { rows } = byteRows(c);
  const weights = normals(4, 'weights', 3 * 37);
  const together = new Float64Array(27);
  kernels.linear({ input: rows, weights, bias: null, units: 3, out: together });
  if (rows.kind !== 'bytes') throw new Error('expected bytes');
  for (let i = 0; i < 9; i++) {
    const alone = new Float64Array(3);
    kernels.linear({
      input: { ...rows, indices: rows.indices!.subarray(i, i + 1), count: 1 },
      weights,
      bias: null,
      units: 3,
      out: alone,
    });
    expect([...alone]).toEqual([...together.subarray(3 * i, 3 * i + 3)]);
  }
});
