import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Manners, wrapLine, writerTo } from '../../src/cli/writer.ts';
import { table } from '../../src/report/table.ts';
import { linesOf, oneLine } from '../../src/text.ts';

type Write = (to: ReturnType<typeof writerTo>) => void;

function written(manners: Manners, stream: { isTTY?: boolean; columns?: number }, write: Write): string {
  const texts: string[] = [];
  write(writerTo({ ...stream, write: (text: string | Uint8Array) => texts.push(String(text)) > 0 }, manners));
  return texts.join('');
}
const terminal = { isTTY: true, columns: 50 };
const commanding = /(?![\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

describe('a text from outside', () => {
  test('commands no terminal, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(written({}, {}, (to) => to.lines([text, [text]]))).not.toMatch(commanding);
        expect(written({}, {}, (to) => to.lines([text, [text]])).split('\n')).toHaveLength(3);
        expect(written({}, {}, (to) => to.row([text, text])).split('\t')).toHaveLength(2);
      }),
    );
  });

  test('is in JSON what it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(JSON.parse(written({}, {}, (to) => to.lines(JSON.stringify({ [text]: text }))))).toEqual({ [text]: text });
      }),
    );
  });

  test('that is seen as it is meant stays as it is', () => {
    const text = 'Ænima – 猫 🐈‍⬛ می‌خواهم café \\n 100%';
    expect(oneLine(text)).toBe(text);
  });

  test('brings no style in, and one of ours stays', () => {
    const text = written({ styled: true }, terminal, (to) => to.lines(`${to.style('bold', 'a \u001b[31mb')} \u001b[1mc`));
    expect(text).toBe('\u001b[1ma \\u001b[31mb\u001b[22m \\u001b[1mc\n');
    expect(written({}, terminal, (to) => to.lines(to.style('bold', 'a')))).toBe('a\n');
  });

  test('widens its column by what is shown of it', () => {
    expect(table([['a\tb', 'x'], ['c', 'y']])).toEqual(['a\\tb  x', 'c     y']); // biome-ignore format: a row each
  });

  test('of any length is cut off where it is beside a result', () => {
    expect(written({ longest: 10 }, {}, (to) => to.lines('x'.repeat(99)))).toBe(`${'x'.repeat(9)}…\n`);
    expect(written({}, {}, (to) => to.lines('x'.repeat(9999)))).toHaveLength(10_000);
  });
});

describe('lines on a terminal', () => {
  const words = fc.array(fc.stringMatching(/^[a-z.,%0-9-]{1,20}$/), { minLength: 1, maxLength: 60 });

  test('of 40 columns and more are broken between words alone, and lose none', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 40, max: 100 }), fc.nat(6), (all, columns, indent) => {
        const lines = wrapLine(' '.repeat(indent) + all.join(' '), columns);
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
        expect(lines.join(' ').trim().split(/ +/)).toEqual(all);
      }),
    );
  });

  test('a table is broken between its columns', () => {
    expect(wrapLine('  test  9,999  of the pictures called cat  the share that are', 42)).toEqual([
      '  test  9,999  of the pictures called cat',
      '    the share that are',
    ]);
  });

  test('a command that is to be copied is in one piece', () => {
    const command = `nn train --resume runs/${'x'.repeat(60)} --set training.epochs=400`;
    expect(wrapLine(`Go on with what was stopped: ${command}`, 50)).toEqual(['Go on with what was stopped:', command]);
    expect(wrapLine(`    ${command}`, 50)).toEqual([`    ${command}`]);
    const sets = `  --set ${'training.epochs=400 --set training.l2=1 '.repeat(2).trim()}`;
    expect(wrapLine(sets, 50)).toEqual([sets]);
    expect(wrapLine('one file with all pictures in it, which nn does not rewrite', 50)).toHaveLength(2);
  });

  test('styles take no room', () => {
    const text = written({ styled: true, wrapped: true }, terminal, (to) =>
      to.lines(`${to.style('bold', 'Diagnosis')}: ${to.style('green', 'neither high bias nor high variance')}.`),
    );
    expect(stripVTControlCharacters(text)).toBe('Diagnosis: neither high bias nor high variance.\n');
  });

  test('off a terminal, of unknown width, or where that is not wanted, are whole', () => {
    const long = 'word '.repeat(60).trim();
    for (const stream of [{ columns: 50 }, { isTTY: true }, { isTTY: true, columns: 0 }])
      expect(written({ wrapped: true }, stream, (to) => to.lines(long))).toBe(`${long}\n`);
    expect(written({}, terminal, (to) => to.lines(long))).toBe(`${long}\n`);
    expect(written({ wrapped: true }, terminal, (to) => to.row([long, long]))).toBe(`${long}\t${long}\n`);
    expect(written({ wrapped: true }, terminal, (to) => to.exact(`"${long}"`))).toBe(`"${long}"\n`);
  });
});

test('lines within lines are lines in their order', () => {
  expect(linesOf(['a', ['b', ['c']], [], 'd'])).toEqual(['a', 'b', 'c', 'd']);
});
