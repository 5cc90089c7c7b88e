// The data of the jobs: the same pictures, labels and first weights for all, as files in one folder.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { drawImage, renderImage } from '../dist/data/drawn/draw.js';
import { loadExamples } from '../dist/data/load.js';
import { openSource } from '../dist/data/sources/sources.js';
import { numpyRandom } from '../dist/random.js';

/** Where photographs and the course's files are that are not in the project, if they stand beside it. */
const shared = process.env.NN_SHARED ?? fileURLToPath(new URL('../../shared', import.meta.url));
export const courseFile = (part) => join(shared, 'data/course-catvnoncat', `${part}_catvnoncat.h5`);
const goldenFile = fileURLToPath(new URL('../test/golden/course.json', import.meta.url));

/** Writes what a job needs. @returns what is known of it beside: `reference` numbers, a `note`; `missing` where it cannot be done */
export async function writeData(job, folder) {
  const { name, dims, pictures } = job;
  if (pictures === 'photos') return writePaths(job, folder, photographs(job.m));
  if (pictures === 'made') return writePaths(job, folder, await makePhotographs(job.m, folder));
  if (!dims) return {};
  writeFileSync(join(folder, `weights-${name}.bin`), firstWeights(job));
  if (pictures === 'course' && existsSync(courseFile('train'))) return writeCourse(job, folder);
  writePixels(folder, name, noise(job), thirds(job.m));
  return pictures === 'course' ? { note: 'noise in the place of the course’s pictures, which are not here' } : {};
}

/** Of all layers, rows of W one after the other; biases are 0. */
function firstWeights({ dims, weights = 0 }) {
  const random = numpyRandom(1);
  const deviation = (l) => (dims.length === 2 ? weights : Math.sqrt(1 / dims[l]));
  const layer = (units, l) =>
    Array.from({ length: units * dims[l] }, () => (deviation(l) === 0 ? 0 : random.normal() * deviation(l)));
  return Float64Array.from(dims.slice(1).flatMap(layer));
}

/** What is not quite random costs as much. */
function noise({ m, features }) {
  const pixels = new Uint8Array(m * features);
  let state = 1;
  for (let i = 0; i < pixels.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    pixels[i] = state >>> 24;
  }
  return pixels;
}

const thirds = (m) => Uint8Array.from({ length: m }, (_, i) => Number(i % 3 === 0));

function writePixels(folder, name, pixels, labels) {
  writeFileSync(join(folder, `pixels-${name}.bin`), pixels);
  writeFileSync(join(folder, `labels-${name}.bin`), labels);
}

async function writeCourse(job, folder) {
  const source = await openSource({ type: 'hdf5', path: courseFile('train') });
  const preprocessing = { imageSize: 64, fit: 'cover' };
  const { examples } = await loadExamples(source, { preprocessing, positive: undefined, strict: true });
  writePixels(folder, job.name, examples.pixels, examples.labels);
  const { costs } = JSON.parse(readFileSync(goldenFile, 'utf8')).runs['four-layer'];
  return {
    reference: Object.values(costs),
    note: 'the course’s pictures; every hundredth cost is held against test/golden/course.json',
  };
}

function writePaths(job, folder, paths) {
  if (paths.length === 0) return { missing: 'needs photographs in ../shared/data, which are not here' };
  writeFileSync(join(folder, `paths-${job.name}.json`), JSON.stringify(paths));
  return { m: paths.length };
}

function photographs(most) {
  const folders = ['cat', 'noncat'].map((label) => join(shared, 'data/cats-dogs-2700', label));
  if (!folders.every((path) => existsSync(path))) return [];
  return folders.flatMap((path) =>
    readdirSync(path)
      .slice(0, most / 2)
      .map((name) => join(path, name)),
  );
}

/** Drawn pictures with a camera's noise, 500×375, quality 90: as many bytes as photographs of that size have. */
async function makePhotographs(count, folder) {
  const paths = [];
  for (let index = 0; index < count; index++) paths.push(await writePicture(folder, `made-${index}.jpg`, index));
  return paths;
}

/** @returns its path */
export async function writePicture(folder, name, index = 0) {
  const [width, height] = [500, 375];
  const drawn = drawImage({ seed: 1, index, difficulty: 'hard' });
  const noisy = { ...drawn, grain: { ...drawn.grain, deviation: 5 } };
  const pixels = (await renderImage(noisy, { imageSize: width, fit: 'cover' })).subarray(0, width * height * 3);
  const path = join(folder, name);
  const image = sharp(pixels, { raw: { width, height, channels: 3 } });
  writeFileSync(path, await image.jpeg({ quality: 90 }).toBuffer());
  return path;
}
