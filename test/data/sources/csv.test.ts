import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadExamples } from '../../../src/data/load.ts';
import { csvWithout, openCsv } from '../../../src/data/sources/csv.ts';
import { UserError } from '../../../src/errors.ts';
import { solidPng } from '../pictures.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nn-csv-'));
  file = join(folder, 'labels.csv');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const preprocessing = { imageSize: 8, fit: 'cover' } as const;

/** The paths and labels that a table means. */
async function rowsOf(text: string | Buffer): Promise<[path: string, label: string][]> {
  await writeFile(file, text);
  const source = await openCsv({ path: file });
  return Array.from({ length: source.count }, (_, i) => [source.name(i), source.classes[source.classOf(i)]!]);
}

async function refusal(text: string): Promise<UserError> {
  const error = await rowsOf(text).then(
    () => undefined,
    (found: unknown) => found,
  );
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).exitCode).toBe(3);
  expect((error as UserError).message).toContain(file);
  return error as UserError;
}

describe('a table is read', () => {
  const wanted = [
    ['a.png', 'cat'],
    ['b.png', 'noncat'],
  ];

  test.each([
    ['as it is', 'path,label\na.png,cat\nb.png,noncat\n'],
    ['without a last line break', 'path,label\na.png,cat\nb.png,noncat'],
    ['with the line breaks of Windows', 'path,label\r\na.png,cat\r\nb.png,noncat\r\n'],
    ['with a byte-order mark', '\ufeffpath,label\na.png,cat\nb.png,noncat\n'],
    ['with a byte-order mark before quotes', '\ufeff"path","label"\na.png,cat\nb.png,noncat\n'],
    ['with empty lines', '\npath,label\n\na.png,cat\n\n\nb.png,noncat\n\n'],
    ['with spaces round the values', 'path , label\n a.png,cat \n  b.png , noncat\n'],
    ['with quotes that need not be', '"path","label"\n"a.png","cat"\n"b.png","noncat"\n'],
    ['with its columns in another order', 'label,path\ncat,a.png\nnoncat,b.png\n'],
    ['with semicolons', 'path;label\na.png;cat\nb.png;noncat\n'],
    ['with tabs', 'path\tlabel\na.png\tcat\nb.png\tnoncat\n'],
    ['with semicolons, quotes and further columns', '"id";"label";"path"\r\n"1,5";"cat";"a.png"\r\n2;noncat;b.png\r\n'],
    [
      'in UTF-16, as PowerShell and Excel write it',
      Buffer.from('\ufeffpath\tlabel\r\na.png\tcat\r\nb.png\tnoncat\r\n', 'utf16le'),
    ],
    ['in UTF-16 of the other order', Buffer.from('\ufeffpath,label\r\na.png,cat\r\nb.png,noncat\r\n', 'utf16le').swap16()],
    ['with the line breaks of an old Mac', 'path,label\ra.png,cat\rb.png,noncat\r'],
    ['with further columns', 'id,path,note,label\n1,a.png,,cat\n2,b.png,"x, y",noncat\n'],
  ])('%s', async (_, text) => {
    expect(await rowsOf(text)).toEqual(wanted);
  });

  test('with commas, quotes, line breaks and spaces in quoted values', async () => {
    expect(await rowsOf('path,label\n"a, b.png","the ""cat"""\n"c\nd.png",noncat\n" e.png",noncat\n')).toEqual([
      ['a, b.png', 'the "cat"'],
      ['c\nd.png', 'noncat'],
      [' e.png', 'noncat'],
    ]);
  });

  test('with names in any script, and labels that mean something to JavaScript', async () => {
    expect(await rowsOf('path,label\n猫.png,__proto__\nü.png,constructor\n')).toEqual([
      ['猫.png', '__proto__'],
      ['ü.png', 'constructor'],
    ]);
  });
});

test('a path without a value between tabs is none, and moves nothing', async () => {
  expect((await refusal('path\tlabel\n\tcat\n')).message).toMatch(
    /line 2: expected a value in the column path, found an empty value/,
  );
});

describe('backslashes in the paths of a table', () => {
  test('from Windows stand between folders, and names have slashes', async () => {
    const table = 'path,label\nph\\cat\\0.png,cat\nph\\dog\\0.png,dog\n1.png,cat\n';
    expect((await rowsOf(table)).map(([path]) => path)).toEqual(['ph/cat/0.png', 'ph/dog/0.png', '1.png']);
    expect(await csvWithout(file, [{ file: 'ph/dog/0.png', label: 'dog' }])).toBe('path,label\nph\\cat\\0.png,cat\n1.png,cat\n');
  });

  test.skipIf(process.platform === 'win32')('are letters of a name where a file has it', async () => {
    await writeFile(join(folder, 'a\\b.png'), await solidPng([1, 2, 3]));
    expect(await rowsOf('path,label\na\\b.png,cat\nc.png,dog\n')).toEqual([
      ['a\\b.png', 'cat'],
      ['c.png', 'dog'],
    ]);
  });
});

