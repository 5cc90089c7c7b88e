import { type ShrinkImages, shrinkImages } from './image-shrink.ts';

/**
 * What becomes of an image, a square of side · side pixels of three bytes (red, green, blue), in this order:
 *
 *   1. every pixel is looked up where the affine map says that it came from, between pixels bilinearly, beyond the edges mirrored
 *   2. saturation: g + s · (p − g), with the grey g of the pixel
 *   3. contrast about the mean of all bytes of what 2 gave, and light: mean + (p − mean) · contrast + added
 *
 * Each step gives whole bytes, half a byte rounded up, cut to 0 … 255; 1 and 3 are computed in float64 in the order that the reference
 * states, 2 in whole numbers, so that whoever computes it comes to the same bytes.
 */
export interface ImageTransform {
  /** (u, v) = (xx · x + xy · y, yx · x + yy · y) is where the pixel at (x, y) came from, both from the middle of the image, x to the right and
   *  y down; (x, y) is first moved back by `right` and `down`, in pixels */
  xx: number;
  xy: number;
  yx: number;
  yy: number;
  right: number;
  down: number;
  /** s, 0 to 2; 1 leaves it */
  saturation: number;
  /** 1 leaves it */
  contrast: number;
  /** added to each channel, of 255 */
  red: number;
  green: number;
  blue: number;
}

/** Leaves every image as it is. */
export const identityTransform: ImageTransform = {
  ...{ xx: 1, xy: 0, yx: 0, yy: 1, right: 0, down: 0 },
  ...{ saturation: 1, contrast: 1, red: 0, green: 0, blue: 0 },
};

export interface TransformImages {
  /** of images, side · side · 3 each */
  bytes: Uint8Array;
  /** which images of `bytes`, one for each transform */
  indices: Int32Array;
  side: number;
  transforms: readonly ImageTransform[];
  /** [transforms.length, side · side · 3], overwritten; no part of `bytes` */
  out: Uint8Array;
}

export interface ImageKernels {
  /** Makes images smaller, by a triangle filter (image-shrink.ts). */
  shrinkImages(options: ShrinkImages): void;
  /** Makes an image from each of some others. */
  transformImages(options: TransformImages): void;
}

/** In plain TypeScript: the definition. */
export const referenceImages: ImageKernels = {
  shrinkImages,
  transformImages({ bytes, indices, side, transforms, out }) {
    const features = side * side * 3;
    for (const [i, transform] of transforms.entries()) {
      const from = bytes.subarray(indices[i]! * features, (indices[i]! + 1) * features);
      const to = out.subarray(i * features, (i + 1) * features);
      if (isInPlace(transform)) to.set(from);
      else resample(from, to, side, transform);
      if (transform.saturation !== 1) saturate(to, transform.saturation);
      if (isRecoloured(transform)) recolour(to, transform, () => 0);
    }
  },
};

/** Whether every pixel stays where it is. */
function isInPlace({ xx, xy, yx, yy, right, down }: ImageTransform): boolean {
  return xx === 1 && xy === 0 && yx === 0 && yy === 1 && right === 0 && down === 0;
}

function isRecoloured({ contrast, red, green, blue }: ImageTransform): boolean {
  return contrast !== 1 || red !== 0 || green !== 0 || blue !== 0;
}

/** Step 1: upper and lower neighbours first along the row, then between the rows. */
function resample(from: Uint8Array, to: Uint8Array, side: number, { xx, xy, yx, yy, right, down }: ImageTransform): void {
  const middle = (side - 1) / 2;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const x = column - middle - right;
      const y = row - middle - down;
      const u = xx * x + xy * y + middle;
      const v = yx * x + yy * y + middle;
      const [left, top] = [Math.floor(u), Math.floor(v)];
      const [a, b] = [u - left, v - top];
      const [x0, x1] = [reflect(left, side), reflect(left + 1, side)];
      const [y0, y1] = [reflect(top, side) * side, reflect(top + 1, side) * side];
      for (let c = 0; c < 3; c++) {
        const upper = from[(y0 + x0) * 3 + c]! * (1 - a) + from[(y0 + x1) * 3 + c]! * a;
        const lower = from[(y1 + x0) * 3 + c]! * (1 - a) + from[(y1 + x1) * 3 + c]! * a;
        to[(row * side + column) * 3 + c] = Math.round(upper * (1 - b) + lower * b);
      }
    }
  }
}

/** … 1 0 0 1 2 … side−1 side−1 side−2 … */
function reflect(index: number, side: number): number {
  const period = 2 * side;
  const within = ((index % period) + period) % period;
  return within < side ? within : period - 1 - within;
}

/** Step 2. The grey is luminance by Rec. 601 to the 256th: 0.299, 0.587 and 0.114; s is rounded to the 4096th. All products are below 2³¹. */
function saturate(pixels: Uint8Array, saturation: number): void {
  const factor = Math.floor(saturation * 4096 + 0.5);
  for (let at = 0; at < pixels.length; at += 3) {
    const grey = 77 * pixels[at]! + 150 * pixels[at + 1]! + 29 * pixels[at + 2]!;
    for (let c = at; c < at + 3; c++) {
      const value = ((pixels[c]! * 256 - grey) * factor + grey * 4096 + 2 ** 19) >> 20;
      pixels[c] = Math.max(0, Math.min(255, value));
    }
  }
}

/** Step 3, with noise that is added before rounding.
 *  @param noise  drawn for byte after byte */
export function recolour(
  pixels: Uint8Array,
  { contrast, red, green, blue }: Pick<ImageTransform, 'contrast' | 'red' | 'green' | 'blue'>,
  noise: () => number,
): void {
  let sum = 0;
  for (const value of pixels) sum += value;
  const mean = sum / pixels.length;
  const added = [red, green, blue];
  for (let i = 0; i < pixels.length; i++) {
    const value = mean + (pixels[i]! - mean) * contrast + added[i % 3]! + noise();
    pixels[i] = Math.max(0, Math.min(255, Math.round(value)));
  }
}
