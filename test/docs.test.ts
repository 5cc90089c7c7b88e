import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { commands } from '../src/commands/commands.ts';

/** What docs and comments say of the code, as far as a machine can hold it against the code. */

const root = fileURLToPath(new URL('..', import.meta.url));
const folders = ['bench', 'bin', 'configs', 'docs', 'scripts', 'src', 'test'];
const top = readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));
const below = folders.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
);
const paths = [...top, ...below].map((path) => path.split(sep).join('/')).filter((path) => !path.includes('node_modules'));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const documents = paths.filter((path) => path.endsWith('.md'));
const sources = paths.filter(
  (path) => /^(src|bin|scripts|test)\/.*\.(ts|mjs|js)$/.test(path) && !path.startsWith('test/mutation/'),
);

/** The words of a file for people: all of a document, the comments of a source. */
const proseOf = (path: string) =>
  path.endsWith('.md') ? read(path) : (read(path).match(/\/\*[\s\S]*?\*\/|(?<=\s)\/\/.*$/gm) ?? []).join('\n');
/** The files that a name may mean: some give the folder from the top, some from where they stand, some the name alone. */
const meantBy = (name: string) => {
  const plain = name.replace(/^(\.\.?\/)+/, '');
  return paths.filter((path) => path === plain || path.endsWith(`/${plain}`));
};

describe('docs and comments', () => {
  test('there are some to look at', () => {
    expect(documents.length).toBeGreaterThan(30);
    expect(sources.length).toBeGreaterThan(300);
  });

  test('name no file that is not there', () => {
    const named = /(?<![\w/.:-])((?:\.{1,2}\/)*\w[\w./-]*\.(?:ts|mjs|md|py|sh))(?![\w-])/g;
    const missing = [...documents, ...sources].flatMap((path) =>
      [...proseOf(path).matchAll(named)].flatMap(([, name]) => (meantBy(name!).length > 0 ? [] : [`${path}: ${name}`])),
    );
    expect(missing).toEqual([]);
  });

  test('say of nothing that it is in a file where it is not', () => {
    const placed = /`(\w+)`(?:\s*\([^)]*\))?\s+(?:in|of)\s+`([\w./-]+\.(?:ts|mjs))`/g;
    const misplaced = documents.flatMap((path) =>
      [...read(path).matchAll(placed)].flatMap(([whole, symbol, name]) => {
        const word = new RegExp(`\\b${symbol}\\b`);
        return meantBy(name!).some((file) => word.test(read(file))) ? [] : [`${path}: ${whole}`];
      }),
    );
    expect(misplaced).toEqual([]);
  });

  test('call no command "not yet" that is there', () => {
    const names = commands.map(({ name }) => name);
    const waiting = documents.flatMap((path) => [...read(path).matchAll(/`nn ([a-z ]+)`: _not yet_/g)].map(([, name]) => name!));
    expect(waiting.filter((name) => names.includes(name))).toEqual([]);
  });
});

test('what a page for users tells people to draw, git ignores', () => {
  const pages = documents.filter((path) => path === 'README.md' || /^docs\/[^/]+$/.test(path));
  const outs = pages.flatMap((page) =>
    [...read(page).matchAll(/npx nn data draw --out (\S+)/g)].map(([, out]) => dirname(`${out}/x`)),
  );
  expect(outs.length).toBeGreaterThan(0);
  const ignored = read('.gitignore').split('\n');
  for (const out of outs) expect(ignored).toContain(`${out.split('/')[0]}/*`);
});
