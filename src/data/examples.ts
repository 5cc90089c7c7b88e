import { UserError } from '../errors.ts';
import { allPixels, isStored, type Pixels } from './pixels.ts';
import { allTexts, selectTexts, type Texts } from './texts.ts';

/** Labelled pictures, in memory or not. */
export interface ExampleSet {
  /** features a picture: imageSize · imageSize · 3 */
  features: number;
  /** [m, n_x], example after example */
  pixels: Pixels;
  /** 1 for the positive class, 0 for the other */
  labels: Uint8Array;
  /** paths or indices, for people */
  names: Texts;
  /** of what stands in the source, before preprocessing: tells a picture again wherever it lies */
  hashes: Texts;
}

/** Pictures in memory, as bytes. */
export interface Examples extends ExampleSet {
  pixels: Uint8Array;
  names: string[];
  hashes: string[];
}

/** Two names; which of them is 1. */
export interface Classes {
  positive: string;
  negative: string;
}

/** Where a source's classes stand in its listing: sorted by UTF-16 code units, so the same on every system.
 *  @param positive  the config's word, if any
 *  @throws UserError (data) on anything but two classes; (usage) where none of them is called cat and none is named */
export function orderClasses(names: readonly string[], positive: string | undefined, where: string): Classes {
  if (names.length !== 2) {
    const found =
      names.length === 0 ? 'none' : `${names.length}: ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`;
    throw new UserError('data', `${where}: expected two classes, found ${found}`, {
      hint: hintForParts(names) ?? 'Put the pictures into one folder for each class, such as cat and noncat.',
    });
  }
  const called = names.filter((name) => (positive === undefined ? name.toLowerCase() === 'cat' : name === positive));
  const [chosen] = called;
  if (chosen === undefined || called.length > 1) {
    const expected =
      positive === undefined ? 'one class called cat, or the field positive' : `one class called ${JSON.stringify(positive)}`;
    throw new UserError('usage', `${where}: expected ${expected}, found ${names.join(' and ')}`, {
      hint: hintForParts(names) ?? `Name the class that counts as 1, for example "positive": ${JSON.stringify(names[0])}.`,
    });
  }
  return { positive: chosen, negative: names.find((name) => name !== chosen)! };
}

/** For folders that were made for another layout. */
function hintForParts(names: readonly string[]): string | undefined {
  return arePartNames(names) ? partsHint : undefined;
}

export function arePartNames(names: readonly string[]): boolean {
  return names.length > 0 && names.every((name) => /^(train|training|dev|valid|validation|val|test|testing)$/i.test(name));
}

const partsHint = 'These look like parts, not classes: give each its own source, as data.train, data.dev and data.test.';

/** The examples at the given indices, in that order: copied where they are in memory, else left where they are. */
export function selectFrom(examples: ExampleSet, indices: Int32Array): ExampleSet {
  if (isInMemory(examples)) return selectExamples(examples, indices);
  const { features, pixels, labels, names, hashes } = examples;
  return {
    features,
    pixels: isStored(pixels) ? pixels.select(indices) : selectPixels(pixels, indices, features),
    labels: selectLabels(labels, indices),
    names: selectTexts(names, indices),
    hashes: selectTexts(hashes, indices),
  };
}

export function isInMemory(examples: ExampleSet): examples is Examples {
  return !isStored(examples.pixels) && Array.isArray(examples.names) && Array.isArray(examples.hashes);
}

/** The same examples in memory. */
export async function inMemory(examples: ExampleSet): Promise<Examples> {
  if (isInMemory(examples)) return examples;
  const { features, labels, names, hashes } = examples;
  const pixels = await allPixels(examples.pixels, features);
  return { features, pixels, labels, names: await allTexts(names), hashes: await allTexts(hashes) };
}

/** The examples at the given indices, in that order. The pixels are copied. */
function selectExamples({ features, pixels, labels, names, hashes }: Examples, indices: ArrayLike<number>): Examples {
  const order = Int32Array.from(indices);
  return {
    features,
    pixels: selectPixels(pixels, order, features),
    labels: selectLabels(labels, order),
    names: Array.from(order, (i) => names[i]!),
    hashes: Array.from(order, (i) => hashes[i]!),
  };
}

function selectPixels(pixels: Uint8Array, indices: Int32Array, features: number): Uint8Array {
  const out = new Uint8Array(indices.length * features);
  for (const [to, from] of indices.entries()) out.set(pixels.subarray(from * features, (from + 1) * features), to * features);
  return out;
}

function selectLabels(labels: Uint8Array, indices: Int32Array): Uint8Array {
  const out = new Uint8Array(indices.length);
  for (let i = 0; i < indices.length; i++) out[i] = labels[indices[i]!]!;
  return out;
}

/** One set of examples after another. */
export function concatenateExamples(parts: readonly Examples[]): Examples {
  const features = parts[0]!.features;
  const pixels = new Uint8Array(parts.reduce((sum, part) => sum + part.pixels.length, 0));
  let at = 0;
  for (const part of parts) {
    pixels.set(part.pixels, at);
    at += part.pixels.length;
  }
  return {
    features,
    pixels,
    labels: Uint8Array.from(parts.flatMap((part) => Array.from(part.labels))),
    names: parts.flatMap((part) => part.names),
    hashes: parts.flatMap((part) => part.hashes),
  };
}

export function countPositive(labels: Uint8Array): number {
  let count = 0;
  for (const label of labels) count += label;
  return count;
}

/** How many pictures the negative and the positive class have. */
export function classCounts(labels: Uint8Array): [negative: number, positive: number] {
  const positive = countPositive(labels);
  return [labels.length - positive, positive];
}
