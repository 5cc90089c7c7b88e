import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { loadVector } from '../../src/run/model-file.ts';
import { encodeTensors, type TensorArray } from '../../src/run/tensor-file.ts';

/** The file of a rate for each input, `training.learningRateByFeature`. */

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-vector-'));
  file = join(folder, 'rates.safetensors');
});
afterEach(() => rm(folder, { recursive: true }));

async function load(tensors: Record<string, TensorArray>): Promise<Float64Array> {
  const shaped = Object.entries(tensors).map(([name, data]) => [name, { shape: [data.length], data }]);
  await writeFile(file, encodeTensors({ metadata: {}, tensors: Object.fromEntries(shaped) }));
  return loadVector(file, 3);
}

test('a vector is read in any precision', async () => {
  expect(await load({ rates: Float64Array.of(0, 0.1, 1e300) })).toEqual(Float64Array.of(0, 0.1, 1e300));
  expect(await load({ 'any name': Float32Array.of(0.5, 0.25, 2) })).toEqual(Float64Array.of(0.5, 0.25, 2));
});

test.each<[string, Record<string, TensorArray>, string]>([
  ['no tensor', {}, 'expected one tensor, found 0'],
  ['two tensors', { a: new Float32Array(3), b: new Float32Array(3) }, 'expected one tensor, found 2'],
  ['too few numbers', { a: new Float32Array(2) }, 'a: expected 3 numbers, found 2'],
  ['too many numbers', { a: new Float32Array(4) }, 'a: expected 3 numbers, found 4'],
  ['a number below 0', { a: Float32Array.of(1, 1, -1e-9) }, 'a: expected finite numbers of at least 0'],
  ['no number', { a: Float32Array.of(1, Number.NaN, 1) }, 'a: expected finite numbers of at least 0'],
  ['infinity', { a: Float32Array.of(Number.POSITIVE_INFINITY, 1, 1) }, 'a: expected finite numbers of at least 0'],
])('%s is refused', async (_, tensors, message) => {
  const error = await load(tensors).catch((found: unknown) => found);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).exitCode).toBe(4);
  expect((error as UserError).message).toBe(`${file}: ${message}`);
  expect((error as UserError).hint).toContain('training.learningRateByFeature');
});

test('a file that is not there is refused', async () => {
  const error = await loadVector(file, 3).catch((found: unknown) => found);
  expect((error as UserError).message).toBe(`${file}: expected a file of one tensor, found: no such file or folder`);
  expect((error as UserError).hint).toContain('training.learningRateByFeature');
});
