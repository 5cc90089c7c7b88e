import { writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { exists, firstFree, makeNewFolder } from '../data/disk.ts';
import {
  fileHash,
  movedBefore,
  moveFiles,
  pathWithin,
  type RemovalRow,
  readRemovalList,
  refuseChanged,
  refuseLinked,
  removalCsv,
  removalRows,
  removedFolder,
  undoHint,
} from '../data/inspection/removal-list.ts';
import { csvWithout } from '../data/sources/csv.ts';
import { type SourceChoice, sourceAtPath } from '../data/sources/sources.ts';
import { openData } from '../datasets/open.ts';
import { type ExitKind, UserError, unwritable } from '../errors.ts';
import { readProgress } from '../library/reading.ts';
import { count, plural } from '../report/table.ts';
import { writeFileAtomically } from '../run/atomic-write.ts';
import { shellWord } from '../text.ts';
import type { Command, Context } from './command.ts';
import { configOrSource, inspectAll, type SourceValues } from './data-source.ts';
import { setOption } from './options.ts';

interface Values extends Pick<SourceValues, 'set'> {
  out?: string;
  apply?: string;
  force?: boolean;
}

export const command: Command<Values> = {
  arguments: [{ syntax: '<source>', summary: 'a folder with one sub-folder per class, or a .csv' }],
  options: [
    { flags: '-o, --out <list>', summary: 'write what to remove and what to look at as CSV, and change nothing' },
    {
      flags: '--apply <list>',
      summary: 'do what a list says: move files into removed-<date> beside the folder, or write a new .csv beside the old one',
      conflicts: ['out'],
    },
    { ...setOption, summary: 'with --out: override a field of the source, such as data.source.positive=cat' },
    { flags: '--force', summary: 'overwrite the list' },
    { flags: '--json', summary: 'print the counts as JSON' },
  ],
  examples: [
    'nn data clean photos/ --out remove.csv',
    'nn data clean photos/ --apply remove.csv   # after you have looked at it',
  ],
  run: clean,
};

async function clean(
  context: Context,
  { out, apply, force = false, set }: Values,
  [path]: string[],
): Promise<ExitKind | undefined> {
  if (out === undefined && apply === undefined)
    throw new UserError('usage', 'nn data clean: expected --out LIST, or --apply LIST, found neither', {
      hint: 'First write the list, then look at it, then apply it. Nothing is ever deleted.',
    });
  const choice = await sourceAtPath(path!);
  if (choice.type !== 'folder' && choice.type !== 'csv') {
    throw new UserError(
      'usage',
      `${path}: expected a folder or a .csv, found one file with all pictures in it, which nn does not rewrite`,
      {
        hint: 'nn data inspect lists what is wrong with them.',
      },
    );
  }
  if (apply !== undefined) await applyList(context, choice, apply);
  else await writeList(context, choice, { out: out!, force, set });
  return undefined;
}

type CleanableChoice = SourceChoice & { type: 'folder' | 'csv' };

/** Where the names of a source start. */
function rootOf({ type, path }: CleanableChoice): string {
  return type === 'folder' ? path : dirname(path);
}

async function writeList(
  context: Context,
  choice: CleanableChoice,
  { out, force, set }: { out: string; force: boolean; set: string[] | undefined },
): Promise<void> {
  if (!force && (await exists(out)))
    throw new UserError('usage', `--out ${out}: expected a file that is not there yet, found one`, {
      hint: 'Name another, or overwrite it with --force.',
    });
  const { path } = choice;
  const { loaded } = await configOrSource({ ...(set && { set }) }, path);
  const { findings } = await inspectAll(context, await openData(loaded, true, readProgress(context)), null);
  const rows = await removalRows(findings, ({ name }) => fileHash(resolve(rootOf(choice), name)));
  await writeFileAtomically(out, removalCsv(rows));
  const remove = rows.filter(({ action }) => action === 'remove').length;
  const look = rows.length - remove;
  if (context.json) return context.print(JSON.stringify({ list: out, remove, look }));
  context.printRow([out, `${count(remove)} to remove`, `${count(look)} to look at`]);
  if (rows.length === 0) return;
  context.note(
    `To see these pictures: nn data inspect ${shellWord(path)} --all --html ${shellWord(out.replace(/(\.csv)?$/i, '.html'))}`,
  );
  context.note(`Change an action to remove or look, then: nn data clean ${shellWord(path)} --apply ${shellWord(out)}`);
}

/** Moves what the list says. Where that was stopped in the midst, what lies aside already stays there, and the rest follows it. */
async function applyList(context: Context, choice: CleanableChoice, list: string): Promise<void> {
  const rows = (await readRemovalList(list)).filter(({ action }) => action === 'remove');
  const root = rootOf(choice);
  if (rows.length === 0) throw new UserError('data', `${list}: expected rows with the action remove, found none`);
  if (choice.type === 'csv') return applyToTable(context, choice.path, list, rows);
  const before = await movedBefore(root, rows, list);
  const files = rows.map(({ file }) => file).filter((file) => !before.has(file));
  const undo = (to: string) => undoHint(choice.path, to);
  const places = [...new Set(before.values())].map((place) => relative('', place)).sort();
  try {
    await refuseChanged(list, rows, (name) => pathWithin(before.get(name) ?? root, name, list));
    await refuseLinked(root, files, list);
  } catch (error) {
    if (before.size > 0) context.complain(`Moved before: ${plural(before.size, 'file')} of it. ${places.map(undo).join(' ')}`);
    throw error;
  }
  const to = places.at(-1) ?? relative('', await makeNewFolder(removedFolder(root)));
  const moved = before.size + (await moveFiles(root, files, { to, aborted: () => context.signal.aborted }));
  if (moved < rows.length) {
    context.complain(`${moved} of ${plural(rows.length, 'file')} are in ${to}; the same command moves the others. ${undo(to)}`);
    throw context.signal.reason;
  }
  if (context.json) context.print(JSON.stringify({ moved, to }));
  else context.printRow([to, `${plural(moved, 'file')} moved`]);
  if (before.size > 0) context.note(`${count(before.size)} of them were moved before, into ${places.join(', ')}.`);
  context.note(undo(to));
}

/** The pictures stay where they are: the new table does not name them. */
async function applyToTable(context: Context, table: string, list: string, rows: readonly RemovalRow[]): Promise<void> {
  await refuseChanged(list, rows, (name) => resolve(dirname(table), name));
  const text = await csvWithout(table, rows);
  const to = await newTable(table);
  await writeFileAtomically(to, text);
  if (context.json) context.print(JSON.stringify({ removed: rows.length, to }));
  else context.printRow([to, `${plural(rows.length, 'row')} left out`]);
}

/** `labels-cleaned.csv` beside `labels.csv`, so that its paths hold; with a number where that is taken.
 *  @throws UserError (data) */
async function newTable(table: string): Promise<string> {
  const stem = `${table.replace(/\.[ct]sv$/i, '')}-cleaned`;
  try {
    return await firstFree(stem, (path) => writeFile(path, '', { flag: 'wx' }), '.csv');
  } catch (error) {
    throw unwritable(`${stem}.csv`, error);
  }
}
