import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../errors.ts';
import { checkConfig } from './load.ts';
import type { Config } from './schema.ts';

/** A config as far as it is not the default: what can be left out of it without changing what it means is left out. */
export function withoutDefaults(config: Config): Record<string, unknown> {
  const whole = plain(config);
  const kept = plain(config);
  const means = () => {
    try {
      return isDeepStrictEqual(plain(checkConfig(plain(kept), 'the config')), whole);
    } catch (error) {
      if (error instanceof UserError) return false; // it can't be left out
      throw error;
    }
  };
  leaveOut(kept, means);
  return plain(kept);
}

/** Leaves out every field, as a whole where that can be, without which the rest means the same.
 *  @param means  whether the config as it stands means what it did */
function leaveOut(node: Record<string, unknown>, means: () => boolean): void {
  for (const [key, value] of Object.entries(node)) {
    if (!Array.isArray(node)) {
      node[key] = undefined; // which keeps the field's place, should it have to come back
      if (means()) continue;
      node[key] = value;
    }
    if (typeof value === 'object' && value !== null) leaveOut(value as Record<string, unknown>, means);
  }
}

/** A copy as JSON has it: without $schema, and without what is undefined. */
function plain(config: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify({ ...config, $schema: undefined })) as Record<string, unknown>;
}
