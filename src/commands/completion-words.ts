import { alternatives, constants, type JsonSchema, schemasAt } from '../config/json-schema.ts';
import { version } from '../own-files.ts';
import type { CommandLineWords, CommandWords, FlagWords, Settings, ValueKind, ValueWords } from '../report/completion.ts';
import type { Command, Option } from './command.ts';
import { commandGroups, commands, commonOptions } from './commands.ts';

/** All that may be typed behind `nn`, from the table of commands and the schema of a config. It loads every command: `npm run build` makes the
 *  scripts, so that nobody waits for that who presses TAB or begins a shell. */
export async function commandLineWords(): Promise<CommandLineWords> {
  const loaded = await Promise.all(commands.map(async ({ name, load }) => wordsOf(name, (await load()).command as Command)));
  const groups = Object.keys(commandGroups).map((name) => ({ name, commands: below(name), flags: common, operand: nothing }));
  const own = [...common, flagOf({ flags: '--version', summary: 'print the version' })];
  return {
    version,
    commands: [{ name: '', commands: below(''), flags: own, operand: nothing }, ...groups, ...loaded],
    settings: settings(),
  };
}

const nothing: ValueWords = { kind: 'none', words: [] };

function wordsOf(name: string, { options, arguments: operands = [] }: Command): CommandWords {
  const [operand] = operands;
  const flags = [...options.map(flagOf), ...common];
  return {
    name,
    commands: below(name),
    flags,
    operand: operand === undefined ? nothing : { kind: kindOf(operand.syntax), words: operand.words ?? [] },
  };
}

/** The words that make another command of one: those of a group, and of `nn` itself the groups too. */
function below(name: string): CommandWords['commands'] {
  const start = name === '' ? '' : `${name} `;
  const own = commands.flatMap(({ name: longer, summary }) => {
    const word = longer.slice(start.length);
    return longer.startsWith(start) && longer !== name && !word.includes(' ') ? [{ word, summary }] : [];
  });
  if (name !== '') return own;
  return [...own, ...Object.entries(commandGroups).map(([word, { summary }]) => ({ word, summary }))];
}

const common: FlagWords[] = [...commonOptions, { flags: '-h, --help', summary: 'print this help' }].map(flagOf);

function flagOf({ flags, summary, words = [] }: Pick<Option, 'flags' | 'summary' | 'words'>): FlagWords {
  const value = /[<[].*/.exec(flags)?.[0];
  return {
    names: flags.match(/(?<![\w-])--?[\w-]+/g) ?? [],
    summary,
    value: value === undefined ? null : { kind: kindOf(value), words },
  };
}

/** What stands for a value in `<…>` or `[…]` says what it is: a name that is not here is nothing that a shell knows. */
const kinds: Record<string, ValueKind> = {
  file: 'file',
  path: 'file',
  image: 'file',
  source: 'file',
  place: 'file',
  list: 'file',
  'file.html': 'file',
  run: 'folder',
  dir: 'folder',
  'path=value': 'setting',
};

function kindOf(syntax: string): ValueKind {
  return kinds[syntax.replace(/[<>[\]]|\.\.\./g, '')] ?? 'none';
}

/** The fields of a config. A list of objects goes on behind the index 0, a list in such an object does not. */
export function settings(): Settings {
  const found = { below: new Map<string, string[]>(), values: new Map<string, string[]>() };
  gather(found, '', schemasAt([], undefined));
  return found;
}

function gather(
  found: { below: Map<string, string[]>; values: Map<string, string[]> },
  head: string,
  schemas: readonly JsonSchema[],
): void {
  const fields = new Map<string, JsonSchema[]>();
  for (const { properties = {} } of schemas)
    for (const [key, schema] of Object.entries(properties))
      fields.set(key, [...(fields.get(key) ?? []), ...alternatives(schema)]);
  fields.delete('$schema');
  const words: string[] = [];
  for (const [key, own] of fields) {
    const field = `${head}${key}`;
    const inside = own.filter(({ properties }) => properties !== undefined);
    const items = head.includes('.0.') ? [] : own.flatMap(({ items }) => (items === undefined ? [] : alternatives(items)));
    const listed = items.filter(({ properties }) => properties !== undefined);
    if (own.some(isValue)) words.push(`${key}=`);
    if (inside.length > 0) {
      words.push(`${key}.`);
      gather(found, `${field}.`, inside);
    }
    if (listed.length > 0) {
      words.push(`${key}.`);
      found.below.set(`${field}.`, ['0.']);
      gather(found, `${field}.0.`, listed);
    }
    const values = valuesOf(own);
    if (values.length > 0) found.values.set(field, values);
  }
  if (words.length > 0) found.below.set(head, [...new Set(words)]);
}

/** Whether something else than an object may stand there. */
function isValue({ type, properties, anyOf, oneOf, allOf, ...schema }: JsonSchema): boolean {
  return properties === undefined && (type !== undefined || constants(schema).length > 0) && type !== 'object';
}

function valuesOf(schemas: readonly JsonSchema[]): string[] {
  const words = schemas.flatMap((schema) => [
    ...constants(schema).filter((value) => typeof value === 'string' || typeof value === 'boolean'),
    ...(schema.type === 'boolean' && schema.const === undefined ? [true, false] : []),
  ]);
  return [...new Set(words.map(String))];
}
