import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Classifier, logits } from '../../src/classifier/classifier.ts';
import { UserError } from '../../src/errors.ts';
import { type Precision, precisions } from '../../src/kernels/kernels.ts';
import { kernelsFor } from '../../src/kernels/select.ts';
import type { Layer, Network } from '../../src/nn/build.ts';
import { initialParameters } from '../../src/nn/network.ts';
import { numpyRandom } from '../../src/random.ts';
import { decodeClassifier, encodeClassifier, loadClassifier, modelFileName, saveClassifier } from '../../src/run/model-file.ts';
import { decodeTensors, encodeTensors, type Tensor } from '../../src/run/tensor-file.ts';
import { lengthBytes } from '../../src/safetensors.ts';
import { dense } from '../nn/networks.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-model-'));
  path = join(folder, modelFileName);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const imageSize = 2;
const features = imageSize * imageSize * 3;
const output = dense(1, { activation: 'sigmoid' });
const networks: Record<string, Layer[]> = {
  'logistic regression': [output],
  'two hidden layers': [dense(4, { activation: 'leakyRelu', slope: 0.2 }), dense(3, { activation: 'relu' }), output],
  'batch norm and dropout': [dense(4, { batchNorm: true, keepProb: 0.8 }), output],
};

/** A classifier whose every number is an awkward one. */
function classifierOf(layers: readonly Layer[], precision: Precision): Classifier {
  const network: Network = { inputs: features, layers };
  const random = numpyRandom(3);
  const parameters = initialParameters(network, kernelsFor(precision), random);
  for (const [k] of parameters.values.entries()) parameters.values[k] = random.normal() / 3;
  const variances = parameters.specs.filter(({ name }) => name.startsWith('movingVariance'));
  for (const { offset, length } of variances) {
    for (let k = offset; k < offset + length; k++) parameters.values[k] = Math.abs(parameters.values[k]!);
  }
  return {
    network,
    parameters,
    precision,
    preprocessing: { imageSize, fit: 'contain' },
    normalize: 'standardize',
    scaling: {
      scale: Float64Array.from({ length: features }, () => random.normal() / 7),
      shift: Float64Array.from({ length: features }, () => random.normal()),
    },
    classes: { positive: 'cat, "the" 猫', negative: 'non-cat' },
    threshold: 0.1 + 0.2,
    loss: 'crossEntropy',
  };
}

const pixels = Uint8Array.from({ length: features * 5 }, (_, k) => (k * 97) % 256);

describe.each(Object.entries(networks))('a model file of %s', (_, layers) => {
  test.each(Object.keys(precisions) as Precision[])('in %s: what is loaded is what was saved, to the bit', async (precision) => {
    const saved = classifierOf(layers, precision);
    await saveClassifier(path, saved);
    const { classifier, file } = await loadClassifier(path);
    expect(file).toBe(path);
    const { parameters, ...rest } = classifier;
    const { parameters: before, ...others } = saved;
    expect(rest).toEqual(others);
    expect(parameters.values).toEqual(before.values);
    expect(parameters.values.constructor).toBe(precisions[precision]);
    expect(parameters.specs).toEqual(before.specs);
    const kernels = kernelsFor(precision);
    expect(logits(classifier, kernels, pixels)).toEqual(logits(saved, kernels, pixels));
  });
});

const saved = classifierOf(networks['two hidden layers']!, 'float32');

