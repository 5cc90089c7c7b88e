import { typeByName } from '../data/sources/sources.ts';
import { alternatives, constants, discriminators, format, type JsonSchema, type Path, schemasAt } from './json-schema.ts';
import { nearestName, plain, translations } from './nearest.ts';

/** What was probably meant by a value or a name that the schema does not allow: made from the schema, which knows what would fit. */

/** A value that fits, made of one that does not: 20 for a layer is { "units": 20 }, "adam" for an optimizer { "name": "adam" }.
 *  @param schemas  all that may stand there
 *  @returns undefined where there is no telling */
export function meantValue(schemas: readonly JsonSchema[], found: unknown): unknown {
  if (Array.isArray(found)) {
    const isShort = found.length > 0 && found.length <= mostInList;
    return isShort ? (fitting(schemas, found) ?? listOf(schemas, found) ?? aroundIt(schemas, found)) : undefined;
  }
  if (typeof found === 'object' || found === undefined || String(found).length > longestText) return undefined;
  return fitting(schemas, found) ?? called(schemas, found) ?? listOf(schemas, [found]) ?? aroundIt(schemas, found);
}

/** Of a longer one nobody would read what was meant. */
const mostInList = 20;
const longestText = 200;

/** The value itself, where one of the schemas takes it; of words the nearest that is known. */
function fitting(schemas: readonly JsonSchema[], found: unknown): unknown {
  const names = schemas.flatMap(constants).filter((one) => typeof one === 'string');
  if (typeof found !== 'string') return schemas.some((schema) => takes(schema, found)) ? found : undefined;
  const isNumber = found.trim() !== '' && schemas.some((schema) => takes(schema, Number(found)));
  return isNumber ? Number(found) : nearestName(found, names);
}

function takes(schema: JsonSchema, found: unknown): boolean {
  if (constants(schema).length > 0) return constants(schema).includes(found);
  if (typeof found === 'boolean') return schema.type === 'boolean';
  if (typeof found !== 'number' || (schema.type !== 'number' && schema.type !== 'integer')) return false;
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = schema;
  const isWithin = found >= minimum && found <= maximum && found > exclusiveMinimum && found < exclusiveMaximum;
  return isWithin && (schema.type === 'number' || Number.isInteger(found));
}

/** An object that is told from others by a name: the name, or of sources the path, was written in its place. */
function called(schemas: readonly JsonSchema[], found: unknown): object | undefined {
  if (typeof found !== 'string') return undefined;
  for (const key of discriminators) {
    const named = schemas.filter(({ properties }) => typeof properties?.[key]?.const === 'string');
    const name = nearestName(
      found,
      named.map(({ properties }) => String(properties![key]!.const)),
    );
    if (name !== undefined) return { [key]: name };
    if (key === 'type' && named.some(({ properties }) => properties!['path'] !== undefined))
      return { type: typeByName(found) ?? 'folder', path: found };
  }
  return undefined;
}

function listOf(schemas: readonly JsonSchema[], found: readonly unknown[]): unknown[] | undefined {
  for (const { items } of schemas) {
    if (items === undefined) continue;
    const list = found.map((one) => (isObject(one) ? one : meantValue(alternatives(items), one)));
    if (list.every((one) => one !== undefined)) return list;
  }
  return undefined;
}

/** An object with the value in the field that it must have, or in the first that takes it; for true, one with all its defaults. */
function aroundIt(schemas: readonly JsonSchema[], found: unknown): object | undefined {
  const objects = schemas.filter(
    ({ properties }) => properties !== undefined && !discriminators.some((key) => isNamed(properties, key)),
  );
  if (objects.length !== 1) return undefined;
  const [{ properties = {}, required = [] }] = objects as [JsonSchema];
  const fields = Object.entries(properties);
  // a number or true may stand in any of many fields
  const isVague = fields.length > fewFields && required.length === 0 && typeof found !== 'string' && !Array.isArray(found);
  for (const [key, property] of isVague ? [] : fields) {
    const value = meantValue(alternatives(property), found);
    if (value !== undefined && required.every((name) => name === key)) return { [key]: value };
  }
  const defaults = fields.map(([key, property]) => [key, property.default] as const);
  const isWhole = found === true && fields.length <= fewFields && defaults.every(([, value]) => value !== undefined);
  return isWhole ? Object.fromEntries(defaults) : undefined;
}

const fewFields = 2;

const isNamed = (properties: Record<string, JsonSchema>, key: string) =>
  typeof properties[key]?.const === 'string' && Object.values(properties).length > 0 && properties[key].default === undefined;

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Where in a config a field of some name is, whatever stands around it: epochs is training.epochs. */
export function fieldCalled(name: string): string | undefined {
  const [first] = fieldsCalled(name);
  return first && format(first.path);
}

/** A setting as --set takes it, for a field of some name and what was to stand in it: epochs and 10 is training.epochs=10, optimizer and adam
 *  training.optimizer.name=adam.
 *  @param value  JSON, or a bare word */
export function settingCalled(name: string, value: unknown): string | undefined {
  for (const { path, schemas } of fieldsCalled(name)) {
    const setting = schemas.every(isObjectAlone) ? undefined : settingFor(path, schemas, value);
    if (setting !== undefined) return setting;
  }
  return undefined;
}

/** What --set is to be given for a value at a path, such as was meant by it. */
export function settingFor(path: Path, schemas: readonly JsonSchema[], value: unknown): string | undefined {
  const isFree =
    typeof value === 'string' && schemas.some((schema) => schema.type === 'string' && constants(schema).length === 0);
  const meant = isFree ? value : meantValue(schemas, value);
  if (meant === undefined) return undefined;
  const [[key, inside] = ['', undefined], ...more] = isObject(meant) ? Object.entries(meant as object) : [];
  if (more.length === 0 && discriminators.some((one) => one === key)) return `${format([...path, key])}=${inside}`;
  return `${format(path)}=${typeof meant === 'string' ? meant : JSON.stringify(meant)}`;
}

/** Whether it holds fields and nothing else: nobody sets all of `data` at once. */
function isObjectAlone({ type, properties }: JsonSchema): boolean {
  return (type === 'object' || type === undefined) && !discriminators.some((key) => properties && isNamed(properties, key));
}

/** The fields of a name, or of what other tools call so; those of fewer steps first. */
function fieldsCalled(name: string): Field[] {
  if (byName.size === 0) {
    for (const field of everyField().sort((a, b) => a.path.length - b.path.length)) {
      const key = plain(String(field.path.at(-1)));
      byName.set(key, [...(byName.get(key) ?? []), field]);
    }
  }
  return [plain(name), ...translations(name).map(plain)].flatMap((one) => byName.get(one) ?? []);
}

const byName = new Map<string, Field[]>();

interface Field {
  path: Path;
  schemas: JsonSchema[];
}

/** All fields that a config may have, lists by their first. */
function everyField(path: Path = [], schemas = schemasAt([], undefined)): Field[] {
  const fields = new Map<PropertyKey, JsonSchema[]>();
  for (const { properties = {}, items } of schemas) {
    const below = [...Object.entries(properties), ...(items === undefined ? [] : [[0, items] as const])];
    for (const [key, schema] of below) fields.set(key, [...(fields.get(key) ?? []), ...alternatives(schema)]);
  }
  return [...fields].flatMap(([key, below]) => {
    const inside = everyField([...path, key], below);
    return typeof key === 'number' ? inside : [{ path: [...path, key], schemas: below }, ...inside];
  });
}
