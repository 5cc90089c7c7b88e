import type { Rectangle } from '../image.ts';

/** Side of the thumbnail that a tiny model may look at. */
export const thumbnailSide = 8;
/** Bytes of what `borderOf` gives. */
export const borderBytes = 16;
/** Bytes of what `thumbnailOf` gives. */
export const thumbnailBytes = thumbnailSide * thumbnailSide * 3;

/** What the pixels of a small picture say. Luminance is 0 to 255, as in Rec. 601. */
export interface Measures {
  /** mean luminance */
  brightness: number;
  /** luminance that one pixel in twenty exceeds */
  highlight: number;
  /** the largest standard deviation of the three channels */
  contrast: number;
  /** mean square of the Laplacian over the variance of luminance: 20 for white noise, towards 0 for a smooth slope;
   *  it does not depend on contrast. 0 where nothing varies. @see Pech-Pacheco et al. 2000, variance of the Laplacian */
  sharpness: number;
}

/** @param image  the whole of a picture, made small */
export function measure(image: Rectangle): Measures {
  const luminance = luminanceOf(image);
  const { mean, variance } = moments(luminance, 0, 1);
  const channels = [0, 1, 2].map((channel) => moments(image.pixels, channel, 3).variance);
  return {
    brightness: mean,
    highlight: percentile(luminance, 0.95),
    contrast: Math.sqrt(Math.max(...channels)),
    sharpness: variance === 0 ? 0 : laplacianEnergy(luminance, image) / variance,
  };
}

/** Mean colour: three bytes. */
export function colourOf(image: Rectangle): Uint8Array {
  return Uint8Array.from(channelMeans(image), Math.round);
}

/** Of red, green and blue. */
export function channelMeans({ pixels }: Rectangle): [red: number, green: number, blue: number] {
  const mean = (channel: number) => moments(pixels, channel, 3).mean;
  return [mean(0), mean(1), mean(2)];
}

/** The outermost row or column at the top, right, bottom and left: of each the mean colour and the standard deviation of
 *  green, as bytes. */
export function borderOf({ width, height, pixels }: Rectangle): Uint8Array {
  const sides = [
    { length: width, first: 0, step: 1 },
    { length: height, first: width - 1, step: width },
    { length: width, first: (height - 1) * width, step: 1 },
    { length: height, first: 0, step: width },
  ];
  const out = new Uint8Array(borderBytes);
  for (const [s, { length, first, step }] of sides.entries()) {
    for (let channel = 0; channel < 3; channel++) {
      const side = Uint8Array.from({ length }, (_, i) => pixels[(first + i * step) * 3 + channel]!);
      const { mean, variance } = moments(side, 0, 1);
      out[s * 4 + channel] = Math.round(mean);
      if (channel === 1) out[s * 4 + 3] = Math.round(Math.sqrt(variance));
    }
  }
  return out;
}

/** The picture stretched over 8 × 8 pixels, each the mean of its share: RGB bytes. */
export function thumbnailOf({ width, height, pixels }: Rectangle): Uint8Array {
  const out = new Uint8Array(thumbnailBytes);
  for (let row = 0; row < thumbnailSide; row++) {
    const [top, bottom] = shareOf(row, height);
    for (let column = 0; column < thumbnailSide; column++) {
      const [left, right] = shareOf(column, width);
      const sums = [0, 0, 0];
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) for (let c = 0; c < 3; c++) sums[c]! += pixels[(y * width + x) * 3 + c]!;
      }
      for (let c = 0; c < 3; c++) {
        out[(row * thumbnailSide + column) * 3 + c] = Math.round(sums[c]! / ((bottom - top) * (right - left)));
      }
    }
  }
  return out;
}

/** The pixels from and to (exclusive) that one of the eight shares takes; one at least. */
function shareOf(index: number, length: number): [number, number] {
  const from = Math.min(length - 1, Math.floor((index * length) / thumbnailSide));
  return [from, Math.max(from + 1, Math.floor(((index + 1) * length) / thumbnailSide))];
}

function luminanceOf({ pixels }: Rectangle): Float64Array {
  const out = new Float64Array(pixels.length / 3);
  for (let i = 0; i < out.length; i++) out[i] = 0.299 * pixels[i * 3]! + 0.587 * pixels[i * 3 + 1]! + 0.114 * pixels[i * 3 + 2]!;
  return out;
}

/** Of every `step`-th value. */
function moments(values: Uint8Array | Float64Array, first: number, step: number): { mean: number; variance: number } {
  let [sum, squares] = [0, 0];
  for (let i = first; i < values.length; i += step) {
    const value = values[i]!;
    sum += value;
    squares += value * value;
  }
  const mean = (sum * step) / values.length;
  // the rounding of the two terms leaves some 1e-11 of a flat picture; bytes that vary at all leave more
  const variance = (squares * step) / values.length - mean * mean;
  return { mean, variance: variance < 1e-6 ? 0 : variance };
}

/** To the next whole number below. */
function percentile(luminance: Float64Array, share: number): number {
  const counts = new Uint32Array(256);
  for (const value of luminance) counts[Math.floor(value)]!++;
  let value = 0;
  for (let below = counts[0]!; below <= share * luminance.length && value < 255; ) below += counts[++value]!;
  return value;
}

/** The mean square of 4 · centre − its four neighbours, over all pixels that have four. 0 where none has. */
function laplacianEnergy(luminance: Float64Array, { width, height }: Rectangle): number {
  let sum = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const value = 4 * luminance[i]! - luminance[i - 1]! - luminance[i + 1]! - luminance[i - width]! - luminance[i + width]!;
      sum += value * value;
    }
  }
  const inner = Math.max(0, width - 2) * Math.max(0, height - 2);
  return inner === 0 ? 0 : sum / inner;
}

/** What a square shows as a whole, as one number each: light, colour and detail. Parts whose pictures were taken in other places,
 *  by other cameras or at other sizes differ in the means of these. */
export const imageStatistics = {
  brightness: { title: 'brightness', unit: 'of 255' },
  contrast: { title: 'contrast', unit: 'of 255' },
  red: { title: 'red over green', unit: 'of 255' },
  blue: { title: 'blue over green', unit: 'of 255' },
  sharpness: { title: 'sharpness', unit: '' },
} as const satisfies Record<string, { title: string; unit: string }>;

export type ImageStatistic = keyof typeof imageStatistics;
export const imageStatisticNames = Object.keys(imageStatistics) as ImageStatistic[];

/** A column for each. */
export type StatisticColumns = Record<ImageStatistic, Float32Array>;

export function allocateStatistics(count: number): StatisticColumns {
  const columns = imageStatisticNames.map((name) => [name, new Float32Array(count)]);
  return Object.fromEntries(columns) as StatisticColumns;
}

/** Measures one square, as the network sees it.
 *  @param pixels  side · side · 3 bytes */
export function setStatistics(columns: StatisticColumns, index: number, pixels: Uint8Array, side: number): void {
  const image = { width: side, height: side, pixels };
  const { brightness, contrast, sharpness } = measure(image);
  const [red, green, blue] = channelMeans(image);
  columns.brightness[index] = brightness;
  columns.contrast[index] = contrast;
  columns.red[index] = red - green;
  columns.blue[index] = blue - green;
  columns.sharpness[index] = Math.sqrt(sharpness); // its square is skewed: few pictures would make the mean
}
