import { dirname, resolve, sep } from 'node:path';
import { parse } from 'csv-parse/sync';
import { DataError } from '../../errors.ts';
import { classesAmong } from '../classes.ts';
import { exists, readWhole, reasonAt } from '../disk.ts';
import type { Source } from '../source.ts';
import { csvField, decodeText, delimiterOf, lineOfWrongBytes, problemOf } from '../text-files.ts';
import { fileDecoding, readFileBytes, readImage } from './files.ts';

/** A table with the columns path and label; paths are relative to the file. Quoting as in RFC 4180; semicolons or tabs do for commas.
 *  @throws UserError (data) on a file that can't be read or has other columns */
export async function openCsv({ path }: { path: string }): Promise<Source> {
  const { rows, text } = await readRows(path);
  const { classes, placeOf } = classesAmong(rows.map((row) => row.label));
  const folder = dirname(path);
  const fileOf = (i: number) => resolve(folder, rows[i]!.path);
  return {
    title: path,
    count: rows.length,
    classes,
    name: (i) => rows[i]!.path,
    classOf: (i) => placeOf(rows[i]!.label),
    read: (i, preprocessing) => readImage(fileOf(i), preprocessing),
    original: async (i) => ({ file: await readFileBytes(fileOf(i)) }),
    decoding: fileDecoding(fileOf),
    notes: wrongBytes(text, path),
  };
}

/** The rows of a table. One from Windows has backslashes between folders; on other systems they are letters of a name, and taken for such
 *  where a file has it. */
async function readRows(path: string): Promise<{ rows: Row[]; text: string }> {
  const text = await readText(path);
  const rows = parseRows(text, path);
  const first = rows.find((row) => row.path.includes('\\'))?.path;
  const areLetters = first === undefined || (sep === '/' && (await exists(resolve(dirname(path), first))));
  return { text, rows: areLetters ? rows : rows.map(({ path, label }) => ({ path: path.replaceAll('\\', '/'), label })) };
}

function wrongBytes(text: string, path: string): string[] {
  const line = lineOfWrongBytes(text);
  if (line === null) return [];
  return [`${path}, line ${line}: bytes that are not UTF-8 (of Windows-1252 or another encoding?): save the table as UTF-8`];
}

/** The same table without some of its rows, all columns kept. Of equal rows the last ones go.
 *  @throws UserError (data) where a row is not there */
export async function csvWithout(path: string, removed: readonly { file: string; label: string }[]): Promise<string> {
  const { rows, text } = await readRows(path);
  const gone = new Set<number>();
  for (const { file, label } of removed) {
    const at = rows.findLastIndex((row, i) => row.path === file && row.label === label && !gone.has(i));
    if (at < 0) throw new DataError(`${path}: expected a row of ${file} with the label ${label}, found none`);
    gone.add(at);
  }
  const [header, ...records] = parseRecords(text, path);
  const kept = [header!, ...records.filter((_, i) => !gone.has(i))];
  return `${kept.map(({ fields }) => fields.map(written).join(',')).join('\n')}\n`;
}

/** Spaces around a value count where it stands in quotes alone. */
const written = (value: string) => (value === value.trim() ? csvField(value) : `"${value.replaceAll('"', '""')}"`);

/** Node has no strings of more than 512 MiB. */
const maximumBytes = 500e6;

interface Row {
  path: string;
  label: string;
}

async function readText(path: string): Promise<string> {
  let text: string;
  try {
    text = decodeText(await readWhole(path, maximumBytes));
  } catch (error) {
    throw new DataError(`${path}: expected a CSV file, found: ${reasonAt(path, error)}`, { cause: error });
  }
  const problem = problemOf(text);
  if (problem === null) return text;
  throw new DataError(`${path}: expected a CSV file, found ${problem}`, { hint: 'Save it as UTF-8.' });
}

function parseRows(text: string, file: string): Row[] {
  const [header, ...rows] = parseRecords(text, file);
  if (header === undefined) throw new DataError(`${file}: expected a line with the columns path,label, found an empty file`);
  const places = { path: header.fields.indexOf('path'), label: header.fields.indexOf('label') };
  for (const column of columns) {
    if (places[column] < 0 || places[column] !== header.fields.lastIndexOf(column)) {
      throw new DataError(
        `${file}, line ${header.line}: expected one column ${column}, found the columns ${header.fields.join(', ')}`,
        { hint: 'The first line names the columns: path,label. They are separated by commas, semicolons or tabs.' },
      );
    }
  }
  return rows.map(({ fields, line }) => {
    if (fields.length !== header.fields.length) {
      throw new DataError(
        `${file}, line ${line}: expected ${header.fields.length} values, as many as columns, found ${fields.length}`,
        { hint: 'A value that holds a comma stands in "quotes".' },
      );
    }
    const value = (column: 'path' | 'label') => {
      const found = fields[places[column]]!;
      if (found === '')
        throw new DataError(`${file}, line ${line}: expected a value in the column ${column}, found an empty value`);
      return found;
    };
    return { path: value('path'), label: value('label') };
  });
}

const columns = ['path', 'label'] as const;

/** The records of a table, each with the line that it starts on; lines count from 1. */
function parseRecords(text: string, file: string): { fields: string[]; line: number }[] {
  let records: { record: string[]; info: { lines: number } }[];
  try {
    // csv-parse types the result of `info: true` as records alone
    records = parse(text, {
      delimiter: delimiterOf(text, columns),
      info: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as typeof records;
  } catch (error) {
    throw new DataError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  let surplus = 0; // csv-parse counts a quoted CR LF as two lines, and a record by the line that it ends on
  return records.map(({ record: fields, info }) => {
    const quoted = fields.join();
    const breaks = quoted.match(/[\r\n]/g)?.length ?? 0;
    const line = info.lines - surplus - breaks;
    surplus += quoted.match(/\r\n/g)?.length ?? 0;
    return { fields, line };
  });
}
