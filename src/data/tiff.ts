import { DataError } from '../errors.ts';
import { grouped } from '../text.ts';

/** The pixels of an image in a format that sharp can't read, and how sharp gets them. */
export interface Raster {
  width: number;
  height: number;
  /** RGB, or RGB and alpha */
  channels: 3 | 4;
  /** [height, width, channels] */
  pixels: Uint8Array;
  /** colours are multiplied by alpha already */
  isPremultiplied?: boolean;
  /** what RGB means; sRGB where absent */
  icc?: Uint8Array | undefined;
}

/** The same as a TIFF file that is not compressed: of what sharp reads, only a file has a colour profile.
 *  @see TIFF 6.0, sections 2 and 18; ICC.1:2022, B.3 */
export function tiffOf({ width, height, channels, pixels, isPremultiplied = false, icc }: Raster): Buffer {
  const fields: [tag: number, type: 3 | 4 | 7, count: number, value: number | Uint8Array][] = [
    [256, 4, 1, width],
    [257, 4, 1, height],
    [258, 3, channels, Buffer.concat(Array(channels).fill(Buffer.of(8, 0)))], // bits of a sample
    [259, 3, 1, 1], // not compressed
    [262, 3, 1, 2], // RGB
    [273, 4, 1, 8], // the pixels stand behind the header
    [277, 3, 1, channels],
    [278, 4, 1, height], // in one strip
    [279, 4, 1, pixels.length],
  ];
  if (channels === 4) fields.push([338, 3, 1, isPremultiplied ? 1 : 2]);
  if (icc !== undefined) fields.push([34675, 7, icc.length, icc]);
  const directoryAt = 8 + pixels.length + (pixels.length % 2);
  const directory = Buffer.alloc(2 + 12 * fields.length + 4);
  const behind: Uint8Array[] = [];
  let end = directoryAt + directory.length;
  directory.writeUInt16LE(fields.length);
  for (const [i, [tag, type, count, value]] of fields.entries()) {
    const at = 2 + 12 * i;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(type, at + 2);
    directory.writeUInt32LE(count, at + 4);
    directory.writeUInt32LE(typeof value === 'number' ? value : end, at + 8);
    if (typeof value === 'number') continue;
    behind.push(value);
    end += value.length;
  }
  const header = Buffer.from('II*\0\0\0\0\0', 'latin1');
  header.writeUInt32LE(directoryAt, 4);
  return Buffer.concat([header, pixels, Buffer.alloc(pixels.length % 2), directory, ...behind]);
}

/** Which samples of a TIFF file are decoded as they are meant. libvips takes others too, and makes black, white or noise of many. */

/** What the samples of a pixel are, by PhotometricInterpretation. All are unsigned, and mean 0 to 1 by their whole range.
 *  @see TIFF 6.0, sections 8, 16, 20 to 23 */
const meanings: Record<number, Meaning> = {
  0: { title: 'grey with white at zero', colours: 1, bits: [1, 2, 4, 8, 16], mayHaveAlpha: true },
  1: { title: 'grey', colours: 1, bits: [1, 2, 4, 8, 16], mayHaveAlpha: true },
  2: { title: 'RGB', colours: 3, bits: [8, 16], mayHaveAlpha: true },
  3: { title: 'palette', colours: 1, bits: [1, 2, 4, 8, 16] },
  5: { title: 'CMYK', colours: 4, bits: [8, 16] },
  6: { title: 'YCbCr', colours: 3, bits: [8], isPacked: true },
  8: { title: 'CIELab', colours: 3, bits: [16], isPacked: true },
};

interface Meaning {
  title: string;
  /** samples of a pixel, alpha not counted */
  colours: number;
  bits: readonly number[];
  mayHaveAlpha?: boolean;
  /** read only where the samples of a pixel stand together */
  isPacked?: boolean;
}

const otherMeanings: Record<number, string> = {
  4: 'a mask',
  9: 'ICCLab',
  10: 'ITULab',
  32803: 'a colour filter array',
  32844: 'LogL',
  32845: 'LogLuv',
};

/** By SampleFormat. What is undefined (4) is read as unsigned, as everybody does. */
const formats: Record<number, string> = { 2: 'signed', 3: 'floating point', 5: 'complex integer', 6: 'complex floating point' };

const tags = { bits: 258, compression: 259, photometric: 262, samples: 277, planar: 284, extra: 338, format: 339 } as const;
const jpeg = 7;
const ycbcr = 6;
/** By ExtraSamples: alpha that is multiplied into the colours, or is not. */
const alphas = [1, 2];

