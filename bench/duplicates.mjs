// Which changed copies of photographs are found, which different ones are taken for copies, and how long 100,000 take.
//
//   npm run build && node bench/duplicates.mjs FOLDER…      folders of photographs, one sub-folder for each class
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { decodeImage } from '../dist/data/decode.js';
import { clusterOfEach, findDuplicates } from '../dist/data/duplicates.js';
import { loadExamples } from '../dist/data/load.js';
import { allocatePerceptualHashes, perceptualHashesOf, setPerceptualHash } from '../dist/data/perceptual-hash.js';
import { openSource } from '../dist/data/sources/sources.js';
import { namedRandom } from '../dist/random.js';

const preprocessing = { imageSize: 64, fit: 'cover' };
const sample = 300; // photographs that copies are made of

const scaled = (factor) => async (file) => sharp(file).resize(Math.round((await sharp(file).metadata()).width * factor));
const cut = (share) => async (file) => {
  const { width, height } = await sharp(file).metadata();
  const [left, top] = [Math.round(width * share), Math.round(height * share)];
  return sharp(file).extract({ left, top, width: width - 2 * left, height: height - 2 * top });
};
const jpeg = (quality) => (file) => sharp(file).jpeg({ quality });
const text = (height) =>
  Buffer.from(
    `<svg width="100" height="${height}"><text x="4" y="${height - 6}" font-size="14" fill="white">© a name</text></svg>`,
  );

const changes = {
  'PNG, TIFF (no loss)': (file) => sharp(file).png(),
  'JPEG 95': jpeg(95),
  'JPEG 75': jpeg(75),
  'JPEG 50': jpeg(50),
  'JPEG 30': jpeg(30),
  'JPEG 10': jpeg(10),
  'WebP 80': (file) => sharp(file).webp({ quality: 80 }),
  'AVIF 50': (file) => sharp(file).avif({ quality: 50 }),
  'GIF (256 colours)': (file) => sharp(file).gif(),
  'half the size': scaled(0.5),
  'twice the size': scaled(2),
  mirrored: (file) => sharp(file).flop(),
  'mirrored, half the size, JPEG 50': async (file) => (await scaled(0.5)(file)).flop().jpeg({ quality: 50 }),
  'brighter by 20%': (file) => sharp(file).linear(1, 51),
  'darker by 20%': (file) => sharp(file).linear(1, -51),
  'contrast × 1.3': (file) => sharp(file).linear(1.3, -38),
  'contrast × 0.7': (file) => sharp(file).linear(0.7, 38),
  'without colours': (file) => sharp(file).greyscale(),
  'colours × 1.5': (file) => sharp(file).modulate({ saturation: 1.5 }),
  'blurred, σ = 1': (file) => sharp(file).blur(1),
  sharpened: (file) => sharp(file).sharpen(),
  'a small line of text in it': async (file) =>
    sharp(file).composite([{ input: text((await sharp(file).metadata()).height), left: 0, top: 0 }]),
  'edges of 1% cut off': cut(0.01),
  'edges of 2% cut off': cut(0.02),
  'edges of 3% cut off': cut(0.03),
  'edges of 5% cut off': cut(0.05),
  'upside down': (file) => sharp(file).flip(),
};

const folders = process.argv.slice(2);
for (const folder of folders) await look(folder);
for (const m of [10_000, 100_000]) time(m);

async function look(folder) {
  const source = await openSource({ type: 'folder', path: folder });
  const { examples } = await loadExamples(source, { preprocessing, positive: undefined, strict: false });
  const m = examples.labels.length;
  let from = performance.now();
  const prints = perceptualHashesOf(examples.pixels, preprocessing.imageSize);
  const printed = performance.now() - from;
  from = performance.now();
  const clusters = findDuplicates(prints);
  const found = performance.now() - from;
  console.log(
    `${folder}: ${m} pictures, fingerprints ${printed.toFixed(0)} ms, search ${found.toFixed(0)} ms, ${clusters.length} clusters`,
  );
  for (const { members, links } of clusters) {
    console.log(
      `  ${members.map((i) => examples.names[i]).join(', ')}: ${links.map(({ kind, distance }) => `${kind} ${distance.toFixed(3)}`).join(', ')}`,
    );
  }
  const step = Math.max(1, Math.floor(m / sample));
  const chosen = Array.from({ length: Math.min(sample, m) }, (_, i) => i * step);
  for (const [name, change] of Object.entries(changes)) {
    const all = allocatePerceptualHashes(m + chosen.length);
    all.hashes.set(prints.hashes);
    all.shapes.set(prints.shapes);
    for (const [at, i] of chosen.entries()) {
      const changed = await (await change(await readFile(join(folder, examples.names[i])))).toBuffer();
      // where a change names no format, sharp writes that of the original again: a JPEG of quality 80
      setPerceptualHash(all, m + at, await decodeImage(changed, preprocessing), preprocessing.imageSize);
    }
    const after = findDuplicates(all);
    const of = clusterOfEach(after, all.count);
    const hits = chosen.filter((i, at) => of[i] >= 0 && of[i] === of[m + at]).length;
    const strangers = after.length - hits - clusters.length;
    console.log(
      `  ${name.padEnd(36)} ${((100 * hits) / chosen.length).toFixed(1).padStart(5)}% found, ${Math.max(0, strangers)} with another picture`,
    );
  }
}

/** Random shapes, every tenth of them a changed copy of another: as hard to tell apart as photographs, or harder. */
function time(m) {
  const random = namedRandom(1, 'bench');
  const prints = allocatePerceptualHashes(m);
  const length = prints.shapes.length / m;
  for (let i = 0; i < m; i++) {
    prints.hashes.set([random.uint32(), random.uint32()], 2 * i);
    const original = i % 10 === 9 ? (i - 1 - random.integer(7)) * length : -1;
    for (let k = 0; k < length; k++) {
      const value = original < 0 ? 35 * random.normal() : prints.shapes[original + k] + 7 * random.normal();
      prints.shapes[i * length + k] = Math.max(-127, Math.min(127, Math.round(value)));
    }
  }
  const from = performance.now();
  const before = process.cpuUsage();
  const links = findDuplicates(prints).reduce((sum, cluster) => sum + cluster.links.length, 0);
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  const busy = (process.cpuUsage(before).user / 1e6).toFixed(1);
  console.log(`${m} shapes: ${seconds} s (${busy} s of one core), ${links} of ${Math.floor(m / 10)} copies found`);
}
