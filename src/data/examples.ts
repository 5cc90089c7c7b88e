import { UserError } from '../errors.ts';
import { allPixels, isStored, type Pixels } from './pixels.ts';
import { positiveHint, restOf } from './positive-hint.ts';
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

/** Which of a source's classes is 1. Where there are more than two, that one stands against all the others together.
 *  @param names     of the classes, sorted by UTF-16 code units, so the same on every system
 *  @param positive  the config's word, if any
 *  @param options.many   whether the negative class is all that is not positive, though this source may have two classes alone
 *  @param options.notes  what the source passed over: where a class is missing, it may be among that
 *  @throws UserError (data) on fewer than two classes, on more where none is named, and on names that would be taken for each other;
 *                    (usage) where none of them is called cat and none is named */
export function orderClasses(
  names: readonly string[],
  positive: string | undefined,
  where: string,
  { many = names.length > 2, notes = [] }: { many?: boolean; notes?: readonly string[] } = {},
): Classes {
  if (names.length < 2 || (names.length > 2 && positive === undefined)) throw notTwoClasses(names, where, notes);
  const called = names.filter((name) => (positive === undefined ? name.toLowerCase() === 'cat' : name === positive));
  const [chosen] = called;
  if (chosen === undefined || called.length > 1) {
    const expected =
      positive === undefined ? 'one class called cat, or the field positive' : `one class called ${JSON.stringify(positive)}`;
    throw new UserError('usage', `${where}: expected ${expected}, found ${listed(names, names.length > 2 ? ', ' : ' and ')}`, {
      hint: hintForParts(names) ?? positiveHint(names, positive),
    });
  }
  if (!many) return { positive: chosen, negative: names.find((name) => name !== chosen)! };
  const classes = { positive: chosen, negative: restOf(chosen) };
  refuseMistakable(names, classes, where);
  return classes;
}

function notTwoClasses(names: readonly string[], where: string, notes: readonly string[]): UserError {
  const found = names.length === 0 ? 'none' : `${names.length}: ${listed(names, ', ')}`;
  const [only] = names;
  const folders = 'Put the pictures into one folder for each class, such as';
  const hints = [
    `${folders} cat and noncat.`,
    `${folders} ${restOf(only!)} beside ${only}: what is learnt is what tells them apart.`,
  ];
  const hint = hintForParts(names) ?? hints[names.length] ?? positiveHint(names);
  const passedOver = names.length < 2 && notes.length > 0 ? ` (${notes.join('; ')})` : '';
  return new UserError('data', `${where}: expected two classes, found ${found}`, { hint: `${hint}${passedOver}` });
}

/** Where all classes but one are taken together, none of them may be taken for that one, or for all of them.
 *  @throws UserError (data) */
export function refuseMistakable(names: readonly string[], { positive, negative }: Classes, where: string): void {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  const twin = names.find((name) => name !== positive && same(name, positive));
  if (twin !== undefined) {
    throw new UserError('data', `${where}: expected one class called ${positive}, found ${twin} as well`, {
      hint: 'Give both the same name, if they are one class, or names that differ in more than their case.',
    });
  }
  const rest = names.length > 2 ? names.find((name) => same(name, negative)) : undefined;
  if (rest !== undefined) {
    const others = names.filter((name) => name !== positive && name !== rest);
    throw new UserError(
      'data',
      `${where}: expected no class called ${negative}, which is what all but ${positive} are called together, found ${rest} beside ${listed(others, ', ')}`,
      { hint: 'Give that class another name, such as other.' },
    );
  }
}

/** Names for a sentence: so many at most. */
export function listed(names: readonly string[], between: string): string {
  return `${names.slice(0, mostNames).join(between)}${names.length > mostNames ? `${between}…` : ''}`;
}

const mostNames = 10;

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
