import { readFile, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Choice, configOf, type DataFacts, firstChoices, type Recipe, recipeFor } from '../config/first-config.ts';
import { checkConfig, movePath, physical } from '../config/load.ts';
import type { SourceConfig } from '../config/schema.ts';
import { exists } from '../data/disk.ts';
import { openData } from '../datasets/open.ts';
import { type ExitKind, UserError, unwritable } from '../errors.ts';
import { readProgress, sourcePaths } from '../library/reading.ts';
import { ownFile } from '../own-files.ts';
import { choicesText, configText } from '../report/first-config.ts';
import type { FirstConfigResult } from '../results/config.ts';
import { shellWord } from '../text.ts';
import type { Command, Context } from './command.ts';
import { factsOf, factsText, refuseTooFew, sourcesAt, warningsOf } from './data-facts.ts';
import { inspectAll } from './data-source.ts';

interface Values {
  out?: string;
  positive?: string;
}

export const command: Command<Values> = {
  arguments: [{ syntax: '<source>', summary: sourcePaths }],
  options: [
    { flags: '-o, --out <file>', summary: 'write the config there; nothing is ever overwritten (default: print it)' },
    { flags: '--positive <name>', summary: 'the class that counts as 1 (default: cat; of two others the likelier one)' },
    { flags: '--json', summary: 'print the config with its choices as JSON' },
  ],
  examples: [
    'nn config init photos/ --out photos.json',
    'nn config init pets.zip --positive dog --out dogs.json && nn train --config dogs.json',
    'nn config init photos/ --json',
  ],
  run: init,
};

async function init(context: Context, values: Values, [path]: string[]): Promise<ExitKind | undefined> {
  const { out } = values;
  if (out !== undefined) await refuseExisting(out);
  const sources = await sourcesAt(path!, values.positive, readProgress(context));
  const loaded = { config: checkConfig({ data: sources }, path!), folder: process.cwd(), file: path! };
  const opened = await openData(loaded, true, readProgress(context));
  const inspected = await inspectAll(context, opened, null);
  const facts = factsOf(opened, inspected, values.positive);
  refuseTooFew(path!, facts);
  const choices = firstChoices(facts, await readRecipe(recipeFor(facts).value));
  const folder = out === undefined ? process.cwd() : dirname(out);
  const config = { $schema: schemaFrom(folder), ...configOf(choices, movedTo(folder, sources)) };
  checkConfig(config, out ?? path!); // a rule that makes a config which is none is a fault
  const warnings = warningsOf(path!, opened, inspected);
  for (const text of warnings) context.warn(text);
  context.note(factsText(path!, facts, inspected));
  for (const line of choicesText(choices)) context.note(line);
  if (out !== undefined) await writeNew(out, `${configText(config)}\n`);
  if (context.json)
    context.print(JSON.stringify(resultOf(facts, { out: out ?? null, source: path!, config, choices, warnings })));
  else if (out === undefined) context.printExact(configText(config));
  else {
    context.printRow([out]);
    context.note(`Next: nn train --config ${shellWord(out)}   (nn config check ${shellWord(out)} says how long it takes)`);
  }
  return undefined;
}

/** What a config can be built on, as configs/ has it. */
async function readRecipe(name: string): Promise<Recipe> {
  return JSON.parse(await readFile(ownFile(`configs/${name}.json`), 'utf8')) as Recipe;
}

type Sources = Readonly<Record<string, SourceConfig>>;

/** Sources whose paths start at the working folder, for a config in another. */
function movedTo(folder: string, sources: Sources): Record<string, object> {
  const moved = (source: SourceConfig) =>
    'path' in source ? { ...source, path: movePath(source.path, process.cwd(), folder) } : source;
  return Object.fromEntries(Object.entries(sources).map(([field, source]) => [field, moved(source)]));
}

/** The installed schema from a folder: a relative path, or an address where there is none, as on another drive of Windows. */
function schemaFrom(folder: string): string {
  const schema = ownFile('configs/schema.json');
  const path = relative(physical(folder), fileURLToPath(schema));
  return isAbsolute(path) ? schema.href : path.split(sep).join('/');
}

/** @throws UserError (usage) before any picture is looked at */
async function refuseExisting(out: string): Promise<void> {
  if (await exists(out)) throw standsThere(out);
  const folder = dirname(out);
  if (!(await exists(folder)))
    throw new UserError('usage', `--out ${out}: expected a folder that is there, found none called ${folder}`);
}

function standsThere(out: string): UserError {
  return new UserError('usage', `--out ${out}: expected a name that is free, found a file: it is never overwritten`, {
    hint: 'Name another one, or take that one away.',
  });
}

/** Writes a file that is not there yet. @throws UserError (usage) where one is */
async function writeNew(out: string, text: string): Promise<void> {
  try {
    await writeFile(out, text, { flag: 'wx' });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? standsThere(out) : unwritable(out, error);
  }
}

function resultOf(
  { pictures, copies, positive, negative }: DataFacts,
  {
    choices,
    config,
    ...rest
  }: Pick<FirstConfigResult, 'out' | 'source' | 'warnings'> & { config: object; choices: readonly Choice[] },
): object {
  const told = choices.map(({ isDefault = false, ...choice }) => ({ ...choice, isDefault }));
  return { ...rest, pictures, copies, classes: { positive: positive.name, negative }, config, choices: told };
}
