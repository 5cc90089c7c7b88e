import type { z } from 'zod';
import { shown } from '../errors.ts';
import { nearestName } from './nearest.ts';
import { configJsonSchema } from './schema.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

interface Problem {
  path: Path;
  text: string;
  /** a field that should be there */
  missing?: boolean;
  /** the field that an unknown one was probably meant to be */
  meant?: string | undefined;
}

/** What is wrong with a config, a sentence each: path, expected, found, and the nearest right name.
 *  @param raw  the config as it was written
 *  @returns the first of them, and how many there are more */
export function describeIssues(
  issues: readonly Issue[],
  raw: unknown,
): { problems: { path: string; text: string }[]; more: number } {
  const mistakesIn = (issue: Issue) => (issue.code === 'unrecognized_keys' ? issue.keys.length : 1);
  const all = issues.reduce((sum, issue) => sum + mistakesIn(issue), 0);
  const first = issues.slice(0, mostDescribed).flatMap((issue) => describeIssue(issue, [], raw));
  const problems = first.slice(0, mostDescribed);
  const misspelt = new Set(problems.flatMap(({ path, meant }) => (meant ? [format([...path.slice(0, -1), meant])] : [])));
  const told = problems.filter(({ path, missing }) => !(missing && misspelt.has(format(path))));
  return {
    problems: told.map(({ path, text }) => ({ path: format(path), text })),
    more: Math.max(0, all - mostDescribed),
  };
}

/** Each takes a millisecond or more, and a hostile config has hundreds of thousands. */
const mostDescribed = 200;

function describeIssue(issue: Issue, base: Path, raw: unknown): Problem[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') return issue.keys.slice(0, mostDescribed).map((key) => unknownField(path, key, raw));
  if (issue.code === 'invalid_union') {
    const inner = fittingBranch(issue.errors);
    if (inner) return inner.slice(0, mostDescribed).flatMap((one) => describeIssue(one, path, raw));
  }
  if (issue.code === 'custom') return [{ path, text: issue.message }];
  const found = valueAt(raw, path);
  const near = typeof found === 'string' ? suggestion(nearestName(found, choicesAt(path, raw))) : '';
  const problem = {
    path,
    text: `expected ${expectation(issue, path, raw)}, found ${shown(found)}${near}`,
    missing: found === undefined,
  };
  // zod looks no further than a discriminator (`name`, `type`) that is missing: it may be there under a wrong name
  return issue.code === 'invalid_union' && found === undefined ? [problem, ...unknownFields(path.slice(0, -1), raw)] : [problem];
}

function unknownField(path: Path, key: string, raw: unknown): Problem {
  const known = knownKeys(path, raw);
  const meant = nearestName(key, known);
  const list = meant === undefined && known.length <= 12 ? `; known here: ${known.join(', ')}` : '';
  return { path: [...path, key], text: `no such field${suggestion(meant)}${list}`, meant };
}

function unknownFields(path: Path, raw: unknown): Problem[] {
  const known = knownKeys(path, raw);
  const found = Object.keys(Object(valueAt(raw, path)));
  return found
    .filter((key) => !known.includes(key))
    .slice(0, mostDescribed)
    .map((key) => unknownField(path, key, raw));
}

/** The branch of a union that the value was plainly meant for: of those that it fails below their root, the one with the fewest
 *  mistakes. */
function fittingBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const deeper = branches.filter((issues) => issues.every((one) => one.path.length > 0 || one.code === 'unrecognized_keys'));
  const least = Math.min(...deeper.map(mistakes));
  const nearest = deeper.filter((issues) => mistakes(issues) === least);
  return nearest.length === 1 ? nearest[0] : undefined;
}

/** How many fields are wrong, unknown or missing. */
function mistakes(issues: readonly Issue[]): number {
  return issues.reduce((sum, one) => sum + (one.code === 'unrecognized_keys' ? one.keys.length : 1), 0);
}

function suggestion(name: string | undefined): string {
  return name === undefined ? '' : ` (did you mean "${name}"?)`;
}

