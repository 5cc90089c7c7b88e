import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeText, delimiterOf, lineOfWrongBytes, pathsInList, problemOf } from '../../src/data/text-files.ts';

const utf16 = (text: string, order: 'le' | 'be') => {
  const bytes = Buffer.from(text, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
};

describe('a text', () => {
  const texts = fc.string({ unit: 'grapheme' }).filter((text) => !text.startsWith('\ufeff') && !text.includes('\0'));

  test('is what was written, in UTF-8 or UTF-16 of either order with its mark', () => {
    fc.assert(
      fc.property(texts, (text) => {
        for (const bytes of [Buffer.from(`\ufeff${text}`), utf16(`\ufeff${text}`, 'le'), utf16(`\ufeff${text}`, 'be')])
          expect(decodeText(bytes)).toBe(text);
        expect(decodeText(Buffer.from(text))).toBe(text);
      }),
    );
  });

  test('of UTF-16 without its mark is told by its first letters', () => {
    expect(decodeText(utf16('path,label\n猫.png,cat\n', 'le'))).toBe('path,label\n猫.png,cat\n');
    expect(decodeText(utf16('path,label\n猫.png,cat\n', 'be'))).toBe('path,label\n猫.png,cat\n');
  });

  test('says where bytes are that are no UTF-8, and that zeros are no text', () => {
    expect(lineOfWrongBytes(decodeText(Buffer.from('path,label\r\ncaf\xe9.png,cat\r\n', 'latin1')))).toBe(2);
    expect(lineOfWrongBytes(decodeText(Buffer.from('path,label\ncafé.png,cat\n')))).toBeNull();
    expect(problemOf(decodeText(Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1')))).toMatch(/no text/);
    expect(problemOf('path,label\n')).toBeNull();
  });
});

describe('a list of paths', () => {
  test.each([
    ['lines', 'a b.png\nc.png\n', ['a b.png', 'c.png']],
    ['lines of Windows, and empty ones', 'a.png\r\n\r\nb.png', ['a.png', 'b.png']],
    ['lines of an old Mac', 'a.png\rb.png\r', ['a.png', 'b.png']],
    ['find -print0', './a.png\0./b\nc.png\0', ['./a.png', './b\nc.png']],
    ["Explorer's copies", '"C:\\photos\\a b.png"\r\n"C:\\photos\\c.png"\r\n', ['C:\\photos\\a b.png', 'C:\\photos\\c.png']],
    ['one path', 'a.png', ['a.png']],
    ['nothing', '\n', []],
  ])('of %s', (_, text, paths) => expect(pathsInList(text)).toEqual(paths));

  test('with zeros behind them has every name that a file may have', () => {
    const names = fc.array(
      fc.string({ minLength: 2 }).filter((name) => !name.includes('\0')),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(names, (all) => {
        expect(pathsInList(all.map((name) => `${name}\0`).join(''))).toEqual(all);
      }),
    );
  });
});

test.each([
  ['path,label\na;b.png,cat', ','],
  ['path;label\na,b.png;cat', ';'],
  ['\r\n"id";"path";"label"\r\n1;a;b', ';'],
  ['path\tlabel\na\tb', '\t'],
  ['label | path\na|b', '|'],
  ['pfad;klasse\na;b', ','],
  ['path;note,label\n', ','],
  ['', ','],
])('the delimiter of %j is %j', (text, delimiter) => expect(delimiterOf(text, ['path', 'label'])).toBe(delimiter));
