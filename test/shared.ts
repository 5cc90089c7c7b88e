import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where the photographs that never enter the project are, if they stand beside it; else null. */
export const sharedData = place('data');

/** Says why tests that need the photographs are skipped. */
export const withoutShared = 'needs ../shared/data, which is not here';

function place(name: string): string | null {
  const path = process.env['NN_SHARED'] ?? fileURLToPath(new URL('../../shared', import.meta.url));
  return existsSync(`${path}/${name}`) ? `${path}/${name}` : null;
}
