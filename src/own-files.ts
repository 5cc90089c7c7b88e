import { existsSync } from 'node:fs';

/** The folder of package.json, the next above this code: sources, dist/ and the bundles that are made of them lie at different depths in it. */
const root = (() => {
  let folder = new URL('.', import.meta.url);
  while (!existsSync(new URL('package.json', folder))) folder = new URL('..', folder);
  return folder;
})();

/** A file that nn reads or starts of itself, by its path in the package: package.json, or what `npm run build` made. */
export const ownFile = (path: string): URL => new URL(path, root);
