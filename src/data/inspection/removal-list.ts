import { lstat, readdir, realpath, rename } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { parse } from 'csv-parse/sync';
import { DataError, systemReason, UserError } from '../../errors.ts';
import { shellWord } from '../../text.ts';
import { contentHash } from '../content-hash.ts';
import { makeFolder, readWhole } from '../disk.ts';
import { decodesAtOnce, mapInOrder } from '../source.ts';
import { readFileBytes } from '../sources/files.ts';
import { csvField, decodeText, delimiterOf } from '../text-files.ts';
import { type Finding, type FlaggedImage, findingKinds, type Proposal } from './findings.ts';

/** What a line of the list proposes: to take a picture out, or that a person looks at it. */
export const proposals = ['remove', 'look'] as const satisfies readonly Proposal[];

/** A picture on the list, once, with all that was found of it. */
export interface RemovalRow {
  action: Proposal;
  /** as the source calls it */
  file: string;
  label: string;
  why: string;
  /** of the same pictures, the one that stays; empty where there is none */
  kept: string;
  /** contentHash of the file; empty where it could not be read */
  hash: string;
}

const columns = ['action', 'file', 'label', 'why', 'kept', 'hash'] as const satisfies (keyof RemovalRow)[];

/** The lines of a list, those to remove first, each in the order of the findings. Of copies the first is kept and not listed;
 *  of a picture under two labels all are. @param hashOf  see RemovalRow.hash */
export async function removalRows(
  findings: readonly Finding[],
  hashOf: (picture: FlaggedImage) => Promise<string>,
): Promise<RemovalRow[]> {
  const byImage = new Map<string, { picture: FlaggedImage; row: Omit<RemovalRow, 'hash'> }>();
  for (const { kind, groups } of findings) {
    const { title, proposal } = findingKinds[kind];
    for (const { pictures, why } of groups) {
      const [first, ...others] = pictures as [FlaggedImage, ...FlaggedImage[]];
      const keepsFirst = kind === 'duplicate' || kind === 'nearDuplicate';
      for (const picture of keepsFirst ? others : pictures) {
        const alike = keepsFirst ? [first] : pictures.filter((other) => other !== picture);
        const reason = [`${title}: ${why}`, ...alike.map(({ name }) => `as ${name}`)].join(', ');
        const kept = keepsFirst ? first.name : '';
        const known = byImage.get(`${picture.index}`)?.row;
        const row = { action: proposal, file: picture.name, label: picture.label, why: reason, kept };
        byImage.set(`${picture.index}`, { picture, row: known === undefined ? row : joined(known, row) });
      }
    }
  }
  const found = [...byImage.values()].sort((a, b) => proposals.indexOf(a.row.action) - proposals.indexOf(b.row.action));
  const rows: RemovalRow[] = [];
  const hashed = mapInOrder(found, decodesAtOnce(), async ({ picture, row }) => ({ ...row, hash: await hashOf(picture) }));
  for await (const row of hashed) rows.push(row);
  return rows;
}

/** Two findings of one picture: what asks for removal decides. */
function joined(a: Omit<RemovalRow, 'hash'>, b: Omit<RemovalRow, 'hash'>): Omit<RemovalRow, 'hash'> {
  const action = a.action === 'remove' || b.action === 'remove' ? 'remove' : 'look';
  return { ...a, action, why: `${a.why}; ${b.why}`, kept: a.kept || b.kept };
}

/** Of a list that is read. */
const maximumBytes = 500e6;

export function removalCsv(rows: readonly RemovalRow[]): string {
  return `${[columns.join(','), ...rows.map((row) => columns.map((column) => csvField(row[column])).join(','))].join('\n')}\n`;
}

/** The lines of a list, which a person may have changed.
 *  @throws UserError (data) with the line that is not as expected */
export async function readRemovalList(path: string): Promise<RemovalRow[]> {
  let records: Record<string, string>[];
  try {
    const text = decodeText(await readWhole(path, maximumBytes));
    const delimiter = delimiterOf(text, columns); // a person may have saved it with a program for tables
    records = parse(text, { columns: true, delimiter, record_delimiter: ['\r\n', '\n'], skip_empty_lines: true });
  } catch (error) {
    throw new DataError(`${path}: expected a list of nn data clean, found: ${systemReason(error)}`, { cause: error });
  }
  return records.map((record, i) => {
    const missing = columns.filter((column) => record[column] === undefined);
    if (missing.length > 0)
      throw new DataError(`${path}, row ${i + 1}: expected the columns ${columns.join(', ')}; ${missing.join(', ')} missing`);
    const row = Object.fromEntries(columns.map((column) => [column, record[column]!])) as unknown as RemovalRow;
    if (!proposals.includes(row.action))
      throw new DataError(
        `${path}, row ${i + 1}: action: expected ${proposals.join(' or ')}, found ${JSON.stringify(row.action)}`,
      );
    return row;
  });
}

