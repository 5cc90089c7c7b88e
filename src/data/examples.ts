import { UserError } from '../errors.ts';

/** Pictures in memory, as bytes. */
export interface Examples {
  /** features a picture: imageSize · imageSize · 3 */
  features: number;
  /** [m, n_x], example after example */
  pixels: Uint8Array;
  /** 1 for the positive class, 0 for the other */
  labels: Uint8Array;
  /** paths or indices, for people */
  names: string[];
  /** of what stands in the source, before preprocessing: tells a picture again wherever it lies */
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
  const parts = names.filter((name) => /^(train|training|dev|valid|validation|val|test|testing)$/i.test(name));
  if (parts.length === 0 || parts.length < names.length) return undefined;
  return 'These look like parts, not classes: give each its own source, as data.train, data.dev and data.test.';
}

/** The examples at the given indices, in that order. The pixels are copied. */
export function selectExamples(examples: Examples, indices: ArrayLike<number>): Examples {
  const { features } = examples;
  const order = Array.from(indices);
  const pixels = new Uint8Array(order.length * features);
  for (const [to, from] of order.entries())
    pixels.set(examples.pixels.subarray(from * features, (from + 1) * features), to * features);
  return {
    features,
    pixels,
    labels: Uint8Array.from(order, (i) => examples.labels[i]!),
    names: order.map((i) => examples.names[i]!),
    hashes: order.map((i) => examples.hashes[i]!),
  };
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
