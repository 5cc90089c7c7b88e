import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LoadOptions, loadExamples } from '../../../src/data/load.ts';
import type { Source } from '../../../src/data/source.ts';
import { openFolder } from '../../../src/data/sources/folder.ts';
import { openSource, sourceAtPath } from '../../../src/data/sources/sources.ts';
import { type ExitKind, UserError } from '../../../src/errors.ts';
import { bmpOf } from '../bmps.ts';
import { heic8 } from '../heic-files.ts';
import { busyJpeg, type Rgb, solidPng } from '../pictures.ts';
import { tiffOf } from '../tiffs.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nn-folder-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const options: LoadOptions = { preprocessing: { imageSize: 8, fit: 'cover' }, positive: undefined, strict: false };
const load = async (changed: Partial<LoadOptions> = {}) =>
  loadExamples(await openFolder({ path: root }), { ...options, ...changed });
const namesOf = (source: Source) => Array.from({ length: source.count }, (_, i) => source.name(i));

/** What systems and programs leave among people's files. */
const systemFolders = [
  '__MACOSX',
  '@eaDir',
  '@Recycle',
  '#recycle',
  '$RECYCLE.BIN',
  'System Volume Information',
  'lost+found',
  '.ipynb_checkpoints',
  '.Trash-1000',
];

/** Writes files below the root: a picture of its own for each. */
async function put(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), await solidPng(colourOf(name)));
  }
}

const colourOf = (name: string): Rgb => [name.length, name.charCodeAt(0), name.charCodeAt(name.length - 5)];