/** contentHash of a file; empty where it can't be read. */
export async function fileHash(path: string): Promise<string> {
  try {
    return contentHash(await readFileBytes(path));
  } catch (error) {
    if (error instanceof UserError && error.kind === 'data') return '';
    throw error;
  }
}

/** Refuses a list that does not fit the files: nothing may be removed for what it was once.
 *  @param rows    those to remove
 *  @param pathOf  where a name of the list lies
 *  @throws UserError (data) with all files that changed, or copies of which none would be kept unseen */
export async function refuseChanged(list: string, rows: readonly RemovalRow[], pathOf: (name: string) => string): Promise<void> {
  const removed = new Set(rows.map(({ file }) => file));
  const problems: string[] = [];
  for (const { file, hash, kept } of rows) {
    if ((await fileHash(pathOf(file))) !== hash) problems.push(`${file}: it is not the file that the list was made for`);
    else if (kept !== '' && !removed.has(kept) && (await fileHash(pathOf(kept))) === '')
      problems.push(`${file}: ${kept}, which was to be kept, can't be read`);
  }
  if (problems.length === 0) return;
  throw new DataError([`${list}: expected files as they were when it was made:`, problems.map((problem) => `  ${problem}`)], {
    hint: 'Nothing was changed. Make a new list with nn data clean SOURCE --out LIST.',
  });
}

/** A name of the list as a path within a folder.
 *  @throws UserError (data) where it leads out */
export function pathWithin(folder: string, name: string, list: string): string {
  const path = resolve(folder, name);
  if (!isAbsolute(name) && path.startsWith(resolve(folder) + sep)) return path;
  throw new DataError(`${list}: ${name}: expected a path within ${folder}`);
}

const movedPrefix = 'removed-';

/** The folder beside another one that files of it are moved into, where it is made today. */
export function removedFolder(folder: string): string {
  return join(dirname(resolve(folder)), `${movedPrefix}${new Date().toISOString().slice(0, 10)}`);
}

/** The rows whose files a process moved that was stopped in the midst: they are gone, and lie unchanged in such a folder.
 *  @returns that folder of each, by name */
export async function movedBefore(folder: string, rows: readonly RemovalRow[], list: string): Promise<Map<string, string>> {
  const above = dirname(resolve(folder));
  const places = (await readdir(above)).filter((name) => name.startsWith(movedPrefix)).map((name) => join(above, name));
  const found = new Map<string, string>();
  for (const { file, hash } of rows) {
    if (places.length === 0 || (await isThere(pathWithin(folder, file, list)))) continue;
    for (const place of places) {
      const path = join(place, file);
      if ((await isThere(path)) && (await fileHash(path)) === hash) found.set(file, place);
    }
  }
  return found;
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** @throws UserError (data) where a file does not lie in the folder itself, but behind a link */
export async function refuseLinked(folder: string, names: readonly string[], list: string): Promise<void> {
  const home = (await realpath(folder)) + sep;
  for (const name of names) {
    const refuse = (reason: string): never => {
      throw new DataError(`${join(folder, name)}: can't be moved: ${reason}`, { hint: 'Nothing was changed.' });
    };
    const place = await realpath(dirname(pathWithin(folder, name, list))).catch((error) => refuse(systemReason(error)));
    if (!`${place}${sep}`.startsWith(home)) refuse(`it lies outside ${folder}, behind a link`);
  }
}

/** Moves files from a folder into another, under the same names.
 *  @param to       on the same disk
 *  @param aborted  asked before each
 *  @returns how many were moved, of which those of a list that was broken off are a beginning
 *  @throws UserError (data) where one can't be moved; those before it have been */
export async function moveFiles(
  folder: string,
  names: readonly string[],
  { to, aborted }: { to: string; aborted: () => boolean },
): Promise<number> {
  for (const [i, name] of names.entries()) {
    if (aborted()) return i;
    const path = join(folder, name);
    try {
      const target = join(to, name);
      await makeFolder(dirname(target));
      if (await isThere(target)) throw Object.assign(new Error(`${target} is there`), { code: 'EEXIST' }); // to rename would take it away
      await rename(path, target);
    } catch (error) {
      const hint = i === 0 ? 'Nothing was changed.' : `${i} files were moved before. ${undoHint(folder, to)}`;
      throw new DataError(`${path}: can't be moved: ${systemReason(error)}`, { hint, cause: error });
    }
  }
  return names.length;
}

/** How a person takes it back. */
export function undoHint(folder: string, to: string): string {
  return `To undo, move all that is in ${to} back into ${folder}: cp -R ${shellWord(`${to}/.`)} ${shellWord(folder)}`;
}
