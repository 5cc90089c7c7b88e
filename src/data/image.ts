import { createRequire } from 'node:module';
import type { Sharp, SharpOptions } from 'sharp';
import { DataError, UserError } from '../errors.ts';
import { requireDecoding } from '../machine-memory.ts';
import { grouped } from '../text.ts';
import { maximumPixels, refuseScans, refuseSize } from './image-errors.ts';
import { colourSpaceOf, formatOf, pngColours } from './image-formats.ts';
import { type Raster, refuseSamples, tiffOf } from './tiff.ts';

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
/** Raised when anything in `decodeImage` changes what pixels an image has, or which files are refused. */
export const decodingRules = 2;

export const channels = 3;
/** In samples of 16 bits; a picture of which no sample is larger uses 12 bits of them or fewer. */
const leastOfRange = 2 ** 12;

/** A file whose header was read. */
export interface OpenedImage {
  image: Sharp;
  /** as it is shown */
  width: number;
  height: number;
  format: string;
  turned: boolean;
  /** of the file */
  bytes: number;
}

/** What is made of an opened file, in this process or in another. */
export const operations = {
  decode: ({ image }: OpenedImage, preprocessing: Preprocessing): Promise<Uint8Array> => squarePixels(image, preprocessing),
  inspect: async ({ image, ...facts }: OpenedImage, side: number): Promise<ImageInfo> => ({
    ...facts,
    small: await rgb(upright(image).resize(within(side))),
  }),
};
export type Operations = typeof operations;

/** Reads the header of a file that sharp can read.
 *  @throws UserError (data) on what would not be decoded as it is meant, or is made to take for ever
 *  @throws NeedsExclusiveDecoding on what should be decoded alone and is not */
export async function openImage(bytes: Uint8Array, isAlone: boolean): Promise<OpenedImage> {
  const told = formatOf(bytes)?.name;
  if (told === 'tiff') refuseSamples(bytes);
  const image = loadSharp()(bytes, safeOptions);
  const { format, space, hasProfile, isProgressive, orientation = 1, autoOrient } = await image.metadata();
  const { width, height } = autoOrient;
  refuseSize(width, height, isAlone);
  if (format === 'jpeg' && isProgressive) refuseScans(bytes, width * height);
  if (['png', 'tiff'].includes(format) && ['rgb16', 'grey16'].includes(space)) await refuseUnscaled(image);
  const codes = format === 'png' ? pngColours(bytes) : undefined;
  const isP3 = codes !== undefined && colourSpaceOf(codes) === 'p3' && !hasProfile; // a profile beside it says the same
  return {
    image: isP3 ? await inDisplayP3(image) : image,
    width,
    height,
    format,
    turned: orientation !== 1,
    bytes: bytes.length,
  };
}

/** Samples of 16 bits that hold numbers of 8, 10 or 12 and were not scaled would come out black.
 *  @throws UserError (data) */
async function refuseUnscaled(image: Sharp): Promise<void> {
  const [{ hasAlpha }, { channels: statistics }] = [await image.metadata(), await image.stats()];
  const most = Math.max(...(hasAlpha ? statistics.slice(0, -1) : statistics).map(({ max }) => max));
  if (most === 0 || most >= leastOfRange) return;
  throw new DataError(`samples of 16 bits, all of them at most ${grouped(most)}, which is all but black: scale them to 65,535`);
}

/** The pixels of a file that sharp can't read. */
export function openRaster(raster: Raster, facts: Pick<OpenedImage, 'format' | 'turned' | 'bytes'>): OpenedImage {
  const { width, height } = raster;
  return { image: loadSharp()(tiffOf(raster), safeOptions), width, height, ...facts };
}

/** The same numbers with another meaning: colours of Display P3. */
export async function inDisplayP3(image: Sharp): Promise<Sharp> {
  const sharp = loadSharp();
  const { data, info } = await image
    .autoOrient()
    .toColourspace('srgb')
    .ensureAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const blank = sharp({ create: { width: 1, height: 1, channels, background: '#000000' } });
  const { icc } = await sharp(await blank.withIccProfile('p3').png().toBuffer()).metadata();
  return sharp(tiffOf({ width: info.width, height: info.height, channels: 4, pixels: data, icc }), safeOptions);
}

/** Resizes RGB bytes the way decodeImage does; those that have the size already stay as they are. */
export async function resizePixels(image: Rectangle, preprocessing: Preprocessing): Promise<Uint8Array> {
  const { imageSize } = preprocessing;
  if (image.width === imageSize && image.height === imageSize) return image.pixels;
  return squarePixels(rawImage(image), preprocessing);
}

/** RGB bytes for sharp. */
export function rawImage({ pixels, width, height }: Rectangle): Sharp {
  return loadSharp()(pixels, { raw: { width, height, channels } });
}

/** A picture as its source holds it: the bytes of a file, or RGB bytes. */
export type EncodedImage = { file: Uint8Array } | Rectangle;

/** What an original says of itself, and the whole of it made small. */
export interface ImageInfo {
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

const within = (side: number) =>
  ({ width: side, height: side, fit: 'inside', withoutEnlargement: true, kernel: resizeKernel }) as const;

/** What else the pixels of a picture depend on: the versions of the libraries that decode, and the kind of machine. */
export async function decoderVersion(): Promise<string> {
  const sharp = loadSharp();
  const heif = createRequire(import.meta.url)('libheif-js/package.json') as { version: string };
  return JSON.stringify([sharp.versions, heif.version, process.platform, process.arch]);
}

/** Encodes RGB bytes, size · size · 3, as a PNG file. */
export async function encodePng(pixels: Uint8Array, size: number): Promise<Buffer> {
  return rawImage({ pixels, width: size, height: size }).png({ compressionLevel: 9 }).toBuffer();
}

/** Encodes pixels with an SVG of the same size laid over them, as a PNG file. */
export async function encodeWithTexts(image: Rectangle, svg: string): Promise<Buffer> {
  return rawImage(image)
    .composite([{ input: Buffer.from(svg) }])
    .png()
    .toBuffer();
}

/** Encodes a small picture as a JPEG file of few bytes, for people to look at. */
export async function encodeThumbnail(image: Rectangle): Promise<Buffer> {
  return rawImage(image).jpeg({ quality: 80 }).toBuffer();
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
export function loadSharp(): SharpModule {
  if (loaded) return loaded;
  requireDecoding();
  try {
    loaded = createRequire(import.meta.url)('sharp') as SharpModule;
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new UserError('usage', `sharp, which decodes pictures, can't be loaded: ${reason}`, {
      hint: 'Install nn again: npm ci, on the system that it is to run on.',
      cause: error,
    });
  }
  loaded.cache(false); // no picture is read twice
  loaded.concurrency(1); // one thread a picture, many pictures at once
  return loaded;
}