test('bytes that are no UTF-8 are told with their line', async () => {
  await writeFile(file, Buffer.from('path,label\na.png,cat\ncaf\xe9.png,dog\n', 'latin1'));
  const { notes } = await openCsv({ path: file });
  expect(notes).toEqual([
    `${file}, line 3: bytes that are not UTF-8 (of Windows-1252 or another encoding?): save the table as UTF-8`,
  ]);
});

test('a file that is no text is refused as such', async () => {
  expect((await refusal('\x89PNG\0\0\0')).message).toMatch(/expected a CSV file, found bytes of zero/);
});

test('paths start at the file, wherever nn runs; absolute ones stay', async () => {
  await mkdir(join(folder, 'pictures', 'deep'), { recursive: true });
  const elsewhere = await mkdtemp(join(tmpdir(), 'nn-elsewhere-'));
  try {
    await writeFile(join(folder, 'pictures', 'deep', 'a, b.png'), await solidPng([10, 20, 30]));
    await writeFile(join(elsewhere, 'c.png'), await solidPng([40, 50, 60]));
    await writeFile(file, `path,label\n"pictures/deep/a, b.png",cat\n${join(elsewhere, 'c.png')},dog\nnothing.png,dog\n`);
    const options = { preprocessing, positive: undefined, strict: false };
    const { examples, classes, failures } = await loadExamples(await openCsv({ path: file }), options);
    expect(classes).toEqual({ positive: 'cat', negative: 'dog' });
    expect([...examples.labels]).toEqual([1, 0]);
    expect([...examples.pixels.slice(0, 3), ...examples.pixels.slice(192, 195)]).toEqual([10, 20, 30, 40, 50, 60]);
    expect(failures).toEqual([{ name: 'nothing.png', reason: 'no such file or folder' }]);
  } finally {
    await rm(elsewhere, { recursive: true });
  }
});

test('spaces around a value in quotes count, also when the table is written again', async () => {
  await writeFile(file, 'path,label\n" a.png",cat\n"b.png ",dog\nc.png,dog\n');
  await writeFile(file, await csvWithout(file, [{ file: 'c.png', label: 'dog' }]));
  const source = await openCsv({ path: file });
  expect([0, 1].map((i) => source.name(i))).toEqual([' a.png', 'b.png ']);
});

test('classes are sorted, whatever comes first', async () => {
  await writeFile(file, 'path,label\na,zebra\nb,Cat\nc,zebra\n');
  const source = await openCsv({ path: file });
  expect(source.classes).toEqual(['Cat', 'zebra']);
  expect([0, 1, 2].map((i) => source.classOf(i))).toEqual([1, 0, 1]);
});

describe('a table is refused, with the line', () => {
  test.each<[string, string, RegExp]>([
    ['no columns at all', '', /expected a line with the columns path,label, found an empty file/],
    ['no column label', 'path,class\na.png,cat\n', /line 1: expected one column label, found the columns path, class/],
    ['no column path, and no rows', 'file;label\n', /line 1: expected one column path, found the columns file;label/],
    ['a column twice', 'path,label,label\na,b,c\n', /line 1: expected one column label, found the columns path, label, label/],
    ['a header in the wrong case', 'Path,Label\na,b\n', /line 1: expected one column path, found the columns Path, Label/],
    ['an empty label', 'path,label\na.png,cat\nb.png,\n', /line 3: expected a value in the column label, found an empty value/],
    ['an empty path', 'path,label\r\na.png,cat\r\n,cat\r\n', /line 3: expected a value in the column path, found an empty value/],
    ['an empty value after empty lines', 'path,label\n\n\na.png,cat\n\n"",cat\n', /line 6: .* column path/],
    ['an empty value after a broken name', 'path,label\n"a\nb",cat\n"c\r\nd",cat\nx,\n', /line 6: .* column label/],
    ['a broken name with an empty label', 'path,label\na,cat\n"b\nc",\n', /line 3: .* column label/],
    ['too few values', 'path,label\na.png\n', /line 2: expected 2 values, as many as columns, found 1/],
    ['too many values', 'path,label\r\na.png,cat\r\nb, c.png,cat\r\n', /line 3: expected 2 values, as many as columns, found 3/],
    ['a quote that is not closed', 'path,label\na,b\n"c,d\n', /quote.*line 3/i],
    ['text after a quote', 'path,label\r\na,b\r\n"c"x,d\r\n', /quote.*line 3/i],
    ['a quote within a value', 'path,label\na"b,c\n', /quote.*line 2/i],
  ])('%s', async (_, text, message) => {
    expect((await refusal(text)).message).toMatch(message);
  });

  test('where there is none, or a folder', async () => {
    await expect(openCsv({ path: file })).rejects.toThrow(/expected a CSV file, found: no such file or folder/);
    await expect(openCsv({ path: folder })).rejects.toThrow(/expected a CSV file, found: it is a folder/);
  });
});
