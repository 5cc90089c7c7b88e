import { configJsonSchema } from './schema.ts';

/** The schema of a config as JSON Schema, and what it says of a place in one. */

export type Path = readonly PropertyKey[];

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

export interface JsonSchema {
  type?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  prefixItems?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  examples?: unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  minItems?: number;
}

let root: JsonSchema | undefined;

/** All alternatives of the schema at a path; of objects that are told apart by a name, the one that was written. */
export function schemasAt(path: Path, raw: unknown): JsonSchema[] {
  root ??= configJsonSchema() as JsonSchema;
  let schemas = narrowed(alternatives(root), raw);
  for (const [depth, key] of path.entries()) {
    const next = schemas.map((schema) =>
      typeof key === 'number'
        ? (schema.prefixItems?.[key] ?? schema.items)
        : (ownProperty(schema.properties, String(key)) ?? ofAnyName(schema)),
    );
    schemas = narrowed(
      next.filter((schema) => schema !== undefined).flatMap(alternatives),
      valueAt(raw, path.slice(0, depth + 1)),
    );
  }
  return schemas;
}

/** What may stand in an object under a name that is the user's own. */
function ofAnyName({ additionalProperties: schema }: JsonSchema): JsonSchema | undefined {
  return typeof schema === 'object' ? schema : undefined;
}

export function alternatives(schema: JsonSchema): JsonSchema[] {
  return [schema, ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])].flatMap(alternatives)];
}

/** The fields that say what an object is: another value makes it another object, with defaults of its own. */
export const discriminators = ['name', 'type'] as const;

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
export function knownKeys(path: Path, raw: unknown): string[] {
  return [...new Set(schemasAt(path, raw).flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

/** What a field at a path is where it is not written. */
export function defaultAt(path: Path, raw: unknown): unknown {
  return schemasAt(path, raw).find((schema) => schema.default !== undefined)?.default;
}

export function constants(schema: JsonSchema): unknown[] {
  return schema.const === undefined ? (schema.enum ?? []) : [schema.const];
}

export function choicesAt(path: Path, raw: unknown): string[] {
  return schemasAt(path, raw)
    .flatMap(constants)
    .filter((value) => typeof value === 'string');
}

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

/** The fields in which some of several JSON values differ, as deep as they can be named in each of them. */
export function differingFields(values: readonly unknown[]): string[] {
  const [first, ...others] = values;
  const fields = [...new Set(others.flatMap((other) => differences(first, other).map(({ field }) => field)))];
  return fields.filter((field) => !fields.some((outer) => field.startsWith(`${outer}.`)));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
