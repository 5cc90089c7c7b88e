import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'csv-parse/sync';
import { systemReason, UserError } from '../../errors.ts';
import type { Source } from '../source.ts';
import { readPicture } from './files.ts';

/** A table with the columns path and label; paths are relative to the file. Quoting as in RFC 4180.
 *  @throws UserError (data) on a file that can't be read or has other columns */
export async function openCsv({ path }: { path: string }): Promise<Source> {
  const rows = parseRows(await readText(path), path);
  const classes = [...new Set(rows.map((row) => row.label))].sort();
  const folder = dirname(path);
  return {
    title: path,
    count: rows.length,
    classes,
    name: (i) => rows[i]!.path,
    classOf: (i) => classes.indexOf(rows[i]!.label),
    read: (i, preprocessing) => readPicture(resolve(folder, rows[i]!.path), preprocessing),
    notes: [],
  };
}

interface Row {
  path: string;
  label: string;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UserError('data', `${path}: expected a CSV file, found: ${systemReason(error)}`, { cause: error });
  }
}

function parseRows(text: string, file: string): Row[] {
  let records: { record: Record<string, string>; info: { lines: number } }[];
  try {
    // csv-parse types the result of `info: true` as records alone
    records = parse(text, {
      columns: true,
      bom: true,
      info: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as typeof records;
  } catch (error) {
    throw new UserError('data', `${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return records.map(({ record, info }) => {
    for (const column of ['path', 'label'] as const) {
      if (!record[column]) {
        const found = Object.hasOwn(record, column) ? 'an empty value' : `the columns ${Object.keys(record).join(', ')}`;
        throw new UserError('data', `${file}, line ${info.lines}: expected a value in the column ${column}, found ${found}`, {
          hint: 'The first line names the columns: path,label.',
        });
      }
    }
    return { path: record['path']!, label: record['label']! };
  });
}
