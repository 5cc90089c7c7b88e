import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { exists, readWhole, reasonAt } from '../data/disk.ts';
import { typeByName } from '../data/sources/sources.ts';
import { autoShare, splitNames } from '../data/split.ts';
import { decodeText } from '../data/text-files.ts';
import { shown, systemReason, UserError } from '../errors.ts';
import { shellWord } from '../text.ts';
import { describeIssues, type Problem, suggestion } from './issues.ts';
import { escapedTexts, hasBackslash, jsonMistake, repeatedName } from './json.ts';
import { defaultAt, format, isDiscriminator, schemasAt, valueAt } from './json-schema.ts';
import { settingCalled, settingFor } from './meant.ts';
import { type Config, configSchema, type DefaultsVersion, defaultsOf, newestDefaults } from './schema.ts';

/** A checked config, and where its paths start. */
export interface LoadedConfig {
  config: Config;
  /** absolute */
  folder: string;
  /** for messages: the file, as the user named it */
  file: string;
}

/** A config is read by people: one of this size holds something else. */
const maximumBytes = 4 * 1024 * 1024;

/** Reads a config file, applies overrides, fills in defaults.
 *  @param sets      PATH=VALUE, as given to --set
 *  @param defaults  whose, where the config does not say
 *  @throws UserError (usage) with one line for each thing that is wrong */
export async function loadConfig(
  file: string,
  sets: readonly string[] = [],
  defaults: DefaultsVersion = newestDefaults,
): Promise<LoadedConfig> {
  const raw = parseJson(await readText(file), file);
  await refuseEscapes(raw, file);
  return { config: checkConfig(raw, file, sets, defaults), folder: physical(dirname(file)), file };
}

/** A folder without links in its path: `runs/latest/../x` lies beside the run that `latest` leads to, not beside `latest`. */
export function physical(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return resolve(folder); // not there: a config that was never read from a file
  }
}

/** Checks a config that is already parsed, as loadConfig does. */
export function checkConfig(
  raw: unknown,
  file: string,
  sets: readonly string[] = [],
  defaults: DefaultsVersion = newestDefaults,
): Config {
  const overrides = sets.map(parseSet);
  const merged = withDefaultsOf(
    defaults,
    kindsFirst(overrides).reduce<unknown>((value, override) => withOverride(value, override, []), raw),
  );
  const result = parsed(merged, file);
  if (result.success) return withPathsOfSets(withSplit(result.data), overrides, dirname(file));
  const { problems, more } = describeIssues(result.error.issues, merged);
  const lines = problems.slice(0, maximumLines).map((problem) => {
    const path = format(problem.path);
    const override = culprit(path, overrides, raw);
    const meant = (override && otherSetting(override, problem, merged)) ?? suggestion(problem);
    return `${override ? `--set ${override.text}` : file}: ${path === '' ? '' : `${path}: `}${problem.text}${meant}`;
  });
  const others = problems.length - lines.length + more;
  if (others > 0) lines.push(`${file}: … and ${others} more`);
  throw new UserError('usage', lines);
}

/** What a version's defaults say of fields that a config leaves out; those of the newest are the schema's own.
 *  @param unnamed  the version, where the config names none */
