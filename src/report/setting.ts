/** Fields of a config and their values, for people. */

/** Characters of a value that are shown. */
const longest = 40;

/** A value from a config: a text as it is, `none` for null, numbers with four digits, all else as JSON, cut where it is long. */
export function settingText(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'number') return String(Number.isInteger(value) ? value : Number(value.toPrecision(4)));
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

/** The fields of a config that hold no others, with their names from the top, such as training.optimizer.name; a list is one field. */
export function fieldsOf(config: object, above = ''): [field: string, value: unknown][] {
  return Object.entries(config).flatMap(([key, value]): [string, unknown][] => {
    const field = above === '' ? key : `${above}.${key}`;
    const isNested = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isNested ? fieldsOf(value as object, field) : [[field, value]];
  });
}
