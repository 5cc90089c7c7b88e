import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeImage } from '../../src/data/decode.ts';
import { drawImage } from '../../src/data/drawn/draw.ts';
import {
  clusterOfEach,
  clustersAcross,
  type DuplicateKind,
  findDuplicates,
  kindOf,
  leastDetail,
} from '../../src/data/duplicates.ts';
import {
  allocatePerceptualHashes,
  type PerceptualHashes,
  perceptualHashesOf,
  shapeLength,
} from '../../src/data/perceptual-hash.ts';
import { namedRandom } from '../../src/random.ts';
import { painted } from './pictures.ts';

const imageSize = 64;
const fit = 'cover';
const decode = (file: Buffer) => decodeImage(file, { imageSize, fit });

/** Hard drawn pictures as files: other figures, backgrounds, light and noise in each. */
const count = 30;
const side = 150;
let originals: Buffer[];
let decoded: Uint8Array[];

beforeAll(async () => {
  const draw = (index: number) => sharp(Buffer.from(drawImage({ seed: 7, index, difficulty: 'hard' }).svg));
  originals = await Promise.all(
    Array.from({ length: count }, (_, i) => draw(i).resize(side, side).flatten({ background: '#fff' }).png().toBuffer()),
  );
  decoded = await Promise.all(originals.map(decode));
});

const join = (pictures: readonly Uint8Array[]) => Uint8Array.from(pictures.flatMap((pixels) => [...pixels]));
const duplicatesOf = (pictures: readonly Uint8Array[], size = imageSize) =>
  findDuplicates(perceptualHashesOf(join(pictures), size));

/** What people do to a picture, and what the copy is then called. */
const changes: [string, DuplicateKind, (picture: Sharp) => Sharp][] = [
  ['another file format without loss', 'exact', (s) => s.tiff({ compression: 'lzw' })],
  ['WebP', 'near', (s) => s.webp({ quality: 80 })],
  ['AVIF', 'near', (s) => s.avif({ quality: 50, effort: 0 })],
  ['JPEG of quality 95', 'near', (s) => s.jpeg({ quality: 95 })],
  ['JPEG of quality 60', 'near', (s) => s.jpeg({ quality: 60 })],
  ['JPEG of quality 30', 'near', (s) => s.jpeg({ quality: 30 })],
  ['half its size', 'near', (s) => s.resize(75)],
  ['three times its size', 'near', (s) => s.resize(450)],
  ['mirrored', 'mirrored', (s) => s.flop()],
  ['mirrored, smaller, recompressed', 'mirrored', (s) => s.flop().resize(90).jpeg({ quality: 50 })],
  ['brighter', 'near', (s) => s.linear(1, 30)],
  ['darker', 'near', (s) => s.linear(1, -30)],
  ['more contrast', 'near', (s) => s.linear(1.3, -38)],
  ['less contrast', 'near', (s) => s.linear(0.7, 38)],
  ['without colours', 'near', (s) => s.greyscale()],
  ['a little blurred', 'near', (s) => s.blur(1)],
  ['an edge of 1% cut off', 'near', (s) => s.extract({ left: 2, top: 2, width: side - 4, height: side - 4 })],
];

describe.each(changes)('a copy as %s', (_, kind, change) => {
  test(`is found, and called ${kind}`, async () => {
    const copies = await Promise.all(originals.map(async (file) => decode(await change(sharp(file)).toBuffer())));
    const clusters = duplicatesOf([...decoded, ...copies]);
    const found = clusters.filter(({ members: [a, b, ...more] }) => b! - a! === count && more.length === 0);
    expect(clusters.length).toBe(found.length);
    expect(found.length).toBe(count);
    const named = found.filter((cluster) => kindOf(cluster) === kind);
    expect(named.length).toBe(count);
  });
});

test('pictures that were drawn apart are no duplicates of each other', () => {
  expect(duplicatesOf(decoded)).toEqual([]);
});