function withDefaultsOf(unnamed: DefaultsVersion, raw: unknown): unknown {
  const version = valueAt(raw, ['defaults']) ?? unnamed;
  const data = valueAt(raw, ['data']);
  const isKnown = typeof version === 'string' && Object.hasOwn(defaultsOf, version);
  if (!isKnown || version === newestDefaults || !isObject(raw) || !isObject(data)) return raw;
  const { normalize } = defaultsOf[version as DefaultsVersion];
  return { ...raw, defaults: version, data: { normalize, ...data } };
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws UserError (usage) where values lie within each other so deep that the schema can't follow */
function parsed(raw: unknown, file: string): ReturnType<typeof configSchema.safeParse> {
  try {
    return configSchema.safeParse(raw);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError('usage', `${file}: expected a config, found values nested too deep to read`, { cause: error });
  }
}

/** A default that depends on another field: one source is split by itself, parts of their own are not. */
function withSplit(config: Config): Config {
  const { data } = config;
  if (data.source === undefined) return config;
  const split = splitOf(data.split);
  return configSchema.parse({ ...config, data: { ...data, split } }); // parsed again, so that the fields keep their order
}

/** A method alone says nothing of the sizes. */
function splitOf(split: Config['data']['split']): Config['data']['split'] {
  if (split === undefined) return 'auto';
  if (typeof split !== 'object' || 'folds' in split || splitNames.some((part) => split[part] !== undefined)) return split;
  return { ...split, dev: autoShare, test: autoShare };
}

const maximumLines = 100;

/** Another --set that was probably meant, where it is more than another word. */
function otherSetting({ path, value }: Override, { meant }: Problem, raw: unknown): string | undefined {
  if (meant === undefined || 'name' in meant || ('value' in meant && typeof meant.value !== 'object')) return undefined;
  const setting = 'field' in meant ? settingCalled(String(path.at(-1)), value) : settingFor(path, schemasAt(path, raw), value);
  return setting && ` (did you mean --set ${shellWord(setting)}?)`;
}

/** The override that brought a problem in, if one did: it lies in what was set, or came with it into the object around. */
function culprit(path: string, overrides: readonly Override[], raw: unknown): Override | undefined {
  const inside = (inner: string, outer: string) => outer === '' || inner === outer || inner.startsWith(`${outer}.`);
  const last = (fits: (one: Override) => boolean) => [...overrides].reverse().find(fits);
  const direct = last((one) => inside(path, format(one.path)));
  if (direct) return direct;
  const alone = parsed(raw, '');
  const before = alone.success ? [] : describeIssues(alone.error.issues, raw).problems;
  if (before.some((problem) => format(problem.path) === path)) return undefined;
  return last((one) => inside(format(one.path), path) || inside(path, format(one.path.slice(0, -1))));
}

/** Paths on the command line are relative to the working directory, those in a config to its file: --set's become the latter. */
function withPathsOfSets(config: Config, overrides: readonly Override[], folder: string): Config {
  const isSet = (field: string) => overrides.some((one) => `${field}.`.startsWith(`${format(one.path)}.`));
  return withPaths(config, (path, field) => (isSet(field) ? movePath(path, process.cwd(), folder) : path));
}

/** The same config for a file in another folder: relative paths are rewritten, absolute ones stay. */
export function moveConfig(config: Config, from: string, to: string): Config {
  return withPaths(config, (path) => movePath(path, from, to));
}

/** The same config with no path in it: for comparing what ran on machines where pictures lie elsewhere. */
export function withoutPaths(config: Config): Config {
  return withPaths(config, () => '');
}

/** A relative path that starts in one folder, from another; an absolute one stays. */
export function movePath(path: string, from: string, to: string): string {
  if (isAbsolute(path)) return path;
  const moved = relative(physical(to), resolve(physical(from), path));
  return moved.split(sep).join('/') || '.';
}

/** Every path that a config names, from the root, with the field that it stands in. */
export function pathsOf({ config, folder }: LoadedConfig): { field: string; path: string }[] {
  const found: { field: string; path: string }[] = [];
  withPaths(config, (path, field) => {
    found.push({ field, path: resolve(folder, path) });
    return path;
  });
  return found;
}

/** The same config with every path in it changed. @param change  is given the path, and the field that it stands in */
function withPaths(config: Config, change: (path: string, field: string) => string): Config {
  const { data, training } = config;
  const sources = sourceFields.flatMap((field) => {
    const source = data[field];
    if (source === undefined) return [];
    return [[field, 'path' in source ? { ...source, path: change(source.path, `data.${field}.path`) } : source] as const];
  });
  const { startFrom, learningRateByFeature: byFeature } = training;
  const isPath = byFeature !== null && byFeature !== 'inverseVariance';
  return {
    ...config,
    data: { ...data, ...Object.fromEntries(sources) },
    training: {
      ...training,
      startFrom: startFrom === null ? null : change(startFrom, 'training.startFrom'),
      learningRateByFeature: isPath ? change(byFeature, 'training.learningRateByFeature') : byFeature,
    },
  };
}

export const sourceFields = ['source', 'train', 'dev', 'test'] as const;

async function readText(file: string): Promise<string> {
  try {
    return decodeText(await readWhole(file, maximumBytes));
  } catch (error) {
    const type = typeByName(file) ?? ((error as NodeJS.ErrnoException).code === 'EISDIR' ? 'folder' : undefined);
    const found = reasonAt(file, error);
    throw new UserError('usage', `${file}: expected a config file, found: ${found}`, {
      hint: asSource(file, type),
      cause: error,
    });
  }
}

/** How a config names pictures that were given in its place. */
function asSource(path: string, type: string | undefined): string | undefined {
  return type && `A config names pictures: { "data": { "source": { "type": "${type}", "path": ${JSON.stringify(path)} } } }`;
}

function parseJson(json: string, file: string): unknown {
  if (json.trim() === '') throw new UserError('usage', `${file}: expected a config, found an empty file`);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    const mistake = jsonMistake(json);
    const where = mistake === null ? file : `${file}: line ${mistake.line}`;
    const found = mistake === null ? systemReason(error) : `${mistake.expected}, found ${mistake.found}`;
    const isPath = mistake !== null && hasBackslash(json, mistake.line);
    const advice = asSource(file, typeByName(file)) ?? `A config is JSON${mistake?.advice ?? '.'}`;
    const hint = isPath ? backslashHint : advice;
    throw new UserError('usage', `${where}: expected ${found}`, { hint, cause: error });
  }
  const repeated = repeatedName(json);
  if (repeated === null) return value;
  const [first, second] = repeated.lines;
  const again = JSON.stringify(repeated.name);
  throw new UserError('usage', `${file}: line ${second}: expected each name once, found ${again} again, as in line ${first}`, {
    hint: 'Take one of the two away: the second alone would count.',
  });
}

