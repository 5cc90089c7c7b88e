import type { Classes } from '../classes.ts';
import { inspectImage } from '../decode.ts';
import type { ImageInfo, Preprocessing } from '../image.ts';
import { allocatePerceptualHashes, type PerceptualHashes, setPerceptualHash, setPixelHash } from '../perceptual-hash.ts';
import { attempt, decodesAtOnce, mapInOrder, range, type Source, type SourceImage, type Unread } from '../source.ts';
import { type SplitName, splitNames } from '../split.ts';
import {
  allocateStatistics,
  borderBytes,
  borderOf,
  colourOf,
  type Measures,
  measure,
  type StatisticColumns,
  setStatistics,
  thumbnailBytes,
  thumbnailOf,
} from './measure.ts';

/** The longer side of the small pictures that are measured: near what a network sees, and cheap to decode to. */
export const previewSide = 128;

export interface TableSource {
  source: Source;
  /** where the user gave each part its own source */
  split: SplitName | null;
}

/** What is known of every picture that can be read, a column for each fact: about 600 bytes a picture. */
export interface ImageTable {
  sources: readonly TableSource[];
  classes: Classes;
  count: number;
  /** index into `sources`, and the picture's index in that source */
  sourceOf: Uint16Array;
  indexOf: Uint32Array;
  /** 1 for the positive class, 0 for the other */
  labels: Uint8Array;
  hashes: string[];
  /** of what the network would see; pictures that were made apart have no shape, as in training */
  perceptualHashes: PerceptualHashes;
  /** of the same */
  statistics: StatisticColumns;
  widths: Uint32Array;
  heights: Uint32Array;
  /** bytes of each file */
  bytes: Uint32Array;
  /** index into `formatNames` */
  formats: Uint8Array;
  formatNames: string[];
  /** turned or mirrored by their EXIF orientation */
  turned: Uint8Array;
  measures: Record<keyof Measures, Float32Array>;
  /** [count, 3] */
  colours: Uint8Array;
  /** [count, borderBytes] */
  borders: Uint8Array;
  /** [count, thumbnailBytes] */
  thumbnails: Uint8Array;
  /** [side, side, 3] each: the squares of the negative class added up, and those of the positive */
  squareSums: readonly [Float64Array, Float64Array];
  unreadable: Unreadable[];
}

export interface Unreadable extends Unread {
  source: number;
  index: number;
}

export interface ImageTableOptions {
  classes: Classes;
  /** what makes squares of the pictures: copies are told by those */
  preprocessing: Preprocessing;
  /** may throw to stop */
  onProgress?: (title: string, done: number, total: number) => void;
}

/** Looks at every picture of some sources, several at a time. Memory holds the facts, never the pictures. */
export async function tabulateImages(
  sources: readonly TableSource[],
  { classes, preprocessing, onProgress }: ImageTableOptions,
): Promise<ImageTable> {
  const table = emptyTable(sources, classes, preprocessing.imageSize);
  for (const [s, { source }] of sources.entries()) {
    const positive = source.classes.indexOf(classes.positive);
    let done = 0;
    const rows = mapInOrder(range(0, source.count), decodesAtOnce(), async (index) => ({
      index,
      outcome: await attempt(factsOf(source, index, preprocessing)),
    }));
    for await (const { index, outcome } of rows) {
      const label = source.classOf(index) === positive ? 1 : 0;
      if ('reason' in outcome) table.unreadable.push({ source: s, index, ...outcome });
      else add(table, { source: s, index, label, ...outcome.value }, preprocessing.imageSize);
      onProgress?.(source.title, ++done, source.count);
    }
  }
  return table;
}

interface Facts {
  info: ImageInfo;
  image: SourceImage;
}

async function factsOf(source: Source, index: number, preprocessing: Preprocessing): Promise<Facts> {
  const [info, image] = await Promise.all([
    source.original(index).then((original) => inspectImage(original, previewSide)),
    source.read(index, preprocessing),
  ]);
  return { info, image };
}

function emptyTable(sources: readonly TableSource[], classes: Classes, side: number): ImageTable {
  const most = sources.reduce((sum, { source }) => sum + source.count, 0);
  return {
    sources,
    classes,
    count: 0,
    sourceOf: new Uint16Array(most),
    indexOf: new Uint32Array(most),
    labels: new Uint8Array(most),
    hashes: [],
    perceptualHashes: allocatePerceptualHashes(most),
    statistics: allocateStatistics(most),
    widths: new Uint32Array(most),
    heights: new Uint32Array(most),
    bytes: new Uint32Array(most),
    formats: new Uint8Array(most),
    formatNames: [],
    turned: new Uint8Array(most),
    measures: {
      brightness: new Float32Array(most),
      highlight: new Float32Array(most),
      contrast: new Float32Array(most),
      sharpness: new Float32Array(most),
    },
    colours: new Uint8Array(most * 3),
    borders: new Uint8Array(most * borderBytes),
    thumbnails: new Uint8Array(most * thumbnailBytes),
    squareSums: [new Float64Array(side * side * 3), new Float64Array(side * side * 3)],
    unreadable: [],
  };
}

