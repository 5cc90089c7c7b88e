import { describe, expect, test } from 'vitest';
import type { Classifier } from '../../src/classifier/classifier.ts';
import { drawImage, renderImage } from '../../src/data/drawn/draw.ts';
import { UserError } from '../../src/errors.ts';
import type { ExportFormat } from '../../src/export/export-format.ts';
import { exportFormats, formatFor, recognizeFormat } from '../../src/export/formats.ts';
import { json } from '../../src/export/json.ts';
import { decodeNpy, encodeNpy } from '../../src/export/npy.ts';
import { onnx } from '../../src/export/onnx/onnx.ts';
import { compareAnswers, drawTestPictures, testPictureCount } from '../../src/export/test-pictures.ts';
import { bufferLength, parameterSpecs, parametersOver } from '../../src/nn/network.ts';
import { output, randomClassifier } from '../classifier/classifiers.ts';
import { conv, dense } from '../nn/networks.ts';
import { exportedOf } from './random-classifiers.ts';

const formats = Object.entries<ExportFormat>(exportFormats);
const hidden = [conv(3), { type: 'globalAveragePool', keepProb: 1 } as const, dense(4)];
const classifier = randomClassifier({ side: 5, hidden, precision: 'float32' });

/** What a promise is refused with. */
async function refusalOf(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(() => null, (reason) => reason); // biome-ignore format: one call
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

describe.each(formats)('%s', (name, format) => {
  test('gives the same bytes for the same model, which are recognised as its own', async () => {
    const exported = exportedOf(classifier);
    const bytes = await format.write(exported);
    expect(Buffer.compare(bytes, await format.write(exported))).toBe(0);
    expect(recognizeFormat(bytes, 'file')).toBe(name);
    expect(formatFor(`cat${format.extension.toUpperCase()}`, undefined)).toBe(name);
  });

  test('tells of weights that are not those that answered', async () => {
    const exported = exportedOf(classifier);
    const values = classifier.parameters.values.map((value) => 1.01 * value);
    const other: Classifier = { ...classifier, parameters: parametersOver(classifier.network, values) };
    const found = await format.check(await format.write({ ...exported, classifier: other }), 'file');
    expect(found.agrees).toBe(false);
    expect(found.largestDifferenceLogit).toBeGreaterThan(found.tolerance);
  });

  test('refuses a file that is cut off, wherever that is', async () => {
    const bytes = await format.write(exportedOf(classifier, 2));
    for (const share of [0.02, 0.3, 0.7, 0.98]) {
      const { kind, message } = await refusalOf(format.check(bytes.subarray(0, share * bytes.length), 'cut'));
      expect({ kind, message }).toEqual({ kind: 'model', message: expect.stringMatching(/^cut: expected /) });
    }
  });

  test('refuses a file of its kind that nn did not write', async () => {
    const other = {
      onnx: Uint8Array.of(8, 7),
      npz: Buffer.from('PK\u0005\u0006'.padEnd(22, '\0')),
      json: Buffer.from('{"a": 1}'),
      html: Buffer.from('<!doctype html>\n<html lang="en" data-kind="cat-nn export">'),
    };
    const { kind } = await refusalOf(format.check(other[name as keyof typeof other], 'other'));
    expect(kind).toBe('model');
  });
});

test('the pictures that are carried are drawn, hard, seed 1: fewer where they are large', async () => {
  const { pixels, answers } = await drawTestPictures(classifier);
  expect(answers).toHaveLength(16);
  const own = [0, 15].map((index) => renderImage(drawImage({ seed: 1, index, difficulty: 'hard' }), classifier.preprocessing));
  expect([pixels.subarray(0, 75), pixels.subarray(15 * 75)]).toEqual(
    await Promise.all(own).then((all) => all.map((one) => new Uint8Array(one))),
  );
  expect([64, 209, 300, 1024].map((side) => testPictureCount(side * side * 3))).toEqual([16, 16, 7, 2]);
});

test('a class that rounding decides is no other answer, one that is farther from the threshold is', () => {
  const at = (logit: number, label: string) => ({ logit, p: 1 / (1 + Math.exp(-logit)), label });
  const expected = { threshold: 0.5, largest: 9, answers: [at(1e-5, 'cat'), at(3, 'cat')] };
  const compare = (one: number, other: number) =>
    compareAnswers(expected, [at(one, one > 0 ? 'cat' : 'thing'), at(other, other > 0 ? 'cat' : 'thing')]);
  expect(compare(-1e-5, 3)).toMatchObject({ otherLabels: 0, agrees: true });
  expect(compare(1e-5, 2.999)).toMatchObject({ otherLabels: 0, agrees: false });
  expect(compare(1e-5, -3)).toMatchObject({ otherLabels: 1, agrees: false, largestDifferenceLogit: 6 });
  expect(compare(Number.NaN, 3)).toMatchObject({ agrees: false, largestDifferenceLogit: Number.POSITIVE_INFINITY });
});

describe('what a format can not hold is refused', () => {
  test('numbers as text beyond what programs read in one piece', async () => {
    const network = { inputs: 192 * 192 * 3, layers: [dense(200), output] };
    const values = new Float32Array(bufferLength(parameterSpecs(network)));
    const large = { ...classifier, network, parameters: parametersOver(network, values) };
    const { kind, message } = await refusalOf(json.write({ ...exportedOf(classifier), classifier: large }));
    expect([kind, message]).toEqual(['usage', expect.stringMatching(/at most 20,000,000 numbers, found 22,/)]);
  });

  test('more than 2 GB of ONNX, and numbers beyond float32', async () => {
    const exported = exportedOf(classifier);
    const [spec] = classifier.parameters.specs;
    const specs = [{ ...spec!, length: 2 ** 29 }];
    const large = { ...classifier, parameters: { ...classifier.parameters, specs } };
    expect((await refusalOf(onnx.write({ ...exported, classifier: large }))).message).toMatch(
      /at most 2\.1 GB, found 2\.2 GB|at most/,
    );
    const double = randomClassifier({ side: 5, hidden });
    double.parameters.values[3] = 1e300;
    expect((await refusalOf(onnx.write({ ...exported, classifier: double }))).message).toMatch(/found larger ones in W1$/);
  });
});

test.each([
  [[3], Uint8Array.of(1, 2, 3)],
  [[2, 2], Float32Array.of(1, -0, 3, 4e-40)],
  [[], Float64Array.of(0.1)],
  [[0, 5], new Float64Array(0)],
])('an array of shape %j comes back', (shape, data) => {
  const bytes = encodeNpy({ shape, data });
  expect(decodeNpy(bytes)).toEqual({ shape, data });
  expect((bytes.length - data.byteLength) % 64).toBe(0);
  expect(() => decodeNpy(bytes.subarray(0, bytes.length - 1))).toThrow();
});
