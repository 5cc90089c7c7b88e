/** A field in which two configs differ. */
export interface Difference {
  /** such as training.l2 */
  field: string;
  /** undefined where it is absent */
  before: unknown;
  now: unknown;
}

/** The fields in which two JSON values differ, as deep as they can be named. */
export function differences(before: unknown, now: unknown, field = ''): Difference[] {
  if (!isObject(before) || !isObject(now) || Array.isArray(before) !== Array.isArray(now)) {
    return Object.is(before, now) ? [] : [{ field, before, now }];
  }
  const keys = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...keys].flatMap((key) => differences(before[key], now[key], field === '' ? key : `${field}.${key}`));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
