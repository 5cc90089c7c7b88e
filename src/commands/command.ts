import type { ExitKind } from '../errors.ts';
import type { Lines } from '../text.ts';

/** What a command may do to the world: the only way out for its words. cli/ makes it. */
export interface Context {
  environment: NodeJS.ProcessEnv;
  /** --json: stdout holds JSON and nothing else */
  json: boolean;
  verbose: boolean;
  /** whether stdout is a terminal, so that a person sees what is printed */
  isTerminal: boolean;
  /** a result for people or in JSON, on stdout. Texts from outside may stand in it: each string is one line, which commands no terminal */
  print(text: Lines): void;
  /** a result of one line of columns, on stdout */
  printRow(cells: readonly string[]): void;
  /** a result in a format that says itself how any text stands in it (CSV, SVG), on stdout, to the letter */
  printExact(text: string): void;
  /** a fact in passing, on stderr, in one line; --quiet silences it */
  note(text: string): void;
  /** something that may be wrong, on stderr, in one line; --quiet silences it */
  warn(text: string): void;
  /** what went wrong, or what a person must know of it, on stderr, in one line, even with --quiet */
  complain(text: string): void;
  /** a bar on a terminal, a plain line now and then elsewhere
   *  @param begun  what was done before, and so says nothing of the pace */
  progress(title: string, total: number, begun?: number, effort?: (done: number) => number): Progress;
  /** aborted by Ctrl-C, SIGTERM or a closed pipe; its reason says which */
  signal: AbortSignal;
  /** bytes of standard input. @throws UserError (data) where they are more */
  readStdin(maximumBytes: number): Promise<Uint8Array>;
  /** words in a style where stdout is a terminal that shows it */
  style(style: Style, text: string): string;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

export interface Progress {
  /** @param done    may be in the midst of a unit
   *  @param detail  what stands behind the bar, such as the cost; what was said last where it is left out */
  update(done: number, detail?: string): void;
  stop(): void;
}

export interface Option {
  /** as commander has it: '-o, --output <dir>' */
  flags: string;
  summary: string;
  default?: string | number;
  /** gathers the values of a flag that may be repeated */
  repeatable?: boolean;
  required?: boolean;
  /** what takes the place of a required one, as the key of its value */
  unless?: string;
  /** what it can't stand beside, as the keys of the values: ['json'] */
  conflicts?: readonly string[];
  /** all that it may be, where those are few: they are completed */
  words?: readonly string[];
  /** turns the word into a value. @throws UserError (usage) */
  parse?: (value: string) => unknown;
}

export interface Operand {
  /** as commander has it: '<image...>' */
  syntax: string;
  summary: string;
  /** all that it may be, where those are few: they are completed */
  words?: readonly string[];
}

export interface Command<Values = Record<string, unknown>> {
  arguments?: Operand[];
  options: Option[];
  examples: string[];
  /** @returns how it ended, where that is not "done" */
  run(context: Context, values: Values, operands: string[]): Promise<ExitKind | undefined>;
}
