import { parse } from 'csv-parse/sync';
import { systemReason, UserError } from '../../errors.ts';
import { csvField } from '../csv-field.ts';
import { decodeText, delimiterOf } from '../decode-text.ts';
import { readWhole } from '../disk.ts';
import { decodesAtOnce, mapInOrder } from '../load.ts';
import { type Finding, findingKinds, type Picture, type Proposal } from './findings.ts';

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
  hashOf: (picture: Picture) => Promise<string>,
): Promise<RemovalRow[]> {
  const byPicture = new Map<string, { picture: Picture; row: Omit<RemovalRow, 'hash'> }>();
  for (const { kind, groups } of findings) {
    const { title, proposal } = findingKinds[kind];
    for (const { pictures, why } of groups) {
      const [first, ...others] = pictures as [Picture, ...Picture[]];
      const keepsFirst = kind === 'duplicate' || kind === 'nearDuplicate';
      for (const picture of keepsFirst ? others : pictures) {
        const alike = keepsFirst ? [first] : pictures.filter((other) => other !== picture);
        const reason = [`${title}: ${why}`, ...alike.map(({ name }) => `as ${name}`)].join(', ');
        const kept = keepsFirst ? first.name : '';
        const known = byPicture.get(`${picture.index}`)?.row;
        const row = { action: proposal, file: picture.name, label: picture.label, why: reason, kept };
        byPicture.set(`${picture.index}`, { picture, row: known === undefined ? row : joined(known, row) });
      }
    }
  }
  const found = [...byPicture.values()].sort((a, b) => proposals.indexOf(a.row.action) - proposals.indexOf(b.row.action));
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
    throw new UserError('data', `${path}: expected a list of nn data clean, found: ${systemReason(error)}`, { cause: error });
  }
  return records.map((record, i) => {
    const missing = columns.filter((column) => record[column] === undefined);
    if (missing.length > 0)
      throw new UserError(
        'data',
        `${path}, row ${i + 1}: expected the columns ${columns.join(', ')}; ${missing.join(', ')} missing`,
      );
    const row = Object.fromEntries(columns.map((column) => [column, record[column]!])) as unknown as RemovalRow;
    if (!proposals.includes(row.action))
      throw new UserError(
        'data',
        `${path}, row ${i + 1}: action: expected ${proposals.join(' or ')}, found ${JSON.stringify(row.action)}`,
      );
    return row;
  });
}
