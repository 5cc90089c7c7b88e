import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Sharp, SharpOptions } from 'sharp';
import { systemReason, UserError } from '../errors.ts';
import { grouped } from '../grouped.ts';
import type { Drawing } from './drawing-worker.ts';
import { isPixelFormat, maximumSide, refuseScans, sharedPixels } from './image-traps.ts';

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
/** Raised when anything in `decodeImage` changes what pixels a picture has. */
export const decodingRules = 1;
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
export async function decodeImage(input: string | Uint8Array, preprocessing: Preprocessing): Promise<Uint8Array> {
  try {
    // bytes alone: by its path, an SVG could make the renderer read other files beside it
    const bytes = typeof input === 'string' ? await readFile(input) : input;
    return isPixelFormat(bytes) ? await decodeHere(bytes, preprocessing) : await elsewhere('decode', bytes, preprocessing);
  } catch (error) {
    throw dataError(error);
  }
}

/** The same in this process, for what is known to be no trap. */
export function decodeHere(bytes: Uint8Array, preprocessing: Preprocessing): Promise<Uint8Array> {
  return retried(async (isAlone) => squarePixels((await openImage(bytes, isAlone)).image, preprocessing));
}

/** Decodes; what fails among others, or takes much memory, is tried once more alone.
 *  @throws UserError (data) with the reason */
async function retried<T>(decode: (isAlone: boolean) => Promise<T>): Promise<T> {
  try {
    return await amongOthers(() => decode(false));
  } catch (error) {
    if (error instanceof UserError) throw error;
    return await alone(() => decode(true)).catch((again) => {
      throw dataError(again);
    });
  }
}

function dataError(error: unknown): UserError {
  return error instanceof UserError ? error : new UserError('data', imageReason(error), { cause: error });
}

/** Reads the header of a file.
 *  @throws UserError (data) on a picture that is too small or too long, or a JPEG that is made to take for ever
 *  @throws Error on one that should be alone and is not */
async function openImage(bytes: Uint8Array, isAlone: boolean) {
  const sharp = loadSharp();
  const image = sharp(bytes, safeOptions);
  const { format, isProgressive, orientation = 1, autoOrient } = await image.metadata();
  const { width, height } = autoOrient;
  if (Math.min(width, height) < minimumSide) {
    throw new UserError('data', `${width}×${height} pixels: a side is below the minimum of ${minimumSide}`);
  }
  if (Math.max(width, height) > maximumSide) {
    throw new UserError('data', `${width}×${height} pixels: a side is above the maximum of ${grouped(maximumSide)}`);
  }
  if (format === 'jpeg' && isProgressive) refuseScans(bytes, width * height);
  if (!isAlone && width * height > sharedPixels) throw new Error('so large a picture is decoded alone');
  return { image, width, height, format: format as string, turned: orientation !== 1 };
}

/** Resizes RGB bytes of another shape the way decodeImage does. */
export async function resizePixels(
  pixels: Uint8Array,
  shape: { width: number; height: number },
  preprocessing: Preprocessing,
): Promise<Uint8Array> {
  const sharp = loadSharp();
  return squarePixels(sharp(pixels, { raw: { ...shape, channels } }), preprocessing);
}

/** A picture as its source holds it: the bytes of a file, or RGB bytes. */
export type Original = { file: Uint8Array } | { pixels: Uint8Array; width: number; height: number };

/** What an original says of itself, and the whole of it made small. */
export interface Look {
  /** as it is shown, after its EXIF orientation */
  width: number;
  height: number;
  /** as sharp calls it: jpeg, png, …; "pixels" where the source holds pixels */
  format: string;
  /** turned or mirrored by its EXIF orientation */
  turned: boolean;
  /** bytes of the file, or of the pixels */
  bytes: number;
  small: Rectangle;
}

/** RGB bytes: index = (row · width + column) · 3 + channel. */
export interface Rectangle {
  width: number;
  height: number;
  pixels: Uint8Array;
}

/** Looks at a whole original: nothing is cut off or enlarged.
 *  @param side  the longer side of the small picture is this at most
 *  @throws UserError (data) with the reason, where decodeImage throws it too */
export async function lookAt(original: Original, side: number): Promise<Look> {
  if (!('file' in original)) {
    const { pixels, width, height } = original;
    const small = await rgb(loadSharp()(pixels, { raw: { width, height, channels } }).resize(within(side)));
    return { width, height, format: 'pixels', turned: false, bytes: pixels.length, small };
  }
  const { file } = original;
  return isPixelFormat(file) ? lookHere(file, side) : elsewhere('look', file, side);
}

/** The same for a file, in this process. */
export function lookHere(file: Uint8Array, side: number): Promise<Look> {
  return retried(async (isAlone) => {
    const { image, format, turned, ...shape } = await openImage(file, isAlone);
    return { ...shape, format, turned, bytes: file.length, small: await rgb(upright(image).resize(within(side))) };
  });
}