describe('a model file', () => {
  test('holds the parameters by their names in the course, and the input scaling', async () => {
    await saveClassifier(path, saved);
    const { metadata, tensors } = decodeTensors(await readFile(path), path);
    const shapes = Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));
    expect(shapes).toEqual({
      W1: [4, 12],
      b1: [4, 1],
      W2: [3, 4],
      b2: [3, 1],
      W3: [1, 3],
      b3: [1, 1],
      'input.multiply': [12, 1],
      'input.add': [12, 1],
    });
    expect(tensors['W2']!.data).toEqual(Float32Array.from(saved.parameters.tensors['W2']!));
    expect(tensors['b2']!.data).toEqual(Float32Array.from(saved.parameters.tensors['b2']!));
    expect(metadata['format']).toBe('cat-nn model');
    expect(metadata['version']).toBe('1');
  });

  test('of a calibrated classifier has version 2, and its logits are those of the other divided by the temperature', async () => {
    const calibrated = { ...saved, temperature: 1.7 };
    await saveClassifier(path, calibrated);
    expect(decodeTensors(await readFile(path), path).metadata['version']).toBe('2');
    const { classifier } = await loadClassifier(path);
    expect(classifier.temperature).toBe(1.7);
    const kernels = kernelsFor('float32');
    expect(logits(classifier, kernels, pixels)).toEqual(logits(saved, kernels, pixels).map((z) => z / 1.7));
  });

  test('keeps from which confidence on its answers are right often enough, without another version of the format', async () => {
    for (const abstention of [
      { confidence: 0.93, unanswered: 0.25, pictures: 80, answered: 60, right: 60 },
      { confidence: null, unanswered: null, pictures: 0, answered: 0, right: 0 },
    ]) {
      await saveClassifier(path, { ...saved, abstention });
      expect(decodeTensors(await readFile(path), path).metadata['version']).toBe('1');
      expect((await loadClassifier(path)).classifier.abstention).toEqual(abstention);
    }
  });

  test.each([
    { change: { confidence: 1.1 }, message: /abstention\.confidence: expected a number from 0 to 1, found 1\.1/ },
    { change: { confidence: '1' }, message: /abstention\.confidence: expected a number/ },
    { change: { answered: 81 }, message: /abstention\.answered: expected a whole number from 0 to 80, found 81/ },
    { change: { right: 61 }, message: /abstention\.right: expected a whole number from 0 to 60, found 61/ },
    { change: { pictures: -1 }, message: /abstention\.pictures: expected a whole number from 0/ },
  ])('whose bound says $change is refused', async ({ change, message }) => {
    const abstention = { confidence: 0.9, unanswered: 0.25, pictures: 80, answered: 60, right: 60, ...change };
    await saveClassifier(path, { ...saved, abstention } as typeof saved);
    await expect(loadClassifier(path)).rejects.toThrow(message);
  });

  test.each([0, -1, '2', null])('of version 2 whose temperature is %j is refused', async (temperature) => {
    await saveClassifier(path, { ...saved, temperature: temperature as number });
    await expect(loadClassifier(path)).rejects.toThrow(/classifier\.temperature: expected a number from 5e-324 to .*, found/);
  });

  test('is the same bytes for the same classifier, and names no place on this machine', async () => {
    await saveClassifier(path, saved);
    const other = join(folder, 'other');
    await mkdir(other);
    await saveClassifier(join(other, 'x.safetensors'), saved);
    const bytes = await readFile(path);
    expect(await readFile(join(other, 'x.safetensors'))).toEqual(bytes);
    const text = bytes.toString('latin1');
    for (const place of [folder, tmpdir(), process.cwd()]) expect(text).not.toContain(place);
  });

  test('is found in its run folder', async () => {
    await saveClassifier(path, saved);
    expect((await loadClassifier(folder)).file).toBe(path);
  });

  test('replaces an older one, and leaves nothing else behind', async () => {
    await saveClassifier(path, classifierOf([output], 'float64'));
    await saveClassifier(path, saved);
    expect((await loadClassifier(path)).classifier.network).toEqual(saved.network);
    expect(await readdir(folder)).toEqual([modelFileName]);
  });

  test('that cannot be written is an error, and leaves nothing behind', async () => {
    await mkdir(path);
    await writeFile(join(path, 'x'), '');
    await expect(saveClassifier(path, saved)).rejects.toThrow(/can't be written/);
    expect(await readdir(folder)).toEqual([modelFileName]);
    await expect(saveClassifier(join(folder, 'nothing', 'x'), saved)).rejects.toThrow(/can't be written: no such file/);
  });
});

type Parts = { metadata: Record<string, string>; tensors: Record<string, Tensor> };

