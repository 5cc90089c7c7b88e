import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { csvField } from '../data/csv-field.ts';
import type { Classes, Examples } from '../data/examples.ts';
import { type PartName, partNames } from '../data/split.ts';
import { systemReason, UserError } from '../errors.ts';
import { writeFileAtomically } from './atomic-write.ts';

/** Of a run's folder. */
export const splitFileName = 'split.csv';

/** Which picture stood in which part. */
export interface SplitRow {
  name: string;
  hash: string;
  label: 0 | 1;
  part: PartName;
}

/** The rows of split.csv: name, content hash, class and part of every example. */
export function splitRows(parts: Partial<Record<PartName, Examples>>): SplitRow[] {
  return partNames.flatMap((part) => {
    const { names = [], hashes = [], labels = [] } = parts[part] ?? {};
    return Array.from(names, (name, i) => ({ name, hash: hashes[i]!, label: labels[i] === 1 ? 1 : 0, part }) as const);
  });
}

/** The text of split.csv. */
export function splitText(parts: Partial<Record<PartName, Examples>>, { positive, negative }: Classes): string {
  const lines = splitRows(parts).map(({ name, hash, label, part }) =>
    [name, hash, label === 1 ? positive : negative, part].map(csvField).join(','),
  );
  return `${['name,hash,label,part', ...lines].join('\n')}\n`;
}

/** Writes split.csv. @param text  of `splitText` */
export async function writeSplit(path: string, text: string): Promise<void> {
  await writeFileAtomically(join(path, splitFileName), text);
}

/** @throws UserError (model) where the folder holds no such file, or another kind of file */
export async function readSplit(run: string, classes: Classes): Promise<SplitRow[]> {
  const file = join(run, splitFileName);
  let records: Record<string, string>[];
  try {
    records = parse(await readFile(file, 'utf8'), { columns: true, record_delimiter: ['\r\n', '\n'] });
  } catch (error) {
    throw new UserError('model', `${file}: expected the parts of a run, found: ${systemReason(error)}`, { cause: error });
  }
  const labels = [classes.negative, classes.positive];
  return records.map(({ name, hash, label, part }, i) => {
    if (!name || !hash || !partNames.includes(part as PartName) || !labels.includes(label ?? '')) {
      const found = [name, hash, label, part].map((value) => value ?? 'nothing').join(', ');
      throw new UserError(
        'model',
        `${file}, picture ${i + 1}: expected name, hash, a label (${labels.join(' or ')}) and a part (${partNames.join(', ')}), found ${found}`,
      );
    }
    return { name, hash, label: label === classes.positive ? 1 : 0, part: part as PartName };
  });
}
