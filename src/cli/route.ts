import { type CommandEntry, commandGroups, commands } from '../commands/commands.ts';
import { nearestName } from '../config/nearest.ts';
import { UserError } from '../errors.ts';

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
  if (commands.some(({ name }) => name === first)) return { name: first, rest: [...flags, ...left] };
  if (!Object.hasOwn(commandGroups, first)) throw unknown(first, commands);
  const second = next();
  if (second === undefined) return { name: first, rest: flags };
  if (second === 'help') return routeOf([first, ...left, '--help']);
  const name = `${first} ${second}`;
  if (!commands.some((command) => command.name === name)) throw unknown(name, inGroup(first));
  return { name, rest: [...flags, ...left] };
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
