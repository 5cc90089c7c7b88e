import { existsSync, readFileSync } from 'node:fs';

/** The folder of package.json, the next above this code: sources, dist/ and the bundles that are made of them lie at different depths in it. */
const root = rootAbove(new URL('.', import.meta.url));

function rootAbove(folder: URL): URL {
  if (existsSync(new URL('package.json', folder))) return folder;
  const above = new URL('..', folder);
  if (above.href === folder.href) throw new Error('nn is not whole: there is no package.json above its code');
  return rootAbove(above);
}

/** A file that nn reads or starts of itself, by its path in the package: package.json, or what `npm run build` made. */
export const ownFile = (path: string): URL => new URL(path, root);

/** Of nn, as package.json has it. */
export const version = (JSON.parse(readFileSync(ownFile('package.json'), 'utf8')) as { version: string }).version;
