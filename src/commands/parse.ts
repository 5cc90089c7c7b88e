import { UserError } from '../errors.ts';

/** A parser for an option that takes a number. @throws UserError (usage) outside of its range */
export function numberOption(flag: string, range: { low: number; high: number; whole?: boolean }): (text: string) => number {
  const { low, high, whole = false } = range;
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
      throw new UserError(
        'usage',
        `${flag}: expected a ${whole ? 'whole ' : ''}number from ${low} to ${high}, found ${JSON.stringify(text)}`,
      );
    }
    return value;
  };
}
