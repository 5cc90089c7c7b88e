import { numpyRandom } from '../../random.ts';
import type { Pen } from './pen.ts';
import { canvas, svg } from './svg.ts';

/** A veil of light or shadow over the whole picture.
 *  @param strength  of the strongest veil, in [0, 1] */
export function veil(pen: Pen, strength: number): string {
  const id = pen.name();
  const [from, to] = pen.pick([
    ['#000000', '#000000'],
    ['#fff4d8', '#000010'],
    ['#ffd090', '#302040'],
    ['#c0d8ff', '#101820'],
  ] as const);
  const stops = svg`<stop stop-color="${from}" stop-opacity="${pen.between(0, strength)}"/><stop offset="1" stop-color="${to}" stop-opacity="${pen.between(0, strength)}"/>`;
  const gradient = pen.chance(0.5)
    ? svg`<linearGradient id="${id}" x1="${pen.between(0, 1)}" y1="0" x2="${pen.between(0, 1)}" y2="1">${stops}</linearGradient>`
    : svg`<radialGradient id="${id}" cx="${pen.between(0.2, 0.8)}" cy="${pen.between(0.1, 0.7)}" r="${pen.between(0.5, 0.9)}">${stops}</radialGradient>`;
  return svg`${gradient}<rect width="${canvas}" height="${canvas}" fill="url(#${id})"/>`;
}

/** The grain of a camera: bytes with noise added, each channel for itself.
 *  @param pixels  changed in place
 *  @param deviation  standard deviation of the noise, in bytes */
export function addGrain(pixels: Uint8Array, { seed, deviation }: { seed: number; deviation: number }): Uint8Array {
  if (deviation === 0) return pixels;
  const { uint32 } = numpyRandom(seed);
  for (let i = 0; i < pixels.length; i++) {
    const word = uint32();
    // the sum of four uniform bytes is nearly normal, with mean 510 and deviation 147.8, and costs one draw
    const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
    const noisy = Math.round(pixels[i]! + ((sum - 510) / 147.8) * deviation);
    pixels[i] = Math.max(0, Math.min(255, noisy));
  }
  return pixels;
}
