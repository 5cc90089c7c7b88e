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
