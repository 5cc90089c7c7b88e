/** What may be typed behind `nn`, and the tables of it that a completion script holds. Nothing here knows a command by name. */

/** What may stand in the place of a flag's value or an operand. */
export type ValueKind = 'file' | 'folder' | 'setting' | 'none';
export interface ValueWords {
  kind: ValueKind;
  /** where it is one of a fixed list */
  words: readonly string[];
}

export interface FlagWords {
  /** -c and --config */
  names: readonly string[];
  summary: string;
  /** null where it takes none */
  value: ValueWords | null;
}

export interface CommandWords {
  /** 'train', 'data fetch', 'data'; '' for `nn` itself */
  name: string;
  /** what may follow as a command of its own */
  commands: readonly { word: string; summary: string }[];
  flags: readonly FlagWords[];
  operand: ValueWords;
}

export interface CommandLineWords {
  version: string;
  commands: readonly CommandWords[];
  settings: Settings;
}

/** The fields of a config, as --set takes them. An index stands as 0. */
export interface Settings {
  /** behind '' or training.: what may follow, 'epochs=' or 'optimizer.' */
  below: ReadonlyMap<string, readonly string[]>;
  /** of a field such as training.optimizer.name */
  values: ReadonlyMap<string, readonly string[]>;
}

/** How a shell writes what the tables are made of. */
export interface Dialect {
  /** a function of `parameters` values, which are called $1, $2 in the dialect's own words */
  define(name: string, lines: readonly string[]): string[];
  /** a choice among texts: by the first value, or by two with a space between */
  choose(parameters: 1 | 2, branches: readonly (readonly [patterns: readonly string[], statement: string])[]): string[];
  set(name: string, value: string): string;
}

/** The functions that a script's own part calls:
 *  __nn_commands COMMAND, __nn_flags COMMAND, __nn_fields HEAD, __nn_values FIELD print a word a line, with its meaning behind a tab;
 *  __nn_value COMMAND FLAG and __nn_operand COMMAND set __nn_kind and __nn_words; __nn_is NAME sets __nn_kind to command or nothing. */
export function tables({ commands, settings }: CommandLineWords, { define, choose, set }: Dialect): string[] {
  const print = (lines: readonly string[]) => `printf '%s\\n' ${lines.map(quoted).join(' ')}`;
  const told = (word: string, summary: string) => `${word}\t${firstPart(summary)}`;
  const value = ({ kind, words }: ValueWords) => `${set('__nn_kind', kind)}; ${set('__nn_words', words.join(' '))}`;
  const nothing = `${set('__nn_kind', '')}; ${set('__nn_words', '')}`;
  const withCommands = commands.filter(({ commands: below }) => below.length > 0);
  return [
    ...define('__nn_is', [
      set('__nn_kind', ''),
      ...choose(1, [[commands.map(({ name }) => name).filter((name) => name !== ''), set('__nn_kind', 'command')]]),
    ]),
    ...define(
      '__nn_commands',
      choose(
        1,
        withCommands.map(({ name, commands: below }) => [[name], print(below.map(({ word, summary }) => told(word, summary)))]),
      ),
    ),
    ...define(
      '__nn_flags',
      choose(
        1,
        commands.map(({ name, flags }) => [
          [name],
          print(flags.flatMap(({ names, summary }) => names.map((one) => told(one, summary)))),
        ]),
      ),
    ),
    ...define('__nn_value', [
      nothing,
      ...choose(
        2,
        commands.flatMap(({ name, flags }) =>
          flags.flatMap((flag) =>
            flag.value === null ? [] : [[flag.names.map((one) => `${name} ${one}`), value(flag.value)] as const],
          ),
        ),
      ),
    ]),
    ...define('__nn_operand', [
      nothing,
      ...choose(
        1,
        commands.map(({ name, operand }) => [[name], value(operand)]),
      ),
    ]),
    ...define(
      '__nn_fields',
      choose(
        1,
        [...settings.below].map(([head, words]) => [[head], print(words)]),
      ),
    ),
    ...define(
      '__nn_values',
      choose(
        1,
        [...settings.values].map(([field, words]) => [[field], print(words)]),
      ),
    ),
  ];
}

/** A word in single quotes, as all three shells take it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A summary up to where it becomes long: what stands beside a word in a list. */
function firstPart(summary: string): string {
  const [first] = summary.split(/[;(:]|\. /) as [string];
  return first.trim().replaceAll('\\', '/');
}