const within = (side: number) =>
  ({ width: side, height: side, fit: 'inside', withoutEnlargement: true, kernel: resizeKernel }) as const;

async function elsewhere<Call extends keyof Drawing>(
  call: Call,
  file: Uint8Array,
  how: Parameters<Drawing[Call]>[1],
): Promise<Awaited<ReturnType<Drawing[Call]>>> {
  return (await import('./drawing-process.ts')).drawElsewhere(call, file, how);
}

/** What else the pixels of a picture depend on: the versions of the libraries that decode, and the kind of machine. */
export async function decoderVersion(): Promise<string> {
  const sharp = loadSharp();
  return JSON.stringify([sharp.versions, process.platform, process.arch]);
}

/** Encodes RGB bytes, size · size · 3, as a PNG file. */
export async function encodePng(pixels: Uint8Array, size: number): Promise<Buffer> {
  const sharp = loadSharp();
  return sharp(pixels, { raw: { width: size, height: size, channels } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** Encodes pixels with an SVG of the same size laid over them, as a PNG file. */
export async function encodeWithTexts({ pixels, width, height }: Rectangle, svg: string): Promise<Buffer> {
  const sharp = await loadSharp();
  return sharp(pixels, { raw: { width, height, channels } })
    .composite([{ input: Buffer.from(svg) }])
    .png()
    .toBuffer();
}

/** Encodes a small picture as a JPEG file of few bytes, for people to look at. */
export async function encodeThumbnail({ pixels, width, height }: Rectangle): Promise<Buffer> {
  const sharp = await loadSharp();
  return sharp(pixels, { raw: { width, height, channels } }).jpeg({ quality: 80 }).toBuffer();
}

const safeOptions: SharpOptions = { failOn: 'error', limitInputPixels: maximumPixels, sequentialRead: true, animated: false };

async function squarePixels(image: Sharp, { imageSize, fit }: Preprocessing): Promise<Uint8Array> {
  const size = { width: imageSize, height: imageSize, fit, kernel: resizeKernel, background: '#000000' } as const;
  return (await rgb(upright(image).resize(size))).pixels;
}

/** As it is meant to be seen, on white. */
function upright(image: Sharp): Sharp {
  return image.autoOrient().flatten({ background: '#ffffff' });
}

async function rgb(image: Sharp): Promise<Rectangle> {
  const { data, info } = await image.toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  if (info.channels !== channels) throw new Error(`sharp gave ${info.channels} channels, expected ${channels}`);
  return { width: info.width, height: info.height, pixels: data };
}

type SharpModule = typeof import('sharp')['default'];
let loaded: SharpModule | undefined;

/** Loads sharp when the first picture is read: it costs more than all else at start-up, and as an ES module twice as much. */
function loadSharp(): SharpModule {
  if (loaded) return loaded;
  loaded = createRequire(import.meta.url)('sharp') as SharpModule;
  loaded.cache(false); // no picture is read twice
  loaded.concurrency(1); // one thread a picture, many pictures at once
  return loaded;
}

const running = new Set<Promise<unknown>>();
let lastAlone: Promise<unknown> = Promise.resolve();

/** Starts work when none that must be alone runs or waits. */
async function amongOthers<T>(work: () => Promise<T>): Promise<T> {
  for (let seen: unknown; seen !== lastAlone; ) await (seen = lastAlone);
  const result = work();
  running.add(result);
  return result.finally(() => running.delete(result));
}

/** Runs work while no other runs. The library has one place for the texts of its errors: a picture that fails among
 *  others may get their reason, or none. Alone it gets its own. */
function alone<T>(work: () => Promise<T>): Promise<T> {
  const before = lastAlone;
  const result = (async () => {
    await before;
    await Promise.allSettled(running);
    return work();
  })();
  lastAlone = result.catch(() => {});
  return result;
}

/** What sharp says of a broken file, on one line, without the path that the caller names anyway. */
function imageReason(error: unknown): string {
  if ((error as NodeJS.ErrnoException).code?.startsWith('E')) return systemReason(error);
  const lines = (error instanceof Error ? error.message : String(error)).split('\n').map((line) => line.trim());
  const text = [...new Set(lines)].filter((line) => line !== '').join('; ');
  const known = reasons.find(([pattern]) => pattern.test(text));
  return known ? known[1] : text;
}

const reasons: [RegExp, string][] = [
  [/unsupported image format/i, 'not a picture in a format that can be read'],
  [/Input Buffer is empty/i, 'the file is empty'],
  [/premature end of JPEG|libpng read error|Unexpected end of/i, 'the file is cut off or damaged'],
  [/exceeds pixel limit/i, `more than ${grouped(maximumPixels)} pixels`],
];
