import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataFacts, longRatio, type PositiveClass } from '../config/first-config.ts';
import type { SourceConfig } from '../config/schema.ts';
import { complementName, likelyPositive, partNamed } from '../data/classes.ts';
import { type FindingKind, findingKinds } from '../data/inspection/findings.ts';
import { summarize } from '../data/inspection/image-table.ts';
import type { Source } from '../data/source.ts';
import { type OpeningProgress, openSource, type SourceChoice, sourceAtPath } from '../data/sources/sources.ts';
import type { OpenedData } from '../datasets/open.ts';
import { DataError } from '../errors.ts';
import { count, plural } from '../report/table.ts';
import { shellWord } from '../text.ts';
import { distinctImages, type Inspected } from './data-source.ts';

/** What `nn config init` has to know of pictures before it chooses: all of it from `inspectAll`. */

type SourceField = DataFacts['sourceFields'][number];
export type SourcesAt = Partial<Record<SourceField, SourceConfig>>;

/** The sources that a path means: one, or one for each part where its folders are called so. Of more than two classes the one called cat is
 *  written as positive: nothing takes it by itself.
 *  @param positive  the class that is to count as 1, if one was named
 *  @throws UserError (data) where it is none */
export async function sourcesAt(path: string, positive: string | undefined, onProgress: OpeningProgress): Promise<SourcesAt> {
  const choice = await sourceAtPath(path);
  const parts = choice.type === 'folder' ? await partsIn(path) : null;
  const fields =
    parts === null
      ? [['source', choice] as const]
      : parts.map(([part, folder]) => [part, { ...choice, path: join(path, folder) }] as const);
  const chosen = positive ?? catOfMany(await openSource(fields[0]![1] as SourceChoice, onProgress));
  const named = chosen === undefined ? {} : { positive: chosen };
  return Object.fromEntries(fields.map(([field, source]) => [field, { ...source, ...named }])) as SourcesAt;
}

function catOfMany({ classes, positive }: Source): string | undefined {
  return classes.length > 2 && positive === undefined ? classes.find(isCat) : undefined;
}

const isCat = (name: string) => name.toLowerCase() === 'cat';

/** Folders that are called like parts, train among them and nothing else beside: { train, val, test }. */
async function partsIn(path: string): Promise<[SourceField, string][] | null> {
  const entries = await readdir(path, { withFileTypes: true });
  const folders = entries.flatMap(({ name }) => (name.startsWith('.') ? [] : [name]));
  const parts = folders.map((folder) => [partNamed(folder), folder] as const);
  const isWhole = parts.some(([part]) => part === 'train') && new Set(parts.map(([part]) => part)).size === parts.length;
  return isWhole && parts.every(([part]) => part !== undefined) ? (parts as [SourceField, string][]) : null;
}

/** @param positive  the class that was named on the command line, if one was */
export function factsOf({ sources, classes, preprocessing }: OpenedData, inspected: Inspected, positive?: string): DataFacts {
  const { seen, clusters } = inspected;
  const { labels, widths, heights, count } = seen;
  const distinct = distinctImages(clusters, count);
  const ofPositive = distinct.filter((i) => labels[i] === 1).length;
  const shorter = Float64Array.from({ length: count }, (_, i) => Math.min(widths[i]!, heights[i]!)).sort();
  const long = distinct.filter((i) => Math.max(widths[i]!, heights[i]!) >= longRatio * Math.min(widths[i]!, heights[i]!));
  const { source } = sources[0]!;
  const chosen = positiveOf(source, positive);
  return {
    pictures: distinct.length,
    copies: count - distinct.length,
    ofSmallerClass: Math.min(ofPositive, distinct.length - ofPositive),
    positive: chosen,
    negative:
      source.classes.length > 2
        ? complementName(chosen.name)
        : [classes.positive, classes.negative].find((one) => one !== chosen.name)!,
    shorterSide: shorter[Math.floor((count - 1) / 2)]!,
    longShare: long.length / distinct.length,
    packedSide: source.packed === undefined ? null : preprocessing.imageSize,
    sourceFields: sources.map(({ split }) => split ?? 'source'),
    takesFit: source.packed === undefined,
  };
}

function positiveOf({ classes, positive: written }: Source, named: string | undefined): PositiveClass {
  if (named !== undefined) return { name: named, reason: 'as --positive says', isDefault: false };
  if (written !== undefined) return { name: written, reason: 'as the source has it', isDefault: true };
  const cat = classes.find(isCat);
  if (cat !== undefined) return { name: cat, reason: 'the class called cat', isDefault: classes.length === 2 };
  const [a, b] = classes as [string, string]; // of more, one has to be named: openData refuses them
  const likely = likelyPositive(a, b);
  const reason =
    likely === undefined ? 'one of the two has to be: --positive takes the other' : 'its name says what is looked for';
  return { name: likely ?? a, reason, isDefault: false };
}

/** Of each class: fewer can't be divided, and teach nothing. */
const leastOfClass = 5;

/** @throws UserError (data) where no config would help */
export function refuseTooFew(path: string, { ofSmallerClass, positive, negative }: DataFacts): void {
  if (ofSmallerClass >= leastOfClass) return;
  throw new DataError(
    `${path}: expected ${leastOfClass} or more different pictures of ${positive.name} and of ${negative}, found ${ofSmallerClass} of one of them`,
    { hint: 'A hundred of each are little; a thousand of each are a good beginning.' },
  );
}

/** What was found, in a line. */
export function factsText(path: string, { pictures, copies }: DataFacts, { seen }: Inspected): string {
  const { classes, formats, width, height, sizes } = summarize(seen, () => null);
  const each = Object.entries(classes).map(([name, n]) => `${count(n)} ${name}`);
  const pixels =
    sizes === 1 ? `${width.min} × ${height.min} pixels` : `${width.min} to ${width.max} × ${height.min} to ${height.max} pixels`;
  const alike = copies === 0 ? '' : `; ${plural(copies, 'copy', 'copies')} beside`;
  return `${path}: ${plural(pictures, 'picture')} (${each.join(', ')}), ${Object.keys(formats).join(', ')}, ${pixels}${alike}`;
}

/** Findings that spoil a training. */
const grave: readonly FindingKind[] = ['unreadable', 'unread', 'twoLabels', 'leak', 'blank'];

/** What a person should look at before training. */
export function warningsOf(path: string, { sources }: OpenedData, { findings, notes }: Inspected): string[] {
  const found = findings.filter(({ kind }) => grave.includes(kind));
  const words = found.map(({ kind, groups }) => `${findingKinds[kind].title}: ${count(groups.length)}`);
  const spoilt = words.length === 0 ? [] : [`${words.join('; ')} (nn data inspect ${shellWord(path)} names them)`];
  return [...sources.flatMap(({ source }) => source.notes), ...notes, ...spoilt];
}
