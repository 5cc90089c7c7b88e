import type { z } from 'zod';
import { typeByName } from '../data/sources/sources.ts';
import { shown } from '../errors.ts';
import { constants, format, type JsonSchema, knownKeys, type Path, schemasAt, valueAt } from './json-schema.ts';
import { fieldCalled, meantValue } from './meant.ts';
import { nearestName } from './nearest.ts';

type Issue = z.core.$ZodIssue;

/** One thing that is wrong with a config. */
export interface Problem {
  path: Path;
  /** what was expected, and what found */
  text: string;
  /** a field that should be there */
  missing?: boolean;
  /** what was probably meant: another name in the same place, a field elsewhere, or a value that would fit */
  meant?: { name: string } | { field: string } | { value: unknown } | undefined;
}

/** What is wrong with a config, a sentence each: path, expected, found, and what was probably meant.
 *  @param raw  the config as it was written
 *  @returns the first of them, and how many there are more */
export function describeIssues(issues: readonly Issue[], raw: unknown): { problems: Problem[]; more: number } {
  const mistakesIn = (issue: Issue) => (issue.code === 'unrecognized_keys' ? issue.keys.length : 1);
  const all = issues.reduce((sum, issue) => sum + mistakesIn(issue), 0);
  const first = issues.slice(0, mostDescribed).flatMap((issue) => describeIssue(issue, [], raw));
  const problems = first.slice(0, mostDescribed);
  const misspelt = new Set(
    problems.flatMap(({ path, meant }) => (meant && 'name' in meant ? [format([...path.slice(0, -1), meant.name])] : [])),
  );
  const described = problems.filter(({ path, missing }) => !(missing && misspelt.has(format(path))));
  return { problems: described, more: Math.max(0, all - mostDescribed) };
}

/** What was meant, in words. */
export function suggestion({ meant }: Problem): string {
  if (meant === undefined) return '';
  const words = 'name' in meant ? `"${meant.name}"` : 'field' in meant ? `"${meant.field}"` : spaced(meant.value);
  return ` (did you mean ${words}?)`;
}

/** JSON on one line, with room in it. */
function spaced(value: unknown): string {
  return JSON.stringify(value, null, 1).replace(/\n */g, ' ');
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
  const found = valueAt(raw, path);
  if (issue.code === 'custom') {
    const saysFound = /\bfound\b/.test(issue.message); // those between several fields do
    return [{ path, text: saysFound ? issue.message : `${issue.message}, found ${shown(found)}` }];
  }
  const value = path.length === 0 ? undefined : meantValue(schemasAt(path, raw), found ?? pathBeside(path, raw));
  const problem = {
    path,
    text: `expected ${expectation(issue, path, raw, value === undefined)}, found ${shown(found)}`,
    missing: found === undefined,
    meant: value === undefined ? undefined : { value },
  };
  // zod looks no further than a discriminator (`name`, `type`) that is missing: it may be there under a wrong name
  return issue.code === 'invalid_union' && found === undefined ? [problem, ...unknownFields(path.slice(0, -1), raw)] : [problem];
}

/** Where a source has a path and no type, the path tells the type. */
function pathBeside(path: Path, raw: unknown): unknown {
  const beside = path.at(-1) === 'type' ? valueAt(raw, [...path.slice(0, -1), 'path']) : undefined;
  return typeof beside === 'string' ? (typeByName(beside) ?? 'folder') : undefined;
}

function unknownField(path: Path, key: string, raw: unknown): Problem {
  const known = knownKeys(path, raw);
  const name = nearestName(key, known);
  if (name !== undefined) return { path: [...path, key], text: 'no such field', meant: { name } };
  const field = fieldCalled(key);
  if (field !== undefined && field !== format([...path, key]))
    return { path: [...path, key], text: 'no such field here', meant: { field } };
  const list = known.length > 0 && known.length <= 12 ? `; known here: ${known.join(', ')}` : '';
  return { path: [...path, key], text: `no such field${list}` };
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

/** All that may stand at a path: names first, then kinds. @param byExample  where an object may be shown */
function expectation(issue: Issue, path: Path, raw: unknown, byExample: boolean): string {
  const schemas = schemasAt(path, raw);
  const example = byExample ? schemas.find(({ examples }) => examples)?.examples?.[0] : undefined;
  const names = schemas.flatMap((schema) => constants(schema).map((value) => JSON.stringify(value)));
  const kinds = schemas.flatMap((schema) => (constants(schema).length > 0 ? [] : (kindOf(schema, schemas, example) ?? [])));
  const text = [...new Set([...(names.length > 0 ? [[...new Set(names)].join(', ')] : []), ...kinds])].join(' or ');
  return text === '' ? issue.message : text;
}

function kindOf(schema: JsonSchema, others: readonly JsonSchema[], example: unknown): string | undefined {
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
      if (example !== undefined) return `an object such as ${spaced(example)}`;
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
