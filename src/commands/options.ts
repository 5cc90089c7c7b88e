import { nearestName } from '../config/nearest.ts';
import { UserError } from '../errors.ts';
import { mostThreads } from '../kernels/select.ts';
import type { Option } from './command.ts';

/** Options that mean the same wherever they stand. */

export const configOption: Option = { flags: '-c, --config <file>', summary: 'the JSON config', required: true };

export const setOption: Option = {
  flags: '--set <path=value>',
  summary: 'override a field of the config, such as training.learningRate=0.01',
  repeatable: true,
};

export const modelOption: Option = {
  flags: '-m, --model <path>',
  summary: 'a model file or a run folder (default: NN_MODEL, else the newest run)',
};

export const thresholdOption: Option = {
  flags: '--threshold <p>',
  summary: "P above this is the positive class (default: the model's)",
  parse: numberOption('--threshold', { low: 0, high: 1 }),
};

/** To be given to `useThreads`. */
export const threadsOption: Option = {
  flags: '--threads <n>',
  summary: 'threads that compute (default: NN_THREADS, else the cores there are); the results do not depend on it',
  parse: numberOption('--threads', { low: 1, high: mostThreads, whole: true }),
};

/** A parser for an option that takes a number. @throws UserError (usage) outside of its range */
export function numberOption(flag: string, range: { low: number; high: number; whole?: boolean }): (text: string) => number {
  const { low, high, whole = false } = range;
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