const backslashHint =
  'In JSON a backslash begins a sign such as \\n: write a path with two of them ("C:\\\\photos"), or with / ("C:/photos").';

/** Fields whose texts are paths; a class may be called anything. */
const holdsPath = /(^|\.)(path|folder|startFrom|learningRateByFeature)$/;

/** A path such as "C:\temp" is JSON, in which \t is a tab.
 *  @throws UserError (usage) where a text has such signs, and no file has it for its name */
async function refuseEscapes(raw: unknown, file: string): Promise<void> {
  for (const { path, text } of escapedTexts(raw)) {
    if (!holdsPath.test(path) || (await exists(resolve(dirname(file), text)))) continue;
    throw new UserError('usage', `${file}: ${path}: expected a text without tabs and line ends, found ${shown(text)}`, {
      hint: backslashHint,
    });
  }
}

interface Override {
  text: string;
  path: readonly (string | number)[];
  value: unknown;
}

function parseSet(text: string): Override {
  const equals = text.indexOf('=');
  if (equals < 1) {
    throw new UserError('usage', `--set ${text}: expected PATH=VALUE, such as training.learningRate=0.01`);
  }
  const path = text
    .slice(0, equals)
    .trim()
    .split('.')
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  if (path.includes('__proto__')) throw new UserError('usage', `--set ${text}: no such field`);
  return { text, path, value: parseValue(text.slice(equals + 1).trim()) };
}

/** JSON, or the bare word itself. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // not JSON: a bare word is a text
  }
}

/** In an order in which none undoes another: what says which kind an object is (its `name`, its `type`) replaces the object, and so it
 *  comes before what is set within that object. */
function kindsFirst(overrides: readonly Override[]): Override[] {
  const ordered: Override[] = [];
  const isKind = ({ path }: Override) => isDiscriminator(path.at(-1)!);
  for (const one of overrides) {
    const replaces = (other: Override) => {
      const object = isKind(other) ? other.path.slice(0, -1) : other.path;
      return object.every((key, i) => key === one.path[i]);
    };
    ordered.splice(isKind(one) ? ordered.findLastIndex(replaces) + 1 : ordered.length, 0, one);
  }
  return ordered;
}

function withOverride(root: unknown, override: Override, above: readonly (string | number)[]): unknown {
  const [key, ...rest] = override.path.slice(above.length);
  if (key === undefined) return override.value;
  const path = [...above, key];
  if (rest.length === 0 && isDiscriminator(key)) {
    const current = valueAt(root, [key]) ?? defaultAt(path, undefined);
    if (current !== override.value) return { [key]: override.value };
  }
  const list = Array.isArray(root) ? root : root === undefined && typeof key === 'number' ? [] : undefined;
  if (list) {
    if (typeof key !== 'number' || key > list.length) {
      const expected = list.length === 0 ? 'the index 0' : `an index from 0 to ${list.length}`;
      throw new UserError(
        'usage',
        `--set ${override.text}: ${format(above)}: expected ${expected}, found ${JSON.stringify(key)}`,
      );
    }
    return Object.assign([...list], { [key]: withOverride(list[key], override, path) });
  }
  const object = typeof root === 'object' && root !== null ? root : {};
  return { ...object, [key]: withOverride(valueAt(object, [key]), override, path) };
}
