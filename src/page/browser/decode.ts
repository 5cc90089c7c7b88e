import { refuseSize } from '../../data/image-errors.ts';
import { formatOf, otherFormatOf, startBytes } from '../../data/image-formats.ts';
import { DataError } from '../../errors.ts';
import type { RowSource } from '../resize.ts';
import { element } from './elements.ts';

/** A picture that the browser has decoded: upright, in sRGB, its first frame. */
export interface Decoded extends RowSource {
  /** as libvips calls it */
  format: string | undefined;
  /** the whole of it made small, for people */
  thumbnail: HTMLCanvasElement;
  /** gives its memory back */
  close(): void;
}

/** Longer side of a thumbnail, in pixels. */
const thumbnailSide = 480;

/** @throws UserError (data) on what the browser can't decode, and what nn would refuse for its size */
export async function decode(file: Blob, name: string): Promise<Decoded> {
  const start = new Uint8Array(await file.slice(0, startBytes).arrayBuffer());
  const format = formatOf(start)?.name;
  const image = await imageIn(file, format).catch((cause) => {
    throw unreadable(start, format, cause);
  });
  const { width, height } = image.size;
  refuseSize(width, height, true);
  const context = element('canvas').getContext('2d', { willReadFrequently: true })!;
  return {
    width,
    height,
    step: 4,
    format,
    thumbnail: thumbnailOf(image, name),
    close: image.close,
    rows(first, count) {
      if (count === 0) return new Uint8ClampedArray();
      const { canvas } = context;
      if (canvas.width !== width || canvas.height !== count) [canvas.width, canvas.height] = [width, count];
      context.fillStyle = '#ffffff'; // what is transparent lies on white
      context.fillRect(0, 0, width, count);
      context.drawImage(image.source, 0, first, width, count, 0, 0, width, count);
      return context.getImageData(0, 0, width, count).data;
    },
  };
}

interface DrawnImage {
  source: CanvasImageSource;
  size: { width: number; height: number };
  close(): void;
}

async function imageIn(file: Blob, format: string | undefined): Promise<DrawnImage> {
  if (format === 'svg') return vectorImage(file);
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
  return { source: bitmap, size: bitmap, close: () => bitmap.close() };
}

/** Browsers draw SVG as an element alone. */
async function vectorImage(file: Blob): Promise<DrawnImage> {
  const url = URL.createObjectURL(new Blob([file], { type: 'image/svg+xml' }));
  const image = new Image();
  image.src = url;
  await image.decode();
  const close = () => URL.revokeObjectURL(url);
  return { source: image, size: { width: image.naturalWidth, height: image.naturalHeight }, close };
}

function thumbnailOf({ source, size: { width, height } }: DrawnImage, name: string): HTMLCanvasElement {
  const scale = Math.min(1, thumbnailSide / Math.max(width, height));
  const canvas = element('canvas', { role: 'img', 'aria-label': name });
  [canvas.width, canvas.height] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'medium';
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function unreadable(start: Uint8Array, format: string | undefined, cause: unknown): DataError {
  if (start.length === 0) return new DataError('the file is empty', { cause });
  const kind = format === undefined ? (otherFormatOf(start) ?? null) : `${format.toUpperCase()}`;
  if (kind === null) return new DataError('not a picture in a format that this browser reads', { cause });
  return new DataError(`${kind}: damaged, or of a kind that this browser does not read; save it anew, as JPEG or PNG`, { cause });
}