/** The parts of the saved classifier's file, without a checksum: as one that was written by nn 0.1. */
async function partsWithoutChecksum(): Promise<Parts> {
  await saveClassifier(path, saved);
  const parts = decodeTensors(await readFile(path), path);
  delete parts.metadata['sha256'];
  return parts;
}

/** Saves the classifier, changes the file's parts, and says why it is not loaded any more. */
async function refusalAfter(change: (parts: Parts) => void): Promise<UserError> {
  const parts = await partsWithoutChecksum();
  change(parts);
  await writeFile(path, encodeTensors(parts));
  return refusal();
}

/** Changes what the file says of the classifier. */
// biome-ignore lint/suspicious/noExplicitAny: a test breaks what types would keep whole
const refusalAfterSaying = (change: (description: any) => unknown) =>
  refusalAfter((parts) => {
    const description: unknown = JSON.parse(parts.metadata['classifier']!);
    change(description);
    parts.metadata['classifier'] = JSON.stringify(description);
  });

async function refusal(place = path): Promise<UserError> {
  const error = await loadClassifier(place).then(
    () => undefined,
    (found: unknown) => found,
  );
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).exitCode).toBe(4);
  expect((error as UserError).message).toContain(place);
  return error as UserError;
}

describe('a file that is no model is refused:', () => {
  test('nothing there', async () => {
    const error = await refusal();
    expect(error.message).toMatch(/expected a model, found: no such file or folder/);
    expect(error.hint).toBe('Train one with nn train, or name one with --model.');
  });

  test('of more bytes than a model has', async () => {
    await writeFile(path, '');
    await truncate(path, 2 ** 31 + 1); // takes no room on the disk
    expect((await refusal()).message).toBe(`${path}: expected a model, found: more than 2,147,483,648 bytes`);
  });

  test('a folder without a model', async () => {
    expect((await refusal(folder)).message).toMatch(/model\.safetensors: expected a model, found: no such file or folder/);
  });

  test('empty, text, or half of one', async () => {
    await writeFile(path, '');
    expect((await refusal()).message).toMatch(/expected a safetensors file, found 0 bytes/);
    await writeFile(path, 'this is not a model, but it is long enough for a header');
    expect((await refusal()).message).toMatch(/expected a safetensors file, found a text$/);
    await writeFile(path, Buffer.alloc(60, 0xff));
    expect((await refusal()).message).toMatch(/whose header has at most 52 bytes, found one that claims/);
    await saveClassifier(path, saved);
    await truncate(path, (await readFile(path)).length - 4);
    await refusal();
  });

  test('a safetensors file of another program', async () => {
    const error = await refusalAfter(({ metadata }) => delete metadata['format']);
    expect(error.hint).toBe('Copy the file again, or write it again: train the model, or export it, once more.');
    expect(error.message).toMatch(/expected a model of nn, found "another safetensors file"/);
    expect((await refusalAfter(({ metadata }) => void (metadata['format'] = 'pt'))).message).toMatch(/model of nn, found "pt"/);
  });

  test('a later version of the format', async () => {
    const error = await refusalAfter(({ metadata }) => void (metadata['version'] = '3'));
    expect(error.message).toMatch(/expected version 1 or 2 of the format, found 3/);
  });
});

