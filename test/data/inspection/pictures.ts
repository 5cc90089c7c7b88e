import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import type { Classes } from '../../../src/data/classes.ts';
import { findDuplicates } from '../../../src/data/duplicates.ts';
import { type Finding, findAll } from '../../../src/data/inspection/findings.ts';
import { type ImageTable, tabulateImages } from '../../../src/data/inspection/image-table.ts';
import { openSource, type SourceChoice } from '../../../src/data/sources/sources.ts';
import { numpyRandom } from '../../../src/random.ts';

/** A scene of its own for each index: blots of many sizes and colours over a slope, the same kind of thing for all classes. */
export function scene(index: number, { width = 80, height = 80 }: { width?: number; height?: number } = {}) {
  const random = numpyRandom(index + 1);
  const any = (low: number, high: number) => low + random.integer(high - low);
  const colour = () => `rgb(${any(0, 255)},${any(0, 255)},${any(0, 255)})`;
  const blots = Array.from({ length: 40 }, () => {
    const [x, y] = [any(0, 100), any(0, 100)];
    return `<ellipse cx="${x}" cy="${y}" rx="${any(2, 14)}" ry="${any(2, 14)}" fill="${colour()}"/>`;
  });
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 100 100" preserveAspectRatio="none">` +
    `<defs><linearGradient id="g"><stop offset="0" stop-color="${colour()}"/><stop offset="1" stop-color="${colour()}"/></linearGradient></defs>` +
    `<rect width="100" height="100" fill="url(#g)"/>${blots.join('')}</svg>`;
  return sharp(Buffer.from(svg)).flatten({ background: '#fff' });
}

/** Writes files below a folder. */
export async function put(folder: string, files: Record<string, Uint8Array>): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
}

/** So many clean pictures in each of cat and noncat. */
export async function putScenes(folder: string, each: number): Promise<void> {
  for (const [c, label] of ['cat', 'noncat'].entries()) {
    for (let i = 0; i < each; i++) {
      await put(folder, {
        [`${label}/scene-${i}.png`]: await scene(2 * i + c)
          .png()
          .toBuffer(),
      });
    }
  }
}

export const classes: Classes = { positive: 'cat', negative: 'noncat' };

const preprocessing = { imageSize: 64, fit: 'cover' } as const;

export async function surveyOf(folder: string): Promise<ImageTable> {
  return surveySource({ type: 'folder', path: folder });
}

export async function surveySource(choice: SourceChoice): Promise<ImageTable> {
  return tabulateImages([{ source: await openSource(choice), split: null }], { classes, preprocessing });
}

export async function findingsOf(folder: string): Promise<Finding[]> {
  return findingsIn(await surveyOf(folder));
}

export function findingsIn(survey: ImageTable): Finding[] {
  return findAll(survey, findDuplicates(survey.perceptualHashes), () => null);
}

/** Kind by kind the names of each group. */
export function namesOf(findings: readonly Finding[]): Record<string, string[][]> {
  return Object.fromEntries(
    findings.map(({ kind, groups }) => [kind, groups.map(({ pictures }) => pictures.map(({ name }) => name))]),
  );
}
