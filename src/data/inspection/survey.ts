import type { Classes } from '../examples.ts';
import { allocateFingerprints, type Fingerprints, setFingerprint, setPixelHash } from '../fingerprint.ts';
import { type Look, lookAt, type Preprocessing } from '../image.ts';
import { attempt, decodesAtOnce, mapInOrder, type Unread } from '../load.ts';
import type { Source, SourcePicture } from '../source.ts';
import type { PartName } from '../split.ts';
import { borderBytes, borderOf, colourOf, type Measures, measure, thumbnailBytes, thumbnailOf } from './measure.ts';
import { allocateSquares, type SquareColumns, setSquare } from './square-measures.ts';

/** The longer side of the small pictures that are measured: near what a network sees, and cheap to decode to. */
export const lookSide = 128;

export interface SurveySource {
  source: Source;
  /** where the user gave each part its own source */
  part: PartName | null;
}

/** What is known of every picture that can be read, a column for each fact: about 600 bytes a picture. */
export interface Survey {
  sources: readonly SurveySource[];
  classes: Classes;
  count: number;
  /** index into `sources`, and the picture's index in that source */
  sourceOf: Uint16Array;
  indexOf: Uint32Array;
  /** 1 for the positive class, 0 for the other */
  labels: Uint8Array;
  hashes: string[];
  /** of what the network would see; pictures that were made apart have no shape, as in training */
  prints: Fingerprints;
  /** of the same */
  squares: SquareColumns;
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
  unreadable: Unreadable[];
}

export interface Unreadable extends Unread {
  source: number;
  index: number;
}

export interface SurveyOptions {
  classes: Classes;
  /** what makes squares of the pictures: copies are told by those */
  preprocessing: Preprocessing;
  /** may throw to stop */
  onProgress?: (title: string, done: number, total: number) => void;
}

/** Looks at every picture of some sources, several at a time. Memory holds the facts, never the pictures. */
export async function survey(
  sources: readonly SurveySource[],
  { classes, preprocessing, onProgress }: SurveyOptions,
): Promise<Survey> {
  const table = emptySurvey(sources, classes);
  for (const [s, { source }] of sources.entries()) {
    const positive = source.classes.indexOf(classes.positive);
    let done = 0;
    const looks = mapInOrder(Array(source.count).keys(), decodesAtOnce(), async (index) => ({
      index,
      outcome: await attempt(factsOf(source, index, preprocessing)),
    }));
    for await (const { index, outcome } of looks) {
      const label = source.classOf(index) === positive ? 1 : 0;
      if ('reason' in outcome) table.unreadable.push({ source: s, index, ...outcome });
      else add(table, { source: s, index, label, ...outcome.value }, preprocessing.imageSize);
      onProgress?.(source.title, ++done, source.count);
    }
  }
  return table;
}

interface Facts {
  look: Look;
  picture: SourcePicture;
}

async function factsOf(source: Source, index: number, preprocessing: Preprocessing): Promise<Facts> {
  const [look, picture] = await Promise.all([
    source.original(index).then((original) => lookAt(original, lookSide)),
    source.read(index, preprocessing),
  ]);
  return { look, picture };
}

function emptySurvey(sources: readonly SurveySource[], classes: Classes): Survey {
  const most = sources.reduce((sum, { source }) => sum + source.count, 0);
  return {
    sources,
    classes,
    count: 0,
    sourceOf: new Uint16Array(most),
    indexOf: new Uint32Array(most),
    labels: new Uint8Array(most),
    hashes: [],
    prints: allocateFingerprints(most),
    squares: allocateSquares(most),
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
    unreadable: [],
  };
}

function add(table: Survey, facts: Facts & { source: number; index: number; label: number }, imageSize: number): void {
  const { source, index, label, look, picture } = facts;
  const i = table.count++;
  const { small, format } = look;
  table.sourceOf[i] = source;
  table.indexOf[i] = index;
  table.labels[i] = label;
  table.hashes.push(picture.hash);
  if (table.sources[source]!.source.madeApart) setPixelHash(table.prints, i, picture.pixels);
  else setFingerprint(table.prints, i, picture.pixels, imageSize);
  setSquare(table.squares, i, picture.pixels, imageSize);
  table.prints.count = table.count;
  table.widths[i] = look.width;
  table.heights[i] = look.height;
  table.bytes[i] = look.bytes;
  if (!table.formatNames.includes(format)) table.formatNames.push(format);
  table.formats[i] = table.formatNames.indexOf(format);
  table.turned[i] = look.turned ? 1 : 0;
  const measures = measure(small);
  for (const key of Object.keys(measures) as (keyof Measures)[]) table.measures[key][i] = measures[key];
  table.colours.set(colourOf(small), i * 3);
  table.borders.set(borderOf(small), i * borderBytes);
  table.thumbnails.set(thumbnailOf(small), i * thumbnailBytes);
}

/** What the picture is called in its source. */
export function nameOf({ sources, sourceOf, indexOf }: Survey, i: number): string {
  return sources[sourceOf[i]!]!.source.name(indexOf[i]!);
}

/** What its class is called in its source; of more than two classes a label says less. */
export function classNameOf({ source: { classes, classOf } }: SurveySource, index: number): string {
  return classes[classOf(index)]!;
}
