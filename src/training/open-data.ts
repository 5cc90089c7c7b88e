import { type LoadedConfig, sourceFields } from '../config/load.ts';
import { areSplitNames, type Classes } from '../data/classes.ts';
import type { Preprocessing } from '../data/image.ts';
import type { TableSource } from '../data/inspection/image-table.ts';

import type { OpeningProgress } from '../data/sources/sources.ts';
import { classesOf, openSources, preprocessingOf } from './prepare.ts';

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
export async function openData(
  { config, folder }: LoadedConfig,
  onlyLooks: boolean,
  onProgress?: OpeningProgress,
): Promise<OpenedData> {
  const opened = await openSources(config, folder, onProgress);
  const sources = sourceFields.flatMap((field): TableSource[] => {
    const part = field === 'source' ? null : field;
    return opened[field] === undefined ? [] : [{ source: opened[field].source, split: part }];
  });
  const classes = classesOf(opened, onlyLooks ? anyPositive : undefined);
  const packed = onlyLooks ? sources[0]?.source.packed?.description.preprocessing : undefined;
  return { sources, classes, preprocessing: packed ?? preprocessingOf(config, opened) };
}

/** Of two classes; one of more is never chosen. No part is a class: it is refused as in training, which says what to do. */
function anyPositive(names: readonly string[]): string | undefined {
  const isNone = names.length !== 2 || areSplitNames(names) || names.some((name) => name.toLowerCase() === 'cat');
  return isNone ? undefined : names.at(-1);
}
