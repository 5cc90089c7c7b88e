import type { Command } from '../commands/command.ts';
import { type CommandEntry, commandGroups, commands } from '../commands/commands.ts';
import { nearestName } from '../config/nearest.ts';
import { UserError } from '../errors.ts';
import { shellWord } from '../text.ts';

/** The words of a command line, sorted. */
export interface Route {
  /** what is meant, as it is typed: 'train', 'data fetch', 'data'; '' for `nn` itself */
  name: string;
  /** flags and operands. Flags before the command (`nn -q train`) count as if they stood behind it. */
  rest: readonly string[];
}

/** Finds the command that is meant. `nn help train` is `nn train --help`.
 *  @throws UserError (usage) with the nearest name */
export function routeOf(words: readonly string[]): Route {
  const flags: string[] = [];
  const left = [...words];
  const next = () => {
    while (left[0]?.startsWith('-') && left[0] !== '-') flags.push(left.shift()!);
    return left.shift();
  };
  let first = next();
  if (first === 'help') {
    flags.push('--help');
    first = next();
  }
  if (first === undefined) return { name: '', rest: flags };
  const isGroup = inGroup(first).length > 0;
  if (commands.some(({ name }) => name === first) && !(isGroup && beginsWithName(left)))
    return { name: first, rest: [...flags, ...left] };
  if (!isGroup) throw unknown(first, commands);
  const second = next();
  if (second === undefined) return { name: first, rest: flags };
  if (second === 'help') return routeOf([first, ...left, '--help']);
  const name = `${first} ${second}`;
  if (!commands.some((command) => command.name === name)) throw unknown(name, inGroup(first));
  return { name, rest: [...flags, ...left] };
}

/** Flags without a value that every command has. Behind a group that is a command too (`nn runs --sort dev`) others are its own, and what
 *  follows them may be their value. */
const commonFlags = new Set(['-q', '--quiet', '-v', '--verbose', '--no-color', '--json', '-h', '--help']);

/** Whether the next word that is no common flag is a name. */
function beginsWithName(words: readonly string[]): boolean {
  const word = words.find((one) => !commonFlags.has(one));
  return word !== undefined && !word.startsWith('-');
}

/** The commands that begin with a group's word. */
function inGroup(group: string): CommandEntry[] {
  return commands.filter(({ name }) => name.startsWith(`${group} `));
}

function unknown(typed: string, known: readonly CommandEntry[]): UserError {
  const names = known.map(({ name }) => name);
  const near = nearestName(typed, [...names, ...Object.keys(commandGroups)]) ?? byLastWord(typed, names);
  const suggestion = near === undefined ? '' : ` (did you mean "${near}"?)`;
  return new UserError('usage', `unknown command "${typed}"${suggestion}`, { hint: `There are: ${names.join(', ')}.` });
}

/** `nn fetch` is meant as `nn data fetch`. */
function byLastWord(typed: string, names: readonly string[]): string | undefined {
  const last = (name: string) => name.split(' ').at(-1)!;
  const near = nearestName(typed, names.map(last));
  return names.find((name) => last(name) === near);
}

/** What is wanted of commander's own. */
interface Program {
  name(): string;
  parent: Program | null;
  args: string[];
  opts(): { set?: string[] };
}

export interface Used {
  program: Program;
  /** undefined for `nn` itself, and for `nn data` */
  command: Command<never> | undefined;
  /** behind the command */
  words: readonly string[];
}

/** What a person is told whose words commander does not understand, and what was probably meant by them. */
export async function usageError({ message, code }: { message: string; code: string }, used: Used): Promise<UserError> {
  const names: string[] = [];
  for (let one: Program | null = used.program; one !== null; one = one.parent) names.unshift(one.name());
  const more = `${names.join(' ')} --help tells more.`;
  const text = message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  if (code === 'commander.unknownOption') return new UserError('usage', text + (await settingMeant(text, used)), { hint: more });
  if (code === 'commander.excessArguments') return tooMany(names.join(' '), more, used);
  const [example] = code === 'commander.missingArgument' ? (used.command?.examples ?? []) : [];
  return new UserError('usage', text, { hint: example === undefined ? more : `For example: ${example}` });
}

/** A field of the config that was taken for an option: --epochs 10 is --set training.epochs=10. */
async function settingMeant(text: string, { command, words }: Used): Promise<string> {
  const option = /'--([^'=]+)/.exec(text)?.[1];
  if (option === undefined || text.includes('Did you mean') || !takes(command, 'set')) return '';
  const at = words.findIndex((word) => word === `--${option}` || word.startsWith(`--${option}=`));
  const next = words[at + 1];
  const value = words[at]?.includes('=')
    ? words[at].slice(words[at].indexOf('=') + 1)
    : next === undefined || /^-\D/.test(next)
      ? 'true'
      : next;
  const [{ parseValue }, { settingCalled }] = await Promise.all([import('../config/load.ts'), import('../config/meant.ts')]);
  const setting = settingCalled(option, parseValue(value));
  return setting === undefined ? '' : ` (did you mean --set ${shellWord(setting)}?)`;
}

function tooMany(name: string, more: string, { program, command }: Used): UserError {
  const known = command?.arguments?.length ?? 0;
  const operands = program.args.slice(known);
  const expected = known === 0 ? 'nothing but options' : known === 1 ? 'one operand' : `${known} operands`;
  const found = program.args.map(shellWord).join(' ');
  const meant =
    known === 0
      ? meantBy(operands, { program, command })
      : `A name with spaces stands in quotes: ${shellWord(program.args.join(' '))}.`;
  return new UserError('usage', `${name}: expected ${expected}, found ${found}`, {
    hint: meant === undefined ? more : `${meant} ${more}`,
  });
}

function meantBy(
  [word = '', ...more]: readonly string[],
  { program, command }: Pick<Used, 'program' | 'command'>,
): string | undefined {
  const sets = program.opts().set ?? [];
  const cut = sets.find((set) => !set.includes('=') || set.endsWith('='));
  const rest = [word, ...more].join(' ').replace(/^=\s*/, '');
  if (cut !== undefined || word.startsWith('='))
    return `No spaces stand around "=": --set ${shellWord(`${(cut ?? sets.at(-1) ?? 'PATH=').replace(/=$/, '')}=${rest}`)}.`;
  if (word.endsWith('.json') && takes(command, 'config')) return `Is it --config ${shellWord(word)}?`;
  if (/^[\w.]+=/.test(word) && takes(command, 'set')) return `Is it --set ${shellWord(word)}?`;
  if (takes(command, 'data')) return `Is it --data ${shellWord(word)}?`;
  if (takes(command, 'out') && takes(command, 'format')) return `Is it --out ${shellWord(word)}?`;
  return takes(command, 'config')
    ? `Pictures are named in a config (nn config init ${shellWord(word)} --out my.json writes one), or by --set ${shellWord(`data.source.path=${word}`)}.`
    : undefined;
}

function takes(command: Command<never> | undefined, name: string): boolean {
  return command?.options.some(({ flags }) => flags.includes(`--${name} `)) ?? false;
}
