import { type Classes, orderClasses } from '../data/examples.ts';
import type { SurveySource } from '../data/inspection/survey.ts';
import { openSource, type SourceChoice, sourceAtPath } from '../data/sources/sources.ts';

/** What a command that looks at data is given. */
export const sourceArgument = { syntax: '<source>', summary: 'a folder with one sub-folder per class, a .csv or an .h5' };

/** Opens a source that a path names. The class called cat counts as 1; where none is, the last one.
 *  @throws UserError (data) where it can't be read or has not two classes */
export async function openForLooking(path: string): Promise<{ choice: SourceChoice; source: SurveySource; classes: Classes }> {
  const choice = await sourceAtPath(path);
  const source = await openSource(choice);
  const cats = source.classes.filter((name) => name.toLowerCase() === 'cat');
  const positive = cats.length === 1 ? cats[0] : source.classes.at(-1);
  return { choice, source: { source, part: null }, classes: orderClasses(source.classes, positive, source.title) };
}
