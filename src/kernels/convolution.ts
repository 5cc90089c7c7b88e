import type { Windows } from './kernels.ts';

/** By which way a convolution goes, and what it takes: the one place where that is decided, by shapes alone, so that bits depend on nothing else. */

/** Of Winograd's F(2 × 2, 3 × 3): a tile of 4 × 4 numbers of a channel gives 2 × 2 of the result, with 16 multiplications instead of 36.
 *  @see Lavin & Gray 2016, Fast Algorithms for Convolutional Neural Networks */
export const tileParts = 16;

/** With fewer channels or filters sums are so short that transforming costs more than it saves. */
const fewestChannels = 8;
/** A thread's room for tiles is the same for all shapes (WINOGRAD_BYTES of bindings.ts): of more channels and filters together it holds too few. */
const mostChannels = 1024;

/** Whether a convolution of floats goes by Winograd's transform. */
export function isWinograd({ windows, filters }: { windows: Windows; filters: number }): boolean {
  const { size, stride, channels, outHeight, outWidth } = windows;
  if (size !== 3 || stride !== 1) return false;
  if (Math.min(channels, filters) < fewestChannels || channels + filters > mostChannels) return false;
  // along an odd side the last tiles are half outside
  return tileParts * tilesOf(windows) < size * size * outHeight * outWidth;
}

/** Whether `convolve` can take the largest of each two by two places along: a tile gives just these. */
export function canPool(convolution: { windows: Windows; filters: number }): boolean {
  const { outHeight, outWidth } = convolution.windows;
  return isWinograd(convolution) && outHeight % 2 === 0 && outWidth % 2 === 0;
}

/** Of Winograd's F(4 × 4, 3 × 3): a tile of 6 × 6 numbers gives 4 × 4 of the result, with 36 multiplications instead of 144. It loses almost two bits more, and so is for answers alone:
 *  `convolve` goes by it where it is given the filters that `transformFilters` made. */
export const largeTileParts = 36;
/** Places of such a tile along a side. */
export const largeTile = 4;

/** Whether such filters are for large tiles: where nothing has rests, a thread's room holds enough tiles, and an image has so many that filters are not read for a few of them. */
export function hasLargeTiles({ windows, filters }: { windows: Windows; filters: number }): boolean {
  const { channels, outHeight, outWidth } = windows;
  const isWhole = channels % 8 === 0 && filters % 8 === 0 && outHeight % 4 === 0 && outWidth % 4 === 0;
  return isWinograd({ windows, filters }) && isWhole && outHeight * outWidth >= 64 && channels + filters <= mostOfLargeTiles;
}
const mostOfLargeTiles = 384;

/** Numbers of transformed filters: rows of them are whole pairs of vectors. */
export function transformedLength(convolution: { windows: Windows; filters: number }): number {
  const { windows, filters } = convolution;
  return (hasLargeTiles(convolution) ? largeTileParts : tileParts) * windows.channels * 8 * Math.ceil(filters / 8);
}

/** Tiles of an image, row after row: each gives 2 × 2 places, of which those beyond an odd side are nobody's. */
export const tilesOf = ({ outHeight, outWidth }: Windows) => Math.ceil(outHeight / 2) * Math.ceil(outWidth / 2);

/** The tiles of an image as windows: the numbers that the places of a tile are made of, and that their rounding goes by. */
export function tileWindows(windows: Windows): Windows {
  const [outHeight, outWidth] = [Math.ceil(windows.outHeight / 2), Math.ceil(windows.outWidth / 2)];
  return { ...windows, size: 4, stride: 2, outHeight, outWidth };
}

/** The windows over the gradient of the result by which the gradient of the images is a convolution too, with filters turned by half a turn. */
export function turnedWindows({ height, width, size, top, left, outHeight, outWidth }: Windows, filters: number): Windows {
  const sides = { height: outHeight, width: outWidth, outHeight: height, outWidth: width };
  return { ...sides, channels: filters, size, stride: 1, top: size - 1 - top, left: size - 1 - left };
}

/** Numbers of a panel of windows' gradients: so few that it stays in the second-level cache. */
const panel = 2 ** 17;

/** Images whose windows' gradients are made together. */
export function imagesTogether({ size, channels, outHeight, outWidth }: Windows): number {
  return Math.max(1, Math.floor(panel / (outHeight * outWidth * size * size * channels)));
}

/** Numbers that a call takes beside its operands, at most: transformed filters, or a panel for the gradient of images. */
export function convolutionRoom(convolution: { windows: Windows; filters: number }): number {
  const { windows, filters } = convolution;
  const { size, channels, outHeight, outWidth } = windows;
  if (!isWinograd(convolution)) return imagesTogether(windows) * outHeight * outWidth * size * size * channels;
  const padded = (numbers: number) => 8 * Math.ceil(numbers / 8);
  return tileParts * Math.max(channels * padded(filters), filters * padded(channels));
}
