import type { ExitKind } from '../errors.ts';
import { runListCsv, runListText } from '../report/runs.ts';
import type { RunEntry } from '../results/runs.ts';
import { runsFolder } from '../run/places.ts';
import { listRuns } from '../run/run-list.ts';
import type { Command, Context } from './command.ts';
import { wordFlag } from './options.ts';

/** What runs may be sorted by: figures with the highest first, words from A to Z, and what has none last. */
const sortFields = {
  name: ({ name }) => name,
  when: ({ when }) => (when === null ? null : Date.parse(when)),
  network: ({ network }) => network,
  ended: ({ ended }) => ended,
  epochs: ({ epochs }) => epochs,
  parameters: ({ parameters }) => parameters,
  seconds: ({ seconds }) => seconds,
  dev: ({ dev }) => dev?.accuracy ?? null,
  test: ({ test }) => test?.accuracy ?? null,
} as const satisfies Record<string, (entry: RunEntry) => string | number | null>;
type SortField = keyof typeof sortFields;

interface Values {
  sort: SortField;
  csv?: boolean;
}

export const command: Command<Values> = {
  options: [
    wordFlag('--sort <field>', `by what: ${Object.keys(sortFields).join(', ')}`, Object.keys(sortFields), 'when'),
    { flags: '--json', summary: 'print them as JSON' },
    { flags: '--csv', summary: 'print a row per run as CSV', conflicts: ['json'] },
  ],
  examples: ['nn runs', 'nn runs --sort dev', 'nn runs show', 'nn runs compare two-layer four-layer'],
  run: list,
};

async function list(context: Context, { sort, csv = false }: Values): Promise<ExitKind | undefined> {
  const found = await listRuns(runsFolder(context.environment));
  const runs = { ...found, entries: sorted(found.entries, sort) };
  if (csv) context.printExact(runListCsv(runs));
  else context.print(context.json ? JSON.stringify(runs) : runListText(runs));
  return undefined;
}

/** Runs that are alike keep the order that they have. */
function sorted(entries: readonly RunEntry[], field: SortField): RunEntry[] {
  const value = sortFields[field];
  return [...entries].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === b) return 0;
    if (a === null || b === null) return a === null ? 1 : -1;
    return typeof a === 'number' ? Number(b) - a : a < b ? -1 : 1;
  });
}
