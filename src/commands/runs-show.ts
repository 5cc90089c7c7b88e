import type { Classes } from '../data/classes.ts';
import { type ExitKind, UserError } from '../errors.ts';
import { runText } from '../report/runs.ts';
import { loadClassifier } from '../run/model-file.ts';
import { runsFolder } from '../run/places.ts';
import type { ReadRun } from '../run/read-run.ts';
import { detailsOf } from '../run/run-details.ts';
import { findRun } from '../run/run-list.ts';
import type { Command, Context } from './command.ts';

export const command: Command = {
  arguments: [
    { syntax: '[run]', summary: 'its name, as nn runs lists it, or its folder (default: the newest that is finished)' },
  ],
  options: [{ flags: '--json', summary: 'print it as JSON' }],
  examples: ['nn runs show', 'nn runs show two-layer', 'nn runs show runs/two-layer --json'],
  run: show,
};

async function show(context: Context, _: unknown, [named]: string[]): Promise<ExitKind | undefined> {
  const run = await findRun(runsFolder(context.environment), named);
  const details = await detailsOf(run);
  if (context.json) context.print(JSON.stringify(details));
  else context.print(runText(details, await classesOf(context, run), context.style));
  return undefined;
}

/** The names of the classes, which the model has. Before there is one, or where it is damaged, the run is shown all the same. */
async function classesOf(context: Context, { entry, summary }: ReadRun): Promise<Classes> {
  const unnamed = { positive: 'positive', negative: 'negative' };
  if (summary === null) return unnamed;
  try {
    return (await loadClassifier(entry.run)).classifier.classes;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    context.warn(error.message);
    return unnamed;
  }
}
