import { UserError } from '../errors.ts';
import { grouped } from '../grouped.ts';

/** What is told of a picture before it is decoded, since decoding it would take too much memory or time. */

/** What a file starts with whose decoding takes as long as it has bytes and pixels. All else may be SVG, which is a program: it
 *  is drawn in a process that can be ended. */
const pixelFormats = /^(\xff\xd8\xff|\x89PNG|GIF8|RIFF....WEBP|II[*+]\0|MM\0[*+]|....ftyp)/s;

export function isPixelFormat(file: Uint8Array): boolean {
  return pixelFormats.test(Buffer.from(file.buffer, file.byteOffset, Math.min(file.length, 16)).toString('latin1'));
}

/** The most that JPEG can say. Decoding takes some rows at a time, which of millions of columns are gigabytes. */
export const maximumSide = 65_535;
/** Of pictures with more pixels one is decoded at a time: some formats take 6 bytes of memory for each. */
export const sharedPixels = 2 ** 26;
/** Pixels times scans of a progressive JPEG. It goes through all of its pixels with each scan: cameras and programs write about
 *  ten, and a file of few bytes could have thousands. */
const maximumScanned = 2 ** 32;

/** @throws UserError (data) on a progressive JPEG of too many */
export function refuseScans(jpeg: Uint8Array, pixels: number): void {
  const scans = scansOf(jpeg);
  if (scans * pixels > maximumScanned) {
    throw new UserError('data', `${scans} scans of ${grouped(pixels)} pixels: more than ${grouped(maximumScanned)} in all`);
  }
}

/** Scans of the first picture in a JPEG file: what stands behind its end, such as a phone's film, is none of it.
 *  @see ITU-T T.81, B.1.1 */
function scansOf(jpeg: Uint8Array): number {
  const [startOfScan, endOfImage] = [0xda, 0xd9];
  const isAlone = (marker: number) => marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8); // no length behind it
  let scans = 0;
  for (let at = jpeg.indexOf(0xff); at >= 0 && at + 3 < jpeg.length; at = jpeg.indexOf(0xff, at)) {
    const marker = jpeg[at + 1]!;
    if (marker === endOfImage) break;
    if (marker === startOfScan) scans++;
    if (marker === 0xff) at += 1;
    else at += isAlone(marker) ? 2 : 2 + jpeg[at + 2]! * 256 + jpeg[at + 3]!;
  }
  return scans;
}
