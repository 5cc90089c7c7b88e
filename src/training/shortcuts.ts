import { checkConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { countPositive, type Examples } from '../data/examples.ts';
import type { ImageTable } from '../data/inspection/image-table.ts';
import { borderBytes, thumbnailBytes, thumbnailSide } from '../data/inspection/measure.ts';
import { stratifiedFolds } from '../data/split.ts';
import { percent } from '../datasets/drift.ts';
import { log } from '../elementary.ts';
import { wilsonInterval } from '../evaluation/statistics.ts';
import { namedRandom } from '../random.ts';
import type { ShortcutScore } from '../results/inspection.ts';
import { type CrossValidation, crossValidate } from './cross-validation.ts';

/** What a picture shows of itself beside what it is of. Each becomes a few bytes, as pixels are. */
const entries = {
  size: {
    title: 'width and height',
    advice:
      'Bring the pictures of both classes to one size first, or the network may learn the traces of enlarging and shrinking.',
    features: sizeFeatures,
    words: ({ widths, heights }, i) => `${widths[i]} × ${heights[i]} pixels`,
  },
  format: {
    title: 'file format',
    advice: 'Write the pictures of both classes in one format and quality, or the network may learn the traces of compression.',
    features: formatFeatures,
    words: ({ formats, formatNames }, i) => formatNames[formats[i]!]!,
  },
  colour: {
    title: 'mean colour',
    advice:
      'The classes differ in light or colour as a whole: take pictures of both under the same conditions, or train with brightness and contrast augmented.',
    features: columnsOf('colours', 3),
    words: ({ colours }, i) => `mean colour ${colours.subarray(i * 3, i * 3 + 3).join(', ')}`,
    square: ({ colours }, i) => ({ side: 1, pixels: colours.subarray(i * 3, i * 3 + 3) }),
  },
  border: {
    title: 'border pixels',
    advice: 'Look for frames, bars, captions or one background, and cut them off.',
    features: columnsOf('borders', borderBytes),
    words: borderWords,
  },
  thumbnail: {
    title: 'an 8×8 thumbnail',
    advice: 'Coarse layout or background alone tells the classes apart: add pictures of both before the same backgrounds.',
    features: columnsOf('thumbnails', thumbnailBytes),
    words: () => '',
    square: ({ thumbnails }, i) => ({
      side: thumbnailSide,
      pixels: thumbnails.subarray(i * thumbnailBytes, (i + 1) * thumbnailBytes),
    }),
  },
} satisfies Record<string, ShortcutEntry>;

export type ShortcutName = keyof typeof entries;
export const shortcuts: Record<ShortcutName, ShortcutEntry> = entries;

interface ShortcutEntry {
  title: string;
  advice: string;
  /** bytes of the pictures at `indices`: [indices.length, n] */
  features(table: ImageTable, indices: Int32Array): Uint8Array;
  /** what it sees of the i-th picture, for people; empty where no words say it */
  words(table: ImageTable, i: number): string;
  /** the same as a square of RGB bytes, where it is one */
  square?(table: ImageTable, i: number): { side: number; pixels: Uint8Array };
}

/** Answers of logistic regression on each shortcut alone, each for a picture that it was not trained on. */
export interface ShortcutStudy {
  /** the pictures that they were tried on: indices into the table, ascending */
  indices: Int32Array;
  labels: Uint8Array;
  /** 1 for each of these pictures where a shortcut was right, else 0 */
  right: Record<ShortcutName, Uint8Array>;
  /** above 0 where it takes the picture for positive; the further off, the surer */
  logits: Record<ShortcutName, Float64Array>;
}

/** More pictures than this make the interval of an accuracy hardly narrower than 2 points, and take longer. */
const mostImages = 10_000;
const foldCount = 5;
/** With fewer pictures of a class, an accuracy over folds says nothing. */
export const leastOfClass = 20;

/** Tries every shortcut by cross-validation.
 *  @param distinct  one picture of each cluster of copies: copies in two folds would be known by heart
 *  @returns null where a class has fewer than `leastOfClass` */
export async function studyShortcuts(
  table: ImageTable,
  distinct: readonly number[],
  seed: number,
): Promise<ShortcutStudy | null> {
  const order = namedRandom(seed, 'shortcuts').shuffle(Int32Array.from(distinct));
  const indices = order.slice(0, mostImages).sort();
  const labels = Uint8Array.from(indices, (i) => table.labels[i]!);
  const positive = countPositive(labels);
  if (Math.min(positive, labels.length - positive) < leastOfClass) return null;
  const right = {} as ShortcutStudy['right'];
  const logits = {} as ShortcutStudy['logits'];
  for (const name of Object.keys(shortcuts) as ShortcutName[]) {
    const own = await logitsOutside(shortcuts[name].features(table, indices), labels, seed);
    logits[name] = own;
    right[name] = Uint8Array.from(labels, (label, i) => (Number(own[i]! > 0) === label ? 1 : 0));
  }
  return { indices, labels, right, logits };
}

/** Pictures at an end of what a shortcut measures. */
export interface ShortcutEnd {
  /** their class */
  label: 0 | 1;
  /** the class that they are most like, by the shortcut; the most alike first */
  like: 0 | 1;
  /** indices into the table */
  images: number[];
}

/** Of each class the pictures at both ends of what a shortcut measures; one that stands at both is at the upper alone.
 *  @param most  pictures at an end */
export function shortcutEnds(
  { indices, labels, logits }: Pick<ShortcutStudy, 'indices' | 'labels' | 'logits'>,
  name: ShortcutName,
  most: number,
): ShortcutEnd[] {
  const own = logits[name];
  return ([1, 0] as const).flatMap((label) => {
    const rising = Array.from(labels.keys()).filter((i) => labels[i] === label);
    rising.sort((a, b) => own[a]! - own[b]! || a - b);
    const upper = rising.slice(-most).reverse();
    const lower = rising.slice(0, Math.min(most, rising.length - upper.length));
    const at = (places: readonly number[]) => places.map((i) => indices[i]!);
    return [
      { label, like: 1 as const, images: at(upper) },
      { label, like: 0 as const, images: at(lower) },
    ];
  });
}

/** A shortcut is strong that, for certain, leaves less than this share of the errors that the baseline makes. Of the photographs
 *  that were tried, mean colour, border and thumbnail left half and more; size, where it tells two collections apart, did not. */
export const strongShare = 0.5;
/** A shortcut nearly matches a model when it gains at least this share of what the model gains over the baseline … */
export const nearShare = 0.8;
/** … which must be something: for certain above 0, and at least this share of the errors that the baseline makes. */
export const learntShare = 0.1;

/** @param model  for each picture of the study 1 where a model is right, 0 where not, and null where it can't be asked: it
 *                was trained on it. The shortcuts are then judged on the same pictures as the model */
export function scoreShortcuts(
  { labels, right }: Pick<ShortcutStudy, 'labels' | 'right'>,
  model: readonly (0 | 1 | null)[] | null,
): ShortcutScore[] {
  const asked = Array.from(labels.keys()).filter((i) => model === null || model[i] !== null);
  const total = asked.length;
  const countOf = (values: ArrayLike<number | null>) => asked.reduce((sum, i) => sum + values[i]!, 0);
  const positive = countOf(labels);
  const baseline = Math.max(positive, total - positive) / total;
  const gained = model === null ? null : gainOf(countOf(model), total, baseline);
  return (Object.keys(shortcuts) as ShortcutName[]).map((name) => {
    const { title, advice } = shortcuts[name];
    const correct = countOf(right[name]);
    const accuracyInterval = wilsonInterval(correct, total);
    const accuracy = correct / total;
    const strong = 1 - accuracyInterval[0] < strongShare * (1 - baseline);
    const near = gained !== null && accuracyInterval[0] > baseline && accuracy - baseline >= nearShare * gained;
    const gain = `${percent(accuracy)} right, ${percent(baseline)} by the larger class alone`;
    const what = near ? `By ${title} alone one nearly does as well as the model` : `By ${title} alone the classes are told apart`;
    return { name, title, accuracy, accuracyInterval, baseline, warning: strong || near ? `${what} (${gain}). ${advice}` : null };
  });
}

/** What a model gains over the baseline; null where it may have learnt nothing: to come near that is no alarm. */
function gainOf(correct: number, total: number, baseline: number): number | null {
  const gain = correct / total - baseline;
  const learnt = wilsonInterval(correct, total)[0] > baseline && gain >= learntShare * (1 - baseline);
  return learnt ? gain : null;
}

/** The logit of each example, from the fold that did not see it. */
async function logitsOutside(pixels: Uint8Array, labels: Uint8Array, seed: number): Promise<Float64Array> {
  const features = pixels.length / labels.length;
  const train: Examples = { features, pixels, labels, names: [], hashes: [] };
  const folds = { count: foldCount, of: stratifiedFolds(labels, foldCount, namedRandom(seed, 'shortcut folds')) };
  const data = {
    splits: { train },
    folds,
    classes: { positive: '1', negative: '0' },
    others: ['0'],
    preprocessing: { imageSize: 1, fit: 'fill' as const },
    failures: [],
    notes: [],
  };
  let result: CrossValidation | undefined;
  for await (const _ of crossValidate(recipe(seed), data, {}, (done) => (result = done)));
  return result!.logits;
}

/** Logistic regression on standardised inputs, a little L2, enough steps of Adam that more change nothing. The source is
 *  never opened: the features above are the data. */
function recipe(seed: number): Config {
  const training = { epochs: 200, batchSize: 'full', optimizer: { name: 'adam' }, learningRate: 0.03, l2: 1, evaluateEvery: 200 };
  return checkConfig({ seed, data: { train: { type: 'drawn' }, normalize: 'standardize' }, training }, 'shortcuts');
}

function columnsOf(column: 'colours' | 'borders' | 'thumbnails', length: number) {
  return (table: ImageTable, indices: Int32Array): Uint8Array => {
    const out = new Uint8Array(indices.length * length);
    for (const [to, i] of indices.entries()) out.set(table[column].subarray(i * length, (i + 1) * length), to * length);
    return out;
  };
}

/** The means over the four sides: colour, and how much green varies along one. */
function borderWords({ borders }: ImageTable, i: number): string {
  const own = borders.subarray(i * borderBytes, (i + 1) * borderBytes);
  const mean = (k: number) => Math.round([0, 4, 8, 12].reduce((sum, side) => sum + own[side + k]!, 0) / 4);
  return `border ${[0, 1, 2].map(mean).join(', ')}, varies by ${mean(3)}`;
}

/** A sixteenth of an octave is a step. */
const octave = 16;
/** So many sizes and formats, the commonest, have an input of their own. */
const mostOwn = 8;

/** Logarithms of both sides and of their ratio, and whether the size is one of the commonest. */
function sizeFeatures({ widths, heights }: ImageTable, indices: Int32Array): Uint8Array {
  const sizes = Array.from(indices, (i) => `${widths[i]}×${heights[i]}`);
  const common = commonest(sizes);
  const steps = (ratio: number) => Math.round((octave * log(ratio)) / log(2));
  const rows = Array.from(indices, (i, at) => {
    const [width, height] = [widths[i]!, heights[i]!];
    const bytes = [steps(width), steps(height), 128 + steps(width / height)].map((step) => Math.max(0, Math.min(255, step)));
    return [...bytes, ...common.map((size) => Number(size === sizes[at]))];
  });
  return Uint8Array.from(rows.flat());
}

function formatFeatures({ formats, formatNames }: ImageTable, indices: Int32Array): Uint8Array {
  const names = Array.from(indices, (i) => formatNames[formats[i]!]!);
  const common = commonest(names);
  return Uint8Array.from(names.flatMap((name) => common.map((other) => Number(other === name))));
}

function commonest(values: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.entries()]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, mostOwn)
    .map(([value]) => value);
}
