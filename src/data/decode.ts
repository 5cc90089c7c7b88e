import { readFile } from 'node:fs/promises';
import { inTurn } from './decode-turns.ts';
import {
  channels,
  type Look,
  loadSharp,
  type Opened,
  type Original,
  openImage,
  type Preprocessing,
  type Uses,
  uses,
} from './image.ts';
import { imageError } from './image-errors.ts';
import { formatOf, isDecodedHere } from './image-formats.ts';

/**
 * Decodes an image to RGB bytes: index = (row · size + column) · 3 + channel.
 * Oriented as it is meant to be seen, first frame only, alpha flattened on white, every colour space brought to 8-bit sRGB.
 * @param input  a path, or the bytes of a file in any format of `imageFormats`
 * @returns imageSize · imageSize · 3 bytes
 * @throws UserError (data) with the reason alone; the caller knows the image's name. A DamagedFile where the file is damaged
 */
export async function decodeImage(input: string | Uint8Array, preprocessing: Preprocessing): Promise<Uint8Array> {
  // bytes alone: by its path, an SVG could make the renderer read other files beside it
  const bytes = typeof input === 'string' ? await readBytes(input) : input;
  return decodeUntrusted('decode', bytes, preprocessing);
}

async function readBytes(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error) => {
    throw imageError(error, new Uint8Array(0));
  });
}

/** The same in this process, for what is known to be no trap. */
export function decodeHere(bytes: Uint8Array, preprocessing: Preprocessing): Promise<Uint8Array> {
  return inTurn(async (isAlone) => uses.decode(await openImage(bytes, isAlone), preprocessing));
}

/** Decodes here what takes no longer than its bytes and pixels, by its first bytes and by what sharp says it is; all else in a
 *  process that can be ended. @throws UserError (data) */
async function decodeUntrusted<Use extends keyof Uses>(
  use: Use,
  bytes: Uint8Array,
  how: Parameters<Uses[Use]>[1],
): Promise<Awaited<ReturnType<Uses[Use]>>> {
  try {
    return await inTurn(async (isAlone) => {
      const opened = formatOf(bytes)?.here ? await openImage(bytes, isAlone) : undefined;
      if (isDecodedHere(opened?.format)) return await (uses[use] as (opened: Opened, how: unknown) => never)(opened!, how);
      return (await import('./decoding-process.ts')).decodeApart(use, bytes, how, isAlone);
    });
  } catch (error) {
    throw imageError(error, bytes);
  }
}

/** Looks at a whole original: nothing is cut off or enlarged.
 *  @param side  the longer side of the small picture is this at most
 *  @throws UserError (data) with the reason, where decodeImage throws it too */
export async function lookAt(original: Original, side: number): Promise<Look> {
  if ('file' in original) return decodeUntrusted('look', original.file, side);
  const { pixels, width, height } = original;
  const image = loadSharp()(pixels, { raw: { width, height, channels } });
  return uses.look({ image, width, height, format: 'pixels', turned: false, bytes: pixels.length }, side);
}
