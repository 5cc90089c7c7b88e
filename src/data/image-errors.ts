import { DataError, isOutOfFiles, isOutOfMemory, systemReason, UserError } from '../errors.ts';
import { addressesLeft } from '../machine-memory.ts';
import { grouped } from '../text.ts';
import { NeedsExclusiveDecoding } from './decode-turns.ts';
import { otherFormatOf } from './image-formats.ts';

/** A file that is not what its name or its beginning says, whoever reads it: cut off, overwritten, empty, gone. */
export class DamagedFile extends DataError {
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause });
  }
}

/** What to say of a file that could not be decoded, on one line, without the path that the caller names anyway.
 *  @returns a DamagedFile where it is damaged: all else may be sound, and be read elsewhere */
export function imageError(error: unknown, file: Uint8Array): Error {
  // a file may ask for more memory than there is; but within a limit on addresses, or on open files, it is not to blame
  const isLimit = isOutOfFiles(error) || (isOutOfMemory(error) && addressesLeft() < Number.POSITIVE_INFINITY);
  if (error instanceof UserError || isLimit) return error as Error;
  if ((error as NodeJS.ErrnoException).code?.startsWith('E')) return new DataError(systemReason(error), { cause: error });
  const lines = (error instanceof Error ? error.message : String(error)).split('\n').map((line) => line.trim());
  const text = [...new Set(lines)].filter((line) => line !== '' && !/bad seek to \d+$/.test(line)).join('; ');
  const known = reasons.find(([pattern]) => pattern.test(text));
  return known ? known[1](text, file) : new DamagedFile(text, error);
}

const saveAs = 'save it as JPEG or PNG';

/** Of libvips and the libraries under it. */
const reasons: [RegExp, (text: string, file: Uint8Array) => UserError][] = [
  [/unsupported image format/i, (_, file) => unknownFormat(file)],
  [/Input Buffer is empty/i, () => new DamagedFile('the file is empty')],
  [/premature end of JPEG|libpng read error|Unexpected end of/i, () => new DamagedFile('the file is cut off or damaged')],
  [/exceeds pixel limit/i, () => new DataError(`more than ${grouped(maximumPixels)} pixels`)],
  [
    /not been built in|unsupported|not supported|not configured|not implemented|can not handle|no known route|channel limit/i,
    (text) => new DataError(`of a kind that can't be decoded (${text}): ${saveAs}`),
  ],
];

function unknownFormat(file: Uint8Array): UserError {
  const other = otherFormatOf(file);
  if (other !== undefined) return new DataError(`${other}, which nn can't decode: ${saveAs}`);
  return new DamagedFile('not a picture in a format that can be read');
}

/** What is told of a picture before it is decoded, since decoding it would take too much memory or time. */

/** Images with more pixels than this are refused before they are decoded (16,383 × 16,383: sharp's own bound). */
export const maximumPixels = 16383 * 16383;
/** Images with a side shorter than this hold too little to tell a cat by. */
export const minimumSide = 8;
/** The most that JPEG can say. Decoding takes some rows at a time, which of millions of columns are gigabytes. */
export const maximumSide = 65_535;
/** Of pictures with more pixels one is decoded at a time: some formats take 6 bytes of memory for each. */
export const sharedPixels = 2 ** 26;
/** The same of what is decoded to all of its pixels before sharp gets them, which takes 14 bytes for each. */
export const sharedRasterPixels = 2 ** 25;
/** Pixels times scans of a progressive JPEG. It goes through all of its pixels with each scan: cameras and programs write about
 *  ten, and a file of few bytes could have thousands. */
const maximumScanned = 2 ** 32;

/** @param shared  as many pixels are decoded while others are
 *  @throws UserError (data) on an image that is too small, too long or of too many pixels
 *  @throws NeedsExclusiveDecoding on one that takes much memory and is not decoded alone */
export function refuseSize(width: number, height: number, isAlone: boolean, shared = sharedPixels): void {
  const size = `${width}×${height} pixels: a side is`;
  if (Math.min(width, height) < minimumSide) throw new DataError(`${size} below the minimum of ${minimumSide}`);
  if (Math.max(width, height) > maximumSide) throw new DataError(`${size} above the maximum of ${grouped(maximumSide)}`);
  if (width * height > maximumPixels) throw new DataError(`more than ${grouped(maximumPixels)} pixels`);
  if (!isAlone && width * height > shared) throw new NeedsExclusiveDecoding();
}

/** @throws UserError (data) on a progressive JPEG of too many */
export function refuseScans(jpeg: Uint8Array, pixels: number): void {
  const scans = scansOf(jpeg);
  if (scans * pixels > maximumScanned) {
    throw new DataError(`${scans} scans of ${grouped(pixels)} pixels: more than ${grouped(maximumScanned)} in all`);
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
