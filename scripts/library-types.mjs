// Makes dist/types of what `tsc` declares of src: the types of `import … from 'cat-nn'` and nothing else. Those that zod infers are written
// out, with each description, so that who imports them needs no zod, and reads what a field means (docs/decisions/0062-library.md).
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const types = join(dist, 'types');
const entry = join(types, 'library/library.d.ts');
/** All that is written out stands in one file, from which the modules take what is theirs. */
const written = join(types, 'written-out.d.ts');

/** Types by the module that declares them, and the schema there that each is inferred from. */
const schemas = {
  'results/metrics': { Metrics: 'metrics', StoredMetrics: 'storedMetrics' },
  'results/journal': { JournalEpoch: 'journalEpoch' },
  'results/evaluation': { Evaluation: 'evaluation' },
  'results/summary': { TrainSummary: 'trainSummary' },
  'config/schema': { ConfigInput: 'configSchema' },
};
/** What is written by people, and so may leave out what has a default. */
const inputs = ['ConfigInput'];
/** A schema that stands in several places, and is longer than this as JSON, gets a name. */
const worthAName = 300;

/** TypeScript's declarations of some JSON Schemas.
 *  @param schemaOf  a schema for each type, by its name */
export function declarations(schemaOf) {
  const names = new Map(Object.entries(schemaOf).map(([name, schema]) => [meaning(schema), name]));
  const refs = {};
  for (const [name, schema] of Object.entries(schemaOf)) {
    for (const [path, part] of repeatedParts(schema, name)) if (!names.has(meaning(part))) names.set(meaning(part), path);
    for (const [def, part] of Object.entries(schema.$defs ?? {})) {
      const own = `${name}${pascal(def)}`;
      names.set(meaning(part), own);
      refs[`#/$defs/${def}`] = own;
    }
  }
  const known = { names, refs };
  return [...names]
    .map(([text, name]) => {
      const body = bodyText(JSON.parse(text), '', known);
      return body.startsWith('{\n') && !/^\}./m.test(body)
        ? `export interface ${name} ${body}\n`
        : `export type ${name} = ${body};\n`;
    })
    .join('\n');
}

/** What tells two schemas apart: not how one is described where it stands. */
function meaning({ description: _, default: __, title: ___, $schema: ____, $defs: _____, ...schema }) {
  return JSON.stringify(schema);
}

/** Objects and unions that stand in several places of a schema, each with a name made of the first of them. */
function repeatedParts(root, name) {
  const found = new Map();
  const visit = (schema, path) => {
    const known = found.get(meaning(schema));
    if (known !== undefined) {
      known.times++; // its parts were visited where it stood first
      return;
    }
    found.set(meaning(schema), { path, times: 1, schema });
    for (const [key, value] of Object.entries(schema.properties ?? {})) visit(value, path + pascal(key));
    for (const key of ['items', 'additionalProperties']) if (typeof schema[key] === 'object') visit(schema[key], path);
    for (const value of [schema.anyOf, schema.oneOf, schema.prefixItems].flatMap((list) => list ?? []))
      visit(value, path + nameOf(value));
  };
  visit(root, name);
  const repeated = [...found].filter(([text, { times }]) => times > 1 && text.length > worthAName);
  return repeated.map(([, { path, schema }]) => [path, schema]);
}

const pascal = (key) =>
  key.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, letter) => letter.toUpperCase()).replace(/[^A-Za-z0-9]/g, '');
/** Of one of several objects: what tells it from the others. */
const nameOf = ({ properties = {} }) => pascal(String(properties.type?.const ?? properties.name?.const ?? ''));

function typeText(schema, indent, known) {
  return known.refs[schema.$ref] ?? known.names.get(meaning(schema)) ?? bodyText(schema, indent, known);
}

function bodyText(schema, indent, known) {
  const { type, properties, required = [], additionalProperties, items, prefixItems } = schema;
  const union = schema.anyOf ?? schema.oneOf;
  if (union) return [...new Set(union.map((one) => typeText(one, indent, known)))].join(' | ');
  if (Array.isArray(type)) return type.map((one) => bodyText({ ...schema, type: one }, indent, known)).join(' | ');
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  if (prefixItems) return `readonly [${prefixItems.map((one) => typeText(one, indent, known)).join(', ')}]`;
  if (type === 'array') return `readonly (${typeText(items, indent, known)})[]`;
  if (type === 'object' && properties === undefined)
    return `{ readonly [key: string]: ${typeText(additionalProperties, indent, known)} }`;
  if (type === 'object') {
    const inner = `${indent}  `;
    const lines = Object.entries(properties).map(([key, one]) => {
      const isRequired = required.includes(key);
      return `${comment(one, inner)}${inner}readonly ${key}${isRequired ? '' : '?'}: ${typeText(one, inner, known)}${isRequired ? '' : ' | undefined'};\n`;
    });
    return `{\n${lines.join('')}${indent}}`;
  }
  if (type === 'integer') return 'number';
  if (['number', 'string', 'boolean', 'null'].includes(type)) return type;
  throw new Error(`no type is known for ${JSON.stringify(schema)}`);
}

function comment({ description, default: value }, indent) {
  const text = [description, value === undefined ? [] : `Default: ${JSON.stringify(value)}`]
    .flat()
    .filter((one) => one !== undefined);
  return text.length === 0 ? '' : `${indent}/** ${text.join('. ').replaceAll('*/', '*\\/')} */\n`;
}

/** Puts what zod infers into words, and takes away what no import leads to. */
async function libraryTypes() {
  const schemaOf = {};
  for (const [module, types] of Object.entries(schemas)) {
    const exported = await import(pathToFileURL(join(dist, `${module}.js`)).href);
    for (const [name, variable] of Object.entries(types)) {
      schemaOf[name] = z.toJSONSchema(exported[variable], { io: inputs.includes(name) ? 'input' : 'output' });
    }
  }
  await writeFile(written, declarations(schemaOf));
  for (const [module, names] of Object.entries(schemas)) {
    const file = join(types, `${module}.d.ts`);
    const from = relative(dirname(file), written)
      .replaceAll('\\', '/')
      .replace(/\.d\.ts$/, '.js');
    await writeFile(file, `export type { ${Object.keys(names).join(', ')} } from '${from}';\n`);
  }
  const reached = new Set();
  await reach(entry, reached);
  for (const name of await readdir(types, { recursive: true })) {
    const file = join(types, name);
    if (name.endsWith('.d.ts') && !reached.has(file)) await rm(file);
  }
  for (const file of reached) await writeFile(file, (await readFile(file, 'utf8')).replace(/(from '\.[^']+)\.ts'/g, "$1.js'"));
}

/** @throws where a file wants a package: none is promised to who imports the types */
async function reach(file, reached) {
  if (reached.has(file)) return;
  reached.add(file);
  const text = await readFile(file, 'utf8');
  for (const [, , from] of text.matchAll(/(^(?:import|export)\b[^;]*?from |\bimport\()['"]([^'"]+)['"]/gm)) {
    if (!from.startsWith('.')) throw new Error(`${file}: expected types of the library alone, found an import of ${from}`);
    await reach(resolve(dirname(file), from.replace(/\.[jt]s$/, '.d.ts')), reached);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await libraryTypes();
