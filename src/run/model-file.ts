import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Classifier } from '../classifier/classifier.ts';
import { readWhole } from '../data/disk.ts';
import { fits } from '../data/image.ts';
import { normalizers } from '../data/normalize.ts';
import { shown, systemReason, UserError } from '../errors.ts';
import { type Floats, precisions } from '../kernels/kernels.ts';
import { activations } from '../nn/activations.ts';
import { type CommonLayer, type Layer, type LayerType, layerKinds, type Network, opsOf } from '../nn/build.ts';
import { initializers } from '../nn/initializers.ts';
import { losses } from '../nn/losses.ts';
import { bufferLength, parameterSpecs, parametersOver } from '../nn/network.ts';
import { paddings } from '../nn/windows.ts';
import type { Abstention } from '../results/metrics.ts';
import { writeFileAtomically } from './atomic-write.ts';
import { decodeTensors, encodeTensors, type Tensor, type TensorFile, typeOf } from './tensor-file.ts';

/** Of a run folder. */
export const modelFileName = 'model.safetensors';
const format = 'cat-nn model';
/** Of what version 1 knows all of; a program that reads that version alone would answer otherwise for what has more. */
const version = 1;
/** Version 2 has a temperature, answers for mirror images, or layers other than dense. */
const extendedVersion = 2;
/** Weights of a network that fits a machine; a larger file is something else. */
const maximumBytes = 2 ** 31;

/** What the metadata of a model file says, as JSON under the key `classifier`. No path is in it. */
type Description = Omit<Classifier, 'parameters' | 'scaling'>;

/** Writes the file of a classifier. @throws UserError (data) where it can't be written */
export async function saveClassifier(path: string, classifier: Classifier): Promise<void> {
  await writeFileAtomically(path, encodeClassifier(classifier));
}

/** The bytes of a model file: parameters by their names in the course (W1, b1, …), the input scaling as input.multiply and
 *  input.add, all else as metadata, and a checksum. It needs nothing beside it. See docs/formats.md. */
export function encodeClassifier(classifier: Classifier): Uint8Array {
  const { parameters: _, scaling: __, ...description } = classifier;
  const tensors = tensorsOf(classifier);
  const text = JSON.stringify(description satisfies Description);
  const metadata = { format, version: String(versionOf(description)), classifier: text, sha256: checksumOf(text, tensors) };
  return encodeTensors({ metadata, tensors });
}

/** All numbers of a classifier by their names, in the shapes that they have in the course. */
export function tensorsOf({ parameters, scaling }: Pick<Classifier, 'parameters' | 'scaling'>): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const { name, shape, offset, length } of parameters.specs) {
    tensors[name] = { shape, data: parameters.values.subarray(offset, offset + length) };
  }
  tensors['input.multiply'] = { shape: [scaling.scale.length, 1], data: scaling.scale };
  tensors['input.add'] = { shape: [scaling.shift.length, 1], data: scaling.shift };
  return tensors;
}

function versionOf({ temperature, averageMirrored, network }: Description): number {
  const isPlain = temperature === undefined && !averageMirrored && network.layers.every(({ type }) => type === undefined);
  return isPlain ? version : extendedVersion;
}

/** SHA-256 of all that an answer depends on: the description, then of each tensor, by name, a line that says what it is and its
 *  bytes. Where they lie in the file does not count, so a program that writes the file again keeps the checksum. */