async function refusal(act: () => Promise<unknown>): Promise<UserError> {
  const error = await act().then(
    () => undefined,
    (found: unknown) => found,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

describe('the pictures of a folder', () => {
  test('stand at any depth, in an order that does not depend on the system', async () => {
    await put('cat/b.png', 'cat/a.png', 'cat/deep/er/still/c.png', 'cat/Z.png', 'cat/10.png', 'cat/9.png', 'noncat/x.png');
    expect(namesOf(await openFolder({ path: root }))).toEqual([
      'cat/10.png',
      'cat/9.png',
      'cat/Z.png',
      'cat/a.png',
      'cat/b.png',
      'cat/deep/er/still/c.png',
      'noncat/x.png',
    ]);
  });

  test('come with their own pixels, label, name and hash', async () => {
    await put('cat/a.png', 'noncat/b.png', 'noncat/c.png');
    const { examples, classes, failures } = await load();
    expect(failures).toEqual([]);
    expect(classes).toEqual({ positive: 'cat', negative: 'noncat' });
    expect(examples.names).toEqual(['cat/a.png', 'noncat/b.png', 'noncat/c.png']);
    expect([...examples.labels]).toEqual([1, 0, 0]);
    for (const [i, name] of examples.names.entries()) {
      expect([...examples.pixels.slice(i * 192, i * 192 + 3)], name).toEqual(colourOf(name));
    }
    expect(new Set(examples.hashes).size).toBe(3);
  });

  test('are told by their extension, in any case; of other files is told how many there are, and of which kinds', async () => {
    await put('cat/a.PNG', 'cat/b.Jpeg', 'cat/c.svg', 'cat/d.jfif', 'noncat/e.TIFF');
    await writeFile(join(root, 'cat', 'notes.txt'), 'not a picture');
    await writeFile(join(root, 'cat', 'Thumbs.db'), 'not a picture');
    await writeFile(join(root, 'noncat', 'labels'), 'not a picture');
    await writeFile(join(root, 'README.txt'), 'not a picture');
    const source = await openFolder({ path: root });
    expect(namesOf(source)).toEqual(['cat/a.PNG', 'cat/b.Jpeg', 'cat/c.svg', 'cat/d.jfif', 'noncat/e.TIFF']);
    expect(source.notes).toEqual([
      `${root}: passed over 4 files that nn reads no picture from, such as README.txt (2 .txt, 1 .db, 1 without an extension)`,
    ]);
  });

  test('are told by their content where their name does not say it, but raw files of cameras are none', async () => {
    await put('cat/a.png', 'noncat/b.png');
    const tiff = tiffOf({ width: 16, height: 16, bits: 8, photometric: 'rgb', samples: 3 }, () => 9);
    const files: Record<string, Uint8Array> = {
      'cat/download': await solidPng([1, 2, 3]),
      'cat/photo.jpg_large': await busyJpeg(),
      'cat/scan': tiff,
      'cat/raw.nef': tiff,
      'noncat/drawing.xml': Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"/>'),
      'noncat/IMG.bin': heic8,
      'noncat/paint': bmpOf({ width: 16, height: 16, bits: 24 }, () => 0x123456),
      'noncat/page': Buffer.from('<html><svg></svg></html>'),
      'noncat/empty': Buffer.alloc(0),
      'noncat/new.jxl': Buffer.of(0xff, 0x0a, 1, 2, 3),
    };
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(root, name), bytes);
    const source = await openFolder({ path: root });
    expect(namesOf(source)).toEqual([
      'cat/a.png',
      'cat/download',
      'cat/photo.jpg_large',
      'cat/scan',
      'noncat/IMG.bin',
      'noncat/b.png',
      'noncat/drawing.xml',
      'noncat/paint',
    ]);
    expect((await loadExamples(source, options)).failures).toEqual([]);
    expect(source.notes).toEqual([
      `${root}: passed over 4 files that nn reads no picture from, such as cat/raw.nef (2 without an extension, 1 .jxl, 1 .nef)`,
    ]);
  });

  test('are not the hidden ones, nor those in hidden folders', async () => {
    await put('cat/a.png', 'cat/.hidden.png', 'cat/._a.png', 'cat/.cache/b.png', 'noncat/c.png', '.git/d.png');
    const source = await openFolder({ path: root });
    expect(namesOf(source)).toEqual(['cat/a.png', 'noncat/c.png']);
    expect(source.classes).toEqual(['cat', 'noncat']);
    expect(source.notes).toEqual([]);
  });

  test('are found in a folder that is called like a picture', async () => {
    await put('cat/x.png/inside.png', 'noncat/b.png');
    const { examples, failures } = await load();
    expect(failures).toEqual([]);
    expect(examples.names).toEqual(['cat/x.png/inside.png', 'noncat/b.png']);
  });

  test('have a name that holds what a name may hold', async () => {
    await put('cat/a, "b" & c.png', 'cat/ünï 猫.png', "noncat/it's.png");
    const { examples, failures } = await load();
    expect(failures).toEqual([]);
    expect(examples.names).toEqual(['cat/a, "b" & c.png', 'cat/ünï 猫.png', "noncat/it's.png"]);
  });

  test('that stand in no class are counted in a note', async () => {
    await put('cat/a.png', 'noncat/b.png', 'one.png');
    expect((await openFolder({ path: root })).notes).toEqual([
      `${root}: passed over 1 file in no class's folder, such as one.png (1 .png)`,
    ]);
    await put('two.jpg');
    await writeFile(join(root, 'photo'), await solidPng([1, 2, 3]));
    expect((await openFolder({ path: root })).notes).toEqual([
      `${root}: passed over 3 files in no class's folder, such as one.png (1 .jpg, 1 .png, 1 without an extension)`,
    ]);
  });
});

describe('links', () => {
  test('to files and folders are followed', async () => {
    await put('cat/a.png', 'noncat/b.png');
    const elsewhere = await mkdtemp(join(tmpdir(), 'nn-elsewhere-'));
    try {
      await writeFile(join(elsewhere, 'c.png'), await solidPng([1, 2, 3]));
      await symlink(elsewhere, join(root, 'cat', 'more'), 'junction');
      await symlink(join(elsewhere, 'c.png'), join(root, 'noncat', 'd.png'));
      const { examples, failures } = await load();
      expect(failures).toEqual([]);
      expect(examples.names).toEqual(['cat/a.png', 'cat/more/c.png', 'noncat/b.png', 'noncat/d.png']);
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });

  test('that lead round in a circle end, and bring no picture into another class', async () => {
    await put('cat/a.png', 'cat/deep/b.png', 'noncat/c.png');
    await symlink(join(root, 'cat'), join(root, 'cat', 'deep', 'again'), 'junction');
    await symlink(root, join(root, 'cat', 'deep', 'root'), 'junction');
    await symlink(dirname(root), join(root, 'noncat', 'above'), 'junction');
    expect(namesOf(await openFolder({ path: root }))).toEqual(['cat/a.png', 'cat/deep/b.png', 'noncat/c.png']);
  });

  test('to one folder, twice in a class, give its pictures once', async () => {
    await put('cat/a/b.png', 'noncat/c.png');
    await symlink(join(root, 'cat', 'a'), join(root, 'cat', 'z'), 'junction');
    expect(namesOf(await openFolder({ path: root }))).toEqual(['cat/a/b.png', 'noncat/c.png']);
  });

  test('that lead nowhere, or to themselves, are named with the reason', async () => {
    await put('cat/a.png', 'noncat/b.png');
    await symlink('nothing.png', join(root, 'cat', 'broken.png'));
    await symlink('self.png', join(root, 'cat', 'self.png'));
    const { examples, failures } = await load();
    expect(failures).toEqual([
      { name: 'cat/broken.png', reason: 'no such file or folder' },
      { name: 'cat/self.png', reason: 'a link that leads to itself' },
    ]);
    expect(examples.names).toEqual(['cat/a.png', 'noncat/b.png']);
  });

  test('that should have been a class and lead nowhere are noted', async () => {
    await put('cat/a.png', 'noncat/b.png');
    await symlink('nothing', join(root, 'extra'));
    expect((await openFolder({ path: root })).notes).toEqual([`${join(root, 'extra')}: passed over: no such file or folder`]);
  });
});

describe('the classes', () => {
  test.each([
    [['cat', 'noncat'], 'cat'],
    [['CAT', 'dog'], 'CAT'],
    [['Aardvark', 'Cat'], 'Cat'],
  ])('of %j: %s is positive by itself', async (names, positive) => {
    for (const name of names) await put(`${name}/a.png`);
    const { classes, examples } = await load();
    expect(classes.positive).toBe(positive);
    for (const [i, name] of examples.names.entries()) expect(examples.labels[i]).toBe(name.startsWith(`${positive}/`) ? 1 : 0);
  });

  test('the config may name the positive one', async () => {
    await put('cat/a.png', 'dog/b.png');
    const { classes, examples } = await load({ positive: 'dog' });
    expect(classes).toEqual({ positive: 'dog', negative: 'cat' });
    expect([...examples.labels]).toEqual([0, 1]);
  });

  test.each<[string, string[], string | undefined, RegExp]>([
    [
      'none is called cat',
      ['dogs', 'cats'],
      undefined,
      /expected one class called cat, or the field positive, found cats and dogs/,
    ],
    ['both are called cat', ['cat', 'CAT'], undefined, /expected one class called cat, or the field positive, found CAT and cat/],
    ['the one that is named is not there', ['cat', 'dog'], 'Dog', /expected one class called "Dog", found cat and dog/],
  ])('%s: a mistake in the config', async (_, names, positive, message) => {
    for (const name of names) await put(`${name}/a.png`);
    const error = await refusal(() => load({ positive }));
    expect(error.kind).toBe('usage');
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(/"positive": /);
  });

  test.each<[string, string[], RegExp, RegExp]>([
    ['none', [], /expected two classes, found none/, /one folder for each class/],
    ['one', ['cat'], /expected two classes, found 1: cat/, /one folder for each class/],
    ['three', ['cat', 'dog', 'bird'], /expected two classes, found 3: bird, cat, dog/, /write "positive": "cat" in the source/],
    [
      'three without a cat',
      ['hen', 'dog', 'bird'],
      /expected two classes, found 3/,
      /"positive": "bird", "positive": "dog" or another/,
    ],
    ['two parts', ['train', 'test'], /expected one class called cat/, /data\.train, data\.dev and data\.test/],
    [
      'three parts',
      ['train', 'val', 'test'],
      /expected two classes, found 3: test, train, val/,
      /data\.train, data\.dev and data\.test/,
    ],
  ])('%s: refused', async (_, names, message, hint) => {
    for (const name of names) await put(`${name}/a.png`);
    const error = await refusal(() => load());
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  test('of which there are more than two: the named one stands against all the others', async () => {
    await put('cat/a.png', 'dog/b.png', 'bird/c.png', 'dog/d.png');
    const { classes, examples, strata } = await load({ positive: 'dog' });
    expect(classes).toEqual({ positive: 'dog', negative: 'nondog' });
    expect(examples.names).toEqual(['bird/c.png', 'cat/a.png', 'dog/b.png', 'dog/d.png']);
    expect([...examples.labels]).toEqual([0, 0, 1, 1]);
    expect([...strata!]).toEqual([0, 1, 2, 2]);
  });

  test('of which there are two say no more than the labels', async () => {
    await put('cat/a.png', 'dog/b.png');
    expect((await load()).strata).toBeNull();
  });

  test.each<[string, string[], string, ExitKind, RegExp, RegExp]>([
    [
      'a positive that is no class',
      ['cat', 'dog', 'bird'],
      'cow',
      'usage',
      /called "cow", found bird, cat, dog$/,
      /"positive": "cat"/,
    ],
    ['a positive in other letters', ['cat', 'dog', 'bird'], 'Dog', 'usage', /called "Dog"/, /^Did you mean "positive": "dog"\?$/],
    [
      'a class called like all the others together',
      ['cat', 'noncat', 'dog'],
      'cat',
      'data',
      /expected no class called noncat, which is what all but cat are called together, found noncat beside dog$/,
      /another name/,
    ],
    [
      '… in any case',
      ['cat', 'NonCat', 'dog'],
      'cat',
      'data',
      /no class called noncat, .*, found NonCat beside dog$/,
      /another name/,
    ],
    [
      'two classes that differ in case',
      ['cat', 'Cat', 'dog'],
      'cat',
      'data',
      /one class called cat, found Cat as well$/,
      /same name/,
    ],
  ])('of which there are more than two, %s: refused', async (_, names, positive, kind, message, hint) => {
    for (const name of names) await put(`${name}/a.png`);
    const error = await refusal(() => load({ positive }));
    expect(error.kind).toBe(kind);
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  test('of which there are more than two may be called like another one together', async () => {
    for (const name of ['cat', 'noncat', 'dog']) await put(`${name}/a.png`);
    expect((await load({ positive: 'dog' })).classes).toEqual({ positive: 'dog', negative: 'nondog' });
    expect((await load({ positive: 'noncat' })).classes).toEqual({ positive: 'noncat', negative: 'nonnoncat' });
  });

  test('are those that somebody else knows, whatever stands in the folder: one alone, or others beside', async () => {
    await put('cat/a.png', 'cat/b.png');
    const known = { classes: { positive: 'cat', negative: 'noncat' }, oneClass: true };
    expect([...(await load(known)).examples.labels]).toEqual([1, 1]);
    await put('dog/c.png', 'bird/d.png');
    expect([...(await load(known)).examples.labels]).toEqual([0, 1, 1, 0]);
  });

  test('are not the folders without a picture: one warning names them', async () => {
    await put('cat/a.png', 'noncat/b.png');
    await mkdir(join(root, 'empty', 'deep', 'er'), { recursive: true });
    await mkdir(join(root, 'notes'));
    await writeFile(join(root, 'notes', 'a.txt'), 'not a picture');
    const source = await openFolder({ path: root });
    expect(source.classes).toEqual(['cat', 'noncat']);
    expect(source.notes).toEqual([
      `${root}: passed over 1 file that nn reads no picture from, such as notes/a.txt (1 .txt)`,
      `${root}: passed over 2 folders: empty, notes (without a picture, so no class)`,
    ]);
    expect((await load()).failures).toEqual([]);
  });

  test.each(systemFolders)('are not what a system keeps, nor pictures in it, at any depth: %s', async (name) => {
    await put('cat/a.png', `cat/${name}/a.png`, `cat/deep/${name}/b/c.png`, 'noncat/b.png', `${name}/cat/a.png`, `${name}/x.png`);
    const source = await openFolder({ path: root });
    expect(source.classes).toEqual(['cat', 'noncat']);
    expect(namesOf(source)).toEqual(['cat/a.png', 'noncat/b.png']);
    const [note, ...others] = source.notes;
    expect(others).toEqual([]);
    if (name.startsWith('.')) expect(note).toBeUndefined();
    else {
      expect(note).toMatch(/: passed over 3 folders: .* \(a system's own\)$/);
      for (const folder of [name, `cat/${name}`, `cat/deep/${name}`]) expect(note).toContain(folder);
    }
  });

  test('of which one has no picture are one: a warning names the other', async () => {
    await put('cat/a.png');
    await mkdir(join(root, 'noncat'));
    expect((await openFolder({ path: root })).notes).toEqual([
      `${root}: passed over 1 folder: noncat (without a picture, so no class)`,
    ]);
    const error = await refusal(() => load());
    expect(error.kind).toBe('data');
    expect(error.message).toBe(`${root}: expected two classes, found 1: cat`);
  });

  test('of which no picture can be read are refused, with the first reason', async () => {
    await put('cat/a.png');
    await mkdir(join(root, 'noncat'));
    await writeFile(join(root, 'noncat', 'empty.png'), '');
    const error = await refusal(() => load());
    expect(error.message).toMatch(
      /class noncat, found none .* the first of 1 that failed: noncat\/empty\.png: the file is empty/,
    );
  });
});

describe('reading', () => {
  test('goes on after a bad picture, and keeps names, labels and pixels together', async () => {
    await put('cat/a.png', 'cat/c.png', 'noncat/e.png');
    await writeFile(join(root, 'cat', 'b.png'), 'text');
    await writeFile(join(root, 'noncat', 'd.png'), '');
    const { examples, failures } = await load();
    expect(failures.map(({ name }) => name)).toEqual(['cat/b.png', 'noncat/d.png']);
    expect(examples.names).toEqual(['cat/a.png', 'cat/c.png', 'noncat/e.png']);
    expect([...examples.labels]).toEqual([1, 1, 0]);
    expect(examples.pixels.length).toBe(3 * 192);
    expect([...examples.pixels.slice(2 * 192, 2 * 192 + 3)]).toEqual(colourOf('noncat/e.png'));
  });

  test('stops at a bad picture when it is strict, and names them all', async () => {
    await put('cat/a.png', 'noncat/c.png');
    await writeFile(join(root, 'cat', 'b.png'), 'text');
    await writeFile(join(root, 'noncat', 'd.png'), '');
    const error = await refusal(() => load({ strict: true }));
    expect(error.exitCode).toBe(3);
    expect(error.message).toMatch(/2 of 4 are not:\n {2}cat\/b\.png: not a picture.*\n {2}noncat\/d\.png: the file is empty/);
  });

  test('tells how far it is, picture by picture', async () => {
    await put('cat/a.png', 'noncat/b.png', 'noncat/c.png');
    const seen: string[] = [];
    await load({ onProgress: (done, all) => void seen.push(`${done}/${all}`) });
    expect(seen).toEqual(['1/3', '2/3', '3/3']);
  });

  test('ends when the listener of the progress does', async () => {
    await put('cat/a.png', 'noncat/b.png', 'noncat/c.png');
    const stop = new Error('stop');
    const reading = load({
      onProgress: () => {
        throw stop;
      },
    });
    await expect(reading).rejects.toBe(stop);
  });
});

test('a folder that is not there, or is a file, is refused', async () => {
  const missing = await refusal(() => openFolder({ path: join(root, 'nothing') }));
  expect(missing.exitCode).toBe(3);
  expect(missing.message).toMatch(/expected a folder, found: no such file or folder/);
  await writeFile(join(root, 'file'), '');
  expect((await refusal(() => openFolder({ path: join(root, 'file') }))).message).toMatch(/expected a folder, found a file/);
});

test('pictures beyond what memory holds are refused before they are read', async () => {
  const source = await openSource({ type: 'drawn', count: 2 ** 40, seed: 1, difficulty: 'easy' });
  const error = await refusal(() => loadExamples(source, options));
  expect(error.exitCode).toBe(3);
  expect(error.message).toMatch(/expected pictures that fit into memory, found 1099511627776/);
});

describe('a path on the command line', () => {
  test.each([
    ['data.csv', 'csv'],
    ['DATA.CSV', 'csv'],
    ['x.h5', 'hdf5'],
    ['x.hdf5', 'hdf5'],
  ])('%s means a source of type %s', async (name, type) => {
    expect(await sourceAtPath(join(root, name))).toEqual({ type, path: join(root, name) });
  });

  test('of a folder means the folder, whatever it is called', async () => {
    for (const name of ['plain', 'named.csv']) {
      await mkdir(join(root, name));
      expect(await sourceAtPath(join(root, name))).toEqual({ type: 'folder', path: join(root, name) });
    }
  });

  test('of anything else is refused', async () => {
    await writeFile(join(root, 'x.rar'), '');
    const error = await refusal(() => sourceAtPath(join(root, 'x.rar')));
    expect(error.exitCode).toBe(3);
    expect(error.message).toMatch(/expected a folder .* or a file ending in \.csv, .*\.zip, .*\.safetensors; found neither/);
  });
});