/** All that may stand at a path: names first, then kinds. */
function expectation(issue: Issue, path: Path, raw: unknown): string {
  const schemas = schemasAt(path, raw);
  const names = schemas.flatMap((schema) => constants(schema).map((value) => JSON.stringify(value)));
  const kinds = schemas.flatMap((schema) => (constants(schema).length > 0 ? [] : (kindOf(schema, schemas) ?? [])));
  const text = [...new Set([...(names.length > 0 ? [[...new Set(names)].join(', ')] : []), ...kinds])].join(' or ');
  return text === '' ? issue.message : text;
}

function kindOf(schema: JsonSchema, others: readonly JsonSchema[]): string | undefined {
  switch (schema.type) {
    case 'integer':
    case 'number':
      return `a ${schema.type === 'integer' ? 'whole ' : ''}number${range(schema)}`;
    case 'string':
      return (schema.minLength ?? 0) > 0 ? 'a text that is not empty' : 'a text';
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'array': {
      const count = schema.prefixItems?.length ?? schema.minItems;
      return count ? `a list of ${schema.prefixItems ? '' : 'at least '}${count}` : 'a list [ … ]';
    }
    case 'object': {
      const names = Object.keys(schema.properties ?? {});
      const only = others.filter(({ type }) => type === 'object').length === 1;
      return only && names.length > 0 && names.length <= 6 ? `an object { ${names.join(', ')} }` : 'an object { … }';
    }
    default:
      return undefined;
  }
}

/** " from 0 to 1", " above 0", " of at least 1": bounds that only say what a double holds are left out. */
function range({ minimum: low, maximum: high, exclusiveMinimum: above, exclusiveMaximum: below }: JsonSchema): string {
  const real = (bound: number | undefined) =>
    bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER ? bound : undefined;
  const [least, most] = [real(low), real(high)];
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`;
  const start = least !== undefined ? `of at least ${least}` : above !== undefined ? `above ${above}` : '';
  const end = most !== undefined ? `of at most ${most}` : below !== undefined ? `below ${below}` : '';
  const text = [start, end].filter((bound) => bound !== '').join(' and ');
  return text === '' ? '' : ` ${text}`;
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
  type?: string;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  prefixItems?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  minItems?: number;
}

let root: JsonSchema | undefined;

/** All alternatives of the schema at a path; of objects that are told apart by a name, the one that was written. */
function schemasAt(path: Path, raw: unknown): JsonSchema[] {
  root ??= configJsonSchema() as JsonSchema;
  let schemas = narrowed(alternatives(root), raw);
  for (const [depth, key] of path.entries()) {
    const next = schemas.map((schema) =>
      typeof key === 'number' ? (schema.prefixItems?.[key] ?? schema.items) : ownProperty(schema.properties, String(key)),
    );
    schemas = narrowed(
      next.filter((schema) => schema !== undefined).flatMap(alternatives),
      valueAt(raw, path.slice(0, depth + 1)),
    );
  }
  return schemas;
}

function alternatives(schema: JsonSchema): JsonSchema[] {
  return [schema, ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])].flatMap(alternatives)];
}

/** The fields that say what an object is: another value makes it another object, with defaults of its own. */
const discriminators = ['name', 'type'] as const;

export function isDiscriminator(key: PropertyKey): boolean {
  return discriminators.some((one) => one === key);
}

function narrowed(schemas: JsonSchema[], value: unknown): JsonSchema[] {
  const meant = schemas.filter((schema) =>
    discriminators.some((key) => {
      const name = ownProperty(schema.properties, key)?.const;
      return name !== undefined && name === valueAt(value, [key]);
    }),
  );
  return meant.length > 0 ? meant : schemas;
}

function ownProperty<T>(object: Record<string, T> | undefined, key: string): T | undefined {
  return object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The fields that may stand in the object at a path. */
function knownKeys(path: Path, raw: unknown): string[] {
  return [...new Set(schemasAt(path, raw).flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

/** What a field at a path is where it is not written. */
export function defaultAt(path: Path, raw: unknown): unknown {
  return schemasAt(path, raw).find((schema) => schema.default !== undefined)?.default;
}

function constants(schema: JsonSchema): unknown[] {
  return schema.const === undefined ? (schema.enum ?? []) : [schema.const];
}

function choicesAt(path: Path, raw: unknown): string[] {
  return schemasAt(path, raw)
    .flatMap(constants)
    .filter((value) => typeof value === 'string');
}
