import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { augmentBatch } from '../../src/data/augment.ts';
import { drawSheet } from '../../src/report/contact-sheet.ts';
import { put as putFiles, putScenes } from '../data/inspection/pictures.ts';
import { noAugmentation, solidPng } from '../data/pictures.ts';
import { folderConfig, run, temporaryFolder, writeJson } from './pictures.ts';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  await putScenes(join(folder, 'pictures'), 12);
  await putFiles(join(folder, 'odd'), { 'cat/<b>&.png': await solidPng([255, 0, 0]), 'noncat/broken.png': Buffer.from('text') });
});
afterAll(() => rm(folder, { recursive: true }));

const preview = (code: number, ...words: string[]) => run(code, ['data', 'preview', ...words], { cwd: folder });
interface Shown {
  sections: { title: string; total: number; pictures: string[] }[];
}

test('a sheet has each square, pixel by pixel enlarged, where its section and row are', () => {
  const side = 32;
  const square = (value: number) => Uint8Array.from({ length: side * side * 3 }, (_, k) => (k * 7 + value) % 256);
  const [first, second] = [square(1), square(99)];
  const section = (squares: Uint8Array[]) => ({ title: 'cat', total: 1, pictures: [{ name: 'a.png', squares }] });
  const { canvas } = drawSheet({ title: 't', side, sections: [section([first, second]), section([second])] });
  /** How often a square stands on the sheet, three pixels for each of its own. */
  const places = (wanted: Uint8Array) => {
    const found: [number, number][] = [];
    for (let top = 0; top + 96 <= canvas.height; top++) {
      for (let left = 0; left + 96 <= canvas.width; left++) {
        const at = (row: number, column: number, c: number) =>
          canvas.pixels[((top + row) * canvas.width + left + column) * 3 + c];
        const equal = (k: number) => {
          const [pixel, c] = [Math.floor(k / 3), k % 3];
          const [row, column] = [Math.floor(pixel / side) * 3, (pixel % side) * 3];
          return at(row, column, c) === wanted[k] && at(row + 2, column + 2, c) === wanted[k];
        };
        if (wanted.every((_, k) => equal(k))) found.push([left, top]);
      }
    }
    return found;
  };
  const [[left, top]] = places(first) as [[number, number]];
  expect(places(first)).toHaveLength(1);
  const below = places(second);
  expect(below).toHaveLength(2);
  expect(below[0]).toEqual([left, top + 96 + 6]);
  expect(below[1]![0]).toBe(left);
});

test('a PNG of a source: so many of each class, chosen by the seed', async () => {
  const words = ['pictures', '--out', 'sheet.png', '--count', '3', '--json'];
  const shown = JSON.parse((await preview(0, ...words)).stdout) as Shown;
  expect(shown.sections.map(({ title, total, pictures }) => [title, total, pictures.length])).toEqual([
    ['cat', 12, 3],
    ['noncat', 12, 3],
  ]);
  const { width, height, format } = await sharp(join(folder, 'sheet.png')).metadata();
  expect({ format, wide: width >= 480, high: height > 2 * 128 }).toEqual({ format: 'png', wide: true, high: true });
  const bytes = await readFile(join(folder, 'sheet.png'));
  await preview(0, ...words);
  expect(bytes.equals(await readFile(join(folder, 'sheet.png')))).toBe(true);
  const other = JSON.parse((await preview(0, ...words, '--seed', '2')).stdout) as Shown;
  expect(other.sections).not.toEqual(shown.sections);
});

test("a page of a config's parts: only training pictures are augmented, as the first epochs do it", async () => {
  const augment = { flipHorizontal: true, rotate: 10, noise: 0.05, aspect: 0.2, saturation: 0.5, tint: 0.1 };
  await writeJson(join(folder, 'c.json'), folderConfig({ data: { augment } }));
  const { stdout } = await preview(0, '--config', 'c.json', '--out', 'sheet.html', '--count', '2', '--variants', '2', '--json');
  const { sections } = JSON.parse(stdout) as Shown;
  expect(sections.map(({ title }) => title)).toEqual([
    'train · cat',
    'train · noncat',
    'dev · cat',
    'dev · noncat',
    'test · cat',
    'test · noncat',
  ]);
  const page = await readFile(join(folder, 'sheet.html'), 'utf8');
  const images = [...page.matchAll(/<img src="data:image\/png;base64,([^"]+)" alt="([^"]+)"/g)];
  expect(images).toHaveLength(2 * 2 * 3 + 4 * 2);
  const pixels = await Promise.all(
    images.map(async ([, base64]) => new Uint8Array(await sharp(Buffer.from(base64!, 'base64')).raw().toBuffer())),
  );
  // what augmentation makes of the picture, for some index in the training part and the epochs 1 and 2
  const augmentation = { ...noAugmentation, ...augment };
  const made = (index: number, epoch: number) => {
    const all = new Uint8Array((index + 1) * pixels[0]!.length);
    all.set(pixels[0]!, index * pixels[0]!.length);
    const out = new Uint8Array(pixels[0]!.length);
    augmentBatch(all, Int32Array.of(index), out, { augmentation, side: 16, seed: 1, epoch });
    return Buffer.from(out);
  };
  const indices = Array.from(Array(24).keys()).filter((i) => made(i, 1).equals(pixels[1]!));
  expect(indices).toHaveLength(1);
  expect(made(indices[0]!, 2).equals(pixels[2]!)).toBe(true);
});

test('names are escaped, and a broken picture is named and left out', async () => {
  const { stderr } = await preview(0, 'odd', '--out', 'odd.html');
  expect(stderr).toContain('noncat/broken.png: not a picture');
  const page = await readFile(join(folder, 'odd.html'), 'utf8');
  expect(page).toContain('cat/&lt;b&gt;&amp;.png');
  expect(page).not.toContain('<b>');
  await preview(0, 'odd', '--out', 'odd.png');
});

test('another kind of file is refused before anything is read', async () => {
  expect((await preview(2, 'nothing', '--out', 'sheet.gif')).stderr).toContain('expected a file ending in .png or .html');
  await writeFile(join(folder, 'none.csv'), 'path,label\na.png,cat\nb.png,noncat\n');
  expect((await preview(3, 'none.csv', '--out', 'x.png')).stderr).toContain('expected pictures that can be read, found none');
});
