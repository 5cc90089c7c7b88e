import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { systemReason, UserError } from '../errors.ts';
import { describeIssues, format, valueAt } from './issues.ts';
import { type Config, configSchema, type SourceConfig } from './schema.ts';

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
 *  @param sets  PATH=VALUE, as given to --set
 *  @throws UserError (usage) with one line for each thing that is wrong */
export async function loadConfig(file: string, sets: readonly string[] = []): Promise<LoadedConfig> {
  const raw = parseJson(await readText(file), file);
  return { config: checkConfig(raw, file, sets), folder: resolve(dirname(file)), file };
}

/** Checks a config that is already parsed, as loadConfig does. */
export function checkConfig(raw: unknown, file: string, sets: readonly string[] = []): Config {
  const overrides = sets.map(parseSet);
  const merged = overrides.reduce((value, override) => withOverride(value, override), raw);
  const result = configSchema.safeParse(merged);
  if (result.success) return result.data;
  const lines = describeIssues(result.error.issues, merged).map(({ path, text }) => {
    const override = overrides.find((one) => path === format(one.path) || path.startsWith(`${format(one.path)}.`));
    return `${override ? `--set ${override.text}` : file}: ${path === '' ? '' : `${path}: `}${text}`;
  });
  throw new UserError('usage', lines.join('\n'));
}

/** A value of the config as it stands, at a path such as model.layers.0.units; undefined where there is none. */
export function configValue(config: Config, path: string): unknown {
  return valueAt(config, path.split('.'));
}

/** The same config for a file in another folder: relative paths are rewritten, absolute ones stay. */
export function moveConfig(config: Config, from: string, to: string): Config {
  const movePath = (path: string) => (isAbsolute(path) ? path : relative(to, resolve(from, path)).split(sep).join('/') || '.');
  const move = (source: SourceConfig): SourceConfig => ('path' in source ? { ...source, path: movePath(source.path) } : source);
  const { data } = config;
  const moved = Object.fromEntries(
    sourceFields.filter((part) => data[part] !== undefined).map((part) => [part, move(data[part]!)]),
  );
  const { startFrom, learningRateByFeature: byFeature } = config.training;
  const training = {
    ...config.training,
    startFrom: startFrom === null ? null : movePath(startFrom),
    learningRateByFeature: byFeature === null || byFeature === 'inverseVariance' ? byFeature : movePath(byFeature),
  };
  return { ...config, data: { ...data, ...moved }, training };
}

export const sourceFields = ['source', 'train', 'dev', 'test'] as const;

async function readText(file: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (bytes.length > maximumBytes)
      throw new UserError('usage', `${file}: expected a config of at most ${maximumBytes} bytes, found ${bytes.length}`);
    return bytes.toString('utf8');
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError('usage', `${file}: expected a config file, found: ${systemReason(error)}`, { cause: error });
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError('usage', `${file}: expected JSON, found: ${reason}${lineOf(reason, text)}`, { cause: error });
  }
}

function lineOf(reason: string, text: string): string {
  const position = /at position (\d+)(?! \(line)/.exec(reason)?.[1];
  return position === undefined ? '' : ` (line ${text.slice(0, Number(position)).split('\n').length})`;
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
    .split('.')
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  if (path.includes('__proto__')) throw new UserError('usage', `--set ${text}: no such field`);
  return { text, path, value: parseValue(text.slice(equals + 1)) };
}

/** JSON, or the bare word itself. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // not JSON: a word is meant, as cli.md says
  }
}

/** The fields that say what an object is: another value makes it another object, with defaults of its own. */
const discriminators = new Set(['name', 'type']);

function withOverride(root: unknown, { path, value, text }: Override): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (rest.length === 0 && discriminators.has(String(key)) && valueAt(root, [key]) !== value) return { [key]: value };
  if (Array.isArray(root)) {
    if (typeof key !== 'number' || key > root.length) {
      throw new UserError('usage', `--set ${text}: expected an index from 0 to ${root.length}, found ${JSON.stringify(key)}`);
    }
    return Object.assign([...root], { [key]: withOverride(root[key], { path: rest, value, text }) });
  }
  const object = typeof root === 'object' && root !== null ? root : {};
  return { ...object, [key]: withOverride(valueAt(object, [key]), { path: rest, value, text }) };
}
