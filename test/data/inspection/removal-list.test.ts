import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Finding, FlaggedImage } from '../../../src/data/inspection/findings.ts';
import { type RemovalRow, readRemovalList, removalCsv, removalRows } from '../../../src/data/inspection/removal-list.ts';
import { decodesAtOnce } from '../../../src/data/source.ts';
import { temporaryFolder } from '../../cli/pictures.ts';

test('of the pictures on a list no more are read at once than of those that are decoded', async () => {
  const pictures = Array.from({ length: 5 * decodesAtOnce() }, (_, index): FlaggedImage => {
    return { name: `${index}.png`, label: 'cat', part: null, source: 0, index };
  });
  const blank: Finding = { kind: 'blank', groups: pictures.map((picture) => ({ pictures: [picture], why: 'one colour' })) };
  let [reading, most] = [0, 0];
  const rows = await removalRows([blank], async ({ index }) => {
    most = Math.max(most, ++reading);
    await new Promise((resolve) => setTimeout(resolve, index % 3)); // the order of the ends is not that of the beginnings
    reading--;
    return `hash of ${index}`;
  });
  expect(most).toBe(decodesAtOnce());
  expect(rows.map(({ file, hash }) => [file, hash])).toEqual(pictures.map(({ name, index }) => [name, `hash of ${index}`]));
});

test('a list that a program for tables has saved is read: with semicolons or tabs, in UTF-16', async () => {
  const folder = await temporaryFolder();
  const rows: RemovalRow[] = [
    { action: 'remove', file: 'cat/ä; b.png', label: 'cat', why: 'blank: one colour', kept: '', hash: '01' },
    { action: 'look', file: 'cat/c.png', label: 'cat', why: 'dark', kept: 'cat/d.png', hash: '23' },
  ];
  const tabs = removalCsv(rows).replaceAll(',', '\t');
  const semicolons = removalCsv(rows).replaceAll(',', ';').replace('cat/ä; b.png', '"cat/ä; b.png"');
  const files = [removalCsv(rows), `\ufeff${semicolons}`, Buffer.from(`\ufeff${tabs}`, 'utf16le')];
  for (const bytes of files) {
    const path = join(folder, 'list.csv');
    await writeFile(path, bytes);
    expect(await readRemovalList(path)).toEqual(rows);
  }
  await rm(folder, { recursive: true });
});