describe('a model that contradicts itself is refused:', () => {
  const float = (length: number, value = 0) => new Float32Array(length).fill(value);

  test.each<[string, (parts: Parts) => unknown, RegExp]>([
    ['a tensor missing', ({ tensors }) => delete tensors['b2'], /expected a tensor b2, found none/],
    ['the input scaling missing', ({ tensors }) => delete tensors['input.add'], /expected a tensor input\.add, found none/],
    [
      'another shape',
      ({ tensors }) => (tensors['W2'] = { shape: [4, 3], data: float(12) }),
      /W2: expected shape \(3, 4\), found \(4, 3\)/,
    ],
    [
      'another length',
      ({ tensors }) => (tensors['b1'] = { shape: [5, 1], data: float(5) }),
      /b1: expected shape \(4, 1\), found \(5, 1\)/,
    ],
    [
      'a shape of other dimensions',
      ({ tensors }) => (tensors['b1'] = { shape: [4], data: float(4) }),
      /b1: expected shape \(4, 1\), found \(4\)/,
    ],
    [
      'whole numbers',
      ({ tensors }) => (tensors['b1'] = { shape: [4, 1], data: new Int32Array(4) }),
      /b1: expected numbers of the kind Float32Array, found Int32Array/,
    ],
    [
      'another precision',
      ({ tensors }) => (tensors['b1'] = { shape: [4, 1], data: new Float64Array(4) }),
      /b1: expected numbers of the kind Float32Array, found Float64Array/,
    ],
    [
      'an input scaling in single precision',
      ({ tensors }) => (tensors['input.add'] = { shape: [12, 1], data: float(12) }),
      /input\.add: expected numbers of the kind Float64Array/,
    ],
    ['NaN', ({ tensors }) => (tensors['W1']!.data[7] = Number.NaN), /W1: expected finite numbers/],
    [
      'infinity',
      ({ tensors }) => (tensors['input.multiply']!.data[0] = Number.POSITIVE_INFINITY),
      /input\.multiply: expected finite numbers/,
    ],
    [
      'a tensor too many',
      ({ tensors }) => (tensors['W4'] = { shape: [1, 1], data: float(1) }),
      /expected the tensors of its network alone, found W4 as well/,
    ],
    ['no description', ({ metadata }) => delete metadata['classifier'], /description of the classifier/],
    ['a description that is not JSON', ({ metadata }) => (metadata['classifier'] = '{'), /description of the classifier/],
    ['a description that is a number', ({ metadata }) => (metadata['classifier'] = '5'), /classifier\.network/],
  ])('%s', async (_, change, message) => {
    expect((await refusalAfter((parts) => void change(parts))).message).toMatch(message);
  });

  // biome-ignore lint/suspicious/noExplicitAny: a test breaks what types would keep whole
  test.each<[string, (said: any) => unknown, RegExp]>([
    ['fewer layers than tensors', (said) => said.network.layers.splice(1, 1), /W2: expected shape|found W3 as well/],
    ['a layer more', (said) => said.network.layers.splice(1, 0, said.network.layers[1]), /expected/],
    ['other units', (said) => (said.network.layers[0].units = 5), /W1: expected shape \(5, 12\), found \(4, 12\)/],
    ['no layers', (said) => (said.network.layers = []), /layers: expected a list of 1 to 1000/],
    ['layers that are no list', (said) => (said.network.layers = {}), /layers: expected a list/],
    [
      'a last layer of two units',
      (said) => (said.network.layers[2].units = 2),
      /network\.layers: expected a last layer of one unit/,
    ],
    [
      'more layers than any network has',
      (said) => (said.network.layers = new Array(1001).fill(said.network.layers[2])),
      /layers: expected a list of 1 to 1000/,
    ],
    ['a list of one activation', (said) => (said.network.layers[0].activation = ['relu']), /activation: expected one of/],
    ['a network that is null', (said) => (said.network = null), /network\.layers: expected a list of 1 to 1000, found nothing/],
    [
      'half a unit',
      (said) => (said.network.layers[0].units = 3.5),
      /network\.layers\.0\.units: expected a whole number from 1 to 100000, found 3\.5/,
    ],
    ['more units than any machine holds', (said) => (said.network.layers[0].units = 1e9), /units: expected a whole number/],
    [
      'an activation that nobody knows',
      (said) => (said.network.layers[0].activation = 'swish'),
      /layers\.0\.activation: expected one of .*relu.*, found "swish"/,
    ],
    [
      'an activation called like what every object has',
      (said) => (said.network.layers[0].activation = 'constructor'),
      /activation: expected one of/,
    ],
    ['an initialiser that nobody knows', (said) => (said.network.layers[0].init.name = 'best'), /init\.name: expected one of/],
    ['no initialiser', (said) => delete said.network.layers[0].init, /init\.name: expected one of .*found nothing/],
    [
      'a slope that is text',
      (said) => (said.network.layers[0].slope = '0.1'),
      /slope: expected a number from 0 to 1, found "0\.1"/,
    ],
    ['a keepProb above 1', (said) => (said.network.layers[0].keepProb = 2), /keepProb: expected a number from 0 to 1, found 2/],
    [
      'a batchNorm that is no answer',
      (said) => (said.network.layers[0].batchNorm = 1),
      /batchNorm: expected true or false, found 1/,
    ],
    [
      'batch norm without its tensors',
      (said) => (said.network.layers[0].batchNorm = true),
      /expected (a tensor gamma1|the tensors of its network alone)/,
    ],
    [
      'inputs that are not those of its pictures',
      (said) => (said.preprocessing.imageSize = 3),
      /expected 27 inputs for its pictures, found 12/,
    ],
    [
      'a fit that nobody knows',
      (said) => (said.preprocessing.fit = 'crop'),
      /preprocessing\.fit: expected one of cover, contain, fill, found "crop"/,
    ],
    ['a precision that nobody knows', (said) => (said.precision = 'float16'), /precision: expected one of float32, float64/],
    ['a normalisation that nobody knows', (said) => (said.normalize = 'best'), /normalize: expected one of/],
    ['a loss that nobody knows', (said) => (said.loss = 'hinge'), /loss: expected one of/],
    ['a threshold above 1', (said) => (said.threshold = 1.5), /threshold: expected a number from 0 to 1, found 1\.5/],
    ['no threshold', (said) => (said.threshold = null), /threshold: expected a number from 0 to 1, found null/],
    ['a class without a name', (said) => (said.classes.positive = ''), /classes\.positive: expected a text/],
    [
      'two classes of one name',
      (said) => (said.classes.negative = said.classes.positive),
      /classes\.negative: expected another name/,
    ],
  ])('%s', async (_, change, message) => {
    expect((await refusalAfterSaying(change)).message).toMatch(message);
  });

  // biome-ignore lint/suspicious/noExplicitAny: a test breaks what types would keep whole
  test.each<[string, (layer: any, said: any) => unknown]>([
    ['a slope of 0', (layer) => (layer.slope = 0)],
    ['a slope of 1', (layer) => (layer.slope = 1)],
    ['a keepProb of 1', (layer) => (layer.keepProb = 1)],
    ['a factor of 0', (layer) => (layer.init.factor = 0)],
    ['a threshold of 0', (_, said) => (said.threshold = 0)],
    ['a threshold of 1', (_, said) => (said.threshold = 1)],
    ['a class of one letter', (_, said) => (said.classes.positive = 'c')],
  ])('but not %s, which may be', async (_, change) => {
    const parts = await partsWithoutChecksum();
    const said = JSON.parse(parts.metadata['classifier']!);
    change(said.network.layers[0], said);
    parts.metadata['classifier'] = JSON.stringify(said);
    await writeFile(path, encodeTensors(parts));
    const { parameters: __, scaling: ___, ...found } = (await loadClassifier(path)).classifier;
    expect(found).toEqual(said);
  });

  test.each<[string, number, number]>([
    ['slope', -0.001, 1.001],
    ['keepProb', -0.001, 1.001],
    ['units', 0, 100_001],
  ])('a %s beyond its borders', async (name, low, high) => {
    for (const value of [low, high])
      expect((await refusalAfterSaying((said) => (said.network.layers[0][name] = value))).message).toContain(
        `.${name}: expected a`,
      );
  });

  test('a network that would not fit into memory, of which there are no tensors', async () => {
    const error = await refusalAfterSaying((said) => {
      said.preprocessing.imageSize = 1024;
      said.network.inputs = 1024 * 1024 * 3;
      said.network.layers[0].units = 100_000;
    });
    expect(error.message).toMatch(/expected shape/);
  });

  test('a value that is changed, where the checksum is of another', async () => {
    await saveClassifier(path, saved);
    const whole = decodeTensors(await readFile(path), path);
    const changes: [string, (parts: Parts) => unknown][] = [
      ['a weight', ({ tensors }) => (tensors['W2']!.data[0]! += 1e-6)],
      ['the sign of a zero', ({ tensors }) => (tensors['b1']!.data[0] = -0)],
      ['the input scaling', ({ tensors }) => (tensors['input.add']!.data[11]! += 1e-9)],
      [
        'two tensors of one shape exchanged',
        ({ tensors }) =>
          ([tensors['input.add'], tensors['input.multiply']] = [tensors['input.multiply']!, tensors['input.add']!]),
      ],
      [
        'the threshold',
        ({ metadata }) => (metadata['classifier'] = metadata['classifier']!.replace('"threshold":0.3', '"threshold":0.7')),
      ],
      ['the classes', ({ metadata }) => (metadata['classifier'] = metadata['classifier']!.replace('non-cat', 'non-dog'))],
      ['the checksum', ({ metadata }) => (metadata['sha256'] = '0'.repeat(64))],
      ['the checksum cut short', ({ metadata }) => (metadata['sha256'] = metadata['sha256']!.slice(0, 63))],
    ];
    for (const [what, change] of changes) {
      const parts = structuredClone(whole);
      if (what === 'the sign of a zero') parts.tensors['b1']!.data[0] = 0;
      const before = encodeTensors(parts);
      change(parts);
      expect(encodeTensors(parts), what).not.toEqual(before);
      await writeFile(path, encodeTensors(parts));
      const error = await refusal();
      expect(error.message, what).toMatch(/checksum is of, found others: the file is damaged/);
      expect(error.hint).toBe('Copy the file again, or write it again: train the model, or export it, once more.');
    }
  });
});

