import type { Sharp, SharpOptions } from 'sharp';
import { systemReason, UserError } from '../errors.ts';

/** How a picture of any shape becomes a square. */
export const fits = {
  cover: 'the middle square of the picture; what overhangs is cut off',
  contain: 'the whole picture, with black bars',
  fill: 'the whole picture, stretched',
} as const;
export type Fit = keyof typeof fits;

/** All that turns a picture into pixels. It is stored in the model, so that predict sees what training saw. */
export interface Preprocessing {
  /** side of the square that the network sees, in pixels */
  imageSize: number;
  fit: Fit;
}

/** The one resize kernel: Lanczos with three lobes, over the full support when shrinking. */
export const resizeKernel = 'lanczos3';
/** Pictures with a side shorter than this hold too little to tell a cat by. */
export const minimumSide = 8;
/** Pictures with more pixels than this are refused before they are decoded (16,383 × 16,383: sharp's own bound). */
export const maximumPixels = 16383 * 16383;

const channels = 3;

/**
 * Decodes a picture to RGB bytes: index = (row · size + column) · 3 + channel.
 * EXIF orientation applied, first frame only, alpha flattened on white, every colour space brought to 8-bit sRGB.
 * @param input  a path, or the bytes of a file in any format that sharp reads
 * @returns imageSize · imageSize · 3 bytes
 * @throws UserError (data) with the reason alone; the caller knows the picture's name
 */
export async function decodeImage(input: string | Uint8Array, { imageSize, fit }: Preprocessing): Promise<Uint8Array> {
  const sharp = await loadSharp();
  try {
    const image = sharp(input, safeOptions);
    const { width, height } = await image.metadata();
    if (Math.min(width, height) < minimumSide) {
      throw new UserError('data', `${width}×${height} pixels: a side is below the minimum of ${minimumSide}`);
    }
    return await squarePixels(image, imageSize, fit);
  } catch (error) {
    throw error instanceof UserError ? error : new UserError('data', imageReason(error), { cause: error });
  }
}

/** Resizes RGB bytes of another shape the way decodeImage does. */
export async function resizePixels(
  pixels: Uint8Array,
  shape: { width: number; height: number },
  { imageSize, fit }: Preprocessing,
): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return squarePixels(sharp(pixels, { raw: { ...shape, channels } }), imageSize, fit);
}

/** Encodes RGB bytes, size · size · 3, as a PNG file. */
export async function encodePng(pixels: Uint8Array, size: number): Promise<Buffer> {
  const sharp = await loadSharp();
  return sharp(pixels, { raw: { width: size, height: size, channels } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

const safeOptions: SharpOptions = { failOn: 'error', limitInputPixels: maximumPixels, sequentialRead: true, animated: false };

async function squarePixels(image: Sharp, imageSize: number, fit: Fit): Promise<Uint8Array> {
  const { data, info } = await image
    .autoOrient()
    .flatten({ background: '#ffffff' })
    .resize(imageSize, imageSize, { fit, kernel: resizeKernel, background: '#000000' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== channels) throw new Error(`sharp gave ${info.channels} channels, expected ${channels}`);
  return data;
}

type SharpModule = typeof import('sharp')['default'];
let loading: Promise<SharpModule> | undefined;

/** Loads sharp when the first picture is read: it costs more than all else at start-up. */
function loadSharp(): Promise<SharpModule> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    sharp.cache(false); // no picture is read twice
    sharp.concurrency(1); // one thread a picture, many pictures at once
    return sharp;
  });
  return loading;
}

/** What sharp says of a broken file, on one line, without the path that the caller names anyway. */
function imageReason(error: unknown): string {
  if ((error as NodeJS.ErrnoException).code?.startsWith('E')) return systemReason(error);
  const text = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim();
  const known = reasons.find(([pattern]) => pattern.test(text));
  return known ? known[1] : text;
}

const reasons: [RegExp, string][] = [
  [/Input file is missing/i, 'no such file'],
  [/unsupported image format/i, 'not a picture in a format that can be read'],
  [/Input Buffer is empty|Input file is empty|zero-length/i, 'the file is empty'],
  [/exceeds pixel limit/i, `more than ${maximumPixels.toLocaleString('en')} pixels`],
];
