/** What tells whether JSON from outside has the shape that is expected of it. */
export type Check = (value: unknown) => boolean;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object with these fields, and perhaps others. */
export const fields =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) && Object.entries(checks).every(([key, check]) => check(Object.hasOwn(value, key) ? value[key] : undefined));
export const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
export const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
export const oneOf =
  (names: readonly string[]): Check =>
  (value) =>
    names.some((name) => name === value);

/** Lists and objects within each other, so many at most: code that goes through them level by level is safe. */
export const nestedAtMost =
  (levels: number): Check =>
  (value) =>
    typeof value !== 'object' || value === null || (levels > 0 && Object.values(value).every(nestedAtMost(levels - 1)));

export const text: Check = (value) => typeof value === 'string';
export const flag: Check = (value) => typeof value === 'boolean';
export const number: Check = (value) => Number.isFinite(value);
export const duration: Check = (value) => number(value) && (value as number) >= 0;
export const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
/** The lower and the upper end. */
export const interval: Check = (value) => Array.isArray(value) && value.length === 2 && value.every(number);