function add(table: ImageTable, facts: Facts & { source: number; index: number; label: number }, imageSize: number): void {
  const { source, index, label, info, image } = facts;
  const i = table.count++;
  const { small, format } = info;
  table.sourceOf[i] = source;
  table.indexOf[i] = index;
  table.labels[i] = label;
  table.hashes.push(image.hash);
  if (table.sources[source]!.source.isIndependent) setPixelHash(table.perceptualHashes, i, image.pixels);
  else setPerceptualHash(table.perceptualHashes, i, image.pixels, imageSize);
  setStatistics(table.statistics, i, image.pixels, imageSize);
  table.perceptualHashes.count = table.count;
  table.widths[i] = info.width;
  table.heights[i] = info.height;
  table.bytes[i] = info.bytes;
  if (!table.formatNames.includes(format)) table.formatNames.push(format);
  table.formats[i] = table.formatNames.indexOf(format);
  table.turned[i] = info.turned ? 1 : 0;
  const measures = measure(small);
  for (const key of Object.keys(measures) as (keyof Measures)[]) table.measures[key][i] = measures[key];
  table.colours.set(colourOf(small), i * 3);
  table.borders.set(borderOf(small), i * borderBytes);
  table.thumbnails.set(thumbnailOf(small), i * thumbnailBytes);
  const sums = table.squareSums[label as 0 | 1];
  for (let k = 0; k < sums.length; k++) sums[k]! += image.pixels[k]!;
}

/** The mean of all squares of a class that were read: [side, side, 3] bytes, and how many they are.
 *  @param label  1 for the positive class, 0 for the other */
export function meanSquare({ squareSums, labels, count }: ImageTable, label: 0 | 1): { pixels: Uint8Array; count: number } {
  const members = labels.subarray(0, count).reduce((sum, one) => sum + Number(one === label), 0);
  return { pixels: Uint8Array.from(squareSums[label], (sum) => Math.round(sum / members)), count: members };
}

/** What the picture is called in its source. */
export function nameOf({ sources, sourceOf, indexOf }: ImageTable, i: number): string {
  return sources[sourceOf[i]!]!.source.name(indexOf[i]!);
}

/** What its class is called in its source; of more than two classes a label says less. */
export function classNameOf({ source: { classes, classOf } }: TableSource, index: number): string {
  return classes[classOf(index)]!;
}

/** What a data set is, in numbers. */
export interface Summary {
  total: number;
  readable: number;
  /** of the readable pictures, by class */
  classes: Record<string, number>;
  /** of each part, by class; null where the data has no parts */
  parts: Partial<Record<SplitName, Record<string, number>>> | null;
  /** pixels of the originals, as they are shown */
  width: Spread;
  height: Spread;
  /** different sizes */
  sizes: number;
  /** of the files */
  bytes: Spread;
  formats: Record<string, number>;
  /** pictures that are turned or mirrored by their EXIF orientation */
  turned: number;
}

export interface Spread {
  min: number;
  median: number;
  max: number;
}

/** @param table  of at least one readable picture */
export function summarize(table: ImageTable, splitOf: SplitOf): Summary {
  const { sources, sourceOf, indexOf, count, widths, heights, formats, formatNames, turned } = table;
  const all = Array.from(Array(count).keys());
  const names = [table.classes.positive, ...sources.flatMap(({ source }) => source.classes)];
  const byClass = (indices: readonly number[]) => {
    const counts = new Map(names.map((name) => [name, 0]));
    for (const i of indices) {
      const name = classNameOf(sources[sourceOf[i]!]!, indexOf[i]!);
      counts.set(name, counts.get(name)! + 1);
    }
    return Object.fromEntries(counts);
  };
  const parts = splitNames.flatMap((part) => {
    const members = all.filter((i) => splitOf(i) === part);
    return members.length > 0 ? [[part, byClass(members)] as const] : [];
  });
  return {
    total: count + table.unreadable.length,
    readable: count,
    classes: byClass(all),
    parts: parts.length > 0 ? Object.fromEntries(parts) : null,
    width: spreadOf(widths.subarray(0, count)),
    height: spreadOf(heights.subarray(0, count)),
    sizes: new Set(all.map((i) => widths[i]! * 2 ** 26 + heights[i]!)).size,
    bytes: spreadOf(table.bytes.subarray(0, count)),
    formats: Object.fromEntries(formatNames.map((name, f) => [name, all.filter((i) => formats[i] === f).length])),
    turned: all.filter((i) => turned[i] === 1).length,
  };
}

/** The median of an even number is the lower of the two in the middle: a size that there is. */
function spreadOf(values: Uint32Array): Spread {
  const sorted = values.toSorted();
  return { min: sorted[0]!, median: sorted[Math.floor((sorted.length - 1) / 2)]!, max: sorted[sorted.length - 1]! };
}

/** Which part each readable picture of a table stands in; null where there are no parts, or none asks for it. */
export type SplitOf = (i: number) => SplitName | null;
