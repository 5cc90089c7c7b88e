import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { configJsonSchema } from './schema.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** What is wrong with a config, a sentence each: path, expected, found, and the nearest right name.
 *  @param raw  the config as it was written */
export function describeIssues(issues: readonly Issue[], raw: unknown): { path: string; text: string }[] {
  return issues.flatMap((issue) => describeIssue(issue, [], raw));
}

function describeIssue(issue: Issue, base: Path, raw: unknown): { path: string; text: string }[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(path);
    return issue.keys.map((key) => ({ path: format([...path, key]), text: `no such field${nearest(key, known)}` }));
  }
  if (issue.code === 'invalid_union') {
    const inner = fittingBranch(issue.errors);
    if (inner) return inner.flatMap((one) => describeIssue(one, path, raw));
  }
  if (issue.code === 'custom') return [{ path: format(path), text: issue.message }];
  const found = valueAt(raw, path);
  const near = typeof found === 'string' ? nearest(found, choicesAt(path)) : '';
  return [{ path: format(path), text: `expected ${expectation(issue, path)}, found ${show(found)}${near}` }];
}

/** The branch of a union that the value was plainly meant for: the only one that it fails below its root. */
function fittingBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const deeper = branches.filter((issues) => issues.every((one) => one.path.length > 0 || one.code === 'unrecognized_keys'));
  return deeper.length === 1 ? deeper[0] : undefined;
}

function expectation(issue: Issue, path: Path): string {
  switch (issue.code) {
    case 'invalid_type':
      return expectedTypes[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(', ');
    case 'too_small':
      return `${sizes[issue.origin] ?? 'a value'} ${issue.inclusive ? 'of at least' : 'above'} ${issue.minimum}`;
    case 'too_big':
      return `${sizes[issue.origin] ?? 'a value'} ${issue.inclusive ? 'of at most' : 'below'} ${issue.maximum}`;
    default: {
      const choices = choicesAt(path);
      return choices.length > 0
        ? choices.map((choice) => JSON.stringify(choice)).join(', ')
        : (descriptionAt(path) ?? issue.message);
    }
  }
}

const expectedTypes: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object { … }',
  array: 'a list [ … ]',
  tuple: 'a list [ … ]',
};
const sizes: Record<string, string> = { number: 'a number', int: 'a whole number', string: 'a length', array: 'a length' };

function nearest(name: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const best = closest(
    name.toLowerCase(),
    known.map((one) => one.toLowerCase()),
  );
  const original = known.find((one) => one.toLowerCase() === best)!;
  if (distance(name.toLowerCase(), best) <= Math.max(2, name.length / 3)) return ` (did you mean "${original}"?)`;
  return known.length <= 12 ? `; known here: ${known.join(', ')}` : '';
}

/** A value as it was written, cut to a readable length. */
function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** training.optimizer.name, model.layers.0.units */
export function format(path: Path): string {
  return path.map(String).join('.');
}

export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  const?: unknown;
  enum?: unknown[];
  description?: string;
}

/** All alternatives of the schema at a path. */
function schemasAt(path: Path): JsonSchema[] {
  const alternatives = (schema: JsonSchema): JsonSchema[] => [
    schema,
    ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])].flatMap(alternatives),
  ];
  let schemas = alternatives(configJsonSchema() as JsonSchema);
  for (const key of path) {
    schemas = schemas
      .map((schema) => (typeof key === 'number' ? schema.items : schema.properties?.[String(key)]))
      .filter((schema) => schema !== undefined)
      .flatMap(alternatives);
  }
  return schemas;
}

/** The fields that may stand in the object at a path. */
export function knownKeys(path: Path): string[] {
  return [...new Set(schemasAt(path).flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

function choicesAt(path: Path): string[] {
  const values = schemasAt(path).flatMap((schema) => (schema.const === undefined ? (schema.enum ?? []) : [schema.const]));
  return [...new Set(values.filter((value) => typeof value === 'string'))];
}

function descriptionAt(path: Path): string | undefined {
  return schemasAt(path).find((schema) => schema.description !== undefined)?.description;
}
