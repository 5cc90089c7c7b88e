import { allPixels, fewImages, isStored, type Pixels } from './pixels.ts';

/** Labelled pictures, in memory or not. */
export interface ExampleSet {
  /** features a picture: imageSize · imageSize · 3 */
  features: number;
  /** [m, n_x], example after example */
  pixels: Pixels;
  /** 1 for the positive class, 0 for the other */
  labels: Uint8Array;
  /** paths or indices, for people */
  names: StringColumn;
  /** of what stands in the source, before preprocessing: tells a picture again wherever it lies */
  hashes: StringColumn;
}

/** Pictures in memory, as bytes. */
export interface Examples extends ExampleSet {
  pixels: Uint8Array;
  names: string[];
  hashes: string[];
}

/** The examples at the given indices, in that order: copied where they are in memory, else left where they are. */
export function selectFrom({ features, pixels, labels, names, hashes }: ExampleSet, indices: Int32Array): ExampleSet {
  const chosen = new Uint8Array(indices.length);
  for (let i = 0; i < indices.length; i++) chosen[i] = labels[indices[i]!]!;
  return {
    features,
    pixels: isStored(pixels) ? pixels.select(indices) : fewImages(pixels, indices, features),
    labels: chosen,
    names: selectStrings(names, indices),
    hashes: selectStrings(hashes, indices),
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
  return { features, pixels, labels, names: await allStrings(names), hashes: await allStrings(hashes) };
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

/** A text for each of many things, such as the names of pictures: in memory, as an array is, or read when they are asked for. */
export interface StringColumn {
  readonly length: number;
  /** Those from `first` to the one before `end`. */
  slice(first: number, end: number): readonly string[] | Promise<readonly string[]>;
}

/** Texts that can be read at once. */
export interface SyncStringColumn extends StringColumn {
  slice(first: number, end: number): string[];
}

/** The texts at the given indices, in that order, each read when it is asked for. */
export function selectStrings(column: StringColumn, indices: Int32Array): StringColumn {
  if (Array.isArray(column)) return Array.from(indices, (i) => column[i]!);
  return {
    length: indices.length,
    async slice(first, end) {
      const wanted = indices.subarray(first, end);
      let [low, high] = [Number.POSITIVE_INFINITY, 0];
      for (const i of wanted) [low, high] = [Math.min(low, i), Math.max(high, i + 1)];
      if (high - low <= readTogether * wanted.length) {
        const near = await column.slice(low, high);
        return Array.from(wanted, (i) => near[i - low]!);
      }
      const out: string[] = [];
      for (const i of wanted) out.push((await column.slice(i, i + 1))[0]!);
      return out;
    },
  };
}

/** Texts that lie within so many times their number are read in one piece. */
const readTogether = 16;

/** Numbers of so many bytes each, in hexadecimal.
 *  @param bytesOf  of those from `first` to the one before `end` */
export function hexColumn(length: number, bytesOf: (first: number, end: number) => Uint8Array): SyncStringColumn {
  return {
    length,
    slice(first, end) {
      const bytes = bytesOf(first, end);
      const { buffer, byteOffset, length } = bytes;
      const each = length / (end - first);
      const hex = Buffer.from(buffer, byteOffset, length);
      return Array.from({ length: end - first }, (_, i) => hex.toString('hex', i * each, (i + 1) * each));
    },
  };
}

/** All texts, some hundreds at a time. */
export async function* stringBlocks(column: StringColumn): AsyncGenerator<readonly string[]> {
  for (let first = 0; first < column.length; first += together)
    yield await column.slice(first, Math.min(column.length, first + together));
}

const together = 512;

export async function allStrings(column: StringColumn): Promise<string[]> {
  const out: string[] = [];
  for await (const some of stringBlocks(column)) for (const text of some) out.push(text);
  return out;
}
