import type { Windows } from '../kernels/kernels.ts';
import type { ImageShape } from './op.ts';

/** How windows meet the edge of an image. */
export const paddings = {
  same: { summary: 'zeros around the image, so that the output has ⌈side / stride⌉ places' },
  valid: { summary: 'windows inside the image alone' },
} as const;
export type Padding = keyof typeof paddings;

/** Places of windows along a side, and how far the first reaches beyond it.
 *  same: ⌈side/stride⌉, total padding max(0, (out − 1)·stride + size − side), the odd one at the end; valid: ⌊(side − size)/stride⌋ + 1 */
function placesAlong(side: number, { size, stride, padding }: { size: number; stride: number; padding: Padding }) {
  if (padding === 'valid') return { out: Math.floor((side - size) / stride) + 1, before: 0 };
  const out = Math.ceil(side / stride);
  return { out, before: Math.floor(Math.max(0, (out - 1) * stride + size - side) / 2) };
}

/** The windows of an image; with a side below 1 where none fits. */
export function windowsOf(
  { height, width, channels }: ImageShape,
  options: { size: number; stride: number; padding: Padding },
): Windows {
  const [rows, columns] = [placesAlong(height, options), placesAlong(width, options)];
  const { size, stride } = options;
  return {
    height,
    width,
    channels,
    size,
    stride,
    top: rows.before,
    left: columns.before,
    outHeight: rows.out,
    outWidth: columns.out,
  };
}
