// biome-ignore-all lint/suspicious/noControlCharactersInRegex: files of images start with such
import { extname } from 'node:path';
import { DataError } from '../errors.ts';

/** Which files are images: told by what their formats' specifications ask of their first bytes, or by a name. */

/** A format that is decoded. */
interface ImageFormat {
  /** as libvips calls it, and reports do */
  name: string;
  extensions: readonly string[];
  /** @param start  the first `startBytes` of a file, a character for each byte */
  isStart(start: string): boolean;
  /** decoded in this process, since the time that it takes grows with bytes and pixels alone */
  here: boolean;
}

const starts = (pattern: RegExp) => (start: string) => pattern.test(start);

/** All that is decoded. @see the specification of each for its first bytes */
export const imageFormats: readonly ImageFormat[] = [
  { name: 'jpeg', extensions: ['.jpg', '.jpeg', '.jpe', '.jfif'], isStart: starts(/^\xff\xd8\xff/), here: true },
  { name: 'png', extensions: ['.png'], isStart: starts(/^\x89PNG\r\n\x1a\n/), here: true },
  { name: 'webp', extensions: ['.webp'], isStart: starts(/^RIFF.{4}WEBPVP8[ LX]/s), here: true },
  { name: 'gif', extensions: ['.gif'], isStart: starts(/^GIF8[79]a/), here: true },
  { name: 'tiff', extensions: ['.tif', '.tiff'], isStart: starts(/^(II[*+]\0|MM\0[*+])/), here: true },
  { name: 'heif', extensions: ['.avif', '.heif', '.heic', '.hif'], isStart: isHeif, here: false },
  {
    name: 'bmp',
    extensions: ['.bmp', '.dib'],
    isStart: starts(/^BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0/s),
    here: false,
  },
  { name: 'svg', extensions: ['.svg'], isStart: isSvg, here: false },
];

/** Images of other formats, which are only named: by what their files start with. */
const otherFormats: readonly (readonly [title: string, start: RegExp])[] = [
  ['a JPEG XL image', /^(\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n)/],
  ['a JPEG 2000 image', /^(\0\0\0\x0cjP {2}\r\n\x87\n|\xff\x4f\xff\x51)/],
  ['a Photoshop image', /^8BPS\0[\x01\x02]/],
  ['an OpenEXR image', /^\x76\x2f\x31\x01/],
  ['a Radiance image', /^#\?(RADIANCE|RGBE)\n/],
  ['a netpbm image', /^P[1-7]\s/],
  ['an icon', /^\0\0[\x01\x02]\0[\x01-\x40]\0/],
  ['a DDS image', /^DDS \x7c\0\0\0/],
  ['a QOI image', /^qoif/],
  ['a raw image of a camera', /^(FUJIFILMCCD-RAW|IIU\0|IIR[OS]|\0\0\0.ftypcrx )/],
  ['a DICOM image', /^.{128}DICM/s],
  ['a PDF', /^%PDF-/],
  ['a film', /^\0\0\0.ftyp|^\x1a\x45\xdf\xa3|^RIFF.{4}AVI /s],
];

/** Bytes at the start of a file that tell its format. */
export const startBytes = 4096;

/** What a file is, by its first bytes. */
export function formatOf(file: Uint8Array): ImageFormat | undefined {
  const start = startOf(file);
  return imageFormats.find(({ isStart }) => isStart(start));
}

/** The format of that name, as libvips calls it. */
export function isDecodedHere(name: string | undefined): boolean {
  return imageFormats.some((format) => format.name === name && format.here);
}

/** What people call a file of a format that is not decoded. */
export function otherFormatOf(file: Uint8Array): string | undefined {
  const start = startOf(file);
  return otherFormats.find(([, pattern]) => pattern.test(start))?.[0];
}

/** Whether a name is that of an image that can be read. */
export function isImageName(path: string): boolean {
  return formatNamed(path) !== undefined;
}

/** The format that a name promises. */
export function formatNamed(path: string): string | undefined {
  const extension = extname(path).toLowerCase();
  return imageFormats.find(({ extensions }) => extensions.includes(extension))?.name;
}

function startOf(file: Uint8Array): string {
  return String.fromCharCode(...file.subarray(0, startBytes)); // a page, which asks too, has no Buffer
}

/** Brands of HEIF and of what is made of it, as a file's major brand or among those that it is compatible with. */
const heifBrands = /^(mif[12]|msf1|miaf|heic|heix|heim|heis|hevc|hevm|hevs|hevx|avif|avis)$/;

/** A box that says how long it is, its type, its major brand, a version, and further brands of four letters each.
 *  @see ISO/IEC 14496-12, 4.3 */
function isHeif(start: string): boolean {
  const length = start.length < 4 ? 0 : [0, 1, 2, 3].reduce((sum, i) => sum * 256 + start.charCodeAt(i), 0);
  if (length < 16 || length % 4 !== 0 || length > Math.min(start.length, 2048) || start.slice(4, 8) !== 'ftyp') return false;
  const brands = [start.slice(8, 12), ...(start.slice(16, length).match(/.{4}/gs) ?? [])];
  return brands.some((brand) => heifBrands.test(brand));
}

/** An XML text whose first element is `svg`, whatever stands before it. */
function isSvg(start: string): boolean {
  return /^(\xef\xbb\xbf)?(\s|<\?(?:(?!\?>).)*\?>|<!--(?:(?!-->).)*-->|<!DOCTYPE[^>[]*(\[[^\]]*\]\s*)?>)*<([\w-]+:)?svg[\s/>]/is.test(
    start,
  );
}

/** Numbers by which files without a colour profile say what their RGB means. @see ITU-T H.273, tables 2 and 3 */
export interface ColourCodes {
  primaries: number;
  transfer: number;
}

const displayP3 = 12;
const wide: Record<number, string> = { 9: 'BT.2020', 10: 'CIE XYZ', 11: 'DCI-P3' };
const notForScreens: Record<number, string> = {
  8: 'linear light',
  9: 'logarithmic light',
  10: 'logarithmic light',
  16: 'HDR (PQ)',
  17: 'ST 428',
  18: 'HDR (HLG)',
};

/** What RGB is to be taken for: what is not known is sRGB, and so are its near relatives, television's.
 *  @throws UserError (data) for what would come out as another picture */
export function colourSpaceOf({ primaries, transfer }: ColourCodes): 'srgb' | 'p3' {
  const found = notForScreens[transfer] ?? wide[primaries];
  if (found !== undefined) throw new DataError(`colours of ${found}, which nn can't show: save it as sRGB`);
  return primaries === displayP3 ? 'p3' : 'srgb';
}

/** What a PNG file says of its colours by numbers, before its pixels. @see PNG (third edition), 11.3.2.6 */
export function pngColours(png: Uint8Array): ColourCodes | undefined {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.length);
  for (let at = 8; at + 16 <= bytes.length; ) {
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (type === 'IDAT') return undefined;
    if (type === 'cICP') return { primaries: bytes[at + 8]!, transfer: bytes[at + 9]! };
    at += 12 + bytes.readUInt32BE(at);
  }
  return undefined;
}