/** @throws UserError (data) where the first image of the file has samples that would not be decoded as they are meant, or there are too many
 *  images */
export function refuseSamples(tiff: Uint8Array): void {
  const field = firstDirectory(tiff);
  const problem = field && problemOf(field); // else libtiff says what is wrong with it
  if (problem === undefined) return;
  const cure = 'save it as grey or RGB of 8 or 16 bits, unsigned, over their whole range';
  throw new DataError(`TIFF samples of ${problem}, which nn can't show as they are meant: ${cure}`);
}

/** The numbers of a field. @param absent  what it is where the file does not say */
type Field = (tag: number, absent?: number) => number[];

function problemOf(field: Field): string | undefined {
  const [bits, format, extra] = [field(tags.bits, 1), field(tags.format, 1), field(tags.extra)];
  const one = (tag: number) => field(tag, 1)[0]!;
  const [photometric, samples] = [one(tags.photometric), one(tags.samples)];
  const meaning = meanings[photometric];
  const title = meaning?.title ?? otherMeanings[photometric] ?? `colours of kind ${photometric}`;
  const named = `${[...new Set(bits)].join(', ')} bits, ${formats[format[0]!] ?? 'unsigned'}, ${title}`;
  const isUnsigned = format.every((number) => formats[number] === undefined);
  if (meaning === undefined || !isUnsigned || bits.some((number) => number !== bits[0] || !meaning.bits.includes(number)))
    return named;
  const others = samples - meaning.colours;
  if (others < 0 || others > (meaning.mayHaveAlpha ? 1 : 0)) return `${named}, ${samples} a pixel`;
  if (others === 1 && extra.length > 0 && !alphas.includes(extra[0]!)) return `${named}, and one more of no stated meaning`;
  if (others === 1 && bits[0]! < 8) return `${named}, with alpha`;
  const mayBePlanar = !meaning.isPacked && bits[0]! >= 8 && (meaning.colours > 1 || others === 0);
  if (one(tags.planar) === 2 && !mayBePlanar) return `${named}, in planes of their own`;
  if (meaning === meanings[ycbcr] && one(tags.compression) !== jpeg) return `${named}, not compressed by JPEG`;
  return undefined;
}

/** Directories of a file, one for each image in it. libtiff reads all of them to count them: a hundred thousand take seconds. */
const mostDirectories = 10_000;

/** Reads the directories of a TIFF or BigTIFF file.
 *  @returns the fields of the first one; undefined where the file is cut off or damaged
 *  @throws UserError (data) where there are too many */
function firstDirectory(tiff: Uint8Array): Field | undefined {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const isLittle = tiff[0] === 0x49;
  const u16 = (at: number) => view.getUint16(at, isLittle);
  const u32 = (at: number) => view.getUint32(at, isLittle);
  const u64 = (at: number) => Number(view.getBigUint64(at, isLittle));
  const isBig = tiff.length > 4 && u16(2) === 43;
  const [offset, count] = isBig ? [u64, u64] : [u32, u16];
  const [countBytes, fieldBytes, valueAt, inlineBytes] = isBig ? [8, 20, 12, 8] : [2, 12, 8, 4];
  const fields = new Map<number, number[]>();
  const read = () => {
    const first = offset(isBig ? 8 : 4);
    for (let i = 0; i < count(first); i++) {
      const at = first + countBytes + i * fieldBytes;
      const [tag, type] = [u16(at), u16(at + 2)];
      if (!Object.values<number>(tags).includes(tag) || fields.has(tag)) continue;
      const length = Math.min(offset(at + 4), 64);
      const [size, number] = type === 3 ? [2, u16] : type === 4 ? [4, u32] : [1, (place: number) => view.getUint8(place)];
      const values = length * size <= inlineBytes ? at + valueAt : offset(at + valueAt);
      const numbers = Array.from({ length }, (_, k) => number(values + k * size));
      fields.set(tag, numbers);
    }
  };
  const countAll = () => {
    let directories = 0;
    for (let at = offset(isBig ? 8 : 4); at !== 0; at = offset(at + countBytes + fieldBytes * count(at)))
      if (++directories > mostDirectories) throw new DataError(`a TIFF of more than ${grouped(mostDirectories)} images`);
  };
  if (!endsWithin(read)) return undefined;
  endsWithin(countAll);
  return (tag, absent) => fields.get(tag) ?? (absent === undefined ? [] : [absent]);
}

/** Does what reads from a file. @returns false where that led beyond its end */
function endsWithin(read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
