import { CommanderError, Command as Program, Option as ProgramOption } from 'commander';
import type { Command } from '../commands/command.ts';
import { commandGroups, commands } from '../commands/commands.ts';
import { type ExitKind, exitCodes, exitMeanings, systemReason, UserError } from '../errors.ts';
import { requireAddresses, withinLimits } from '../machine-memory.ts';
import { version } from '../own-files.ts';
import { linesOf } from '../text.ts';
import { routeOf, usageError } from './command-line.ts';
import { type Interruption, listenForInterruption } from './interruption.ts';
import type { GlobalValues } from './terminal.ts';
import { stderrManners, writerTo } from './writer.ts';

/** Runs `nn` with the words of the command line, and sets the exit code. */
async function main(words: readonly string[]): Promise<void> {
  const interruption = listenForInterruption();
  let kind: ExitKind;
  try {
    kind = await run(words, interruption);
    await interruption.written();
  } catch (error) {
    kind = reportError(error, words);
  } finally {
    interruption.stop();
  }
  process.exitCode = exitCodes[kind];
}

async function run(words: readonly string[], interruption: Interruption): Promise<ExitKind> {
  const { name, rest } = routeOf(words);
  let outcome: ExitKind | undefined;
  const program = buildProgram();
  const chosen = name
    .split(' ')
    .reduce((parent, word) => parent.commands.find((child) => child.name() === word) ?? parent, program);
  const entry = commands.find((one) => one.name === name);
  let command: Command<never> | undefined;
  if (entry) {
    requireAddresses(spareAddresses, 'nn');
    const [loaded, { createContext }] = await Promise.all([entry.load(), import('./terminal.ts')]);
    command = loaded.command;
    declare(chosen, command, async (values, operands) => {
      requireFolder();
      const context = createContext(values as unknown as GlobalValues, interruption.signal);
      outcome = await loaded.command.run(context, values as never, operands);
    });
  }
  try {
    await chosen.parseAsync(rest, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 'done'; // help and version are printed already
    throw error.code === 'commander.help' ? error : await usageError(error, { program: chosen, command, words: rest });
  }
  return outcome ?? 'done';
}

/** The tree of commands, with names and summaries alone: the options of the one that is meant are added once it is loaded. */
function buildProgram(): Program {
  const program = new Program('nn');
  program
    .description('Trains, judges and uses image classifiers: cat or non-cat, and any other two classes.')
    .addHelpText('after', `${examplesText(examples)}\n\nExit codes: ${exitCodesText()}`);
  for (const { name, summary } of commands) {
    const [first, second] = name.split(' ') as [string, string | undefined];
    if (second === undefined) program.command(first).description(summary);
    else groupOf(program, first).command(second).description(summary);
  }
  return settled(program);
}

const examples = ['nn train --config configs/quickstart.json', 'nn predict photo.jpg', 'nn evaluate --json'];

function groupOf(program: Program, name: string): Program {
  const known = program.commands.find((child) => child.name() === name);
  if (known) return known;
  const { summary, examples } = commandGroups[name]!;
  return program.command(name).description(summary).addHelpText('after', examplesText(examples));
}

/** 0 done, 1 a fault of nn … */
function exitCodesText(): string {
  return Object.entries(exitCodes)
    .map(([kind, code]) => `${code} ${exitMeanings[kind as ExitKind]}`)
    .join(', ');
}

/** What holds at every level of the tree. */
function settled(program: Program): Program {
  program
    .helpCommand(false) // routeOf knows `nn help train`
    .helpOption('-h, --help', 'print this help')
    .version(version, '--version', 'print the version')
    .exitOverride()
    .configureOutput({ outputError: () => {} }) // reportError prints it, once
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .showSuggestionAfterError();
  program.commands.forEach(settled);
  return program;
}

type Start = (values: Record<string, unknown>, operands: string[]) => Promise<void>;

function declare(program: Program, command: Command<never>, start: Start): void {
  for (const { syntax, summary } of command.arguments ?? []) program.argument(syntax, summary);
  for (const option of command.options) {
    const declared = new ProgramOption(option.flags, option.summary);
    if (option.default !== undefined) declared.default(option.default);
    if (option.repeatable) declared.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
    else if (option.parse) declared.argParser(option.parse);
    if (option.conflicts) declared.conflicts([...option.conflicts]);
    program.addOption(declared);
  }
  program
    .option('-q, --quiet', 'print results and errors alone')
    .option('-v, --verbose', 'print more')
    .option('--no-color', 'print no colours');
  if (command.examples.length > 0) program.addHelpText('after', examplesText(command.examples));
  program.action(async () => {
    requireOptions(program, command);
    await start(program.opts(), program.args);
  });
}

/** Commander would look for these before it looks for flags that it does not know: `--confg x` would be "--config is missing". */
function requireOptions(program: Program, { options, examples }: Command<never>): void {
  for (const option of options.filter(({ required }) => required)) {
    if (program.opts()[new ProgramOption(option.flags).attributeName()] !== undefined) continue;
    if (option.unless !== undefined && program.opts()[option.unless] !== undefined) continue;
    throw new UserError('usage', `expected the option ${option.flags}, found none`, { hint: `For example: ${examples[0]}` });
  }
}

function examplesText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`;
}

/** Without a working folder no relative path means anything, and Node makes folders there for ever.
 *  @throws UserError (usage) */
function requireFolder(): void {
  try {
    process.cwd();
  } catch (error) {
    throw new UserError('usage', `expected a working folder, found: ${systemReason(error)}`, {
      hint: 'It was deleted or moved away: change to a folder that is there.',
      cause: error,
    });
  }
}

/** Of addresses, for what every command does. */
const spareAddresses = 0.3e9;

/** Says what went wrong on stderr, and with --json on stdout too. A fault, and with --verbose any error, comes with its trace. */
function reportError(thrown: unknown, words: readonly string[]): ExitKind {
  const error = withinLimits(thrown);
  if (error instanceof CommanderError) return 'usage'; // its help is printed already
  const expected = error instanceof UserError;
  if (expected && error.message === '') return error.kind;
  const kind = expected ? error.kind : 'fault';
  const message = error instanceof Error ? error.message : String(error);
  const hint = expected ? error.hint : 'This is a fault of nn: please report it with the lines above.';
  const flags = words.slice(0, words.includes('--') ? words.indexOf('--') : words.length);
  const verbose = flags.includes('--verbose') || flags.includes('-v');
  const trace = expected ? (verbose ? error.cause : undefined) : error;
  const lines = error instanceof UserError ? error.lines : [message];
  const stack = trace instanceof Error ? (trace.stack ?? '').split('\n') : [];
  writerTo(process.stderr, stderrManners).lines([`nn: ${lines[0]}`, ...lines.slice(1), ...stack, ...linesOf(hint ?? [])]);
  if (flags.includes('--json')) {
    const failure = { code: exitCodes[kind], message, hint: hint === undefined ? null : linesOf(hint).join('\n') };
    writerTo(process.stdout).lines(JSON.stringify({ error: failure }));
  }
  return kind;
}

await main(process.argv.slice(2));