function checksumOf(description: string, tensors: TensorFile['tensors']): string {
  const hash = createHash('sha256').update(`${description}\n`);
  for (const name of Object.keys(tensors).sort()) {
    const { shape, data } = tensors[name]!;
    hash.update(`${JSON.stringify([name, typeOf(data), shape])}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

/** Reads a classifier from a model file, or from the model file of a run folder.
 *  @throws UserError (model) where there is none, or it is not whole and sound */
export async function loadClassifier(path: string): Promise<{ classifier: Classifier; file: string }> {
  const file = await modelFileAt(path);
  return { classifier: decodeClassifier(await readBytes(file), file), file };
}

/** The classifier in the bytes of a model file.
 *  @param file  for messages
 *  @throws UserError (model) where it is not whole and sound */
export function decodeClassifier(bytes: Uint8Array, file: string): Classifier {
  const { metadata, tensors } = decodeTensors(bytes, file);
  if (metadata['format'] !== format)
    throw refusal(file, `expected a model of nn, found ${shown(metadata['format'] ?? 'another safetensors file')}`);
  const known = [version, extendedVersion];
  if (!known.map(String).includes(metadata['version'] ?? ''))
    throw refusal(file, `expected version ${known.join(' or ')} of the format, found ${metadata['version']}`);
  requireChecksum(metadata, tensors, file);
  return classifierFrom(metadata['classifier'], tensors, { file, isExtended: metadata['version'] === String(extendedVersion) });
}

/** A classifier from what describes it and its numbers, both from outside.
 *  @param text  JSON, as the metadata of a model file has it; other fields may stand in it
 *  @param options.isExtended  whether it may have what version 1 has not
 *  @throws UserError (model) where they are not sound, or don't fit each other */
export function classifierFrom(
  text: string | undefined,
  tensors: TensorFile['tensors'],
  { file, isExtended = true }: { file: string; isExtended?: boolean },
): Classifier {
  const description = checkDescription(text, file, isExtended);
  const { network } = description;
  const kind = precisions[description.precision];
  const take = (name: string, shape: readonly number[], numbers: typeof kind): Floats => {
    const tensor = tensors[name];
    if (tensor === undefined) throw refusal(file, `expected a tensor ${name}, found none`);
    if (tensor.shape.join() !== shape.join())
      throw refusal(file, `${name}: expected shape (${shape.join(', ')}), found (${tensor.shape.join(', ')})`);
    if (!(tensor.data instanceof numbers)) {
      const found = tensor.data.constructor.name;
      throw refusal(file, `${name}: expected numbers of the kind ${numbers.name}, found ${found}`);
    }
    if (!tensor.data.every(Number.isFinite)) throw refusal(file, `${name}: expected finite numbers, found others`);
    return tensor.data;
  };
  const column = (name: string) => take(name, [network.inputs, 1], Float64Array) as Float64Array;
  const scaling = { scale: column('input.multiply'), shift: column('input.add') };
  const specs = parameterSpecs(network);
  const knownTensors = new Set(['input.multiply', 'input.add', ...specs.map(({ name }) => name)]);
  const other = Object.keys(tensors).find((name) => !knownTensors.has(name));
  if (other !== undefined) throw refusal(file, `expected the tensors of its network alone, found ${other} as well`);
  // every tensor is there before memory is asked for: the network may be a claim alone
  const parts = specs.map(({ name, shape, offset }) => ({ offset, data: take(name, shape, kind) }));
  const values = new kind(bufferLength(specs));
  for (const { offset, data } of parts) values.set(data, offset);
  return { ...description, parameters: parametersOver(network, values), scaling };
}

/** A file without a checksum is one of nn 0.1, or of another program. */
function requireChecksum({ sha256, classifier }: TensorFile['metadata'], tensors: TensorFile['tensors'], file: string): void {
  if (sha256 === undefined || sha256 === checksumOf(classifier ?? '', tensors)) return;
  throw refusal(file, 'expected the numbers and the description that its checksum is of, found others: the file is damaged');
}

async function modelFileAt(path: string): Promise<string> {
  try {
    return (await stat(path)).isDirectory() ? join(path, modelFileName) : path;
  } catch (error) {
    const { what, hint } = model;
    throw new UserError('model', `${path}: expected ${what}, found: ${systemReason(error)}`, { hint, cause: error });
  }
}

/** @param wanted  what the file should be, and what to do where there is none */
async function readBytes(file: string, { what, hint } = model): Promise<Uint8Array> {
  try {
    return await readWhole(file, maximumBytes);
  } catch (error) {
    throw new UserError('model', `${file}: expected ${what}, found: ${systemReason(error)}`, { hint, cause: error });
  }
}

const model = { what: 'a model', hint: 'Train one with nn train, or name one with --model.' };
const vector = {
  what: 'a file of one tensor',
  hint: 'training.learningRateByFeature takes a safetensors file with one tensor, a number of at least 0 for each input.',
};

function refusal(
  file: string,
  text: string,
  hint = 'Copy the file again, or write it again: train the model, or export it, once more.',
): UserError {
  return new UserError('model', `${file}: ${text}`, { hint });
}

/** Believes nothing: a model file may come from anywhere.
 *  @param isExtended  whether it may have what version 2 knows */
function checkDescription(text: string | undefined, file: string, isExtended: boolean): Description {
  let raw: unknown;
  try {
    raw = JSON.parse(text ?? '');
  } catch (error) {
    throw new UserError('model', `${file}: expected a description of the classifier in its metadata, found none that is JSON`, {
      cause: error,
    });
  }
  const root = reader(raw, 'classifier', file);
  const network = readNetwork(root.child('network'));
  const preprocessing = root.child('preprocessing');
  const classes = root.child('classes');
  const description: Description = {
    network,
    precision: root.choice('precision', precisions),
    preprocessing: { imageSize: preprocessing.count('imageSize', 1024), fit: preprocessing.choice('fit', fits) },
    normalize: root.choice('normalize', normalizers),
    classes: { positive: classes.text('positive'), negative: classes.text('negative') },
    threshold: root.number('threshold', 0, 1),
    loss: root.choice('loss', losses),
    ...(isExtended && root.has('temperature')
      ? { temperature: root.number('temperature', Number.MIN_VALUE, Number.MAX_VALUE) }
      : {}),
    ...(isExtended && root.has('averageMirrored') ? { averageMirrored: root.flag('averageMirrored') } : {}),
    ...(root.has('abstention') ? { abstention: readAbstention(root.child('abstention')) } : {}),
  };
  if (description.classes.positive === description.classes.negative)
    throw classes.refuse('negative', 'another name than positive');
  const features = description.preprocessing.imageSize ** 2 * 3;
  if (network.inputs !== features) throw refusal(file, `expected ${features} inputs for its pictures, found ${network.inputs}`);
  return description;
}

function readAbstention(abstention: Reader): Abstention {
  const share = (key: string) => abstention.orNull(key, () => abstention.number(key, 0, 1));
  const pictures = abstention.count('pictures', Number.MAX_SAFE_INTEGER, 0);
  const answered = abstention.count('answered', pictures, 0);
  const right = abstention.count('right', answered, 0);
  return { confidence: share('confidence'), unanswered: share('unanswered'), pictures, answered, right };
}

function readNetwork(network: Reader): Network {
  const layers = network.list('layers', 1000).map((layer) => readLayer(layer, mostNested));
  const last = layers.at(-1)!;
  if (!('units' in last) || last.units !== 1) throw network.refuse('layers', 'a last layer of one unit');
  const found: Network = { inputs: network.count('inputs', 1024 * 1024 * 3), layers };
  try {
    opsOf(found);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw network.refuse('layers', `layers that fit each other (${error.message.split('\n')[0]})`);
  }
  return found;
}

/** Blocks within blocks, as the config's schema has them. */
const mostNested = 3;

/** A layer of any kind: its own sizes, and what its kind has beside. @param nested  how many blocks deep it may go */
function readLayer(layer: Reader, nested: number): Layer {
  const type = layer.optional('type', layerKinds);
  const kind = layerKinds[type ?? 'dense'];
  const sizes = Object.entries<{ most: number }>(kind.sizes);
  return {
    ...(type === undefined ? {} : { type }),
    ...Object.fromEntries(sizes.map(([name, { most }]) => [name, layer.count(name, most)])),
    ...('hasPadding' in kind ? { padding: layer.choice('padding', paddings) } : {}),
    ...commonOf(layer, kind.common),
    ...('nests' in kind
      ? { layers: layer.list('layers', nested > 0 ? 1000 : 0).map((inner) => readLayer(inner, nested - 1)) }
      : {}),
  } as Layer;
}

/** What layers of several kinds have. */
function commonOf(layer: Reader, which: (typeof layerKinds)[LayerType]['common']): Partial<CommonLayer> {
  if (which === 'none') return {};
  if (which === 'keepProb') return { keepProb: layer.number('keepProb', 0, 1) };
  if (which === 'activation') return { activation: layer.choice('activation', activations) };
  const init = layer.child('init');
  return {
    activation: layer.choice('activation', activations),
    slope: layer.number('slope', 0, 1),
    init: { name: init.choice('name', initializers), factor: init.number('factor', 0, Number.MAX_VALUE) },
    keepProb: layer.number('keepProb', 0, 1),
    batchNorm: layer.flag('batchNorm'),
  };
}

type Reader = ReturnType<typeof reader>;

/** Takes checked values out of an object that came from outside. */
function reader(value: unknown, where: string, file: string) {
  const get = (key: string): unknown =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, key)
      ? (value as Record<string, unknown>)[key]
      : undefined;
  const refuse = (key: string, expected: string) =>
    refusal(file, `${where}.${key}: expected ${expected}, found ${shown(get(key))}`);
  const check = <T>(key: string, expected: string, right: (found: unknown) => found is T): T => {
    const found = get(key);
    if (!right(found)) throw refuse(key, expected);
    return found;
  };
  const choice = <T extends object>(key: string, table: T) =>
    check(
      key,
      `one of ${Object.keys(table).join(', ')}`,
      (found): found is keyof T & string => typeof found === 'string' && Object.hasOwn(table, found),
    );
  return {
    refuse,
    has: (key: string) => get(key) !== undefined,
    child: (key: string) => reader(get(key), `${where}.${key}`, file),
    list: (key: string, maximum: number) =>
      check(
        key,
        `a list of 1 to ${maximum}`,
        (found): found is unknown[] => Array.isArray(found) && found.length >= 1 && found.length <= maximum,
      ).map((item, i) => reader(item, `${where}.${key}.${i}`, file)),
    text: (key: string) => check(key, 'a text', (found): found is string => typeof found === 'string' && found.length > 0),
    flag: (key: string) => check(key, 'true or false', (found): found is boolean => typeof found === 'boolean'),
    number: (key: string, low: number, high: number) =>
      check(
        key,
        `a number from ${low} to ${high}`,
        (found): found is number => typeof found === 'number' && found >= low && found <= high,
      ),
    count: (key: string, high: number, low = 1) =>
      check(
        key,
        `a whole number from ${low} to ${high}`,
        (found): found is number => Number.isInteger(found) && (found as number) >= low && (found as number) <= high,
      ),
    orNull: <T>(key: string, read: () => T) => (get(key) === null ? null : read()),
    choice,
    optional: <T extends object>(key: string, table: T) => (get(key) === undefined ? undefined : choice(key, table)),
  };
}

/** The only tensor of a safetensors file, as a vector.
 *  @throws UserError (model) on anything but `length` finite numbers */
export async function loadVector(file: string, length: number): Promise<Float64Array> {
  const refuse = (text: string) => refusal(file, text, vector.hint);
  const { tensors } = decodeTensors(await readBytes(file, vector), file);
  const found = Object.entries(tensors);
  const [first] = found;
  if (first === undefined || found.length !== 1) throw refuse(`expected one tensor, found ${found.length}`);
  const values = Float64Array.from(first[1].data);
  if (values.length !== length) throw refuse(`${first[0]}: expected ${length} numbers, found ${values.length}`);
  if (!values.every((value) => Number.isFinite(value) && value >= 0))
    throw refuse(`${first[0]}: expected finite numbers of at least 0`);
  return values;
}
