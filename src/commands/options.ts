import { nearestName } from '../config/nearest.ts';
import { UserError } from '../errors.ts';
import { mostThreads } from '../kernels/select.ts';
import type { Option } from './command.ts';

/** Options that mean the same wherever they stand. */

export const configOption: Option = { flags: '-c, --config <file>', summary: 'the JSON config', required: true };

/** The config of a command that is about nothing else. */
export const configOperand = { syntax: '<file>', summary: 'the JSON config' };

export const setOption: Option = {
  flags: '--set <path=value>',
  summary: 'override a field of the config, such as training.learningRate=0.01',
  repeatable: true,
};

/** The seeds that there are. */
export const seeds = { low: 0, high: 2 ** 32 - 1, whole: true } as const;

export const modelOption: Option = {
  flags: '-m, --model <path>',
  summary: 'a model file or a run folder (default: NN_MODEL, else the newest run)',
};

export const thresholdOption = numberFlag('--threshold <p>', "P above this is the positive class (default: the model's)", {
  low: 0,
  high: 1,
});

/** To be given to `useThreads`. */
export const threadsOption = numberFlag(
  '--threads <n>',
  'threads that compute (default: NN_THREADS, else the cores there are); the results do not depend on it',
  { low: 1, high: mostThreads, whole: true },
);

interface NumberRange {
  low: number;
  high: number;
  whole?: boolean;
}

/** An option that takes a number. @param flags  as commander has it */
export function numberFlag(
  flags: string,
  summary: string,
  { default: value, ...range }: NumberRange & { default?: number },
): Option {
  return { flags, summary, ...(value !== undefined && { default: value }), parse: numberOption(longName(flags), range) };
}

/** An option that takes one of some words. */
export function wordFlag(flags: string, summary: string, words: readonly string[], value?: string): Option {
  return { flags, summary, words, ...(value !== undefined && { default: value }), parse: wordOption(longName(flags), words) };
}

/** Words with what they mean, for a summary: easy: …; hard: … */
export function explained(words: Readonly<Record<string, string>>): string {
  return Object.entries(words)
    .map(([word, what]) => `${word}: ${what}`)
    .join('; ');
}

/** --format of '-f, --format <format>' */
function longName(flags: string): string {
  return /--[\w-]+/.exec(flags)![0];
}

/** A parser for an option that takes a number. @throws UserError (usage) outside of its range */
export function numberOption(flag: string, { low, high, whole = false }: NumberRange): (text: string) => number {
  const fits = (value: number) => value >= low && value <= high && (!whole || Number.isInteger(value));
  return (text) => {
    const value = numberIn(text);
    if (fits(value)) return value;
    const meant = [numberIn(text.replace(',', '.')), numberIn(text.replace(/[%\s]+$/, '')) / 100].find(fits);
    const expected = `${flag}: expected a ${whole ? 'whole ' : ''}number from ${low} to ${high}, found ${JSON.stringify(text)}`;
    throw new UserError('usage', `${expected}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`);
  };
}

function numberIn(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

/** A parser for an option, or an operand, that takes one of some words. @throws UserError (usage) with the nearest of them */
export function wordOption<Word extends string>(flag: string, words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((one) => one === text);
    if (word !== undefined) return word;
    const near = nearestName(text, words);
    const meant = near === undefined ? '' : ` (did you mean "${near}"?)`;
    throw new UserError('usage', `${flag}: expected ${words.join(', ')}, found ${JSON.stringify(text)}${meant}`);
  };
}

/** One of several machines. @param index  from 0 */
export interface Shard {
  index: number;
  count: number;
}

export const jobsOption = numberFlag('--jobs <n>', 'worker processes, which share the threads (default: one a thread)', {
  low: 1,
  high: 1024,
  whole: true,
});

/** --shard I/N */
export const shardFlag = (summary: string): Option => ({ flags: '--shard <i/n>', summary, parse: parseShard });

function parseShard(text: string): Shard {
  const [, i, n] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const [index, count] = [Number(i), Number(n)];
  if (!(index >= 1 && index <= count))
    throw new UserError('usage', `--shard: expected I/N with I from 1 to N, such as 1/4, found ${JSON.stringify(text)}`);
  return { index: index - 1, count };
}