test('a picture of one colour is the same as itself alone: its noise tells nothing', () => {
  const random = namedRandom(1, 'test');
  const grey = (noise: number) => painted(imageSize, imageSize, () => [200, 200, 200 + Math.round(noise * random.normal())]);
  const [a, b, c] = [grey(0), grey(2), grey(2)];
  expect(duplicatesOf([a, b, c, a])).toEqual([{ members: [0, 3], links: [{ a: 0, b: 3, kind: 'exact', distance: 0 }] }]);
});

test('of pictures too small to compare only the same pixels count', () => {
  const random = namedRandom(2, 'test');
  const small = painted(8, 8, () => [random.integer(255), 0, random.integer(255)]);
  const other = small.map((byte) => Math.min(255, byte + 1));
  expect(duplicatesOf([small, other, small], 8).map(({ members }) => members)).toEqual([[0, 2]]);
});

describe('a mirrored picture', () => {
  test.each([20, 64, 67, 100])('has the very distance 0 at %i pixels a side, whatever the blocks it is shrunk by', (size) => {
    const random = namedRandom(size, 'test');
    const bytes = painted(size, size, () => [random.integer(255), random.integer(255), random.integer(255)]);
    const mirrored = painted(size, size, (row, column) => {
      const at = (row * size + size - 1 - column) * 3;
      return [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!];
    });
    const [cluster] = duplicatesOf([bytes, mirrored], size);
    expect(cluster?.links[0]?.kind).toBe('mirrored');
    expect(cluster?.links[0]?.distance).toBeLessThan(1e-12);
  });
});

test('the distance is 1 − the correlation of whitened cosine transforms, as defined', async () => {
  for (const [i, file] of originals.slice(0, 5).entries()) {
    const copy = await decode(await sharp(file).linear(1.2, -20).jpeg({ quality: 30 }).toBuffer());
    const [cluster] = duplicatesOf([decoded[i]!, copy]);
    const [a, b] = [definedShape(decoded[i]!), definedShape(copy)];
    const dot = (x: number[], y: number[]) => x.reduce((sum, value, k) => sum + value * y[k]!, 0);
    // the shapes are rounded to bytes: a part of 254 of the largest number
    expect(cluster?.links[0]?.distance).toBeCloseTo(1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)), 2);
  }
});

/** The 16 × 16 lowest frequencies of grey, from the definition, on single pixels. */
function definedShape(pixels: Uint8Array): number[] {
  const out: number[] = [];
  const wave = (f: number, x: number) => Math.cos((Math.PI * f * (x + 0.5)) / imageSize) * (f === 0 ? 1 : Math.sqrt(2));
  for (let v = 0; v < 16; v++) {
    for (let u = 0; u < 16; u++) {
      let sum = 0;
      for (let y = 0; y < imageSize; y++) {
        for (let x = 0; x < imageSize; x++) {
          const [r, g, b] = pixels.subarray((y * imageSize + x) * 3);
          sum += (0.299 * r! + 0.587 * g! + 0.114 * b!) * wave(u, x) * wave(v, y);
        }
      }
      out.push(sum * Math.hypot(u, v));
    }
  }
  return out;
}

/** Fingerprints of no picture: random shapes, every tenth of them a changed copy of one before.
 *  @param noise  of the copy, as a share of what it is added to */
function randomPrints(m: number, noise: number): { prints: PerceptualHashes; pairs: [number, number][] } {
  const random = namedRandom(m, 'test');
  const prints = allocatePerceptualHashes(m);
  const pairs: [number, number][] = [];
  for (let i = 0; i < m; i++) {
    prints.pixelHashes.set([random.uint32(), random.uint32()], 2 * i);
    const source = i % 10 === 9 ? i - 1 - random.integer(7) : -1;
    if (source >= 0) pairs.push([source, i]);
    for (let k = 0; k < shapeLength; k++) {
      const value = source < 0 ? 35 * random.normal() : prints.shapes[source * shapeLength + k]! + 35 * noise * random.normal();
      prints.shapes[i * shapeLength + k] = Math.max(-127, Math.min(127, Math.round(value)));
    }
  }
  return { prints, pairs };
}

