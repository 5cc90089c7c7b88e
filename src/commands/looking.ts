import { checkConfig, type LoadedConfig, loadConfig } from '../config/load.ts';
import { sourceAtPath } from '../data/sources/sources.ts';
import { UserError } from '../errors.ts';
import type { Option } from './command.ts';
import { sourcePaths } from './reading.ts';

/** What a command that looks at data is given. */
export const lookingArgument = { syntax: '[source]', summary: sourcePaths };

export const lookingOptions: readonly Option[] = [
  { flags: '-c, --config <file>', summary: 'instead of a source: what this config trains on, with its parts' },
  { flags: '--set <path=value>', summary: 'override a field of the config, such as data.imageSize=128', repeatable: true },
];

export interface LookingValues {
  config?: string;
  set?: string[];
}

/** The config that is meant, or the default one for a source.
 *  @throws UserError (usage) on both or neither; (data) where the path is no source */
export async function configToLookAt(
  { config, set = [] }: LookingValues,
  path: string | undefined,
): Promise<{ loaded: LoadedConfig; hasConfig: boolean }> {
  if ((config === undefined) === (path === undefined)) {
    const found = path === undefined ? 'neither' : 'both';
    throw new UserError('usage', `expected a source or --config FILE, found ${found}`);
  }
  if (config !== undefined) return { loaded: await loadConfig(config, set), hasConfig: true };
  const file = path!;
  const checked = checkConfig({ data: { source: await sourceAtPath(file) } }, file, set);
  return { loaded: { config: checked, folder: process.cwd(), file }, hasConfig: false };
}
