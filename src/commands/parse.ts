import { nearestName } from '../config/nearest.ts';
import { UserError } from '../errors.ts';

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
