import type { SplitName } from '../data/split.ts';
import { type ExitKind, UserError } from '../errors.ts';
import { comparisonText } from '../report/comparison.ts';
import { comparisonReportHtml } from '../report/comparison-report.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import { compareRuns, mostCompared } from '../run/compare-runs.ts';
import { runsFolder } from '../run/places.ts';
import { findRun } from '../run/run-list.ts';
import type { Command, Context } from './command.ts';
import { wordFlag } from './options.ts';

interface Values {
  split?: SplitName;
  html?: string;
}

export const command: Command<Values> = {
  arguments: [
    { syntax: '<run...>', summary: 'two runs or more, by their names or folders; the first is held against each of the others' },
  ],
  options: [
    wordFlag('--split <part>', 'dev or test (default: dev where all of them have one, else test)', ['dev', 'test']),
    { flags: '--html <file.html>', summary: 'write it as a page as well, with curves' },
    { flags: '--json', summary: 'print it as JSON' },
  ],
  examples: [
    'nn runs compare two-layer four-layer',
    'nn runs compare runs/a runs/b runs/c --json',
    'nn runs compare a b --html compared.html',
  ],
  run: compare,
};

async function compare(context: Context, values: Values, names: string[]): Promise<ExitKind | undefined> {
  if (names.length < 2 || names.length > mostCompared) {
    throw new UserError('usage', `nn runs compare: expected 2 to ${mostCompared} runs, found ${names.length}`, {
      hint: `For example: ${command.examples[0]}`,
    });
  }
  const folder = runsFolder(context.environment);
  const runs = [];
  for (const name of names) runs.push(await findRun(folder, name));
  const comparison = await compareRuns(runs, values.split);
  context.print(context.json ? JSON.stringify(comparison) : comparisonText(comparison, context.style));
  if (values.html !== undefined) {
    await writeFileAtomically(values.html, comparisonReportHtml(comparison));
    context.note(`report: ${values.html}`);
  }
  return undefined;
}