test('of 10,000 shapes with 1,000 changed copies each copy is found, and nothing else', () => {
  const { prints, pairs } = randomPrints(10_000, 0.2);
  const found = findDuplicates(prints).map(({ members }) => members);
  expect(found).toEqual(pairs.toSorted((x, y) => x[0] - y[0]));
});

test('copies near the bound are found as by comparing all pairs, but for one in fifty', () => {
  const { prints } = randomPrints(1500, 0.4); // correlation 1 / √(1 + 0.4²) = 0.93
  const found = findDuplicates(prints).flatMap(({ links }) => links.map(({ a, b }) => `${a} ${b}`));
  const all = allPairs(prints);
  expect(all.length).toBeGreaterThan(50);
  expect(found.filter((pair) => !all.includes(pair))).toEqual([]);
  expect(found.length).toBeGreaterThanOrEqual(all.length * 0.98);
});

/** Pairs by the definition of a near duplicate; no picture is in two of them here. */
function allPairs({ count: m, shapes }: PerceptualHashes): string[] {
  const out: string[] = [];
  const shape = (i: number) => shapes.subarray(i * shapeLength, (i + 1) * shapeLength);
  const correlation = (a: Int8Array, b: Int8Array) => {
    let [ab, aa, bb] = [0, 0, 0];
    for (const [k, x] of a.entries()) {
      ab += x * b[k]!;
      aa += x * x;
      bb += b[k]! * b[k]!;
    }
    return ab / Math.sqrt(aa * bb);
  };
  for (let i = 0; i < m; i++) {
    for (let j = i + 1; j < m; j++) {
      const inner = correlation(shape(i).subarray(0, 63), shape(j).subarray(0, 63));
      if (inner >= 0.92 && correlation(shape(i), shape(j)) >= leastDetail) out.push(`${i} ${j}`);
    }
  }
  return out;
}

test('the clusters do not depend on the order of the pictures', () => {
  const { prints } = randomPrints(3000, 0.4);
  const order = namedRandom(3, 'test').permutation(prints.count);
  const moved = allocatePerceptualHashes(prints.count);
  for (const [to, from] of order.entries()) {
    moved.pixelHashes.set(prints.pixelHashes.subarray(2 * from, 2 * from + 2), 2 * to);
    moved.shapes.set(prints.shapes.subarray(from * shapeLength, (from + 1) * shapeLength), to * shapeLength);
  }
  const sets = (members: number[][]) => members.map((list) => list.toSorted((a, b) => a - b).join()).sort();
  const here = findDuplicates(prints).map(({ members }) => members);
  const there = findDuplicates(moved).map(({ members }) => members.map((i) => order[i]!));
  expect(sets(there)).toEqual(sets(here));
});

test('copies of copies are one cluster, and each picture knows which', () => {
  const [a, b] = [decoded[0]!, decoded[1]!];
  const clusters = duplicatesOf([a, b, a, decoded[2]!, b, a]);
  expect(clusters.map(({ members }) => members)).toEqual([
    [0, 2, 5],
    [1, 4],
  ]);
  expect([...clusterOfEach(clusters, 6)]).toEqual([0, 1, 0, -1, 1, 0]);
  expect(clusters.map(({ links }) => links.length)).toEqual([2, 1]);
});

test('clusters with two labels, or in two parts, are told from the others', () => {
  const [a, b] = [decoded[0]!, decoded[1]!];
  const clusters = duplicatesOf([a, b, a, b]);
  expect(clustersAcross(clusters, [1, 0, 1, 1]).map(({ members }) => members)).toEqual([[1, 3]]);
  expect(clustersAcross(clusters, ['train', 'dev', 'test', 'dev']).map(({ members }) => members)).toEqual([[0, 2]]);
});