describe('the checksum of a model file', () => {
  test('notices every flip of a bit, or the answers are the same', () => {
    const bytes = encodeClassifier(saved);
    const plain = ({ parameters: { values }, scaling, ...rest }: Classifier) =>
      JSON.stringify([rest, [...values], [...scaling.scale], [...scaling.shift]]);
    const expected = plain(decodeClassifier(bytes, path));
    const body = lengthBytes + Number(new DataView(bytes.buffer).getBigUint64(0, true)); // where tensors begin
    const missed: number[] = [];
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const broken = Buffer.from(bytes);
      broken[bit >> 3]! ^= 1 << (bit & 7);
      try {
        if (plain(decodeClassifier(broken, path)) !== expected || bit >> 3 >= body) missed.push(bit);
      } catch (error) {
        if (!(error instanceof UserError && error.exitCode === 4)) throw error;
      }
    }
    expect(missed).toEqual([]);
  });

  test('is not asked for: a file without one is read as before', async () => {
    await writeFile(path, encodeTensors(await partsWithoutChecksum()));
    const { classifier } = await loadClassifier(path);
    expect(classifier.parameters.values).toEqual(saved.parameters.values);
    expect(classifier.threshold).toBe(saved.threshold);
  });

  test('stands by what is said, not by where: the tensors may be written again in another order, with more beside', async () => {
    const parts = decodeTensors(encodeClassifier(saved), path);
    parts.tensors = Object.fromEntries(Object.entries(parts.tensors).toReversed());
    parts.metadata = { note: 'by another program', ...Object.fromEntries(Object.entries(parts.metadata).toReversed()) };
    const again = encodeTensors(parts);
    expect(again).not.toEqual(encodeClassifier(saved));
    expect(decodeClassifier(again, path).parameters.values).toEqual(saved.parameters.values);
  });

  test('is that of docs/formats.md, worked out by hand', () => {
    const { metadata, tensors } = decodeTensors(encodeClassifier(saved), path);
    const hash = createHash('sha256').update(`${metadata['classifier']}\n`);
    for (const name of ['W1', 'W2', 'W3', 'b1', 'b2', 'b3', 'input.add', 'input.multiply']) {
      const { shape, data } = tensors[name]!;
      hash.update(`["${name}","${data instanceof Float64Array ? 'F64' : 'F32'}",[${shape.join(',')}]]\n`);
      const numbers = new DataView(new ArrayBuffer(data.byteLength));
      for (const [i, value] of data.entries())
        if (data instanceof Float64Array) numbers.setFloat64(8 * i, value, true);
        else numbers.setFloat32(4 * i, value, true);
      hash.update(numbers);
    }
    expect(metadata['sha256']).toBe(hash.digest('hex'));
  });
});
