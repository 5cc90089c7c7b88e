import { createHash } from 'node:crypto';
import { cosPi } from '../elementary.ts';

/**
 * What is kept of each picture to tell copies of it again: 263 bytes, whatever its size.
 *
 * The shape is the picture in grey as its lowest 16 × 16 frequencies (DCT-II) without the mean, each multiplied by its
 * frequency √(u² + v²), scaled so that the largest is 127. In photographs low frequencies are the strongest, as 1 / frequency:
 * multiplied by it they weigh alike, and two skies are not one picture. Brightness and contrast fall out, resizing and
 * recompression hardly touch it, and a mirrored picture has the same numbers with the signs of odd u turned.
 */
export interface PerceptualHashes {
  count: number;
  /** (m, 2)  64 bits of the SHA-256 of the pixels */
  pixelHashes: Uint32Array;
  /** (m, 255)  in the order of `frequencies`; all 0 where the picture is too plain or too small to tell */
  shapes: Int8Array;
}

/** Frequencies in each direction. */
const side = 16;
/** The inner ones, which say what a picture looks like from afar. */
const innerSide = 8;
/** A smaller picture has too few frequencies to be told from others that are alike. */
export const leastSizeToCompare = side;
/** Standard deviation of grey, of 255, below which there is nothing but noise. */
const leastContrast = 3;

/** The frequencies of a shape in the order in which they are kept: [u even, u odd] of the inner ones, then of the others.
 *  u counts along a row, v along a column. */
const frequencies = [
  ...ordered((u, v) => Math.max(u, v) < innerSide),
  ...ordered((u, v) => Math.max(u, v) >= innerSide),
] as const;
const countOf = (wanted: (u: number, v: number) => boolean) => frequencies.filter(([u, v]) => wanted(u, v)).length;
const isInner = (u: number, v: number) => Math.max(u, v) < innerSide;

/** How many numbers a shape has, and where its runs end: inner even, inner odd, outer even, outer odd. */
export const shapeLength = frequencies.length;
export const shapeRuns = (() => {
  const innerEven = countOf((u, v) => isInner(u, v) && u % 2 === 0);
  const inner = countOf(isInner);
  const outerEven = inner + countOf((u, v) => !isInner(u, v) && u % 2 === 0);
  return { innerEven, inner, outerEven } as const;
})();

export function allocatePerceptualHashes(count: number): PerceptualHashes {
  return { count, pixelHashes: new Uint32Array(2 * count), shapes: new Int8Array(shapeLength * count) };
}

/** The hashes of pictures in memory.
 *  @param pixels  [m, imageSize · imageSize · 3] */
export function perceptualHashesOf(pixels: Uint8Array, imageSize: number): PerceptualHashes {
  const features = imageSize * imageSize * 3;
  const prints = allocatePerceptualHashes(pixels.length / features);
  for (let i = 0; i < prints.count; i++)
    setPerceptualHash(prints, i, pixels.subarray(i * features, (i + 1) * features), imageSize);
  return prints;
}

/** Takes the hash of one picture, as it passes by.
 *  @param pixels  imageSize · imageSize · 3 bytes */
export function setPerceptualHash(prints: PerceptualHashes, index: number, pixels: Uint8Array, imageSize: number): void {
  setPixelHash(prints, index, pixels);
  prints.shapes.set(shapeOf(pixels, imageSize), index * shapeLength);
}

/** A hash without a shape: only the very same pixels are duplicates of it. */
export function setPixelHash(prints: PerceptualHashes, index: number, pixels: Uint8Array): void {
  const digest = createHash('sha256').update(pixels).digest();
  prints.pixelHashes[2 * index] = digest.readUInt32LE(0);
  prints.pixelHashes[2 * index + 1] = digest.readUInt32LE(4);
}

function shapeOf(pixels: Uint8Array, imageSize: number): Int8Array {
  const shape = new Int8Array(shapeLength);
  if (imageSize < leastSizeToCompare) return shape;
  const step = blockSide(imageSize);
  const size = imageSize / step;
  const grey = greyOf(pixels, imageSize, step);
  if (deviation(grey) < leastContrast) return shape;
  const spectrum = lowFrequencies(grey, size);
  const weighted = frequencies.map(([u, v]) => spectrum[v * side + u]! * Math.sqrt(u * u + v * v));
  const largest = weighted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const [k, value] of weighted.entries()) shape[k] = Math.round((127 * value) / largest);
  return shape;
}

/** Pictures are shrunk first by whole blocks of pixels, to 2 · side or more: the mean of a block is symmetric, so a mirrored
 *  picture stays one. */
function blockSide(imageSize: number): number {
  for (let step = Math.floor(imageSize / (2 * side)); step > 1; step--) if (imageSize % step === 0) return step;
  return 1;
}

/** Luma of blocks of step × step pixels, 0 to 255. */
function greyOf(pixels: Uint8Array, imageSize: number, step: number): Float64Array {
  const size = imageSize / step;
  const sums = new Float64Array(size * size);
  for (let row = 0, at = 0; row < imageSize; row++) {
    const to = Math.floor(row / step) * size;
    for (let column = 0; column < imageSize; column++, at += 3) {
      sums[to + Math.floor(column / step)]! += 299 * pixels[at]! + 587 * pixels[at + 1]! + 114 * pixels[at + 2]!;
    }
  }
  const scale = 1 / (1000 * step * step);
  return sums.map((sum) => sum * scale);
}

function deviation(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** The lowest side × side frequencies of size × size values: F_vu = c_u c_v Σ_y Σ_x f_yx cos(πu(x + ½)/n) cos(πv(y + ½)/n),
 *  c_0 = 1, else √2. */
function lowFrequencies(grey: Float64Array, size: number): Float64Array {
  const waves = wavesOf(size);
  const rows = new Float64Array(size * side);
  for (let y = 0; y < size; y++) {
    for (let u = 0; u < side; u++) {
      let sum = 0;
      for (let x = 0; x < size; x++) sum += grey[y * size + x]! * waves[u * size + x]!;
      rows[y * side + u] = sum;
    }
  }
  const out = new Float64Array(side * side);
  for (let v = 0; v < side; v++) {
    for (let y = 0; y < size; y++) {
      const wave = waves[v * size + y]!;
      for (let u = 0; u < side; u++) out[v * side + u]! += rows[y * side + u]! * wave;
    }
  }
  return out;
}

const waveTables = new Map<number, Float64Array>();

/** c_u cos(πu(x + ½)/n), (side, n). */
function wavesOf(size: number): Float64Array {
  let waves = waveTables.get(size);
  if (waves === undefined) {
    waves = new Float64Array(side * size);
    for (let u = 0; u < side; u++)
      for (let x = 0; x < size; x++) waves[u * size + x] = (u === 0 ? 1 : Math.SQRT2) * cosPi((u * (x + 0.5)) / size);
    waveTables.set(size, waves);
  }
  return waves;
}

function ordered(wanted: (u: number, v: number) => boolean): [u: number, v: number][] {
  const all = Array.from({ length: side * side }, (_, i): [number, number] => [i % side, Math.floor(i / side)]);
  const kept = all.filter(([u, v]) => u + v > 0 && wanted(u, v));
  return [...kept.filter(([u]) => u % 2 === 0), ...kept.filter(([u]) => u % 2 === 1)];
}
