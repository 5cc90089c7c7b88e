import { readFileSync } from 'node:fs';
import { CommanderError, Command as Program, Option as ProgramOption } from 'commander';
import type { Command, Context } from '../commands/command.ts';
import { commandGroups, commands } from '../commands/commands.ts';
import { type ExitKind, exitCodes, UserError } from '../errors.ts';
import { type Interruption, listenForInterruption } from './interruption.ts';
import { createContext, type GlobalValues } from './terminal.ts';

/** Runs `nn` with the words of the command line, and sets the exit code. */
async function main(words: readonly string[]): Promise<void> {
  const interruption = listenForInterruption();
  let kind: ExitKind;
  try {
    kind = await run(words, interruption);
  } catch (error) {
    kind = reportError(error, words);
  } finally {
    interruption.stop();
  }
  process.exitCode = exitCodes[kind];
}

async function run(words: readonly string[], interruption: Interruption): Promise<ExitKind> {
  let outcome: ExitKind | undefined;
  const program = buildProgram(async (command, values, operands) => {
    const context: Context = createContext(values as unknown as GlobalValues, interruption.signal);
    outcome = await command.run(context, values as never, operands);
  });
  await program.parseAsync(words, { from: 'user' });
  return outcome ?? 'done';
}

type Start = (command: Command<never>, values: Record<string, unknown>, operands: string[]) => Promise<void>;

/** The tree of commands. Only names and summaries are known at first; a command's options are added when it is meant. */
function buildProgram(start: Start): Program {
  const program = new Program('nn');
  program
    .description('Trains, judges and uses image classifiers: cat or non-cat, and any other two classes.')
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .configureOutput({ outputError: () => {} }) // reportError prints it, once
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      examplesText(['nn train --config configs/quickstart.json', 'nn predict photo.jpg', 'nn evaluate --json']),
    );
  const groups = new Map(
    Object.entries(commandGroups).map(([name, summary]) => [name, program.command(name).description(summary)]),
  );
  for (const entry of commands) {
    const [first, second] = entry.name.split(' ') as [string, string | undefined];
    const parent = second === undefined ? program : groups.get(first)!;
    const child = parent.command(second ?? first).description(entry.summary);
    parent.hook('preSubcommand', async (_, chosen) => {
      if (chosen === child) declare(child, (await entry.load()).command, start);
    });
  }
  return program;
}

function declare(program: Program, command: Command<never>, start: Start): void {
  for (const { syntax, summary } of command.arguments ?? []) program.argument(syntax, summary);
  for (const option of command.options) {
    const declared = new ProgramOption(option.flags, option.summary);
    if (option.default !== undefined) declared.default(option.default);
    if (option.required) declared.makeOptionMandatory();
    if (option.repeatable) declared.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
    else if (option.parse) declared.argParser(option.parse);
    program.addOption(declared);
  }
  program
    .option('-q, --quiet', 'print results and errors alone')
    .option('-v, --verbose', 'print more')
    .option('--no-color', 'print no colours');
  if (command.examples.length > 0) program.addHelpText('after', examplesText(command.examples));
  program.action(async () => start(command, program.opts(), program.args));
}

function examplesText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`;
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Says what went wrong on stderr, and with --json on stdout too. */
function reportError(error: unknown, words: readonly string[]): ExitKind {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 'done'; // help or version, printed already
    if (error.code === 'commander.help') return 'usage'; // `nn` alone: the help is printed
    return reportError(new UserError('usage', error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')), words);
  }
  if (!(error instanceof UserError)) {
    process.stderr.write(
      `${error instanceof Error ? error.stack : String(error)}\nThis is a fault of nn: please report it with the lines above.\n`,
    );
    return 'fault';
  }
  if (error.message === '') return error.kind;
  process.stderr.write(`nn: ${error.message}\n${error.hint === undefined ? '' : `${error.hint}\n`}`);
  if (words.includes('--json')) {
    const { message, hint, exitCode: code } = error;
    process.stdout.write(`${JSON.stringify({ error: { code, message, hint: hint ?? null } })}\n`);
  }
  return error.kind;
}

await main(process.argv.slice(2));
