import { type LoadedConfig, sourceFields } from '../config/load.ts';
import { arePartNames, type Classes, orderClasses } from '../data/examples.ts';
import type { Preprocessing } from '../data/image.ts';
import type { SurveySource } from '../data/inspection/survey.ts';
import type { OpeningProgress } from '../data/sources/sources.ts';
import { openSources, preprocessingOf, requireSameClasses } from './prepare.ts';

/** The sources of a config, opened, with nothing read of their pictures. */
export interface OpenedData {
  /** one without a part, or one for each part */
  sources: SurveySource[];
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
  const sources: SurveySource[] = [];
  let classes: Classes | undefined;
  for (const field of sourceFields) {
    if (opened[field] === undefined) continue;
    const { source, positive } = opened[field];
    const part = field === 'source' ? null : field;
    const found = orderClasses(source.classes, positive ?? (onlyLooks ? anyPositive(source.classes) : undefined), source.title);
    if (part !== null && classes !== undefined) requireSameClasses(part, found, classes);
    classes ??= found;
    sources.push({ source, part });
  }
  const packed = onlyLooks ? sources[0]?.source.packed?.description.preprocessing : undefined;
  return { sources, classes: classes!, preprocessing: packed ?? preprocessingOf(config, opened) }; // a config has a source at least
}

/** No part is a class: it is refused as in training, which says what to do. */
function anyPositive(names: readonly string[]): string | undefined {
  return arePartNames(names) || names.some((name) => name.toLowerCase() === 'cat') ? undefined : names.at(-1);
}
