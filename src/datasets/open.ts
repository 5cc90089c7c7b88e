import { isAbsolute, relative, resolve } from 'node:path';
import { type LoadedConfig, sourceFields } from '../config/load.ts';
import type { Config, SourceConfig } from '../config/schema.ts';
import { areSplitNames, type Classes, orderClasses } from '../data/classes.ts';
import type { Fit, Preprocessing } from '../data/image.ts';
import type { TableSource } from '../data/inspection/image-table.ts';
import type { Source } from '../data/source.ts';
import { type OpeningProgress, openSource, type SourceChoice } from '../data/sources/sources.ts';
import { DataError, UserError } from '../errors.ts';

/** The sources of a config, opened, with nothing read of their pictures. */
export interface OpenedData {
  /** one without a part, or one for each part */
  sources: TableSource[];
  classes: Classes;
  preprocessing: Preprocessing;
}

/** @param onlyLooks  for commands that train nothing: where no class is called cat and none is named, the last one is positive,
 *                    and a packed source is seen as it was packed
 *  @throws UserError (data, usage) as prepareData does */
export async function openData(loaded: LoadedConfig, onlyLooks: boolean, onProgress?: OpeningProgress): Promise<OpenedData> {
  const opened = await openSources(loaded, onProgress);
  const sources = sourceFields.flatMap((field): TableSource[] => {
    const part = field === 'source' ? null : field;
    return opened[field] === undefined ? [] : [{ source: opened[field].source, split: part }];
  });
  const classes = classesOf(opened, onlyLooks ? anyPositive : undefined);
  const packed = onlyLooks ? sources[0]?.source.packed?.description.preprocessing : undefined;
  return { sources, classes, preprocessing: packed ?? preprocessingOf(loaded.config, opened) };
}

/** Of two classes; one of more is never chosen. No part is a class: it is refused as in training, which says what to do. */
function anyPositive(names: readonly string[]): string | undefined {
  const isNone = names.length !== 2 || areSplitNames(names) || names.some((name) => name.toLowerCase() === 'cat');
  return isNone ? undefined : names.at(-1);
}

/** A source of a config, with its path from the working folder: what is said of it, in a summary too, names no folder above that
 *  the user did not write. */
export function sourceChoice(source: SourceConfig, folder: string): SourceChoice {
  if (!('path' in source)) return source;
  return { ...source, path: isAbsolute(source.path) ? source.path : relative('', resolve(folder, source.path)) || '.' };
}

export interface OpenedSource {
  source: Source;
  positive: string | undefined;
  /** absent where its pictures are squares already */
  fit: Fit | undefined;
}

export type OpenedSources = Partial<Record<(typeof sourceFields)[number], OpenedSource>>;

/** The sources of a config, with nothing read of their pictures. @throws UserError (data) */
export async function openSources(loaded: LoadedConfig, onProgress?: OpeningProgress): Promise<OpenedSources> {
  const opened: OpenedSources = {};
  for (const field of sourceFields) {
    const written = loaded.config.data[field];
    if (written === undefined) continue;
    const source = await openSource(sourceChoice(written, loaded.folder), onProgress);
    const fit = source.packed?.description.preprocessing.fit ?? ('fit' in written ? written.fit : undefined);
    opened[field] = { source, positive: ('positive' in written ? written.positive : undefined) ?? source.positive, fit };
  }
  return opened;
}

export const sourcesIn = (opened: OpenedSources) => Object.values(opened).map(({ source }) => source);

/** The classes of all sources: where one of them has more than two, the negative class of each is all that is not positive.
 *  @param otherwise  what is positive in a source for which nothing is written
 *  @throws UserError (data, usage) where they can't be told, or are not the same */
export function classesOf(
  opened: OpenedSources,
  otherwise: (names: readonly string[]) => string | undefined = () => undefined,
): Classes {
  const many = Object.values(opened).some(({ source }) => source.classes.length > 2);
  let first: Classes | undefined;
  for (const field of sourceFields) {
    if (opened[field] === undefined) continue;
    const { source, positive } = opened[field];
    const found = orderClasses(source.classes, positive ?? otherwise(source.classes), source.title, {
      many,
      notes: source.notes,
    });
    first ??= found;
    if (found.positive === first.positive && found.negative === first.negative) continue;
    const words = ({ positive, negative }: Classes) => `${positive} and ${negative}`;
    throw new DataError(`data.${field}: expected the classes of data.train, ${words(first)}, found ${words(found)}`);
  }
  return first!; // a config has a source at least
}

export function preprocessingOf(config: Config, opened: OpenedSources): Preprocessing {
  const fit = (opened.source ?? opened.train)?.fit ?? 'cover';
  for (const split of ['dev', 'test'] as const) {
    const other = opened[split]?.fit;
    if (other !== undefined && other !== fit) {
      throw new UserError(
        'usage',
        `data.${split}.fit: expected ${JSON.stringify(fit)}, that of data.train, found ${JSON.stringify(other)}`,
      );
    }
  }
  return { imageSize: config.data.imageSize, fit };
}
