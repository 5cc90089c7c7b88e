import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { moveFiles } from '../../src/data/inspection/removal-list.ts';
import { put, putScenes, scene } from '../data/inspection/pictures.ts';
import { solidPng } from '../data/pictures.ts';
import { listing, run, temporaryFolder } from './pictures.ts';

/** Made once, copied for each test. */
let made: string;
let folder: string;
beforeAll(async () => {
  made = await temporaryFolder();
  const pictures = join(made, 'photos');
  await putScenes(pictures, 2);
  const twice = await scene(50).png().toBuffer();
  const both = await scene(51).png().toBuffer();
  await put(pictures, {
    'cat/one.png': twice,
    'cat/deep/two, "too".png': twice,
    'cat/both.png': both,
    'noncat/both.png': both,
    'noncat/broken.jpg': Buffer.from('text'),
    'noncat/white.png': await solidPng([255, 255, 255], 40),
  });
  await run(0, ['data', 'clean', 'photos', '--out', 'list.csv', '-q'], { cwd: made });
});
beforeEach(async () => {
  folder = await temporaryFolder();
  await cp(made, folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));
afterAll(() => rm(made, { recursive: true }));

const clean = (code: number, ...words: string[]) => run(code, ['data', 'clean', ...words], { cwd: folder });
const read = (name: string) => readFile(join(folder, name), 'utf8');
const put1 = (name: string, text: string) => writeFile(join(folder, name), text);
const photos = async () => (await listing(join(folder, 'photos'))).filter((name) => /\.\w+$/.test(name));

/** The lines of a list: action, file and kept alone. */
async function summaryOf(list: string): Promise<string[][]> {
  const { parse } = await import('csv-parse/sync');
  const rows = parse(await read(list), { columns: true }) as Record<string, string>[];
  return rows.map(({ action, file, kept }) => [action!, file!, kept!]);
}

describe('nn data clean --out', () => {
  test('lists what to remove, then what to look at, and changes nothing else', async () => {
    const before = await photos();
    const { stdout, stderr } = await clean(0, 'photos', '--out', 'new.csv');
    expect(stdout).toBe('new.csv\t3 to remove\t2 to look at\n');
    expect(stderr).toContain('nn data clean photos --apply new.csv');
    expect(stderr).toContain('nn data inspect photos --all --html new.html');
    expect(await summaryOf('new.csv')).toEqual([
      ['remove', 'noncat/broken.jpg', ''],
      ['remove', 'cat/one.png', 'cat/deep/two, "too".png'],
      ['remove', 'noncat/white.png', ''],
      ['look', 'cat/both.png', ''],
      ['look', 'noncat/both.png', ''],
    ]);
    expect(await read('new.csv')).toMatch(/^look,cat\/both\.png,cat,"the same picture under two labels: .*noncat\/both\.png/m);
    expect(await photos()).toEqual(before);
  });

  test('overwrites a list only when told to', async () => {
    await put1('list.csv', 'mine');
    expect((await clean(2, 'photos', '--out', 'list.csv')).stderr).toContain('--force');
    expect(await read('list.csv')).toBe('mine');
    await clean(0, 'photos', '--out', 'list.csv', '--force', '--json');
    expect(await read('list.csv')).toMatch(/^action,file/);
  });

  test('of clean pictures is empty, and there is nothing to apply', async () => {
    await putScenes(join(folder, 'fine'), 2);
    expect((await clean(0, 'fine', '--out', 'none.csv')).stdout).toBe('none.csv\t0 to remove\t0 to look at\n');
    expect((await clean(3, 'fine', '--apply', 'none.csv')).stderr).toContain('expected rows with the action remove, found none');
  });
});

describe('nn data clean --apply', () => {
  test('moves the files to remove beside the folder, and the undo that it names brings them back', async () => {
    await cp(join(folder, 'photos'), join(folder, 'as-it-was'), { recursive: true });
    const before = await photos();
    const { stdout, stderr } = await clean(0, 'photos', '--apply', 'list.csv');
    const [, to] = /^(removed-\d{4}-\d\d-\d\d)\t3 files moved\n$/.exec(stdout)!;
    const gone = ['cat/one.png', 'noncat/broken.jpg', 'noncat/white.png'];
    expect(await photos()).toEqual(before.filter((name) => !gone.includes(name)));
    expect((await listing(join(folder, to!))).filter((name) => /\.\w+$/.test(name))).toEqual(gone);
    const [, command] = /(cp -R .*)/.exec(stderr)!;
    const { execSync } = await import('node:child_process');
    execSync(command!, { cwd: folder });
    for (const name of before)
      expect(await readFile(join(folder, 'photos', name))).toEqual(await readFile(join(folder, 'as-it-was', name)));
    expect(await photos()).toEqual(before);
  });

  test.each([
    ['after some', ['cat/one.png'], 2],
    ['after the last', ['cat/one.png', 'noncat/broken.jpg', 'noncat/white.png'], 0],
  ])('goes on in the same folder where it was killed %s', async (_, moved) => {
    const before = await photos();
    for (const name of moved) {
      await mkdir(join(folder, 'removed-2026-01-02', name, '..'), { recursive: true });
      await rename(join(folder, 'photos', name), join(folder, 'removed-2026-01-02', name));
    }
    const { stdout, stderr } = await clean(0, 'photos', '--apply', 'list.csv');
    expect(stdout).toBe('removed-2026-01-02\t3 files moved\n');
    expect(stderr).toContain(`${moved.length} of them were moved before, into removed-2026-01-02.`);
    expect((await photos()).length).toBe(before.length - 3);
    expect((await readdir(folder)).filter((name) => name.startsWith('removed-'))).toEqual(['removed-2026-01-02']);
  });

  test('names the folder of what was moved where the rest has changed', async () => {
    await mkdir(join(folder, 'removed-2026-01-02', 'cat'), { recursive: true });
    await rename(join(folder, 'photos/cat/one.png'), join(folder, 'removed-2026-01-02/cat/one.png'));
    await writeFile(join(folder, 'photos/noncat/broken.jpg'), 'another text');
    const { stderr } = await clean(3, 'photos', '--apply', 'list.csv');
    expect(stderr).toContain('Moved before: 1 file of it.');
    expect(stderr).toContain('cp -R removed-2026-01-02/. photos');
    expect(stderr).toContain('noncat/broken.jpg: it is not the file');
    expect(stderr).not.toContain('cat/one.png: it is not');
  });

  test('stops between two files when it is told to, and says how many are where', async () => {
    let asked = 0;
    const to = join(folder, 'aside');
    const names = ['cat/one.png', 'noncat/white.png'];
    expect(await moveFiles(join(folder, 'photos'), names, { to, aborted: () => asked++ > 0 })).toBe(1);
    expect(await listing(to)).toEqual(['cat', 'cat/one.png']);
    expect(await photos()).toContain('noncat/white.png');
  });

  test('replaces nothing that lies where a file is to go', async () => {
    await mkdir(join(folder, 'aside/cat'), { recursive: true });
    await put1('aside/cat/one.png', 'mine');
    const moving = moveFiles(join(folder, 'photos'), ['cat/one.png'], { to: join(folder, 'aside'), aborted: () => false });
    await expect(moving).rejects.toThrow("can't be moved: it exists already");
    expect(await read('aside/cat/one.png')).toBe('mine');
  });

  test('a second time takes another folder', async () => {
    await put(join(folder, 'photos'), { 'cat/a.png': Buffer.from('a') });
    await clean(0, 'photos', '--apply', 'list.csv');
    await clean(0, 'photos', '--out', 'more.csv');
    expect((await clean(0, 'photos', '--apply', 'more.csv')).stdout).toMatch(/^removed-.*-2\t1 file moved/);
  });

  test('does what a person changed in the list', async () => {
    const changed = (await read('list.csv'))
      .replace('remove,cat/one', 'look,cat/one')
      .replace('look,cat/both', 'remove,cat/both');
    await put1('list.csv', changed.replaceAll('\n', '\r\n'));
    const { moved } = JSON.parse((await clean(0, 'photos', '--apply', 'list.csv', '--json')).stdout) as { moved: number };
    expect(moved).toBe(3);
    const left = await photos();
    expect(left).toContain('cat/one.png');
    expect(left).not.toContain('cat/both.png');
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'a file changed',
      async () => writeFile(join(folder, 'photos/noncat/white.png'), await solidPng([254, 255, 255], 40)),
      /noncat\/white\.png: it is not the file/,
    ],
    [
      'a broken file was mended',
      async () => writeFile(join(folder, 'photos/noncat/broken.jpg'), await scene(9).png().toBuffer()),
      /broken\.jpg: it is not/,
    ],
    ['a file is gone', () => rm(join(folder, 'photos/cat/one.png')), /cat\/one\.png: it is not the file/],
    [
      'the copy to keep is gone',
      () => rm(join(folder, 'photos/cat/deep'), { recursive: true }),
      /two, "too"\.png, which was to be kept/,
    ],
  ])('refuses the whole list where %s', async (_, act, message) => {
    await act();
    const before = await photos();
    const { stderr } = await clean(3, 'photos', '--apply', 'list.csv');
    expect(stderr).toMatch(message);
    expect(stderr).toContain('Nothing was changed');
    expect(await photos()).toEqual(before);
  });

  test.each([
    ['climbs out of the folder', '../secret.txt'],
    ['is absolute', '/etc/hostname'],
    ['is the folder itself', '.'],
  ])('refuses a name that %s', async (_, name) => {
    await put1('secret.txt', 'secret');
    await put1('list.csv', `action,file,label,why,kept,hash\nremove,${name},cat,,,\n`);
    expect((await clean(3, 'photos', '--apply', 'list.csv')).stderr).toContain('expected a path within photos');
    expect(await read('secret.txt')).toBe('secret');
  });

  test('refuses a file that lies elsewhere, behind a link to a folder', async () => {
    await mkdir(join(folder, 'elsewhere'));
    await put1('elsewhere/broken.jpg', 'text');
    await symlink(join(folder, 'elsewhere'), join(folder, 'photos/cat/linked'));
    await clean(0, 'photos', '--out', 'more.csv');
    const { stderr } = await clean(3, 'photos', '--apply', 'more.csv');
    expect(stderr).toMatch(/cat\/linked\/broken\.jpg: can't be moved: it lies outside photos/);
    expect(await read('elsewhere/broken.jpg')).toBe('text');
  });

  test.each([
    ['another file', 'a,b\n1,2\n', 'expected the columns action, file, label, why, kept, hash'],
    [
      'another action',
      'action,file,label,why,kept,hash\ndelete,a,b,,,\n',
      'row 1: action: expected remove or look, found "delete"',
    ],
  ])('refuses %s as a list', async (_, text, message) => {
    await put1('list.csv', text);
    expect((await clean(3, 'photos', '--apply', 'list.csv')).stderr).toContain(message);
  });
});

describe('a table', () => {
  beforeEach(async () => {
    await put1(
      'table.csv',
      'label,note,path\n' +
        'cat,"x, ""y""",photos/cat/scene-0.png\ncat,first,photos/cat/one.png\nnoncat,,photos/noncat/scene-0.png\n' +
        'cat,second,photos/cat/one.png\nnoncat,,photos/noncat/missing.png\n',
    );
    await clean(0, 'table.csv', '--out', 'list.csv', '--force');
  });

  test('is written anew without the rows to remove, other columns kept; files stay', async () => {
    const before = await photos();
    const { stdout } = await clean(0, 'table.csv', '--apply', 'list.csv');
    expect(stdout).toBe('table-cleaned.csv\t2 rows left out\n');
    expect(await read('table-cleaned.csv')).toBe(
      'label,note,path\ncat,"x, ""y""",photos/cat/scene-0.png\ncat,first,photos/cat/one.png\nnoncat,,photos/noncat/scene-0.png\n',
    );
    expect(await photos()).toEqual(before);
    const again = await Promise.all([1, 2, 3].map(() => clean(0, 'table.csv', '--apply', 'list.csv')));
    const names = again.map(({ stdout }) => stdout.split('\t')[0]!).sort();
    expect(names).toEqual(['table-cleaned-2.csv', 'table-cleaned-3.csv', 'table-cleaned-4.csv']); // each its own, also at once
  });

  test('that has lost a row is refused', async () => {
    await put1('table.csv', (await read('table.csv')).replace(/noncat,,photos\/noncat\/missing.png\n/, ''));
    expect((await clean(3, 'table.csv', '--apply', 'list.csv')).stderr).toContain('expected a row of photos/noncat/missing.png');
  });
});

describe('refusals', () => {
  test('neither a list to write nor one to apply; both', async () => {
    expect((await clean(2, 'photos')).stderr).toContain('expected --out LIST, or --apply LIST, found neither');
    await clean(2, 'photos', '--out', 'a.csv', '--apply', 'b.csv');
  });

  test('a file of pixels', async () => {
    await put1('x.h5', 'anything');
    expect((await clean(2, 'x.h5', '--out', 'list.csv')).stderr).toContain('expected a folder or a .csv');
  });
});
